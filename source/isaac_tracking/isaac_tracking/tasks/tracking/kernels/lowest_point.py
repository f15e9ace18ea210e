# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How far a robot reaches down, in one kernel: :meth:`isaac_tracking.motion.ground.CollisionPoints.lowest`.

The height of a point p of a body is h + v . p, where h is the height of the body's origin and v the vertical, both seen
from the body. So a body's pose comes down to four numbers, and a thread that walks from the root along one limb keeps
them in registers. Limbs share their first bodies, which each of their threads walks again: that costs less than to
wait for another thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ....motion.ground import CollisionPoints
from .launching import Floats, Floats2, Ints, Quats, Vectors, floats, launch, quats, vectors, wp
from .quaternion import rotate, vector_part


@wp.kernel(enable_backward=False)
def _lowest_of_limbs(
    limb_starts: Ints,
    joint_ids: Ints,
    body_offsets: Vectors,
    body_quats: Quats,
    axes: Vectors,
    anchors: Vectors,
    point_starts: Ints,
    point_offsets: Vectors,
    radii: Floats,
    root_pos: Vectors,
    root_quat: Quats,
    joint_pos: Floats2,
    heights: Floats2,
):
    """Write the height of each limb's lowest point, shape (limbs, N): threads of a limb are neighbours."""
    limb, env = wp.tid()
    height = root_pos[env][2]
    vertical = rotate(-vector_part(root_quat[env]), root_quat[env][3], wp.vec3(0.0, 0.0, 1.0))
    lowest = float(wp.INF)
    for row in range(limb_starts[limb], limb_starts[limb + 1]):
        # The first row of a limb is the root, which stays where it is.
        height += wp.dot(vertical, body_offsets[row])
        vertical = rotate(-vector_part(body_quats[row]), body_quats[row][3], vertical)
        joint = joint_ids[row]
        if joint >= 0:
            angle = joint_pos[env, joint]
            axis = axes[row]
            # Rodrigues' formula, backwards: the vertical as the turned body sees it.
            along = wp.dot(axis, vertical) * axis
            turned = along + wp.cos(angle) * (vertical - along) - wp.sin(angle) * wp.cross(axis, vertical)
            # The body turns about the anchor, not about its own origin.
            height += wp.dot(vertical - turned, anchors[row])
            vertical = turned
        for point in range(point_starts[row], point_starts[row + 1]):
            lowest = wp.min(lowest, height + wp.dot(vertical, point_offsets[point]) - radii[point])
    heights[limb, env] = lowest


class LowestPoint:
    """The lowest point of a robot's collision shapes, by a kernel.

    Args:
        shapes: The collision shapes, on the device.
        joint_ids: Where each joint of the shapes' tree is among the joints that will be given; in the tree's order if
            None.

    Raises:
        ValueError: If there is no shape.
    """

    def __init__(self, shapes: CollisionPoints, joint_ids: Sequence[int] | None = None) -> None:
        tree, device = shapes.tree, shapes.offsets.device
        columns = list(range(len(tree.joint_names))) if joint_ids is None else list(joint_ids)
        bodies_of_points = shapes.body_ids.tolist()
        if not bodies_of_points:
            raise ValueError("the robot has no collision shapes; there is no lowest point")
        limbs = _limbs(tree.parents, set(bodies_of_points))
        rows = [body for limb in limbs for body in limb]
        joints = [tree.joint_of_body[body] for body in rows]
        # Every body's points count once, in the first limb that has the body.
        first = [body not in rows[:row] for row, body in enumerate(rows)]
        points = [
            [i for i, at in enumerate(bodies_of_points) if new and at == b] for new, b in zip(first, rows, strict=True)
        ]
        moved = torch.tensor([max(joint, 0) for joint in joints], device=device)
        order = torch.tensor([i for group in points for i in group], device=device)
        body_offsets, body_quats = tree.offsets[rows].clone(), tree.quats[rows].clone()
        starts = _starts(limbs)
        # The root's pose is given; what the model says of it does not count.
        body_offsets[starts[:-1]] = 0.0
        body_quats[starts[:-1]] = torch.tensor([0.0, 0.0, 0.0, 1.0], device=device)
        no_joint = torch.zeros(1, 3, device=device)

        def ints(values: list[int]) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.int32, device=device)

        # Only a Warp that has started knows the devices.
        wp.init()
        self.num_limbs = len(limbs)
        """Number of threads of each environment."""
        self._device = device
        self._num_columns = 1 + max((columns[joint] for joint in joints if joint >= 0), default=-1)
        self._constants = [
            wp.from_torch(ints(starts)),
            wp.from_torch(ints([columns[joint] if joint >= 0 else -1 for joint in joints])),
            wp.from_torch(body_offsets, wp.vec3),
            wp.from_torch(body_quats, wp.quat),
            wp.from_torch(torch.cat([tree.axes, no_joint])[moved], wp.vec3),
            wp.from_torch(torch.cat([tree.anchors, no_joint])[moved], wp.vec3),
            wp.from_torch(ints(_starts(points))),
            wp.from_torch(shapes.offsets[order].contiguous(), wp.vec3),
            wp.from_torch(shapes.radii[order].contiguous()),
        ]

    def __call__(self, root_pos: torch.Tensor, root_quat: torch.Tensor, joint_pos: torch.Tensor) -> torch.Tensor:
        """Return the height of the lowest point [m], shape (N,).

        Args:
            root_pos: Positions of the root [m], shape (N, 3).
            root_quat: Orientations of the root, xyzw, shape (N, 4).
            joint_pos: Joint angles [rad], shape (N, number of joints).

        Raises:
            ValueError: If there are fewer joints than the robot needs.
        """
        return self.of_limbs(root_pos, root_quat, joint_pos).amin(dim=0)

    def of_limbs(self, root_pos: torch.Tensor, root_quat: torch.Tensor, joint_pos: torch.Tensor) -> torch.Tensor:
        """Return the heights of the lowest points of limbs that together are the robot [m], shape (num_limbs, N)."""
        if joint_pos.shape[-1] < self._num_columns:
            raise ValueError(f"joint_pos has {joint_pos.shape[-1]} joints; the robot needs {self._num_columns}")
        heights = torch.empty(self.num_limbs, len(root_pos), device=self._device)
        state = [vectors(root_pos), quats(root_quat), floats(joint_pos), floats(heights)]
        launch(_lowest_of_limbs, (self.num_limbs, len(root_pos)), [*self._constants, *state], self._device)
        return heights


def _limbs(parents: Sequence[int], wanted: set[int]) -> list[list[int]]:
    """Return ways from the root, each with its bodies in order, that together pass all wanted bodies."""
    ways = []
    for body in wanted:
        way = [body]
        while parents[way[-1]] >= 0:
            way.append(parents[way[-1]])
        ways.append(way[::-1])
    inner = {body for way in ways for body in way[:-1]}
    return sorted(way for way in ways if way[-1] not in inner)


def _starts(groups: Sequence[Sequence[int]]) -> list[int]:
    """Return where each group starts if they are laid end to end, and where the last one ends."""
    starts = [0]
    for group in groups:
        starts.append(starts[-1] + len(group))
    return starts
