# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from human_files import PERSON, bvh_text, walking_person
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.retarget import bvh
from isaac_tracking.motion.retarget.human import global_pose
from isaac_tracking.motion.retarget.raw import RawMotion

PATH = Path("arm.bvh")
ARM = """HIERARCHY
ROOT Base
{{
    OFFSET 5 6 7
    CHANNELS {root}
    JOINT Left Arm
    {{
        OFFSET 0 1 0
        CHANNELS {child}
        End Site
        {{
            OFFSET 0 0 2
        }}
    }}
}}
MOTION
Frames: 2
Frame Time: 0.0333333
{frames}
"""
XYZ = "Xposition Yposition Zposition"


def arm(root: str = f"6 {XYZ} Zrotation Xrotation Yrotation", child: str = "3 Zrotation Xrotation Yrotation",
        frames: str = "1 2 3 0 0 0 0 0 0\n1 2 3 0 0 0 0 0 1") -> str:  # fmt: skip
    return ARM.format(root=root, child=child, frames=frames)


def positions(text: str) -> np.ndarray:
    raw = bvh.parse(text, PATH)
    return global_pose(raw.parents, raw.local_pos, raw.local_quat)[0]


def test_names_tree_rate_and_end_site_are_read() -> None:
    raw = bvh.parse(arm(), PATH)
    assert raw.joint_names == ("Base", "Left Arm", "Left Arm end")
    assert raw.parents == (-1, 0, 1)
    assert raw.fps == 30.0
    np.testing.assert_array_equal(raw.offsets, [[5, 6, 7], [0, 1, 0], [0, 0, 2]])


def test_a_root_is_where_its_channels_say_and_not_its_offset() -> None:
    np.testing.assert_allclose(positions(arm())[0], [[1, 2, 3], [1, 3, 3], [1, 3, 5]])


@pytest.mark.parametrize(
    ("order", "elbow"),
    [
        # Rz(90) Rx(90) takes y to z and leaves it there; Rx(90) Rz(90) takes y to -x.
        ("Zrotation Xrotation Yrotation", (0, 0, 1)),
        ("Xrotation Zrotation Yrotation", (-1, 0, 0)),
    ],
)
def test_the_first_channel_turns_last(order: str, elbow: tuple[int, int, int]) -> None:
    found = positions(arm(f"6 {XYZ} {order}", frames="0 0 0 90 90 0 0 0 0\n0 0 0 90 90 0 0 0 1"))
    np.testing.assert_allclose(found[0, 1], elbow, atol=1e-12)


def test_rotations_may_stand_before_positions_and_letters_may_be_small() -> None:
    found = positions(
        arm("6 zrotation xrotation yrotation xposition yposition zposition", frames="90 0 0 1 2 3 0 0 0\n" * 2 + "")
    )
    # Rz(90) takes the arm's (0, 1, 0) to (-1, 0, 0).
    np.testing.assert_allclose(found[0, 1], [0, 2, 3], atol=1e-12)


def test_a_childs_turn_moves_what_is_below_it() -> None:
    found = positions(arm(frames="0 0 0 0 0 0 0 90 0\n0 0 0 0 0 0 0 0 0"))
    # Rx(90) takes the tip's (0, 0, 2) to (0, -2, 0).
    np.testing.assert_allclose(found[0], [[0, 0, 0], [0, 1, 0], [0, -1, 0]], atol=1e-12)


def test_position_channels_of_a_child_take_the_place_of_its_offset() -> None:
    found = positions(arm(child=f"3 {XYZ}", frames="0 0 0 0 0 0 4 5 6\n0 0 0 0 0 0 4 5 7"))
    np.testing.assert_allclose(found[0, 1], [4, 5, 6])


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_every_euler_order_gives_the_same_motion(order: str) -> None:
    time = np.linspace(0.0, 1.0, 5)
    turn = Rotation.from_rotvec(np.outer(time, [0.3, -0.5, 0.8]))
    text = bvh_text(PERSON, np.zeros((5, 3)), {"Hips": turn, "LeftArm": turn}, order=order, axes=np.eye(3), unit=1.0)
    raw = bvh.parse(text, PATH)
    quat = raw.local_quat[:, raw.joint_names.index("LeftArm")]
    assert (Rotation.from_quat(quat) * turn.inv()).magnitude().max() < 1e-6


