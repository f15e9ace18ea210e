# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What an examination takes from the training task, and which ground it makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from isaaclab.envs import mdp
from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.terrains.config.rough import ROUGH_TERRAINS_CFG

from isaac_tracking.inference.velocity.settings import SETTINGS, apply_setting, at_rest, every_terrain


def test_a_start_at_rest_has_no_spread():
    pose = {"x": (-0.5, 0.5), "yaw": (-3.14, 3.14)}
    func: Any = mdp.reset_root_state_uniform
    start = EventTerm(func=func, mode="reset", params={"pose_range": pose, "velocity_range": dict(pose)})
    assert at_rest(start).params == {"pose_range": {}, "velocity_range": {}}
    # The training task's own is left alone.
    assert start.params["pose_range"] == pose


@pytest.mark.parametrize(("func", "neutral"), [(mdp.reset_joints_by_scale, 1.0), (mdp.reset_joints_by_offset, 0.0)])
def test_joints_start_in_the_default_pose(func, neutral):
    term = EventTerm(func=func, mode="reset", params={"position_range": (0.5, 1.5), "velocity_range": (-1.0, 1.0)})
    assert at_rest(term).params == {"position_range": (neutral, neutral), "velocity_range": (0.0, 0.0)}


def test_every_kind_of_ground_has_one_column():
    """Isaac Lab's rule by which columns become kinds, from TerrainGenerator, gives each kind its own."""
    made = every_terrain(ROUGH_TERRAINS_CFG, 7)
    assert made.curriculum and made.seed == 7 and made.num_rows == 10 and made.num_cols == 6
    assert list(made.sub_terrains) == list(ROUGH_TERRAINS_CFG.sub_terrains)
    shares = np.array([kind.proportion for kind in made.sub_terrains.values()])
    ends = np.cumsum(shares / shares.sum())
    kinds = [int(np.min(np.where(column / made.num_cols + 0.001 < ends)[0])) for column in range(made.num_cols)]
    assert kinds == list(range(6))
    assert ROUGH_TERRAINS_CFG.num_cols == 20


def test_ground_that_is_never_made_is_not_examined():
    generator = every_terrain(ROUGH_TERRAINS_CFG, 0)
    generator.sub_terrains["boxes"].proportion = 0.0
    assert "boxes" not in every_terrain(generator, 0).sub_terrains and every_terrain(generator, 0).num_cols == 5


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_takes_from_the_training_task_what_it_says(setting):
    from isaac_tracking.tasks.velocity.config.go1 import go1_velocity_env_cfg as go1

    play_cfg, train_cfg = go1.Go1VelocityRoughPlayEnvCfg(), go1.Go1VelocityRoughEnvCfg()
    apply_setting(play_cfg, train_cfg, setting, 3)
    noisy, varied, pushed = (list(SETTINGS).index(setting) >= level for level in (1, 2, 3))
    assert play_cfg.observations.policy.enable_corruption is noisy
    assert bool(play_cfg.events.reset_base.params["pose_range"]) is noisy
    for name in ("physics_material", "base_mass", "base_com"):
        assert (getattr(play_cfg.events, name) is not None) is varied
    assert (play_cfg.events.push_robot is not None) is pushed
    assert not play_cfg.commands.base_velocity.heading_command
    assert play_cfg.commands.base_velocity.resampling_time_range[0] > play_cfg.episode_length_s
    ground: Any = play_cfg.scene.terrain.terrain_generator
    assert (ground.num_rows, ground.num_cols, ground.seed) == (10, 6, 3) and ground.curriculum
    # The Go1's own ground, which is lower than Isaac Lab's.
    assert ground.sub_terrains["boxes"].grid_height_range == (0.025, 0.1)
    assert play_cfg.terminations.left_tile.time_out
