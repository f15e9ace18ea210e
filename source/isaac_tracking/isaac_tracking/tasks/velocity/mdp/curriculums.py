# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What becomes harder during training; checkpoints hold how hard it is, so that a run goes on from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from isaaclab.managers import ManagerTermBase
from isaaclab_tasks.core.velocity.mdp.curriculums import terrain_levels_vel

from ...graphs.plan import in_graph

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.managers import CurriculumTermCfg

_AXES = ("lin_vel_x", "lin_vel_y", "ang_vel_z")


@in_graph
class terrain_levels(ManagerTermBase):  # noqa: N801 -- a term, written in configs like a function
    """Isaac Lab's levels of the ground: harder for who walked far, easier for who did not follow."""

    def __call__(self, env: ManagerBasedRLEnv, env_ids: Sequence[int] | slice) -> torch.Tensor:
        """Change the levels of the environments whose episodes end, and return the mean level."""
        return terrain_levels_vel(env, env_ids)

    def judge_where(self, starting: torch.Tensor) -> torch.Tensor:
        """Do what a call does, for the environments of a mask.

        Args:
            starting: Whether each environment's episode ends, bool, shape (num_envs,).

        Returns:
            The mean level, shape ().
        """
        env, terrain = self._env, self._terrain
        origins, levels, most = terrain.env_origins, terrain.terrain_levels, terrain.max_terrain_level
        walked = (env.scene["robot"].data.root_pos_w.torch[:, :2] - origins[:, :2]).norm(dim=1)
        asked = env.command_manager.get_command("base_velocity")[:, :2].norm(dim=1) * env.max_episode_length_s
        up = walked > terrain.cfg.terrain_generator.size[0] / 2
        down = (walked < asked * 0.5) & ~up
        changed = levels + up.long() - down.long()
        changed = torch.where(changed >= most, torch.randint_like(levels, most), changed.clamp_min(0))
        levels.copy_(torch.where(starting, changed, levels))
        origins.copy_(torch.where(starting[:, None], terrain.terrain_origins[levels, terrain.terrain_types], origins))
        return levels.float().mean()

    @property
    def _terrain(self) -> Any:
        return self._env.scene.terrain

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the level of each environment."""
        return {"levels": self._terrain.terrain_levels.cpu()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Take over the levels; with another number of environments, each takes one of them at random.

        A robot stays where it is until its episode ends, and what it has walked till then counts from there.
        """
        terrain = self._terrain
        saved = state["levels"]
        if len(saved) != self._env.num_envs:
            saved = saved[torch.randint(len(saved), (self._env.num_envs,))]
        terrain.terrain_levels[:] = saved.to(self._env.device).clamp(max=terrain.max_terrain_level - 1)


