# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Many clips on one device, resampled to the control rate, any frame of any clip in one gather."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .clip import Clip
from .frame import MotionFrame
from .kinematics import joint_velocities, velocities
from .quaternion import quat_slerp


class MotionLibrary:
    """Clips laid end to end in one tensor of shape (total_frames, 2 * num_joints + 13 * num_bodies).

    A frame is named by a clip and a step at the control rate. The cost of a lookup does not depend on the number
    of clips or on their lengths, and nothing is copied between host and device.

    Args:
        clips: The clips; joints and bodies are mapped by name.
        joint_names: Joints of a frame, in order.
        body_names: Bodies of a frame, in order.
        rate: Control rate [Hz]; clips of another rate are interpolated.
        device: Where the frames are kept.

    Raises:
        ClipError: If a clip lacks a joint or a body.
        ValueError: If there is no clip.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        joint_names: Sequence[str],
        body_names: Sequence[str],
        rate: float,
        device: str | torch.device = "cpu",
    ) -> None:
        if not clips:
            raise ValueError("motion library: no clip was given; name at least one motion")
        self.names = tuple(clip.name for clip in clips)
        self.rate = rate
        self.num_joints, self.num_bodies = len(joint_names), len(body_names)
        packed = [_pack(_resample(clip, joint_names, body_names, rate)) for clip in clips]
        lengths = torch.tensor([len(frames) for frames in packed])
        self._frames = torch.cat(packed).to(device)
        self.num_frames = lengths.to(device)
        """Number of frames of each clip at the control rate, shape (num_clips,)."""
        self._first = (lengths.cumsum(0) - lengths).to(device)
        self._sections = [self.num_joints] * 2 + [self.num_bodies * width for width in (3, 4, 3, 3)]

    @property
    def num_clips(self) -> int:
        """Number of clips."""
        return len(self.names)

    @property
    def total_frames(self) -> int:
        """Number of frames of all clips together."""
        return len(self._frames)

    @property
    def duration(self) -> float:
        """Length of all clips together [s]."""
        return self.total_frames / self.rate

    def frames(self, clip_ids: torch.Tensor, steps: torch.Tensor) -> MotionFrame:
        """Look up one frame per query, the last frame of a clip for every step after its end.

        Args:
            clip_ids: Clips, shape (N,), integer.
            steps: Steps from each clip's start at the control rate, shape (N,), integer.

        Returns:
            The frames; positions are those of the clips, with their own origin on the ground.
        """
        rows = self._first[clip_ids] + torch.minimum(steps, self.num_frames[clip_ids] - 1).clamp_min(0)
        parts = self._frames[rows].split(self._sections, dim=-1)
        shapes = (self.num_bodies, -1)
        return MotionFrame(parts[0], parts[1], *(part.unflatten(-1, shapes) for part in parts[2:]))


def _resample(clip: Clip, joint_names: Sequence[str], body_names: Sequence[str], rate: float) -> MotionFrame:
    """Interpolate a clip to a rate and derive velocities that agree with the new poses."""
    joint_pos = torch.from_numpy(clip.joint_pos[:, clip.joint_indices(joint_names)]).float()
    bodies = clip.body_indices(body_names)
    pos = torch.from_numpy(clip.body_pos_w[:, bodies]).float()
    quat = torch.from_numpy(clip.body_quat_w[:, bodies]).float()
    if abs(clip.fps - rate) > 1e-6:
        # The last sample may lie up to one period before the clip's end: a clip is never extrapolated.
        count = int(clip.duration * rate + 1e-6) + 1
        at = torch.arange(count, dtype=torch.float64) * (clip.fps / rate)
        before = at.floor().long().clamp(max=clip.num_frames - 2)
        weight = (at - before).float()
        joint_pos = joint_pos[before].lerp(joint_pos[before + 1], weight[:, None])
        pos = pos[before].lerp(pos[before + 1], weight[:, None, None])
        quat = quat_slerp(quat[before], quat[before + 1], weight[:, None, None].expand(-1, quat.shape[1], 1))
    lin_vel, ang_vel = velocities(pos, quat, rate)
    return MotionFrame(joint_pos, joint_velocities(joint_pos, rate), pos, quat, lin_vel, ang_vel)


def _pack(frame: MotionFrame) -> torch.Tensor:
    """Lay the fields of T frames side by side, shape (T, 2 * num_joints + 13 * num_bodies)."""
    return torch.cat([part.flatten(1) for part in frame], dim=-1)
