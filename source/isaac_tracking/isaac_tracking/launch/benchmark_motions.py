# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How a library of motions scales: opening, memory, lookup and swaps, for few clips and for many."""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..files import written_beside
from . import options
from .errors import OptionError
from .machine import device_name
from .run_folder import commit_of_checkout
from .terminal import print_line

if TYPE_CHECKING:
    from ..motion.clip_list import ClipList
    from ..motion.library import MotionLibrary
    from ..motion.streaming import SwapPlan

Result = TypeVar("Result")

NEEDS_TASKS = False
"""Whether the tasks must be registered first."""

RATE = 50.0
"""Control rate of the G1's task [Hz]."""
REAL_FILES = 100
"""Up to so many clips, real files are written and converted; beyond, files stand in and only the bundle is real."""
RESIDENT_SHARE = 0.25
"""Share of the frames that fits on the device when swaps are timed."""
_SPARE_BYTES = 2 * 10**9
"""Disk space that must be left over."""
_WARM_UP, _TIMED = 20, 200


@dataclass
class Measurement:
    """What was measured for one number of clips in one precision."""

    clips: int
    """Number of clips, all of one length."""
    hours: float
    """Length of all clips together [h]."""
    precision: str
    """How a number of a frame is kept: ``"fp16"`` or ``"fp32"``."""
    files: str
    """Where the clips came from: ``"real"`` files or ``"stand-in"`` ones."""
    convert_s: float
    """Time to make the bundle [s]."""
    open_cold_s: float
    """Time from the names to the first lookup [s]; the system was told to keep nothing of the bundle in memory."""
    open_warm_s: float
    """The same once more [s]."""
    bytes_per_hour: float
    """Size of an hour of motion on the device [B]."""
    device_bytes: int
    """Size of the frames on the device [B]."""
    sample_ms: list[float]
    """Time of a sampler's draw for all environments [ms]: 10th, 50th and 90th percentile."""
    frames_ms: list[float]
    """Time of a lookup for all environments [ms]."""
    both_ms: list[float]
    """Time of a draw and the lookup of its frames [ms], from the call until the device is done."""
    queued_ms: float
    """The same per call [ms] if the device is waited for only after many calls, as in training."""
    refresh_ms: list[float]
    """Time of the sampler's update of its probabilities [ms], once per iteration of PPO."""
    swap_plan_s: float
    """Time to choose which clips come and which go [s]; nothing is copied yet."""
    swap_s: float
    """Time to exchange all clips on the device [s] where a quarter of the frames fits."""
    swap_bytes: int
    """Size of the frames that it brought [B]."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``scripts/benchmark_motions.py``."""
    parser = options.OptionParser(
        prog="scripts/benchmark_motions.py",
        description="Measure how opening, memory, lookup and swaps of a motion library depend on the number of clips.",
        epilog="Example: scripts/benchmark_motions.py --clips 10 100 10000 --hours 50 --device cuda --json out.json",
        allow_abbrev=False,
    )
    parser.add_argument("--clips", nargs="+", type=options.positive, default=[10, 100, 10000], metavar="N")
    parser.add_argument("--hours", type=float, default=50.0, help="length of the largest set; clips are of one length")
    parser.add_argument("--envs", type=options.positive, default=4096, metavar="N", help="frames looked up at once")
    parser.add_argument("--precision", nargs="+", choices=("fp16", "fp32"), default=["fp16", "fp32"])
    parser.add_argument("--device", metavar="DEVICE", help="cuda, cuda:N or cpu (default: a GPU if there is one)")
    parser.add_argument("--folder", type=Path, metavar="PATH", help="where files are put meanwhile; they are removed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    return parser


def benchmark_motions(argv: Sequence[str]) -> int:
    """Measure every number of clips in every precision and print one table.

    Raises:
        OptionError: If an option cannot be used, or there is too little room on the disk.
    """
    args = make_parser().parse_args(argv)
    device = options.choose_device(args.device)
    num_frames = int(args.hours * 3600.0 * RATE / max(args.clips))
    if num_frames < 2:
        raise OptionError(f"{args.hours:g} hours are too short for {max(args.clips)} clips; give more with --hours")
    where = options.caller_folder()
    output = where / args.json if args.json else None
    base = where / args.folder if args.folder else None
    for option, needed in (("--json", output and output.parent), ("--folder", base)):
        if needed is not None and not needed.is_dir():
            raise OptionError(f"folder '{needed}' of {option} does not exist; make it first")
    machine = device_name(device)
    print_line(f"{machine} | {args.envs} environments | {num_frames / RATE:g} s a clip | commit {commit_of_checkout()}")
    print_line(_HEADER)
    found = []
    with tempfile.TemporaryDirectory(prefix="motions-", dir=base) as folder:
        for precision in args.precision:
            for count in args.clips:
                found.append(_measure(Path(folder), count, num_frames, args.envs, precision, device))
                print_line(_row(found[-1]))
    if output is not None:
        facts = {"machine": machine, "envs": args.envs, "clip_seconds": num_frames / RATE}
        rows = [dataclasses.asdict(item) for item in found]
        with written_beside(output) as file:
            file.write((json.dumps(facts | {"measurements": rows}, indent=1) + "\n").encode())
    return 0


def _measure(folder: Path, count: int, num_frames: int, envs: int, precision: str, device: str) -> Measurement:
    """Make a set of clips, measure it, and remove it."""
    from ..motion.packing import Packing
    from ..robots import g1

    row_bytes = Packing(len(g1.JOINT_NAMES), len(g1.KEY_BODY_NAMES), precision).row_bytes
    _need_room(folder, count * num_frames * row_bytes)
    files, cache = folder / "clips", folder / "cache"
    try:
        convert = _make(files, cache, count, num_frames, precision)
        _forget(cache)
        cold = _timed(lambda: _open(files, cache, precision, device), device)[0]
        gc.collect()
        warm, library = _timed(lambda: _open(files, cache, precision, device), device)
        _check(library, cache)
        size, hours = library.device_bytes, library.duration / 3600.0
        lookup = _lookup(library, envs, device)
        del library
        gc.collect()
        budget = max(int(size * RESIDENT_SHARE), (num_frames + 1) * row_bytes)
        swap = _swap(files, cache, precision, device, budget, row_bytes)
    finally:
        shutil.rmtree(files, ignore_errors=True)
        shutil.rmtree(cache, ignore_errors=True)
    kind = "real" if count <= REAL_FILES else "stand-in"
    per_hour = row_bytes * RATE * 3600.0
    return Measurement(count, hours, precision, kind, convert, cold, warm, per_hour, size, *lookup, *swap)


def _check(library: MotionLibrary, cache: Path) -> None:
    """Compare lookups, the very first and last row among them, with the file."""
    import torch

    from ..motion.bundle import Bundle

    bundle = Bundle.open(next(cache.glob("*.motions")))
    first, count = (torch.from_numpy(array) for array in (bundle.first_row, bundle.num_frames))
    clip_ids = torch.randint(len(count), (256,))
    steps = (torch.rand(256) * count[clip_ids]).long()
    clip_ids[:2], steps[:2] = torch.tensor([0, len(count) - 1]), torch.tensor([0, int(count[-1]) - 1])
    expected = bundle.packing.decode(torch.from_numpy(bundle.rows)[first[clip_ids] + steps])
    found = library.frames(clip_ids.to(library.device), steps.to(library.device))
    for name, a, b in zip(found._fields, found, expected, strict=True):
        if not torch.allclose(a.cpu(), b, rtol=0.0, atol=1e-5):
            raise RuntimeError(f"lookups of {name} are not what the bundle holds: this is a bug of the library")


def _lookup(
    library: MotionLibrary, envs: int, device: str
) -> tuple[list[float], list[float], list[float], float, list]:
    """Return the times of draws, lookups, both, both without waiting, and of the sampler's update."""
    import torch

    from ..motion.sampling.adaptive import AdaptiveSampler

    sampler = AdaptiveSampler(library.num_frames, library.rate)
    env_ids = torch.arange(envs, device=device)
    clip_ids, steps = sampler.sample(env_ids)

    def both() -> None:
        library.frames(*sampler.sample(env_ids))

    sample = _percentiles(lambda: sampler.sample(env_ids), device)
    frames = _percentiles(lambda: library.frames(clip_ids, steps), device)
    together = _percentiles(both, device)
    queued = _timed(lambda: [both() for _ in range(_TIMED)], device)[0] / _TIMED * 1e3
    return sample, frames, together, queued, _percentiles(sampler.refresh, device, 20)


def _make(files: Path, cache: Path, count: int, num_frames: int, precision: str) -> float:
    """Write clips and their bundle; return the time that the bundle took [s]."""
    from ..motion.bundle_cache import cached_bundle
    from ..robots import g1
    from . import generated_motions as generated

    joints, bodies = g1.JOINT_NAMES, g1.KEY_BODY_NAMES
    if count <= REAL_FILES:
        clips = generated.write_clips(files, count, num_frames)
        start = time.perf_counter()
        cached_bundle(clips, joints, bodies, RATE, precision, cache)
    else:
        clips = generated.write_stand_ins(files, count)
        start = time.perf_counter()
        generated.write_bundle(clips, num_frames, joints, bodies, RATE, precision, cache)
    return time.perf_counter() - start


def _open(files: Path, cache: Path, precision: str, device: str, budget: int | None = None) -> MotionLibrary:
    """Open a library as the task does: from a name to frames on the device."""
    from ..motion.library import MotionLibrary
    from ..motion.sources import find_library
    from ..robots import g1

    def refuse(done: int, total: int) -> None:
        raise OptionError(f"the cache in {cache} was not used: {total} clips would be converted again")

    clips: ClipList = find_library([str(files)])
    return MotionLibrary.open(
        clips, g1.JOINT_NAMES, g1.KEY_BODY_NAMES, RATE, device,
        cache=cache, precision=precision, memory_budget=budget, report=refuse,
    )  # fmt: skip


def _swap(
    files: Path, cache: Path, precision: str, device: str, budget: int, row_bytes: int
) -> tuple[float, float, int]:
    """Return the times of planning a swap and of the swap [s], and the bytes that it brought."""
    library = _open(files, cache, precision, device, budget)

    def plan_all() -> SwapPlan:
        # Everything that is there leaves.
        return library.plan_swap((~library.resident).float(), floor=0.0)

    # The first one warms up; the second one is measured.
    library.apply_swap(plan_all())
    plan_s, plan = _timed(plan_all, device)
    swap_s, _ = _timed(lambda: library.apply_swap(plan), device)
    brought = library.num_frames[plan.entering].sum()
    return plan_s, swap_s, int(brought) * row_bytes


def _timed(work: Callable[[], Result], device: str) -> tuple[float, Result]:
    """Return the time of some work until the device has done it [s], and its result."""
    _wait(device)
    start = time.perf_counter()
    result = work()
    _wait(device)
    return time.perf_counter() - start, result


def _percentiles(work: Callable[[], object], device: str, repeat: int = _TIMED) -> list[float]:
    """Return the 10th, 50th and 90th percentile of the time of a call until the device has done it [ms]."""
    for _ in range(_WARM_UP):
        work()
    times = sorted(_timed(work, device)[0] * 1e3 for _ in range(repeat))
    return [times[int(share * (repeat - 1))] for share in (0.1, 0.5, 0.9)]


def _wait(device: str) -> None:
    if device != "cpu":
        import torch

        torch.cuda.synchronize(device)


def _forget(cache: Path) -> None:
    """Ask the system to keep no file of the cache in memory."""
    for path in cache.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _need_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE_BYTES:
        raise OptionError(
            f"the disk of '{folder.parent}' has {free / 1e9:.1f} GB free, but {(size + _SPARE_BYTES) / 1e9:.1f} GB are"
            " needed; give another folder with --folder, or fewer hours"
        )


_HEADER = (
    "  clips |    hours | kind | convert s | open s, cold/warm | MB/hour | on device MB | sample ms | lookup ms |"
    " both ms p10/p50/p90 | queued ms | refresh ms | swap s (MB)"
)


def _row(found: Measurement) -> str:
    both = "/".join(f"{value:.3f}" for value in found.both_ms)
    return (
        f"{found.clips:>7} | {found.hours:>8.2f} | {found.precision} | {found.convert_s:>9.1f} |"
        f" {found.open_cold_s:>8.2f} {found.open_warm_s:>8.2f} | {found.bytes_per_hour / 1e6:>7.1f} |"
        f" {found.device_bytes / 1e6:>12.1f} | {found.sample_ms[1]:>9.3f} | {found.frames_ms[1]:>9.3f} |"
        f" {both:>19} | {found.queued_ms:>9.3f} | {found.refresh_ms[1]:>10.3f} |"
        f" {found.swap_s:.2f} ({found.swap_bytes / 1e6:.0f})"
    )
