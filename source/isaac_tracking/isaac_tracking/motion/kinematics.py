# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Forward kinematics of a tree of hinges, and velocities of sampled motions; batched over frames."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import torch

from .quaternion import quat_apply, quat_conjugate, quat_from_axis_angle, quat_mul, quat_to_axis_angle


@dataclass(frozen=True, eq=False)
class KinematicTree:
    """A floating base and the bodies below it, each moved by at most one hinge.

    Bodies are in depth-first order, the base first; joints are in the order of the bodies that they move.
    """

    body_names: tuple[str, ...]
    """Names of the B bodies."""

    joint_names: tuple[str, ...]
    """Names of the J joints."""

    parents: tuple[int, ...]
    """Index of each body's parent; -1 for the base."""

    joint_of_body: tuple[int, ...]
    """Index of the joint that moves each body; -1 for the base and for welded bodies."""

    offsets: torch.Tensor
    """Positions of the bodies in their parents' frames at zero angle [m], shape (B, 3)."""

    quats: torch.Tensor
    """Orientations of the bodies in their parents' frames at zero angle, xyzw, shape (B, 4)."""

    axes: torch.Tensor
    """Axes of the joints in the frames of the bodies that they move, unit length, shape (J, 3)."""

    anchors: torch.Tensor
    """Points on the joint axes in the same frames [m], shape (J, 3)."""

    @classmethod
    def from_mjcf(cls, path: str | Path) -> KinematicTree:
        """Read the tree below the first free joint of an MJCF.

        Returns:
            The tree, float32 on the CPU.

        Raises:
            ValueError: If there is no free joint, or a body has a joint that is not a single hinge.
        """
        # Only those who read models need MuJoCo.
        import mujoco

        model = mujoco.MjModel.from_xml_path(str(path))
        free = [j for j in range(model.njnt) if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_FREE]
        if not free:
            raise ValueError(f"model '{path}' has no free joint; expected a floating base; add one to the base body")
        base = int(model.jnt_bodyid[free[0]])
        bodies = [b for b in range(model.nbody) if model.body_rootid[b] == base]
        joints: list[int] = []
        joint_of_body = [-1]
        for body in bodies[1:]:
            first, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
            if count > 1 or (count == 1 and model.jnt_type[first] != mujoco.mjtJoint.mjJNT_HINGE):
                raise ValueError(f"model '{path}': body '{model.body(body).name}' must have one hinge or none")
            joint_of_body.append(len(joints) if count else -1)
            joints += [first] * count
        wxyz = torch.tensor(model.body_quat[bodies], dtype=torch.float32)
        return cls(
            body_names=tuple(model.body(b).name for b in bodies),
            joint_names=tuple(model.joint(j).name for j in joints),
            parents=(-1, *(bodies.index(int(model.body_parentid[b])) for b in bodies[1:])),
            joint_of_body=tuple(joint_of_body),
            offsets=torch.tensor(model.body_pos[bodies], dtype=torch.float32),
            quats=wxyz[:, [1, 2, 3, 0]],
            axes=torch.tensor(model.jnt_axis[joints], dtype=torch.float32).reshape(-1, 3),
            anchors=torch.tensor(model.jnt_pos[joints], dtype=torch.float32).reshape(-1, 3),
        )

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> KinematicTree:
        """Return the tree with its tensors on another device or of another floating type."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        moved = {k: v.to(device=device, dtype=dtype) for k, v in tensors.items() if isinstance(v, torch.Tensor)}
        return replace(self, **moved)

    @cached_property
    def _level_indices(self) -> list[tuple[list[int], torch.Tensor]]:
        """The levels with their bodies as a tensor: an index that is a list would be copied to a GPU at every use."""
        return [(bodies, torch.tensor(bodies, device=self.offsets.device)) for bodies in self.levels()]

    @cached_property
    def _joint_columns(self) -> torch.Tensor:
        """Column of each body's joint, shape (B,); the last column, one after the joints, for bodies without one."""
        columns = [len(self.joint_names) if joint < 0 else joint for joint in self.joint_of_body]
        return torch.tensor(columns, device=self.offsets.device)

    def levels(self) -> list[list[int]]:
        """Return the bodies below the base by their depth: parents come before children, one level at a time."""
        depth = [0] * len(self.parents)
        for body, parent in enumerate(self.parents[1:], start=1):
            depth[body] = depth[parent] + 1
        return [[b for b, d in enumerate(depth) if d == level] for level in range(1, max(depth) + 1)]


