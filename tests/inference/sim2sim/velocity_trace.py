# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a velocity task's own simulator sees, in a process of its own: there is another one in that of the tests.

``python velocity_trace.py TASK FOLDER HEIGHT`` exports a policy that never learned anything into the folder, and writes
``trace.npz`` beside it: of flat ground what was seen and done in some steps from the default pose, the root at that
height [m], of rough ground where one robot's rays ended.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from isaaclab.utils import to_dict
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg
from tensordict import TensorDict

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.inference.export.describe import Origin, describe
from isaac_tracking.inference.export.files import write_files
from isaac_tracking.inference.export.graph import record
from isaac_tracking.inference.export.state_graph import read_state
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.learning.runner import Runner

COMMAND = (0.5, 0.25, -0.5)
"""What is commanded, or the nearest that the task's range has."""
STEPS = 25
SMALL = ["agent.actor.hidden_dims=[32,16]", "agent.critic.hidden_dims=[8]"]
GROUND = ["env.scene.terrain.terrain_generator.num_rows=2", "env.scene.terrain.terrain_generator.num_cols=2"]


def main(task: str, folder: Path, height: float) -> None:
    """Export and trace.

    Args:
        task: Id of the training task.
        folder: Where the files go.
        height: Height of the root over the ground in the default pose [m].
    """
    play, rough = task.replace("-v0", "-Play-v0"), "-Rough-" in task
    env_cfg, agent_cfg = resolve_config(play, [*SMALL, *(GROUND if rough else [])])
    training, _ = resolve_config(task, [])
    env_cfg.scene.num_envs, env_cfg.sim.device, env_cfg.seed = 2, "cpu", 0
    command = env_cfg.commands.base_velocity
    command.heading_command, command.rel_standing_envs = False, 0.0
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    agent_cfg.device = "cpu"
    made: Any = gym.make(play, cfg=env_cfg)
    env: Any = RslRlVecEnvWrapper(made)
    torch.manual_seed(0)
    runner = Runner(env, to_dict(agent_cfg), device="cpu")
    size = env.get_observations()["policy"].shape[1]
    seen = 0.3 + 2.0 * torch.randn(512, size)
    runner.alg.actor.update_normalization(TensorDict({"policy": seen}, batch_size=[512]))
    policy = runner.get_inference_policy("cpu")
    base = env.unwrapped
    contract = describe(base, policy.obs_groups, training, Origin(task, "0", "a_run", "model_0.pt", 0, [], []))
    recorded = record(env, policy, 20)
    exported = write_files(folder, policy, contract, "a_run", recorded, batch=True, state=True)
    trace = {name: np.array(value) for name, value in exported.differences.items()}
    more = look(base) if rough else follow(base, policy, contract, height)
    np.savez(folder / "trace.npz", **trace, **more)
    env.close()


def follow(env: Any, policy: Any, contract: Any, height: float) -> dict[str, np.ndarray]:
    """Let the first robot follow the command from the default pose on the ground."""
    env.reset()
    robot, term = env.scene["robot"], env.command_manager.get_term("base_velocity")
    pose = torch.zeros(env.num_envs, 7)
    pose[:, :3] = env.scene.env_origins
    pose[:, 2] += height
    pose[:, 6] = 1.0
    joints = robot.data.default_joint_pos.torch.clone()
    robot.write_root_link_pose_to_sim_index(root_pose=pose)
    robot.write_root_link_velocity_to_sim_index(root_velocity=torch.zeros(env.num_envs, 6))
    robot.write_joint_position_to_sim_index(position=joints)
    robot.write_joint_velocity_to_sim_index(velocity=torch.zeros_like(joints))
    wanted = [min(max(value, low), high) for value, (low, high) in zip(COMMAND, contract.command.ranges, strict=True)]
    term.vel_command_b[:] = torch.tensor(wanted)
    rows: dict[str, list[torch.Tensor]] = {}
    with torch.inference_mode():
        env.scene.update(dt=0.0)
        obs = env.observation_manager.compute()
        for _ in range(STEPS):
            action = policy(TensorDict({"policy": obs["policy"]}, batch_size=[env.num_envs]))
            row = read_state(env) | {"obs": obs["policy"], "action": action}
            obs, _, ended, late, _ = env.step(action)
            assert not (ended | late).any()
            row["joint_targets"] = env.action_manager.get_term("joint_pos").processed_actions
            for name, value in row.items():
                rows.setdefault(name, []).append(value[0].clone())
    return {name: torch.stack(values).numpy() for name, values in rows.items()} | {"command": np.array(wanted)}


def look(env: Any) -> dict[str, np.ndarray]:
    """Let a robot fall onto the ground and look around."""
    env.reset()
    with torch.inference_mode():
        for _ in range(3):
            env.step(torch.zeros(env.num_envs, env.action_manager.total_action_dim))
    sensor, robot = env.scene.sensors["height_scanner"], env.scene["robot"]
    body = robot.body_names.index(sensor.cfg.prim_path.rsplit("/", 1)[-1])
    return {
        "hits": sensor.data.ray_hits_w.torch[0].numpy().copy(),
        "body": robot.data.body_link_pose_w.torch[0, body].numpy().copy(),
        "height_scan": read_state(env)["height_scan"][0].numpy(),
    }


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
