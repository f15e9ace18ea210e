# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Joint targets that reach the motors late, smoothed, and gently at an episode's start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from isaaclab.envs.mdp.actions.joint_actions import JointPositionAction
from isaaclab.utils import index_fill_

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .actions_cfg import DelayedJointPositionActionCfg, DelayedReferenceJointPositionActionCfg
    from .commands import MotionCommand


class DelayedJointPositionAction(JointPositionAction):
    """The way of an action from the policy to the motors, walked in every physics step.

    1. **Delay.** The action is the one that the policy had decided ``delay`` physics steps ago; actions from before
       the episode are zeros. Each environment draws its delay at a reset.
    2. **Smoothing.** A moving average, ``applied = smoothing * delayed + (1 - smoothing) * applied``, from zeros.
    3. **Targets.** Scale, offset (which events may shift) and clip, as in Isaac Lab's joint position action.
    4. **Boot.** The targets begin at the joint angles that the robot had at the reset, within the clip, and go to the
       policy's linearly in the physics steps of the first ``boot_steps`` control steps. Axellwppr/motion_tracking
       speaks of a boot delay and of an indicator of it without saying how it works; this is our reading of it.
    """

    cfg: DelayedJointPositionActionCfg

    def __init__(self, cfg: DelayedJointPositionActionCfg, env: ManagerBasedRLEnv) -> None:
        """Make the buffers and draw the first delays.

        Args:
            cfg: What happens to an action.
            env: The environment.

        Raises:
            ValueError: If a number makes no sense, or the engine takes an environment's physics steps in one go.
        """
        delay, smoothing = _delay_range(cfg), _smoothing_range(cfg)
        if cfg.boot_steps < 0:
            raise ValueError(f"joint action: boot_steps={cfg.boot_steps} [control steps]; give 0 (none) or more")
        delayed, smoothed = delay != (0, 0), smoothing != (1.0, 1.0)
        if (delayed or smoothed or cfg.boot_steps) and env._physics_handles_decimation:
            raise ValueError(
                "joint action: delay, smoothing and boot_steps need every physics step, which Newton's own actuators"
                " hide; set sim.use_newton_actuators=False"
            )
        super().__init__(cfg, env)
        self._range = delay
        # How many delays to draw from, on the device: a CUDA graph that draws knows no other number.
        with torch.inference_mode(False):
            self._choices = torch.zeros((), device=self.device)
        self.progress = 1.0
        self._smoothing_range = smoothing if smoothed else None
        self._decimation = env.cfg.decimation
        self._boot_length = cfg.boot_steps * self._decimation
        self._rows = torch.arange(self.num_envs, device=self.device)
        # Actions of the last control steps, at self._head the newest: shape (length, num_envs, num_joints).
        oldest = -(-delay[1] // self._decimation)
        self._history = self._raw_actions.new_zeros(oldest + 1, *self._raw_actions.shape)
        self._head = 0
        self._substep = 0
        # Age of the delayed action in each physics step of a control step [control steps], by environment.
        self._ages = torch.zeros(self._decimation, self.num_envs, dtype=torch.long, device=self.device)
        self._weight = self._raw_actions.new_ones(self.num_envs, 1)
        self._applied = torch.zeros_like(self._raw_actions)
        # Physics steps since the reset.
        self._elapsed = torch.zeros(self.num_envs, dtype=torch.long, device=self.device)
        self._start = torch.zeros_like(self._raw_actions)
        self._origin: torch.Tensor | float = self._offset
        self.reset()

    @property
    def progress(self) -> float:
        """How far the training is, in [0, 1]; set before each rollout. The delays drawn at a reset depend on it."""
        return self._progress

    @progress.setter
    def progress(self, value: float) -> None:
        self._progress = value
        self._choices.fill_(self._widest_delay() - self._range[0] + 1.0)

    @property
    def applied_action(self) -> torch.Tensor:
        """Action after delay and smoothing, before scale and offset, of the last physics step.

        Shape (num_envs, num_joints); zeros after a reset.
        """
        return self._applied

    @property
    def boot_remaining(self) -> torch.Tensor:
        """Share of the start pose in the next physics step's targets, from 1 at a reset to 0; shape (num_envs,)."""
        if self._boot_length == 0:
            return self._weight.new_zeros(self.num_envs)
        return (1.0 - self._elapsed / self._boot_length).clamp_(min=0.0)

    def origin(self) -> torch.Tensor | float:
        """Return the joint targets of a zero action [rad], shape (num_envs, num_joints)."""
        return self._offset

    def process_actions(self, actions: torch.Tensor) -> None:
        """Take over what the policy decided, shape (num_envs, num_joints)."""
        super().process_actions(actions)
        self._origin = self.origin()
        self._head = (self._head + 1) % len(self._history)
        self._history[self._head] = actions
        self._substep = 0
        if self._boot_length > 0:
            # Here and not in reset, because the robot is put into its state after the actions are reset.
            now = self._clipped(self._asset.data.joint_pos.torch[:, self._joint_ids].clone())
            self._start = torch.where(self._elapsed[:, None] == 0, now, self._start)

    def apply_actions(self) -> None:
        """Give the robot the targets of one physics step [rad]."""
        delayed = self._history[(self._head - self._ages[self._substep]) % len(self._history), self._rows]
        if self._smoothing_range is None:
            self._applied.copy_(delayed)
        else:
            self._applied.lerp_(delayed, self._weight)
        targets = self._clipped((self._applied * self._scale).add_(self._origin))
        if self._boot_length > 0:
            targets.lerp_(self._start, self.boot_remaining[:, None])
        self._processed_actions = targets
        self._substep += 1
        self._elapsed += 1
        super().apply_actions()

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Forget the last episodes' actions and draw what the next ones are to suffer.

        Args:
            env_ids: Environments whose episode begins, as a slice, indices, a tensor of them or a mask; all if None.
                With a mask numbers are drawn for all, and nothing waits for the device.
        """
        super().reset(env_ids)
        index_fill_(self._history, env_ids, 0.0, dim=1)
        index_fill_(self._applied, env_ids, 0.0)
        index_fill_(self._elapsed, env_ids, 0)
        mask = env_ids if isinstance(env_ids, torch.Tensor) and env_ids.dtype == torch.bool else None
        rows = slice(None) if env_ids is None or mask is not None else env_ids
        low, high = self._range
        if high > 0:
            delay = low + torch.rand_like(self._weight[rows, 0]) * self._choices
            delay = delay.floor_().clamp_(max=high).long()
            for substep in range(self._decimation):
                _write(self._ages[substep], rows, mask, _age(delay, substep, self._decimation))
        if self._smoothing_range is not None:
            least, most = self._smoothing_range
            drawn = torch.rand_like(self._weight[rows, 0]) * (most - least) + least
            _write(self._weight[:, 0], rows, mask, drawn)

    def _widest_delay(self) -> float:
        """Return the upper end of the delays at this point of the training [physics steps], not rounded.

        Delays are drawn from [low, end + 1) and rounded down, so that between two whole numbers the next delay is
        rarer than the others.
        """
        low, high = self._range
        return low + (high - low) * min(1.0, self.progress / self.cfg.delay_full_at)

    def _clipped(self, targets: torch.Tensor) -> torch.Tensor:
        """Clip joint targets [rad] in place, where the config has a clip."""
        if self.cfg.clip is not None:
            targets.clamp_(min=self._clip[:, :, 0], max=self._clip[:, :, 1])
        return targets


class DelayedReferenceJointPositionAction(DelayedJointPositionAction):
    """The same around the reference's joint angles, plus the shift of the default pose.

    Delay and smoothing are of the policy's part alone: the reference is known in advance.
    """

    cfg: DelayedReferenceJointPositionActionCfg

    def __init__(self, cfg: DelayedReferenceJointPositionActionCfg, env: ManagerBasedRLEnv) -> None:
        """Remember the nominal default pose, before an event shifts the offset."""
        super().__init__(cfg, env)
        self._nominal = self._offset.clone()

    def origin(self) -> torch.Tensor:
        """Return the reference's joint angles, shifted as the default pose is [rad], shape (num_envs, num_joints)."""
        command: MotionCommand = self._env.command_manager.get_term(self.cfg.command_name)
        return command.reference.joint_pos[:, self._joint_ids] + (self._offset - self._nominal)


def _write(memory: torch.Tensor, rows: Sequence[int] | slice, mask: torch.Tensor | None, values: torch.Tensor) -> None:
    """Write values of some environments into memory of shape (num_envs,): of rows, or of all where a mask says so."""
    if mask is None:
        memory[rows] = values
    else:
        memory.copy_(torch.where(mask, values, memory))


def _age(delay: torch.Tensor, substep: int, decimation: int) -> torch.Tensor:
    """Return how many control steps ago the actions of ``delay`` physics steps ago were decided.

    Args:
        delay: Delays [physics steps], whole numbers of any shape.
        substep: Physics step within the control step, from 0.
        decimation: Physics steps of a control step.
    """
    return ((delay - substep + decimation - 1) // decimation).clamp(min=0)


def _delay_range(cfg: DelayedJointPositionActionCfg) -> tuple[int, int]:
    """Return the range of delays [physics steps].

    Raises:
        ValueError: If it is no range of whole numbers from 0, or its curriculum never ends.
    """
    low, high = cfg.delay
    if not 0 <= low <= high or int(low) != low or int(high) != high:
        raise ValueError(
            f"joint action: delay={tuple(cfg.delay)} [physics steps] is no range; give two whole numbers from 0, the"
            " smaller first, e.g. (0, 3)"
        )
    if not 0.0 < cfg.delay_full_at <= 1.0:
        raise ValueError(f"joint action: delay_full_at={cfg.delay_full_at} must lie in (0, 1], e.g. 0.8")
    return int(low), int(high)


def _smoothing_range(cfg: DelayedJointPositionActionCfg) -> tuple[float, float]:
    """Return the range of the moving average's weight.

    Raises:
        ValueError: If it is no range within (0, 1].
    """
    given = cfg.smoothing
    low, high = (given, given) if isinstance(given, (int, float)) else given
    if not 0.0 < low <= high <= 1.0:
        raise ValueError(
            f"joint action: smoothing={given} must lie in (0, 1], 1 being no smoothing; of a pair the smaller comes"
            " first, e.g. (0.8, 1.0)"
        )
    return float(low), float(high)
