# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a captured graph takes for granted: numbers of the host, and where tensors lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from .plan import histories, terms

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

_PLAIN = (str, int, float, bool, tuple)
"""Values that are compared; others must be the same object."""

_MOVING = ("reset_buf", "_processed_actions", "_origin", "_start")
"""Tensors that are others after every step, and that no graph reads: the ended episodes of Isaac Lab's own step, and
what actions make of the policy's numbers before the physics."""

_OF_COMMANDS = (
    "future_steps",
    "resampling_time_range",
    "rel_standing_envs",
    "rel_heading_envs",
    "heading_command",
    "heading_control_stiffness",
    "vel_xy_success_threshold",
    "vel_yaw_success_threshold",
)
"""Numbers of a command's config; one that it lacks stays so."""


_MANAGERS = (
    *("reward_manager", "termination_manager", "action_manager", "observation_manager"),
    *("event_manager", "command_manager", "curriculum_manager", "cfg"),
)
"""What an environment must still have."""

_OF_TERMS = ("func", "weight", "time_out", "noise", "clip", "scale", "history_length", "params")
"""What a graph knows of a term's config; one that it lacks stays so."""


class Premises:
    """Weights and parameters of all terms, and the memory of managers and other owners, as they are now.

    Args:
        env: The environment.
        owners: Objects besides the managers whose tensors count, and whose numbers do.
    """

    def __init__(self, env: ManagerBasedRLEnv, owners: tuple[Any, ...]) -> None:
        self._values: list[tuple[dict, Any, Any]] = []
        self._lists: list[tuple[list, tuple]] = []
        self._objects: list[tuple[list, tuple]] = []
        self._places: list[tuple[dict, str, int]] = []
        self._sizes: list[tuple[dict, int]] = []
        # Kept, so that no other object gets the address of one that is gone.
        self._owners = owners
        self._watch(vars(env.cfg), ("episode_length_s",))
        managers = env.reward_manager, env.termination_manager, env.action_manager, env.observation_manager
        self._watch(vars(env), _MANAGERS)
        events, observed = env.event_manager._mode_term_cfgs, env.observation_manager._group_obs_term_cfgs
        listed = (env.reward_manager, env.termination_manager, env.curriculum_manager)
        for cfgs in (*(manager._term_cfgs for manager in listed), *events.values(), *observed.values()):
            self._objects.append((cfgs, tuple(cfgs)))
        for _, _, cfg in terms(env):
            self._watch(vars(cfg), _OF_TERMS)
            self._watch(cfg.params)
            if getattr(cfg, "noise", None) is not None:
                self._watch(vars(cfg.noise))
        actions = [env.action_manager.get_term(name) for name in env.action_manager.active_terms]
        for term in actions:
            self._watch(vars(term), [name for name, value in vars(term).items() if isinstance(value, tuple)])
        for name in env.command_manager.active_terms:
            command = env.command_manager.get_term(name)
            self._watch(vars(command), ("cfg",))
            self._watch(vars(command.cfg), _OF_COMMANDS)
        once_in_a_while = [*events.get("interval", []), *events.get("reset", []), *env.curriculum_manager._term_cfgs]
        for cfg in once_in_a_while:
            self._watch(vars(cfg), ("func", "interval_range_s", "resample_interval_on_reset", "params"))
            self._watch(cfg.params)
        for owner in (env, *managers, *actions, *histories(env), *owners):
            own = vars(owner)
            tensors = {name: value for name, value in own.items() if isinstance(value, torch.Tensor)}
            self._places += [(own, name, value.data_ptr()) for name, value in tensors.items() if name not in _MOVING]
            self._sizes.append((own, len(own)))
        for owner in owners:
            self._watch(vars(owner), [name for name, value in vars(owner).items() if isinstance(value, float)])
            self._watch(vars(owner), [name for name, value in vars(owner).items() if isinstance(value, tuple)])

    def hold(self, owners: tuple[Any, ...]) -> bool:
        """Return whether everything is as it was; looks at some two hundred places, and at no tensor's numbers."""
        if not _same(owners, self._owners) or not all(_same(now, then) for now, then in self._objects):
            return False
        for container, key, value in self._values:
            now = container.get(key)
            if now is not value and not (isinstance(value, _PLAIN) and now == value):
                return False
        for own, name, place in self._places:
            tensor = own.get(name)
            if not isinstance(tensor, torch.Tensor) or tensor.data_ptr() != place:
                return False
        return all(tuple(now) == then for now, then in self._lists) and all(len(o) == size for o, size in self._sizes)

    def _watch(self, container: dict, keys: Any = None) -> None:
        """Note what a dictionary holds under some keys, all of them if None, and in what it nests."""
        if keys is None:
            keys = tuple(container)
            self._sizes.append((container, len(container)))
        for key in keys:
            value = container.get(key)
            self._values.append((container, key, value))
            if key != "params" and isinstance(value, dict):
                self._watch(value)
            elif isinstance(value, list):
                self._lists.append((value, tuple(value)))


def _same(now: Sequence[Any], then: Sequence[Any]) -> bool:
    """Return whether two sequences hold the same objects; configs say that they are equal field by field."""
    return len(now) == len(then) and all(one is other for one, other in zip(now, then, strict=True))
