# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The same steps of a flat velocity task by Isaac Lab's own step and by masks, on a CPU, in a process of its own.

Usage: ``python tests/velocity_step_probe.py TASK FILE``. FILE gets, for each happening, what differed and what the step
by masks had after every step.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import torch
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.tasks.graphs import masked_step
from isaac_tracking.tasks.graphs.masked_step import MaskedStep
from isaac_tracking.tasks.graphs.plan import obstacles
from taped_graph import TapedGraph

NUM = 8
SMALL = tuple(f"env.scene.terrain.terrain_generator.{size}" for size in ("num_rows=3", "num_cols=6"))
AXES = ("x", "y", "z", "roll", "pitch", "yaw")


def make(task: str) -> Any:
    """Make the task as registered, but that nothing is random of it once it is there."""
    overrides = ["env.step_graph=masked", *(SMALL if "Rough" in task else ())]
    cfg, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=overrides)
    cfg.seed, cfg.sim.device, cfg.scene.num_envs = 0, "cpu", NUM
    cfg.observations.policy.enable_corruption = False
    return gym.make(task, cfg=cfg).unwrapped


class Task:
    """An environment with what a happening wants to decide."""

    def __init__(self, env: Any) -> None:
        self.env, self.robot = env, env.scene["robot"]
        self.command = env.command_manager.get_term("base_velocity")
        self.curriculum = env.curriculum_manager._term_cfgs[-1].func
        self.terrain = env.scene.terrain if env.scene.terrain.terrain_origins is not None else None
        events = env.event_manager
        self.reset_base, self.reset_joints, self.push = (
            events.get_term_cfg(name) for name in ("reset_base", "reset_joints", "push_robot")
        )

    def settle(self, wide: bool) -> None:
        """Give all ranges some width, or none: then nothing is random in a step."""
        width = 0.4 if wide else 0.0
        span = (0.2, 0.2 + width)
        self.reset_base.params["pose_range"] = dict.fromkeys(("x", "y", "yaw"), span)
        self.reset_base.params["velocity_range"] = dict.fromkeys(AXES, span)
        self.reset_joints.params["position_range"] = (0.8, 0.8 + width)
        self.push.params["velocity_range"] = dict.fromkeys(("x", "y"), (0.5, 0.5))
        self.push.interval_range_s = (10.0, 10.0 + width)
        self.command.cfg.resampling_time_range = (10.0, 10.0 + width)
        for axis in ("lin_vel_x", "lin_vel_y", "ang_vel_z"):
            self.curriculum.full[axis] = (-1.0, 1.0) if wide else (0.6, 0.6)
        self.command.cfg.ranges.heading = (-2.0, 2.0) if wide else (1.5, 1.5)
        self.command.cfg.rel_heading_envs, self.command.cfg.rel_standing_envs = (0.5, 0.3) if wide else (1.0, 0.0)

    def start(self, share: float = 0.5) -> None:
        """Begin new episodes everywhere."""
        torch.manual_seed(0)
        self.curriculum.load_state_dict({"share": share})
        self.curriculum._sum.zero_()
        self.curriculum._count = 0
        self.env.reset()
        self.curriculum._count = 0
        if self.terrain is not None:
            levels, kinds = self.terrain.terrain_levels, self.terrain.terrain_types
            levels.copy_(torch.arange(NUM) % 3)
            self.terrain.env_origins.copy_(self.terrain.terrain_origins[levels, kinds])
            self.env.event_manager.apply("reset", env_ids=slice(None), global_env_step_count=0)
        # What ended the last episodes is remembered, and logged, over a reset.
        self.env.termination_manager._last_episode_dones.zero_()
        self.env.extras.pop("log", None)

    """
    What may happen between two steps.
    """

    def end(self, *envs: int) -> None:
        """Let episodes be over after the next step."""
        self.env.episode_length_buf[list(envs)] = self.env.max_episode_length - 1

    def end_all(self) -> None:
        """Let all episodes be over; the next step then draws as often by masks as by indices."""
        torch.manual_seed(1)
        self.end(*range(NUM))

    def do_well(self) -> None:
        """As :meth:`end_all`, after episodes that were good enough for wider commands."""
        self.env.reward_manager._episode_sums["track_lin_vel_xy_exp"].fill_(1000.0)
        self.end_all()

    def break_joints(self, env: int) -> None:
        """Let a state be not finite."""
        speeds = self.robot.data.joint_vel.torch.clone()
        speeds[env] = torch.nan
        self.robot.write_joint_velocity_to_sim_index(velocity=speeds)

    def turn_over(self, env: int) -> None:
        """Put a robot on its back, on which it lands."""
        pose = self.robot.data.root_link_pose_w.torch.clone()
        pose[env, 2] = 0.06 + self.env.scene.env_origins[env, 2]
        pose[env, 3:] = torch.tensor([1.0, 0.0, 0.0, 0.0])
        self.robot.write_root_link_pose_to_sim_index(root_pose=pose)

    def walk(self, *envs: int) -> None:
        """Let robots have gone farther than half a piece of ground, and the episodes of some be over."""
        pose = self.robot.data.root_link_pose_w.torch.clone()
        pose[list(envs), 0] += 4.5
        self.robot.write_root_link_pose_to_sim_index(root_pose=pose)
        self.end(0, 1, 3, 4)

    def walk_all(self) -> None:
        """As :meth:`end_all`, after all have walked far enough for harder ground."""
        self.walk(*range(NUM))
        self.end_all()

    def run_out(self, *envs: int) -> None:
        """Let the time of a command be over in the next step."""
        self.command.time_left[list(envs)] = 0.01

    def push_soon(self, *envs: int) -> None:
        """Let robots be pushed in the next step."""
        self.env.event_manager._interval_term_time_left[0][list(envs)] = 0.01

    def let_stand(self, *envs: int) -> None:
        """Command some robots to stand, and the others to turn no more towards a heading."""
        self.command.is_heading_env[:] = False
        self.command.is_standing_env[list(envs)] = True

    def reset(self, *envs: int) -> None:
        """Reset environments from outside, as a viewer does."""
        self.env._reset_idx(torch.tensor(envs, dtype=torch.int32))

    def everything(self, returned: tuple) -> dict[str, torch.Tensor]:
        """All that a step returns, and what the next one begins with."""
        env, command, data = self.env, self.command, self.robot.data
        obs, reward, terminated, time_outs, extras = returned
        found = {f"obs/{name}": value for name, value in obs.items()}
        found |= {name: torch.as_tensor(value, dtype=torch.float32) for name, value in extras.get("log", {}).items()}
        found |= {"reward": reward, "terminated": terminated, "time_outs": time_outs, "reset": env.reset_buf}
        names = ("vel_command_b", "heading_target", "is_heading_env", "is_standing_env", "time_left", "command_counter")
        found |= {name: getattr(command, name) for name in (*names, "_error_xy_sum", "_error_yaw_sum", "_step_count")}
        found |= {"length": env.episode_length_buf, "sums": env.reward_manager._episode_sum_buf}
        found |= {"terms": env.reward_manager._step_reward, "dones": env.termination_manager._term_dones}
        found |= {"action": env.action_manager.action, "previous": env.action_manager.prev_action}
        found |= {"push": env.event_manager._interval_term_time_left[0]}
        names = ("root_link_pose_w", "root_link_vel_w", "root_lin_vel_b", "projected_gravity_b", "heading_w")
        found |= {name: getattr(data, name).torch for name in (*names, "joint_pos", "joint_vel", "body_link_vel_w")}
        found["efforts"] = self.robot.actuators.applied_effort.torch
        sensor = env.scene["contact_forces"].data
        names = ("net_normal_forces_w_history", "current_air_time", "last_air_time", "current_contact_time")
        found |= {name: getattr(sensor, name).torch for name in names}
        if self.terrain is not None:
            scanner = env.scene["height_scanner"].data
            found |= {"rays": scanner.ray_hits_w.torch, "scanner": scanner.pos_w.torch}
            found["levels"] = self.terrain.terrain_levels
        found |= {
            "origins": env.scene.env_origins,
            "share": torch.tensor(self.curriculum.share),
            "good": self.curriculum._sum,
        }
        return {name: value.clone() for name, value in found.items()}


