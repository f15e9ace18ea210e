# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Playing a policy: what became of each episode, and the poses that a film needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..motion.kinematics import forward_kinematics
from .pose_recorder import Instant, PoseRecorder

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from ..tasks.tracking.mdp.commands import MotionCommand


@dataclass(frozen=True)
class Episode:
    """What became of one episode."""

    env: int
    """Environment it ran in."""
    clip: str
    """Name of the clip."""
    steps: int
    """Length in control steps."""
    mean_reward: float
    """Mean reward per step."""
    body_pos_error: float
    """Mean distance of the tracked bodies from the relative reference [m]."""
    anchor_pos_error: float
    """Mean distance of the anchor from the reference's in the world [m]: the drift, which ends no episode."""
    outcome: str
    """Name of the termination term that ended it."""

    @property
    def completed(self) -> bool:
        """Whether the clip was followed to its end."""
        return self.outcome == "clip_end"


def play_episodes(env: Any, policy: Callable, episodes: int, recorder: PoseRecorder | None = None) -> Iterator[Episode]:
    """Play until every environment has finished some episodes, and yield each when it ends.

    Only the first ``episodes`` of each environment count, so that short episodes are not counted more often.

    Args:
        env: The environment, wrapped for rsl_rl.
        policy: From observations to actions.
        episodes: Episodes of each environment.
        recorder: Records poses, if given.
    """
    base: ManagerBasedRLEnv = env.unwrapped
    command: MotionCommand = base.command_manager.get_term("motion")
    sums = torch.zeros(base.num_envs, 4, device=base.device)
    finished = torch.zeros(base.num_envs, dtype=torch.long, device=base.device)
    names = base.termination_manager.active_terms
    with torch.inference_mode():
        obs, _ = env.reset()
        while int(finished.min()) < episodes:
            if recorder is not None:
                recorder.record()
            clips = command.clip_ids.clone()
            obs, reward, done, _ = env.step(policy(obs))
            policy.reset(done)
            # Errors of the state before any reset: they are measured once, before it.
            errors = command.errors
            sums += torch.stack(
                [torch.ones_like(reward), reward, errors.body_pos.mean(dim=-1), errors.anchor_pos], dim=-1
            )
            for index in done.nonzero().flatten().tolist():
                if finished[index] < episodes:
                    steps, total, body, anchor = sums[index].tolist()
                    ended = [name for name in names if base.termination_manager.get_term(name)[index]]
                    yield Episode(
                        env=index,
                        clip=command.library.names[clips[index]],
                        steps=int(steps),
                        mean_reward=total / steps,
                        body_pos_error=body / steps,
                        anchor_pos_error=anchor / steps,
                        # A fall on the last frame is a fall.
                        outcome=next((name for name in ended if name not in ("clip_end", "time_out")), ended[0]),
                    )
                finished[index] += 1
                sums[index] = 0.0


class TrackingRecorder(PoseRecorder):
    """Poses of all bodies of robot and reference in the first environments.

    The reference is the command's own, as the policy sees it; bodies that are not tracked follow by forward kinematics.

    Args:
        env: The environment.
        num_steps: Steps to keep in all.
        num_envs: Environments to record; all if None.
    """

    def __init__(self, env: ManagerBasedRLEnv, num_steps: int, num_envs: int | None = None) -> None:
        super().__init__(env, num_steps, num_envs)
        self._command: MotionCommand = env.command_manager.get_term("motion")
        self._tree = tree = self._command.tree
        names = self.robot.joint_names, self.robot.body_names
        self._joint_ids = torch.tensor([names[0].index(name) for name in tree.joint_names], device=env.device)
        self._body_ids = torch.tensor([tree.body_names.index(name) for name in names[1]], device=env.device)
        self._env_ids = torch.arange(env.num_envs, device=env.device)[self.first]

    def observe(self) -> Instant:
        """Return poses, and clip and error [m] for the caption."""
        command, first = self._command, self.first
        pose = self.robot.data.body_link_pose_w.torch[first].clone()
        pose[..., :3] -= self.env.scene.env_origins[first, None]
        # The robot stands where the clip was one frame before the one that it is to reach.
        clip_ids, steps = command.clip_ids[first].clone(), command.steps[first] - 1
        reference = command.source.frames(clip_ids, steps, self._env_ids)
        # The first tracked body is the root.
        root = reference.body_pos_w[:, 0], reference.body_quat_w[:, 0]
        pair = torch.cat(forward_kinematics(self._tree, *root, reference.joint_pos[:, self._joint_ids]), dim=-1)
        error = (command.robot.body_pos_w[first] - command.reference.body_pos_w[first]).norm(dim=-1).mean(dim=-1)
        return Instant(steps, pose, pair[:, self._body_ids], torch.stack((clip_ids.to(error), error), dim=-1))

    def caption(self, step: int, values: Sequence[float]) -> str:
        """Return the clip, the time in it, and the error."""
        library = self._command.library
        return f"{library.names[int(values[0])]}   {step / library.rate:.1f} s   error {1000 * values[1]:.0f} mm"
