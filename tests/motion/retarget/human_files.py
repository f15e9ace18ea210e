# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Files of human motion that the tests make themselves."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.retarget.humanoid import Humanoid

# Name, parent, and the place relative to the parent at rest: z up, facing +x, in metres.
PERSON: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("Hips", -1, (0.0, 0.0, 0.0)),
    ("LeftUpLeg", 0, (0.0, 0.09, 0.0)),
    ("LeftLeg", 1, (0.0, 0.0, -0.42)),
    ("LeftFoot", 2, (0.0, 0.0, -0.40)),
    ("LeftToeBase", 3, (0.14, 0.0, -0.06)),
    ("RightUpLeg", 0, (0.0, -0.09, 0.0)),
    ("RightLeg", 5, (0.0, 0.0, -0.42)),
    ("RightFoot", 6, (0.0, 0.0, -0.40)),
    ("RightToeBase", 7, (0.14, 0.0, -0.06)),
    ("Spine", 0, (0.0, 0.0, 0.20)),
    ("LeftArm", 9, (0.0, 0.18, 0.28)),
    ("LeftForeArm", 10, (0.0, 0.28, 0.0)),
    ("LeftHand", 11, (0.0, 0.25, 0.0)),
    ("RightArm", 9, (0.0, -0.18, 0.28)),
    ("RightForeArm", 13, (0.0, -0.28, 0.0)),
    ("RightHand", 14, (0.0, -0.25, 0.0)),
    ("Head", 9, (0.0, 0.0, 0.45)),
)
"""A person in a T-pose, with the names of Mixamo and LAFAN1."""

Y_UP = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
"""From z up and x forward to y up and z forward."""


def bvh_text(
    joints: Sequence[tuple[str, int, Sequence[float]]],
    root_pos: np.ndarray,
    local: Mapping[str, Rotation],
    fps: float = 30.0,
    order: str = "ZXY",
    axes: np.ndarray = Y_UP,
    unit: float = 0.01,
) -> str:
    """Write a motion as BVH.

    Args:
        joints: Name, parent and offset [m] of each joint, z up, parents first.
        root_pos: Positions of the first joint [m], z up, shape (T, 3).
        local: Rotations in the parents' frames, T each, by name; none is the identity.
        fps: Frames per second.
        order: Euler order of the channels.
        axes: Matrix from z up to the axes of the file.
        unit: Length unit of the file [m].
    """
    children: dict[int, list[int]] = {}
    for index, (_, parent, _) in enumerate(joints):
        children.setdefault(parent, []).append(index)
    lines, columns = ["HIERARCHY"], [root_pos @ axes.T / unit]

    def write(index: int, depth: int) -> None:
        name, parent, offset = joints[index]
        pad = "\t" * depth
        rotations = " ".join(f"{axis}rotation" for axis in order)
        channels = f"6 Xposition Yposition Zposition {rotations}" if parent < 0 else f"3 {rotations}"
        place = " ".join(f"{number:.6f}" for number in axes @ np.asarray(offset) / unit)
        lines.extend([f"{pad}{'ROOT' if parent < 0 else 'JOINT'} {name}", pad + "{", f"{pad}\tOFFSET {place}"])
        lines.append(f"{pad}\tCHANNELS {channels}")
        vector = local[name].as_rotvec() @ axes.T if name in local else np.zeros((len(root_pos), 3))
        columns.append(Rotation.from_rotvec(vector).as_euler(order, degrees=True))
        for child in children.get(index, []):
            write(child, depth + 1)
        if index not in children:
            lines.extend([f"{pad}\tEnd Site", pad + "\t{", f"{pad}\t\tOFFSET 0 0 0", pad + "\t}"])
        lines.append(pad + "}")

    write(0, 0)
    frames = np.concatenate(columns, axis=1)
    lines += ["MOTION", f"Frames: {len(frames)}", f"Frame Time: {1.0 / fps:.8f}"]
    lines += [" ".join(f"{number:.6f}" for number in frame) for frame in frames]
    return "\n".join(lines) + "\n"


def walking_person(seconds: float = 2.0, fps: float = 30.0, skate: float = 0.0) -> str:
    """Return a BVH of a person who walks along x with two steps a second, each foot planted for 0.6 s.

    Args:
        seconds: Duration.
        fps: Frames per second.
        skate: Speed at which the whole recording drifts to the left [m/s], planted feet and all.
    """
    time = np.arange(int(seconds * fps)) / fps
    stride, thigh, shin = 0.6, 0.42, 0.40
    root = np.stack((stride * time, skate * time, np.full(len(time), 0.83)), axis=1)
    local = {}
    for side, shift in (("Left", 0.0), ("Right", 0.5)):
        cycle = time + shift
        swing = np.clip((cycle % 1.0 - 0.6) / 0.4, 0.0, 1.0)
        # In the middle of its stance the ankle is below the hip.
        x = stride * (np.floor(cycle) + 0.3 - shift + 0.5 - 0.5 * np.cos(np.pi * swing)) - root[:, 0]
        z = 0.06 + 0.08 * np.sin(np.pi * swing) ** 2 - root[:, 2]
        reach = np.hypot(x, z)
        at_hip = np.arccos((thigh**2 + reach**2 - shin**2) / (2.0 * thigh * reach))
        knee = np.pi - np.arccos((thigh**2 + shin**2 - reach**2) / (2.0 * thigh * shin))
        hip = np.arctan2(-x, -z) - at_hip
        local[f"{side}UpLeg"], local[f"{side}Leg"], local[f"{side}Foot"] = map(_pitch, (hip, knee, -hip - knee))
        roll = -1.3 if side == "Left" else 1.3
        arm = _pitch(0.3 * np.sin(2.0 * np.pi * cycle))
        local[f"{side}Arm"] = arm * Rotation.from_euler("x", np.full((len(time), 1), roll))
    return bvh_text(PERSON, root, local, fps)


