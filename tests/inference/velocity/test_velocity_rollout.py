# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is said of an episode of walking, and which poses a film gets, in a simulation made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from isaac_tracking.inference.velocity.rollout import WalkRecorder, play_walks

COMMAND = torch.tensor([[1.0, 0.0, 0.5], [0.0, -0.5, 0.0]])


class Warp:
    """What Isaac Lab's buffers are: they have a tensor."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.torch = tensor


class Terminations:
    """The first environment's time is out after four steps; the second one falls after two."""

    active_terms = ("non_finite", "time_out", "base_contact")

    def __init__(self) -> None:
        self.ended = torch.zeros(3, 2, dtype=torch.bool)

    def get_term(self, name: str) -> torch.Tensor:
        return self.ended[self.active_terms.index(name)]

    def get_term_cfg(self, name: str) -> Any:
        return SimpleNamespace(time_out=name == "time_out")


class Walk:
    """Two robots that move at 0.6 m/s forward and turn at 0.25 rad/s, wrapped for rsl_rl."""

    num_envs, step_dt, device = 2, 0.02, "cpu"

    def __init__(self) -> None:
        robot = SimpleNamespace(spawn=SimpleNamespace(model=("unitree_go1", "go1.xml")))
        robot.init_state = SimpleNamespace(pos=(0.0, 0.0, 0.3))
        terrain = SimpleNamespace(terrain_type="plane")
        self.cfg = SimpleNamespace(scene=SimpleNamespace(robot=robot, terrain=terrain))
        forward = torch.tensor([[0.6, 0.0, 0.0]] * 2)
        self.pose = torch.zeros(2, 1, 7)
        data = SimpleNamespace(
            root_lin_vel_b=Warp(forward), root_ang_vel_b=Warp(torch.tensor([[0.0, 0.0, 0.25]] * 2)),
            root_lin_vel_w=Warp(forward), body_link_pose_w=Warp(self.pose),
        )  # fmt: skip
        self.scene = {"robot": SimpleNamespace(data=data, body_names=["trunk"])}
        self.command_manager = SimpleNamespace(get_command=lambda name: {"base_velocity": COMMAND}[name])
        self.termination_manager = Terminations()
        self.episode_length_buf = torch.zeros(2, dtype=torch.long)

    @property
    def unwrapped(self) -> Walk:
        return self

    def reset(self) -> tuple[torch.Tensor, dict]:
        self.episode_length_buf[:] = 0
        return torch.zeros(2, 1), {}

    def step(self, action: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, dict]:
        self.episode_length_buf += 1
        self.pose[..., 0] += 0.6 * self.step_dt
        manager = self.termination_manager
        manager.ended[:] = False
        manager.ended[1] = self.episode_length_buf >= 4
        manager.ended[2, 1] = self.episode_length_buf[1] >= 2
        done = manager.ended.any(dim=0)
        self.episode_length_buf[done] = 0
        self.pose[done] = 0.0
        return torch.zeros(2, 1), torch.tensor([0.5, -1.0]), done, {}


class Policy:
    def __call__(self, obs: torch.Tensor) -> torch.Tensor:
        return obs

    def reset(self, done: torch.Tensor) -> None:
        assert done.shape == (2,)


def test_episodes_have_errors_of_the_command_and_the_way_walked():
    first, second = sorted(play_walks(Walk(), Policy(), 1), key=lambda episode: episode.env)
    assert (first.steps, first.outcome, first.fell) == (4, "time_out", False)
    assert first.mean_reward == pytest.approx(0.5)
    assert first.errors == pytest.approx((0.4, 0.0, 0.25))
    assert first.distance == pytest.approx(4 * 0.6 * 0.02)
    assert (second.steps, second.outcome, second.fell) == (2, "base_contact", True)
    assert second.errors == pytest.approx((0.6, 0.5, 0.25)) and second.mean_reward == pytest.approx(-1.0)


def test_every_environment_counts_the_same_number_of_episodes():
    played = [episode.env for episode in play_walks(Walk(), Policy(), 3)]
    assert sorted(played) == [0, 0, 0, 1, 1, 1] and played[0] == 1  # the one that falls is first


def test_a_film_has_the_first_episodes_where_they_were_and_the_command():
    env = Walk()
    recorder = WalkRecorder(cast(Any, env), 100)
    list(play_walks(env, Policy(), 1, recorder))
    strip = recorder.film_strip()
    assert len(strip) == 4 + 2 and strip.reference is None and strip.ground is None
    assert strip.robot[:, 0, 0] == pytest.approx(np.array([0.0, 1.0, 2.0, 3.0, 0.0, 1.0]) * 0.012)
    assert strip.model == ("unitree_go1", "go1.xml") and strip.rate == pytest.approx(50.0)
    assert strip.captions[3] == (
        "0.1 s\ncommand  x +1.00  y +0.00 m/s  turn +0.50 rad/s\nrobot  x +0.60  y +0.00 m/s  turn +0.25 rad/s"
    )
    assert strip.captions[4].startswith("0.0 s\ncommand  x +0.00  y -0.50 m/s")
    assert strip.camera.distance == pytest.approx(1.8)


def test_recording_stops_when_there_is_enough():
    env = Walk()
    recorder = WalkRecorder(cast(Any, env), 3, num_envs=1)
    for _ in range(6):
        recorder.record()
        env.step(torch.zeros(2, 1))
    assert len(recorder.film_strip(first_episodes=False)) == 3
