# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The robot as retargeting sees it: which body is which part of a person, and how long its limbs are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..clip import ClipError
from ..ground import CollisionPoints
from ..kinematics import forward_kinematics
from ..robot import Robot
from ..synthesis.robot import RobotModel

_SIDES = ("left", "right")


@dataclass(frozen=True, eq=False)
class Humanoid:
    """Parts and sizes of a robot with two legs and two arms. Pairs and first dimensions of two are left, right."""

    model: RobotModel
    """The robot in MuJoCo, with its soles."""

    pelvis: str
    """Name of the floating base."""
    torso: str
    """Name of the body that carries both arms."""
    knee: tuple[str, str]
    """Names of the bodies whose origins are the knees; likewise the next four."""
    ankle: tuple[str, str]
    shoulder: tuple[str, str]
    elbow: tuple[str, str]
    wrist: tuple[str, str]

    hip_offset: np.ndarray
    """Centres of the hips in the pelvis' frame [m], shape (2, 3): on the pitch axes, as wide apart as the roll axes."""
    torso_offset: np.ndarray
    """Origin of the torso in the pelvis' frame at zero angles [m], shape (3,)."""
    shoulder_offset: np.ndarray
    """Shoulders in the torso's frame [m], shape (2, 3)."""
    leg_length: float
    """From hip to ankle with the knee straight [m]."""
    arm_lengths: tuple[float, float]
    """From shoulder to elbow and from elbow to wrist [m]."""

    heel: np.ndarray
    """Middle of the back edges of the soles in the ankles' frames [m], shape (2, 3)."""
    toe: np.ndarray
    """Middle of the front edges of the soles, likewise."""

    foot_spheres: tuple[tuple[np.ndarray, np.ndarray], ...]
    """Centres (K, 3) in the ankle's frame and radii (K,) [m] of the spheres whose hull each foot's shapes are."""

    collision: CollisionPoints
    """The same of the whole robot."""

    @property
    def hip_width(self) -> float:
        """Half the distance of the hips [m]."""
        return float(np.abs(self.hip_offset[:, 1]).mean())

    @property
    def foot_height(self) -> float:
        """Height of an ankle above the ground when the sole is flat [m]."""
        return self.model.foot_height


def humanoid(robot: Robot) -> Humanoid:
    """Find the parts of a robot by the names of its bodies.

    Raises:
        ClipError: If a part is not found.
    """
    model = RobotModel(robot)
    parts = {
        "torso": next((name for name in robot.body_names if "torso" in name), None),
        **{f"{side} {part}": _body(robot, side, part) for side in _SIDES for part in _PARTS},
    }
    missing = [part for part, name in parts.items() if name is None]
    if missing:
        raise ClipError(
            f"robot '{robot.name}' has no body for {', '.join(missing)}; expected a humanoid with names like"
            " left_knee_link; human motion cannot be retargeted to it"
        )
    names = {part: (str(parts[f"left {part}"]), str(parts[f"right {part}"])) for part in _PARTS}
    at = _zero_pose(robot)
    pelvis, torso = robot.body_names[0], str(parts["torso"])
    hips = np.array(
        [
            [*at[pitch][[0]], at[roll][1], at[pitch][2]]
            for pitch, roll in zip(names["hip_pitch"], names["hip_roll"], strict=True)
        ]
    )
    ankles, elbows, wrists = (np.array([at[name] for name in names[part]]) for part in ("ankle", "elbow", "wrist"))
    shoulders = np.array([at[name] for name in names["shoulder"]])
    front = [sole[sole[:, 0] > sole[:, 0].max() - _EDGE].mean(axis=0) for sole in model.soles]
    back = [sole[sole[:, 0] < sole[:, 0].min() + _EDGE].mean(axis=0) for sole in model.soles]
    collision = CollisionPoints.from_mjcf(robot.mjcf)
    return Humanoid(
        model=model,
        pelvis=pelvis,
        torso=torso,
        **{part: names[part] for part in ("knee", "ankle", "shoulder", "elbow", "wrist")},
        hip_offset=hips - at[pelvis],
        torso_offset=at[torso] - at[pelvis],
        shoulder_offset=shoulders - at[torso],
        leg_length=float(np.linalg.norm((hips - ankles)[:, [0, 2]], axis=-1).mean()),
        arm_lengths=(
            float(np.linalg.norm(shoulders - elbows, axis=-1).mean()),
            float(np.linalg.norm(elbows - wrists, axis=-1).mean()),
        ),
        heel=np.array(back),
        toe=np.array(front),
        foot_spheres=tuple(_spheres(collision, robot.body_names.index(name)) for name in names["ankle"]),
        collision=collision,
    )


_EDGE = 0.01
"""Points of a sole this close to its foremost or rearmost one are its edge [m]."""

_PARTS = {
    "hip_pitch": "hip_pitch",
    "hip_roll": "hip_roll",
    "knee": "knee",
    "ankle": "",
    "shoulder": "shoulder_roll",
    "elbow": "elbow",
    "wrist": "wrist_yaw",
}


def _body(robot: Robot, side: str, part: str) -> str | None:
    if part == "ankle":
        return robot.foot_body_names[_SIDES.index(side)]
    return next((name for name in robot.body_names if name.startswith(f"{side}_{_PARTS[part]}")), None)


def _spheres(points: CollisionPoints, body: int) -> tuple[np.ndarray, np.ndarray]:
    here = points.body_ids == body
    return points.offsets[here].double().numpy(), points.radii[here].double().numpy()


def _zero_pose(robot: Robot) -> dict[str, np.ndarray]:
    """Return the positions of the bodies with all joint angles zero [m]."""
    still = torch.zeros(1, len(robot.joint_names))
    pos, _ = forward_kinematics(robot.tree, torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 0.0, 1.0]]), still)
    return {name: pos[0, i].double().numpy() for i, name in enumerate(robot.body_names)}
