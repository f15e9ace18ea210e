# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which tasks can step by masks and as CUDA graphs.

A term may be in a graph if it computes on the device alone, from what stays where it is, the same way at every call.
That can only be read, not tested for, so there is a list: our own terms carry :func:`in_graph`, Isaac Lab's are named
here. Everything else keeps Isaac Lab's own step.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.utils.buffers import CircularBuffer

STEP_GRAPHS = ("off", "auto", "on", "masked")
"""Isaac Lab's own step; graphs where they fit; graphs or an error; the functions of the graphs without graphs."""

_PLAIN_ACTIONS = ("JointPositionAction", "ReferenceJointPositionAction")
_DELAYED_ACTIONS = ("DelayedJointPositionAction", "DelayedReferenceJointPositionAction")

_Term = TypeVar("_Term", bound=Callable[..., Any])

_ISAAC_LAB_TERMS = (
    "action_rate_l2",
    "base_ang_vel",
    "base_lin_vel",
    "generated_commands",
    "height_scan",
    "illegal_contact",
    "is_terminated",
    "joint_pos_rel",
    "joint_vel_rel",
    "last_action",
    "projected_gravity",
    "time_out",
    "undesired_contacts",
)
"""Terms of ``isaaclab.envs.mdp`` that were read, as Isaac Lab 3.0 has them."""

_ISAAC_LAB_WALKING_TERMS = ("terrain_out_of_bounds",)
"""The same of ``isaaclab_tasks.core.velocity.mdp``."""


def in_graph(term: _Term) -> _Term:
    """Mark a term, a function or a class, as one that a CUDA graph may hold; not what is derived from it."""
    # Its number, not itself: Isaac Lab looks into what the functions of a config hold.
    term.in_graph = id(term)  # type: ignore[attr-defined]
    return term


def reads_efforts(term: _Term) -> _Term:
    """Mark a term as one that reads the joints' efforts, which are computed whenever targets are told."""
    term.reads_efforts = id(term)  # type: ignore[attr-defined]
    return term


def carries(thing: Any, mark: str) -> bool:
    """Return whether a function, a class or an instance of it carries a mark of its own.

    A child inherits its parent's attributes, and ``functools.wraps`` copies a function's; what they do is their own.
    """
    owner = thing if inspect.isroutine(thing) or isinstance(thing, type) else type(thing)
    return getattr(owner, mark, None) == id(owner)


def efforts_are_read(env: ManagerBasedRLEnv) -> bool:
    """Return whether a term of a plan without obstacles may read the joints' efforts.

    Ours and Isaac Lab's carry a mark if they do; of others nothing is known.
    """
    found = [cfg.func for _, _, cfg in terms(env)]
    modules = [getattr(func, "__module__", "") for func in found]
    others = not all(module.startswith(("isaac_tracking.", "isaaclab.", "isaaclab_tasks.")) for module in modules)
    return others or any(carries(func, "reads_efforts") for func in found)


def obstacle(env: ManagerBasedRLEnv) -> str | None:
    """Return what keeps an environment from stepping by masks, as half a sentence; None if nothing does."""
    return next(obstacles(env), None)


def obstacles(env: ManagerBasedRLEnv) -> Iterator[str]:
    """Yield all that keeps an environment from stepping by masks, each as half a sentence."""
    for find in (_of_physics, _of_env, _of_managers, _of_actions_and_commands, _of_terms, _of_events):
        yield from find(env)


def scanners(env: ManagerBasedRLEnv) -> list[Any]:
    """Return the sensors that cast rays."""
    return [sensor for sensor in env.scene.sensors.values() if type(sensor).__name__ == "RayCaster"]


def histories(env: ManagerBasedRLEnv) -> list[CircularBuffer]:
    """Return the memory of all observations that remember steps."""
    groups = env.observation_manager._group_obs_term_history_buffer.values()
    return [history for group in groups for history in group.values()]


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
        kind, cfg = type(sensor).__name__, sensor.cfg
        if kind not in ("ContactSensor", "RayCaster"):
            yield f"sensor '{name}' is a {kind}"
        elif kind == "RayCaster" and (any(cfg.drift_range) or any(map(any, cfg.ray_cast_drift_range.values()))):
            yield f"sensor '{name}' drifts"
    robot = next(iter(scene.articulations.values()))
    for name, actuator in robot.actuators.items():
        if type(actuator).__name__ != "ImplicitActuator":
            yield f"actuator '{name}' is a {type(actuator).__name__}"


def _of_env(env: ManagerBasedRLEnv) -> Iterator[str]:
    from isaaclab.envs import ManagerBasedRLEnv

    if "_reset_idx" in vars(env) or type(env)._reset_idx is not ManagerBasedRLEnv._reset_idx:
        yield "the environment has a _reset_idx of its own"


def _of_managers(env: ManagerBasedRLEnv) -> Iterator[str]:
    if env.cfg.compute_final_obs:
        yield "final observations are wanted (compute_final_obs)"
    curricula = env.curriculum_manager
    for name, cfg in zip(curricula.active_terms, curricula._term_cfgs, strict=True):
        # Only the masked velocity command calls them.
        if getattr(env, "follows", "motion") != "velocity" or not carries(cfg.func, "in_graph"):
            yield f"curriculum '{name}' runs at every reset"
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
    if getattr(env, "follows", "motion") == "velocity":
        if type(command).__name__ != "UniformVelocityCommand":
            yield "there is not one uniform velocity command alone"
        return
    if command is None or not carries(command, "in_graph"):
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
    if getattr(env, "follows", "motion") == "velocity":
        from isaaclab_tasks.core.velocity import mdp as walking

        known += [getattr(walking, name) for name in _ISAAC_LAB_WALKING_TERMS]
    for kind, name, cfg in terms(env):
        if not carries(cfg.func, "in_graph") and not any(cfg.func is term for term in known):
            yield f"{kind} '{name}' was not read for graphs (@in_graph marks what may be in one)"
        if isinstance(cfg.func, ManagerTermBase) and type(cfg.func).reset is not ManagerTermBase.reset:
            yield f"{kind} '{name}' does something at a reset"
        for value in cfg.params.values():
            ids = (getattr(value, "body_ids", None), getattr(value, "joint_ids", None))
            if any(isinstance(part, list) for part in ids):
                yield f"{kind} '{name}' selects by a list on the host"


def _of_events(env: ManagerBasedRLEnv) -> Iterator[str]:
    import isaaclab.envs.mdp as isaac_lab

    from .resets import reset_obstacle

    manager = env.event_manager
    for mode, names in manager.active_terms.items():
        if mode in ("prestartup", "startup"):
            continue
        for name, cfg in zip(names, manager._mode_term_cfgs[mode], strict=True):
            if mode == "reset":
                if found := reset_obstacle(env, cfg):
                    yield f"event '{name}' {found}"
                continue
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
