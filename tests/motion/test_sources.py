# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From names, files and folders to clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.sources import find_clips, load_clips


@pytest.fixture
def folder(tmp_path: Path, make_clip: Callable[..., Clip]) -> Path:
    for name in ("b", "a", "deep/c"):
        make_clip(name=name).save(tmp_path / "my clips" / f"{name}.npz")
    (tmp_path / "my clips" / "notes.txt").write_text("no clip")
    return tmp_path / "my clips"


def test_shipped_clips_are_found_by_name_and_pattern() -> None:
    assert [path.stem for path in find_clips(["walk"])] == ["walk"]
    assert [path.stem for path in find_clips(["walk*"])] == ["walk", "walk_back", "walk_curve", "walk_slow"]
    assert find_clips(["*"]) == list(shipped_clips().values())
    assert len(find_clips(["*"])) == 16


def test_files_and_folders_are_found(folder: Path) -> None:
    assert find_clips([str(folder / "b.npz")]) == [folder / "b.npz"]
    assert find_clips([str(folder)]) == [folder / "a.npz", folder / "b.npz", folder / "deep" / "c.npz"]


def test_relative_paths_are_read_against_the_base(folder: Path) -> None:
    assert find_clips(["my clips/a.npz"], base=folder.parent) == [folder / "a.npz"]
    assert find_clips([str(folder / "a.npz")], base=Path("/nowhere")) == [folder / "a.npz"]


def test_relative_paths_are_read_against_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert [path.resolve() for path in find_clips(["deep"])] == [folder / "deep" / "c.npz"]


def test_home_is_expanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert find_clips(["~/a.npz"]) == [folder / "a.npz"]


def test_the_order_is_kept_and_nothing_comes_twice(folder: Path) -> None:
    found = find_clips([str(folder / "b.npz"), "stand", str(folder), "sta*"])
    assert [path.stem for path in found] == ["b", "stand", "a", "c"]


def test_clips_are_loaded(folder: Path) -> None:
    assert [clip.name for clip in load_clips([str(folder)])] == ["a", "b", "deep/c"]


def test_an_unknown_name_is_named_with_the_choices() -> None:
    with pytest.raises(ClipError, match=r"'wlak' is neither a shipped clip \(.*walk.*\) nor a file or folder"):
        find_clips(["stand", "wlak"])


def test_a_folder_without_clips_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"holds no \.npz"):
        find_clips([str(tmp_path)])


def test_no_motion_is_an_error() -> None:
    with pytest.raises(ClipError, match="no motion was named"):
        find_clips([])


def test_a_file_that_is_no_clip_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"not an npz")
    with pytest.raises(ClipError, match=r"bad\.npz"):
        load_clips([str(tmp_path)])
