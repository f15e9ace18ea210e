# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Clip files: what is written comes back, and every bad file is refused with one useful line."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.motion import clip as clip_module
from isaac_tracking.motion.clip import FORMAT, Clip, ClipError


def _clip(frames: int = 5, **overrides: object) -> Clip:
    rng = np.random.default_rng(0)
    quat = rng.normal(size=(frames, 3, 4))
    values = {
        "name": "test",
        "fps": 50.0,
        "joint_names": ("hip", "knee"),
        "body_names": ("base", "thigh", "shin"),
        "joint_pos": rng.normal(size=(frames, 2)),
        "body_pos_w": rng.normal(size=(frames, 3, 3)),
        "body_quat_w": quat / np.linalg.norm(quat, axis=-1, keepdims=True),
        "contact_names": ("shin",),
        "contacts": rng.random((frames, 1)) > 0.5,
        "source": "a test",
        "license": "BSD-3-Clause",
        "robot_mass": 33.3,
        "history": ("recorded", "cut"),
    }
    return Clip(**(values | overrides))


def _rewritten(path: Path, **changes: object) -> Path:
    """Save a good clip with some entries replaced, or removed where ``None``."""
    _clip().save(path)
    with np.load(path) as file:
        content = dict(file) | changes
    np.savez(path, **{name: value for name, value in content.items() if value is not None})
    return path


def test_saved_clip_comes_back(tmp_path: Path) -> None:
    clip = _clip()
    clip.save(tmp_path / "folder" / "clip.npz")
    loaded = Clip.load(tmp_path / "folder" / "clip.npz")
    for name in (
        "name",
        "fps",
        "joint_names",
        "body_names",
        "contact_names",
        "robot",
        "source",
        "license",
        "robot_mass",
        "history",
    ):
        assert getattr(loaded, name) == getattr(clip, name), name
    for name in ("joint_pos", "body_pos_w", "body_quat_w", "contacts"):
        assert np.array_equal(getattr(loaded, name), getattr(clip, name)), name
    assert loaded.content_hash == clip.content_hash
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["clip.npz"]


def test_clip_without_contacts_comes_back(tmp_path: Path) -> None:
    _clip(contact_names=(), contacts=None).save(tmp_path / "clip.npz")
    assert Clip.load(tmp_path / "clip.npz").contacts is None


def test_file_states_its_conventions(tmp_path: Path) -> None:
    _clip().save(tmp_path / "clip.npz")
    with np.load(tmp_path / "clip.npz", allow_pickle=False) as file:
        assert str(file["format"]) == "isaac_tracking.clip"
        assert int(file["format_version"]) == 2
        assert str(file["quaternion_order"]) == "xyzw"
        assert str(file["units"]) == "m, rad, s"
        assert file["joint_pos"].dtype == np.float32


def test_version_1_still_loads(tmp_path: Path) -> None:
    path = _rewritten(
        tmp_path / "clip.npz", format_version=np.array(1), robot_mass=None, history=None, content_hash=None
    )
    clip = Clip.load(path)
    assert clip.content_hash == _clip().content_hash
    assert clip.robot_mass is None
    assert clip.history == ()


def test_extra_arrays_are_left_aside(tmp_path: Path) -> None:
    path = _rewritten(tmp_path / "clip.npz", action=np.zeros((5, 2)), rates=np.array([200.0, 50.0]))
    assert Clip.load(path).content_hash == _clip().content_hash


def test_a_file_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    path = _rewritten(tmp_path / "clip.npz", fps=np.array(30.0))
    with pytest.raises(ClipError, match="was changed: its content_hash is not that of its arrays"):
        Clip.load(path)


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.npz"
    _clip(frames=400).save(path)
    monkeypatch.setattr(clip_module, "MAX_BYTES", 30_000)
    with pytest.raises(ClipError, match="unpacks to 0 GB; expected at most"):
        Clip.load(path)


def test_duration_counts_intervals() -> None:
    assert _clip(frames=101).num_frames == 101
    assert _clip(frames=101).duration == 2.0


def test_content_hash_sees_arrays_names_and_rate_only() -> None:
    clip = _clip()
    moved = clip.joint_pos.copy()
    moved[3, 1] += 1e-3
    hashes = {
        clip.content_hash,
        _clip(joint_pos=moved).content_hash,
        _clip(fps=30.0).content_hash,
        _clip(joint_names=("knee", "hip")).content_hash,
        _clip(contacts=~clip.contacts).content_hash,
    }
    assert len(hashes) == 5
    assert _clip(name="other", license="MIT").content_hash == clip.content_hash
    assert len(clip.content_hash) == 64


def test_arrays_are_the_clips_own_and_read_only() -> None:
    joint_pos = np.zeros((5, 2), dtype=np.float32)
    clip = _clip(joint_pos=joint_pos)
    joint_pos[:] = 1.0
    assert clip.joint_pos.max() == 0.0
    with pytest.raises(ValueError, match="read-only"):
        clip.joint_pos[0] = 1.0


