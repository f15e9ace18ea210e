# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the doctor measures: every quantity of every frame, from names-checked arrays and the robot's model."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from ..clip import Clip
from ..ground import CollisionPoints
from ..kinematics import forward_kinematics
from ..quaternion import quat_apply
from ..robot import Robot
from ..synthesis.dynamics import GRAVITY
from ..synthesis.quality import generalized_positions
from ..synthesis.robot import RobotModel
from .dynamics import Dynamics, bridged, filtered_derivatives, frame_steps, ground_reaction
from .limits import Limits


class DoctorModel:
    """A robot loaded once for many clips."""

    def __init__(self, robot: Robot) -> None:
        """Load the model.

        Args:
            robot: Facts about the robot.

        Raises:
            ValueError: If the model is not what the robot's names say.
        """
        import mujoco

        self.robot = robot
        self.lock = threading.Lock()
        """Held while the model is in use: a viewer examines in the background."""
        self.dynamics = RobotModel(robot)
        # With constraints disabled, as the dynamics want it, MuJoCo finds no contacts either.
        self.collision = copy.copy(self.dynamics.mujoco)
        self.collision.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
        self.collision_data = mujoco.MjData(self.collision)
        points = CollisionPoints.from_mjcf(robot.mjcf)
        self.point_bodies = points.body_ids.numpy()
        self._offsets, self._radii = points.offsets.double(), points.radii.double()
        self.standing_height = float(self.dynamics.default_qpos[2])
        """Height of the base in the default pose [m]."""

    def points(self, body_pos: np.ndarray, body_quat: np.ndarray) -> np.ndarray:
        """Return the lowest points of the collision shapes' spheres [m], shape (T, P, 3).

        Args:
            body_pos: Positions in the robot's order [m], shape (T, B, 3).
            body_quat: Orientations, xyzw, shape (T, B, 4).
        """
        pos, quat = torch.from_numpy(body_pos), torch.from_numpy(body_quat)
        at = pos[:, self.point_bodies] + quat_apply(quat[:, self.point_bodies], self._offsets)
        at[..., 2] -= self._radii
        return at.numpy()


@lru_cache(maxsize=4)
def doctor_model(robot: Robot) -> DoctorModel:
    """Return the robot's model, loaded once."""
    return DoctorModel(robot)


@dataclass(frozen=True, eq=False)
class Measures:
    """All quantities of T frames that the checks compare with their limits. Arrays begin with T."""

    fps: float
    """Frames per second [1/s]."""

    root_pos: np.ndarray
    """Base in the world [m], shape (T, 3)."""

    steps: np.ndarray
    """Change of the base's position [m] and rotation [rad] and of the joints [rad] per frame, shape (T - 1, 6 + J)."""

    joint_pos: np.ndarray
    """Joint angles in the robot's order [rad], shape (T, J)."""

    joint_vel: np.ndarray
    """Joint speeds by central differences, not filtered: what a library makes of the clip [rad/s], shape (T, J)."""

    tilt: np.ndarray
    """Angle between the base's and the world's up [deg], shape (T,)."""

    yaw: np.ndarray
    """Heading of the base [rad], shape (T,)."""

    lowest: np.ndarray
    """Height of the lowest point of the robot [m], shape (T,)."""

    foot_lowest: np.ndarray
    """The same of each foot [m], shape (T, 2)."""

    slide: np.ndarray
    """Horizontal speed of the slowest point that touches the ground [m/s]; NaN in flight, shape (T,)."""

    lasting_slide: np.ndarray
    """Its median over 0.2 s [m/s]; NaN in flight, shape (T,)."""

    foot_speed: np.ndarray
    """Horizontal speed of the slowest of each foot's lowest points [m/s], shape (T, 2)."""

    floor: float
    """The clip's own ground level [m]."""

    load: np.ndarray
    """Vertical force that the ground must supply, as a share of the weight [-], shape (T,)."""

    carried: np.ndarray
    """Whether the ground carries, bool, shape (T,)."""

    com_margin: np.ndarray
    """Distance of the centre of mass inside the touching points' hull [m]; negative outside; NaN in flight, (T,)."""

    zmp_margin: np.ndarray
    """The same of the zero-moment point."""

    torque: np.ndarray
    """Least torque of each joint that makes the motion, as a share of its limit [-], shape (T, J); NaN in flight."""

    overlap: np.ndarray
    """Depth to which two parts of the robot overlap [m], shape (T,)."""

    overlap_pair: tuple[str, ...]
    """Names of the two shapes that overlap most, T texts."""

    kinematics_error: np.ndarray
    """Largest distance between a stored body and where the joints put it [m], shape (T,)."""


