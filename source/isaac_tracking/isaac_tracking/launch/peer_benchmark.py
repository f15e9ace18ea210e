# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Our tracking task beside those of mjlab and wbc-mjlab: same machine, robot, clips, rate and sizes, in turns."""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..files import written_beside
from . import checks, options
from .errors import OptionError
from .machine import device_name
from .overrides import is_setting, resolve_config, split_rest
from .peers.job import RATE, REFUSED, TASKS, PeerJob
from .peers.places import Place, need_projects, read_places
from .peers.table import goal_lines, speed_lines, task_lines
from .run_folder import commit_of_checkout
from .terminal import print_line

_WORK = "import sys; from isaac_tracking.launch.peers.worker import main; sys.exit(main(sys.argv[1:]))"
"""Program that measures one task."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``scripts/compare_peers.py``."""
    parser = options.OptionParser(
        prog="scripts/compare_peers.py",
        description="Measure our tracking task beside those of mjlab and wbc-mjlab. KEY=VALUE changes ours.",
        allow_abbrev=False,
    )
    parser.add_argument("--only", nargs="+", default=list(TASKS), metavar="NAME", help=f"some of {', '.join(TASKS)}")
    parser.add_argument(
        "--python", nargs="+", default=[], metavar="NAME=PATH",
        help="where mjlab and wbc are: an interpreter, a virtual environment, or a folder of packages",
    )  # fmt: skip
    parser.add_argument("--motion", nargs="+", default=["walk"], metavar="NAME", help="clips (default: walk)")
    parser.add_argument("--num_envs", nargs="+", type=options.positive, metavar="N", help="sizes (4096; on a CPU 64)")
    parser.add_argument("--device", metavar="DEVICE", help="cuda, cuda:N or cpu (default: a GPU if there is one)")
    parser.add_argument("--steps", type=options.positive, default=200, metavar="N", help="timed steps")
    parser.add_argument("--iterations", type=options.positive, default=10, metavar="N", help="timed iterations")
    parser.add_argument("--repeats", type=options.positive, default=3, metavar="N", help="rounds; each measures all")
    parser.add_argument("--seed", type=options.natural, default=0, metavar="N", help="seed of the first round")
    parser.add_argument("--to_error", type=float, metavar="MM", help="train until the bodies' error is below this")
    parser.add_argument("--seeds", nargs="+", type=options.natural, metavar="N", help="with --to_error (1 2 3)")
    parser.add_argument("--time_limit", type=float, metavar="S", help="with --to_error: longest training (3600)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the numbers go as well")
    return parser


