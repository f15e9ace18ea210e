# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which tasks can step by masks and as CUDA graphs.

A term may be in a graph if it computes on the device alone, from what stays where it is, the same way at every call.
That can only be read, not tested for, so there is a list: our own terms carry :func:`in_graph`, Isaac Lab's are named
here. Everything else keeps Isaac Lab's own step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.utils.buffers import CircularBuffer

STEP_GRAPHS = ("off", "auto", "on", "masked")
"""Isaac Lab's own step; graphs where they fit; graphs or an error; the functions of the graphs without graphs."""

NO_GPU_HAS_SEEN = ("history", "delayed action", "observation of a class", "observation of the stages")
"""Kinds of parts that equal Isaac Lab's step on a CPU, and were in no graph yet: see :func:`unproven`."""

_OF_THE_STAGES = ("future_observations", "privileged_observations", "senses")
"""Modules of ``tracking.mdp`` whose terms only the stages have."""

_PLAIN_ACTIONS = ("JointPositionAction", "ReferenceJointPositionAction")
_DELAYED_ACTIONS = ("DelayedJointPositionAction", "DelayedReferenceJointPositionAction")

_Term = TypeVar("_Term", bound=Callable[..., Any])

_ISAAC_LAB_TERMS = (
    "action_rate_l2",
    "base_ang_vel",
    "base_lin_vel",
    "generated_commands",
    "joint_pos_rel",
    "joint_vel_rel",
    "last_action",
    "time_out",
    "undesired_contacts",
)
"""Terms of ``isaaclab.envs.mdp`` that were read, as Isaac Lab 3.0 has them."""


def in_graph(term: _Term) -> _Term:
    """Mark a term, a function or a class, as one that a CUDA graph may hold."""
    term.in_graph = True  # type: ignore[attr-defined]
    return term


def obstacle(env: ManagerBasedRLEnv) -> str | None:
    """Return what keeps an environment from stepping by masks, as half a sentence; None if nothing does."""
    return next(obstacles(env), None)


def obstacles(env: ManagerBasedRLEnv) -> Iterator[str]:
    """Yield all that keeps an environment from stepping by masks, each as half a sentence."""
    for find in (_of_physics, _of_managers, _of_actions_and_commands, _of_terms, _of_events):
        yield from find(env)


def unproven(env: ManagerBasedRLEnv) -> str | None:
    """Return which part of an environment no GPU has had in a graph yet, as half a sentence; None if there is none.

    ``step_graph="auto"`` does not take such an environment; ``"on"`` and ``"masked"`` do.
    """
    for kind, where in _young_kinds(env):
        if kind in NO_GPU_HAS_SEEN:
            return f"{where}, and no GPU has seen this kind yet"
    return None


def histories(env: ManagerBasedRLEnv) -> list[CircularBuffer]:
    """Return the memory of all observations that remember steps."""
    groups = env.observation_manager._group_obs_term_history_buffer.values()
    return [history for group in groups for history in group.values()]


def _young_kinds(env: ManagerBasedRLEnv) -> Iterator[tuple[str, str]]:
    """Yield kinds of :data:`NO_GPU_HAS_SEEN` that an environment has, and where, as half a sentence."""
    for group, found in env.observation_manager._group_obs_term_history_buffer.items():
        for name in found:
            yield "history", f"observation '{group}/{name}' has a history"
    for name in env.action_manager.active_terms:
        action = type(env.action_manager.get_term(name)).__name__
        if action in _DELAYED_ACTIONS:
            yield "delayed action", f"action '{name}' is a {action}"
    for group, found in env.observation_manager._group_obs_class_term_cfgs.items():
        if found:
            yield "observation of a class", f"a term of the observations '{group}' is a class"
    for kind, name, cfg in terms(env):
        if getattr(cfg.func, "__module__", "").endswith(_OF_THE_STAGES):
            yield "observation of the stages", f"{kind} '{name}' is one of the stages"


def acts_in_every_physics_step(env: ManagerBasedRLEnv) -> bool:
    """Return whether an action of a plan without obstacles changes its targets within a step."""
    actions = (env.action_manager.get_term(name) for name in env.action_manager.active_terms)
    return any(type(action).__name__ not in _PLAIN_ACTIONS for action in actions)


