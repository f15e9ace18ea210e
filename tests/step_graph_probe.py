# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a task's step by masks does on a GPU, in a process of its own; prints one line of JSON.

Usage: ``python tests/step_graph_probe.py CHECK [DEVICE] [NUM_ENVS] [STEP_GRAPH] [TASK]``, where CHECK is

* ``capture``: steps until both halves are replayed, and ten steps more;
* ``equal``: five steps, of which each is done by graphs and, from the same state with the same random numbers, eagerly;
* ``sync``: ten steps in which torch refuses to wait for the device;
* ``speed``: milliseconds of a step.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import gymnasium as gym
import torch
import warp as wp
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.tasks.graphs.plan import histories


def make(task: str, device: str, num_envs: int, step_graph: str, often: bool) -> Any:
    """Make the task as registered, but that pushes may come often."""
    cfg, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=[])
    cfg.seed, cfg.sim.device, cfg.scene.num_envs, cfg.step_graph = 0, device, num_envs, step_graph
    if often:
        cfg.events.push_robot.interval_range_s = (0.05, 0.2)
        if hasattr(cfg.commands, "base_velocity"):
            cfg.commands.base_velocity.resampling_time_range = (0.05, 0.2)
            cfg.curriculum.command_ranges.params |= {"threshold": -10.0, "episodes": 0.05}
    env = gym.make(task, cfg=cfg).unwrapped
    env.reset()
    return env


def actions(env: Any) -> torch.Tensor:
    return 0.5 * torch.randn(env.num_envs, env.action_manager.total_action_dim, device=env.device)


def warm_up(env: Any) -> None:
    """Step until a GPU replays."""
    for _ in range(16):
        env.step(actions(env))
    assert env.step_by_graphs or torch.device(env.device).type == "cpu" or env.cfg.step_graph != "on"


def _leaves(value: Any, depth: int = 2) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, wp.array) and value.dtype is not None and value.size:
        return [wp.to_torch(value)] if value.is_contiguous else []
    if depth and isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in _leaves(part, depth - 1)]
    if depth and isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part, depth - 1)]
    return []


def state(env: Any) -> list[torch.Tensor]:
    """Return all memory that the halves of a step change, as far as it lasts."""
    from isaaclab_newton.physics import NewtonManager

    step = env._masked_step
    command, backend = step._command.command, NewtonManager.backend
    assert backend is not None
    newton: Any = backend.state_0
    sensors = list(env.scene.sensors.values())
    owners = [env.reward_manager, env.termination_manager, env.action_manager, env.action_manager.get_term("joint_pos")]
    owners += histories(env)
    owners += [env.event_manager, *sensors, *(sensor._data for sensor in sensors)]
    if env.follows == "motion":
        sampler = command.sampler
        owners += [sampler, sampler._evidence, sampler._rewind]
        found = [command.clip_ids, command.steps, *step._command._reference]
    else:
        masked = step._command
        owners += [command, env.scene.terrain, *masked._curricula.values()]
        found = [masked._share, masked._count]
    found += [leaf for owner in owners for leaf in _leaves(list(vars(owner).values()))]
    found += [command.command_counter, env.episode_length_buf, step._log, step._ended, step._starting]
    # What the start of an episode clears, and rewards have read.
    data = env.scene["robot"].data
    found += _leaves([data._joint_acc.data, data._previous_joint_vel, data._body_com_acc_w.data])
    found += _leaves([newton.joint_q, newton.joint_qd, newton.body_q, newton.body_qd])
    return list({(leaf.data_ptr(), leaf.shape): leaf for leaf in found if leaf.device.type != "meta"}.values())


def do_halves(env: Any, eagerly: bool) -> dict[str, torch.Tensor]:
    """Do what follows the physics, and return what came of it."""
    step = env._masked_step
    masked = step._command
    follows_motion = env.follows == "motion"
    kept = step._observations, getattr(masked, "_errors", None)
    # Twice on the same state; the sampler's count is the host's, and is not put back.
    if eagerly:
        step._after_physics()
        if follows_motion:
            masked.command.source.swap(masked.command.clip_ids, step._ended)
        step._from_resets_on()
        if step._scanners:
            step._scan()
            step._see()
    else:
        step._run(step._measure)
        masked.keep_count(step._ended)
        step._run(step._begin)
        if step._scanners:
            step._scan()
            step._run(step._observe)
    step._finish()
    command, data = masked.command, env.scene["robot"].data
    result = {f"obs/{name}": value for name, value in env.obs_buf.items()} | dict(env.extras["log"])
    result |= {"reward": env.reward_buf, "terminated": env.reset_terminated, "time_out": env.reset_time_outs}
    result |= {"length": env.episode_length_buf, "left": env.event_manager._interval_term_time_left[0]}
    if follows_motion:
        result |= {"clip_ids": command.clip_ids, "steps": command.steps, "error": command.errors.body_pos}
        result |= {"body_pos": command.robot.body_pos_w, "joint_vel": command.robot.joint_vel}
    else:
        names = ("vel_command_b", "heading_target", "is_heading_env", "is_standing_env", "time_left", "_error_xy_sum")
        result |= {name: getattr(command, name) for name in names} | {"share": masked._share}
        names = ("root_link_pose_w", "root_link_vel_w", "heading_w", "projected_gravity_b", "joint_pos", "joint_vel")
        result |= {name: getattr(data, name).torch for name in names}
    result = {name: value.clone() for name, value in result.items()}
    if eagerly:
        step._observations = kept[0]
        if follows_motion:
            masked._errors = kept[1]
    return result


