# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The cache: clips are converted once, and again when they change or the cache is damaged."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.motion import bundle_cache
from isaac_tracking.motion.bundle import Bundle
from isaac_tracking.motion.bundle_cache import cached_bundle, prune_bundles
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.sources import find_library

JOINTS = ("hip", "knee")
BODIES = ("base", "thigh", "shin")


class Setting:
    """Three clips, a cache, and how often the clips were converted."""

    def __init__(self, folder: Path, make_clip: Callable[..., Clip]) -> None:
        self.clips, self.cache, self.built = folder / "clips", folder / "cache", 0
        for i, name in enumerate("abc"):
            make_clip(frames=10 + i, seed=i, name=name).save(self.clips / f"{name}.npz")

    def open(self, joints=JOINTS, bodies=BODIES, rate: float = 50.0, precision: str = "fp32") -> Bundle:
        def report(done: int, total: int) -> None:
            assert total == len(clips)
            self.built += done == total

        clips = find_library([str(self.clips)])
        return cached_bundle(clips, joints, bodies, rate, precision, self.cache, report)

    def bundles(self) -> list[Path]:
        return sorted(self.cache.glob("*.motions"))


@pytest.fixture
def setting(tmp_path: Path, make_clip: Callable[..., Clip]) -> Setting:
    return Setting(tmp_path, make_clip)