def measure(clip: Clip, robot: Robot, limits: Limits) -> Measures:
    """Measure a clip whose names are the robot's.

    Args:
        clip: The motion.
        robot: The robot.
        limits: What touches and what carries.

    Raises:
        ClipError: If the clip lacks a joint or a body.
    """
    model = doctor_model(robot)
    with model.lock:
        return _measure(clip, robot, limits, model)


def _measure(clip: Clip, robot: Robot, limits: Limits, model: DoctorModel) -> Measures:
    qpos = generalized_positions(clip, model.dynamics)
    bodies = clip.body_indices(robot.body_names)
    body_pos = clip.body_pos_w[:, bodies].astype(np.float64)
    body_quat = clip.body_quat_w[:, bodies].astype(np.float64)
    points = model.points(body_pos, body_quat)
    steps = frame_steps(model.dynamics.mujoco, qpos)
    vel, acc = filtered_derivatives(bridged(steps, limits), clip.fps, limits.cutoff)
    lowest = points[..., 2].min(axis=1)
    touching = points[..., 2] < lowest[:, None] + limits.touch
    dynamics = ground_reaction(model.dynamics, qpos, vel, acc, points, touching, model.point_bodies, limits)
    floor = _floor(lowest, dynamics.carried, limits.floor_share)
    joint_pos = qpos[:, model.dynamics.joint_adr]
    flying = ~dynamics.carried
    overlap, pair = _overlaps(model, qpos)
    feet = [model.point_bodies == robot.body_names.index(name) for name in robot.foot_body_names]
    speed = np.linalg.norm(np.gradient(points[..., :2], axis=0), axis=-1) * clip.fps
    slide = np.where(touching, speed, np.inf).min(axis=1)
    zmp = dynamics.zero_moment_point(floor)
    return Measures(
        fps=clip.fps,
        root_pos=qpos[:, :3],
        steps=steps,
        joint_pos=joint_pos,
        joint_vel=np.gradient(joint_pos, axis=0) * clip.fps,
        tilt=np.degrees(np.arccos(np.clip(1.0 - 2.0 * (qpos[:, 4] ** 2 + qpos[:, 5] ** 2), -1.0, 1.0))),
        yaw=_yaw(qpos[:, 3:7]),
        lowest=lowest,
        foot_lowest=np.stack([points[:, foot, 2].min(axis=1) for foot in feet], axis=1),
        slide=np.where(flying, np.nan, slide),
        lasting_slide=_lasting(slide, flying, clip.fps),
        foot_speed=np.stack([_slowest(points[:, foot, 2], speed[:, foot], limits.touch) for foot in feet], axis=1),
        floor=floor,
        load=dynamics.force[:, 2] / (robot.mass * GRAVITY),
        carried=dynamics.carried,
        com_margin=np.where(flying, np.nan, support_margins(dynamics.com[:, :2], points[..., :2], touching)),
        zmp_margin=np.where(flying, np.nan, support_margins(zmp, points[..., :2], touching)),
        torque=_torque_share(dynamics, robot),
        overlap=overlap,
        overlap_pair=pair,
        kinematics_error=_kinematics_error(robot, body_pos, body_quat, joint_pos),
    )


