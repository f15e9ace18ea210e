# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Manifests: what they say, and one line for whatever is wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.manifest import load_manifest

WALKS = '[[dataset]]\nname = "walks"\npath = "walks"\n'
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, make_clip: Callable[..., Clip]) -> Write:
    """Write a manifest beside two folders of clips."""
    for name in ("walks/slow_walk", "walks/fast_walk", "walks/turn_bad", "walks/deep/turn", "runs/run"):
        make_clip(frames=101).save(tmp_path / f"{name}.npz")

    def text(content: str) -> Path:
        path = tmp_path / "library.toml"
        path.write_text(content)
        return path

    return text


def names(path: Path) -> list[str]:
    return list(load_manifest(path).names)


def test_a_dataset_is_a_folder_beside_the_manifest(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(WALKS)
    monkeypatch.chdir("/")
    found = load_manifest(path)
    assert found.names == ("turn", "fast_walk", "slow_walk", "turn_bad")
    assert found.paths[0] == path.parent / "walks" / "deep" / "turn.npz"
    assert {entry.dataset for entry in found.entries} == {"walks"}
    assert (found.name, found.precision, found.memory_budget, found.dataset_weights) == ("", None, None, {})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ('"runs/run.npz"', ["run"]),
        ('"walk*"', ["walk", "walk_back", "walk_curve", "walk_slow"]),
        ('"walks/*_walk.npz"', ["fast_walk", "slow_walk"]),
        ('["runs", "squat", "walks/deep"]', ["run", "squat", "turn"]),
    ],
)
def test_a_path_can_be_a_file_a_pattern_or_a_list(write: Write, path: str, expected: list[str]) -> None:
    assert names(write(f'[[dataset]]\nname = "x"\npath = {path}\n')) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('include = ["*walk*"]', ["fast_walk", "slow_walk"]),
        ('exclude = ["*_bad"]', ["turn", "fast_walk", "slow_walk"]),
        ('include = ["turn*"]\nexclude = ["*_bad"]', ["turn"]),
        ('include = ["deep/*", "fast*"]', ["turn", "fast_walk"]),
        ("clips.turn_bad.exclude = true", ["turn", "fast_walk", "slow_walk"]),
    ],
)
def test_clips_are_chosen_by_pattern_and_by_name(write: Write, lines: str, expected: list[str]) -> None:
    assert names(write(WALKS + lines)) == expected


def test_what_is_said_of_a_clip_is_kept(write: Write) -> None:
    found = load_manifest(
        write(
            '[library]\nname = "all"\nprecision = "fp16"\nmemory_budget = "1.5 GB"\n'
            + WALKS
            + '[dataset.clips."deep/turn"]\nweight = 2\ntags = ["sideways"]\nstart = 0.5\nend = 1.5\n'
        )
    )
    turn = found.entries[0]
    assert (turn.weight, turn.tags, turn.start, turn.end) == (2.0, ("sideways",), 0.5, 1.5)
    assert (found.name, found.precision, found.memory_budget) == ("all", "fp16", 1_500_000_000)
    clip = turn.load()
    whole = Clip.load(turn.path)
    # Frames 25 to 75 of 101 at 50 Hz.
    assert clip.name == "turn" and clip.num_frames == 51
    assert np.array_equal(clip.joint_pos, whole.joint_pos[25:76])


def test_a_trim_that_leaves_nothing_is_an_error(write: Write) -> None:
    found = load_manifest(write(WALKS + "[dataset.clips.turn]\nstart = 5.0\n"))
    with pytest.raises(ClipError, match=r"nothing is left between 5 and its end s"):
        found.entries[0].load()


def test_weights_of_datasets_are_shares_of_the_starts(write: Write) -> None:
    found = load_manifest(
        write(WALKS + 'weight = 1\nclips.turn.weight = 3\n[[dataset]]\nname = "runs"\npath = "runs"\nweight = 3\n')
    )
    # turn, fast_walk, slow_walk, turn_bad, run
    lengths = np.array([100, 100, 200, 300, 50])
    weights = found.weights(lengths)
    starts = weights * lengths / (weights * lengths).sum()
    assert starts[4] == pytest.approx(0.75)
    assert weights[0] == pytest.approx(3.0 * weights[1]) and weights[1] == pytest.approx(weights[3])
    # 0.25 over 3 * 100 + 100 + 200 + 300 = 900 weighted frames.
    assert starts[:4] == pytest.approx(0.25 * np.array([300, 100, 200, 300]) / 900)
    assert (weights * lengths).sum() == pytest.approx(750)
    neutral = found.weights(lengths, length_neutral=True)
    assert neutral.sum() == pytest.approx(5.0)
    assert neutral / 5.0 == pytest.approx([0.25 / 2, 0.25 / 6, 0.25 / 6, 0.25 / 6, 0.75])


