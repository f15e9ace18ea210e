# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which joint of a human skeleton is the pelvis, a knee, a wrist: found by name, proved by the tree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..clip import ClipError

SIDES = ("left", "right")

_PELVIS = ("hips", "hip", "pelvis", "root")
_HEAD = ("head", "neck", "neck1")
_LIMBS: dict[str, tuple[str, ...]] = {
    "hip": ("upleg", "thigh", "upperleg", "femur", "hip"),
    "knee": ("shin", "calf", "lowerleg", "lowleg", "knee", "tibia", "leg"),
    "ankle": ("ankle", "foot"),
    "shoulder": ("upperarm", "uparm", "arm", "humerus", "shoulder"),
    "elbow": ("forearm", "lowerarm", "lowarm", "elbow", "radius"),
    "wrist": ("wrist", "hand"),
}
"""Names of a limb's joints without their side, best first: CMU, LAFAN1, Mixamo, Biovision, 3ds Max, SMPL, AMP."""

_TOES = ("toe", "toebase", "toes", "ball", "toe0", "foot")
_EXAMPLES = "Hips, LeftUpLeg, LeftLeg, LeftFoot, LeftArm, LeftForeArm, LeftHand"


@dataclass(frozen=True)
class Skeleton:
    """Indices of the joints that are followed. Pairs are left, right."""

    pelvis: int
    chest: int
    """Joint that carries both arms."""
    head: int
    """Head or neck; the chest if there is neither."""
    hip: tuple[int, int]
    knee: tuple[int, int]
    ankle: tuple[int, int]
    toe: tuple[int, int] | None
    """Base of the toes; ``None`` if the skeleton's feet have no joint or end beyond the ankle."""
    shoulder: tuple[int, int]
    elbow: tuple[int, int]
    wrist: tuple[int, int]

    def leg_length(self, offsets: np.ndarray) -> float:
        """Return thigh and shin together, the mean of both sides, in the unit of the offsets (J, 3)."""
        return float(
            np.mean(
                [np.linalg.norm(offsets[[k, a]], axis=-1).sum() for k, a in zip(self.knee, self.ankle, strict=True)]
            )
        )


def find_skeleton(names: Sequence[str], parents: Sequence[int], where: str) -> Skeleton:
    """Find the joints by their names, and check that they hang together like a person's.

    Args:
        names: Names of the joints.
        parents: Index of each joint's parent, -1 for the root.
        where: The file, for messages.

    Raises:
        ClipError: If a joint is missing, or a limb's joints are not below one another.
    """
    plain = [_plain(name) for name in names]
    found: dict[str, list[int | None]] = {
        role: [_first(plain, [side + choice for choice in choices]) for side in SIDES]
        for role, choices in _LIMBS.items()
    }
    pelvis = _first(plain, _PELVIS)
    missing = ["pelvis"] * (pelvis is None)
    missing += [
        f"{side} {role}" for role, pair in found.items() for side, i in zip(SIDES, pair, strict=True) if i is None
    ]
    if missing or pelvis is None:
        raise ClipError(
            f"motion file '{where}': no joint found for {', '.join(missing)} among {', '.join(names[:80])};"
            f" expected a skeleton named like {_EXAMPLES}; rename the joints"
        )
    pairs = {role: (int(pair[0] or 0), int(pair[1] or 0)) for role, pair in found.items()}
    for chain in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
        for side in (0, 1):
            for upper, lower in pairwise(chain):
                if pairs[upper][side] not in _ancestors(parents, pairs[lower][side]):
                    raise ClipError(
                        f"motion file '{where}': {names[pairs[lower][side]]} is not below {names[pairs[upper][side]]};"
                        " expected the limbs of a person; rename the joints"
                    )
    head = _first(plain, _HEAD)
    chest = _common_ancestor(parents, *pairs["shoulder"])
    return Skeleton(
        pelvis=pelvis, chest=chest, head=chest if head is None else head, toe=_toes(plain, parents, pairs), **pairs
    )


def _plain(name: str) -> str:
    """Return a name in lower case with its side in front: ``mixamorig:L_Thigh`` and ``thigh.L`` give ``leftthigh``."""
    name = re.sub(r"^(.*:|mixamorig\d*_?|bip0*1?[ _]?|character\d*_)", "", name.strip(), flags=re.IGNORECASE)
    name = re.sub(r"^([lLrR])(?=[ _.\-])|(?<=[ _.\-])([lLrR])$", lambda m: _side(m[0]), name)
    # lFemur, RThigh: a letter for the side that is joined to a capital or to a name of the lists.
    name = re.sub(r"^([lr])(?=[A-Z])|^([LR])(?=[A-Z][a-z])", lambda m: _side(m[0]), name)
    name = re.sub(r"[^a-z0-9]", "", name.lower())
    for side in SIDES:
        if name.endswith(side):
            name = side + name[: -len(side)]
        bare = name[1:]
        if name[:1] == side[0] and any(bare in choices for choices in (*_LIMBS.values(), _TOES)):
            name = side + bare
    return name


def _side(letter: str) -> str:
    return "left" if letter.lower() == "l" else "right"


def _first(plain: list[str], choices: Sequence[str]) -> int | None:
    return next((plain.index(choice) for choice in choices if choice in plain), None)


def _ancestors(parents: Sequence[int], joint: int) -> list[int]:
    chain = []
    while parents[joint] >= 0:
        joint = parents[joint]
        chain.append(joint)
    return chain


def _common_ancestor(parents: Sequence[int], one: int, other: int) -> int:
    above = _ancestors(parents, one)
    return next((joint for joint in _ancestors(parents, other) if joint in above), 0)


def _toes(plain: list[str], parents: Sequence[int], pairs: dict[str, tuple[int, int]]) -> tuple[int, int] | None:
    """Return the toes by name, or else what follows the ankles."""
    toes = []
    for side, ankle in zip(SIDES, pairs["ankle"], strict=True):
        below = [i for i in range(len(parents)) if ankle in _ancestors(parents, i)]
        named = [plain.index(side + toe) for toe in _TOES if side + toe in plain]
        choice = next((i for i in named if i in below), below[0] if below else None)
        if choice is None:
            return None
        toes.append(choice)
    return toes[0], toes[1]