def support_margins(point: np.ndarray, corners: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return how far points lie inside the convex hulls of others [m], negative outside, for all frames.

    The distance is the least over all directions of how far the hull reaches further than the point. It is looked for
    in steps of 4 degrees, and then of 0.1 degrees around the best: a thousandth of the hull's size is the error.

    Args:
        point: Shape (T, 2).
        corners: Shape (T, P, 2).
        used: Which corners there are, bool, shape (T, P), at least one in each frame.

    Returns:
        Distances [m], shape (T,). A hull of less than two dimensions has no inside.
    """
    coarse = np.radians(np.arange(0.0, 360.0, 4.0))
    fine = np.radians(np.linspace(-4.0, 4.0, 81))
    margins = []
    # Some hundred frames at a time, or long clips would take gigabytes.
    for start in range(0, len(point), 512):
        part = slice(start, start + 512)
        offsets = corners[part] - point[part, None]
        lead = _leads(offsets, used[part], np.tile(coarse, (len(offsets), 1)))
        around = coarse[lead.argmin(axis=1)][:, None] + fine
        margins.append(_leads(offsets, used[part], around).min(axis=1))
    return np.concatenate(margins)


def _leads(offsets: np.ndarray, used: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return how far the used points reach in directions given for each frame, shape (T, P, 2), (T, P), (T, K)."""
    ever = used.any(axis=0)
    x, y = offsets[:, ever, :1], offsets[:, ever, 1:]
    reach = x * np.cos(angles)[:, None] + y * np.sin(angles)[:, None]
    return np.where(used[:, ever, None], reach, -np.inf).max(axis=1)


def _floor(lowest: np.ndarray, carried: np.ndarray, share: float) -> float:
    return float(np.quantile(lowest[carried] if carried.any() else lowest, share))


def _yaw(wxyz: np.ndarray) -> np.ndarray:
    w, x, y, z = wxyz.T
    return np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def _slowest(height: np.ndarray, speed: np.ndarray, touch: float) -> np.ndarray:
    return np.where(height < height.min(axis=1, keepdims=True) + touch, speed, np.inf).min(axis=1)


def _lasting(slide: np.ndarray, flying: np.ndarray, fps: float, seconds: float = 0.2) -> np.ndarray:
    """Return the median over a short time, which leaves out the frames in which one foot takes over from the other."""
    from scipy.ndimage import median_filter

    width = min(2 * int(0.5 * seconds * fps) + 1, len(slide))
    return np.where(flying, np.nan, median_filter(np.where(flying, 0.0, slide), width, mode="nearest"))


def _torque_share(dynamics: Dynamics, robot: Robot) -> np.ndarray:
    share = np.full(dynamics.torque.shape, np.nan)
    if robot.joint_effort_limits:
        share[dynamics.carried] = np.abs(dynamics.torque[dynamics.carried]) / robot.joint_effort_limits
    return share


def _kinematics_error(robot: Robot, pos: np.ndarray, quat: np.ndarray, joint_pos: np.ndarray) -> np.ndarray:
    root = torch.from_numpy(pos[:, 0]), torch.from_numpy(quat[:, 0])
    made, _ = forward_kinematics(robot.tree.to(dtype=torch.float64), *root, torch.from_numpy(joint_pos))
    return np.linalg.norm(made.numpy() - pos, axis=-1).max(axis=1)


def _overlaps(model: DoctorModel, qpos: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the depth of the worst overlap of each frame and who overlaps."""
    import mujoco

    m, data = model.collision, model.collision_data
    depth, pairs = np.zeros(len(qpos)), []
    for i, q in enumerate(qpos):
        data.qpos[:] = q
        mujoco.mj_kinematics(m, data)
        mujoco.mj_comPos(m, data)
        mujoco.mj_collision(m, data)
        pair = ""
        if data.ncon:
            contact = data.contact
            worst = int(np.argmin(contact.dist))
            depth[i] = max(0.0, -float(contact.dist[worst]))
            names = (m.geom(int(geom)).name.removesuffix("_collision") for geom in contact.geom[worst])
            pair = " and ".join(names).replace("_", " ")
        pairs.append(pair)
    return depth, tuple(pairs)
