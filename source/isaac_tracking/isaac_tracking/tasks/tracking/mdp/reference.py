# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The clips of a motion command: where episodes start in them, how they are changed, which are on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from ....motion.augmentation import AugmentationSettings, MotionAugmentation
from ....motion.frame import MotionFrame
from ....motion.kinematics import KinematicTree
from ....motion.library import MotionLibrary
from ....motion.sampling.adaptive import AdaptiveSampler
from ....motion.sampling.keys import clip_keys
from ....motion.sampling.plain import StartSampler, UniformSampler
from ....motion.sampling.settings import sampler_settings
from ....motion.sources import find_library
from ....motion.streaming import SwapPlan
from ....robots.mjcf import cache_folder

if TYPE_CHECKING:
    from .commands_cfg import MotionCommandCfg


Sampler = StartSampler | UniformSampler | AdaptiveSampler
"""What decides where episodes start."""


class Reference:
    """Looks up references, and decides which ones.

    Args:
        cfg: The motion command's values.
        joint_names: Joints of a frame, in order.
        body_names: Bodies of a frame, in order; the first is the root.
        rate: Control rate [Hz].
        num_envs: Number of environments.
        device: Where the frames are kept.
        tree: Kinematics of the robot, for augmentation.
        joint_limits: Lower and upper limits of the joints [rad], shape (num_joints, 2).

    Raises:
        ClipError: If a clip cannot be used.
        ValueError: If a value of the sampler or the augmentation makes no sense.
    """

    def __init__(
        self,
        cfg: MotionCommandCfg,
        joint_names: Sequence[str],
        body_names: Sequence[str],
        rate: float,
        num_envs: int,
        device: str,
        tree: KinematicTree,
        joint_limits: torch.Tensor,
    ) -> None:
        self._cfg = cfg
        clips = find_library(cfg.motions)
        self.library = MotionLibrary.open(
            clips,
            joint_names,
            body_names,
            rate,
            device,
            cache=cache_folder() / "motions",
            precision=cfg.precision,
            memory_budget=None if cfg.memory_budget is None else int(cfg.memory_budget * 1e9),
        )
        self.sampler = self._make_sampler(clip_keys(self.library.names), num_envs)
        settings = AugmentationSettings(**cfg.augmentation.to_dict())
        self.augmentation: MotionAugmentation | None = None
        if settings.active:
            self.augmentation = MotionAugmentation(
                settings, self.library, tree, joint_names, body_names, num_envs, joint_limits
            )
        self._plan: SwapPlan | None = None
        # Of the plan; always the same memory, which a CUDA graph reads.
        self._leaving = torch.zeros_like(self.library.resident)
        self._ahead: dict[tuple[int, ...], tuple[torch.Tensor, torch.Tensor]] = {}
        self._tell_residents()

    def start(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips and steps, each of shape (N,), at which the environments start their next episode."""
        clip_ids, steps = self.sampler.sample(env_ids)
        if self.augmentation is not None:
            self.augmentation.reset(env_ids, clip_ids, steps)
        return clip_ids, steps

    def start_where(self, starting: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return starts for all environments, each of shape (num_envs,), of which some are taken.

        References must not be augmented.

        Args:
            starting: Whether each environment starts an episode, bool, shape (num_envs,).
        """
        return self.sampler.sample_where(starting)

    def frames(self, clip_ids: torch.Tensor, steps: torch.Tensor, env_ids: torch.Tensor | None = None) -> MotionFrame:
        """Look up references.

        Args:
            clip_ids: Clips, shape (N,).
            steps: Steps in the clips, shape (N,).
            env_ids: Environments, shape (N,); None for all.
        """
        if self.augmentation is None:
            return self.library.frames(clip_ids, steps)
        return self.augmentation.frames(clip_ids, steps, env_ids)

    def ahead(self, clip_ids: torch.Tensor, steps: torch.Tensor, offsets: tuple[int, ...]) -> MotionFrame:
        """Look up the references of all environments at several steps at once, the clip's last after its end.

        Args:
            clip_ids: Clip of each environment, shape (num_envs,).
            steps: Step in it, shape (num_envs,).
            offsets: Steps from there.

        Returns:
            ``num_envs * len(offsets)`` frames, those of an environment one after another.
        """
        if offsets not in self._ahead:
            envs = torch.arange(len(clip_ids), device=clip_ids.device).repeat_interleave(len(offsets))
            self._ahead[offsets] = torch.tensor(offsets, device=clip_ids.device), envs
        further, env_ids = self._ahead[offsets]
        # Stopped here, because another clip's upper body would go on.
        last = self.library.num_frames[clip_ids] - 1
        wanted = torch.minimum(steps[:, None] + further, last[:, None]).flatten()
        return self.frames(clip_ids[env_ids], wanted, env_ids)

    def plan_swap(self) -> None:
        """Choose the clips that are to be on the device next, the harder ones more often; see :meth:`swap`.

        Weights and lengths count once, when the sampler draws among the clips that are there.
        """
        if self._plan is not None or not self.library.streams:
            return
        sampler = self.sampler
        wanted = None if isinstance(sampler, StartSampler) else sampler.clip_difficulty()
        self._plan = self.library.plan_swap(wanted)
        self._leaving.copy_(self._plan.leaving)

    def leaving(self, clip_ids: torch.Tensor) -> torch.Tensor:
        """Return which environments follow a clip that is to leave the device; their episodes must end first.

        Args:
            clip_ids: Clip of each environment, shape (num_envs,).
        """
        if not self.library.streams:
            return torch.zeros_like(clip_ids, dtype=torch.bool)
        leaving = self._leaving[clip_ids]
        return leaving if self.augmentation is None else leaving | self.augmentation.needs(self._leaving)

    def swap(self, clip_ids: torch.Tensor, starting: torch.Tensor | None = None) -> None:
        """Exchange the clips as planned, unless an environment still follows one that leaves.

        Waits for the device if there is a plan, which is once in thousands of steps.

        Args:
            clip_ids: Clip of each environment, shape (num_envs,).
            starting: Environments that are about to start an episode, and follow no clip any more, as indices or as a
                mask of all; None for none.
        """
        if self._plan is None:
            return
        busy = self.leaving(clip_ids)
        if starting is not None:
            busy[starting] = False
        if busy.any():
            return
        self.library.apply_swap(self._plan)
        self._plan = None
        self._leaving.zero_()
        self._tell_residents()

    def _tell_residents(self) -> None:
        if self.library.streams:
            self.sampler.set_resident(self.library.resident)
            if self.augmentation is not None:
                self.augmentation.set_resident(self.library.resident)

    def _make_sampler(self, keys: torch.Tensor, num_envs: int) -> Sampler:
        cfg, library = self._cfg.sampler, self.library
        changes = {name: value for name, value in cfg.to_dict().items() if name not in ("mode", "preset")}
        settings = sampler_settings(cfg.preset, **changes)
        if cfg.mode == "start":
            return StartSampler(library.num_frames, num_envs)
        weights = library.weights(settings.length_neutral)
        if cfg.mode == "uniform":
            return UniformSampler(library.num_frames, weights, settings.length_neutral)
        if cfg.mode == "adaptive":
            return AdaptiveSampler(library.num_frames, library.rate, settings, weights, keys)
        raise ValueError(f"motion command: sampler '{cfg.mode}' is unknown; choose adaptive, uniform or start")
