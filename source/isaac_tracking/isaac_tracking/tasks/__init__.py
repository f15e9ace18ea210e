# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The tasks. Importing this package registers their ids with Gymnasium, as strings, and starts nothing."""

from .tracking.config import g1 as _g1  # noqa: F401
from .velocity.config import g1 as _g1_velocity  # noqa: F401
from .velocity.config import go1 as _go1_velocity  # noqa: F401
