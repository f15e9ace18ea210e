# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A robot as motions see it: names, limits, masses and kinematics, passed in by the caller."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .clip import Clip
from .kinematics import KinematicTree, forward_kinematics


@dataclass(frozen=True)
class Robot:
    """Facts about a robot, given by the caller since this room knows no robot; its model is read when asked for."""

    name: str
    """Name written into the clips, e.g. ``"unitree_g1"``."""

    mjcf: Path
    """Model with a free joint at the base."""

    joint_names: tuple[str, ...]
    """The J joints in the order of the clips, which is the model's: depth first."""

    body_names: tuple[str, ...]
    """The B bodies in the order of the clips, which is the model's, the base first."""

    default_joint_pos: tuple[float, ...]
    """Joint angles of the default standing pose [rad], J numbers."""

    foot_body_names: tuple[str, ...]
    """Bodies that carry the soles; of a humanoid the left one and the right one."""

    joint_speed_limits: tuple[float, ...] = ()
    """Peak speed of each joint [rad/s], J numbers; empty if unknown."""

    joint_effort_limits: tuple[float, ...] = ()
    """Peak torque of each joint [N m], J numbers; empty if unknown."""

    @cached_property
    def tree(self) -> KinematicTree:
        """Kinematics of the model, float32 on the CPU.

        Raises:
            ValueError: If the model's joints or bodies are not those named here, in this order.
        """
        tree = KinematicTree.from_mjcf(self.mjcf)
        if tree.joint_names != self.joint_names or tree.body_names != self.body_names:
            raise ValueError(f"robot '{self.name}': joints and bodies of {self.mjcf.name} are not the expected ones")
        return tree

    @cached_property
    def joint_pos_limits(self) -> np.ndarray:
        """Lower and upper limit of each joint [rad], shape (J, 2)."""
        model = self._model
        return np.array([model.jnt_range[model.joint(name).id] for name in self.joint_names])

    @cached_property
    def mass(self) -> float:
        """Mass of all bodies [kg]."""
        model = self._model
        return float(model.body_subtreemass[model.body(self.body_names[0]).id])

    @cached_property
    def _model(self) -> Any:
        # Only those who read models need MuJoCo.
        import mujoco

        return mujoco.MjModel.from_xml_path(str(self.mjcf))

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: all but the model, whose meshes take 70 MB and which any process can read again."""
        return {name: value for name, value in self.__dict__.items() if name != "_model"}

    def clip(
        self, name: str, fps: float, root_pos: np.ndarray, root_quat: np.ndarray, joint_pos: np.ndarray, **more: object
    ) -> Clip:
        """Make a clip from generalized positions; the bodies follow by forward kinematics.

        Args:
            name: Name of the motion.
            fps: Frames per second [1/s].
            root_pos: Positions of the base in the world [m], shape (T, 3).
            root_quat: Orientations of the base in the world, xyzw, shape (T, 4); they need not be of unit length.
            joint_pos: Joint angles in the order of :attr:`joint_names` [rad], shape (T, J).
            more: Further fields of the clip, e.g. ``source``.

        Returns:
            The clip, with the robot's name and mass.

        Raises:
            ClipError: If the motion is not a valid clip.
            ValueError: If the number of joints is not the robot's.
        """
        # Double precision up the chain: a file's round trip must be exact to 1e-5.
        tree = self.tree.to(dtype=torch.float64)
        quat = torch.from_numpy(np.asarray(root_quat, dtype=np.float64))
        quat = quat / torch.linalg.vector_norm(quat, dim=-1, keepdim=True).clamp_min(1e-12)
        pos, quat = forward_kinematics(
            tree,
            torch.from_numpy(np.asarray(root_pos, dtype=np.float64)),
            quat,
            torch.from_numpy(np.asarray(joint_pos, dtype=np.float64)),
        )
        return Clip(
            name=name,
            fps=fps,
            joint_names=self.joint_names,
            body_names=self.body_names,
            joint_pos=joint_pos,
            body_pos_w=pos.numpy(),
            body_quat_w=quat.numpy(),
            robot=self.name,
            robot_mass=self.mass,
            **more,
        )
