# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Our own observations against those of Isaac Lab, and by hand."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from isaac_tracking.inference.policy_contract import ObservationTerm, PolicyError
from isaac_tracking.inference.sim2sim.observations import TERMS, Observations
from isaac_tracking.inference.sim2sim.senses import ClipSenses
from isaac_tracking.motion.quaternion import quat_apply

JOINTS = ("hip", "knee")


def term(function: str, size: int, **changes: Any) -> ObservationTerm:
    values = {"frame": "", "scale": None, "clip": None, "history": 0, "noise": None, "definition": ""}
    return ObservationTerm(name="it", function=function, slice=(0, size), size=size, **(values | changes))


@pytest.fixture
def senses() -> ClipSenses:
    # Turned by 90 degrees to the left about the vertical.
    left = np.array([0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)])
    return ClipSenses(
        joint_pos=np.array([1.0, 2.0]),
        joint_vel=np.array([3.0, 4.0]),
        root_quat_w=left,
        root_com_vel_w=np.array([0.0, 2.0, 0.5]),
        root_ang_vel_w=np.array([1.0, 0.0, 3.0]),
        anchor_pos_w=np.array([1.0, 1.0, 1.0]),
        anchor_quat_w=left,
        reference_joint_pos=np.array([5.0, 6.0]),
        reference_joint_vel=np.array([7.0, 8.0]),
        reference_anchor_pos_w=np.array([1.0, 3.0, 1.5]),
        reference_anchor_quat_w=np.array([0.0, 0.0, 0.0, 1.0]),
        last_action=np.array([9.0, 10.0]),
        default_joint_pos=np.array([0.25, 0.5]),
        # A root that looks north goes a metre to the north and up, and then, turned on its side, two to the east.
        future_joint_pos=np.array([[5.0, 6.0], [5.5, 6.5], [7.0, 8.0]]),
        future_root_pos_w=np.array([[1.0, 1.0, 0.5], [1.0, 2.0, 0.75], [3.0, 2.0, 0.75]]),
        future_root_quat_w=np.array([left, left, [math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)]]),
        boot_remaining=0.25,
    )


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("generated_commands", [5, 6, 7, 8]),
        # Two metres to the north of one who looks north are two metres ahead.
        ("reference_anchor_pos_b", [2, 0, 0.5]),
        # The reference is turned to the right of the robot: R = [[0, 1], [-1, 0]], two columns of it row by row.
        ("reference_anchor_ori_b", [0, 1, -1, 0, 0, 0]),
        ("base_lin_vel", [2, 0, 0.5]),
        ("base_ang_vel", [0, -1, 3]),
        ("joint_pos_rel", [0.75, 1.5]),
        ("joint_vel_rel", [3, 4]),
        ("last_action", [9, 10]),
        ("projected_gravity", [0, 0, -1]),
        ("boot_indicator", [0.25]),
    ],
)
def test_terms_by_hand(senses, function, expected):
    seen = Observations([term(function, len(expected))], JOINTS, len(expected))(senses)
    assert seen.dtype == np.float32 and seen.shape == (1, len(expected))
    assert seen[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("function", "steps", "expected"),
    [
        # Ahead is the north, and the east is to the right.
        ("future_root_pos", (1, 2), [1, 0, 0.25, 1, -2, 0.25]),
        # The robot looks north as well; then the reference lies on its side and looks east.
        ("future_root_ori", (0, 2), [1, 0, 0, 1, 0, 0, 0, 0, -1, 0, 0, 1]),
        ("future_joint_pos", (0, 2), [5, 6, 7, 8]),
        ("future_joint_pos_error", (0, 2), [4, 4, 6, 6]),
        ("future_root_height", (0, 1), [0.5, 0.75]),
        # On its side by a quarter turn about x, what was up is behind its back: gravity is along -y.
        ("future_gravity", (0, 2), [0, 0, -1, 0, -1, 0]),
    ],
)
def test_terms_that_look_ahead_by_hand(senses, function, steps, expected):
    ahead = term(function, len(expected), future_steps=steps)
    observe = Observations([ahead], JOINTS, len(expected))
    assert observe.horizon == steps[-1]
    assert observe(senses)[0] == pytest.approx(expected, abs=1e-6)


def test_a_history_begins_full_and_drops_the_oldest(senses):
    observe = Observations([term("last_action", 6, history=3, scale=2.0)], JOINTS, 6)
    seen = []
    for action in ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]):
        seen.append(observe(dataclasses.replace(senses, last_action=np.array(action)))[0].tolist())
    assert seen == [[2, 4, 2, 4, 2, 4], [2, 4, 2, 4, 6, 8], [2, 4, 6, 8, 10, 12], [6, 8, 10, 12, 14, 16]]
    observe.reset()
    assert observe(senses)[0].tolist() == [18, 20, 18, 20, 18, 20]


def test_joints_of_a_term_are_put_into_its_order_and_clip_comes_before_scale(senses):
    swapped = term("joint_vel_rel", 2, joint_names=("knee", "hip"), clip=(-3.5, 3.5), scale=2.0)
    assert Observations([swapped], JOINTS, 2)(senses)[0] == pytest.approx([7.0, 6.0])
    ahead = term("future_joint_pos", 4, joint_names=("knee", "hip"), future_steps=(0, 2))
    assert Observations([ahead], JOINTS, 4)(senses)[0] == pytest.approx([6.0, 5.0, 8.0, 7.0])


