# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Kinds of numbers in the mirror, by hand, and how groups are put together of them; without a simulator."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import pytest
import torch
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.tasks.tracking.mdp import symmetry
from isaac_tracking.tasks.tracking.mdp import symmetry_kinds as kinds
from isaac_tracking.tasks.tracking.mdp.symmetry_kinds import Columns, Sides

SIDES = Sides(
    joint_names=("left_knee", "right_knee", "waist_yaw"),
    joint_signs={"left_knee": 1.0, "right_knee": 1.0, "waist_yaw": -1.0},
    body_names=("pelvis", "left_foot", "right_foot"),
    action_joints={"legs": ("right_knee", "left_knee"), "waist": ("waist_yaw",)},
)
"""A robot of two knees and a waist; its actions are in another order than its joints."""


def block(kind: kinds.Kind, **params: Any) -> Columns:
    return kind(SIDES, SimpleNamespace(params=params))  # type: ignore[arg-type]


"""
The kinds, by hand.
"""


@pytest.mark.parametrize(
    ("kind", "permutation", "signs"),
    [
        (kinds.scalar, [0], [1]),
        (kinds.polar, [0, 1, 2], [1, -1, 1]),
        (kinds.axial, [0, 1, 2], [-1, 1, -1]),
        (kinds.rotation, [0, 1, 2, 3, 4, 5], [1, -1, -1, 1, 1, -1]),
        (kinds.joints, [1, 0, 2], [1, 1, -1]),
        (kinds.actions, [1, 0, 2], [1, 1, -1]),
        (kinds.per_body(kinds.scalar), [0, 2, 1], [1, 1, 1]),
        (kinds.per_body(kinds.polar), [0, 1, 2, 6, 7, 8, 3, 4, 5], [1, -1, 1] * 3),
    ],
)
def test_kinds(kind: kinds.Kind, permutation: list[int], signs: list[float]) -> None:
    columns = block(kind)
    assert list(columns.permutation) == permutation
    assert list(columns.signs) == signs


def test_kinds_of_a_part() -> None:
    assert block(kinds.joints, asset_cfg=SimpleNamespace(joint_ids=[2])) == Columns((0,), (-1.0,))
    assert block(kinds.joints, asset_cfg=SimpleNamespace(joint_ids=slice(None))) == block(kinds.joints)
    assert block(kinds.actions, action_name="waist") == Columns((0,), (-1.0,))
    feet = ["left_foot", "right_foot"]
    assert block(kinds.named_bodies, body_names=feet) == Columns((1, 0), (1.0, 1.0))


def test_columns_of_a_rotation_are_those_of_the_mirrored_rotation() -> None:
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))[0]
    plane = torch.diag(torch.tensor([1.0, -1.0, 1.0]))
    columns = rotation[:, :2].flatten() * torch.tensor(kinds.ROTATION_SIGNS)
    assert torch.equal(columns, (plane @ rotation @ plane)[:, :2].flatten())


"""
Groups.
"""


def group_of(functions: dict[str, int], **changes: Any) -> Any:
    """An environment that knows one group: the functions of its terms, with their widths."""

    def term(name: str) -> Any:
        def function() -> None: ...

        function.__name__ = name
        return SimpleNamespace(func=function, params={})

    values: dict[str, Any] = {
        "active_terms": {"policy": list(functions)},
        "_group_obs_term_cfgs": {"policy": [term(name) for name in functions]},
        "group_obs_term_dim": {"policy": [(width,) for width in functions.values()]},
        "group_obs_concatenate": {"policy": True},
        "_group_obs_time_major": {"policy": False},
    }
    return SimpleNamespace(observation_manager=SimpleNamespace(**(values | changes)))


def test_history_repeats_the_block() -> None:
    env = group_of({"base_ang_vel": 3, "joint_pos_rel": 6, "projected_gravity": 3})
    columns = symmetry.group_columns(env, SIDES, "policy")
    assert columns.permutation == (0, 1, 2, 4, 3, 5, 7, 6, 8, 9, 10, 11)
    assert columns.signs == (-1, 1, -1, 1, 1, -1, 1, 1, -1, 1, -1, 1)


def test_an_unknown_term_is_named() -> None:
    with pytest.raises(ValueError, match=r"'policy.made_up' is made by 'made_up'.*symmetry_kinds\.KINDS"):
        symmetry.group_columns(group_of({"made_up": 3}), SIDES, "policy")


def test_a_size_that_cannot_be_is_named() -> None:
    with pytest.raises(ValueError, match=r"'policy.base_ang_vel' has 4 numbers; expected a multiple of 3"):
        symmetry.group_columns(group_of({"base_ang_vel": 4}), SIDES, "policy")


@pytest.mark.parametrize(
    "changes", [{"group_obs_concatenate": {"policy": False}}, {"_group_obs_time_major": {"policy": True}}]
)
def test_another_layout_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="group 'policy' is not one row of term after term"):
        symmetry.group_columns(group_of({"base_ang_vel": 3}, **changes), SIDES, "policy")


def test_a_crooked_default_pose_is_refused() -> None:
    symmetry._check_default_pose(SIDES, {".*_knee": 0.5})
    with pytest.raises(ValueError, match=r"'left_knee' is at 0.5 rad and 'right_knee' at 0.4 rad; expected 0.4"):
        symmetry._check_default_pose(SIDES, {"left_knee": 0.5, "right_knee": 0.4})
    # A turned waist looks to one side.
    with pytest.raises(ValueError, match=r"'waist_yaw' is at 0.1 rad .* expected -0.1"):
        symmetry._check_default_pose(SIDES, {"waist_yaw": 0.1})


def test_actions_that_move_one_side_more_are_refused() -> None:
    def term(scale: Any) -> Any:
        return SimpleNamespace(cfg=SimpleNamespace(scale=scale), _joint_names=["left_knee", "right_knee"])

    symmetry._check_scale("legs", term(0.5))
    symmetry._check_scale("legs", term({".*_knee": 0.5}))
    with pytest.raises(ValueError, match=r"action 'legs' scales 'left_knee' by 0.5 and 'right_knee' by 0.4"):
        symmetry._check_scale("legs", term({"left_knee": 0.5, "right_knee": 0.4}))


def test_every_observation_of_every_task_has_an_image() -> None:
    for task in [name for name in gym.registry if name.startswith("Isaac-Tracking-")]:
        cfg, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=[])
        for group in vars(cfg.observations).values():
            for name, term in vars(group).items():
                if hasattr(term, "func"):
                    function = getattr(term.func, "__name__", None) or str(term.func).rpartition(":")[2]
                    assert function in kinds.KINDS, f"{task}: {name}"
