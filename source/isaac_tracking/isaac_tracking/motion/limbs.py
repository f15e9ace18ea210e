# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Poses and velocities of some of a robot's bodies from new joint angles, inside an environment step."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .frame import MotionFrame
from .kinematics import KinematicTree
from .quaternion import quat_apply, quat_from_axis_angle, quat_mul

_COLUMNS = ((3, 2, 1, 0), (2, 3, 0, 1), (1, 0, 3, 2), (0, 1, 2, 3))
_SIGNS = ((1.0, 1.0, -1.0, 1.0), (-1.0, 1.0, 1.0, 1.0), (1.0, -1.0, 1.0, 1.0), (-1.0, -1.0, -1.0, 1.0))
"""Entries of the matrix B(b) with ``a b = B(b) a`` for quaternions, as columns of b and signs."""


class Limbs:
    """The tracked bodies that some joints move, and the chains that carry them.

    Only the bodies from the root to the moved ones are computed, with index tensors that were made beforehand: a list
    of indices would be copied to the device at every call, and the host would wait.

    Args:
        tree: Kinematics of the robot.
        joint_names: Joints of a frame, in order.
        body_names: Bodies of a frame, in order; the first is the root.
        moved: Joints whose angles are replaced.
        device: Where to compute.

    Raises:
        ValueError: If the tree lacks a joint or a body, or the first body is not its root.
    """

    def __init__(
        self,
        tree: KinematicTree,
        joint_names: Sequence[str],
        body_names: Sequence[str],
        moved: Sequence[str],
        device: str | torch.device,
    ) -> None:
        for kind, names, known in (("joint", moved, tree.joint_names), ("body", body_names, tree.body_names)):
            missing = [name for name in names if name not in known]
            if missing:
                raise ValueError(f"motion augmentation: the robot's model has no {kind} {', '.join(missing)}")
        if body_names[0] != tree.body_names[0]:
            raise ValueError(f"motion augmentation: body '{body_names[0]}' comes first; expected the root")
        ancestors = _ancestors(tree.parents)
        turned = {tree.joint_of_body.index(tree.joint_names.index(name)) for name in moved}
        tracked = [tree.body_names.index(name) for name in body_names]
        changed = [column for column, body in enumerate(tracked) if turned & set(ancestors[body])]
        needed = {body for column in changed for body in ancestors[tracked[column]]} - {0}
        chain = sorted(needed, key=lambda body: (len(ancestors[body]), body))
        row_of = {0: 0} | {body: row for row, body in enumerate(chain, start=1)}
        joints = [tree.joint_of_body[body] for body in chain]

        def numbers(values: Sequence) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.long, device=device)

        def picked(values: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
            return values[list(rows)].to(device)

        self._bodies = numbers(changed)
        """Columns of the frame's bodies that change."""
        self._rows = numbers([row_of[tracked[column]] for column in changed])
        depths = sorted({len(ancestors[body]) for body in chain})
        self._levels = [[body for body in chain if len(ancestors[body]) == depth] for depth in depths]
        self._parents = [numbers([row_of[tree.parents[body]] for body in level]) for level in self._levels]
        # Welded bodies read a column of zeros behind the joints.
        self._joints = numbers([len(joint_names) if j < 0 else joint_names.index(tree.joint_names[j]) for j in joints])
        self._offsets, self._quats = picked(tree.offsets, chain), picked(tree.quats, chain)
        self._axes, self._anchors = picked(tree.axes, joints), picked(tree.anchors, joints)
        self._columns, self._signs = numbers(_COLUMNS).flatten(), torch.tensor(_SIGNS, device=device)
        carried = [[float(other in ancestors[body]) for other in chain] for body in chain]
        self._carried = torch.tensor(carried, device=device).reshape(len(chain), len(chain))
        """Whether body i of the chain is moved by the joint of body j, shape (K, K)."""

    def move(self, frame: MotionFrame, joint_pos: torch.Tensor, joint_vel: torch.Tensor) -> MotionFrame:
        """Return a frame with other joint angles and speeds, and the bodies that follow from them.

        The velocities are those of rigid bodies on hinges that turn at the given speeds, on the frame's own root: the
        root's velocity plus, for each joint of the chain, its speed about its axis. Bodies that no replaced joint
        moves stay as they are, to the bit.

        Args:
            frame: The frame, N instants.
            joint_pos: Joint angles [rad], shape (N, num_joints).
            joint_vel: Joint speeds [rad/s], shape (N, num_joints).
        """
        still = torch.zeros_like(joint_pos[:, :1])
        angle = torch.cat((joint_pos, still), dim=-1).index_select(1, self._joints)
        speed = torch.cat((joint_vel, still), dim=-1).index_select(1, self._joints)
        pos, quat = self._poses(frame.body_quat_w[:, 0], angle)
        # All relative to the root's position, which may be far from the origin.
        turn = quat_apply(quat[:, 1:], self._axes * speed[..., None])
        center = pos[:, 1:] + quat_apply(quat[:, 1:], self._anchors)
        ang_vel = self._carried @ turn
        lin_vel = torch.linalg.cross(ang_vel, pos[:, 1:]) - self._carried @ torch.linalg.cross(turn, center)
        root_turn = frame.body_ang_vel_w[:, :1]
        lin_vel = frame.body_lin_vel_w[:, :1] + torch.linalg.cross(root_turn.expand_as(lin_vel), pos[:, 1:]) + lin_vel
        values = (frame.body_pos_w[:, :1] + pos[:, 1:], quat[:, 1:], lin_vel, root_turn + ang_vel)
        return MotionFrame(
            joint_pos,
            joint_vel,
            *(
                old.index_copy(1, self._bodies, new.index_select(1, self._rows - 1))
                for old, new in zip(frame[2:], values, strict=True)
            ),
        )

    def _poses(self, root_quat: torch.Tensor, angle: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return positions relative to the root (N, 1 + K, 3) and orientations (N, 1 + K, 4) of root and chain."""
        rotation = quat_from_axis_angle(angle[..., None] * self._axes)
        # The body turns about the anchor, not about its own origin.
        shift = self._offsets + quat_apply(self._quats, self._anchors - quat_apply(rotation, self._anchors))
        # One matrix for each body: as a product of quaternions, every level would take some thirty kernels on a GPU.
        turn = quat_mul(self._quats, rotation).index_select(-1, self._columns).unflatten(-1, (4, 4)) * self._signs
        pos, quat = torch.zeros_like(root_quat[:, None, :3]), root_quat[:, None]
        begin = 0
        for level, parents in zip(self._levels, self._parents, strict=True):
            end = begin + len(level)
            parent_quat = quat.index_select(1, parents)
            new_pos = pos.index_select(1, parents) + quat_apply(parent_quat, shift[:, begin:end])
            pos = torch.cat((pos, new_pos), dim=1)
            quat = torch.cat((quat, (turn[:, begin:end] * parent_quat[:, :, None]).sum(dim=-1)), dim=1)
            begin = end
        return pos, quat


def _ancestors(parents: Sequence[int]) -> list[list[int]]:
    """Return each body with all that carry it, itself first."""
    chains: list[list[int]] = []
    for body, parent in enumerate(parents):
        chains.append([body] if parent < 0 else [body, *chains[parent]])
    return chains
