# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""References that no clip holds: frozen, with other arms, with turned wrists, in other directions.

SONIC (NVlabs/GR00T-WholeBodyControl, ``gear_sonic``) trains on such motions. What is done to an environment's
reference is drawn when its episode starts and stays until its end. Nothing here waits for the device.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .frame import MotionFrame
from .kinematics import KinematicTree
from .library import MotionLibrary
from .limbs import Limbs
from .quaternion import quat_apply, quat_mul
from .sampling.plain import UniformSampler


@dataclass(frozen=True)
class AugmentationSettings:
    """How often and how far references are changed; as it stands, never.

    Raises:
        ValueError: On construction, if a probability is not between 0 and 1 or a width is negative.
    """

    freeze_probability: float = 0.0
    """Share of episodes whose clip stands still on its first frame, with all velocities zero [-] (SONIC: 0.1)."""

    splice_probability: float = 0.0
    """Share of episodes in which the upper body follows another clip [-] (SONIC: 0.5)."""

    wrist_probability: float = 0.0
    """Share of episodes in which the wrists are turned by a constant angle each [-] (SONIC: 0.3)."""

    wrist_noise: float = 0.1
    """Standard deviation of these angles [rad] (SONIC: 0.1)."""

    heading_probability: float = 0.0
    """Share of episodes whose reference is turned about the vertical through its first root position [-]."""

    heading_range: float = math.pi
    """Largest such turn, to either side [rad]."""

    upper_body_joints: tuple[str, ...] = (".*_shoulder_.*", ".*_elbow.*", ".*_wrist_.*")
    """Joints that follow the other clip, as regular expressions. The waist is not among them: it balances the legs."""

    wrist_joints: tuple[str, ...] = (".*_wrist_.*",)
    """Joints that are turned, as regular expressions."""

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name in ("freeze_probability", "splice_probability", "wrist_probability", "heading_probability"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"motion augmentation: {name} is {getattr(self, name)}; expected 0 to 1")
        for name in ("wrist_noise", "heading_range"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(f"motion augmentation: {name} is {getattr(self, name)}; expected 0 or more")

    @property
    def active(self) -> bool:
        """Whether anything is ever changed."""
        chances = (self.freeze_probability, self.splice_probability, self.wrist_probability, self.heading_probability)
        return any(chance > 0.0 for chance in chances)


SONIC = AugmentationSettings(
    freeze_probability=0.1, splice_probability=0.5, wrist_probability=0.3, wrist_noise=0.1, heading_probability=1.0
)
"""SONIC's values; that every episode is turned, by any angle, is our reading of its 'heading randomise'."""


class MotionAugmentation:
    """Changes the references of the environments, each by draws of its own.

    :meth:`frames` takes the place of the library's look-up, for all environments or for those that start an episode.

    Args:
        settings: What is done, and how often.
        library: The clips.
        tree: Kinematics of the robot.
        joint_names: Joints of the library's frames, in order.
        body_names: Bodies of the library's frames, in order; the first is the root.
        num_envs: Number of environments.
        joint_limits: Lower and upper limits of the joints [rad], shape (num_joints, 2); turned wrists stop there.

    Raises:
        ValueError: If a pattern matches no joint, or the tree lacks a joint or body that is needed.
    """

    def __init__(
        self,
        settings: AugmentationSettings,
        library: MotionLibrary,
        tree: KinematicTree,
        joint_names: Sequence[str],
        body_names: Sequence[str],
        num_envs: int,
        joint_limits: torch.Tensor | None = None,
    ) -> None:
        self.settings, self._library = settings, library
        device = library.num_frames.device
        upper = _matching(settings.upper_body_joints, joint_names) if settings.splice_probability else []
        wrists = _matching(settings.wrist_joints, joint_names) if settings.wrist_probability else []
        moved = [name for name in joint_names if name in upper or name in wrists]
        self._limbs = Limbs(tree, joint_names, body_names, moved, device) if moved else None
        self._is_upper = torch.tensor([name in upper for name in joint_names], device=device)
        self._is_wrist = torch.tensor([name in wrists for name in joint_names], device=device)
        self._limits = None if joint_limits is None else joint_limits.to(device)
        self._donors = UniformSampler(library.num_frames)
        self._start = torch.zeros(num_envs, dtype=torch.long, device=device)
        self._donor_clip, self._donor_start = torch.zeros_like(self._start), torch.zeros_like(self._start)
        self.frozen = torch.zeros(num_envs, dtype=torch.bool, device=device)
        """Whether each environment's clip stands still, shape (num_envs,)."""
        self.spliced = torch.zeros_like(self.frozen)
        """Whether each environment's upper body follows another clip, shape (num_envs,)."""
        self.turned = torch.zeros_like(self.frozen)
        """Whether each environment's wrists are turned, shape (num_envs,)."""
        self.wrist_offsets = torch.zeros(num_envs, len(joint_names), device=device)
        """Angles by which the wrists of each environment are turned, shape (num_envs, num_joints) [rad]."""
        self.heading = torch.zeros(num_envs, device=device)
        """Angle by which each environment's reference is turned about the vertical, shape (num_envs,) [rad]."""
        self._pivot = torch.zeros(num_envs, 3, device=device)

    def reset(self, env_ids: torch.Tensor, clip_ids: torch.Tensor, steps: torch.Tensor) -> None:
        """Draw what is done in the episodes that start now.

        Args:
            env_ids: Environments, shape (N,).
            clip_ids: Their clips, shape (N,).
            steps: Steps at which they start, shape (N,).
        """
        settings, count = self.settings, len(env_ids)
        self._start[env_ids] = steps
        if settings.freeze_probability:
            self.frozen[env_ids] = self._drawn(settings.freeze_probability, count)
        if settings.splice_probability:
            self.spliced[env_ids] = self._drawn(settings.splice_probability, count)
            self._donor_clip[env_ids], self._donor_start[env_ids] = self._donors.sample(env_ids)
        if settings.wrist_probability:
            turned = self._drawn(settings.wrist_probability, count)
            noise = torch.randn(count, len(self._is_wrist), device=steps.device) * settings.wrist_noise
            self.turned[env_ids] = turned
            self.wrist_offsets[env_ids] = noise * (turned[:, None] & self._is_wrist)
        if settings.heading_probability:
            angle = (2.0 * torch.rand(count, device=steps.device) - 1.0) * settings.heading_range
            self.heading[env_ids] = angle * self._drawn(settings.heading_probability, count)
            self._pivot[env_ids] = self._library.frames(clip_ids, steps).body_pos_w[:, 0]

    def times(self, steps: torch.Tensor, env_ids: torch.Tensor | None = None) -> torch.Tensor:
        """Return the steps at which the clips are looked up: the start's, where the clip stands still.

        Args:
            steps: Steps in the clips, shape (N,).
            env_ids: Environments, shape (N,); None for all.
        """
        if not self.settings.freeze_probability:
            return steps
        return torch.where(_of(self.frozen, env_ids), _of(self._start, env_ids), steps)

    def frames(self, clip_ids: torch.Tensor, steps: torch.Tensor, env_ids: torch.Tensor | None = None) -> MotionFrame:
        """Look up the references and change them as was drawn.

        Args:
            clip_ids: Clips, shape (N,).
            steps: Steps in the clips, shape (N,).
            env_ids: Environments, shape (N,); None for all.
        """
        return self.apply(self._library.frames(clip_ids, self.times(steps, env_ids)), steps, env_ids)

    def apply(self, frame: MotionFrame, steps: torch.Tensor, env_ids: torch.Tensor | None = None) -> MotionFrame:
        """Change frames that were looked up at :meth:`times`.

        Args:
            frame: One frame for each environment, N instants.
            steps: Steps in the clips, shape (N,), as the environment counts them.
            env_ids: Environments, shape (N,); None for all.
        """
        if self._limbs is not None:
            frame = self._change_limbs(self._limbs, frame, steps, env_ids)
        if self.settings.freeze_probability:
            frame = stand_still(frame, _of(self.frozen, env_ids))
        if self.settings.heading_probability:
            frame = turn_heading(frame, _of(self.heading, env_ids), _of(self._pivot, env_ids))
        return frame

    def set_resident(self, resident: torch.Tensor) -> None:
        """Take other clips' upper bodies only from clips on the device, bool, shape (num_clips,).

        Raises:
            ValueError: If no clip is.
        """
        self._donors.set_resident(resident)

    def needs(self, leaving: torch.Tensor) -> torch.Tensor:
        """Return which environments' upper bodies follow a clip that is to leave the device, shape (num_envs,).

        Their episodes must start anew when it does.

        Args:
            leaving: Whether a clip leaves, bool, shape (num_clips,).
        """
        return self.spliced & leaving[self._donor_clip]

    def _drawn(self, probability: float, count: int) -> torch.Tensor:
        return torch.rand(count, device=self._start.device) < probability

    def _change_limbs(
        self, limbs: Limbs, frame: MotionFrame, steps: torch.Tensor, env_ids: torch.Tensor | None
    ) -> MotionFrame:
        """Replace joints and the bodies that hang on them; other environments keep theirs to the bit."""
        joint_pos, joint_vel = frame.joint_pos, frame.joint_vel
        spliced, turned = _of(self.spliced, env_ids), _of(self.turned, env_ids)
        if self.settings.splice_probability:
            donor, direction = self._donor_frames(steps, env_ids)
            theirs = spliced[:, None] & self._is_upper
            joint_pos = torch.where(theirs, donor.joint_pos, joint_pos)
            joint_vel = torch.where(theirs, donor.joint_vel * direction[:, None], joint_vel)
        if self.settings.wrist_probability:
            wanted = joint_pos + _of(self.wrist_offsets, env_ids)
            if self._limits is not None:
                ours = turned[:, None] & self._is_wrist
                held = torch.where(ours, wanted.clamp(self._limits[:, 0], self._limits[:, 1]), wanted)
                joint_vel = torch.where(held == wanted, joint_vel, 0.0)
                wanted = held
            joint_pos = wanted
        moved = limbs.move(frame, joint_pos, joint_vel)
        changed = spliced | turned
        return MotionFrame(*(_where(changed, new, old) for new, old in zip(moved, frame, strict=True)))

    def _donor_frames(self, steps: torch.Tensor, env_ids: torch.Tensor | None) -> tuple[MotionFrame, torch.Tensor]:
        """Return the other clips' frames and the direction in which they are played, 1 or -1, shape (N,).

        A clip that ends before the episode is played back and forth, so that the arms never jump.
        """
        clip = _of(self._donor_clip, env_ids)
        last = self._library.num_frames[clip] - 1
        elapsed = self.times(steps, env_ids) - _of(self._start, env_ids)
        phase = (_of(self._donor_start, env_ids) + elapsed).remainder(2 * last)
        direction = torch.where(phase < last, 1.0, -1.0)
        return self._library.frames(clip, last - (last - phase).abs()), direction


def stand_still(frame: MotionFrame, still: torch.Tensor) -> MotionFrame:
    """Return a frame whose velocities are zero where a mask of shape (N,) says so."""
    return frame._replace(
        joint_vel=_where(still, 0.0, frame.joint_vel),
        body_lin_vel_w=_where(still, 0.0, frame.body_lin_vel_w),
        body_ang_vel_w=_where(still, 0.0, frame.body_ang_vel_w),
    )


def turn_heading(frame: MotionFrame, angle: torch.Tensor, pivot: torch.Tensor) -> MotionFrame:
    """Turn a motion as a whole about the vertical through a point; an angle of zero changes no bit of positions.

    Args:
        frame: N instants.
        angle: Angles, counterclockwise seen from above [rad], shape (N,).
        pivot: Points [m], shape (N, 3); their heights do not matter.
    """
    half = 0.5 * angle
    zero = torch.zeros_like(half)
    quat = torch.stack((zero, zero, half.sin(), half.cos()), dim=-1)[:, None]
    arm = frame.body_pos_w - pivot[:, None]
    return frame._replace(
        # Written as a shift, so that rounding does not touch what is not turned.
        body_pos_w=frame.body_pos_w + (quat_apply(quat, arm) - arm),
        body_quat_w=quat_mul(quat, frame.body_quat_w),
        body_lin_vel_w=quat_apply(quat, frame.body_lin_vel_w),
        body_ang_vel_w=quat_apply(quat, frame.body_ang_vel_w),
    )


def _matching(patterns: Sequence[str], names: Sequence[str]) -> list[str]:
    for pattern in patterns:
        if not any(re.fullmatch(pattern, name) for name in names):
            raise ValueError(f"motion augmentation: no joint matches '{pattern}'; the joints are {', '.join(names)}")
    return [name for name in names if any(re.fullmatch(pattern, name) for pattern in patterns)]


def _of(values: torch.Tensor, env_ids: torch.Tensor | None) -> torch.Tensor:
    """Return the values of some environments."""
    return values if env_ids is None else values[env_ids]


def _where(mask: torch.Tensor, a: torch.Tensor | float, b: torch.Tensor) -> torch.Tensor:
    """Choose between tensors of shape (N, ...) by a mask of shape (N,)."""
    return torch.where(mask.reshape(-1, *[1] * (b.ndim - 1)), a, b)