def test_without_weights_every_instant_counts_alike(write: Write) -> None:
    found = load_manifest(write(WALKS + '[[dataset]]\nname = "runs"\npath = "runs"\n'))
    assert found.weights([100, 100, 200, 300, 50]) == pytest.approx(np.ones(5))
    assert found.weights([100, 100, 200, 300, 50], length_neutral=True) == pytest.approx(np.ones(5))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name = walks\n", r"it is not TOML: .*line 1.*expected valid TOML"),
        ("", r"it has no \[\[dataset\]\]"),
        ("dataset = 3", r"it has no \[\[dataset\]\]"),
        ("datasets = 3\n" + WALKS, r"unknown key 'datasets'; expected perhaps 'dataset', or one of library, dataset"),
        ('[library]\nprecison = "fp16"\n' + WALKS, r"\[library\] has the unknown key 'precison'.*perhaps 'precision'"),
        ('[library]\nprecision = "bf16"\n' + WALKS, r"precision is 'bf16'; expected fp32 or fp16"),
        ('[library]\nmemory_budget = "lots"\n' + WALKS, r"memory_budget is 'lots'; expected bytes"),
        ("[library]\nmemory_budget = -5\n" + WALKS, r"memory_budget is -5; expected bytes"),
        ("[library]\nname = 3\n" + WALKS, r"\[library\] has name = 3; expected name = \"a text\""),
        ('[[dataset]]\npath = "walks"', r"number 1 has no 'name'"),
        ('[[dataset]]\nname = "walks"', r"dataset 'walks' has no 'path'"),
        ('[[dataset]]\nname = "x"\npath = []', r"path is an empty list"),
        ('[[dataset]]\nname = "x"\npath = "nowhere"', r"dataset 'x': motion 'nowhere' is neither"),
        ('[[dataset]]\nname = "x"\npath = "library.toml"', r"names the manifest 'library.toml'"),
        (WALKS + "weights = 2", r"dataset 'walks' has the unknown key 'weights'; expected perhaps 'weight'"),
        (WALKS + "weight = -1", r"weight is -1; expected a number above 0; leave clips out with 'exclude'"),
        (WALKS + "weight = 0", r"weight is 0; expected a number above 0"),
        (WALKS + "weight = inf", r"weight is inf"),
        (WALKS + 'weight = "much"', r"weight is 'much'"),
        (WALKS + "weight = true", r"weight is True"),
        (WALKS + 'include = "*"', r"include is '\*'; expected a list of texts"),
        (WALKS + 'include = ["jump*"]', r"'jump\*' of 'include' matches none of its 4 clips; expected .*deep/turn"),
        (WALKS + 'exclude = ["*_bda"]', r"'\*_bda' of 'exclude' matches none"),
        (WALKS + 'exclude = ["*"]', r"dataset 'walks' has no clip left"),
        (WALKS + "clips.turns.weight = 2", r"has no clip 'turns'; expected perhaps 'turn', or one of"),
        (WALKS + "clips.turn.weihgts = 2", r"clip 'turn' has the unknown key 'weihgts'; expected perhaps 'weight'"),
        (WALKS + "clips.turn.weight = -2", r"clip 'turn': weight is -2"),
        (WALKS + "clips.turn.exclude = 1", r"clip 'turn': 'exclude' is not a truth value; expected true or false"),
        (
            WALKS + "clips.turn.start = 2.0\nclips.turn.end = 1.0",
            r"'end' is 1 s and 'start' 2 s; expected an end after",
        ),
        (WALKS + "clips.turn.start = -1.0", r"start is -1.0; expected a number from 0"),
        (WALKS + "clips.turn = 2", r"clip 'turn' is 2; expected a table"),
        (WALKS + 'clips.turn.weight = 2\nclips."deep/turn".weight = 3', r"'deep/turn' is described twice"),
        (WALKS + WALKS, r"two datasets are called 'walks'"),
        (WALKS + '[[dataset]]\nname = "b"\npath = "walks/deep"', r"turn.npz' is in the datasets 'walks' and 'b'"),
        (WALKS + 'weight = 1\n[[dataset]]\nname = "b"\npath = "runs"', r"'b' has no weight, but 'walks' has"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file(write: Write, content: str, words: str) -> None:
    path = write(content)
    with pytest.raises(ClipError, match=words) as error:
        load_manifest(path)
    assert str(error.value).startswith(f"manifest '{path}': ")
    assert "\n" not in str(error.value)


def test_a_missing_or_unreadable_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"manifest '.*nothing.toml' does not exist"):
        load_manifest(tmp_path / "nothing.toml")
    with pytest.raises(ClipError, match=r"cannot be read \(.*directory"):
        load_manifest(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ClipError, match=r"binary.toml' cannot be read"):
        load_manifest(tmp_path / "binary.toml")


def test_a_name_that_can_be_two_clips_is_refused(write: Write, tmp_path: Path, make_clip: Callable[..., Clip]) -> None:
    make_clip().save(tmp_path / "walks" / "more" / "turn.npz")
    with pytest.raises(ClipError, match=r"'turn' can be .*deep/turn.npz and .*more/turn.npz"):
        load_manifest(write(WALKS + "clips.turn.weight = 2"))
    found = load_manifest(write(WALKS + 'clips."more/turn".weight = 2'))
    assert {entry.name: entry.weight for entry in found.entries if entry.weight != 1.0} == {"more/turn": 2.0}


def test_a_folder_called_like_a_shipped_clip_hides_it_not(write: Write) -> None:
    path = write('[[dataset]]\nname = "mine"\npath = "walk"\n')
    (path.parent / "walks").rename(path.parent / "walk")
    assert names(path) == ["walk"]
    path.write_text(path.read_text().replace('"walk"', '"./walk"'))
    assert names(path) == ["turn", "fast_walk", "slow_walk", "turn_bad"]
