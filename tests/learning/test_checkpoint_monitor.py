# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a watcher of a run reads from its folder: what is done, what is left, what is best, and the curves."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from isaac_tracking.learning.checkpoint_monitor import METRICS, QUIET, CheckpointMonitor
from isaac_tracking.learning.evaluation_curves import write_curves
from isaac_tracking.learning.runs import (
    RunError,
    checkpoint_number,
    checkpoints,
    lock_run,
    set_aside_after,
    write_record,
)

REQUEST = {"motion": [], "repeats": 1, "seed": 0}


def save(run: Path, iteration: int, content: str = "") -> Path:
    """Write a file that is whole, as far as a zip's end tells."""
    run.mkdir(exist_ok=True)
    path = run / f"model_{iteration}.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data", content or str(iteration))
    return path


def examine(
    run: Path, iteration: int, setting: str = "clean", success: float = 1.0, error: float | None = 20.0
) -> Path:
    """Write what an examination of a checkpoint writes, as far as it is read."""
    checkpoint = run / f"model_{iteration}.pt"
    folder = run / "evaluations" / "watch" / f"model_{iteration}_{setting}"
    folder.mkdir(parents=True, exist_ok=True)
    metrics = {"success_terminations": {"mean": success}, "mpjpe_local": {"mean": error}, "foot_slide": {"mean": None}}
    content = {
        "format": "isaac_tracking.evaluation",
        "checkpoint": {"sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest()},
        "all": {"metrics": metrics},
    }
    (folder / METRICS).write_text(json.dumps(content))
    # One second apart, as they would be at least.
    os.utime(folder / METRICS, (1000.0 + iteration, 1000.0 + iteration))
    return folder / METRICS


def names(monitor: CheckpointMonitor, ended: bool = True) -> list[str]:
    return [f"{one.checkpoint.stem} {one.setting}" for one in monitor.pending(ended)]


def points(run: Path) -> dict[str, list[tuple[int, float]]]:
    """All points of a run as TensorBoard's own reader gives them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(run)).Reload()
    return {tag: [(e.step, round(e.value, 4)) for e in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    for iteration in (0, 5, 10, 100):
        save(path, iteration)
    return path


def test_each_checkpoint_is_examined_once_in_each_setting(run: Path) -> None:
    monitor = CheckpointMonitor(run, ["clean", "pushed"])
    assert names(monitor) == [f"model_{i} {s}" for i in (0, 5, 10, 100) for s in ("clean", "pushed")]
    examine(run, 0)
    examine(run, 0, "pushed")
    examine(run, 5, "pushed")
    assert names(monitor)[:2] == ["model_5 clean", "model_10 clean"]
    assert names(CheckpointMonitor(run, ["clean"], newest_first=True)) == [
        "model_100 clean", "model_10 clean", "model_5 clean"
    ]  # fmt: skip


def test_each_nth_checkpoint_and_the_last_of_a_run_that_ended(run: Path) -> None:
    monitor = CheckpointMonitor(run, ["clean"], every=2)
    assert names(monitor, ended=False) == ["model_0 clean", "model_10 clean"]
    assert names(monitor, ended=True) == ["model_0 clean", "model_10 clean", "model_100 clean"]


def test_a_checkpoint_that_is_being_written_is_left_alone(run: Path) -> None:
    whole = (run / "model_100.pt").read_bytes()
    (run / ".model_200.pt.17.part").write_bytes(whole)
    (run / "model_200.pt").write_bytes(whole[:-30])
    monitor = CheckpointMonitor(run, ["clean"])
    assert names(monitor, ended=False)[-1] == "model_100 clean"
    assert names(monitor, ended=True)[-1] == "model_200 clean"
    (run / "model_200.pt").write_bytes(whole)
    assert names(monitor, ended=False)[-1] == "model_200 clean"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', '{"format": "isaac_tracking.evaluation"}'])
def test_a_damaged_result_is_no_result(run: Path, text: str) -> None:
    path = examine(run, 5)
    monitor = CheckpointMonitor(run, ["clean"])
    assert "model_5 clean" not in names(monitor)
    path.write_text(text)
    assert "model_5 clean" in names(monitor) and monitor.findings() == []


def test_best_is_by_success_then_by_local_error_and_only_of_what_was_examined_in_all_settings(run: Path) -> None:
    monitor = CheckpointMonitor(run, ["clean", "pushed"])
    examine(run, 0, "clean", 1.0, 10.0)
    assert monitor.best() is None and monitor.keep_best() is None and not (run / "best.pt").exists()
    examine(run, 0, "pushed", 0.5, 10.0)
    examine(run, 5, "clean", 1.0, 30.0)
    examine(run, 5, "pushed", 0.9, 50.0)
    examine(run, 10, "clean", 1.0, 31.0)
    examine(run, 10, "pushed", 0.9, 48.0)
    examine(run, 100, "clean", 1.0, 1.0)
    best = monitor.keep_best()
    assert best is not None and (best.iteration, best.among) == (10, 3)
    assert (run / "best.pt").read_bytes() == (run / "model_10.pt").read_bytes()
    record = json.loads((run / "best.json").read_text())
    assert record["checkpoint"] == "model_10.pt" and record["iteration"] == checkpoint_number(run / "best.pt") == 10
    assert record["sha256"] == hashlib.sha256((run / "best.pt").read_bytes()).hexdigest()
    assert record["settings"]["pushed"] == {"success_terminations": 0.9, "mpjpe_local": 48.0}
    assert monitor.keep_best() is None
    examine(run, 100, "pushed", 1.0, 99.0)
    assert monitor.keep_best().iteration == 100 and checkpoint_number(run / "best.pt") == 100
    assert [path.name for path in run.glob(".*")] == []
    assert checkpoints(run)[-1].name == "model_100.pt"


def test_a_policy_without_a_known_error_is_not_the_best(run: Path) -> None:
    examine(run, 0, error=None)
    examine(run, 5, error=500.0)
    assert CheckpointMonitor(run, ["clean"]).best().iteration == 5


def test_the_best_stays_when_its_checkpoint_is_deleted(run: Path) -> None:
    monitor = CheckpointMonitor(run, ["clean"])
    examine(run, 5, error=10.0)
    examine(run, 10, error=20.0)
    monitor.keep_best()
    whole = (run / "best.pt").read_bytes()
    (run / "model_5.pt").unlink()
    assert monitor.keep_best() is None
    assert (run / "best.pt").read_bytes() == whole and monitor.best().iteration == 5


def test_what_training_replaced_counts_no_more(run: Path) -> None:
    monitor = CheckpointMonitor(run, ["clean"])
    for iteration in (0, 5, 10, 100):
        examine(run, iteration, error=100.0 - iteration / 2)
    assert monitor.keep_best().iteration == 100
    set_aside_after(run / "model_5.pt")
    assert [finding.iteration for finding in monitor.findings()] == [0, 5]
    assert monitor.keep_best().iteration == 5
    save(run, 10, "another 10")
    assert names(monitor) == ["model_10 clean"]
    assert [finding.iteration for finding in monitor.findings()] == [0, 5]


def test_going_on_from_the_best_sets_later_checkpoints_aside_and_no_others(run: Path) -> None:
    examine(run, 10)
    CheckpointMonitor(run, ["clean"]).keep_best()
    assert [path.name for path in set_aside_after(run / "best.pt")] == ["model_100.pt"]
    (run / "best.json").write_text("{")
    assert checkpoint_number(run / "best.pt") == -1


def test_one_watcher_at_a_time_and_the_same_request(run: Path) -> None:
    first, second = CheckpointMonitor(run, ["clean"]), CheckpointMonitor(run, ["clean"])
    first.begin(REQUEST)
    with pytest.raises(RunError, match="is being watched by another process"):
        second.begin(REQUEST)
    first.end()
    with pytest.raises(RunError, match=r"motion was \[\], now \['stand'\].*move '.*watch' away") as error:
        second.begin({**REQUEST, "motion": ["stand"]})
    assert "\n" not in str(error.value)
    second.begin(REQUEST)
    second.end()


def test_a_run_lives_while_it_is_locked(run: Path) -> None:
    write_record(run, {"task": "T"})
    monitor = CheckpointMonitor(run, ["clean"])
    assert not monitor.live()
    held = lock_run(run)
    assert monitor.live()
    os.close(held)
    assert not monitor.live()


def test_a_run_of_isaac_labs_own_command_lives_while_it_writes(run: Path) -> None:
    monitor = CheckpointMonitor(run, ["clean"])
    assert monitor.live()
    for path in run.iterdir():
        os.utime(path, (path.stat().st_mtime - QUIET - 1,) * 2)
    assert not monitor.live()
    (run / "events.out.tfevents.1.host.1.z0.watch").write_bytes(b"ours")
    assert not monitor.live()
    (run / "events.out.tfevents.1.host.1.0").write_bytes(b"theirs")
    assert monitor.live()


@pytest.fixture
def train(run: Path) -> Callable[..., None]:
    """Write a training's event file as the run's logger does."""
    from torch.utils.tensorboard import SummaryWriter

    def write(*steps: int, purge: int | None = None) -> None:
        writer = SummaryWriter(log_dir=str(run), purge_step=purge)
        for step in steps:
            writer.add_scalar("Train/mean_reward", float(step), step)
        writer.close()

    return write


def test_curves_hold_each_point_once(run: Path, train: Callable[..., None]) -> None:
    train(0, 5, 10, 100)
    monitor = CheckpointMonitor(run, ["clean"])
    for iteration in (0, 5):
        examine(run, iteration, error=float(iteration))
        path = write_curves(run, monitor.findings())
    # Started again, and cut short by a kill.
    assert write_curves(run, monitor.findings()) == path
    path.write_bytes(path.read_bytes()[:-7])
    assert write_curves(run, monitor.findings()) == path
    # Newest first: a point behind the others, and one before it.
    for iteration in (100, 10):
        examine(run, iteration, error=float(iteration))
        last = write_curves(run, monitor.findings())
    assert last != path and not path.exists()
    assert points(run) == {
        "Train/mean_reward": [(0, 0.0), (5, 5.0), (10, 10.0), (100, 100.0)],
        "Evaluation/clean/success_terminations": [(0, 1.0), (5, 1.0), (10, 1.0), (100, 1.0)],
        "Evaluation/clean/mpjpe_local": [(0, 0.0), (5, 5.0), (10, 10.0), (100, 100.0)],
    }


def test_curves_outlive_a_training_that_goes_on_from_an_earlier_checkpoint(
    run: Path, train: Callable[..., None]
) -> None:
    """TensorBoard drops what lies behind the iteration at which a later file begins."""
    train(0, 5, 10)
    monitor = CheckpointMonitor(run, ["clean"])
    examine(run, 5, error=5.0)
    path = write_curves(run, monitor.findings())
    # As if it were of an earlier day.
    path.rename(path.with_name("events.out.tfevents.1000000000.host.1.z0.watch"))
    set_aside_after(run / "model_5.pt")
    train(6, 10, purge=6)
    save(run, 10, "another 10")
    examine(run, 10, error=11.0)
    write_curves(run, monitor.findings())
    assert points(run)["Evaluation/clean/mpjpe_local"] == [(5, 5.0), (10, 11.0)]
    assert points(run)["Train/mean_reward"] == [(0, 0.0), (5, 5.0), (6, 6.0), (10, 10.0)]


def test_no_findings_no_file(run: Path) -> None:
    assert write_curves(run, []) is None
    assert not list(run.glob("events*"))
