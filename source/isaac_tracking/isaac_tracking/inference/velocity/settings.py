# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is done to the robot and the ground during an examination: from the play task's config to the examination's."""

from __future__ import annotations

import copy
from typing import Any

import torch
from isaaclab.managers import TerminationTermCfg as DoneTerm

SETTINGS: dict[str, str] = {
    "clean": "The play task: starts in the middle of its place, at rest in the default pose, no noise, nothing random,"
    " no pushes.",
    "noisy": "Clean, with the training task's noise on the observations, and its spread of place, speed and joint"
    " angles at the start.",
    "randomized": "Noisy, with what the training task varies between robots, e.g. friction, mass and centre of mass.",
    "pushed": "Randomized, with the training task's pushes.",
}
"""What is done to the robot during an examination, by name; each includes those before it."""

LEFT_TILE = "left_tile"
"""Termination of an examination: the robot walked off the piece of ground that it was put on."""

_FOREVER = (1.0e9, 1.0e9)


def apply_setting(play_cfg: Any, train_cfg: Any, setting: str, seed: int) -> None:
    """Make of a play task's config that of an examination.

    Args:
        play_cfg: Config of the play task; changed in place.
        train_cfg: Config of the training task.
        setting: One of :data:`SETTINGS`.
        seed: Seed of the ground.
    """
    level = list(SETTINGS).index(setting)
    play_cfg.observations.policy.enable_corruption = level >= 1 and train_cfg.observations.policy.enable_corruption
    for name, term in vars(train_cfg.events).items():
        mode = getattr(term, "mode", None)
        if mode == "reset":
            setattr(play_cfg.events, name, term if level >= 1 else at_rest(term))
        elif mode is not None and level >= (3 if mode == "interval" else 2):
            setattr(play_cfg.events, name, term)
    hold_commands(play_cfg)
    if has_terrain(train_cfg):
        play_cfg.scene.terrain.terrain_generator = every_terrain(train_cfg.scene.terrain.terrain_generator, seed)
        play_cfg.scene.terrain.max_init_terrain_level = None
        play_cfg.terminations.left_tile = DoneTerm(func=left_tile, time_out=True)


def has_terrain(cfg: Any) -> bool:
    """Whether the ground of a task's config is made of pieces of several kinds and levels."""
    return getattr(getattr(cfg.scene, "terrain", None), "terrain_type", None) == "generator"


def at_rest(term: Any) -> Any:
    """Return an event of a reset without its spread, so that the robot starts in the middle and at rest."""
    term = copy.deepcopy(term)
    # Isaac Lab has two resets of joints: by a factor, of which 1 changes nothing, and by a sum.
    neutral = 1.0 if "scale" in getattr(term.func, "__name__", str(term.func)) else 0.0
    for name, value in term.params.items():
        if name in ("pose_range", "velocity_range") and isinstance(value, dict):
            term.params[name] = {}
        elif name == "position_range":
            term.params[name] = (neutral, neutral)
        elif name in ("velocity_range", "force_range", "torque_range"):
            term.params[name] = (0.0, 0.0)
    return term


def every_terrain(generator: Any, seed: int) -> Any:
    """Return a generator of one column for each kind of ground, with as many levels as the given one.

    Args:
        generator: Isaac Lab's ``TerrainGeneratorCfg`` of the training task.
        seed: Seed of the ground.
    """
    generator = copy.deepcopy(generator)
    generator.curriculum, generator.seed = True, seed
    kinds = {name: kind for name, kind in generator.sub_terrains.items() if kind.proportion > 0.0}
    for kind in kinds.values():
        kind.proportion = 1.0
    generator.sub_terrains, generator.num_cols = kinds, len(kinds)
    return generator


def left_tile(env: Any) -> torch.Tensor:
    """Return which robots are off the piece of ground that they were put on, shape (num_envs,)."""
    terrain = env.scene.terrain
    size = torch.tensor(terrain.cfg.terrain_generator.size, device=env.device)
    away = env.scene["robot"].data.root_pos_w.torch[:, :2] - terrain.env_origins[:, :2]
    return (away.abs() > size / 2).any(dim=-1)


def hold_commands(cfg: Any) -> None:
    """Let a command hold for a whole episode; which one, whoever runs the task says."""
    command = cfg.commands.base_velocity
    command.heading_command, command.ranges.heading = False, None
    command.rel_standing_envs = command.rel_heading_envs = 0.0
    command.resampling_time_range = _FOREVER
    command.debug_vis = False
    for name in vars(cfg.curriculum):
        setattr(cfg.curriculum, name, None)
