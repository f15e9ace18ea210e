# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from human_files import PERSON, poselib_content, save_poselib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.retarget import poselib, read_human
from isaac_tracking.motion.retarget.human import global_pose
from isaac_tracking.motion.retarget.npy_pickle import object_of_npy
from isaac_tracking.motion.retarget.raw import RawMotion

CMU = Path(__file__).resolve().parents[3].parent / "shared" / "motions" / "cmu"
NAMES = [name for name, _, _ in PERSON]


def test_a_file_is_read(tmp_path: Path) -> None:
    raw = poselib.read(save_poselib(tmp_path / "arm.npy", poselib_content()))
    assert raw.joint_names == tuple(NAMES)
    assert (raw.fps, len(raw.local_pos)) == (30.0, 20)
    np.testing.assert_allclose(raw.local_pos[-1, 0], [1.0, 0.0, 0.88], rtol=1e-6)
    # The arm is turned by -1 rad about y at the end.
    np.testing.assert_allclose(raw.local_quat[-1, NAMES.index("LeftArm")], [0, -np.sin(0.5), 0, np.cos(0.5)], rtol=1e-6)


@pytest.mark.parametrize("repeats", [2, 4])
def test_frames_that_are_stored_more_than_once_are_taken_once(tmp_path: Path, repeats: int) -> None:
    raw = poselib.read(save_poselib(tmp_path / "arm.npy", poselib_content(repeats=repeats)))
    assert (raw.fps, len(raw.local_pos)) == (30.0, 20)


def test_orientations_in_the_world_are_made_local(tmp_path: Path) -> None:
    content = poselib_content()
    local = poselib.read(save_poselib(tmp_path / "arm.npy", content))
    pos, quat = global_pose(local.parents, local.local_pos, local.local_quat)
    content["rotation"]["arr"], content["is_local"] = quat, False
    other = poselib.read(save_poselib(tmp_path / "world.npy", content))
    found = global_pose(other.parents, other.local_pos, other.local_quat)
    np.testing.assert_allclose(found[0], pos, atol=1e-6)


def change(*keys: str) -> Callable[[Any], Callable[[OrderedDict], None]]:
    """Return what makes a change of one entry out of its new value."""

    def to(value: Any) -> Callable[[OrderedDict], None]:
        def apply(content: OrderedDict) -> None:
            place: Any = content
            for key in keys[:-1]:
                place = place[key]
            if value is None:
                del place[keys[-1]]
            else:
                place[keys[-1]] = value

        return apply

    return to


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (change("rotation")(None), "'rotation' is missing"),
        (change("skeleton_tree")(None), "'skeleton_tree' is missing"),
        (change("skeleton_tree")([1]), "'node_names' is missing"),
        (change("skeleton_tree", "node_names")(["a"] * 17), "unique names"),
        (change("skeleton_tree", "parent_indices", "arr")(np.zeros(17, int)), "no tree"),
        (change("skeleton_tree", "parent_indices", "arr")(np.full(17, 99)), "no tree"),
        (change("skeleton_tree", "local_translation", "arr")(np.zeros((16, 3))), "(16, 3)"),
        (change("rotation", "arr")(np.zeros((20, 17, 4))), "unit length"),
        (change("rotation", "arr")(np.zeros((20, 17, 3))), "(T, 17, 4)"),
        (change("rotation", "arr")(np.full((20, 17, 4), np.nan)), "nan"),
        (change("rotation", "arr")(np.array(["a"])), "no array of numbers"),
        (change("root_translation", "arr")(np.zeros((19, 3))), "(20, 3)"),
        (change("root_translation", "arr")(np.full((20, 3), 1e30)), "1e+30"),
        (change("fps")(np.array(0)), "0 frames a second"),
        (change("fps")(np.array([30, 30])), "fps is not one number"),
        (change("fps")("30"), "fps is not one number"),
        (change("fps")(1e12), "1e+12 frames a second"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, damage: Callable[[OrderedDict], None], words: str) -> None:
    content = poselib_content()
    damage(content)
    with pytest.raises(ClipError) as caught:
        poselib.read(save_poselib(tmp_path / "arm.npy", content))
    message = str(caught.value)
    assert words in message
    assert "arm.npy" in message and "expected" in message and "\n" not in message


def test_one_frame_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="1 frames"):
        poselib.read(save_poselib(tmp_path / "arm.npy", poselib_content(frames=1)))


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("trapped",)


@pytest.mark.parametrize("hide", [lambda trap: trap, lambda trap: {"fps": trap}, lambda trap: [[trap]]])
def test_nothing_in_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hide: Callable[[Any], Any]) -> None:
    path = save_poselib(tmp_path / "trap.npy", hide(Trap()))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ClipError, match="mkdir"):
        poselib.read(path)
    assert not (tmp_path / "trapped").exists()


def test_a_plain_array_is_not_the_motion_of_a_human(tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.zeros((10, 36)))
    with pytest.raises(ClipError, match=r"\(10, 36\)"):
        poselib.read(tmp_path / "plain.npy")


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00v\x00", b"not numpy at all"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.npy").write_bytes(data)
    with pytest.raises(ClipError, match="header"):
        poselib.read(tmp_path / "bad.npy")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="does not exist"):
        poselib.read(tmp_path / "gone.npy")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a file."""
    return save_poselib(tmp_path_factory.mktemp("poselib") / "arm.npy", poselib_content(frames=3)).read_bytes()


@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=4))
def test_no_damage_ends_in_a_traceback(sample: bytes, edits: list[tuple[float, int, bytes]]) -> None:
    data = sample
    for place, length, piece in edits:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + length :]
    path = Path("arm.npy")
    try:
        assert isinstance(poselib.parse(object_of_npy(data, path), path), RawMotion)
    except ClipError as error:
        assert "\n" not in str(error)


@pytest.mark.skipif(not CMU.is_dir(), reason="no ../shared/motions")
@pytest.mark.parametrize(("name", "frames"), [("run", 41), ("walk", 77)])
def test_the_samples_are_upright_and_go_forward(name: str, frames: int) -> None:
    motion = read_human(CMU / f"amp_humanoid_{name}.npy")
    assert (motion.num_frames, motion.fps) == (frames, 30.0)
    pos, _ = motion.pose
    head, feet = motion.joint_names.index("head"), motion.joint_names.index("left_foot")
    assert (pos[:, head, 2] - pos[:, feet, 2]).min() > 0.6
    # x is forward in poselib's humanoid, and both samples go along +x.
    assert pos[-1, 0, 0] - pos[0, 0, 0] > 3.0
