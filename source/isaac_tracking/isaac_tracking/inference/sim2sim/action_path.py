# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The way of an action from the policy to the motors, as the contract says: numpy alone, nothing of Isaac Lab."""

from __future__ import annotations

import numpy as np

from ..policy_contract import PolicyContract


class ActionPath:
    """Joint targets of each physics step, from what the policy answered in each control step.

    The delay of the training is no part of it: a real robot has its own, and :class:`.settings.Mismatch` another.

    Args:
        contract: The policy's contract.
    """

    def __init__(self, contract: PolicyContract) -> None:
        action = contract.action
        self._default = np.array(contract.default_joint_pos)
        self._joints = [contract.joint_names.index(name) for name in action.joint_names]
        self._scale = np.array(action.scale)
        self._offset = None if action.offset is None else np.array(action.offset)
        self._clip = None if action.clip is None else np.array(action.clip).T
        self._count = contract.decimation
        self._smoothing = 1.0 if action.smoothing is None else action.smoothing
        self._boot = (action.boot_steps or 0) * contract.decimation
        self.reset(self._default)

    def reset(self, joint_pos: np.ndarray) -> None:
        """Begin an episode.

        Args:
            joint_pos: Joint angles of the robot at its start [rad], shape (J,).
        """
        self._start = self._clipped(joint_pos[self._joints])
        self._applied = np.zeros(len(self._joints))
        self._elapsed = 0

    @property
    def boot_remaining(self) -> float:
        """Share of the start pose in the next physics step's targets, from 1 at the start to 0 [-]."""
        return max(0.0, 1.0 - self._elapsed / self._boot) if self._boot else 0.0

    def targets(self, action: np.ndarray, reference_joint_pos: np.ndarray) -> np.ndarray:
        """Return the joint targets of a control step's physics steps [rad], shape (decimation, J).

        Joints without an action stay at the default pose.

        Args:
            action: What the policy answered, raw [-], shape (A,).
            reference_joint_pos: Joint angles of the frame that is to be reached [rad], shape (J,).
        """
        offset = reference_joint_pos[self._joints] if self._offset is None else self._offset
        rows = np.tile(self._default, (self._count, 1))
        for row in rows:
            # Not by adding a difference, so that without smoothing the action is applied to the last digit.
            self._applied = self._smoothing * action + (1.0 - self._smoothing) * self._applied
            wanted, left = self._clipped(offset + self._scale * self._applied), self.boot_remaining
            row[self._joints] = left * self._start + (1.0 - left) * wanted
            self._elapsed += 1
        return rows

    def _clipped(self, targets: np.ndarray) -> np.ndarray:
        return targets if self._clip is None else np.clip(targets, *self._clip)
