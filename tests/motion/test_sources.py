# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From names, files, folders and manifests to clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.sources import find_clips, find_library, load_clips


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


def test_a_folder_hides_no_shipped_clip(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deep").rename(folder / "walk")
    monkeypatch.chdir(folder)
    assert find_clips(["walk"]) == [shipped_clips()["walk"]]
    assert find_clips(["./walk"]) == [Path("walk/c.npz")]
    assert len(find_clips(["walk*"])) == 4


def test_hidden_files_are_no_clips(folder: Path) -> None:
    (folder / "._a.npz").write_bytes(b"as macOS leaves them on other disks")
    (folder / ".trash").mkdir()
    (folder / ".trash" / "old.npz").write_bytes(b"thrown away")
    assert find_clips([str(folder)]) == [folder / "a.npz", folder / "b.npz", folder / "deep" / "c.npz"]
    hidden = folder.rename(folder.with_name(".clips"))
    assert len(find_clips([str(hidden)])) == 3


def test_home_is_expanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert find_clips(["~/a.npz"]) == [folder / "a.npz"]


def test_the_order_is_kept_and_nothing_comes_twice(folder: Path) -> None:
    found = find_clips([str(folder / "b.npz"), "stand", str(folder), "sta*"])
    assert [path.stem for path in found] == ["b", "stand", "a", "c"]


def test_clips_are_loaded(folder: Path) -> None:
    assert [clip.name for clip in load_clips([str(folder)])] == ["a", "b", "c"]


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


def test_a_pattern_of_files_is_found(folder: Path) -> None:
    assert find_clips([str(folder / "[ab].npz")]) == [folder / "a.npz", folder / "b.npz"]
    assert find_clips([str(folder.parent / "my*")]) == [folder / "a.npz", folder / "b.npz", folder / "deep" / "c.npz"]
    with pytest.raises(ClipError, match="neither a shipped clip"):
        find_clips([str(folder / "x*.npz")])


def test_one_file_named_in_two_ways_is_one_clip(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert find_clips(["a.npz", str(folder / "a.npz"), "../my clips/a.npz"]) == [Path("a.npz")]


def test_equal_names_are_told_apart_by_their_folders(tmp_path: Path, make_clip: Callable[..., Clip]) -> None:
    for name in ("one/walk", "two/walk", "two/run", "x/deep/jump", "y/deep/jump", "stand"):
        make_clip(seed=len(name)).save(tmp_path / f"{name}.npz")
    found = find_library([str(tmp_path), "stand"])
    clips = {entry.name: entry.path for entry in found.entries}
    folder = tmp_path.name
    assert set(clips) == {
        "one/walk", "two/walk", "run", "x/deep/jump", "y/deep/jump", f"{folder}/stand", "data/stand",
    }  # fmt: skip
    assert clips["two/walk"] == tmp_path / "two" / "walk.npz"
    assert [clip.name for clip in load_clips([str(tmp_path / "one"), str(tmp_path / "two")])] == [
        "one/walk", "run", "two/walk",
    ]  # fmt: skip


def test_a_manifest_can_stand_wherever_clips_are_named(folder: Path) -> None:
    path = folder.parent / "library.toml"
    path.write_text('[[dataset]]\nname = "x"\npath = "my clips"\nexclude = ["b"]\n[dataset.clips.a]\nend = 0.1\n')
    assert find_clips(["library.toml"], base=folder.parent) == [folder / "a.npz", folder / "deep" / "c.npz"]
    assert [clip.num_frames for clip in load_clips([str(path)])] == [6, 11]
    found = find_library(["stand", str(path), str(folder)])
    assert found.names == ("stand", "a", "c", "b")
    assert [entry.dataset for entry in found.entries] == ["", "x", "x", ""]
    assert found.entries[1].end == 0.1


def test_manifests_are_put_together(folder: Path) -> None:
    for name, head in (("one", 'precision = "fp16"'), ("two", "memory_budget = 1000")):
        text = f'[library]\nname = "{name}"\n{head}\n[[dataset]]\nname = "{name}"\nweight = 2\npath = '
        (folder / f"{name}.toml").write_text(text + ('"a.npz"' if name == "one" else '"b.npz"'))
    found = find_library([str(folder / "one.toml"), str(folder / "two.toml")])
    assert (found.name, found.precision, found.memory_budget) == ("one + two", "fp16", 1000)
    assert found.dataset_weights == {"one": 2.0, "two": 2.0}


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        ('[library]\nprecision = "fp16"\n{0}', '[library]\nprecision = "fp32"\n{1}', "give precision fp16 and fp32"),
        ("{0}\nweight = 1", "{1}", r"its datasets have weights, but dataset 'two' has none"),
        ("{0}", '[[dataset]]\nname = "one"\npath = "b.npz"', r"dataset 'one' is in '.*one.toml' as well"),
    ],
)
def test_manifests_that_contradict_each_other_are_refused(folder: Path, one: str, two: str, words: str) -> None:
    tables = [f'[[dataset]]\nname = "{name}"\npath = "{path}.npz"' for name, path in (("one", "a"), ("two", "b"))]
    (folder / "one.toml").write_text(one.format(*tables))
    (folder / "two.toml").write_text(two.format(*tables))
    with pytest.raises(ClipError, match=words):
        find_library([str(folder / "one.toml"), str(folder / "two.toml")])


def test_a_clip_beside_weighted_datasets_needs_a_weight(folder: Path) -> None:
    path = folder / "one.toml"
    path.write_text('[[dataset]]\nname = "one"\npath = "a.npz"\nweight = 1\n')
    with pytest.raises(ClipError, match="a motion named beside the manifest has none"):
        find_library([str(path), "stand"])
