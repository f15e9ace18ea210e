# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a user can do wrong, said in one line."""

from __future__ import annotations

from ..inference.film_file import FilmError
from ..learning.runs import RunError
from ..motion.clip import ClipError


class OptionError(ValueError):
    """An option that cannot be used, in one line."""


USER_ERRORS = (OptionError, RunError, ClipError, FilmError)
"""Errors whose message is all that a user needs: one line and exit code 2."""
