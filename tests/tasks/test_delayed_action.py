# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The way of an action to the motors: delay, smoothing, start of an episode, and the curriculum of delays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from isaaclab.envs.mdp import JointPositionActionCfg
from isaaclab.envs.mdp.actions.joint_actions import JointPositionAction
from isaaclab.utils import class_to_dict

from isaac_tracking.tasks.tracking.mdp import DelayedJointPositionActionCfg
from isaac_tracking.tasks.tracking.mdp.delayed_action import DelayedJointPositionAction
from isaac_tracking.tasks.tracking.randomization_cfg import ACTION_PATH

DECIMATION = 4
JOINTS = ["hip", "knee"]


class FakeRobot:
    """Two joints that stand still, and the last targets they were given."""

    def __init__(self, num_envs: int, joint_pos: tuple[float, float]) -> None:
        self.num_joints = len(JOINTS)
        self.data = SimpleNamespace(
            default_joint_pos=SimpleNamespace(torch=torch.tensor([[0.5, -0.5]]).repeat(num_envs, 1)),
            joint_pos=SimpleNamespace(torch=torch.tensor([joint_pos]).repeat(num_envs, 1)),
        )
        self.targets: list[torch.Tensor] = []

    def find_joints(self, names: list[str], preserve_order: bool, as_proxy: bool) -> tuple[Any, list[str]]:
        return Ids(), list(JOINTS)

    def set_joint_position_target_index(self, target: torch.Tensor, joint_ids: Any) -> None:
        self.targets.append(target.clone())


class Ids:
    """Indices of all joints, as Isaac Lab hands them out."""

    torch = torch.arange(2)

    def __len__(self) -> int:
        return 2


def fake_env(num_envs: int = 1, joint_pos: tuple[float, float] = (0.0, 0.0), in_one_go: bool = False) -> Any:
    return SimpleNamespace(
        num_envs=num_envs,
        device="cpu",
        scene={"robot": FakeRobot(num_envs, joint_pos)},
        cfg=SimpleNamespace(decimation=DECIMATION),
        _physics_handles_decimation=in_one_go,
    )


def make(env: Any, **changes: Any) -> Any:
    values = {"asset_name": "robot", "joint_names": [".*"], "use_default_offset": False} | changes
    return DelayedJointPositionAction(DelayedJointPositionActionCfg(**values), env)


def walk(term: Any, actions: list[float]) -> list[float]:
    """Take control steps with the same action on both joints, and return what is applied in every physics step."""
    applied = []
    for action in actions:
        term.process_actions(torch.full((term.num_envs, 2), action))
        for _ in range(DECIMATION):
            term.apply_actions()
            applied.append(float(term.applied_action[0, 0]))
    return applied


"""
Off.
"""


def test_as_given_it_is_isaac_labs_action_bit_by_bit() -> None:
    generator = torch.Generator().manual_seed(0)
    common = {"asset_name": "robot", "joint_names": [".*"], "scale": {"hip": 0.3, "knee": 0.7}}
    common["clip"] = {"hip": (-0.4, 0.9)}
    plain_env, env = fake_env(3), fake_env(3)
    plain = JointPositionAction(JointPositionActionCfg(**common), plain_env)
    term = DelayedJointPositionAction(DelayedJointPositionActionCfg(**common), env)
    for _ in range(3):
        actions = torch.randn(3, 2, generator=generator) * 3
        for one in (plain, term):
            one.process_actions(actions)
            for _ in range(DECIMATION):
                one.apply_actions()
        assert torch.equal(term.raw_actions, plain.raw_actions)
        assert torch.equal(term.processed_actions, plain.processed_actions)
        assert torch.equal(term.applied_action, actions)
        assert torch.equal(term.boot_remaining, torch.zeros(3))
    targets, wanted = env.scene["robot"].targets, plain_env.scene["robot"].targets
    assert len(targets) == len(wanted) == 12
    assert all(torch.equal(one, other) for one, other in zip(targets, wanted, strict=True))


def test_the_students_action_path_is_read_by_the_config() -> None:
    cfg = DelayedJointPositionActionCfg(asset_name="robot", joint_names=[".*"], **ACTION_PATH)
    values = class_to_dict(cfg)
    assert (values["delay"], values["delay_full_at"], values["smoothing"], values["boot_steps"]) == (
        (0, 3),
        0.8,
        0.9,
        6,
    )


"""
Delay.
"""


@pytest.mark.parametrize(
    ("delay", "wanted"),
    [
        (0, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]),
        (1, [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3]),
        (2, [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3]),
        (3, [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3]),
        (4, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]),
        (5, [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2]),
    ],
)
def test_the_action_of_some_physics_steps_ago_is_applied(delay: int, wanted: list[float]) -> None:
    term = make(fake_env(), delay=(delay, delay))
    assert walk(term, [1.0, 2.0, 3.0]) == wanted


