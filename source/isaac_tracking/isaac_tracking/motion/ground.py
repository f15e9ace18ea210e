# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How far a robot's collision shapes reach down, for poses that no simulator has seen yet."""

from __future__ import annotations

from pathlib import Path

import torch

from .kinematics import KinematicTree, forward_kinematics
from .quaternion import quat_apply


class CollisionPoints:
    """The spheres whose hull a robot's collision shapes are: ends of capsules, spheres, corners of boxes.

    Args:
        tree: Kinematics of the robot.
        body_ids: Body of each sphere, shape (num_points,).
        offsets: Centers in the body frames [m], shape (num_points, 3).
        radii: Radii [m], shape (num_points,).
    """

    def __init__(self, tree: KinematicTree, body_ids: torch.Tensor, offsets: torch.Tensor, radii: torch.Tensor) -> None:
        self.tree, self.body_ids, self.offsets, self.radii = tree, body_ids, offsets, radii

    @classmethod
    def from_mjcf(cls, path: str | Path, device: str | torch.device = "cpu") -> CollisionPoints:
        """Read the collision shapes of the robot in an MJCF; those of the world around it are left out.

        Raises:
            ValueError: If a collision shape is neither a sphere nor a capsule nor a box.
        """
        # Heavy, and needed once per environment.
        import mujoco

        model = mujoco.MjModel.from_xml_path(str(path))
        tree = KinematicTree.from_mjcf(path).to(device)
        bodies, offsets, radii = [], [], []
        for geom in range(model.ngeom):
            body = model.body(model.geom_bodyid[geom]).name
            if body not in tree.body_names or not (model.geom_contype[geom] or model.geom_conaffinity[geom]):
                continue
            size = model.geom_size[geom]
            kind = model.geom_type[geom]
            if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
                local, radius = [(0.0, 0.0, 0.0)], size[0]
            elif kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
                local, radius = [(0.0, 0.0, -size[1]), (0.0, 0.0, size[1])], size[0]
            elif kind == mujoco.mjtGeom.mjGEOM_BOX:
                signs = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
                local, radius = [tuple(s * half for s, half in zip(sign, size, strict=True)) for sign in signs], 0.0
            else:
                name = model.geom(geom).name
                raise ValueError(f"collision shape '{name}' of {path}: expected a sphere, a capsule or a box")
            quat = torch.tensor(model.geom_quat[geom][[1, 2, 3, 0]], dtype=torch.float)
            points = torch.tensor(local, dtype=torch.float)
            offsets.append(torch.tensor(model.geom_pos[geom], dtype=torch.float) + quat_apply(quat, points))
            bodies += [tree.body_names.index(body)] * len(local)
            radii += [float(radius)] * len(local)
        return cls(
            tree,
            torch.tensor(bodies, device=device),
            torch.cat(offsets).to(device),
            torch.tensor(radii, device=device),
        )

    def lowest(self, root_pos: torch.Tensor, root_quat: torch.Tensor, joint_pos: torch.Tensor) -> torch.Tensor:
        """Return the height of the lowest point of the collision shapes [m], shape (N,).

        Args:
            root_pos: Positions of the root [m], shape (N, 3).
            root_quat: Orientations of the root, xyzw, shape (N, 4).
            joint_pos: Joint angles in the tree's order [rad], shape (N, num_joints).
        """
        body_pos, body_quat = forward_kinematics(self.tree, root_pos, root_quat, joint_pos)
        centers = body_pos[:, self.body_ids] + quat_apply(body_quat[:, self.body_ids], self.offsets)
        return (centers[..., 2] - self.radii).amin(dim=-1)
