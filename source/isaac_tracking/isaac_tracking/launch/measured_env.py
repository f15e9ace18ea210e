# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Timing an environment: its step, the bare physics on the states that the step visited, its managers and terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch

from .stopwatch import Clock, Watches

_MOST_BYTES = 2**27
"""Most memory that recorded states take."""


class ArticulationState(NamedTuple):
    """What decides how an articulation moves on, of all environments, in the world."""

    root_pose: torch.Tensor
    """Position [m] and quaternion (xyzw) of the root link, shape (E, 7)."""
    root_vel: torch.Tensor
    """Linear [m/s] and angular velocity [rad/s] of the root link, shape (E, 6)."""
    joint_pos: torch.Tensor
    """Angles [rad], shape (E, J)."""
    joint_vel: torch.Tensor
    """Speeds [rad/s], shape (E, J)."""


class Visit(NamedTuple):
    """One step that was done: where it began, and with which actions."""

    states: dict[str, ArticulationState]
    """State of each articulation by its name."""
    actions: torch.Tensor
    """What the step was given, shape (E, A)."""


def read_states(env: Any) -> dict[str, ArticulationState]:
    """Return copies of the states of an environment's articulations."""
    states = {}
    for name, asset in env.scene.articulations.items():
        data = asset.data
        parts = data.root_link_pose_w, data.root_link_vel_w, data.joint_pos, data.joint_vel
        states[name] = ArticulationState(*(part.torch.clone() for part in parts))
    return states


def write_states(env: Any, states: dict[str, ArticulationState]) -> None:
    """Put articulations into states, and what follows from them too."""
    for name, state in states.items():
        asset = env.scene.articulations[name]
        asset.write_root_link_pose_to_sim_index(root_pose=state.root_pose)
        asset.write_root_link_velocity_to_sim_index(root_velocity=state.root_vel)
        asset.write_joint_position_to_sim_index(position=state.joint_pos)
        asset.write_joint_velocity_to_sim_index(velocity=state.joint_vel)
    env.sim.forward()


def physics_calls(env: Any) -> int:
    """Return how often the physics is called in a step: once where it goes through the substeps by itself."""
    return 1 if env._physics_handles_decimation else env.cfg.decimation


def visit_steps(env: Any, actions: torch.Tensor, count: int, clock: Clock) -> tuple[list[float], list[Visit]]:
    """Step an environment, and return how long each step took [ms], and the first steps as they began.

    Args:
        env: The environment, not wrapped.
        actions: Actions that are given over and over, shape (period, E, A).
        count: Number of steps.
        clock: The device's.
    """
    marks, visits = [], []
    with torch.inference_mode():
        for index in range(count):
            given = actions[index % len(actions)]
            if len(visits) < _most_visits(visits):
                visits.append(Visit(read_states(env), given))
            start = clock.mark()
            env.step(given)
            marks.append((start, clock.mark()))
    clock.wait()
    return [clock.milliseconds(*pair) for pair in marks], visits


def replay_physics(env: Any, visits: Sequence[Visit], clock: Clock) -> list[float]:
    """Return how long the physics of each of some steps takes alone [ms].

    Each begins in the state in which the step began, with the targets of its first substep; only the calls of the
    physics are timed, not what puts it there. The environment has to be reset afterwards.
    """
    marks, calls = [], physics_calls(env)
    with torch.inference_mode():
        for visit in visits:
            write_states(env, visit.states)
            env.action_manager.process_action(visit.actions)
            env.action_manager.apply_action()
            env.scene.write_data_to_sim()
            start = clock.mark()
            for _ in range(calls):
                env.sim.step(render=False)
            marks.append((start, clock.mark()))
            env.scene.update(dt=env.physics_dt * (env.cfg.decimation // calls))
    clock.wait()
    return [clock.milliseconds(*pair) for pair in marks]


def time_parts(env: Any, actions: torch.Tensor, count: int, clock: Clock) -> dict[str, Any]:
    """Return how long each part of a step, and each term of each manager, takes [ms]; leaves watches behind.

    What several terms share is paid by the one that asks first. Where steps are captured as CUDA graphs, the parts are
    those of Isaac Lab's own step, of which the captured one is made.

    Returns:
        ``parts`` and ``terms``, spreads by name, and ``resets_per_step``, how many environments began anew.
    """
    if hasattr(env, "use_isaac_labs_step"):
        env.use_isaac_labs_step()
    watches, reset = Watches(clock), [0]
    begin_anew = env._reset_idx

    def count_and_begin_anew(env_ids: Any, *args: Any, **kwargs: Any) -> Any:
        reset[0] += len(env_ids)
        return begin_anew(env_ids, *args, **kwargs)

    env._reset_idx = count_and_begin_anew
    parts = ("actions", "physics", "scene", "terminations", "rewards", "resets", "commands", "events", "observations")
    for name, target, attribute in _parts(env):
        watches.attach(name, target, attribute, part=True)
    for name, target, attribute in _terms(env):
        watches.attach(name, target, attribute)
    with torch.inference_mode():
        for index in range(count):
            given = actions[index % len(actions)]
            watches.step(lambda given=given: env.step(given))
    spreads = watches.spreads()
    own = (*parts, "other", "step")
    return {
        "parts": {name: spreads[name] for name in own if name in spreads},
        "terms": {name: value for name, value in spreads.items() if name not in own},
        "resets_per_step": reset[0] / count,
    }


def _parts(env: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield what a step consists of, as name, object and method; what calls another one comes after it."""
    yield "actions", env.action_manager, "process_action"
    yield "actions", env.action_manager, "apply_action"
    yield "physics", env.sim, "step"
    yield "scene", env.scene, "write_data_to_sim"
    yield "scene", env.scene, "update"
    yield "terminations", env.termination_manager, "compute"
    yield "rewards", env.reward_manager, "compute"
    yield "resets", env, "_reset_idx"
    yield "commands", env.command_manager, "compute"
    yield "events", env.event_manager, "apply"
    yield "observations", env.observation_manager, "compute"


def _terms(env: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield the terms of all managers, as name, object and method."""
    for name in env.action_manager.active_terms:
        for method in ("process_actions", "apply_actions"):
            yield f"actions/{name}", env.action_manager.get_term(name), method
    for name in env.command_manager.active_terms:
        yield f"commands/{name}", env.command_manager.get_term(name), "compute"
    for kind, manager in (("terminations", env.termination_manager), ("rewards", env.reward_manager)):
        for name in manager.active_terms:
            yield f"{kind}/{name}", manager.get_term_cfg(name), "func"
    for mode, names in env.event_manager.active_terms.items():
        for name in names if mode in ("reset", "interval") else ():
            yield f"events/{name}", env.event_manager.get_term_cfg(name), "func"
    manager = env.observation_manager
    for group, names in manager.active_terms.items():
        for name, cfg in zip(names, manager._group_obs_term_cfgs[group], strict=True):
            yield f"observations/{group}/{name}", cfg, "func"
    manager = env.curriculum_manager
    for name, cfg in zip(manager.active_terms, manager._term_cfgs, strict=True):
        yield f"curriculum/{name}", cfg, "func"


def _most_visits(visits: Sequence[Visit]) -> int:
    """Return how many steps fit into the memory for them."""
    if not visits:
        return 1
    tensors = [part for state in visits[0].states.values() for part in state]
    return max(1, _MOST_BYTES // sum(tensor.nbytes for tensor in tensors))
