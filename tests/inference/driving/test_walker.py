# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The Go1 of the flat task is driven: one robot, its commands from outside, its time without end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isaac_tracking.inference.driving.walker import Walker, drivable
from isaac_tracking.inference.velocity.commands import Command, CommandRange
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.robots import go1

TASK = "Isaac-Velocity-Flat-Unitree-Go1-Play-v0"


class Still:
    """A policy that wants the default pose, and remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[torch.Tensor] = []

    def __call__(self, obs) -> torch.Tensor:
        self.seen.append(obs["policy"][0].clone())
        return torch.zeros(1, 12)

    def reset(self, done: torch.Tensor) -> None:
        assert done.shape == (1,)


def test_limits_are_the_trained_ranges_and_resets_draw_rest():
    import isaac_tracking.tasks  # noqa: F401

    cfg, _ = resolve_config(TASK, ["env.commands.base_velocity.ranges.lin_vel_x=[0.2,0.8]"])
    assert drivable(cfg) == CommandRange((0.2, 0.8), (-1.0, 1.0), (-1.0, 1.0))
    ranges = cfg.commands.base_velocity.ranges
    assert ranges.lin_vel_x == (0.2, 0.2) and ranges.lin_vel_y == ranges.ang_vel_z == (0.0, 0.0)
    assert cfg.scene.num_envs == 1 and cfg.episode_length_s > 1e8


@pytest.mark.slow
def test_a_walker_obeys_falls_and_starts_again():
    import gymnasium as gym
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

    import isaac_tracking.tasks  # noqa: F401

    cfg, _ = resolve_config(TASK, [])
    drivable(cfg)
    cfg.seed, cfg.sim.device = 0, "cpu"
    env = RslRlVecEnvWrapper(gym.make(TASK, cfg=cfg))
    policy = Still()
    walker = Walker(env, policy)
    assert walker.rate == pytest.approx(50.0) and walker.body_names == go1.BODY_NAMES and walker.ground is None
    command = slice(9, 12)
    moment = walker.restart()
    assert moment.pose.shape == (13, 7) and moment.outcome == "" and not moment.fell
    for _ in range(3):
        moment = walker.step(Command(0.7, -0.2, 0.3))
    assert policy.seen[0][command].tolist() == [0.0, 0.0, 0.0]
    assert policy.seen[1][command].tolist() == pytest.approx([0.7, -0.2, 0.3])
    assert np.linalg.norm(moment.pose[:, 3:], axis=-1) == pytest.approx(np.ones(13), abs=1e-4)
    # On its back it touches the ground with its trunk.
    robot = env.unwrapped.scene["robot"]
    robot.write_root_link_pose_to_sim_index(root_pose=torch.tensor([[0.0, 0.0, 0.15, 1.0, 0.0, 0.0, 0.0]]))
    for _ in range(50):
        moment = walker.step(Command(0.7, 0.0, 0.0))
        if moment.outcome:
            break
    assert moment.outcome == "base_contact" and moment.fell
    assert moment.pose[0, 2] == pytest.approx(go1.DEFAULT_ROOT_HEIGHT, abs=0.05)
    # What it sees first after that is rest, and nothing that a reset drew.
    walker.step(Command(0.0, 0.0, 0.0))
    assert policy.seen[-1][command].tolist() == [0.0, 0.0, 0.0]
    env.close()