@in_graph
class command_ranges(ManagerTermBase):  # noqa: N801 -- a term, written in configs like a function
    """Commands from a part of the config's ranges, which grows to the whole when the robots follow well.

    After legged_gym (leggedrobotics/legged_gym, ``update_command_curriculum``): what counts is the reward for the
    linear velocity in the episodes that have ended, as a share of the most that an episode of full length can give,
    so that a fall counts as well. It is averaged over many episodes before a decision.

    A step by masks keeps the part on the device (:meth:`lend`), where :meth:`judge_where` decides; the command's config
    is old until the host asks for a reset again.
    """

    def __init__(self, cfg: CurriculumTermCfg, env: ManagerBasedRLEnv) -> None:
        """Remember the config's ranges and narrow the commands."""
        super().__init__(cfg, env)
        params: dict[str, Any] = cfg.params
        self._command: Any = env.command_manager.get_term(params["command_name"])
        # The command reads its config at each resampling; that of the environment stays as it is.
        ranges = self._command.cfg.ranges
        self._command.cfg = self._command.cfg.replace(ranges=ranges.copy())
        self.full: dict[str, tuple[float, float]] = {axis: tuple(getattr(ranges, axis)) for axis in _AXES}
        """The config's ranges [m/s, rad/s], by axis."""
        self._share: float = params["start"]
        # Part and number of episodes on the device, while a step by masks has them.
        self._lent: tuple[torch.Tensor, torch.Tensor] | None = None
        self._sum = torch.zeros((), device=env.device)
        self._count = 0
        self._apply()

    @property
    def share(self) -> float:
        """Part of the ranges that is commanded, from 0 to 1; waits for the device where that has it."""
        return self._share if self._lent is None else float(self._lent[0])

    def __call__(
        self,
        env: ManagerBasedRLEnv,
        env_ids: Sequence[int] | slice,
        command_name: str,
        reward_name: str,
        start: float,
        step: float,
        threshold: float,
        episodes: float,
    ) -> float:
        """Count the episodes that end, and widen the ranges if they were good.

        Args:
            env: The environment.
            env_ids: Environments whose episodes end.
            command_name: Name of the velocity command.
            reward_name: Name of the reward for following the linear velocity.
            start: Part of the ranges at the beginning [-].
            step: How much is added at a time [-].
            threshold: Least mean share of the reward at which it is added [-].
            episodes: Episodes of each environment, on average, between two decisions.

        Returns:
            The part of the ranges that is commanded from now on, from 0 to 1.
        """
        self._take_back()
        if self._share >= 1.0:
            return self._share
        lengths = env.episode_length_buf[env_ids]
        # At the very first reset no episode has been.
        played = lengths > 0
        most = env.reward_manager.get_term_cfg(reward_name).weight * env.max_episode_length_s
        shares = env.reward_manager._episode_sums[reward_name][env_ids] / most
        self._sum += (shares * played).sum()
        self._count += int(played.sum())
        if self._count >= max(1.0, episodes * env.num_envs):
            if float(self._sum) >= threshold * self._count:
                self._share = min(1.0, self._share + step)
                self._apply()
            self._sum.zero_()
            self._count = 0
        return self._share

    def lend(self, share: torch.Tensor, count: torch.Tensor) -> None:
        """Let a step by masks have the part and the number of episodes, until the host wants them back.

        Args:
            share: Where the part is from now on, float64, shape ().
            count: Where the number of episodes is, int64, shape ().
        """
        if self._lent is None or self._lent[0] is not share:
            self._take_back()
            share.fill_(self._share)
            count.fill_(self._count)
            self._lent = share, count

    def judge_where(self, starting: torch.Tensor) -> torch.Tensor:
        """Do what a call does, for the environments of a mask, with what is lent.

        Args:
            starting: Whether each environment's episode ends, bool, shape (num_envs,).

        Returns:
            The part of the ranges that is commanded from now on, shape ().
        """
        assert self._lent is not None
        (share, count), env = self._lent, self._env
        params: dict[str, Any] = self.cfg.params
        reward = params["reward_name"]
        most = env.reward_manager.get_term_cfg(reward).weight * env.max_episode_length_s
        # Nothing is counted any more where all is commanded.
        played = starting & (env.episode_length_buf > 0) & (share < 1.0)
        self._sum += torch.where(played, env.reward_manager._episode_sums[reward] / most, 0.0).sum()
        count += played.sum()
        enough = count >= max(1.0, params["episodes"] * env.num_envs)
        good = enough & (self._sum.double() >= params["threshold"] * count)
        share.copy_(torch.where(good, (share + params["step"]).clamp(max=1.0), share))
        self._sum.masked_fill_(enough, 0.0)
        count.masked_fill_(enough, 0)
        return share

    def state_dict(self) -> dict[str, float]:
        """Return the part of the ranges that is commanded."""
        return {"share": self.share}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Command that part of the ranges."""
        self._take_back()
        self._share = float(state["share"])
        self._apply()

    def _take_back(self) -> None:
        if self._lent is not None:
            share, count = self._lent
            self._share, self._count, self._lent = float(share), int(count), None
            self._apply()

    @property
    def applied(self) -> dict[str, tuple[float, float]]:
        """What was last written into the command's config [m/s, rad/s], by axis."""
        return {axis: narrowed(low, high, self._share) for axis, (low, high) in self.full.items()}

    def _apply(self) -> None:
        for axis, bounds in self.applied.items():
            setattr(self._command.cfg.ranges, axis, bounds)


def narrowed(low: float, high: float, share: float) -> tuple[float, float]:
    """Return a part of a range, drawn together about the value in it that is nearest to 0."""
    rest = min(max(0.0, low), high)
    return rest + share * (low - rest), rest + share * (high - rest)