def compare(task: Task, step: Callable, begin: Callable[[], None], *between: Callable[[], None]) -> dict[str, Any]:
    """Do some steps in both ways from the same start, each after something has happened."""
    runs = []
    for do in (lambda action: ManagerBasedRLEnv.step(task.env, action), step):
        begin()
        found = []
        for index, happen in enumerate(between):
            happen()
            generator = torch.Generator().manual_seed(index)
            action = torch.randn(NUM, task.env.action_manager.total_action_dim, generator=generator)
            with torch.no_grad():
                found.append(task.everything(do(0.5 * action)))
        runs.append(found)
    differs = []
    for index, (expected, actual) in enumerate(zip(*runs, strict=True)):
        # Before the first reset Isaac Lab's log knows nothing of episodes.
        differs += [f"{index} {name} is missing" for name in expected.keys() - actual.keys()]
        spare = [name for name in actual.keys() - expected.keys()]
        differs += [f"{index} {name} is new" for name in spare if not name.startswith(("Episode", "Metrics", "Curri"))]
        for name in sorted(expected.keys() & actual.keys()):
            if not torch.allclose(actual[name], expected[name], rtol=1e-5, atol=1e-5, equal_nan=True):
                differs.append(f"{index} {name} {float((actual[name].double() - expected[name].double()).abs().max())}")
    return {"differs": differs, "steps": runs[1]}


