# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""rsl_rl's distillation without waiting for the device, so that a GPU replays acting and learning as CUDA graphs.

rsl_rl 5.5.1 runs the student once for each control step, asks for each loss, and adds up the losses of
``gradient_length`` steps before it takes a step of the optimizer. No weight changes in between, so that for a student
without memory all these control steps are one batch, with the same sum of losses.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from rsl_rl.algorithms import Distillation
from tensordict import TensorDict

from .gaussian import Gaussian
from .graphed_update import DeviceAdam, GraphedActing, GraphedSteps, LossSums, forget_how, update_normalization


class Taught(NamedTuple):
    """Actions of both, of N environments."""

    student: torch.Tensor
    """The student's, drawn, shape (N, num_actions)."""
    teacher: torch.Tensor
    """The teacher's, shape (N, num_actions)."""


class GraphedDistillation(Distillation):
    """Distillation whose steps of the optimizer run as CUDA graphs where there is a GPU.

    Recurrent networks and other optimizers than Adam take rsl_rl's own update.

    A graph goes on with the ``max_grad_norm`` and the ``loss_fn`` of its capture, and every update with the
    ``gradient_length`` and the ``num_learning_epochs`` of the first. Whoever changes one calls :meth:`forget_graphs`.
    The optimizer's learning rate may change between any two updates.

    Args:
        *args: See :class:`rsl_rl.algorithms.Distillation`.
        cuda_graph: Whether a GPU captures; without, each kernel is launched for itself.
        **kwargs: See :class:`rsl_rl.algorithms.Distillation`.
    """

    def __init__(self, *args, cuda_graph: bool = True, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.cuda_graph = cuda_graph
        self._passes: _Passes | None = None
        self._acting: GraphedActing[Taught] | None = None

    @property
    def captures(self) -> bool:
        """Whether graphs are captured at all."""
        return self.cuda_graph and self.graphable and torch.device(self.device).type == "cuda"

    @property
    def graphable(self) -> bool:
        """Whether this update covers what the config asks for."""
        recurrent = self.student.is_recurrent or self.teacher.is_recurrent
        return not recurrent and type(self.optimizer) in (torch.optim.Adam, torch.optim.AdamW)

    def act(self, obs: TensorDict) -> torch.Tensor:
        """Draw the student's actions, shape (num_envs, num_actions), and keep them with the teacher's."""
        # Other distributions may look at their parameters before they draw.
        if not (self.captures and isinstance(self.student.distribution, Gaussian)):
            return super().act(obs)
        if self._acting is None:
            self._acting = GraphedActing(self._draw, obs, self.device)
        transition = self.transition
        transition.actions, transition.privileged_actions = self._acting(obs)
        transition.observations = obs
        # The environment may keep it for longer than until the next replay.
        return transition.actions.clone()

    def update(self) -> dict[str, float]:
        """Learn from the rollout, and return the mean losses by name."""
        if not self.graphable:
            return super().update()
        if self._passes is None:
            self._passes = _Passes(self)
        self.num_updates += 1
        mean = self._passes.learn()
        update_normalization(self.student, self.storage.observations.flatten(0, 1))
        self.storage.clear()
        # The only wait for the device.
        return {"behavior": mean.item()}

    def save(self) -> dict:
        """Return models and optimizer; nothing in it tells how the update was run."""
        return forget_how(super().save())

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore what a checkpoint holds; graphs that know the old optimizer are forgotten."""
        self.forget_graphs()
        return super().load(loaded_dict, load_cfg, strict)

    def forget_graphs(self) -> None:
        """Let everything be captured anew, with the settings of now."""
        self._passes = self._acting = None

    def _draw(self, obs: TensorDict) -> Taught:
        return Taught(self.student(obs, stochastic_output=True).detach(), self.teacher(obs).detach())


class _Passes:
    """Passes over the control steps of a rollout, ``gradient_length`` of them for each step of the optimizer."""

    def __init__(self, alg: GraphedDistillation) -> None:
        self.alg, device = alg, alg.device
        self.chosen = torch.zeros(alg.gradient_length, dtype=torch.long, device=device)
        self.adam, self.sums = DeviceAdam(alg.optimizer, device), LossSums(device)
        self.steps = GraphedSteps(alg, [list(alg.student.parameters())], self._loss, self.sums)
        length = alg.storage.num_transitions_per_env
        # A part may go on at the beginning of the next pass, as in rsl_rl.
        self.parts = torch.arange(alg.num_learning_epochs * length, device=device).remainder(length)

    def learn(self) -> torch.Tensor:
        """Do all passes, and return the mean loss of all control steps, a scalar."""
        self.sums.begin()
        with self.adam.on_device():
            for chosen in self.parts.split(len(self.chosen)):
                if len(chosen) == len(self.chosen):
                    self.chosen.copy_(chosen)
                    self.steps()
                else:
                    # These are too few for a step, and only tell how well the student does.
                    with torch.no_grad():
                        self.sums.add({"behavior": self.behavior(chosen)})
        return self.sums.totals["behavior"] / len(self.parts)

    def behavior(self, chosen: torch.Tensor) -> torch.Tensor:
        """Return how far the student is from the teacher, summed over control steps with these numbers, shape (n,)."""
        alg, storage = self.alg, self.alg.storage
        # What autocast keeps between captured calls would be of the wrong part.
        with torch.autocast(
            torch.device(alg.device).type, torch.bfloat16, enabled=alg.use_mixed_precision, cache_enabled=False
        ):
            actions = alg.student(storage.observations[chosen].flatten(0, 1))
            return len(chosen) * alg.loss_fn(actions, storage.privileged_actions[chosen].flatten(0, 1))

    def _loss(self) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        loss = self.behavior(self.chosen)
        return loss, {"behavior": loss}
