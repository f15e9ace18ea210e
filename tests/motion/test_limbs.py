# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Bodies that follow from new joint angles, by hand and against forward kinematics of the whole robot."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.kinematics import KinematicTree, forward_kinematics
from isaac_tracking.motion.limbs import Limbs
from isaac_tracking.motion.quaternion import quat_error_magnitude, quat_from_axis_angle, quat_mul

ARM = """
<mujoco>
  <worldbody>
    <body name="base"><freejoint/><geom size="0.1"/>
      <body name="leg" pos="0 0 -1"><joint name="hip" axis="0 1 0"/><geom size="0.1"/></body>
      <body name="upper" pos="0 0 1"><joint name="shoulder" axis="0 1 0"/><geom size="0.1"/>
        <body name="lower" pos="2 0 0"><joint name="elbow" axis="0 0 1" pos="-1 0 0"/><geom size="0.1"/>
          <body name="tool" pos="1 0 0"><geom size="0.1"/></body>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""
JOINTS = ("elbow", "hip", "shoulder")  # not the tree's order
BODIES = ("base", "tool", "leg", "lower")


@pytest.fixture
def arm(tmp_path: Path) -> KinematicTree:
    path = tmp_path / "arm.xml"
    path.write_text(ARM)
    return KinematicTree.from_mjcf(path)


def whole(tree: KinematicTree, root_pos: torch.Tensor, root_quat: torch.Tensor, joints: torch.Tensor):
    """Return the poses of BODIES by forward kinematics of the whole tree."""
    order = [JOINTS.index(name) for name in tree.joint_names]
    pos, quat = forward_kinematics(tree, root_pos, root_quat, joints[:, order])
    columns = [tree.body_names.index(name) for name in BODIES]
    return pos[:, columns], quat[:, columns]


def random_state(num: int = 50) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    quat = torch.nn.functional.normalize(torch.randn(num, 4, generator=generator, dtype=torch.float64), dim=-1)
    pos, twist, joints, speeds = (
        torch.randn(num, width, generator=generator, dtype=torch.float64) for width in (3, 6, 3, 3)
    )
    return pos, quat, twist, joints, speeds


def frame_of(tree: KinematicTree, state: tuple[torch.Tensor, ...]) -> MotionFrame:
    """Return a frame whose poses agree, with the root's twist; the other bodies' velocities are nonsense."""
    root_pos, root_quat, twist, joints, speeds = state
    pos, quat = whole(tree, root_pos, root_quat, joints)
    lin_vel, ang_vel = torch.full_like(pos, 77.0), torch.full_like(pos, -77.0)
    lin_vel[:, 0], ang_vel[:, 0] = twist[:, :3], twist[:, 3:]
    return MotionFrame(joints, speeds, pos, quat, lin_vel, ang_vel)


def test_a_quarter_turn_of_the_elbow_by_hand(arm: KinematicTree) -> None:
    limbs = Limbs(arm, JOINTS, BODIES, ["elbow"], "cpu")
    state = tuple(part.float() for part in random_state(1))
    state = (torch.tensor([[10.0, 0, 0]]), torch.tensor([[0.0, 0, 0, 1]]), torch.zeros(1, 6), *state[3:])
    frame = frame_of(arm, (*state[:3], torch.zeros(1, 3), torch.zeros(1, 3)))
    moved = limbs.move(frame, torch.tensor([[math.pi / 2, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
    # The elbow's axis stands 1 m before the lower arm's origin, which swings around to the side; the tool 1 m further.
    assert torch.allclose(moved.body_pos_w[0, 3], torch.tensor([11.0, 1.0, 1.0]), atol=1e-6)
    assert torch.allclose(moved.body_pos_w[0, 1], torch.tensor([11.0, 2.0, 1.0]), atol=1e-6)
    # Both turn about that axis with 2 rad/s.
    assert torch.allclose(moved.body_lin_vel_w[0, 3], torch.tensor([-2.0, 0.0, 0.0]), atol=1e-6)
    assert torch.allclose(moved.body_lin_vel_w[0, 1], torch.tensor([-4.0, 0.0, 0.0]), atol=1e-6)
    assert torch.allclose(moved.body_ang_vel_w[0, [1, 3]], torch.tensor([0.0, 0.0, 2.0]), atol=1e-6)


def test_other_bodies_stay_as_they_are(arm: KinematicTree) -> None:
    limbs = Limbs(arm, JOINTS, BODIES, ["elbow", "shoulder"], "cpu")
    frame = frame_of(arm, tuple(part.float() for part in random_state()))
    moved = limbs.move(frame, frame.joint_pos + 1.0, frame.joint_vel)
    for new, old in zip(moved[2:], frame[2:], strict=True):
        assert torch.equal(new[:, [0, 2]], old[:, [0, 2]])
        assert not torch.isclose(new[:, [1, 3]], old[:, [1, 3]]).all(dim=-1).any()


def test_poses_and_velocities_are_those_of_the_whole_robot(arm: KinematicTree) -> None:
    tree = arm.to(dtype=torch.float64)
    limbs = Limbs(tree, JOINTS, BODIES, ["elbow", "shoulder"], "cpu")
    # Masks are made in single precision.
    limbs._carried = limbs._carried.double()
    state = random_state()
    root_pos, root_quat, twist, joints, speeds = state
    moved = limbs.move(frame_of(tree, (*state[:3], joints * 0.0, speeds * 0.0)), joints, speeds)
    columns = [1, 3]
    pos, quat = whole(tree, root_pos, root_quat, joints)
    assert torch.allclose(moved.body_pos_w[:, columns], pos[:, columns], atol=1e-12)
    assert quat_error_magnitude(moved.body_quat_w, quat)[:, columns].max() < 1e-9
    # The velocities are the derivatives of these poses as the root and the joints go on.
    step = 1e-5
    ahead, behind = (
        whole(
            tree,
            root_pos + sign * step * twist[:, :3],
            quat_mul(quat_from_axis_angle(sign * step * twist[:, 3:]), root_quat),
            joints + sign * step * speeds,
        )
        for sign in (1.0, -1.0)
    )
    lin_vel = (ahead[0] - behind[0]) / (2 * step)
    assert torch.allclose(moved.body_lin_vel_w[:, columns], lin_vel[:, columns], atol=1e-8)
    turn = quat_mul(ahead[1], behind[1] * torch.tensor([-1.0, -1.0, -1.0, 1.0])) / (2 * step)
    ang_vel = 2.0 * turn[..., :3] * torch.sign(turn[..., 3:])
    assert torch.allclose(moved.body_ang_vel_w[:, columns], ang_vel[:, columns], atol=1e-8)


def test_what_the_robot_lacks_is_refused(arm: KinematicTree) -> None:
    with pytest.raises(ValueError, match="no joint wrist"):
        Limbs(arm, JOINTS, BODIES, ["wrist"], "cpu")
    with pytest.raises(ValueError, match="no body hand"):
        Limbs(arm, JOINTS, ("base", "hand"), ["elbow"], "cpu")
    with pytest.raises(ValueError, match="'leg' comes first; expected the root"):
        Limbs(arm, JOINTS, ("leg", "tool"), ["elbow"], "cpu")