def _of_physics(env: ManagerBasedRLEnv) -> Iterator[str]:
    from isaaclab_newton.physics import NewtonManager

    solver = type(NewtonManager._solver).__name__
    if solver != "SolverMuJoCo":
        found = "not Newton" if NewtonManager._solver is None else f"Newton's {solver}"
        yield f"the physics is {found}, and must be Newton's MuJoCo Warp (physics=newton_mjwarp)"
        return
    physics: Any = env.cfg.sim.physics
    if physics.solver_cfg.use_mujoco_cpu:
        yield "MuJoCo runs on the host (use_mujoco_cpu)"
    scene = env.scene
    if len(scene.articulations) != 1 or scene.rigid_objects or scene.deformable_objects:
        yield "the scene holds more than one robot on static ground"
    for name, sensor in scene.sensors.items():
        if type(sensor).__name__ != "ContactSensor":
            yield f"sensor '{name}' is a {type(sensor).__name__}"
    robot = next(iter(scene.articulations.values()))
    for name, actuator in robot.actuators.items():
        if type(actuator).__name__ != "ImplicitActuator":
            yield f"actuator '{name}' is a {type(actuator).__name__}"


def _of_managers(env: ManagerBasedRLEnv) -> Iterator[str]:
    if env.cfg.compute_final_obs:
        yield "final observations are wanted (compute_final_obs)"
    if env.curriculum_manager.active_terms:
        yield f"curriculum '{env.curriculum_manager.active_terms[0]}' runs at every reset"
    manager = env.observation_manager
    for group, names in manager.active_terms.items():
        if not manager._group_obs_concatenate[group]:
            yield f"the observations '{group}' are not concatenated"
        for name, cfg in zip(names, manager._group_obs_term_cfgs[group], strict=True):
            if name in manager._group_obs_term_delay_buffer[group]:
                yield f"observation '{group}/{name}' has a delay"
            if cfg.modifiers is not None:
                yield f"observation '{group}/{name}' has modifiers"
            if cfg.noise is not None and getattr(cfg.noise, "class_type", None) is not None:
                yield f"observation '{group}/{name}' has a noise model with a memory"


def _of_actions_and_commands(env: ManagerBasedRLEnv) -> Iterator[str]:
    for name in env.action_manager.active_terms:
        action = type(env.action_manager.get_term(name)).__name__
        if action not in (*_PLAIN_ACTIONS, *_DELAYED_ACTIONS):
            yield f"action '{name}' is a {action}"
    names = env.command_manager.active_terms
    command: Any = env.command_manager.get_term(names[0]) if len(names) == 1 else None
    if command is None or not getattr(command, "in_graph", False):
        yield "there is not one motion command alone"
        return
    source = command.source
    if source.augmentation is not None:
        yield "references are augmented (commands.motion.augmentation)"
    sampler = type(source.sampler).__name__
    if not hasattr(source.sampler, "sample_where"):
        yield f"the sampler {sampler} knows no masks"
    if sampler == "StartSampler" and source.library.streams:
        yield "clips come and go (memory_budget), and take turns (sampler.mode=start)"


def _of_terms(env: ManagerBasedRLEnv) -> Iterator[str]:
    import isaaclab.envs.mdp as isaac_lab
    from isaaclab.managers import ManagerTermBase

    known = [getattr(isaac_lab, name) for name in _ISAAC_LAB_TERMS]
    for kind, name, cfg in terms(env):
        if not getattr(cfg.func, "in_graph", False) and not any(cfg.func is term for term in known):
            yield f"{kind} '{name}' was not read for graphs"
        if isinstance(cfg.func, ManagerTermBase) and type(cfg.func).reset is not ManagerTermBase.reset:
            yield f"{kind} '{name}' does something at a reset"
        for value in cfg.params.values():
            ids = (getattr(value, "body_ids", None), getattr(value, "joint_ids", None))
            if any(isinstance(part, list) for part in ids):
                yield f"{kind} '{name}' selects by a list on the host"


def _of_events(env: ManagerBasedRLEnv) -> Iterator[str]:
    import isaaclab.envs.mdp as isaac_lab

    manager = env.event_manager
    for mode, names in manager.active_terms.items():
        if mode in ("prestartup", "startup"):
            continue
        for name, cfg in zip(names, manager._mode_term_cfgs[mode], strict=True):
            if mode != "interval":
                yield f"event '{name}' comes at every {mode}"
                continue
            if cfg.func is not isaac_lab.push_by_setting_velocity or cfg.is_global_time:
                yield f"event '{name}' was not read for graphs"
            target = cfg.params.get("asset_cfg")
            if target is not None and target.name not in env.scene.articulations:
                yield f"event '{name}' pushes no robot"


def terms(env: ManagerBasedRLEnv) -> Iterator[tuple[str, str, Any]]:
    """Yield the terms that a step calls after the physics, as kind, name and config."""
    for kind, manager in (("reward", env.reward_manager), ("termination", env.termination_manager)):
        for name, cfg in zip(manager.active_terms, manager._term_cfgs, strict=True):
            yield kind, name, cfg
    observations = env.observation_manager
    for group, names in observations.active_terms.items():
        for name, cfg in zip(names, observations._group_obs_term_cfgs[group], strict=True):
            yield "observation", f"{group}/{name}", cfg