def test_noise_is_that_of_the_contract_and_only_if_asked(senses):
    noisy = term("last_action", 2, noise={"kind": "uniform", "low": 1.0, "high": 2.0})
    assert Observations([noisy], JOINTS, 2)(senses)[0] == pytest.approx([9.0, 10.0])
    observe = Observations([noisy], JOINTS, 2, np.random.default_rng(0))
    added = np.concatenate([observe(senses) for _ in range(200)]) - [9.0, 10.0]
    assert added.min() >= 1.0 and added.max() <= 2.0 and added.mean() == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (term("height_scan", 2), "'height_scan', which is unknown here"),
        (term("last_action", 2, future_steps=(1, 2)), "'last_action', which is unknown here"),
        (term("future_gravity", 3), "'future_gravity', which is unknown here"),
        (term("last_action", 2, noise={"kind": "gaussian", "std": 1.0}), "noise of kind 'gaussian'"),
        (term("joint_pos_rel", 1, joint_names=("elbow",)), "joint 'elbow'"),
    ],
)
def test_unknown_terms_are_refused_by_name(wrong, message):
    with pytest.raises(PolicyError, match=message):
        Observations([wrong], JOINTS, wrong.size)


def test_sizes_must_agree(senses):
    with pytest.raises(PolicyError, match="add up to 2 numbers; the policy takes 3"):
        Observations([term("last_action", 2)], JOINTS, 3)
    with pytest.raises(PolicyError, match="2 numbers a step here and 3 in the policy's contract"):
        Observations([term("last_action", 3)], JOINTS, 3)(senses)


def test_terms_equal_those_of_isaac_lab(sim):
    """The robot is thrown into states far from its reference; every term of the policy's group must be ours."""
    sim.start("walk", step=[10, 40, 70, 100, 130, 160, 190, 220])
    generator = torch.Generator().manual_seed(3)
    num = sim.env.num_envs
    pose = torch.cat([torch.randn(num, 3, generator=generator), torch.randn(num, 4, generator=generator)], dim=-1)
    pose[:, :3] += sim.env.scene.env_origins + torch.tensor([0.0, 0.0, 4.0])
    pose[:, 3:] = torch.nn.functional.normalize(pose[:, 3:], dim=-1)
    sim.write(pose, torch.randn(num, 6, generator=generator))
    for _ in range(2):
        sim.env.step(0.3 * torch.randn(sim.still.shape, generator=generator))
        # A fall ends an episode, and the new one would stand on its reference: throw them again.
        sim.write(pose, torch.randn(num, 6, generator=generator))
    sim.command._robot_stale = True
    seen = sim.env.observation_manager.compute_group("policy")
    manager = sim.env.observation_manager
    functions = [cfg.func.__name__ for cfg in manager._group_obs_term_cfgs["policy"]]
    sizes = [math.prod(shape) for shape in manager.group_obs_term_dim["policy"]]
    assert set(functions) < set(TERMS)
    joint_names = list(sim.robot.joint_names)
    for env in range(num):
        senses = senses_of(sim, env)
        start = 0
        for function, size in zip(functions, sizes, strict=True):
            ours = Observations([term(function, size)], joint_names, size)(senses)[0]
            assert ours == pytest.approx(seen[env, start : start + size].numpy(), abs=1e-5), function
            start += size
        assert abs(ours_reference_distance(senses)) > 0.5
        assert start == seen.shape[1]


def ours_reference_distance(senses: ClipSenses) -> float:
    return float(np.linalg.norm(senses.reference_anchor_pos_w - senses.anchor_pos_w))


def senses_of(sim: Any, env: int) -> ClipSenses:
    """Read one robot's state from the simulator: link poses and velocities, and the root's centre of mass."""
    data, command = sim.robot.data, sim.command
    reference, anchor = command.reference, sim.robot.body_names.index("torso_link")
    ahead = (command.steps[env] + torch.arange(17)).clamp_max(command.library.num_frames[command.clip_ids[env]] - 1)
    future = command.library.frames(command.clip_ids[env].expand(17), ahead)
    boot = getattr(sim.env.action_manager.get_term("joint_pos"), "boot_remaining", torch.zeros(sim.env.num_envs))
    pose, velocity = data.body_link_pose_w.torch[env].double(), data.body_link_vel_w.torch[env].double()
    # The velocity of a point fixed to the body, from that of the body's origin: v + w x r.
    arm = quat_apply(pose[0, 3:], data.body_com_pos_b.torch[env, 0].double())
    com_vel = velocity[0, :3] + torch.linalg.cross(velocity[0, 3:], arm)
    senses = {
        "joint_pos": data.joint_pos.torch[env],
        "joint_vel": data.joint_vel.torch[env],
        "root_quat_w": pose[0, 3:],
        "root_com_vel_w": com_vel,
        "root_ang_vel_w": velocity[0, 3:],
        "anchor_pos_w": pose[anchor, :3],
        "anchor_quat_w": pose[anchor, 3:],
        "reference_joint_pos": reference.joint_pos[env],
        "reference_joint_vel": reference.joint_vel[env],
        "reference_anchor_pos_w": reference.body_pos_w[env, command.anchor],
        "reference_anchor_quat_w": reference.body_quat_w[env, command.anchor],
        "last_action": sim.env.action_manager.action[env],
        "default_joint_pos": data.default_joint_pos.torch[env],
        "future_joint_pos": future.joint_pos,
        "future_root_pos_w": future.body_pos_w[:, 0],
        "future_root_quat_w": future.body_quat_w[:, 0],
    }
    values: dict[str, Any] = {name: value.double().numpy() for name, value in senses.items()}
    return ClipSenses(**values, boot_remaining=float(boot[env]))
