# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The baseline: rsl_rl's own distillation of the teacher, in the checkpoints and under the runner of all others."""

from __future__ import annotations

from typing import cast

from rsl_rl.algorithms import Distillation
from rsl_rl.env import VecEnv
from tensordict import TensorDict
from torch import nn

from ..graphed_distillation import GraphedDistillation
from ..run_state import RunState
from .order import check_start


class Distill(RunState, GraphedDistillation):
    """A student without a latent imitates the teacher's actions where the student goes (rsl_rl's ``Distillation``).

    The agent config's ``actor`` is the student; the teacher stands in ``algorithm.teacher``.
    """

    stage = "distill"
    follows = ("train",)

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> Distill:
        """Construct the algorithm and let it know the environment and the length of the run."""
        cfg["student"], cfg["teacher"] = cfg["actor"], cfg["algorithm"].pop("teacher")
        cfg["obs_groups"] |= {name: cfg["obs_groups"]["actor"] for name in ("student", "teacher")}
        alg = cast(Distill, Distillation.construct_algorithm(obs, env, cfg, device))
        alg.env, alg.planned_updates = env, cfg.get("max_iterations") or 1
        return alg

    @property
    def actor(self):
        """The student."""
        return self.student

    @property
    def critic(self) -> nn.Module:
        """Nothing: there is no critic."""
        return nn.Identity()

    def save(self) -> dict:
        """Return the student as the actor, the teacher, optimizer and run state."""
        saved = super().save()
        named = {"actor_state_dict": saved.pop("student_state_dict"), "critic_state_dict": {}, "stage": self.stage}
        return named | saved | self.run_state()

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Go on with a checkpoint of distillation, or begin with a teacher's.

        Args:
            loaded_dict: What the checkpoint holds.
            load_cfg: None for all that fits; otherwise, without the ``iteration``, the student alone, to be played,
                and with it all but an ``optimizer`` that is not wanted.
            strict: Whether the networks must have the same parts.

        Returns:
            Whether the iteration goes on too.

        Raises:
            RunError: If it is neither.
        """
        wanted = _ALL if load_cfg is None else load_cfg
        if not wanted.get("iteration"):  # To be played.
            self._raw_student.load_state_dict(loaded_dict["actor_state_dict"], strict=strict)
            return False
        if loaded_dict.get("stage") != self.stage:
            check_start(self.stage, self.follows, loaded_dict.get("stage"))
            return super().load(loaded_dict, None, strict)
        # Isaac Lab's words for what to take are those of PPO, which has no student.
        taken = _ALL | {"optimizer": wanted.get("optimizer", False)}
        goes_on = super().load(loaded_dict | {"student_state_dict": loaded_dict["actor_state_dict"]}, taken, strict)
        self.load_run_state(loaded_dict)
        return goes_on


_ALL = {"student": True, "teacher": True, "optimizer": True, "iteration": True}
