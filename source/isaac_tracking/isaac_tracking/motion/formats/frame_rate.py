# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The frame rate of a file that does not state it: gravity is the clock, and the pace of bodies a second witness.

Standing on one foot, the robot's mass accelerates in proportion to how far it is beside that foot, as an inverted
pendulum does. In a file, that acceleration is in metres per frame squared: the factor is the frame rate squared.
Motion capture is noisy, so the factor is known to a fifth only; that tells 30 from 60, not 50 from 60. Motions whose
dynamics are consistent, such as simulated ones, give it to 5 %.

Where the robot is never on one foot, the pace decides: how fast the joints are, and how quickly their speed changes.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ..kinematics import forward_kinematics
from ..quaternion import quat_apply
from ..robot import Robot
from .stance import collision_points

CONVENTION = 30.0
"""Frame rate of tables that tell nothing [1/s]: that of Unitree's retargeted LAFAN1."""

_COARSE = {30.0: 0.6, 60.0: 0.38, 120.0: 0.02}
"""Frame rates of motion files [1/s] and how common they are: an estimate, and only their order matters much."""

_PACE_RATES = {30.0: 0.6, 60.0: 0.4}
"""The same where the pace alone decides: it does not know a slow dance from a fast one at half the rate."""

_FINE = {25.0: 0.1, 30.0: 0.3, 50.0: 0.2, 60.0: 0.2, 100.0: 0.1, 120.0: 0.1}
"""The same where the dynamics are known well enough to tell neighbours apart."""

_SMOOTHING = 0.05
"""Time over which positions are smoothed before they are differentiated twice [s]: capture noise is faster."""

_GRAVITY = 9.81
_MAX_FRAMES = 3000
_MIN_FRAMES = 15
"""Frames on one foot from which gravity is asked."""

_WEAK, _STRONG = 0.12, 0.9
"""Correlation of acceleration and lever arm: below the first gravity says nothing, above the second all."""

_SPREAD = {"weak": 0.2, "strong": 0.05}
"""Standard deviation of the logarithm of the frame rate by gravity."""

_PACE_MEAN = np.log((1.5, 1.2))
_PACE_COVARIANCE = np.array(((0.105, 0.039), (0.039, 0.18)))
"""Mean and covariance of the logarithms of the frequency [Hz] below which half of the energy of the joint speeds
lies, and of the joint speeds' root mean square [rad/s]; over 27 recorded motions of the G1 (walks, a run, dances,
karate, gestures), the covariance widened by 0.02 against so small a sample."""

_OUTLIER = 12.0
"""Squared distance from that mean, in standard deviations, beyond which the pace says nothing."""

_SURE = 0.9
RATE_IN_NAME = re.compile(
    r"(?<![0-9.])(\d{2,3}(?:\.\d+)?)[ _-]?(?:fps|hz)|(?:fps|hz)[ _=-]?(\d{2,3}(?:\.\d+)?)", re.IGNORECASE
)
"""A frame rate in the name of a file, e.g. ``30fps``."""


@dataclass(frozen=True)
class FrameRate:
    """A frame rate that was found out."""

    fps: float
    """Frames per second [1/s]."""

    sure: bool
    """Whether gravity decides, among the rates it was asked for; otherwise it is the likeliest guess."""

    sentence: str
    """How it was found; begins with "assumed" unless it is sure."""


def frame_rate_in_name(path: Path) -> FrameRate | None:
    """Return the frame rate that the name of the file or of its folder states, e.g. ``walk_30fps.csv``."""
    # A path from within its folder does not name that folder.
    for text in (path.stem, Path(os.path.abspath(path)).parent.name):
        found = list(RATE_IN_NAME.finditer(text))
        if found:
            fps = float(found[-1].group(1) or found[-1].group(2))
            return FrameRate(fps, True, f"{fps:g} fps by the name '{text}'")
    return None


