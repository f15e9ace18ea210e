# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The same steps by Isaac Lab's own step and by another one, compared term by term."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from isaaclab.managers import ActionManager, ObservationManager
from isaaclab_tasks.utils import resolve_task_config

from isaac_tracking.tasks.graphs.plan import histories

NUM = 8


class MaskableSampler:
    """Starts every episode where it is told, by indices or by a mask, and remembers what it is told."""

    def __init__(self, clip: int, steps: list[int]) -> None:
        self.clip_ids, self.steps = torch.full((NUM,), clip), torch.tensor(steps)
        self.recorded: list[tuple[torch.Tensor, ...]] = []

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.clip_ids[env_ids], self.steps[env_ids]

    def sample_where(self, starting: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.clip_ids, self.steps

    def note(self, *told: torch.Tensor) -> None:
        self.recorded.append(tuple(part.clone() for part in told))

    def count_step(self) -> None:
        self.recorded.append(())

    def record(self, *told: torch.Tensor) -> None:
        self.note(*told)
        self.count_step()

    def metrics(self) -> dict[str, torch.Tensor]:
        return {}


def start(sim: Any, clip: str = "stand", steps: list[int] | None = None) -> MaskableSampler:
    sampler = MaskableSampler(sim.command.library.names.index(clip), steps or [10] * NUM)
    sim.command.source.sampler = sampler
    sim.env.reset()
    # What ended the last episodes is remembered, and logged, over a reset.
    sim.env.termination_manager._last_episode_dones.zero_()
    return sampler


def lift(sim: Any, *envs: int) -> None:
    pose = sim.robot.data.root_link_pose_w.torch.clone()
    pose[list(envs), 2] += 1.0
    sim.write(root_pose=pose)


def break_joints(sim: Any, env: int) -> None:
    speeds = sim.robot.data.joint_vel.torch.clone()
    speeds[env] = torch.nan
    sim.write(joint_vel=speeds)


def become_a_stage(sim: Any, *overrides: str) -> None:
    """Give the simulator observations and actions of the stages; who calls this puts the old managers back."""
    cfg, _ = resolve_task_config("Isaac-Tracking-G1-Teacher-v0", None, overrides=list(overrides))
    cfg.observations.policy.enable_corruption = False
    sim.env.action_manager = ActionManager(cfg.actions, sim.env)
    sim.env.observation_manager = ObservationManager(cfg.observations, sim.env)


def memory(env: Any) -> dict[str, torch.Tensor]:
    """What histories and a late action remember."""
    found = {}
    for index, history in enumerate(histories(env)):
        found |= {f"history/{index}": history.buffer, f"pushes/{index}": history._num_pushes}
    action = env.action_manager.get_term("joint_pos")
    if hasattr(action, "_ages"):
        # The newest first, wherever the ring begins.
        found["path/actions"] = action._history.flip(0).roll(action._head + 1, 0)
        found |= {f"path/{name}": getattr(action, name) for name in ("_ages", "_weight", "_applied", "_elapsed")}
        found |= {"path/start": action._start, "path/boot": action.boot_remaining}
    return found


def everything(sim: Any, returned: tuple) -> dict[str, torch.Tensor]:
    """All that a step returns, and what the next one begins with."""
    env, command = sim.env, sim.command
    obs, reward, terminated, time_outs, extras = returned
    found = {f"obs/{name}": value for name, value in obs.items()} | dict(extras["log"])
    found |= {"reward": reward, "terminated": terminated, "time_outs": time_outs, "reset": env.reset_buf}
    found |= {name: getattr(command, name) for name in ("clip_ids", "steps", "command_counter", "finite", "phase")}
    found |= {f"robot/{name}": value for name, value in command.robot._asdict().items()}
    found |= {f"due/{name}": value for name, value in command.reference._asdict().items()}
    found |= {f"error/{name}": value for name, value in command.errors._asdict().items()}
    found |= {f"left/{name}": value for name, value in command.deviations._asdict().items()}
    found |= {"length": env.episode_length_buf, "sums": env.reward_manager._episode_sum_buf}
    found |= {"terms": env.reward_manager._step_reward, "dones": env.termination_manager._term_dones}
    found |= {"action": env.action_manager.action, "previous": env.action_manager.prev_action}
    data = sim.robot.data
    names = ("root_link_pose_w", "root_link_vel_w", "root_lin_vel_b", "projected_gravity_b", "joint_vel")
    found |= {name: getattr(data, name).torch for name in (*names, "body_link_vel_w", "root_com_pose_w")}
    found |= memory(env)
    found["forces"] = sim.env.scene["contact_forces"].data.net_normal_forces_w_history.torch
    return {name: value.clone() for name, value in found.items()}


def compare(
    sim: Any, step: Callable[[torch.Tensor], tuple], begin: Callable[[], Any], *between: Callable[[], None]
) -> list[dict]:
    """Do some steps in both ways from the same start, each after something has happened, and return the other's."""
    runs, told = [], []
    for do in (sim.env.step, step):
        torch.manual_seed(0)
        sampler = begin()
        sim.env.extras.pop("log", None)
        found = []
        for index, happen in enumerate(between):
            happen()
            found.append(everything(sim, do(torch.full_like(sim.still, 0.02 * index))))
        runs.append(found)
        told.append(getattr(sampler, "recorded", []))
    for expected, actual in zip(*runs, strict=True):
        known = expected.keys() & actual.keys()
        # Before the first reset Isaac Lab's log knows nothing of episodes.
        assert all(name.startswith("Episode_") for name in actual.keys() - known)
        assert not expected.keys() - known
        for name in known:
            assert torch.allclose(actual[name], expected[name], rtol=1e-5, atol=1e-5), name
    for expected, actual in zip(*told, strict=True):
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(expected, actual, strict=True))
    return runs[1]


def nothing() -> None:
    """Happens between most steps."""
