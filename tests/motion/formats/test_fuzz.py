# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whatever bytes a file has: a clip, or one line that says what is wrong."""

from __future__ import annotations

import io
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.formats import read_outcomes

ROBOT = motion_robot()
DATA = Path(__file__).parent / "data"
FRAMES = 6
QUIET = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def rows() -> np.ndarray:
    """Return a few frames of the default pose, swaying; the heading tells the order of the quaternion."""
    pose = np.tile(np.r_[0.0, 0.0, 0.76, 0.0, 0.0, 0.28, 0.96, ROBOT.default_joint_pos], (FRAMES, 1))
    pose[:, 0] += 0.01 * np.arange(FRAMES)
    return pose


def csv_bytes() -> bytes:
    stream = io.StringIO()
    np.savetxt(stream, rows(), delimiter=",", fmt="%.4f")
    return stream.getvalue().encode()


def npz_bytes(compress: bool = False, **arrays: np.ndarray) -> bytes:
    clip = ROBOT.clip("a", 50.0, rows()[:, :3], rows()[:, 3:7], rows()[:, 7:])
    content = {
        "fps": np.array([50]),
        "joint_pos": clip.joint_pos,
        "body_pos_w": clip.body_pos_w,
        "body_quat_w": clip.body_quat_w,
    }
    stream = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(stream, **(content | arrays))
    return stream.getvalue()


def clip_bytes() -> bytes:
    clip = ROBOT.clip("a", 50.0, rows()[:, :3], rows()[:, 3:7], rows()[:, 7:])
    with tempfile.TemporaryDirectory() as folder:
        clip.save(Path(folder) / "a.npz")
        return (Path(folder) / "a.npz").read_bytes()


def kimodo_bytes() -> bytes:
    rotation = np.tile(np.eye(3, dtype=np.float32), (FRAMES, 34, 1, 1))
    return npz_bytes(posed_joints=np.zeros((FRAMES, 34, 3), dtype=np.float32), global_rot_mats=rotation)


def twist2_content() -> dict:
    return {"fps": 30.0, "root_pos": rows()[:, :3], "root_rot": rows()[:, 3:7], "dof_pos": rows()[:, 7:]}


FILES = {
    "csv": (".csv", csv_bytes()),
    "npz": (".npz", npz_bytes()),
    "npz_compressed": (".npz", npz_bytes(compress=True)),
    "clip": (".npz", clip_bytes()),
    "kimodo": (".npz", kimodo_bytes()),
    "pickle_2": (".pkl", pickle.dumps(twist2_content(), 2)),
    "pickle_4": (".pkl", pickle.dumps(twist2_content(), 4)),
    "pickle_5": (".pkl", pickle.dumps(twist2_content(), 5)),
    "joblib": (".pkl", (DATA / "phc_joblib.pkl").read_bytes()),
    "joblib_zlib": (".pkl", (DATA / "phc_joblib_zlib.pkl").read_bytes()),
    "joblib_lzma": (".pkl", (DATA / "phc_joblib_lzma.pkl").read_bytes()),
}