def estimate_frame_rate(robot: Robot, pos: np.ndarray, quat: np.ndarray, joint_pos: np.ndarray) -> FrameRate:
    """Return the likeliest frame rate of a motion.

    Args:
        robot: The robot.
        pos: Positions of the base, z up [m], shape (T, 3).
        quat: Orientations of the base, xyzw, of unit length, shape (T, 4).
        joint_pos: Joint angles in the robot's order [rad], shape (T, J).
    """
    middle = max(0, (len(pos) - _MAX_FRAMES) // 2)
    cut = slice(middle, middle + _MAX_FRAMES)
    gravity = Pendulum(robot, pos[cut], quat[cut], joint_pos[cut])
    heard = gravity.frames >= _MIN_FRAMES and gravity.correlation(CONVENTION) >= _WEAK
    strong = heard and gravity.correlation(CONVENTION) >= _STRONG
    candidates = _FINE if strong else _COARSE if heard else _PACE_RATES
    scores = {fps: float(np.log(prior)) for fps, prior in candidates.items()}
    witnesses = []
    if heard:
        spread = _SPREAD["strong" if strong else "weak"]
        for fps in scores:
            # A frame rate at which gravity finds nothing at all is no better than one that it misses by a factor 3.
            miss = np.log(max(gravity.frame_rate(fps), 1.0) / fps) / spread
            scores[fps] -= 0.5 * min(float(miss**2), (np.log(3.0) / spread) ** 2)
        witnesses.append("the sway over one foot")
    pace = {fps: _pace(joint_pos, fps) for fps in scores}
    if not strong and min(pace.values()) < _OUTLIER:
        for fps, distance in pace.items():
            # Student's t with 4 degrees of freedom: few samples, and motions unlike them.
            scores[fps] -= 3.0 * float(np.log1p(distance / 4.0))
        witnesses.append("the pace of the joints")
    return _verdict(scores, witnesses, heard)


def _verdict(scores: dict[float, float], witnesses: list[str], heard: bool) -> FrameRate:
    if not witnesses:
        return FrameRate(
            CONVENTION, False, f"assumed {CONVENTION:g} fps, the convention: the motion does not tell; --fps decides"
        )
    best = max(scores, key=scores.__getitem__)
    probability = 1.0 / sum(float(np.exp(score - scores[best])) for score in scores.values())
    by = " and ".join(witnesses)
    if heard and probability >= _SURE:
        among = ", ".join(f"{fps:g}" for fps in scores if fps != best)
        return FrameRate(best, True, f"{best:g} fps, rather than {among}, by {by}")
    return FrameRate(best, False, f"assumed {best:g} fps, {probability:.0%} likely by {by}; --fps decides")


def _pace(joint_pos: np.ndarray, fps: float) -> float:
    """Return the squared distance of a motion's pace from that of recorded motions, were this its frame rate."""
    steps = np.diff(joint_pos, axis=0)
    speed = float(np.sqrt((steps**2).mean()))
    if len(steps) < 8 or speed < 1e-9:
        return float("inf")
    steps = (steps - steps.mean(axis=0)) * np.hanning(len(steps))[:, None]
    energy = (np.abs(np.fft.rfft(steps, axis=0)) ** 2).sum(axis=1)
    share = np.cumsum(energy) / max(energy.sum(), 1e-30)
    half = float(np.interp(0.5, share, np.fft.rfftfreq(len(steps))))
    offset = np.log(np.maximum((half, speed), 1e-9)) + np.log(fps) - _PACE_MEAN
    return float(offset @ np.linalg.solve(_PACE_COVARIANCE, offset))


@lru_cache(maxsize=4)
def _masses(robot: Robot) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each body in the robot's mass, shape (B,), and its centre of mass [m], shape (B, 3)."""
    import mujoco

    model = mujoco.MjModel.from_xml_path(str(robot.mjcf))
    ids = [model.body(name).id for name in robot.body_names]
    return model.body_mass[ids] / model.body_mass[ids].sum(), np.array(model.body_ipos[ids])


class Pendulum:
    """The moments about the foot that a robot stands on, in frames in place of seconds.

    With the weight W and the bodies' masses as shares of the whole, at positions x (horizontal) and z above the foot
    point p, the ground pushes at p alone if g (x_com - p) = fps^2 sum m (z x'' - (x - p) z''), where '' is the second
    difference per frame. The turning of each body about its own centre is left out.

    Args:
        robot: The robot.
        pos, quat, joint_pos: The motion, as for :func:`estimate_frame_rate`.
    """

    def __init__(self, robot: Robot, pos: np.ndarray, quat: np.ndarray, joint_pos: np.ndarray) -> None:
        tree = robot.tree.to(dtype=torch.float64)
        body_pos, body_quat = forward_kinematics(tree, *(torch.from_numpy(a) for a in (pos, quat, joint_pos)))
        self._shares, centres = _masses(robot)
        self._com = (body_pos + quat_apply(body_quat, torch.from_numpy(centres).expand_as(body_pos))).numpy()
        soles = [_sole(robot, name, body_pos, body_quat) for name in robot.foot_body_names]
        heights = np.stack([sole[..., 2].min(axis=1) for sole in soles], axis=1)
        self._ground = float(np.quantile(heights.min(axis=1), 0.1))
        low, high = heights < self._ground + 0.03, heights > self._ground + 0.05
        self._foot = np.where(low[:, 0] & high[:, 1], 0, np.where(low[:, 1] & high[:, 0], 1, -1))[1:-1]
        self._feet = np.stack([sole.mean(axis=1)[1:-1, :2] for sole in soles], axis=1)
        self.frames = int((self._foot >= 0).sum())
        """Frames on one foot."""

        self._cache: dict[float, tuple[np.ndarray, np.ndarray]] = {}

    def _sides(self, fps: float) -> tuple[np.ndarray, np.ndarray]:
        """Return both sides of the balance on one foot: g times the lever arm, and the moment a frame squared."""
        if fps not in self._cache:
            com = _smooth(self._com, _SMOOTHING * fps)
            second = com[2:] - 2.0 * com[1:-1] + com[:-2]
            rows = np.flatnonzero(self._foot >= 0)
            com, second = com[1:-1][rows], second[rows]
            foot = self._feet[rows, self._foot[rows]]
            shares = self._shares[:, None]
            lever = (com[..., :2] - foot[:, None]) * shares
            height = com[..., 2:] - self._ground
            moment = (shares * height * second[..., :2] - lever * second[..., 2:]).sum(axis=1)
            self._cache[fps] = (_GRAVITY * lever.sum(axis=1).reshape(-1), moment.reshape(-1))
        return self._cache[fps]

    def correlation(self, fps: float) -> float:
        """Return how well both sides agree, from -1 to 1, with positions smoothed as for this frame rate."""
        lever, moment = self._sides(fps)
        size = float(np.sqrt((lever**2).sum() * (moment**2).sum()))
        return float((lever * moment).sum()) / size if size > 1e-12 else 0.0

    def frame_rate(self, fps: float) -> float:
        """Return the frame rate by gravity [1/s], with positions smoothed as for this frame rate.

        The ratio of the sizes of both sides, which neither side's noise pulls down alone (reduced major axis).
        """
        lever, moment = self._sides(fps)
        return float(((lever**2).sum() / max((moment**2).sum(), 1e-30)) ** 0.25)


def _sole(robot: Robot, body: str, body_pos: torch.Tensor, body_quat: torch.Tensor) -> np.ndarray:
    """Return the points that a foot stands on, in the world [m], shape (T, points, 3)."""
    points = collision_points(robot)
    index = robot.body_names.index(body)
    offsets = points.offsets[points.body_ids == index].double()
    world = body_pos[:, index : index + 1] + quat_apply(body_quat[:, index : index + 1], offsets)
    world[..., 2] -= points.radii[points.body_ids == index].double()
    return world.numpy()


def _smooth(values: np.ndarray, width: float) -> np.ndarray:
    """Return the values smoothed along the frames by a Gaussian of this width [frames]; the ends stand still."""
    reach = max(1, int(4.0 * width))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-3)) ** 2)
    taps /= taps.sum()
    padded = np.concatenate((np.repeat(values[:1], reach, axis=0), values, np.repeat(values[-1:], reach, axis=0)))
    result = np.zeros_like(values)
    for shift, tap in enumerate(taps):
        result += tap * padded[shift : shift + len(values)]
    return result
