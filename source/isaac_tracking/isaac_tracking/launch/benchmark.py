# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How fast the full tracking environment steps, and where the time goes: one table, a process for each size."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from . import checks, options
from .errors import USER_ERRORS, OptionError
from .overrides import resolve_config, split_rest
from .run_folder import commit_of_checkout
from .stopwatch import PARTS, count_syncs, run_steps, shares_of_step, timed
from .terminal import print_line, quiet

_ROW = "row "
"""Begins the line in which a process hands its measurement back."""
_WARM_UP = 50
"""Steps before measuring, in which kernels are compiled and the first robots fall."""
_SYNC_STEPS = 20
"""Steps over which waits for the device are counted."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``scripts/benchmark.py``."""
    parser = options.OptionParser(
        prog="scripts/benchmark.py", description="Measure env-steps/s at several sizes.", allow_abbrev=False
    )
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
        OptionError: If an option cannot be used, or a size cannot be measured.
    """
    parser = make_parser()
    args, rest = parser.parse_known_args(argv)
    overrides, _ = split_rest(rest, parser._option_string_actions, tuple)
    options.find_task(args.task)
    checks.need_packages(checks.NEEDED)
    device = options.choose_device(args.device)
    env_cfg, _ = resolve_config(args.task, overrides)
    engine = checks.need_engine(env_cfg.sim.physics, device)
    sizes = args.num_envs or ([16, 32, 64] if device == "cpu" else [1024, 4096, 8192])
    if args.one:
        return _measure_one(args, overrides, device, sizes[0])
    print_line(
        f"{args.task} | {engine} | {_device_name(device)} | {args.steps} steps | seed {args.seed}"
        f" | commit {commit_of_checkout()}"
    )
    header = ["num_envs", "env-steps/s", "ms/step", "GPU GB", *PARTS, "other", "syncs/step"]
    print_line(" | ".join(f"{title:>12}" for title in header))
    for size in sizes:
        # One process each: engines do not give their memory back.
        cells = _measure_apart(args, overrides, device, size)
        print_line(" | ".join(f"{cell:>12}" for cell in cells))
    return 0


def _device_name(device: str) -> str:
    if device == "cpu":
        return f"CPU, {os.cpu_count()} cores"
    import torch

    return torch.cuda.get_device_name(device)


def _measure_apart(args: argparse.Namespace, overrides: Sequence[str], device: str, size: int) -> list[str]:
    command = [sys.executable, sys.argv[0], "--one", "--task", args.task, "--num_envs", str(size)]
    command += ["--device", device, "--steps", str(args.steps), "--seed", str(args.seed), *overrides]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line for line in done.stdout.splitlines() if line.startswith(_ROW)]
    if done.returncode or not rows:
        end = " ".join((done.stderr or done.stdout).split())[-300:]
        raise OptionError(f"{size} environments cannot be measured; give fewer with --num_envs, or look at: {end}")
    return rows[0].split()[1:]


def _measure_one(args: argparse.Namespace, overrides: Sequence[str], device: str, num_envs: int) -> int:
    import gymnasium as gym
    import torch
    from isaaclab.app import launch_simulation

    env_cfg, _ = resolve_config(args.task, [*overrides, f"env.scene.num_envs={num_envs}"])
    env_cfg.sim.device, env_cfg.seed = device, args.seed
    launcher = argparse.Namespace(device=device, headless=True, visualizer=[])
    with quiet(False, USER_ERRORS) as curtain, launch_simulation(env_cfg, launcher):
        env = gym.make(args.task, cfg=env_cfg).unwrapped
        generator = torch.Generator(device).manual_seed(args.seed)
        # Actions of an untrained policy of BeyondMimic's initial spread: falls, and so resets, are frequent.
        actions = torch.randn(16, num_envs, env.action_manager.total_action_dim, device=device, generator=generator)
        env.reset()
        run_steps(env, actions, _WARM_UP)
        seconds = timed(lambda: run_steps(env, actions, args.steps), device)
        syncs = count_syncs(lambda: run_steps(env, actions, _SYNC_STEPS), device)
        cells = [str(num_envs), f"{args.steps * num_envs / seconds:.0f}", f"{1000 * seconds / args.steps:.2f}"]
        cells += ["-" if device == "cpu" else f"{_used_memory(device):.1f}"]
        # Last, since it leaves its watches in the environment.
        cells += [f"{100 * share:.0f}%" for share in shares_of_step(env, actions, args.steps, device)]
        cells += ["-" if syncs is None else f"{syncs / _SYNC_STEPS:.1f}"]
        curtain.down = False
        sys.stdout.write(_ROW + " ".join(cells) + "\n")
        sys.stdout.flush()
        env.close()
    return 0


def _used_memory(device: str) -> float:
    """Return the memory in use on a GPU by everyone [GB]."""
    import torch

    free, total = torch.cuda.mem_get_info(device)
    return (total - free) / 1e9
