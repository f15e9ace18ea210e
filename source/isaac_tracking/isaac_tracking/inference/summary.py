# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From numbers of episodes to means with confidence intervals, whatever the episodes are of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

CONFIDENCE = 0.95
"""Confidence of all intervals [-]."""

DEFINITIONS: dict[str, str] = {
    "interval of shares": "Wilson's score interval over the episodes, 95 %; it takes episodes for independent, which"
    " repeats are not where nothing is random.",
    "interval of means": "Student's t over the means of the repeats, 95 %; null with one repeat.",
}
"""How the intervals come about."""


@dataclass(frozen=True)
class MetricInfo:
    """One number that is said of an episode, in words."""

    name: str
    unit: str
    definition: str
    """How it is computed, in words."""
    source: str
    """Whose definition it is."""
    share: bool = field(default=False, kw_only=True)
    """Whether it is 0 or 1 for an episode, so that its mean is a share of episodes."""

    def words(self) -> dict[str, str]:
        """Return what ``metrics.json`` says of it."""
        return {"unit": self.unit, "definition": self.definition, "source": self.source}


class Measured(Protocol):
    """An episode that was measured."""

    @property
    def repeat(self) -> int:
        """How many times the same was examined before."""
        ...

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """Every metric by name; ``None`` where it is not defined."""
        ...


def wilson_interval(hits: float, count: int) -> tuple[float, float]:
    """Return Wilson's score interval of a share, 95 % (E. B. Wilson 1927).

    Args:
        hits: Number of hits.
        count: Number of trials, at least 1.
    """
    z, share = 1.959963984540054, hits / count
    center = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, center - half), min(1.0, center + half)


def student_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return Student's interval of a mean, 95 %; ``None`` for a single value."""
    if len(values) < 2:
        return None
    # Late, because it takes a second.
    from scipy.stats import t

    center = mean(values)
    spread = math.sqrt(math.fsum((value - center) ** 2 for value in values) / (len(values) - 1))
    half = float(t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1)) * spread / math.sqrt(len(values))
    return center - half, center + half


def summarize_metrics(episodes: Sequence[Measured], infos: Mapping[str, MetricInfo]) -> dict[str, Any]:
    """Return mean, interval and number of episodes of every metric, in JSON's types.

    Args:
        episodes: The episodes; there may be none.
        infos: The metrics by name.
    """
    repeats = sorted({episode.repeat for episode in episodes})
    metrics: dict[str, Any] = {}
    for name, info in infos.items():
        values = _known(episodes, name)
        interval: tuple[float, float] | None = None
        if values and info.share:
            interval = wilson_interval(math.fsum(values), len(values))
        elif values:
            per_repeat = [_known([e for e in episodes if e.repeat == repeat], name) for repeat in repeats]
            interval = student_interval([mean(part) for part in per_repeat if part])
        metrics[name] = {
            "mean": mean(values) if values else None,
            "interval": None if interval is None else list(interval),
            "episodes": len(values),
        }
    return metrics


def mean(values: Sequence[float]) -> float:
    """Return the mean of at least one value."""
    return math.fsum(values) / len(values)


def _known(episodes: Sequence[Measured], name: str) -> list[float]:
    return [value for episode in episodes if (value := episode.metrics[name]) is not None]
