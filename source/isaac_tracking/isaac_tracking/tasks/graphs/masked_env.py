# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Isaac Lab's environment, with a step that can do without the host where the task fits."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from isaaclab.envs import ManagerBasedRLEnv

from .plan import STEP_GRAPHS, obstacle

if TYPE_CHECKING:
    from isaaclab.envs.common import VecEnvStepReturn

    from .masked_step import MaskedCommand, MaskedStep
    from .newton_robot import NewtonRobot

_logger = logging.getLogger(__name__)


class MaskedEnv(ManagerBasedRLEnv):
    """Isaac Lab's environment, but for :meth:`step` where the config's ``step_graph`` asks for it and the task fits.

    Both steps share all state, so that resets, checkpoints and examinations are the same with either.

    Args:
        cfg: The task, with a field ``step_graph``.
        kwargs: See :class:`isaaclab.envs.ManagerBasedRLEnv`.

    Raises:
        ValueError: If ``step_graph`` is no choice, or is ``"on"`` or ``"masked"`` and the task does not fit.
    """

    follows: ClassVar[str]
    """What the one command of its tasks is: ``"motion"`` or ``"velocity"``, see :mod:`.plan`."""

    cfg: Any

    def __init__(self, cfg: Any, render_mode: str | None = None, **kwargs: Any) -> None:
        if cfg.step_graph not in STEP_GRAPHS:
            raise ValueError(f"step_graph is '{cfg.step_graph}'; choose from {', '.join(STEP_GRAPHS)}")
        self._masked_step: MaskedStep | None = None
        self.step_note = ""
        """Why ``step_graph="auto"`` left Isaac Lab's step in place on a GPU; empty where it did not."""
        super().__init__(cfg, render_mode, **kwargs)
        self._masked_step = self._plan_step(cfg.step_graph)

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """Steps since each episode's start, shape (num_envs,); whoever sets it changes it in place."""
        return self._episode_lengths

    @episode_length_buf.setter
    def episode_length_buf(self, value: torch.Tensor) -> None:
        if "_episode_lengths" in vars(self) and self._episode_lengths.shape == value.shape:
            if value is not self._episode_lengths:
                self._episode_lengths.copy_(value)
        else:
            self._episode_lengths = value

    @property
    def step_by_graphs(self) -> bool:
        """Whether steps are replayed as CUDA graphs by now."""
        return self._masked_step is not None and self._masked_step.captured

    def masked_command(self, robot: NewtonRobot) -> MaskedCommand:
        """Return what the task's command does in a step by masks."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its command does in a step by masks")

    def use_isaac_labs_step(self) -> None:
        """Step as Isaac Lab does from now on, e.g. to time its parts: a captured step has none."""
        self._masked_step = None

    def step(self, action: torch.Tensor) -> VecEnvStepReturn:
        """Do one step; see :meth:`isaaclab.envs.ManagerBasedRLEnv.step`."""
        # A recorder wants to be called in the midst of it.
        if self._masked_step is None or self.recorder_manager.active_terms:
            return super().step(action)
        from .masked_step import NoLongerFitsError

        try:
            return self._masked_step(action)
        except NoLongerFitsError as error:
            self._masked_step = self._decline(self.cfg.step_graph, str(error))
            _logger.warning("from now on, the step is %s", self.step_note)
            return super().step(action)

    def close(self) -> None:
        """Close the environment; graphs go before what they read."""
        self._masked_step = None
        super().close()

    def _plan_step(self, wanted: str) -> MaskedStep | None:
        """Return the step by masks, None for Isaac Lab's.

        Raises:
            ValueError: If it must be and cannot.
        """
        if wanted == "off":
            return None
        on_gpu = torch.device(self.device).type == "cuda"
        if wanted == "auto" and not on_gpu:
            return None
        found = obstacle(self)
        if found is None and wanted == "on" and not on_gpu:
            found = f"the device is {self.device}, and graphs need a GPU"
        if found is not None:
            return self._decline(wanted, found)
        from .masked_step import MaskedStep

        return MaskedStep(self, graphs=wanted != "masked", must=wanted == "on")

    def _decline(self, wanted: str, found: str) -> None:
        """Leave the step to Isaac Lab, and note why.

        Raises:
            ValueError: If it must not be.
        """
        if wanted != "auto":
            raise ValueError(f"step_graph={wanted} is not possible: {found}; use step_graph=auto or off")
        self.step_note = f"Isaac Lab's own, without CUDA graphs: {found} (env.step_graph)"
