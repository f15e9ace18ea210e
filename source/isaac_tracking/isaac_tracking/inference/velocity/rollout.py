# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Playing a policy that follows commanded velocities: what became of each episode, and the poses that a film needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..film_camera import FilmCamera
from ..ground_mesh import ground_mesh_of
from ..pose_recorder import Instant, PoseRecorder
from ..step_recorder import outcome_of

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv


@dataclass(frozen=True)
class WalkEpisode:
    """What became of one episode."""

    env: int
    """Environment it ran in."""

    steps: int
    """Length in control steps."""

    mean_reward: float
    """Mean reward per step."""

    errors: tuple[float, float, float]
    """Mean absolute error of the commanded velocity in the base frame: x, y [m/s] and yaw rate [rad/s]."""

    distance: float
    """Length of the base's path on the ground [m]."""

    outcome: str
    """Name of the termination term that ended it."""

    fell: bool
    """Whether that term is a failure, and not the end of the time or of the ground."""


def velocities(env: ManagerBasedRLEnv) -> tuple[torch.Tensor, torch.Tensor]:
    """Return commanded and actual velocity of the base in its own frame, both x, y [m/s] and yaw rate, shape (E, 3)."""
    data = env.scene["robot"].data
    actual = torch.cat((data.root_lin_vel_b.torch[:, :2], data.root_ang_vel_b.torch[:, 2:]), dim=-1)
    return env.command_manager.get_command("base_velocity").clone(), actual


def play_walks(
    env: Any, policy: Callable, episodes: int, recorder: PoseRecorder | None = None
) -> Iterator[WalkEpisode]:
    """Play until every environment has finished some episodes, and yield each when it ends.

    Only the first ``episodes`` of each environment count, so that short episodes are not counted more often. Errors are
    those that the policy sees: of the state before each step.

    Args:
        env: The environment, wrapped for rsl_rl.
        policy: From observations to actions.
        episodes: Episodes of each environment.
        recorder: Records poses, if given.
    """
    base: ManagerBasedRLEnv = env.unwrapped
    robot: Articulation = base.scene["robot"]
    sums = torch.zeros(base.num_envs, 6, device=base.device)
    finished = [0] * base.num_envs
    with torch.inference_mode():
        obs, _ = env.reset()
        while min(finished) < episodes:
            if recorder is not None:
                recorder.record()
            command, actual = velocities(base)
            walked = robot.data.root_lin_vel_w.torch[:, :2].norm(dim=-1, keepdim=True) * base.step_dt
            obs, reward, done, _ = env.step(policy(obs))
            policy.reset(done)
            ones = torch.ones_like(walked)
            sums += torch.cat((ones, reward[:, None], (command - actual).abs(), walked), dim=-1)
            for index in done.nonzero().flatten().tolist():
                if finished[index] < episodes:
                    yield _episode(base, index, sums[index].tolist())
                finished[index] += 1
                sums[index] = 0.0


def _episode(env: ManagerBasedRLEnv, index: int, sums: Sequence[float]) -> WalkEpisode:
    steps, reward, x, y, yaw, distance = sums
    outcome, failed = outcome_of(env.termination_manager, index)
    errors = x / steps, y / steps, yaw / steps
    return WalkEpisode(index, int(steps), reward / steps, errors, distance, outcome, failed)


class WalkRecorder(PoseRecorder):
    """Poses of the robot in the world, with the command and the speed as captions."""

    def observe(self) -> Instant:
        """Return poses, and command and actual velocity for the caption."""
        first = self.first
        pose = self.robot.data.body_link_pose_w.torch[first].clone()
        command, actual = (values[first] for values in velocities(self.env))
        return Instant(self.env.episode_length_buf[first].clone(), pose, None, torch.cat((command, actual), dim=-1))

    def caption(self, step: int, values: Sequence[float]) -> str:
        """Return the time, the command and the velocity."""
        rows = [f"x {x:+.2f}  y {y:+.2f} m/s  turn {yaw:+.2f} rad/s" for x, y, yaw in (values[:3], values[3:])]
        return f"{step * self.env.step_dt:.1f} s\ncommand  {rows[0]}\nrobot  {rows[1]}"

    def look(self) -> dict[str, Any]:
        """Return the ground as it is, and a camera that is near enough for the robot's size."""
        cfg: Any = self.env.cfg
        camera = FilmCamera.of_robot(float(cfg.scene.robot.init_state.pos[2]))
        return {"ground": ground_mesh_of(self.env), "camera": camera}
