# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Rewards, terminations and curricula against numbers computed by hand, with a robot of a few numbers."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from isaaclab.managers import CurriculumTermCfg
from isaaclab.utils import configclass

from isaac_tracking.tasks.velocity import mdp
from isaac_tracking.tasks.velocity.mdp.curriculums import narrowed

NUM = 4


class Array:
    """Isaac Lab hands out its arrays with their tensor inside."""

    def __init__(self, *rows: Any) -> None:
        self.torch = torch.tensor(rows, dtype=torch.float)


@configclass
class Ranges:
    lin_vel_x: tuple[float, float] = (-1.0, 1.0)
    lin_vel_y: tuple[float, float] = (-0.5, 0.5)
    ang_vel_z: tuple[float, float] = (0.0, 2.0)


@configclass
class Command:
    ranges: Ranges = Ranges()


class Env(SimpleNamespace):
    """What the terms look at."""

    def __init__(self, **data: Any) -> None:
        robot = SimpleNamespace(data=SimpleNamespace(**data))
        self.term = SimpleNamespace(cfg=Command())
        self.command = torch.zeros(NUM, 3)
        super().__init__(
            num_envs=NUM,
            device="cpu",
            max_episode_length_s=20.0,
            episode_length_buf=torch.full((NUM,), 1000),
            scene={"robot": robot},
            command_manager=SimpleNamespace(get_term=lambda _: self.term, get_command=lambda _: self.command),
            reward_manager=SimpleNamespace(
                get_term_cfg=lambda _: SimpleNamespace(weight=1.5), _episode_sums={"track": torch.zeros(NUM)}
            ),
        )


"""
Rewards and terminations.
"""


def test_following_is_rewarded_by_the_square_of_the_error():
    env = Env(root_lin_vel_b=Array([0.5, 0.0, 9.0], [0.0, 0.0, 0.0], [1.0, 0.5, 0.0], [math.nan, 0.0, 0.0]))
    env.command[:] = torch.tensor([1.0, 0.0, 0.0])
    # Errors of 0.5, 1 and 0.5 m/s over 0.5 m/s; and nothing for a state that is not finite.
    expected = [math.exp(-1.0), math.exp(-4.0), math.exp(-1.0), 0.0]
    reward = mdp.track_lin_vel_xy_exp(env, std=0.5, command_name="base_velocity")
    assert reward.tolist() == pytest.approx(expected)


def test_turning_is_rewarded_likewise():
    env = Env(root_ang_vel_b=Array([0, 0, 1.0], [0, 0, 0.5], [9.0, 9.0, 0.0], [0, 0, math.inf]))
    env.command[:, 2] = 1.0
    reward = mdp.track_ang_vel_z_exp(env, std=0.5, command_name="base_velocity")
    assert reward.tolist() == pytest.approx([1.0, math.exp(-1.0), math.exp(-4.0), 0.0])


def test_penalties_are_squares_and_finite():
    speeds = Array([0.1, 0.2, 0.3], [0.0, 0.0, 0.0], [0.0, 0.0, -2.0], [0.0, 0.0, math.inf])
    env = Env(root_lin_vel_b=speeds, root_ang_vel_b=speeds)
    assert mdp.lin_vel_z_l2(env).tolist() == pytest.approx([0.09, 0.0, 4.0, 0.0])
    assert mdp.ang_vel_xy_l2(env).tolist() == pytest.approx([0.05, 0.0, 0.0, 0.0])


def test_terms_are_found_under_their_own_names():
    # Isaac Lab writes a term of a config as text and finds it again by that.
    for name in ("track_lin_vel_xy_exp", "feet_air_time", "feet_slide", "joint_torques_l2", "undesired_contacts"):
        term = getattr(mdp, name)
        assert (term.__module__, term.__name__) == ("isaac_tracking.tasks.velocity.mdp.rewards", name)


