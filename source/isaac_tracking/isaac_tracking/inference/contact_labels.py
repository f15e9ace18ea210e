# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""When a clip's feet are labelled as on the ground, at the control rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..motion.clip import Clip


def foot_labels(clip: Clip, feet: Sequence[str], rate: float) -> np.ndarray | None:
    """Return the labels of a clip's feet at the control rate, bool, shape (frames, feet); ``None`` without labels.

    Args:
        clip: The clip.
        feet: Names of the foot bodies, in the order of the columns.
        rate: Control rate [Hz].
    """
    if clip.contacts is None or not set(feet) <= set(clip.contact_names):
        return None
    columns = [clip.contact_names.index(name) for name in feet]
    return labels_at_rate(clip.contacts[:, columns], clip.fps, rate)


def labels_at_rate(contacts: np.ndarray, fps: float, rate: float) -> np.ndarray:
    """Return contact labels at another rate, the nearest frame's, bool, shape (frames, feet).

    Args:
        contacts: Labels, shape (T, feet).
        fps: Their rate [Hz].
        rate: Control rate [Hz].
    """
    count = int((len(contacts) - 1) / fps * rate + 1e-6) + 1
    frames = np.rint(np.arange(count) * (fps / rate)).astype(int)
    return contacts[frames.clip(max=len(contacts) - 1)]
