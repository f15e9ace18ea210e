# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How fast the full tracking environment steps, and where the time goes."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import options
from .run_folder import commit_of_checkout
from .terminal import print_line

PARTS = ("physics", "command", "rewards", "terminations", "observations", "events", "resets")
"""Shares of a step that are timed apart; what is left is "other"."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``scripts/benchmark.py``."""
    parser = options.OptionParser(prog="scripts/benchmark.py", description="Measure env-steps/s at several sizes.")
    parser.add_argument("--task", default="Isaac-Tracking-G1-v0", metavar="ID")
    parser.add_argument("--num_envs", nargs="+", type=options.positive, metavar="N", help="sizes to measure")
    parser.add_argument("--device", metavar="DEVICE", help="cuda, cuda:N or cpu (default: a GPU if there is one)")
    parser.add_argument("--steps", type=options.positive, default=200, metavar="N", help="timed steps at each size")
    parser.add_argument("--seed", type=options.natural, default=0, metavar="N")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser


def benchmark(argv: Sequence[str]) -> int:
    """Measure every size in a process of its own and print one table.

    Raises:
        OptionError: If an option cannot be used.
    """
    parser = make_parser()
    args, rest = parser.parse_known_args(argv)
    overrides, _ = options.split_rest(rest, parser._option_string_actions, ())
    options.find_task(args.task)
    device = options.choose_device(args.device)
    sizes = args.num_envs or ([16, 32, 64] if device == "cpu" else [1024, 4096, 8192])
    if args.one:
        return _measure_one(args, overrides, device, sizes[0])
    import torch

    name = torch.cuda.get_device_name(device) if device != "cpu" else f"CPU, {os.cpu_count()} cores"
    engine = next((o.partition("=")[2] for o in overrides if o.startswith("physics=")), "newton_mjwarp")
    print_line(
        f"{args.task} | {engine} | {name} | {args.steps} steps | seed {args.seed} | commit {commit_of_checkout()}"
    )
    header = ["num_envs", "env-steps/s", "ms/step", "GPU GB", *PARTS, "other"]
    print_line(" | ".join(f"{title:>12}" for title in header))
    for size in sizes:
        # One process each: engines do not give their memory back.
        command = [sys.executable, sys.argv[0], "--one", "--task", args.task, "--num_envs", str(size)]
        command += ["--device", device, "--steps", str(args.steps), "--seed", str(args.seed), *overrides]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        rows = [line for line in done.stdout.splitlines() if line.startswith("row ")]
        if done.returncode or not rows:
            raise options.OptionError(f"{size} environments failed: {(done.stderr or done.stdout).strip()[-300:]}")
        print_line(" | ".join(f"{cell:>12}" for cell in rows[0].split()[1:]))
    return 0


def _measure_one(args: argparse.Namespace, overrides: Sequence[str], device: str, num_envs: int) -> int:
    import gymnasium as gym
    import torch
    from isaaclab.app import launch_simulation

    env_cfg, _ = options.resolve_config(args.task, [*overrides, f"env.scene.num_envs={num_envs}"])
    env_cfg.sim.device, env_cfg.seed = device, args.seed
    with launch_simulation(env_cfg, argparse.Namespace(device=device, headless=True, visualizer=[])):
        env = gym.make(args.task, cfg=env_cfg).unwrapped
        generator = torch.Generator(device).manual_seed(args.seed)
        # Actions of an untrained policy of BeyondMimic's initial spread: falls, and so resets, are frequent.
        actions = torch.randn(16, num_envs, env.action_manager.total_action_dim, device=device, generator=generator)
        env.reset()
        _step(env, actions, 50)
        seconds = _timed(lambda: _step(env, actions, args.steps), device)
        shares = _shares(env, actions, args.steps, device)
        memory = (
            (torch.cuda.mem_get_info(device)[1] - torch.cuda.mem_get_info(device)[0]) / 1e9 if device != "cpu" else 0.0
        )
        cells = [
            f"{num_envs}",
            f"{args.steps * num_envs / seconds:.0f}",
            f"{1000 * seconds / args.steps:.2f}",
            f"{memory:.1f}",
        ]
        cells += [f"{100 * share:.0f}%" for share in shares]
        sys.stdout.write("row " + " ".join(cells) + "\n")
        sys.stdout.flush()
        env.close()
    return 0


def _step(env: Any, actions: Any, count: int) -> None:
    import torch

    with torch.inference_mode():
        for index in range(count):
            env.step(actions[index % len(actions)])


def _timed(work: Callable[[], None], device: str) -> float:
    """Return the time that some work takes until the device has done it [s]."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _shares(env: Any, actions: Any, steps: int, device: str) -> list[float]:
    """Return the share of each part in a step, waiting for the device around each of them."""
    spent = dict.fromkeys(PARTS, 0.0)
    places = [
        (env.sim, "step", "physics"),
        (env.scene, "write_data_to_sim", "physics"),
        (env.scene, "update", "physics"),
        (env.command_manager, "compute", "command"),
        (env.reward_manager, "compute", "rewards"),
        (env.termination_manager, "compute", "terminations"),
        (env.observation_manager, "compute", "observations"),
        (env.event_manager, "apply", "events"),
        (env, "_reset_idx", "resets"),
    ]
    inside = [0]

    def wrap(target: Any, method: str, part: str) -> None:
        original = getattr(target, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if inside[0]:
                return original(*args, **kwargs)
            inside[0] = 1
            _wait(device)
            start = time.perf_counter()
            result = original(*args, **kwargs)
            _wait(device)
            spent[part] += time.perf_counter() - start
            inside[0] = 0
            return result

        setattr(target, method, timed)

    for place in places:
        wrap(*place)
    total = _timed(lambda: _step(env, actions, steps), device)
    shares = [spent[part] / total for part in PARTS]
    return [*shares, 1.0 - sum(shares)]


def _wait(device: str) -> None:
    import torch
    import warp as wp

    if device != "cpu":
        torch.cuda.synchronize(device)
        wp.synchronize_device(device)
