# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The clips of a plan: read once, in any form that ``--motion`` takes, and compared with those of before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch.main import main
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.launch.planned_motions import changes, read_motions
from isaac_tracking.launch.train_plan import make_plan
from isaac_tracking.motion.bundle import Bundle
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.kinematics import KinematicTree
from isaac_tracking.motion.processing import trim
from isaac_tracking.tasks.tracking.mdp.reference import Reference

ON_CPU = ("--device", "cpu")
TASK = "Isaac-Tracking-G1-v0"


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ISAAC_TRACKING_CACHE", str(folder))
    return folder


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every clip file that is read, as often as it is."""
    files: list[Path] = []
    load = Clip.load.__func__  # type: ignore[attr-defined]

    def counted(cls, path, *args):
        files.append(Path(path))
        return load(cls, path, *args)

    monkeypatch.setattr(Clip, "load", classmethod(counted))
    return files


def copies(folder: Path, count: int) -> Path:
    """Write copies of one second of a shipped clip."""
    folder.mkdir()
    trim(Clip.load(shipped_clips()["walk"]), 0.0, 1.0).save(folder / "walk_000.npz")
    for number in range(1, count):
        shutil.copy(folder / "walk_000.npz", folder / f"walk_{number:03d}.npz")
    return folder


def test_many_clips_are_read_once_by_the_plan_and_never_by_the_task(
    tmp_path: Path, cache: Path, loaded: list[Path], g1_mjcf: Path, capsys: pytest.CaptureFixture
) -> None:
    folder = copies(tmp_path / "clips", 300)
    loaded.clear()
    plan = make_plan([*ON_CPU, "--motion", str(folder)], tmp_path)
    assert len(loaded) == len(set(loaded)) == 300
    assert len(plan.clips) == 300 and plan.clips[0] == "walk_000"
    assert plan.facts["motions"].startswith("walk_000, walk_001, ")
    assert plan.facts["motions"].endswith("walk_005, ... (300, 300 s together)")
    assert capsys.readouterr().out.count("reading 300 clips") == 1
    make_plan([*ON_CPU, "--motion", str(folder)], tmp_path)
    # The task's engine has the joints in another order.
    cfg = resolve_config(TASK, plan.overrides)[0]
    tree = KinematicTree.from_mjcf(g1_mjcf)
    joints, bodies = tree.joint_names[::-1], cfg.commands.motion.body_names
    rate = 1.0 / (cfg.sim.dt * cfg.decimation)
    reference = Reference(cfg.commands.motion, joints, bodies, rate, 2, "cpu", tree, torch.zeros(29, 2))
    assert len(loaded) == 300 and reference.library.names == plan.clips
    assert capsys.readouterr().out == ""
    # A clip that changes is read again, and only then.
    shutil.copy(shipped_clips()["squat"], folder / "walk_007.npz")
    assert "(300, 308 s" in make_plan([*ON_CPU, "--motion", str(folder)], tmp_path).facts["motions"]


def test_a_manifest_is_a_motion(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies(tmp_path / "mine", 2)
    datasets = "".join(f'\n[[dataset]]\nname = "{name}"\npath = "{name}"\n' for name in ("mine", "squat"))
    (tmp_path / "library.toml").write_text('[library]\nprecision = "fp16"\n' + datasets)
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    plan = make_plan([*ON_CPU, "--motion", "library.toml", "wave"], tmp_path / "elsewhere")
    assert plan.clips == ("walk_000", "walk_001", "squat", "wave")
    assert f'env.commands.motion.motions=["{tmp_path / "library.toml"}", "wave"]' in plan.overrides
    (bundle,) = (cache / "motions").glob("*.motions")
    assert Bundle.open(bundle).packing.precision == "fp16"
    (tmp_path / "library.toml").write_text("[[dataset]]\nname = 3\n")
    with pytest.raises(ClipError, match=r"library\.toml") as error:
        make_plan([*ON_CPU, "--motion", "library.toml"], tmp_path)
    assert "\n" not in str(error.value)


def test_a_broken_clip_among_good_ones_is_one_line(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder = copies(tmp_path / "clips", 3)
    (folder / "walk_001.npz").write_bytes((folder / "walk_000.npz").read_bytes()[:3000])
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main("train", [*ON_CPU, "--motion", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and "walk_001.npz' is truncated" in error and error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
    # Nothing half is left in the cache either.
    assert [path for path in (cache / "motions").iterdir() if path.suffix != ".lock"] == []


def test_a_cache_that_cannot_be_written_and_an_unknown_precision_are_one_line(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(ValueError, match=r"precision is 'fp8'; choose from fp32, fp16$"):
        make_plan([*ON_CPU, "env.commands.motion.precision=fp8"], tmp_path)
    (cache / "motions").write_text("a file")
    with pytest.raises(ClipError, match=r"motion cache '.*' cannot be used .*set ISAAC_TRACKING_CACHE"):
        make_plan([*ON_CPU, "--motion", "walk"], tmp_path)


def test_the_length_is_that_of_the_clips(cache: Path) -> None:
    cfg = resolve_config(TASK, ['env.commands.motion.motions=["walk", "stand"]'])[0]
    found = read_motions(cfg)
    whole = sum(Clip.load(shipped_clips()[name]).duration for name in ("walk", "stand"))
    assert found.duration == pytest.approx(whole) and str(found) == f"walk, stand (2, {whole:.0f} s together)"


def test_changes_of_clips_in_words() -> None:
    assert changes(None, ["a"]) is None
    assert changes(["b", "a"], ("a", "b")) is None
    assert changes(["a"], list("abcdef")) == ("the clips are not those that the run had before: 5 added (b, c, d, ...)")
