# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The constants of the adaptive sampler, and named sets of them after published systems."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

SCORES = ("failure_rate", "failure_share", "similarity")
"""How hard a stretch is: failures per second spent in it [1/s], failures per passage through it [-], or one minus the
similarity of robot and reference [-]."""

_SHARES = ("uniform_share", "rewind_probability")
_POSITIVE = ("bin_duration", "horizon", "max_bin_probability", "max_clip_probability", "kernel_decay")
_NOT_NEGATIVE = ("min_bin_duration", "horizon_per_length", "prior_share", "reference_score")


@dataclass(frozen=True)
class SamplerSettings:
    """Constants of :class:`~isaac_tracking.motion.sampling.adaptive.AdaptiveSampler`; the defaults are our own.

    Raises:
        ValueError: On construction, if a value makes no sense.
    """

    score: str = "failure_rate"
    """One of :data:`SCORES`. All of them are rates, never counts: neither the number of environments nor how often a
    stretch is drawn makes it look harder."""

    bin_duration: float = 1.0
    """Length of a bin [s]; clips are cut into bins (BeyondMimic: 1 s)."""

    min_bin_duration: float = 0.0
    """A rest at a clip's end that is shorter than this joins the bin before it [s] (wbc-mjlab: 0.5)."""

    horizon: float = 20.0
    """Time over which evidence is remembered [s of simulated time per environment]: 1000 steps at 50 Hz, as
    BeyondMimic's smoothing of 0.001 per step."""

    horizon_per_length: float = 0.005
    """The horizon is at least this share of the library's length [-]: 4096 environments then remember 20 passes
    through any library. A fixed horizon would forget a large library before it is seen again."""

    prior_share: float = 0.1
    """Weight of the prior: the exposure of a bin if steps were uniform over this share of the horizon [-]."""

    prior_score: float | None = None
    """Score of a bin that was never seen, in the unit of the score; None for the mean of the library."""

    reference_score: float = 0.05
    """Score at which a bin is twice as likely as one that never fails, in the unit of the score. Below it, starts tend
    to uniform: when failures are rare, where the last few were is chance. One failure in 20 s of motion."""

    softmax: bool = False
    """Whether likelihoods are exponential in the score, with temperature 1 / log(1 + number of bins) (wbc-mjlab)."""

    kernel_size: int = 1
    """Bins whose scores count for a bin: it and those that follow, so that a run-up is drawn too (BeyondMimic: 1)."""

    kernel_decay: float = 0.8
    """Factor from one bin of the kernel to the next [-] (BeyondMimic: 0.8)."""

    uniform_share: float = 0.1
    """Share of starts that are drawn without regard to scores [-]: a floor under every bin (SONIC: 0.1)."""

    max_over_mean: float = 20.0
    """Cap of a bin's probability, as a multiple of what it has without any evidence [-] (SONIC: 50, released with
    200). SONIC caps the score; a single failing bin still takes all then, so here the probability is capped."""

    max_bin_probability: float = 1.0
    """Cap of a bin's probability [-] (an option of SONIC); never below what it has without any evidence."""

    max_clip_probability: float = 1.0
    """Cap of a clip's probability [-] (an option of SONIC); never below what it has without any evidence."""

    length_neutral: bool = False
    """Whether a clip's length leaves its share of the starts alone (SONIC); otherwise frames count alike."""

    rewind_probability: float = 0.0
    """Share of failed episodes that are followed by a start shortly before the failure [-]."""

    rewind_range: tuple[float, float] = (0.5, 1.5)
    """How long before the failure such a start lies, uniform between the two [s] (Axellwppr/motion_tracking)."""

    refresh_steps: int = 24
    """Steps between two updates of the probabilities: an iteration of PPO; until then evidence is only collected."""

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        if self.score not in SCORES:
            raise _fault("score", self.score, f"one of {', '.join(SCORES)}")
        checks = (
            (_SHARES, "a share between 0 and 1", lambda value: 0.0 <= value <= 1.0),
            (_POSITIVE, "a number above 0", lambda value: 0.0 < value < math.inf),
            (_NOT_NEGATIVE, "0 or more", lambda value: 0.0 <= value < math.inf),
            (("max_over_mean",), "1 or more", lambda value: value >= 1.0),
            (("kernel_size", "refresh_steps"), "a whole number from 1", lambda value: value >= 1 and value % 1 == 0),
        )
        for names, expected, holds in checks:
            for name in names:
                if not holds(getattr(self, name)):
                    raise _fault(name, getattr(self, name), expected)
        if self.prior_score is not None and not 0.0 <= self.prior_score < math.inf:
            raise _fault("prior_score", self.prior_score, "0 or more, or None")
        object.__setattr__(self, "rewind_range", tuple(self.rewind_range))
        if len(self.rewind_range) != 2 or not 0.0 <= self.rewind_range[0] <= self.rewind_range[1] < math.inf:
            raise _fault("rewind_range", self.rewind_range, "two times in seconds, the shorter one first")


