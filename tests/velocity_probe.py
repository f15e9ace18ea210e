# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Run a velocity task in a process of its own and save what the tests look at; there is one simulator per process.

``python velocity_probe.py TASK FILE [OVERRIDE...]``
"""

from __future__ import annotations

import sys
from typing import Any

import gymnasium as gym
import torch
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.inference.ground_mesh import ground_mesh_of

NUM_ENVS = 8
RANDOM = ("physics_material", "base_mass", "base_com", "push_robot")


def make(task: str, overrides: list[str]) -> Any:
    """Make the environment; on flat ground without what is random, so that the robot is the MJCF's."""
    cfg, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=overrides)
    cfg.seed = 0
    cfg.sim.device = "cpu"
    cfg.scene.num_envs = NUM_ENVS
    cfg.observations.policy.enable_corruption = False
    if cfg.scene.terrain.terrain_type == "plane":
        for name in RANDOM:
            setattr(cfg.events, name, None)
    return gym.make(task, cfg=cfg).unwrapped


def observation(env: Any) -> dict[str, torch.Tensor]:
    """Return the policy's terms by name."""
    manager = env.observation_manager
    widths = [dim[0] for dim in manager.group_obs_term_dim["policy"]]
    parts = manager.compute_group("policy").clone().split(widths, dim=-1)
    return dict(zip(manager.active_terms["policy"], parts, strict=True))


def state(robot: Any) -> dict[str, torch.Tensor]:
    """Return the state of the robots."""
    data = robot.data
    names = (
        *("root_link_pose_w", "root_link_vel_w", "joint_pos", "joint_vel", "body_link_pose_w"),
        *("body_link_vel_w", "root_lin_vel_b", "root_ang_vel_b"),
    )
    return {name: getattr(data, name).torch.clone() for name in names}


def articulation(env: Any) -> dict[str, Any]:
    """Return what the robot is made of, in the articulation and in the solver."""
    from isaaclab_newton.physics import NewtonManager

    engine: Any = NewtonManager._solver
    robot, solver = env.scene["robot"], engine.mjw_model
    arrays = (
        *("joint_stiffness", "joint_damping", "joint_armature", "joint_effort_limits", "joint_vel_limits"),
        *("joint_pos_limits", "soft_joint_pos_limits", "default_joint_pos", "default_root_pose", "body_mass"),
    )
    of_solver = (
        *("body_mass", "body_ipos", "jnt_range", "jnt_actfrcrange", "dof_armature", "dof_damping"),
        *("dof_frictionloss", "actuator_trnid", "actuator_gainprm", "actuator_biasprm", "geom_friction"),
    )
    return {
        "joint_names": list(robot.joint_names),
        "body_names": list(robot.body_names),
        **{name: getattr(robot.data, name).torch.clone() for name in arrays},
        "solver": {name: torch.from_numpy(getattr(solver, name).numpy().copy()) for name in of_solver},
        "collisions": [int(body) for body in solver.geom_bodyid.numpy()],
    }


def written(env: Any) -> dict[str, Any]:
    """Write random states high above the ground, and return what is then seen of them."""
    robot, generator = env.scene["robot"], torch.Generator().manual_seed(1)
    limits = robot.data.joint_pos_limits.torch

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(NUM_ENVS, *shape, generator=generator)

    pose = torch.cat([draw(3) + torch.tensor([0.0, 0.0, 10.0]), torch.nn.functional.normalize(draw(4), dim=-1)], -1)
    share = torch.rand(NUM_ENVS, robot.num_joints, generator=generator)
    joint_pos = limits[..., 0] + share * (limits[..., 1] - limits[..., 0])
    robot.write_root_link_pose_to_sim_index(root_pose=pose)
    robot.write_root_link_velocity_to_sim_index(root_velocity=draw(6))
    robot.write_joint_position_to_sim_index(position=joint_pos)
    robot.write_joint_velocity_to_sim_index(velocity=3.0 * draw(robot.num_joints))
    return {"state": state(robot), "seen": observation(env)}


