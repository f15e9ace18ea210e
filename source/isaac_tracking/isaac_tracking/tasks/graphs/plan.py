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

STEP_GRAPHS = ("off", "auto", "on", "masked")
"""Isaac Lab's own step; graphs where they fit; graphs or an error; the functions of the graphs without graphs."""

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
    for found in (_of_physics(env), _of_managers(env), _of_actions_and_commands(env), _of_terms(env), _of_events(env)):
        if found is not None:
            return found
    return None


def _of_physics(env: ManagerBasedRLEnv) -> str | None:
    from isaaclab_newton.physics import NewtonManager

    solver = type(NewtonManager._solver).__name__
    if solver != "SolverMuJoCo":
        found = "not Newton" if NewtonManager._solver is None else f"Newton's {solver}"
        return f"the physics is {found}, and must be Newton's MuJoCo Warp (physics=newton_mjwarp)"
    physics: Any = env.cfg.sim.physics
    if physics.solver_cfg.use_mujoco_cpu:
        return "MuJoCo runs on the host (use_mujoco_cpu)"
    scene = env.scene
    if len(scene.articulations) != 1 or scene.rigid_objects or scene.deformable_objects:
        return "the scene holds more than one robot on static ground"
    for name, sensor in scene.sensors.items():
        if type(sensor).__name__ != "ContactSensor":
            return f"sensor '{name}' is a {type(sensor).__name__}"
    robot = next(iter(scene.articulations.values()))
    for name, actuator in robot.actuators.items():
        if type(actuator).__name__ != "ImplicitActuator":
            return f"actuator '{name}' is a {type(actuator).__name__}"
    return None


def _of_managers(env: ManagerBasedRLEnv) -> str | None:
    if env.cfg.compute_final_obs:
        return "final observations are wanted (compute_final_obs)"
    if env.curriculum_manager.active_terms:
        return f"curriculum '{env.curriculum_manager.active_terms[0]}' runs at every reset"
    manager = env.observation_manager
    for group, names in manager.active_terms.items():
        if manager._group_obs_class_term_cfgs[group]:
            return f"a term of the observations '{group}' is a class"
        for name, cfg in zip(names, manager._group_obs_term_cfgs[group], strict=True):
            if cfg.history_length > 0 or name in manager._group_obs_term_delay_buffer[group]:
                return f"observation '{group}/{name}' has a history"
            if cfg.modifiers is not None:
                return f"observation '{group}/{name}' has modifiers"
            if cfg.noise is not None and getattr(cfg.noise, "class_type", None) is not None:
                return f"observation '{group}/{name}' has a noise model with a memory"
    return None


def _of_actions_and_commands(env: ManagerBasedRLEnv) -> str | None:
    for name in env.action_manager.active_terms:
        action = env.action_manager.get_term(name)
        if type(action).__name__ not in ("JointPositionAction", "ReferenceJointPositionAction"):
            return f"action '{name}' is a {type(action).__name__}"
    names = env.command_manager.active_terms
    command: Any = env.command_manager.get_term(names[0]) if len(names) == 1 else None
    if command is None or not getattr(command, "in_graph", False):
        return "there is not one motion command alone"
    source = command.source
    if source.augmentation is not None:
        return "references are augmented (commands.motion.augmentation)"
    sampler = type(source.sampler).__name__
    if not hasattr(source.sampler, "sample_where"):
        return f"the sampler {sampler} knows no masks"
    if sampler == "StartSampler" and source.library.streams:
        return "clips come and go (memory_budget), and take turns (sampler.mode=start)"
    return None


def _of_terms(env: ManagerBasedRLEnv) -> str | None:
    import isaaclab.envs.mdp as isaac_lab

    known = [getattr(isaac_lab, name) for name in _ISAAC_LAB_TERMS]
    for kind, name, cfg in terms(env):
        if not getattr(cfg.func, "in_graph", False) and not any(cfg.func is term for term in known):
            return f"{kind} '{name}' was not read for graphs"
        for value in cfg.params.values():
            ids = (getattr(value, "body_ids", None), getattr(value, "joint_ids", None))
            if any(isinstance(part, list) for part in ids):
                return f"{kind} '{name}' selects by a list on the host"
    return None


def _of_events(env: ManagerBasedRLEnv) -> str | None:
    import isaaclab.envs.mdp as isaac_lab

    manager = env.event_manager
    for mode, names in manager.active_terms.items():
        if mode in ("prestartup", "startup"):
            continue
        for name, cfg in zip(names, manager._mode_term_cfgs[mode], strict=True):
            if mode != "interval":
                return f"event '{name}' comes at every {mode}"
            if cfg.func is not isaac_lab.push_by_setting_velocity or cfg.is_global_time:
                return f"event '{name}' was not read for graphs"
            target = cfg.params.get("asset_cfg")
            if target is not None and target.name not in env.scene.articulations:
                return f"event '{name}' pushes no robot"
    return None


def terms(env: ManagerBasedRLEnv) -> Iterator[tuple[str, str, Any]]:
    """Yield the terms that a step calls after the physics, as kind, name and config."""
    for kind, manager in (("reward", env.reward_manager), ("termination", env.termination_manager)):
        for name, cfg in zip(manager.active_terms, manager._term_cfgs, strict=True):
            yield kind, name, cfg
    observations = env.observation_manager
    for group, names in observations.active_terms.items():
        for name, cfg in zip(names, observations._group_obs_term_cfgs[group], strict=True):
            yield "observation", f"{group}/{name}", cfg
