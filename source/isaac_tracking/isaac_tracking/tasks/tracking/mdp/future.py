# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The reference from now on, as far as observations look ahead."""

from __future__ import annotations

from typing import NamedTuple

import torch

from ....motion.frame import MotionFrame


class Future(NamedTuple):
    """Joints and root of the reference at K steps from now, for N environments."""

    joint_pos: torch.Tensor
    """Joint angles [rad], shape (N, K, num_joints)."""

    root_pos_w: torch.Tensor
    """Positions of the root in the world [m], shape (N, K, 3)."""

    root_quat_w: torch.Tensor
    """Orientations of the root, xyzw, shape (N, K, 4)."""

    @classmethod
    def of(cls, frame: MotionFrame, count: int, origins: torch.Tensor) -> Future:
        """Take what is needed of frames, of which the root is the first body.

        Args:
            frame: N * K instants, those of an environment one after another, with the clips' own origins.
            count: K, the number of steps.
            origins: Where the environments lie in the world [m], shape (N, 3).
        """
        return cls(
            frame.joint_pos.unflatten(0, (-1, count)),
            frame.body_pos_w[:, 0].unflatten(0, (-1, count)) + origins[:, None],
            frame.body_quat_w[:, 0].unflatten(0, (-1, count)),
        )