def stood(env: Any, steps: int = 50) -> dict[str, Any]:
    """Hold the default pose for a second, and return state and rewards of the last step."""
    env.reset()
    still = torch.zeros(NUM_ENVS, env.action_manager.total_action_dim)
    for _ in range(steps):
        env.step(still)
    sensor = env.scene.sensors["contact_forces"]
    manager = env.reward_manager
    return {
        "state": state(env.scene["robot"]),
        "origins": env.scene.env_origins.clone(),
        "command": env.command_manager.get_command("base_velocity").clone(),
        "forces": sensor.data.net_forces_w.torch.clone(),
        "sensed": list(sensor.sensor_names),
        "rewards": dict(zip(manager.active_terms, manager._step_reward.T.clone(), strict=True)),
        "reset": env.reset_buf.clone(),
    }


def broken(env: Any) -> dict[str, Any]:
    """Break the state of one robot, and return what the next steps make of it."""
    env.reset()
    robot, still = env.scene["robot"], torch.zeros(NUM_ENVS, env.action_manager.total_action_dim)
    velocity = robot.data.root_link_vel_w.torch.clone()
    velocity[2, 0] = float("nan")
    robot.write_root_link_velocity_to_sim_index(root_velocity=velocity)
    obs, reward, ended, *_ = env.step(still)
    found = {
        "ended": ended.clone(),
        "by": env.termination_manager.get_term("non_finite").clone(),
        "reward": reward.clone(),
        "seen": obs["policy"].clone(),
    }
    for _ in range(10):
        obs, reward, *_ = env.step(still)
    return {**found, "later": (obs["policy"].clone(), reward.clone())}


def actions(env: Any) -> torch.Tensor:
    """Return how far an action of one moves the joints' targets."""
    env.reset()
    env.action_manager.process_action(torch.ones(NUM_ENVS, env.action_manager.total_action_dim))
    targets = env.action_manager.get_term("joint_pos").processed_actions
    return targets - env.scene["robot"].data.default_joint_pos.torch


def ground(env: Any) -> dict[str, Any]:
    """Return what the robots see of uneven ground, what is there, and what walking does to their level."""
    found = stood(env)
    scanner, mesh = env.scene.sensors["height_scanner"], ground_mesh_of(env)
    assert mesh is not None
    found |= {
        "scan": observation(env)["height_scan"],
        "hits": scanner.data.ray_hits_w.torch.clone(),
        "scanner_pos": scanner.data.pos_w.torch.clone(),
        "vertices": torch.from_numpy(mesh.vertices),
        "faces": torch.from_numpy(mesh.faces),
    }
    terrain, robot = env.scene.terrain, env.scene["robot"]
    terrain.terrain_levels[:] = 1
    command = env.command_manager.get_term("base_velocity")
    command.vel_command_b[:] = torch.tensor([1.0, 0.0, 0.0])
    pose = robot.data.root_link_pose_w.torch.clone()
    pose[:, :2] = env.scene.env_origins[:, :2]
    # Farther than half a piece; not far; at the edge of everything.
    pose[0, 0] += 5.0
    pose[2, 0] = 0.5 * (terrain.cfg.terrain_generator.num_rows * 8.0) + 20.0 - 2.5
    robot.write_root_link_pose_to_sim_index(root_pose=pose)
    found["out"] = env.termination_manager.get_term_cfg("terrain_out_of_bounds").func(env).clone()
    env.curriculum_manager.compute(env_ids=torch.tensor([0, 1]))
    found["levels"] = terrain.terrain_levels.clone()
    return found


def main(task: str, file: str, *overrides: str) -> None:
    """Probe a task and save what was found."""
    env = make(task, list(overrides))
    env.reset()
    manager = env.observation_manager
    found = {
        "terms": dict(zip(manager.active_terms["policy"], manager.group_obs_term_dim["policy"], strict=True)),
        "groups": list(manager.active_terms),
        "terminations": list(env.termination_manager.active_terms),
        "curriculum": list(env.curriculum_manager.active_terms),
        "ranges": env.command_manager.get_term("base_velocity").cfg.ranges.lin_vel_x,
    }
    if env.scene.terrain.terrain_origins is None:
        found |= {"written": written(env), "actions": actions(env)}
    else:
        found["ground"] = ground(env)
    # Randomization reaches the solver with the first step.
    found |= {"stood": stood(env), "robot": articulation(env), "broken": broken(env)}
    torch.save(found, file)
    env.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