def forward_kinematics(
    tree: KinematicTree, root_pos: torch.Tensor, root_quat: torch.Tensor, joint_pos: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the poses of all bodies of the tree.

    Args:
        tree: The robot.
        root_pos: Positions of the base in the world [m], shape (N, 3).
        root_quat: Orientations of the base in the world, xyzw, shape (N, 4).
        joint_pos: Joint angles in the tree's order [rad], shape (N, J).

    Returns:
        Positions [m], shape (N, B, 3), and orientations, xyzw, shape (N, B, 4), in the world.

    Raises:
        ValueError: If the number of joints is not the tree's.
    """
    if joint_pos.shape[-1] != len(tree.joint_names):
        raise ValueError(f"joint_pos has {joint_pos.shape[-1]} joints; the tree has {len(tree.joint_names)}")
    turn, shift = _joint_motion(tree, joint_pos)
    pos: list[torch.Tensor] = [root_pos] * len(tree.parents)
    quat: list[torch.Tensor] = [root_quat] * len(tree.parents)
    for bodies, index in tree._level_indices:
        parent_pos = torch.stack([pos[tree.parents[b]] for b in bodies], dim=1)
        parent_quat = torch.stack([quat[tree.parents[b]] for b in bodies], dim=1)
        level_pos = parent_pos + quat_apply(parent_quat, shift[:, index])
        level_quat = quat_mul(parent_quat, turn[:, index])
        for i, b in enumerate(bodies):
            pos[b], quat[b] = level_pos[:, i], level_quat[:, i]
    return torch.stack(pos, dim=1), torch.stack(quat, dim=1)


def _joint_motion(tree: KinematicTree, joint_pos: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each body's orientation (N, B, 4) and position (N, B, 3) in its parent's frame."""
    rotation = quat_from_axis_angle(joint_pos.unsqueeze(-1) * tree.axes)
    # The body turns about the anchor, not about its own origin.
    slide = tree.anchors - quat_apply(rotation, tree.anchors)
    # A last column that does not move serves the bodies without a joint.
    still = torch.zeros_like(joint_pos[:, :1]).unsqueeze(-1)
    rotation = torch.cat((rotation, torch.cat((still, still, still, still + 1.0), dim=-1)), dim=1)
    slide = torch.cat((slide, still.expand(-1, 1, 3)), dim=1)
    column = tree._joint_columns
    return quat_mul(tree.quats, rotation[:, column]), tree.offsets + quat_apply(tree.quats, slide[:, column])


def velocities(pos: torch.Tensor, quat: torch.Tensor, fps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return velocities of sampled poses by central differences, one-sided at both ends.

    Args:
        pos: Positions in the world [m], shape (T, ..., 3), T at least 2.
        quat: Orientations in the world, xyzw, shape (T, ..., 4); signs may jump from frame to frame.
        fps: Frames per second [1/s].

    Returns:
        Linear [m/s] and angular [rad/s] velocities in the world frame, each of shape (T, ..., 3).

    Raises:
        ValueError: If there are fewer than two frames.
    """
    _require_two_frames(len(pos))
    last = len(pos) - 1
    # Angular velocity over a span is the rotation vector from its first to its last frame, in the world.
    inner = quat_to_axis_angle(quat_mul(quat[2:], quat_conjugate(quat[:-2]))) * (0.5 * fps)
    first = quat_to_axis_angle(quat_mul(quat[1:2], quat_conjugate(quat[:1]))) * fps
    final = quat_to_axis_angle(quat_mul(quat[last:], quat_conjugate(quat[last - 1 : last]))) * fps
    return joint_velocities(pos, fps), torch.cat((first, inner, final))


def joint_velocities(joint_pos: torch.Tensor, fps: float) -> torch.Tensor:
    """Return rates of change by central differences, one-sided at both ends.

    Args:
        joint_pos: Joint angles [rad] or any other vector, shape (T, ...), T at least 2.
        fps: Frames per second [1/s].

    Returns:
        Rates [rad/s], same shape.

    Raises:
        ValueError: If there are fewer than two frames.
    """
    _require_two_frames(len(joint_pos))
    inner = (joint_pos[2:] - joint_pos[:-2]) * (0.5 * fps)
    first = (joint_pos[1:2] - joint_pos[:1]) * fps
    final = (joint_pos[-1:] - joint_pos[-2:-1]) * fps
    return torch.cat((first, inner, final))


def _require_two_frames(frames: int) -> None:
    if frames < 2:
        raise ValueError(f"velocities need at least 2 frames; the motion has {frames}")