def peer_benchmark(argv: Sequence[str]) -> int:
    """Measure all tasks in turns, each time in a process of its own, and print a table.

    Raises:
        OptionError, ClipError: If an option cannot be used, or a task cannot be measured.
    """
    parser = make_parser()
    args, rest = parser.parse_known_args(argv)
    for name in ("only", "python", "motion"):
        # Settings that follow the names are not meant as names.
        rest += [text for text in getattr(args, name) if is_setting(text)]
        setattr(args, name, [text for text in getattr(args, name) if not is_setting(text)])
    overrides, _ = split_rest(rest, parser._option_string_actions, tuple)
    _check(args)
    device = options.choose_device(args.device)
    base = options.caller_folder()
    places = read_places(args.python, base)
    need_projects(places, args.only)
    motions = tuple(options.resolve_motions(args.motion, base))
    if "ours" in args.only:
        checks.need_packages(checks.NEEDED)
        env_cfg, _ = resolve_config(TASKS["ours"], overrides)
        checks.need_engine(env_cfg.sim.physics, device)
    about = {"device": device_name(device), "commit": commit_of_checkout(), "motions": list(motions)}
    about |= {"overrides": overrides, "to_error": args.to_error, "steps": args.steps, "iterations": args.iterations}
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="isaac_tracking_peers_") as folder:
        archive = Path(folder) / "clips.npz"
        told = _write_archive(archive, motions)
        print_line(f"{told} | {about['device']} | commit {about['commit']}")
        for repeat, job in _jobs(args, PeerJob("", motions, str(archive), tuple(overrides), device, 0, 0)):
            print_line(f"round {repeat + 1}: {job.who}, {job.num_envs} environments, seed {job.seed}")
            rows.append(measure_peer(job, places[job.who], Path(folder)) | {"repeat": repeat})
            if args.json is not None:
                # After each row: the next one may take the machine down.
                with written_beside(base / args.json) as file:
                    file.write((json.dumps({**about, "rows": rows}, indent=1) + "\n").encode())
    for line in (*task_lines(rows), *(speed_lines(rows) if args.to_error is None else goal_lines(rows))):
        print_line(line)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse options that make no sense, and fill in those that depend on others.

    Raises:
        OptionError: If there is one.
    """
    args.only = list(dict.fromkeys(args.only))
    unknown = [name for name in args.only if name not in TASKS]
    if unknown or not args.only:
        raise OptionError(f"--only '{' '.join(unknown)}' is unknown; choose from {', '.join(TASKS)}")
    if args.to_error is None:
        for name in ("seeds", "time_limit"):
            if getattr(args, name) is not None:
                raise OptionError(f"--{name} is for trainings to an error; give --to_error MM as well")
    elif not args.to_error > 0.0:
        raise OptionError(f"--to_error {args.to_error:g} must be above 0 mm, for example 50")
    if args.time_limit is not None and not args.time_limit > 0.0:
        raise OptionError(f"--time_limit {args.time_limit:g} must be above 0 s, for example 3600")
    args.seeds = args.seeds or [1, 2, 3]
    args.time_limit = args.time_limit or 3600.0


def _jobs(args: argparse.Namespace, job: PeerJob) -> Iterator[tuple[int, PeerJob]]:
    """Yield rounds and jobs: of each size all tasks in turns, and then again."""
    sizes = args.num_envs or [64 if job.device == "cpu" else 4096]
    if args.to_error is None:
        seeds = [args.seed + repeat for repeat in range(args.repeats)]
        job = dataclasses.replace(job, steps=args.steps, iterations=args.iterations)
    else:
        seeds = args.seeds
        job = dataclasses.replace(job, goal=args.to_error / 1000.0, time_limit=args.time_limit)
    for num_envs in sizes:
        for repeat, seed in enumerate(seeds):
            for who in args.only:
                yield repeat, dataclasses.replace(job, who=who, num_envs=num_envs, seed=seed)


def measure_peer(job: PeerJob, place: Place, folder: Path) -> dict[str, Any]:
    """Measure in a process of its own, where the task's project is installed.

    Raises:
        OptionError: If the process fails.
    """
    ask, row = folder / "job.json", folder / "row.json"
    job.save(ask)
    row.unlink(missing_ok=True)
    command = [place.python, "-c", _WORK, str(ask), str(row)]
    # In a folder of its own: some of them write logs or caches into the current one.
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, env=place.environment(), cwd=folder
    )
    if done.returncode == REFUSED:
        raise OptionError(done.stderr.strip().splitlines()[-1])
    if done.returncode or not row.is_file():
        end = " ".join((done.stderr or done.stdout).split())[-300:]
        raise OptionError(
            f"{job.who} with {job.num_envs} environments cannot be measured; give fewer with --num_envs, leave it out"
            f" with --only, or look at: {end}"
        )
    return json.loads(row.read_text())


def _write_archive(path: Path, motions: Sequence[str]) -> str:
    """Write the clips for the others, and return what is said of them.

    Raises:
        ClipError: If a clip cannot be used.
    """
    from ..motion.sources import load_clips
    from ..robots import g1
    from .peers.archive import archive_arrays, write_archive

    arrays = archive_arrays(load_clips(motions), g1.JOINT_NAMES, g1.BODY_NAMES, RATE)
    write_archive(path, arrays)
    names, frames = arrays["segment_names"].tolist(), len(arrays["joint_pos"])
    if len(names) > 1:
        print_line(f"mjlab knows one clip, so it tracks all {len(names)} as one, with a jump between them")
    return f"{', '.join(names)}: {frames / RATE:.1f} s at {RATE:.0f} Hz"