def test_a_state_that_is_not_finite_ends_the_episode():
    good = [[0.0] * 7, [1.0e6] * 7, [0.0] * 7, [0.0] * 7]
    env = Env(
        root_link_pose_w=Array(*good[:2], [0.0, math.nan] + [0.0] * 5, good[3]),
        root_com_vel_w=Array(*([0.0] * 6,) * NUM),
        joint_pos=Array(*([0.0] * 2,) * NUM),
        joint_vel=Array([0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [-math.inf, 0.0]),
    )
    assert mdp.non_finite(env).tolist() == [False, False, True, True]


"""
The commanded ranges.
"""

PARAMS = {
    "command_name": "base_velocity", "reward_name": "track", "start": 0.5, "step": 0.2, "threshold": 0.6,
    "episodes": 1.0,
}  # fmt: skip


def make(env: Env) -> Any:
    return mdp.command_ranges(CurriculumTermCfg(func=mdp.command_ranges, params=PARAMS), env)


def ended(env: Env, term: Any, *shares: float) -> float:
    """Let the first environments end episodes in which they got those shares of the most, 1.5 a second for 20 s."""
    env.reward_manager._episode_sums["track"][: len(shares)] = 30.0 * torch.tensor(shares)
    return term(env, torch.arange(len(shares)), **PARAMS)


@pytest.mark.parametrize(
    ("low", "high", "share", "expected"),
    [(-1.0, 1.0, 0.5, (-0.5, 0.5)), (0.0, 2.0, 0.5, (0.0, 1.0)), (0.5, 1.5, 0.5, (0.5, 1.0)), (-1, 3, 1.0, (-1, 3))],
)
def test_a_range_is_drawn_together_about_what_is_nearest_to_rest(low, high, share, expected):
    assert narrowed(low, high, share) == pytest.approx(expected)


def test_commands_begin_with_a_part_and_the_config_keeps_the_whole():
    env = Env()
    config = env.term.cfg
    make(env)
    assert env.term.cfg.ranges.to_dict() == {
        "lin_vel_x": (-0.5, 0.5), "lin_vel_y": (-0.25, 0.25), "ang_vel_z": (0.0, 1.0)
    }  # fmt: skip
    assert config.ranges.lin_vel_x == (-1.0, 1.0)


def test_ranges_grow_after_as_many_good_episodes_as_there_are_environments():
    env = Env()
    term = make(env)
    assert ended(env, term, 0.9, 0.9) == 0.5  # two of four
    assert ended(env, term, 0.5, 0.2) == pytest.approx(0.7)  # a mean of 0.625 of four
    assert env.term.cfg.ranges.lin_vel_x == pytest.approx((-0.7, 0.7))
    assert ended(env, term, 0.6, 0.6, 0.5, 0.6) == pytest.approx(0.7)  # 0.575
    assert ended(env, term, 0.7, 0.7, 0.7, 0.7) == pytest.approx(0.9)  # what was before is forgotten
    assert ended(env, term, 0.7, 0.7, 0.7, 0.7) == 1.0
    assert env.term.cfg.ranges.to_dict() == Ranges().to_dict()
    assert ended(env, term, 0.0, 0.0, 0.0, 0.0) == 1.0


def test_the_first_reset_is_no_episode():
    env = Env()
    term = make(env)
    env.episode_length_buf[:] = 0
    assert ended(env, term, 0.9, 0.9, 0.9, 0.9) == 0.5
    env.episode_length_buf[:] = 1000
    assert ended(env, term, 0.9, 0.9, 0.9) == 0.5 and ended(env, term, 0.9) == pytest.approx(0.7)


def judged(env: Env, term: Any, shares: list[float]) -> torch.Tensor:
    """As :func:`ended`, by a mask; returns the part on the device."""
    env.reward_manager._episode_sums["track"][: len(shares)] = 30.0 * torch.tensor(shares)
    term.judge_where(torch.arange(4) < len(shares))
    return term._lent[0]


def test_a_step_by_masks_decides_alike_and_gives_back():
    env, other = Env(), Env()
    by_ids, by_mask = make(env), make(other)
    ended(env, by_ids, 0.9)
    ended(other, by_mask, 0.9)
    lent = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.int64)
    by_mask.lend(*lent)
    for shares in ([0.9, 0.9], [0.9], [0.6, 0.6, 0.5, 0.6], [], [0.7] * 4, [0.0]):
        expected = ended(env, by_ids, *shares)
        assert judged(other, by_mask, shares).item() == expected == by_mask.share
    assert by_mask.share == pytest.approx(0.9)
    assert other.term.cfg.ranges.lin_vel_x == pytest.approx((-0.5, 0.5))  # the host knows nothing of it
    by_mask.lend(*lent)
    assert ended(other, by_mask, 0.7, 0.7) == pytest.approx(0.9)  # three of four: one was counted before
    assert other.term.cfg.ranges.lin_vel_x == pytest.approx((-0.9, 0.9))
    assert ended(other, by_mask, 2.0) == 1.0
    by_mask.lend(*lent)
    assert judged(other, by_mask, [0.0] * 4).item() == 1.0 and not lent[1]


def test_a_run_that_goes_on_commands_as_much():
    env, later = Env(), Env()
    term, restored = make(env), make(later)
    ended(env, term, 0.9, 0.9, 0.9, 0.9)
    restored.load_state_dict(term.state_dict())
    assert restored.share == term.share == pytest.approx(0.7)
    assert later.term.cfg.ranges.lin_vel_x == pytest.approx((-0.7, 0.7))


"""
The levels of the ground.
"""


class Levels:
    """An environment with so many robots on four levels."""

    def __init__(self, *levels: int) -> None:
        self.num_envs, self.device = len(levels), "cpu"
        terrain = SimpleNamespace(terrain_levels=torch.tensor(levels), max_terrain_level=4)
        self.scene = SimpleNamespace(terrain=terrain)

    def term(self) -> Any:
        return mdp.terrain_levels(CurriculumTermCfg(func=mdp.terrain_levels), self)


def test_a_run_that_goes_on_has_the_same_levels():
    saved = Levels(3, 1, 2).term().state_dict()
    same, more, fewer = Levels(0, 0, 0), Levels(*[0] * 30), Levels(0, 0)
    for env in (same, more, fewer):
        env.term().load_state_dict(saved)
    assert same.scene.terrain.terrain_levels.tolist() == [3, 1, 2]
    assert set(more.scene.terrain.terrain_levels.tolist()) == {1, 2, 3}
    assert set(fewer.scene.terrain.terrain_levels.tolist()) <= {1, 2, 3}
    # On ground with fewer levels, the hardest there is.
    same.term().load_state_dict({"levels": torch.tensor([9, 0, 4])})
    assert same.scene.terrain.terrain_levels.tolist() == [3, 0, 3]
