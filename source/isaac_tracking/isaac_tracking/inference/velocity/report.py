# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From episodes to what is said of a policy that follows velocities: all, by direction, by ground, by command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..summary import DEFINITIONS as INTERVALS
from ..summary import mean, summarize_metrics
from .commands import DIRECTION_DEFINITION, DIRECTIONS, GRID_DEFINITION, Command
from .metrics import METRICS, measure
from .recording import VelocityRecording

FORMAT = "isaac_tracking.velocity_evaluation"
"""Format name of ``metrics.json``."""
FORMAT_VERSION = 1
"""Version of its layout."""

PASSING = 0.5
"""Share of a level's episodes that must pass for the level to count as reached [-]."""

DEFINITIONS: dict[str, str] = {
    "mean": "Mean over the episodes in which the metric is defined; each episode counts alike, whatever its length. Of"
    " an episode that ended early, the instants up to and including the one that ended it; the start from rest counts.",
    "commands": f"{GRID_DEFINITION} One command holds for a whole episode.",
    "direction": DIRECTION_DEFINITION,
    "terrains": "Every kind of ground of the training task at each of its levels of difficulty, one piece of each; an"
    " episode starts in the middle of one and ends when the robot walks off it.",
    "level_reached": "Number of levels, from the easiest on without a gap, of which at least half of the episodes with"
    " metric 'passed' passed; over all, the mean over the kinds of ground.",
    **INTERVALS,
}
"""How numbers over several episodes come about."""


@dataclass(frozen=True)
class VelocityEpisode:
    """What is kept of an episode."""

    command: Command
    repeat: int
    terrain: str | None
    level: int | None
    steps: int
    outcome: str
    metrics: Mapping[str, float | None]
    velocities: torch.Tensor
    """Velocity of the base over time: x and y [m/s], yaw rate [rad/s], shape (T, 3)."""

    @classmethod
    def of(cls, recording: VelocityRecording, repeat: int) -> VelocityEpisode:
        """Measure an episode."""
        velocities = torch.cat((recording.lin_vel_b[:, :2], recording.ang_vel_b[:, 2:]), dim=-1)
        return cls(
            recording.command, repeat, recording.terrain, recording.level, recording.steps, recording.outcome,
            measure(recording), velocities,
        )  # fmt: skip


def make_report(episodes: Sequence[VelocityEpisode], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of ``metrics.json``; the commands hardest first, and no films.

    ``film`` is the combined film and ``film`` of each of a command's episodes is its own, relative to the file;
    ``None`` stands for no film.

    Args:
        episodes: All episodes, at least one, in any order.
        about: What was examined and how, in JSON's types.
    """
    # The order in which they ended says nothing, and may differ.
    ordered = sorted(episodes, key=lambda e: (e.command, e.terrain or "", e.level or 0, e.repeat))
    terrains = [
        _terrain_row(name, [e for e in ordered if e.terrain == name])
        for name in dict.fromkeys(e.terrain for e in ordered)
        if name is not None
    ]
    directions = {name: [e for e in ordered if e.command.direction == name] for name in DIRECTIONS}
    commands = [_command_row(command, ordered) for command in dict.fromkeys(e.command for e in ordered)]
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        **about,
        "film": None,
        "definitions": {**DEFINITIONS, **{name: metric.words() for name, metric in METRICS.items()}},
        "level_reached": mean([row["level_reached"] for row in terrains]) if terrains else None,
        "all": _summary(ordered),
        "directions": [{"name": name, **_summary(part)} for name, part in directions.items() if part],
        "terrains": terrains,
        "commands": sorted(commands, key=_difficulty, reverse=True),
    }


def level_reached(passed: Sequence[float | None]) -> int:
    """Return how many levels were reached, from the share of passing episodes of each level, the easiest first.

    A level of which nothing is known ends the count.
    """
    count = 0
    for share in passed:
        if share is None or share < PASSING:
            break
        count += 1
    return count


def _terrain_row(name: str, episodes: Sequence[VelocityEpisode]) -> dict[str, Any]:
    by_level: dict[int, list[VelocityEpisode]] = {}
    for episode in episodes:
        by_level.setdefault(episode.level or 0, []).append(episode)
    levels = [{"level": level, **_summary(by_level[level])} for level in sorted(by_level)]
    reached = level_reached([row["metrics"]["passed"]["mean"] for row in levels])
    return {"name": name, "level_reached": reached, **_summary(episodes), "levels": levels}


def _command_row(command: Command, episodes: Sequence[VelocityEpisode]) -> dict[str, Any]:
    own = [episode for episode in episodes if episode.command == command]
    return {
        "name": str(command),
        "command": command._asdict(),
        "direction": command.direction,
        **_summary(own),
        "each": [
            {
                "repeat": e.repeat,
                "terrain": e.terrain,
                "level": e.level,
                "steps": e.steps,
                "outcome": e.outcome,
                "film": None,
                "metrics": e.metrics,
            }
            for e in own
        ],
    }


def _summary(episodes: Sequence[VelocityEpisode]) -> dict[str, Any]:
    outcomes = [episode.outcome for episode in episodes]
    return {
        "episodes": len(episodes),
        "outcomes": {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        "metrics": summarize_metrics(episodes, METRICS),
    }


def _difficulty(row: Mapping[str, Any]) -> tuple:
    """Return what orders commands by difficulty: falls, then the two kernels."""
    means = {name: value["mean"] for name, value in row["metrics"].items()}
    return means["fall"], -means["linear_tracking"] - means["yaw_tracking"], row["name"]
