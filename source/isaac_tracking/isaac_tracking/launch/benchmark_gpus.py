# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How training scales with GPUs: ``train.sh`` itself on some numbers of them, and what its ``logs.csv`` says.

Two questions: how many more steps a second more GPUs make (``--num_envs``, the same on each), and whether the learning
curve stays what it was (``--total_envs``, shared among them; several seeds show how far apart curves are by chance).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import written_beside
from ..learning.run_table import read_table
from ..learning.runs import TABLE
from . import checks, options
from .child_process import child_environment
from .errors import OptionError
from .machine import device_name
from .overrides import split_rest
from .run_folder import commit_of_checkout
from .terminal import print_line

TRAIN = "import sys; from isaac_tracking.launch.main import main; sys.exit(main('train', sys.argv[1:]))"
"""Program that runs ``train.sh``'s command with the Python that runs this."""
_COLUMNS = ("gpus", "envs each", "seed", "steps/s", "times", "rollout s", "update s", "reward")
_POINTS = 10
"""Points of a curve that are printed."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``scripts/benchmark_gpus.py``."""
    parser = options.OptionParser(
        prog="scripts/benchmark_gpus.py",
        description="Train on some numbers of GPUs and compare. KEY=VALUE goes to train.sh.",
        allow_abbrev=False,
    )
    parser.add_argument("--gpus", nargs="+", type=options.positive, default=[1, 2], metavar="N")
    parser.add_argument("--task", default="Isaac-Tracking-G1-v0", metavar="ID")
    parser.add_argument("--num_envs", type=options.positive, metavar="N", help="environments on each GPU (4096)")
    parser.add_argument("--total_envs", type=options.positive, metavar="N", help="environments of all GPUs together")
    parser.add_argument("--iterations", type=options.positive, default=40, metavar="N")
    parser.add_argument("--last", type=options.positive, default=20, metavar="N", help="iterations that count")
    parser.add_argument("--seed", nargs="+", type=options.natural, default=[1], metavar="N", help="one run for each")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: processes on the CPU")
    parser.add_argument("--curve", action="store_true", help="print the rewards over iterations side by side")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the numbers go as well")
    return parser


def benchmark_gpus(argv: Sequence[str]) -> int:
    """Train with each number of GPUs and each seed, one after another, and print a table and a line of JSON.

    Raises:
        OptionError: If an option cannot be used, or a training fails.
    """
    parser = make_parser()
    args, rest = parser.parse_known_args(argv)
    overrides, _ = split_rest(rest, parser._option_string_actions, tuple)
    options.find_task(args.task)
    if args.num_envs and args.total_envs:
        raise OptionError("--num_envs is for each GPU and --total_envs for all together; give one of them")
    uneven = [gpus for gpus in args.gpus if args.total_envs and args.total_envs % gpus]
    if uneven:
        raise OptionError(f"--total_envs {args.total_envs} cannot be shared evenly by {uneven[0]} GPUs")
    for gpus in args.gpus:
        checks.need_gpus(gpus, args.device, gui=False)
    device = device_name(args.device)
    commit = commit_of_checkout()
    counted = min(args.last, args.iterations)
    print_line(f"{args.task} | {device} | the last {counted} of {args.iterations} iterations | commit {commit}")
    print_line(" | ".join(f"{title:>9}" for title in _COLUMNS))
    rows: list[dict[str, Any]] = []
    for seed in args.seed:
        for gpus in args.gpus:
            row = _measure(args, overrides, gpus, seed)
            before = next((other for other in rows if other["seed"] == seed), row)
            row["times"] = row["steps_per_second"] / before["steps_per_second"]
            rows.append(row)
            print_line(" | ".join(f"{cell:>9}" for cell in _cells(row)))
    if args.curve:
        _print_curves(rows)
    result = {"task": args.task, "device": device, "commit": commit, "iterations": args.iterations}
    result |= {"counted": counted, "overrides": overrides, "rows": rows}
    text = json.dumps(result)
    if args.json is not None:
        with written_beside(options.caller_folder() / args.json) as file:
            file.write((text + "\n").encode())
    sys.stdout.write(text + "\n")
    return 0


def medians(rows: Sequence[Mapping[str, str]], last: int) -> dict[str, float | None]:
    """Return the medians of a run's last iterations, and the mean of their rewards.

    Args:
        rows: Rows of ``logs.csv``.
        last: Number of rows that count.

    Returns:
        ``steps_per_second``, ``collection_time`` [s], ``learning_time`` [s], and ``mean_reward``, None if no episode
        ended.
    """
    names = ("steps_per_second", "collection_time", "learning_time")
    values: dict[str, float | None] = {
        name: statistics.median(float(row[name]) for row in rows[-last:]) for name in names
    }
    rewards = [float(row["mean_reward"]) for row in rows[-last:] if row.get("mean_reward")]
    return values | {"mean_reward": statistics.fmean(rewards) if rewards else None}


def _measure(args: argparse.Namespace, overrides: Sequence[str], gpus: int, seed: int) -> dict[str, Any]:
    num_envs = args.total_envs // gpus if args.total_envs else args.num_envs or 4096
    command = [sys.executable, "-c", TRAIN, "--task", args.task, "--gpus", str(gpus), "--num_envs", str(num_envs)]
    command += ["--device", args.device, "--seed", str(seed), "--max_iterations", str(args.iterations), *overrides]
    # Its logs go with the folder; what is asked for is in the table.
    with tempfile.TemporaryDirectory(prefix="isaac_tracking_benchmark_") as folder:
        done = subprocess.run(command, cwd=folder, env=child_environment(), capture_output=True, text=True, check=False)
        tables = list(Path(folder).glob(f"logs/rsl_rl/*/*/{TABLE}"))
        rows = read_table(tables[0])[1] if tables else []
    if done.returncode or len(rows) != args.iterations:
        end = " ".join((done.stderr or done.stdout).split())[-400:]
        raise OptionError(f"training on {gpus} x {num_envs} environments failed; look at: {end}")
    curve = [float(row["mean_reward"]) if row.get("mean_reward") else None for row in rows]
    return {"gpus": gpus, "num_envs": num_envs, "seed": seed, **medians(rows, args.last), "curve": curve}


def _cells(row: Mapping[str, Any]) -> list[str]:
    reward = "-" if row["mean_reward"] is None else f"{row['mean_reward']:.2f}"
    cells = [str(row[name]) for name in ("gpus", "num_envs", "seed")]
    cells += [f"{row['steps_per_second']:.0f}", f"{row['times']:.2f}"]
    return [*cells, f"{row['collection_time']:.3f}", f"{row['learning_time']:.3f}", reward]


def _print_curves(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print mean rewards at some iterations, a column for each run."""
    titles = ["iteration", *(f"{row['gpus']} GPU, {row['seed']}" for row in rows)]
    print_line(" | ".join(f"{title:>9}" for title in titles))
    length = len(rows[0]["curve"])
    for point in sorted({max(1, length * index // _POINTS) - 1 for index in range(1, _POINTS + 1)}):
        values = [row["curve"][point] for row in rows]
        cells = [str(point), *("-" if value is None else f"{value:.2f}" for value in values)]
        print_line(" | ".join(f"{cell:>9}" for cell in cells))
