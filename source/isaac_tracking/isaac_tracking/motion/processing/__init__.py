# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is done to a motion between its source and its use: pure functions from clip to clip.

Each returns a new clip with a sentence added to its history, or the same clip if there was nothing to do.
"""

from .contacts import contact_states, label_contacts
from .cutting import normalize, trim
from .ends import drop_bad_ends
from .grounding import put_on_ground, sole_heights, support
from .leads import default_stance, lead_in, lead_out
from .looping import find_cycle, loop
from .resampling import drop_repeats, repeat_count, resample

__all__ = [
    "contact_states",
    "default_stance",
    "drop_bad_ends",
    "drop_repeats",
    "find_cycle",
    "label_contacts",
    "lead_in",
    "lead_out",
    "loop",
    "normalize",
    "put_on_ground",
    "repeat_count",
    "resample",
    "sole_heights",
    "support",
    "trim",
]