def test_a_long_delay_reaches_back_over_many_control_steps() -> None:
    term = make(fake_env(), delay=(11, 11))
    assert walk(term, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == [0.0] * 11 + [1] * 4 + [2] * 4 + [3] * 4 + [4]


def test_each_environment_has_its_own_delay_and_a_reset_draws_another() -> None:
    torch.manual_seed(0)
    term = make(fake_env(400), delay=(0, 3))

    def delays() -> torch.Tensor:
        term.process_actions(torch.ones(400, 2))
        late = torch.zeros(400)
        for _ in range(DECIMATION):
            term.apply_actions()
            late += term.applied_action[:, 0] == 0.0
        return late

    first = delays()
    # Four standard deviations about 400 draws of 1/4.
    assert all(65 < int((first == delay).sum()) < 135 for delay in range(4))
    term.reset(torch.arange(200, 400, dtype=torch.int32))
    term.process_actions(torch.zeros(400, 2))
    second = torch.zeros(400)
    term.process_actions(torch.full((400, 2), 2.0))
    for _ in range(DECIMATION):
        term.apply_actions()
        second += term.applied_action[:, 0] != 2.0
    assert torch.equal(second[:200], first[:200])
    assert 100 < int((second[200:] != first[200:]).sum()) < 190


def test_a_reset_forgets_the_last_episodes_actions_there_alone() -> None:
    term = make(fake_env(2), delay=(5, 5), smoothing=0.5)
    walk(term, [1.0, 1.0, 1.0])
    term.reset([0])
    assert torch.equal(term.applied_action[0], torch.zeros(2))
    assert term.applied_action[1, 0] > 0.98
    walk(term, [3.0])
    assert torch.equal(term.applied_action[0], torch.zeros(2))
    assert term.applied_action[1, 0] > 0.98
    term.process_actions(torch.full((2, 2), 3.0))
    term.apply_actions()
    assert torch.equal(term.applied_action[0], torch.zeros(2))
    term.apply_actions()
    assert torch.equal(term.applied_action[0], torch.full((2,), 1.5))


@pytest.mark.parametrize(
    ("progress", "shares"),
    # The range [2, 6] is drawn from [2, 3 + 4 * share), share = progress / 0.8 up to 1, and rounded down.
    [
        (0.0, [1.0, 0.0, 0.0, 0.0, 0.0]),
        (0.1, [2 / 3, 1 / 3, 0.0, 0.0, 0.0]),
        (0.4, [1 / 3, 1 / 3, 1 / 3, 0.0, 0.0]),
        (0.8, [0.2, 0.2, 0.2, 0.2, 0.2]),
        (1.0, [0.2, 0.2, 0.2, 0.2, 0.2]),
    ],
)
def test_delays_grow_with_the_training(progress: float, shares: list[float]) -> None:
    torch.manual_seed(0)
    term = make(fake_env(3000), delay=(2, 6))
    assert term.progress == 1.0
    term.progress = progress
    term.reset()
    late = torch.zeros(3000)
    for _ in range(2):
        term.process_actions(torch.ones(3000, 2))
        for _ in range(DECIMATION):
            term.apply_actions()
            late += term.applied_action[:, 0] == 0.0
    for delay, share in zip(range(2, 7), shares, strict=True):
        count = float((late == delay).float().mean())
        assert count == share if share in (0.0, 1.0) else abs(count - share) < 0.04


"""
Smoothing.
"""


def test_the_moving_average_advances_with_every_physics_step() -> None:
    term = make(fake_env(), smoothing=0.9)
    # 1 - 0.1^n, then 2 - 0.1^n (1 + 0.1^4).
    wanted = [0.9, 0.99, 0.999, 0.9999, 1.89999, 1.989999, 1.9989999, 1.99989999]
    assert walk(term, [1.0, 2.0]) == pytest.approx(wanted, abs=1e-6)


def test_what_is_late_is_then_smoothed() -> None:
    term = make(fake_env(), smoothing=0.5, delay=(3, 3))
    assert walk(term, [4.0, 8.0]) == [0.0, 0.0, 0.0, 2.0, 3.0, 3.5, 3.75, 5.875]


def test_a_range_of_smoothings_is_drawn_at_a_reset() -> None:
    torch.manual_seed(0)
    term = make(fake_env(1000), smoothing=(0.8, 1.0))
    term.process_actions(torch.ones(1000, 2))
    term.apply_actions()
    weights = term.applied_action[:, 0].clone()
    assert 0.8 <= float(weights.min()) < 0.81 and 0.99 < float(weights.max()) <= 1.0
    assert abs(float(weights.mean()) - 0.9) < 0.01
    term.reset(slice(0, 500))
    term.process_actions(torch.ones(1000, 2))
    term.apply_actions()
    assert (term.applied_action[:500, 0] != weights[:500]).float().mean() > 0.99


"""
Targets.
"""


def test_targets_follow_the_offset_that_an_event_shifts_and_stay_within_the_clip() -> None:
    env = fake_env(2)
    term = make(env, use_default_offset=True, scale=0.5, delay=(4, 4), clip={"knee": (-0.2, 0.4)})
    term._offset[1] += 0.1
    walk(term, [1.0, 1.0])
    targets = env.scene["robot"].targets
    # Nothing for four physics steps: the offset alone; then half a radian more, up to the clip.
    assert torch.allclose(targets[3], torch.tensor([[0.5, -0.2], [0.6, -0.2]]))
    assert torch.allclose(targets[4], torch.tensor([[1.0, 0.0], [1.1, 0.1]]))
    assert torch.equal(term.processed_actions, targets[-1])


"""
Start of an episode.
"""


def test_targets_go_from_the_start_pose_to_the_policys() -> None:
    env = fake_env(joint_pos=(1.0, -2.0))
    term = make(env, boot_steps=2, use_default_offset=True, clip={"knee": (-1.0, 1.0)})
    assert term.boot_remaining.tolist() == [1.0]
    walk(term, [0.5])
    assert term.boot_remaining.tolist() == [0.5]
    # The robot moves on; where it was at the reset counts.
    env.scene["robot"].data.joint_pos.torch.fill_(7.0)
    walk(term, [0.5, 0.5])
    assert term.boot_remaining.tolist() == [0.0]
    targets = torch.cat(env.scene["robot"].targets)
    # Hip: from 1 to 0.5 + 0.5 = 1. Knee: from -2, clipped to -1, to -0.5 + 0.5 = 0, in eight physics steps.
    assert torch.allclose(targets[:, 0], torch.ones(12))
    knee = [-1.0, -0.875, -0.75, -0.625, -0.5, -0.375, -0.25, -0.125, 0.0, 0.0, 0.0, 0.0]
    assert torch.allclose(targets[:, 1], torch.tensor(knee))


def test_a_reset_begins_anew_from_where_the_robot_is_then() -> None:
    env = fake_env(2, joint_pos=(1.0, 1.0))
    term = make(env, boot_steps=1)
    walk(term, [0.0, 0.0])
    term.reset(torch.tensor([1]))
    assert term.boot_remaining.tolist() == [0.0, 1.0]
    # The robot is put into its state after the actions are reset.
    env.scene["robot"].data.joint_pos.torch.fill_(8.0)
    walk(term, [0.0])
    late = torch.stack(env.scene["robot"].targets[-4:])[:, :, 0]
    assert torch.equal(late, torch.tensor([[0.0, 8.0], [0.0, 6.0], [0.0, 4.0], [0.0, 2.0]]))


def test_the_applied_action_is_the_policys_even_at_the_start() -> None:
    term = make(fake_env(joint_pos=(1.0, 1.0)), boot_steps=6)
    assert walk(term, [0.3]) == pytest.approx([0.3] * 4)


"""
Mistakes.
"""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delay": (3, 0)}, r"delay=\(3, 0\) .* the smaller first"),
        ({"delay": (-1, 2)}, r"delay=\(-1, 2\) .* whole numbers from 0"),
        ({"delay": (0, 1.5)}, r"delay=\(0, 1.5\) .* whole numbers"),
        ({"delay_full_at": 0.0}, r"delay_full_at=0.0 must lie in \(0, 1\]"),
        ({"delay_full_at": 1.1}, r"delay_full_at=1.1 must lie in \(0, 1\]"),
        ({"smoothing": 0.0}, r"smoothing=0.0 must lie in \(0, 1\]"),
        ({"smoothing": 1.2}, r"smoothing=1.2 must lie in \(0, 1\]"),
        ({"smoothing": float("nan")}, r"smoothing=nan must lie in \(0, 1\]"),
        ({"smoothing": (0.9, 0.8)}, r"smoothing=\(0.9, 0.8\) .* the smaller comes first"),
        ({"boot_steps": -1}, r"boot_steps=-1 \[control steps\]; give 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(fake_env(), **changes)


@pytest.mark.parametrize("changes", [{"delay": (1, 1)}, {"smoothing": 0.9}, {"boot_steps": 2}])
def test_an_engine_that_hides_its_physics_steps_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="need every physics step"):
        make(fake_env(in_one_go=True), **changes)
    make(fake_env(in_one_go=True))