def test_frames_that_are_stored_twice_are_taken_once() -> None:
    lines = walking_person(1.0).splitlines()
    at = lines.index("MOTION") + 3
    frames = [line for line in lines[at:] for _ in range(2)]
    text = "\n".join([*lines[: at - 2], f"Frames: {len(frames)}", "Frame Time: 0.0166667", *frames])
    once, twice = bvh.parse(walking_person(1.0), PATH), bvh.parse(text, PATH)
    assert twice.fps == pytest.approx(30.0)
    np.testing.assert_array_equal(once.local_quat, twice.local_quat)
    assert "2 times" in twice.history[-1]


def test_a_person_who_stands_still_is_no_repeat() -> None:
    raw = bvh.parse(bvh_text(PERSON, np.zeros((8, 3)), {}), PATH)
    assert (len(raw.local_pos), raw.fps) == (8, 30.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "MOTION"),
        ("hello\nMOTION\n", "HIERARCHY"),
        (arm().split("MOTION")[0], "MOTION"),
        (arm()[:-3], "17 numbers for 2 frames of 9 channels"),
        (arm(root=f"5 {XYZ} Zrotation Xrotation Yrotation"), "CHANNELS"),
        (arm(root=f"6 {XYZ} Zrotation Zrotation Yrotation"), "CHANNELS"),
        (arm(root=f"6 {XYZ} Zrotation Wrotation Yrotation"), "CHANNELS"),
        (arm().replace("1 2 3", "nan 2 3", 1), "'nan'"),
        (arm().replace("1 2 3", "1e300 2 3", 1), "'1e300'"),
        (arm().replace("1 2 3", "one 2 3", 1), "text among the numbers"),
        (arm().replace("0.0333333", "0"), "frame time of 0"),
        (arm().replace("0.0333333", "-0.1"), "frame time of -0.1"),
        (arm().replace("0.0333333", "1e-9"), "frames a second"),
        (arm().replace("0.0333333", "60"), "frames a second"),
        (arm().replace("Frames: 2", "Frames: 0"), "0 frames"),
        (arm().replace("Frames: 2", "Frames: 1"), "1 frames"),
        (arm().replace("Frames: 2", "Frames: 2.5"), "2.5 frames"),
        (arm().replace("Frames: 2", "Frames: many"), "text among"),
        (arm().replace("OFFSET 0 1 0", "OFFSET 0 1"), "OFFSET"),
        (arm().replace("OFFSET 0 1 0", ""), "OFFSET"),
        (arm().replace("OFFSET 0 1 0", "OFFSET 0 nan 0"), "'nan'"),
        (arm().replace("Left Arm", "Base"), "Base more than once"),
        (arm().replace("JOINT Left Arm", "ROOT Left Arm"), "ROOT"),
        (arm().replace("End Site", "Beginning"), "Beginning"),
        (arm().replace("}", "", 1), "ends inside"),
        (arm().replace("OFFSET 5 6 7", "OFFSET 5 6 7\n}\n}"), "brace"),
        (arm(child="0", root="0", frames=""), "no channels"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(text: str, words: str) -> None:
    with pytest.raises(ClipError) as caught:
        bvh.parse(text, PATH)
    message = str(caught.value)
    assert words in message
    assert "arm.bvh" in message and "expected" in message and "\n" not in message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="does not exist"):
        bvh.read(tmp_path / "gone.bvh")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.bvh").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(ClipError, match="MOTION"):
        bvh.read(tmp_path / "noise.bvh")


def test_ten_thousand_braces_are_no_stack_overflow() -> None:
    text = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n" + "JOINT b\n{\nOFFSET 0 0 0\n" * 10_000 + "MOTION\n"
    with pytest.raises(ClipError, match="more than 1000 joints"):
        bvh.parse(text, PATH)


PIECES = st.sampled_from(
    [
        *("{", "}", "\n", "ROOT", "JOINT x", "End Site", "OFFSET 1 2 3", "CHANNELS 1 Xrotation", "MOTION", "Frames:"),
        *(
            "nan",
            "1e999",
            "-",
            "\0",
            "Frame Time: 0",
            "9" * 400,
            "HIERARCHY",
            " ",
            "inf",
            "Frames: 99999999999999999999",
        ),
    ]
)


@settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES | st.text(max_size=5)), max_size=4))
def test_no_damage_ends_in_a_traceback(edits: list[tuple[float, int, str]]) -> None:
    text = arm()
    for place, length, piece in edits:
        at = int(place * len(text))
        text = text[:at] + piece + text[at + length :]
    try:
        assert isinstance(bvh.parse(text, PATH), RawMotion)
    except ClipError as error:
        assert "\n" not in str(error)
