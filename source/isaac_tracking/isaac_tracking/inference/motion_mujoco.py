# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A motion in MuJoCo: the robot's model on a ground, put into poses by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..motion.clip import ClipError
from ..motion.robot import Robot


class MujocoPuppet:
    """The model of a robot, its base and joints set from outside; nothing is simulated."""

    def __init__(self, robot: Robot):
        """Compile the model, with a ground and a sky.

        Args:
            robot: Whose model it is.
        """
        # Heavy, and needed by the viewer alone.
        import mujoco

        spec = mujoco.MjSpec.from_file(str(robot.mjcf))
        _add_ground(spec)
        self.model: Any = spec.compile()
        """MuJoCo's model."""
        self.data: Any = mujoco.MjData(self.model)
        """MuJoCo's data; what is seen."""
        self._robot, self._update = robot, mujoco.mj_forward
        self._base = self.model.jnt_qposadr[self.model.body(robot.body_names[0]).jntadr[0]]
        self._places: dict[tuple[str, ...], np.ndarray] = {}
        self.data.qpos[self._base : self._base + 7] = 0.0, 0.0, 0.8, 1.0, 0.0, 0.0, 0.0
        self.pose(robot.joint_names, robot.default_joint_pos)

    def pose(
        self,
        joint_names: Sequence[str],
        joint_pos: Sequence[float] | np.ndarray,
        base_pos: np.ndarray | None = None,
        base_quat: np.ndarray | None = None,
    ) -> None:
        """Put the robot into a pose.

        Args:
            joint_names: Names of the J joints: all of the robot's, in any order.
            joint_pos: Their angles [rad], shape (J,).
            base_pos: Position of the base in the world [m], shape (3,); left where it is if None.
            base_quat: Orientation of the base in the world, xyzw, shape (4,); left as it is if None.

        Raises:
            ClipError: If the joints are not the robot's.
        """
        self.data.qpos[self._place(tuple(joint_names))] = joint_pos
        if base_pos is not None:
            self.data.qpos[self._base : self._base + 3] = base_pos
        if base_quat is not None:
            self.data.qpos[self._base + 3 : self._base + 7] = np.asarray(base_quat)[[3, 0, 1, 2]]
        self._update(self.model, self.data)

    def _place(self, joint_names: tuple[str, ...]) -> np.ndarray:
        """Return where the joints stand in MuJoCo's state."""
        if joint_names not in self._places:
            wrong = sorted(set(joint_names) ^ set(self._robot.joint_names))
            if wrong:
                raise ClipError(
                    f"joint '{wrong[0]}' is missing or not of robot '{self._robot.name}';"
                    f" expected {', '.join(self._robot.joint_names)}; show a motion of that robot"
                )
            # A publisher that keeps changing the order must not fill the memory.
            self._places.clear()
            self._places[joint_names] = np.array(
                [self.model.jnt_qposadr[self.model.joint(name).id] for name in joint_names]
            )
        return self._places[joint_names]


def _add_ground(spec: Any) -> None:
    """Add what the robot's file lacks to be looked at: a checkered ground, a sky and a lamp."""
    import mujoco

    spec.add_texture(
        name="ground",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=(0.80, 0.82, 0.85),
        rgb2=(0.72, 0.75, 0.79),
        width=256,
        height=256,
    )
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=(0.85, 0.90, 0.95),
        rgb2=(0.45, 0.55, 0.68),
        width=256,
        height=1536,
    )
    ground = spec.add_material(name="ground", texrepeat=(1.0, 1.0), texuniform=True)
    ground.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "ground"
    spec.worldbody.add_geom(
        name="ground",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(0.0, 0.0, 0.05),
        material="ground",
        contype=0,
        conaffinity=0,
    )
    sun = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    spec.worldbody.add_light(
        type=sun, pos=(0.0, 0.0, 4.0), dir=(0.3, 0.2, -1.0), diffuse=(0.5, 0.5, 0.5), castshadow=False
    )