def check_equal(env: Any) -> dict[str, Any]:
    """Compare five steps by graphs with the same steps done eagerly."""
    step, on_gpu = env._masked_step, torch.device(env.device).type == "cuda"
    rng = torch.cuda if on_gpu else torch
    differs: dict[str, float] = {}
    starts = 0
    action = env.action_manager.get_term("joint_pos")
    for index in range(5):
        if hasattr(action, "progress"):
            # As between iterations: a graph is told how late actions may be.
            action.progress = 0.25 * index
        if env.follows == "velocity":
            # Falls are seldom, and the ends of episodes more so.
            env.episode_length_buf[:8] = env.max_episode_length - 1
        step._prepare()
        step._physics(actions(env))
        env.common_step_counter += 1
        memory = state(env)
        before, numbers = [part.clone() for part in memory], rng.get_rng_state()
        first = do_halves(env, eagerly=False)
        after = [part.clone() for part in memory]
        for part, old in zip(memory, before, strict=True):
            part.copy_(old)
        # What was derived of the other state.
        step._robot.forget()
        rng.set_rng_state(numbers)
        second = do_halves(env, eagerly=True)
        starts += int(step._starting.sum())
        for name, value in first.items():
            if not torch.equal(value, second[name]):
                differs[name] = float((value.double() - second[name].double()).abs().max())
        for place, (part, then) in enumerate(zip(memory, after, strict=True)):
            # Sums of floats in any order, the sampler's, are nearly the same.
            if not torch.allclose(part.double(), then.double(), rtol=1e-5, atol=1e-7, equal_nan=True):
                differs[f"memory {place} {tuple(part.shape)}"] = float((part.double() - then.double()).abs().max())
    return {"differs": differs, "starts": starts, "graphs": env.step_by_graphs}


def check_sync(env: Any) -> dict[str, Any]:
    """Step while torch raises where the host would wait."""
    given = [actions(env) for _ in range(10)]
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for each in given:
            env.step(each)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return {"graphs": env.step_by_graphs}


def check_speed(env: Any) -> dict[str, Any]:
    """Time two hundred steps."""
    given, wait = actions(env), torch.cuda.synchronize if torch.device(env.device).type == "cuda" else lambda: None
    wait()
    begin = time.perf_counter()
    for _ in range(200):
        env.step(given)
    submitted = time.perf_counter() - begin
    wait()
    seconds = time.perf_counter() - begin
    return {
        "graphs": env.step_by_graphs,
        "ms": round(5.0 * seconds, 3),
        "ms_host": round(5.0 * submitted, 3),
        "env_steps_per_s": round(200 * env.num_envs / seconds),
    }


def check_capture(env: Any) -> dict[str, Any]:
    """Step on, and say what a step's flags of Newton are afterwards."""
    from isaaclab_newton.physics import NewtonManager

    ended = 0
    for _ in range(10):
        obs, reward, terminated, time_outs, extras = env.step(actions(env))
        ended += int((terminated | time_outs).sum())
        assert all(bool(value.isfinite().all()) for value in (*obs.values(), reward, *extras["log"].values()))
    return {
        "graphs": env.step_by_graphs,
        "ended": ended,
        "fk_in_every_step": NewtonManager.transforms_may_change_on_graph_replay,
        "dirty": NewtonManager.kinematics_dirty,
    }


def main() -> None:
    """Run one check."""
    given = sys.argv[1:]
    defaults = ("capture", "cuda:0", "64", "on", "Isaac-Tracking-G1-v0")
    check, device, num_envs, step_graph, task = (*given, *defaults[len(given) :])
    env = make(task, device, int(num_envs), step_graph, often=check != "speed")
    with torch.inference_mode():
        warm_up(env)
        found = globals()[f"check_{check}"](env)
    told = {"check": check, "task": task, "num_envs": int(num_envs), "step_graph": step_graph}
    print(json.dumps(told | found), flush=True)
    env.close()


if __name__ == "__main__":
    main()