def assert_survives(suffix: str, content: bytes) -> list[Clip | ClipError]:
    """Read the bytes as a file; every fault is one line that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"motion{suffix}"
        path.write_bytes(content)
        try:
            outcomes = read_outcomes(path, ROBOT)
        except ClipError as error:
            outcomes = [error]
    for outcome in outcomes:
        if isinstance(outcome, ClipError):
            assert "\n" not in str(outcome) and "motion" in str(outcome)
        else:
            assert np.isfinite(outcome.body_pos_w).all()
    return outcomes


@pytest.mark.parametrize("kind", FILES)
def test_the_files_that_are_mutated_are_read_as_they_are(kind):
    """Otherwise the tests below would try nothing but the first check."""
    outcomes = assert_survives(*FILES[kind])
    assert all(isinstance(outcome, Clip) for outcome in outcomes), outcomes


@pytest.mark.parametrize("kind", FILES)
@QUIET
@given(data=st.data())
def test_mutated_bytes_do_no_more_than_be_refused(kind, data):
    suffix, content = FILES[kind]
    changed = bytearray(content)
    # Descriptions lie at the ends of archives and between the arrays of pickles: half of the changes hit the start.
    for _ in range(data.draw(st.integers(1, 4))):
        region = data.draw(st.sampled_from([len(changed), min(300, len(changed))]))
        place = data.draw(st.integers(0, max(region - 1, 0)))
        changed[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not changed:
            break
    cut = data.draw(st.one_of(st.just(len(changed)), st.integers(0, len(changed))))
    assert_survives(suffix, bytes(changed[:cut]))


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".pkl"])
@QUIET
@given(content=st.binary(max_size=200))
def test_random_bytes_do_no_more_than_be_refused(suffix, content):
    assert isinstance(assert_survives(suffix, content)[0], ClipError)


KINDS = st.sampled_from(["<f4", "<f8", "<i8", "|u1", "|b1", "<U3"])
SHAPES = st.lists(st.integers(0, 40), max_size=4).map(tuple)
GOOD_SHAPES = {
    "joint_pos": (FRAMES, 29),
    "joint_vel": (FRAMES, 29),
    "body_pos_w": (FRAMES, 30, 3),
    "body_quat_w": (FRAMES, 30, 4),
    "fps": (),
    "joint_names": (29,),
    "body_names": (30,),
    "segment_start_idx": (2,),
    "segment_length": (2,),
    "posed_joints": (FRAMES, 34, 3),
    "global_rot_mats": (FRAMES, 34, 3, 3),
    "format": (),
}


@st.composite
def arrays(draw: st.DrawFn, shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array, often of the shape that is expected, with odd values among ordinary ones."""
    shape = draw(st.one_of(st.just(shape), SHAPES))
    kind = np.dtype(draw(KINDS))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    with np.errstate(all="ignore"):
        array = (rng.normal(size=shape) * draw(st.sampled_from([0.0, 1.0, 100.0, 1e30]))).astype(kind)
    if array.size and kind == np.float64 and draw(st.booleans()):
        array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from([np.nan, np.inf, -1e300, 1e-300]))
    return array


@QUIET
@given(data=st.data())
def test_random_members_do_no_more_than_be_refused(data):
    keys = data.draw(st.sets(st.sampled_from(sorted(GOOD_SHAPES)), min_size=1, max_size=5))
    with np.errstate(all="ignore"):
        assert_survives(".npz", npz_bytes(**{key: data.draw(arrays(GOOD_SHAPES[key])) for key in sorted(keys)}))


ENTRIES = {
    "fps": (),
    "root_pos": (FRAMES, 3),
    "root_rot": (FRAMES, 4),
    "dof_pos": (FRAMES, 29),
    "pose_aa": (FRAMES, 30, 3),
}
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


@QUIET
@given(data=st.data())
def test_random_entries_do_no_more_than_be_refused(data):
    content = twist2_content()
    for key in data.draw(st.sets(st.sampled_from(sorted(ENTRIES)), min_size=1, max_size=3)):
        content[key] = data.draw(st.one_of(arrays(ENTRIES[key]), ODD))
    if data.draw(st.booleans()):
        content |= {"root_trans_offset": content["root_pos"], "dof": content["dof_pos"]}
    whole = data.draw(st.sampled_from([content, {"a": content}, {"a": content, 1: content}, [content]]))
    assert_survives(".pkl", pickle.dumps(whole, data.draw(st.integers(2, 5))))


@QUIET
@given(data=st.data())
def test_random_tables_do_no_more_than_be_refused(data):
    width = data.draw(st.sampled_from([1, 7, 8, 30, 31, 36, 37]))
    values = data.draw(arrays((FRAMES, width)).filter(lambda a: a.ndim in (1, 2) and a.dtype.kind in "fi"))
    table = values.reshape(len(values), -1) if values.size else np.zeros((1, width))
    if table.shape[1] >= 8 and data.draw(st.booleans()):
        table = table.astype(float)
        table[:, 3:7] = (0.0, 0.0, 0.0, 1.0)
    stream = io.StringIO()
    np.savetxt(stream, table, delimiter=data.draw(st.sampled_from([",", " ", ";"])), fmt="%g")
    assert_survives(".csv", stream.getvalue().encode())