def test_indices_follow_the_names_asked_for() -> None:
    clip = _clip()
    assert clip.joint_indices(["knee", "hip"]) == [1, 0]
    assert clip.body_indices(["shin"]) == [2]
    with pytest.raises(ClipError, match=r"body toe, heel missing; expected one of base, thigh, shin"):
        clip.body_indices(["base", "toe", "heel"])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"fps": 0.0}, "fps is 0.0"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"joint_names": ("hip",)}, r"joint_pos has shape \(5, 2\); expected \(5, 1\)"),
        ({"joint_names": ("hip", "hip")}, "joint_names has hip more than once"),
        ({"joint_names": (), "joint_pos": np.zeros((5, 0))}, "joint_names is empty"),
        ({"body_pos_w": np.zeros((4, 3, 3))}, r"body_pos_w has shape \(4, 3, 3\)"),
        ({"body_pos_w": np.full((5, 3, 3), np.nan)}, "body_pos_w is not finite at frame 0"),
        ({"body_quat_w": np.zeros((5, 3, 4))}, "body_quat_w at frame 0 is not of unit length"),
        ({"joint_pos": np.zeros(5)}, r"joint_pos has shape \(5,\)"),
        ({"joint_pos": np.array([["a", "b"]] * 5)}, "joint_pos has type"),
        ({"contacts": None}, "contact names but no contacts"),
        ({"contacts": np.zeros((5, 2), dtype=bool)}, r"contacts has shape \(5, 2\)"),
    ],
)
def test_faulty_motion_is_refused(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ClipError, match=message) as caught:
        _clip(**overrides)
    assert "\n" not in str(caught.value)


def test_one_frame_is_no_motion() -> None:
    with pytest.raises(ClipError, match="at least 2 frames"):
        _clip(frames=1)


def test_bad_files_are_refused_in_one_line(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    _clip(frames=200).save(good)
    data = good.read_bytes()
    files = {
        "missing": (None, "does not exist"),
        "empty": (b"", "is empty"),
        "truncated": (data[: len(data) // 2], "truncated or not an npz"),
        "text": (b"0.1,0.2,0.3\n" * 50, "truncated or not an npz"),
        "pickle": (pickle.dumps({"fps": 50}), "truncated or not an npz"),
        "flipped": (bytes(b ^ 0x5A if 3000 < i < 3100 else b for i, b in enumerate(data)), "damaged"),
    }
    for name, (content, message) in files.items():
        path = tmp_path / f"{name}.npz"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ClipError, match=message) as caught:
            Clip.load(path)
        assert str(path) in str(caught.value), name
        assert "expected a clip" in str(caught.value), name
        assert "\n" not in str(caught.value), name
    with pytest.raises(ClipError, match="is a folder"):
        Clip.load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": None}, f"not a clip; expected format '{FORMAT}'"),
        ({"format": np.array("other")}, "not a clip"),
        ({"format_version": np.array(3)}, "has format version 3; expected 1 or 2"),
        ({"format_version": None}, "has format version missing"),
        ({"quaternion_order": np.array("wxyz")}, "has quaternion_order 'wxyz'; expected 'xyzw'"),
        ({"units": np.array("mm")}, "has units 'mm'"),
        ({"joint_pos": None, "fps": None}, "lacks fps, joint_pos"),
        ({"fps": np.array("fast")}, "could not convert"),
        ({"joint_names": np.array("hip")}, "joint_names"),
        ({"joint_pos": np.zeros((5, 2), dtype=object)}, "holds pickled objects, which are never loaded"),
        ({"joint_pos": np.full((5, 2), np.inf)}, "joint_pos is not finite"),
    ],
)
def test_foreign_or_faulty_content_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = _rewritten(tmp_path / "clip.npz", **changes)
    with pytest.raises(ClipError, match=message) as caught:
        Clip.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_code_of_a_file_runs(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (open, (str(tmp_path / "trap"), "w"))

    path = _rewritten(tmp_path / "clip.npz", joint_pos=np.array([Trap()], dtype=object))
    with pytest.raises(ClipError):
        Clip.load(path)
    assert not (tmp_path / "trap").exists()


def test_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.npz"
    _clip().save(path)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        _clip(frames=50).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["clip.npz"]


def test_motion_imports_no_simulator() -> None:
    code = (
        "import sys, isaac_tracking.motion.clip, isaac_tracking.motion.kinematics, isaac_tracking.motion.data,"
        " isaac_tracking.motion.synthesis, isaac_tracking.motion.synthesis.quality;"
        "print([m for m in ('mujoco', 'mink', 'scipy', 'isaaclab', 'newton', 'warp') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_files_of_other_formats_are_sent_to_the_converter(tmp_path: Path) -> None:
    (tmp_path / "dance.csv").write_text("0,0,0\n")
    np.savez(tmp_path / "beyondmimic.npz", fps=50, joint_pos=np.zeros((2, 29)))
    for name in ("dance.csv", "beyondmimic.npz"):
        with pytest.raises(ClipError, match=r"make a clip of it with python3 scripts/motions\.py convert"):
            Clip.load(tmp_path / name)