def _fault(name: str, value: object, expected: str) -> ValueError:
    return ValueError(f"sampler: {name} is {value}; expected {expected}")


PRESETS: Mapping[str, SamplerSettings] = {
    "default": SamplerSettings(),
    # HybridRobotics/whole_body_tracking, mdp/commands.py: bins of 1 s, smoothing 0.001 per step, kernel 0.8 of size 1.
    # It adds 0.1 / N to failure counts, which is no floor once counts grow; here a tenth stays uniform. It has no cap.
    "beyondmimic": SamplerSettings(
        prior_share=0.1,
        prior_score=0.0,
        reference_score=0.0,
        kernel_size=1,
        kernel_decay=0.8,
        uniform_share=0.1,
        max_over_mean=math.inf,
    ),
    # NVlabs/GR00T-WholeBodyControl, gear_sonic, mdp/commands.py: 50 frames at 50 Hz, failures / episodes from 1 / 1,
    # 0.9 and 0.1, cap 200, divided by the bins of a motion, starts up to 200 frames before a failure. Its horizon and
    # the share of rewinds are ours: the source counts without end and couples the rewind to the drawn bin.
    "sonic": SamplerSettings(
        score="failure_share",
        horizon=1000.0,
        prior_share=0.01,
        prior_score=1.0,
        reference_score=0.0,
        uniform_share=0.1,
        max_over_mean=200.0,
        length_neutral=True,
        rewind_probability=0.5,
        rewind_range=(0.0, 4.0),
    ),
    # wbc-mjlab: bins of 4 s, rests under 0.5 s joined, EMA of 1 - similarity with 0.005 (200 steps), softmax, 0.15.
    "wbc": SamplerSettings(
        score="similarity",
        bin_duration=4.0,
        min_bin_duration=0.5,
        horizon=4.0,
        reference_score=0.0,
        softmax=True,
        uniform_share=0.15,
        max_over_mean=math.inf,
    ),
    # Axellwppr/motion_tracking: no bins; 80 % of the failed episodes go back by 25 to 75 steps at 50 Hz.
    "axell": SamplerSettings(uniform_share=1.0, rewind_probability=0.8, rewind_range=(0.5, 1.5)),
}
"""Constants by name. Each follows the system in its bins, score, mixing and rewind; what those systems get wrong is not
followed: counts instead of rates, failures overwritten by others of the same step, a logarithm of one bin."""


def sampler_settings(preset: str = "default", **changes: Any) -> SamplerSettings:
    """Return a preset with some constants changed.

    Args:
        preset: A name in :data:`PRESETS`.
        changes: Fields of :class:`SamplerSettings`; None leaves a field as the preset has it.

    Raises:
        ValueError: If there is no such preset or field, or a value makes no sense.
    """
    if preset not in PRESETS:
        raise ValueError(f"sampler: preset '{preset}' is unknown; choose from {', '.join(PRESETS)}")
    known = {field.name for field in fields(SamplerSettings)}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise ValueError(f"sampler: {', '.join(unknown)} unknown; choose from {', '.join(sorted(known))}")
    return replace(PRESETS[preset], **{name: value for name, value in changes.items() if value is not None})