def nothing() -> None:
    """Happens between most steps."""


def happenings(task: Task) -> dict[str, tuple[bool, tuple[Callable[[], None], ...]]]:
    """Return whether ranges have a width, and what happens before each step."""
    rough = {
        "walked": (False, (nothing, lambda: task.walk(0, 4), nothing, nothing)),
        "all walked": (True, (nothing, task.walk_all, nothing, task.walk_all, nothing)),
    }
    return (rough if task.terrain is not None else {}) | {
        "nothing": (False, (nothing,) * 4),
        "time_out": (False, (nothing, lambda: task.end(3, 5), nothing, nothing)),
        "broken": (False, (nothing, lambda: task.break_joints(2), nothing, nothing)),
        "fallen": (False, (nothing, lambda: task.turn_over(4), nothing, nothing, nothing, nothing)),
        "command": (False, (nothing, lambda: task.run_out(1, 6), nothing)),
        "push": (False, (nothing, lambda: task.push_soon(0, 7), nothing)),
        "stand": (False, (nothing, lambda: task.let_stand(2, 3), nothing, lambda: task.end(2), nothing)),
        "outside": (False, (nothing, lambda: task.reset(1), nothing, lambda: task.end(2), nothing)),
        "all": (True, (nothing, task.end_all, nothing, task.end_all, nothing)),
        "wider": (True, (nothing, task.do_well, nothing, task.do_well, task.end_all, nothing, task.do_well)),
    }


def taped(task: Task) -> MaskedStep:
    """Return a step both halves of which are repeated without their Python."""
    graph, masked_step.Graph = masked_step.Graph, TapedGraph
    step = MaskedStep(task.env, graphs=True)
    masked_step.Graph = graph
    task.start()
    with torch.no_grad():
        for _ in range(6):
            step(torch.zeros(NUM, task.env.action_manager.total_action_dim))
    assert step.captured
    return step


def main() -> None:
    """Compare everything."""
    name, file = sys.argv[1:3]
    env = make(name)
    task = Task(env)
    found: dict[str, Any] = {"obstacles": list(obstacles(env))}
    for name, (wide, between) in happenings(task).items():
        task.settle(wide)
        found[name] = compare(task, MaskedStep(env, graphs=False), task.start, *between)
        step = taped(task)
        found[f"taped {name}"] = compare(task, step, task.start, *between) | {"captured": step.captured}
    torch.save(found, file)
    env.close()


if __name__ == "__main__":
    main()
