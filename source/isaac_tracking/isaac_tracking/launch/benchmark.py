# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How fast a task steps and trains, how near that is to the bare physics, and where the rest of the time goes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..files import written_beside
from . import checks, options
from .benchmark_report import lines, read_other, size_of
from .machine import device_name
from .memory_probe import measure_apart, need_room_for
from .overrides import resolve_config, split_rest
from .run_folder import commit_of_checkout
from .terminal import print_line

_START = ("import", "scene", "first_step", "compiled_modules", "compiling")
"""What is said of a start with an empty kernel cache."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``scripts/benchmark.py``."""
    parser = options.OptionParser(
        prog="scripts/benchmark.py",
        description="Measure a task: step, bare physics, managers, terms, policy, learner, memory, start. KEY=VALUE"
        " changes the task, for example physics=physx.",
        allow_abbrev=False,
    )
    parser.add_argument("--task", default="Isaac-Tracking-G1-v0", metavar="ID")
    parser.add_argument("--num_envs", nargs="+", type=options.positive, metavar="N", help="sizes to measure")
    parser.add_argument("--device", metavar="DEVICE", help="cuda, cuda:N or cpu (default: a GPU if there is one)")
    parser.add_argument("--steps", type=options.positive, default=200, metavar="N", help="timed steps at each size")
    parser.add_argument("--seed", type=options.natural, default=0, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the numbers go as well")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="print how many times those of a --json file")
    parser.add_argument("--cold", action="store_true", help="start once more with an empty kernel cache")
    return parser


def benchmark(argv: Sequence[str]) -> int:
    """Measure every size in a process of its own and print a table of each.

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
    base = options.caller_folder()
    other = read_other(base / args.compare) if args.compare else None
    sizes = args.num_envs or ([16, 32, 64] if device == "cpu" else [1024, 4096, 8192])
    about = {"task": args.task, "overrides": overrides, "engine": engine, "device": device_name(device)}
    about |= {"steps": args.steps, "seed": args.seed, "commit": commit_of_checkout()}
    print_line(" | ".join(str(about[name]) for name in ("task", "engine", "device", "commit")))
    if other:
        _say_differences(about, other)
    rows: list[dict[str, Any]] = []
    for size in sizes:
        row = _measure_size(args, overrides, device, size, cold=args.cold and not rows)
        rows.append(row)
        for line in lines(row, size_of(other, size)):
            print_line(line)
        if args.json is not None:
            # After each size: the next one may take the machine down.
            with written_beside(base / args.json) as file:
                file.write((json.dumps({**about, "sizes": rows}, indent=1) + "\n").encode())
    return 0


def _measure_size(
    args: argparse.Namespace, overrides: Sequence[str], device: str, size: int, cold: bool
) -> dict[str, Any]:
    """Measure a size that fits, and its start with no kernels if asked for."""
    from .measured_task import Job

    job = Job(args.task, tuple(overrides), device, size, args.steps, args.seed, 0.0)
    need_room_for(job)
    row = measure_apart(job)
    if cold:
        with tempfile.TemporaryDirectory(prefix="isaac_tracking_kernels_") as cache:
            start = measure_apart(dataclasses.replace(job, only="start"), {"WARP_CACHE_PATH": cache})["start"]
        row["cold_start"] = {name: start[name] for name in _START}
    return row


def _say_differences(about: dict[str, Any], other: dict[str, Any]) -> None:
    """Say what differs besides the numbers, since it may explain them."""
    for name in ("task", "overrides", "engine", "device", "commit"):
        if other.get(name) != about[name]:
            print_line(f"compared with another {name}: {other.get(name)}")
