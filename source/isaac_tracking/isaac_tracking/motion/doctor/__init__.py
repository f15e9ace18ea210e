# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The doctor: is a clip something that this robot can follow, and if not, what is wrong and at which frame."""

from .diagnosis import Diagnosis, Finding, Series
from .examine import examine
from .limits import Limits, Rule
from .page import page

__all__ = ["Diagnosis", "Finding", "Limits", "Rule", "Series", "examine", "page"]
