# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From episodes to what is said of a policy: means per clip and over all, with confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .metrics import GROUPS, METRICS, JointLimits, error_curves, measure, measure_groups
from .recording import Recording
from .summary import DEFINITIONS as INTERVALS
from .summary import mean, summarize_metrics

FORMAT = "isaac_tracking.evaluation"
"""Format name of ``metrics.json``."""
FORMAT_VERSION = 1
"""Version of its layout."""

DEFINITIONS: dict[str, str] = {
    "mean": "Mean over the episodes in which the metric is defined; each episode counts alike, whatever its length.",
    "all": "Over all episodes; of one that failed, the instants up to and including the one that ended it.",
    "successes": "Over the episodes with success_terminations.",
    "groups": "Position errors over the bodies of a group; the alignment is that of all tracked bodies.",
    **INTERVALS,
}
"""How numbers over several episodes come about."""


@dataclass(frozen=True)
class EpisodeResult:
    """What is kept of an episode."""

    clip: str
    repeat: int
    steps: int
    outcome: str
    metrics: Mapping[str, float | None]
    groups: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, torch.Tensor]
    """Mean distances of the bodies over time [mm], by metric."""

    @classmethod
    def of(cls, recording: Recording, repeat: int, limits: JointLimits) -> EpisodeResult:
        """Measure an episode."""
        metrics, groups = measure(recording, limits), measure_groups(recording)
        curves = error_curves(recording)
        return cls(recording.clip, repeat, recording.steps, recording.outcome, metrics, groups, curves)

    @property
    def completed(self) -> bool:
        """Whether the clip was followed to its end."""
        return self.metrics["success_terminations"] == 1.0


@dataclass(frozen=True)
class ClipFacts:
    """What is said of a clip beside its numbers."""

    name: str
    content_hash: str
    duration: float
    """Length [s]."""
    steps: int
    """Control steps from start to end."""


def summarize(episodes: Sequence[EpisodeResult]) -> dict[str, Any]:
    """Return mean, interval and number of episodes of every metric, and the means of the body groups."""
    groups = {
        group: {key: mean([e.groups[group][key] for e in episodes]) for key in episodes[0].groups[group]}
        for group in (GROUPS if episodes else ())
        if group in episodes[0].groups
    }
    return {"episodes": len(episodes), "metrics": summarize_metrics(episodes, METRICS), "groups": groups}


def make_report(episodes: Sequence[EpisodeResult], clips: Sequence[ClipFacts], about: Mapping[str, Any]) -> dict:
    """Return the content of ``metrics.json``; the clips hardest first, and no films.

    ``film`` is the combined film and ``film`` of each of a clip's episodes is its own, relative to the file; ``None``
    stands for no film.

    Args:
        episodes: All episodes, in any order.
        clips: The clips.
        about: What was examined and how, in JSON's types.
    """
    by_clip = {clip.name: sorted((e for e in episodes if e.clip == clip.name), key=_by_repeat) for clip in clips}
    rows = [_clip_row(clip, by_clip[clip.name]) for clip in clips]
    ordered = [episode for clip in clips for episode in by_clip[clip.name]]
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        **about,
        "film": None,
        "definitions": {
            **DEFINITIONS,
            **{name: metric.words() for name, metric in METRICS.items()},
        },
        "all": summarize(ordered),
        "successes": summarize([episode for episode in ordered if episode.completed]),
        "clips": sorted(rows, key=difficulty, reverse=True),
    }


def difficulty(row: Mapping[str, Any]) -> tuple:
    """Return what orders clips by difficulty: failures, then progress, then the local error."""
    return hardness({name: value["mean"] for name, value in row["metrics"].items()}, row["name"])


def hardness(metrics: Mapping[str, float | None], name: str) -> tuple:
    """Return the same for metrics of one episode, or means of several, and the clip's name; the hardest is largest."""
    shares = (metrics[share] or 0.0 for share in ("success_terminations", "success_phc", "progress"))
    return *(-share for share in shares), metrics["mpjpe_local"], name


def _clip_row(clip: ClipFacts, episodes: Sequence[EpisodeResult]) -> dict[str, Any]:
    outcomes = [episode.outcome for episode in episodes]
    return {
        "name": clip.name,
        "content_hash": clip.content_hash,
        "duration": clip.duration,
        "steps": clip.steps,
        "outcomes": {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        **summarize(episodes),
        "each": [
            {
                "repeat": e.repeat,
                "steps": e.steps,
                "outcome": e.outcome,
                "film": None,
                "metrics": e.metrics,
                "groups": e.groups,
            }
            for e in episodes
        ],
    }


def _by_repeat(episode: EpisodeResult) -> int:
    return episode.repeat
