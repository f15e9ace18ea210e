# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from human_files import PERSON, Y_UP, bvh_text
from scipy.spatial.transform import Rotation

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.retarget import bvh
from isaac_tracking.motion.retarget.axes import to_human
from isaac_tracking.motion.retarget.skeleton import find_skeleton

NAMES = [name for name, _, _ in PERSON]
PARENTS = [parent for _, parent, _ in PERSON]


def _words(text: str) -> list[str]:
    return text.split()


# The names that other systems have for the joints of PERSON, in its order.
CONVENTIONS = {
    "lafan1": NAMES,
    "mixamo": [f"mixamorig:{name}" for name in NAMES],
    "mixamo numbered": [f"mixamorig1_{name}" for name in NAMES],
    "biovision": _words(
        "Hips LeftHip LeftKnee LeftAnkle LeftToe RightHip RightKnee RightAnkle RightToe Chest LeftShoulder "
        "LeftElbow LeftWrist RightShoulder RightElbow RightWrist Head"
    ),
    "smpl": _words(
        "Pelvis L_Hip L_Knee L_Ankle L_Foot R_Hip R_Knee R_Ankle R_Foot Spine3 L_Shoulder L_Elbow L_Wrist "
        "R_Shoulder R_Elbow R_Wrist Head"
    ),
    "amp": _words(
        "pelvis left_thigh left_shin left_foot left_toe right_thigh right_shin right_foot right_toe torso "
        "left_upper_arm left_lower_arm left_hand right_upper_arm right_lower_arm right_hand head"
    ),
    "cmu asf": _words(
        "root lfemur ltibia lfoot ltoes rfemur rtibia rfoot rtoes thorax lhumerus lradius lwrist rhumerus "
        "rradius rwrist head"
    ),
    "3ds max": [
        *("Bip01 Pelvis", "Bip01 L Thigh", "Bip01 L Calf", "Bip01 L Foot", "Bip01 L Toe0", "Bip01 R Thigh"),
        *("Bip01 R Calf", "Bip01 R Foot", "Bip01 R Toe0", "Bip01 Spine", "Bip01 L UpperArm", "Bip01 L Forearm"),
        *("Bip01 L Hand", "Bip01 R UpperArm", "Bip01 R Forearm", "Bip01 R Hand", "Bip01 Head"),
    ],
    "blender": _words(
        "hips thigh.L shin.L foot.L toe.L thigh.R shin.R foot.R toe.R chest upper_arm.L forearm.L hand.L "
        "upper_arm.R forearm.R hand.R head"
    ),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_joints_are_found_by_the_names_of_many_systems(convention: str) -> None:
    skeleton = find_skeleton(CONVENTIONS[convention], PARENTS, "x.bvh")
    assert (skeleton.pelvis, skeleton.chest, skeleton.head) == (0, 9, 16)
    assert (skeleton.hip, skeleton.knee, skeleton.ankle, skeleton.toe) == ((1, 5), (2, 6), (3, 7), (4, 8))
    assert (skeleton.shoulder, skeleton.elbow, skeleton.wrist) == ((10, 13), (11, 14), (12, 15))


def test_a_collar_bone_is_no_arm() -> None:
    names = [*NAMES, "LeftShoulder", "RightShoulder"]
    assert find_skeleton(names, [*PARENTS, 9, 9], "x.bvh").shoulder == (10, 13)


def test_toes_may_be_missing() -> None:
    kept = [i for i in range(len(NAMES)) if "Toe" not in NAMES[i]]
    parents = [kept.index(PARENTS[i]) if PARENTS[i] >= 0 else -1 for i in kept]
    assert find_skeleton([NAMES[i] for i in kept], parents, "x.bvh").toe is None


def test_what_is_missing_is_named() -> None:
    names = ["knee cap" if name == "LeftLeg" else name for name in NAMES]
    with pytest.raises(ClipError, match="no joint found for left knee among Hips, LeftUpLeg, knee cap"):
        find_skeleton(names, PARENTS, "x.bvh")


def test_a_dog_is_not_a_person() -> None:
    with pytest.raises(ClipError, match="pelvis, left hip"):
        find_skeleton(["Body", "Tail"], [-1, 0], "dog.bvh")


def test_a_foot_that_is_not_below_its_knee_is_refused() -> None:
    parents = list(PARENTS)
    parents[3] = 0
    with pytest.raises(ClipError, match="LeftFoot is not below LeftLeg"):
        find_skeleton(NAMES, parents, "x.bvh")


def person(axes: np.ndarray = Y_UP, unit: float = 0.01, turn: Rotation | None = None) -> str:
    turns = {"Hips": turn} if turn is not None else {}
    return bvh_text(PERSON, np.linspace((0.0, 0.0, 0.9), (1.0, 0.0, 0.9), 4), turns, axes=axes, unit=unit)


@pytest.mark.parametrize("axes", [Y_UP, np.eye(3)], ids=["y up", "z up"])
@pytest.mark.parametrize("unit", [1.0, 0.01, 0.001, 0.0254, 0.0254 / 0.45])
def test_axis_and_unit_are_found(axes: np.ndarray, unit: float) -> None:
    motion = to_human(bvh.parse(person(axes, unit), Path("x.bvh")))
    pos, _ = motion.pose
    np.testing.assert_allclose(pos[0, 0], [0.0, 0.0, 0.9], atol=1e-5)
    np.testing.assert_allclose(pos[-1, motion.joint_names.index("LeftHand")], [1.0, 0.71, 1.38], atol=1e-5)
    assert len([note for note in motion.history if "is up" in note or "lengths in" in note]) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (person(unit=7.0), "say --unit"),
        (person(turn=Rotation.from_euler("y", np.full((4, 1), 0.9))), "say --up"),
        (person(axes=np.diag([1.0, -1.0, -1.0])), "say --up"),
        (person(axes=np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])), "say --up"),
        (person().replace("0.000000 90.000000 0.000000 ", "0.000000 90.000000 1e6 "), "10000 m away"),
        (person().replace("OFFSET 0.000000 -40.000000 0.000000", "OFFSET 0 0 0"), "length of a limb"),
    ],
)
def test_what_cannot_be_told_is_asked_for(text: str, words: str) -> None:
    with pytest.raises(ClipError, match=words):
        to_human(bvh.parse(text, Path("x.bvh")))


def test_what_is_said_by_hand_holds() -> None:
    raw = bvh.parse(person(unit=7.0, turn=Rotation.from_euler("y", np.full((4, 1), 0.9))), Path("x.bvh"))
    motion = to_human(raw, up="y", unit=7.0)
    np.testing.assert_allclose(motion.pose[0][0, 0], [0.0, 0.0, 0.9], atol=1e-4)
    assert replace(motion, name="y").joint_names == motion.joint_names
