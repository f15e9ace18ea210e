# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The robot as the synthesis sees it: its model in MuJoCo, its soles and its stance."""

from __future__ import annotations

import numpy as np

from ..robot import Robot


class RobotModel:
    """A robot loaded into MuJoCo, with its soles and its default stance on flat ground at z = 0."""

    def __init__(self, robot: Robot):
        """Load the model.

        Args:
            robot: Facts about the robot.

        Raises:
            ValueError: If the model lacks a joint or body, or a foot has no collision geometry.
        """
        # Only those who make motions need MuJoCo.
        import mujoco

        self.robot = robot
        self.mujoco = mujoco.MjModel.from_xml_path(str(robot.mjcf))
        self.data = mujoco.MjData(self.mujoco)
        # Only rigid-body dynamics are asked for: the ground's forces are the unknown.
        self.mujoco.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONSTRAINT
        names = {self.mujoco.joint(j).name: int(self.mujoco.jnt_qposadr[j]) for j in range(1, self.mujoco.njnt)}
        self.joint_adr = [_find(names, name, "joint") for name in robot.joint_names]
        bodies = {self.mujoco.body(b).name: b for b in range(self.mujoco.nbody)}
        self.body_ids = [_find(bodies, name, "body") for name in robot.body_names]
        self.foot_ids = [_find(bodies, name, "body") for name in robot.foot_body_names]
        self.mass = float(self.mujoco.body_subtreemass[self.body_ids[0]])
        self.soles = [self._sole(body) for body in self.foot_ids]
        """Lowest points of each foot's collision geometry in the foot's frame [m], each of shape (K, 3)."""
        self._stand()

    def _sole(self, body: int) -> np.ndarray:
        """Return the points under the ends of a foot's capsules."""
        points = []
        for geom in np.flatnonzero((self.mujoco.geom_bodyid == body) & (self.mujoco.geom_contype != 0)):
            radius, half = self.mujoco.geom_size[geom, :2]
            axis = _matrix(self.mujoco.geom_quat[geom])[:, 2]
            points += [self.mujoco.geom_pos[geom] + sign * half * axis - (0.0, 0.0, radius) for sign in (-1.0, 1.0)]
        if not points:
            raise ValueError(f"foot '{self.mujoco.body(body).name}' has no collision geometry; a sole is needed")
        return np.array(points)

    def _stand(self) -> None:
        """Find the default stance: feet made flat on the ground below where the default pose puts them."""
        qpos = np.zeros(self.mujoco.nq)
        qpos[3] = 1.0
        qpos[self.joint_adr] = self.robot.default_joint_pos
        self.set(qpos)
        self.foot_height = -float(self.soles[0][:, 2].min())
        """Height of the foot frame above the ground when the sole lies flat [m]."""
        feet = self.data.xpos[self.foot_ids]
        qpos[2] = self.foot_height - float(feet[:, 2].mean())
        self.set(qpos)
        self.default_qpos = qpos
        """Default pose with the feet on the ground, MuJoCo's generalized position."""
        self.default_feet = self.data.xpos[self.foot_ids].copy()
        """Positions of the feet in the default stance [m], shape (2, 3)."""
        self.default_com = self.data.subtree_com[self.body_ids[0]].copy()
        """Centre of mass in the default stance [m], shape (3,)."""

    def set(self, qpos: np.ndarray) -> None:
        """Put the model into a pose and compute the poses of its bodies."""
        import mujoco

        self.data.qpos[:] = qpos
        mujoco.mj_kinematics(self.mujoco, self.data)
        mujoco.mj_comPos(self.mujoco, self.data)


def _find(choices: dict[str, int], name: str, kind: str) -> int:
    if name not in choices:
        raise ValueError(f"{kind} '{name}' is not in the model; it has {', '.join(filter(None, choices))}")
    return choices[name]


def _matrix(wxyz: np.ndarray) -> np.ndarray:
    import mujoco

    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, wxyz)
    return matrix.reshape(3, 3)