def test_clips_are_converted_once(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    first = setting.open()
    assert (setting.built, first.names, first.num_frames.tolist()) == (1, ("a", "b", "c"), [10, 11, 12])
    # From now on no clip may be read.
    monkeypatch.setattr(Clip, "load", classmethod(lambda cls, path: pytest.fail(f"{path} was read")))
    second = setting.open()
    assert setting.built == 1 and second.path == first.path
    assert np.array_equal(first.rows[:-1], second.rows[:-1])


def test_a_changed_clip_is_converted_again_and_the_old_bundle_removed(
    setting: Setting, make_clip: Callable[..., Clip]
) -> None:
    old = setting.open()
    make_clip(frames=20, seed=9).save(setting.clips / "b.npz")
    new = setting.open()
    assert setting.built == 2 and new.num_frames.tolist() == [10, 20, 12]
    assert setting.bundles() == [new.path] and new.path != old.path


def test_a_clip_of_the_same_size_and_another_time_is_converted_again(setting: Setting) -> None:
    setting.open()
    path = setting.clips / "b.npz"
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    setting.open()
    assert setting.built == 2


def test_another_request_has_a_bundle_of_its_own(setting: Setting, make_clip: Callable[..., Clip]) -> None:
    setting.open()
    setting.open(rate=25.0)
    setting.open(precision="fp16")
    setting.open(bodies=BODIES[:2])
    setting.open(joints=JOINTS[:1])
    assert setting.built == 5 and len(setting.bundles()) == 5
    make_clip().save(setting.clips / "d.npz")
    assert setting.open().names == ("a", "b", "c", "d")
    assert setting.built == 6


def test_another_order_of_joints_shares_the_bundle(setting: Setting) -> None:
    setting.open()
    assert setting.open(joints=JOINTS[::-1]).joint_names == JOINTS
    assert setting.built == 1


def test_weights_do_not_make_it_stale_but_trims_do(setting: Setting, tmp_path: Path) -> None:
    def frames(lines: str) -> list[int]:
        path = tmp_path / "library.toml"
        path.write_text('[[dataset]]\nname = "x"\npath = "clips"\n' + lines)
        return cached_bundle(find_library([str(path)]), JOINTS, BODIES, 50.0, "fp32", setting.cache).num_frames.tolist()

    assert frames("") == [10, 11, 12]
    assert len(setting.bundles()) == 1
    assert frames('clips.a.weight = 3\nclips.a.tags = ["x"]') == [10, 11, 12]
    assert len(setting.bundles()) == 1
    assert frames("clips.a.start = 0.1") == [5, 11, 12]
    assert len(setting.bundles()) == 2


@pytest.mark.parametrize("damage", [b"", b"junk", None])
def test_a_damaged_bundle_is_made_again(setting: Setting, damage: bytes | None) -> None:
    bundle = setting.open()
    rows = np.array(bundle.rows[:-1])
    data = bundle.path.read_bytes()
    bundle.path.unlink()
    bundle.path.write_bytes(data[:-7] if damage is None else damage)
    again = setting.open()
    assert setting.built == 2 and np.array_equal(again.rows[:-1], rows)


def test_a_bundle_of_other_clips_under_this_name_is_made_again(setting: Setting, tmp_path: Path) -> None:
    path = setting.open().path
    key = Bundle.open(path).key
    data = path.read_bytes()
    other = setting.open(rate=25.0).path
    path.unlink()
    path.write_bytes(other.read_bytes())
    assert setting.open().key == key and path.read_bytes() == data
    assert setting.built == 3


def test_a_bad_clip_leaves_no_bundle(setting: Setting) -> None:
    (setting.clips / "b.npz").write_bytes(b"not a clip")
    with pytest.raises(ClipError, match=r"b\.npz"):
        setting.open()
    assert setting.bundles() == [] and not list(setting.cache.glob("*.motions-*"))


def test_a_clip_that_changes_while_it_is_read_is_refused(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Clip.load

    def load_and_touch(path: Path) -> Clip:
        clip = load(path)
        os.utime(path, ns=(1, 1))
        return clip

    monkeypatch.setattr(Clip, "load", load_and_touch)
    with pytest.raises(ClipError, match=r"a\.npz' was changed while it was read; start again"):
        setting.open()
    assert setting.bundles() == []


def test_a_clip_that_vanished_is_named(setting: Setting) -> None:
    clips = find_library([str(setting.clips)])
    (setting.clips / "b.npz").unlink()
    with pytest.raises(ClipError, match=r"b\.npz' cannot be read \(No such file"):
        cached_bundle(clips, JOINTS, BODIES, 50.0, "fp32", setting.cache)


def test_a_number_beyond_half_precision_is_refused(setting: Setting, make_clip: Callable[..., Clip]) -> None:
    make_clip(frames=3, joint_pos=[[0, 0], [3000, 0], [0, 0]]).save(setting.clips / "b.npz")
    with pytest.raises(ClipError, match=r"b\.npz': a number is beyond 65504.*give precision fp32"):
        setting.open(precision="fp16")


def test_a_cache_that_cannot_be_written_is_named(setting: Setting) -> None:
    setting.cache.write_text("a file where the folder should be")
    with pytest.raises(ClipError, match=r"motion cache '.*cache' cannot be used .*set ISAAC_TRACKING_CACHE"):
        setting.open()


def test_a_full_disk_is_named(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundle_cache.BundleWriter, "add", full)
    with pytest.raises(ClipError, match=r"motion cache '.*cache' is full; .* of 3 clips"):
        setting.open()
    assert setting.bundles() == []


def test_unused_bundles_are_removed(setting: Setting) -> None:
    old, new = setting.open().path, setting.open(rate=25.0).path
    left = setting.cache / ".x.motions-abc"
    left.write_bytes(b"half a bundle")
    day = 86400.0
    os.utime(old, (0, time.time() - 10 * day))
    assert prune_bundles(setting.cache, unused_days=11) == []
    os.utime(left, (0, time.time() - 10 * day))
    assert prune_bundles(setting.cache, unused_days=9) == [left, old]
    assert setting.bundles() == [new]
    # Opening counts as use.
    os.utime(new, (0, time.time() - 10 * day))
    setting.open(rate=25.0)
    assert prune_bundles(setting.cache, unused_days=9) == []


BUILD = """
import sys
from pathlib import Path
from isaac_tracking.motion.bundle_cache import cached_bundle
from isaac_tracking.motion.sources import find_library
built = []
clips = find_library([sys.argv[1]])
print("ready", flush=True)
sys.stdin.readline()
bundle = cached_bundle(
    clips, ("hip", "knee"), ("base", "thigh", "shin"), 50.0, "fp32", Path(sys.argv[2]),
    report=lambda done, total: built.append(done),
)
print(bundle.rows[:-1].sum(dtype="f8"), bundle.path.name, max(built, default=0), flush=True)
"""


def test_two_processes_at_once_make_one_bundle(setting: Setting, make_clip: Callable[..., Clip]) -> None:
    for i in range(60):
        make_clip(frames=50, seed=i).save(setting.clips / f"more{i}.npz")
    source = Path(bundle_cache.__file__).parents[2]
    command = [sys.executable, "-c", BUILD, str(setting.clips), str(setting.cache)]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    runs = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for run in runs:
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    results = [run.communicate(timeout=60)[0].split() for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    # Same rows, same file; one converted all 63 clips, the other waited and converted none.
    assert results[0][:2] == results[1][:2]
    assert sorted(int(result[2]) for result in results) == [0, 63]
    assert [path.name for path in setting.bundles()] == [results[0][1]]
    assert float(results[0][0]) == pytest.approx(float(setting.open().rows[:-1].sum(dtype="f8")))
    assert setting.built == 0
