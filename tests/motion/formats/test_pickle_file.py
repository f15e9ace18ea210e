# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Pickles of TWIST2 and of joblib's libraries, and what a pickle may not do."""

from __future__ import annotations

import bz2
import collections
import gzip
import lzma
import os
import pickle
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.formats import ReadOptions, read_motions, read_outcomes
from isaac_tracking.motion.formats.raw import breadth_first
from isaac_tracking.motion.formats.unpickle import read_pickle, unpickle
from isaac_tracking.motion.formats.writers import unitree_rows

DATA = Path(__file__).parent / "data"
MEGABYTE = 1 << 20


@pytest.fixture
def write_pickle(tmp_path):
    def write(content, protocol=4, name="motion.pkl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
        return path

    return write


@pytest.fixture
def twist2(walk_rows):
    return {
        "fps": np.float64(50.0),
        "root_pos": walk_rows[:, :3],
        "root_rot": walk_rows[:, 3:7],
        "dof_pos": walk_rows[:, 7:],
        "local_body_pos": None,
        "link_body_list": ["pelvis"],
    }


@pytest.mark.parametrize("protocol", range(6))
def test_twist2_in_every_protocol(protocol, twist2, shipped, robot, write_pickle, assert_same_motion):
    clip = read_motions(write_pickle(twist2, protocol), robot)[0]
    assert_same_motion(clip, shipped("walk"))
    assert clip.fps == 50.0 and "TWIST2 or GMR motion" in clip.history[-1]


def test_the_motion_outweighs_the_formats_convention(twist2, shipped, robot, write_pickle, assert_same_motion):
    twist2["root_rot"] = twist2["root_rot"][:, [3, 0, 1, 2]]
    clip = read_motions(write_pickle(twist2), robot)[0]
    assert_same_motion(clip, shipped("walk"))
    assert "although its format or name stands for xyzw" in clip.history[-1]


def test_the_formats_convention_decides_where_the_motion_does_not(
    shipped, robot, write_pickle, twist2, assert_same_motion
):
    rows = unitree_rows(shipped("stand"), robot)
    twist2 |= {"root_pos": rows[:, :3], "root_rot": rows[:, 3:7], "dof_pos": rows[:, 7:]}
    clip = read_motions(write_pickle(twist2), robot)[0]
    assert_same_motion(clip, shipped("stand"))
    assert "the motion itself does not tell" in clip.history[-1]


def test_arrays_of_numpy_1_are_read(write_pickle):
    """numpy 1 names its module numpy.core, numpy 2 numpy._core."""
    array = np.arange(6.0).reshape(2, 3)
    content = pickle.dumps({"a": array}, protocol=2)
    old, new = b"numpy.core.multiarray", b"numpy._core.multiarray"
    assert old in content or new in content
    for source, target in ((old, new), (new, old)):
        found = read_pickle(write_pickle(content.replace(source, target)), MEGABYTE)
        np.testing.assert_array_equal(found["a"], array)


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<i2", "|b1", "<U5", "|S3", "<c16"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("protocol", [2, 5])
def test_arrays_of_every_plain_type_come_back(dtype, order, protocol, write_pickle):
    array = np.asarray(np.arange(6).reshape(2, 3).astype(dtype), order=order)
    found = read_pickle(write_pickle({"a": array, "b": [array[0, 0], array]}, protocol), MEGABYTE)
    np.testing.assert_array_equal(found["a"], array)
    assert found["a"].dtype == array.dtype and found["b"][0] == array[0, 0]


def test_plain_containers_come_back(write_pickle):
    content = {"a": [1, 2.5, "x", b"y", None, True], "b": (1, {2}, frozenset({3})), "c": 1j, "d": bytearray(b"z")}
    content["e"] = collections.OrderedDict(content)
    assert read_pickle(write_pickle(content), MEGABYTE) == content


@pytest.mark.parametrize("name", ["phc_joblib", "phc_joblib_zlib", "phc_joblib_lzma"])
def test_a_library_that_joblib_wrote(name, robot):
    clips = {clip.name: clip for clip in read_motions(DATA / f"{name}.pkl", robot)}
    assert sorted(clips) == ["sway_23", "sway_29"]
    time = np.arange(24) / 30.0
    for key, start in (("sway_29", 0.4), ("sway_23", -1.0)):
        clip = clips[key]
        expected = np.tile(np.float32(robot.default_joint_pos), (24, 1))
        expected[:, robot.joint_names.index("left_elbow_joint")] += 0.3 * np.sin(6 * time)
        expected[:, robot.joint_names.index("right_shoulder_roll_joint")] -= 0.2 * np.sin(4 * time) ** 2
        np.testing.assert_allclose(clip.joint_pos, expected, atol=1e-6)
        half = 0.5 * (start + 0.2 * np.sin(3 * time))
        np.testing.assert_allclose(clip.body_quat_w[:, 0, 2], np.sin(half), atol=1e-6)
        np.testing.assert_allclose(clip.body_quat_w[:, 0, 3], np.cos(half), atol=1e-6)
        np.testing.assert_allclose(
            clip.body_pos_w[:, 0], np.stack((0.01 * time, 0 * time, 0 * time + 0.76), 1), atol=1e-6
        )
        assert clip.fps == 30.0 and "rotation vectors" in clip.history[-1]
    assert "left_wrist_roll_joint" in clips["sway_23"].history[-1]


@pytest.mark.parametrize("name", ["sonic_joblib_bz2", "sonic_joblib_protocol2"])
def test_a_motion_of_sonic(name, robot):
    clip = read_motions(DATA / f"{name}.pkl", robot)[0]
    reference = next(c for c in read_motions(DATA / "phc_joblib.pkl", robot) if c.name == "sway_29")
    assert clip.name == name and clip.content_hash == reference.content_hash


def test_the_npz_of_gmr_has_names(twist2, shipped, robot, tmp_path, assert_same_motion):
    order = np.random.default_rng(0).permutation(29)
    content = {key: twist2[key] for key in ("fps", "root_pos", "root_rot")}
    content |= {"dof_pos": twist2["dof_pos"][:, order], "joint_names": np.array(robot.joint_names)[order]}
    np.savez(tmp_path / "walk.npz", **content)
    assert_same_motion(read_motions(tmp_path / "walk.npz", robot)[0], shipped("walk"))


def test_one_bad_motion_does_not_spoil_a_library(twist2, robot, write_pickle):
    bad = twist2 | {"dof_pos": twist2["dof_pos"][:1], "root_pos": twist2["root_pos"][:1]}
    bad["root_rot"] = twist2["root_rot"][:1]
    path = write_pickle({"good": twist2, "short": bad})
    good, short = read_outcomes(path, robot)
    assert good.name == "good"
    assert isinstance(short, ClipError) and "motion 'short': it has 1 frame " in str(short)
    with pytest.raises(ClipError, match="'short'"):
        read_motions(path, robot)


class Runs:
    """Would run a command if it were ever unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("call", [(os.system, "touch gone"), (eval, "1"), (getattr, "", "x"), (print,), (open, "x")])
def test_code_is_never_run_and_is_named(call, protocol, twist2, robot, write_pickle, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = write_pickle(twist2 | {"extra": Runs(*call)}, protocol)
    name = call[0].__name__
    with pytest.raises(ClipError, match=rf"would run '\w+\.{name}', which is never done") as error:
        read_motions(path, robot)
    assert "\n" not in str(error.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["motion.pkl"]


def test_names_out_of_a_file_stay_on_one_line(twist2, robot, write_pickle):
    """Line ends, and escape sequences that a terminal would obey."""
    good, bad = read_outcomes(write_pickle({"a\n\x1b[2J": twist2, "b\n\x1b": twist2 | {"fps": 0}}), robot)
    assert good.name == "a ?[2J" and "motion 'b ?'" in str(bad)
    content = pickle.dumps(twist2).replace(b"multiarray", b"multi\n\x1bray")
    with pytest.raises(ClipError, match=r"would run '[\w.]+multi \?ray"):
        read_outcomes(write_pickle(content), robot)


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_length_does_not_become_memory(kind, write_pickle):
    with pytest.raises(ClipError, match="neither text nor bytes"):
        read_pickle(write_pickle([Runs(kind, 1 << 50)]), MEGABYTE)


def test_torch_tensors_and_objects_are_refused_with_a_word(twist2, robot, write_pickle):
    import torch

    with pytest.raises(ClipError, match=r"torch tensors.*tensor\.numpy\(\)"):
        read_motions(write_pickle(twist2 | {"dof_pos": torch.zeros(3)}), robot)
    with pytest.raises(ClipError, match="holds an array of objects; expected arrays of plain numbers"):
        read_motions(write_pickle(twist2 | {"extra": np.array([1, "a"], dtype=object)}), robot)


def test_what_numpy_save_wraps_is_seen_through(tmp_path):
    """Only the array without dimensions at the top may hold an object."""
    content = {"a": [1, "two"], "b": np.arange(3.0)}

    def pickled(value) -> bytes:
        np.save(tmp_path / "x.npy", value, allow_pickle=True)
        data = (tmp_path / "x.npy").read_bytes()
        return data[10 + int.from_bytes(data[8:10], "little") :]

    found = unpickle(pickled(content), Path("x.npy"))
    assert found["a"] == [1, "two"] and found["b"].tolist() == [0.0, 1.0, 2.0]
    inside = np.array(None, dtype=object)
    inside[()] = content
    for bad in (np.array([content, 1], dtype=object), {"x": inside}):
        with pytest.raises(ClipError, match=r"'x\.npy' holds an array of objects"):
            unpickle(pickled(bad), Path("x.npy"))


@pytest.mark.parametrize(
    "compress",
    [
        zlib.compress,
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    ],
)
def test_compressed_pickles_are_read_up_to_a_bound(compress, twist2, shipped, robot, write_pickle, assert_same_motion):
    path = write_pickle(compress(pickle.dumps(twist2)))
    assert_same_motion(read_motions(path, robot)[0], shipped("walk"))
    path = write_pickle(compress(pickle.dumps(twist2 | {"bomb": bytes(3 * MEGABYTE)})))
    assert path.stat().st_size < MEGABYTE
    with pytest.raises(ClipError, match="unpacks to more than 1 MB"):
        read_motions(path, robot, ReadOptions(max_bytes=MEGABYTE))


def test_containers_that_grow_without_end_are_refused(write_pickle):
    content: list = []
    content.append(content)
    with pytest.raises(ClipError, match="within themselves"):
        read_pickle(write_pickle(content), MEGABYTE)
    deep: list = []
    for _ in range(60):
        deep = [deep]
    with pytest.raises(ClipError, match="too deep"):
        read_pickle(write_pickle(deep), MEGABYTE)
    laugh: list = ["ha"]
    for _ in range(15):
        laugh = [laugh] * 10
    assert read_pickle(write_pickle(laugh), MEGABYTE) is not None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fps": 0}, "fps is 0"),
        ({"fps": "30"}, "fps is of type"),
        ({"root_pos": np.zeros((488, 2))}, r"root positions have shape \(488, 2\)"),
        ({"root_rot": np.zeros((10, 4))}, r"root quaternions have shape \(10, 4\)"),
        ({"dof_pos": np.zeros((488, 20))}, "20 joints"),
        ({"dof_pos": [[1.0], [1.0, 2.0]]}, "dof_pos is no array"),
        ({"dof_pos": np.full((488, 29), np.nan)}, "joint angles hold nan"),
        ({"root_rot": np.ones((488, 4))}, "length 2"),
    ],
)
def test_faulty_entries_are_named(changes, reason, twist2, robot, write_pickle):
    with pytest.raises(ClipError, match=reason) as error:
        read_motions(write_pickle(twist2 | changes), robot)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"rubbish", "damaged or not a pickle"),
        (b"\x80\x04.", "damaged or not a pickle"),
        (pickle.dumps([1, 2]), "holds a list"),
        (pickle.dumps({}), "has nothing"),
        (pickle.dumps({"a": 1}), "has a;"),
        (pickle.dumps({"a": {"b": 1}}), "motion 'a' has b"),
        (zlib.compress(b"x" * 99)[:-9], "damaged"),
        (b"\x1f\x8brubbish", "damaged"),
        (b"\x04\x22\x4d\x18rubbish", "lz4"),
    ],
)
def test_pickles_of_something_else_are_refused(content, reason, robot, write_pickle):
    with pytest.raises(ClipError, match=reason) as error:
        read_motions(write_pickle(content), robot)
    assert "\n" not in str(error.value)


def test_joblib_arrays_longer_than_the_file_are_refused(tmp_path):
    path = tmp_path / "cut.pkl"
    shutil.copy(DATA / "phc_joblib.pkl", path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ClipError, match="damaged"):
        read_pickle(path, MEGABYTE)


def test_joints_in_breadth_first_order_are_found(twist2, shipped, robot, write_pickle, assert_same_motion):
    columns = [robot.joint_names.index(name) for name in breadth_first(robot)[0]]
    clip = read_motions(write_pickle(twist2 | {"dof_pos": twist2["dof_pos"][:, columns]}), robot)[0]
    assert_same_motion(clip, shipped("walk"))
    assert "joints breadth first" in clip.history[-1]