def _pitch(angle: np.ndarray) -> Rotation:
    return Rotation.from_euler("y", angle[:, None])


def person_of_clip(clip: Clip, body: Humanoid) -> str:
    """Return a BVH of a person as large as the robot, who does what the robot does in a clip."""
    place = {name: clip.body_pos_w[:, i].astype(float) for i, name in enumerate(clip.body_names)}
    turn = {name: Rotation.from_quat(clip.body_quat_w[:, i]) for i, name in enumerate(clip.body_names)}
    pelvis, torso = turn[body.pelvis], turn[body.torso]
    joints: list[tuple[str, int, Sequence[float]]] = [("Hips", -1, (0.0, 0.0, 0.0))]
    world: dict[str, Rotation] = {"Hips": pelvis, "Spine": torso}
    upper, fore = body.arm_lengths
    for side, name in enumerate(("Left", "Right")):
        hip = place[body.pelvis] + pelvis.apply(body.hip_offset[side])
        knee, ankle = place[body.knee[side]], place[body.ankle[side]]
        thigh, shin = (float(np.linalg.norm(way, axis=1).mean()) for way in (knee - hip, ankle - knee))
        start = len(joints)
        joints += [
            (f"{name}UpLeg", 0, body.hip_offset[side]),
            (f"{name}Leg", start, (0.0, 0.0, -thigh)),
            (f"{name}Foot", start + 1, (0.0, 0.0, -shin)),
            (f"{name}ToeBase", start + 2, (0.13, 0.0, -0.035)),
        ]
        world[f"{name}UpLeg"], world[f"{name}Leg"] = _along(knee - hip), _along(ankle - knee)
        world[f"{name}Foot"] = turn[body.ankle[side]]
    spine = len(joints)
    joints += [("Spine", 0, body.torso_offset), ("Head", spine, (0.0, 0.0, 0.4))]
    for side, name in enumerate(("Left", "Right")):
        shoulder, elbow, wrist = (place[part[side]] for part in (body.shoulder, body.elbow, body.wrist))
        start = len(joints)
        joints += [
            (f"{name}Arm", spine, body.shoulder_offset[side]),
            (f"{name}ForeArm", start, (0.0, 0.0, -upper)),
            (f"{name}Hand", start + 1, (0.0, 0.0, -fore)),
        ]
        world[f"{name}Arm"], world[f"{name}ForeArm"] = _along(elbow - shoulder), _along(wrist - elbow)
    local = {}
    for name, parent, _ in joints:
        if name in world:
            local[name] = world[name] if parent < 0 else world[joints[parent][0]].inv() * world[name]
    return bvh_text(joints, place[body.pelvis], local, clip.fps)


def _along(way: np.ndarray) -> Rotation:
    """Return the smallest rotations that turn straight down into these directions."""
    way = way / np.linalg.norm(way, axis=1, keepdims=True)
    axis = np.cross([0.0, 0.0, -1.0], way)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, -way[:, 2:])
    return Rotation.from_rotvec(axis / np.maximum(sine, 1e-9) * angle)


def poselib_content(frames: int = 20, fps: float = 30.0, repeats: int = 1) -> OrderedDict:
    """Return what poselib would pickle for a person who lifts an arm while walking along x."""
    names = [name for name, _, _ in PERSON]
    quat = np.tile(np.array([0.0, 0.0, 0.0, 1.0], dtype=np.float32), (frames, len(names), 1))
    arm = np.linspace(0.0, 1.0, frames)
    quat[:, names.index("LeftArm")] = Rotation.from_euler("y", -arm[:, None]).as_quat()
    root = np.stack((arm, 0.0 * arm, 0.88 + 0.0 * arm), axis=1).astype(np.float32)

    def tensor(array: np.ndarray) -> dict:
        return {"arr": array, "context": {"dtype": str(array.dtype)}}

    tree = OrderedDict(
        node_names=names,
        parent_indices=tensor(np.array([parent for _, parent, _ in PERSON])),
        local_translation=tensor(np.array([offset for _, _, offset in PERSON], dtype=np.float32)),
    )
    return OrderedDict(
        rotation=tensor(np.repeat(quat, repeats, axis=0)),
        root_translation=tensor(np.repeat(root, repeats, axis=0)),
        skeleton_tree=tree,
        is_local=True,
        fps=np.array(fps * repeats),
        __name__="SkeletonMotion",
    )


def save_poselib(path: Path, content: object) -> Path:
    """Write an object as ``np.save`` of poselib does."""
    array = np.empty((), dtype=object)
    array[()] = content
    np.save(path, array, allow_pickle=True)
    return path
