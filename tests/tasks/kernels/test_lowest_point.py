# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The kernel for a robot's lowest point, by hand and against the torch function that it stands for."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from isaac_tracking.motion.ground import CollisionPoints
from isaac_tracking.motion.kinematics import KinematicTree
from isaac_tracking.motion.quaternion import quat_from_axis_angle
from isaac_tracking.robots import g1
from isaac_tracking.tasks.tracking.kernels.lowest_point import LowestPoint

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
Poses = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def about(axis: str, angle: float) -> torch.Tensor:
    vector = torch.zeros(3)
    vector["xyz".index(axis)] = angle
    return quat_from_axis_angle(vector)


def tiny() -> CollisionPoints:
    """A base, a thigh 1 m long, a shin that is hinged 0.2 m behind its own origin, and an arm that is welded on."""
    tree = KinematicTree(
        body_names=("base", "thigh", "shin", "arm"),
        joint_names=("hip", "knee"),
        parents=(-1, 0, 1, 0),
        joint_of_body=(-1, 0, 1, -1),
        # What a model says of the base's own place does not count.
        offsets=torch.tensor([[9.0, 9.0, 9.0], [0.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 0.5, 0.0]]),
        quats=torch.stack([about("x", 1.0), about("y", 0.0), about("z", 0.0), about("x", math.pi / 2)]),
        axes=torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),
        anchors=torch.tensor([[0.0, 0.0, 0.0], [-0.2, 0.0, 0.0]]),
    )
    return CollisionPoints(
        tree,
        torch.tensor([2, 0, 3]),
        torch.tensor([[0.0, 0.0, -0.5], [0.0, 0.0, 0.0], [0.0, -0.9, 0.0]]),
        torch.tensor([0.05, 0.1, 0.0]),
    )


def poses(num: int, joints: int, seed: int = 0, device: str = "cpu") -> Poses:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(num, *shape, generator=generator).to(device)

    return draw(3), torch.nn.functional.normalize(draw(4), dim=-1), 2.0 * draw(joints)


@pytest.fixture(scope="module")
def robot(g1_mjcf: Path) -> CollisionPoints:
    return CollisionPoints.from_mjcf(g1_mjcf)


@pytest.mark.parametrize(
    ("root", "hip", "knee", "expected"),
    [
        # Hanging: 1 m of thigh, 0.5 m of shin, and the radius.
        (("x", 0.0), 0.0, 0.0, 3.0 - 1.55),
        # The shin swings forward about a point 0.2 m behind its origin; its end comes to lie 0.2 m above that point.
        (("x", 0.0), 0.0, -math.pi / 2, 3.0 - 1.0 + 0.2 - 0.05),
        # The leg is level behind the base; the arm's end is 0.9 m below it, as the arm's y axis points up.
        (("x", 0.0), math.pi / 2, 0.0, 3.0 - 0.9),
        # Upside down: the arm's end points up, and nothing is lower than the base's sphere.
        (("y", math.pi), 0.0, 0.0, 3.0 - 0.1),
        # On its right side: leg and arm are level, and above the base's lowest point.
        (("x", math.pi / 2), 0.0, 0.0, 3.0 - 0.1),
    ],
)
def test_by_hand(root: tuple[str, float], hip: float, knee: float, expected: float) -> None:
    state = torch.tensor([[7.0, -3.0, 3.0]]), about(*root)[None], torch.tensor([[hip, knee]])
    shapes = tiny()
    if knee:
        # The arm's end would be as low.
        shapes = CollisionPoints(shapes.tree, shapes.body_ids[:1], shapes.offsets[:1], shapes.radii[:1])
    assert LowestPoint(shapes)(*state).tolist() == pytest.approx([expected], abs=1e-5)
    assert shapes.lowest(*state).tolist() == pytest.approx([expected], abs=1e-5)


@pytest.mark.parametrize("num", [1, 7, 4096])
def test_g1_as_with_torch(robot: CollisionPoints, num: int) -> None:
    state = poses(num, 29, seed=num)
    lowest = LowestPoint(robot)(*state)
    assert lowest.shape == (num,)
    assert (lowest - robot.lowest(*state)).abs().max() < 1e-5


def test_every_shape_is_looked_at(robot: CollisionPoints) -> None:
    """A sphere too large to overlook, in turn on each body that has shapes."""
    state = poses(3, 29)
    for body in set(robot.body_ids.tolist()):
        radii = torch.where(robot.body_ids == body, 5.0, robot.radii)
        shapes = CollisionPoints(robot.tree, robot.body_ids, robot.offsets, radii)
        assert torch.allclose(LowestPoint(shapes)(*state), shapes.lowest(*state), atol=1e-5)


def test_joints_in_another_order(robot: CollisionPoints) -> None:
    pos, quat, joint_pos = poses(7, 29)
    columns = torch.randperm(40, generator=torch.Generator().manual_seed(0))[:29]
    given = torch.full((7, 40), torch.nan)
    given[:, columns] = joint_pos
    expected = robot.lowest(pos, quat, joint_pos)
    assert torch.allclose(LowestPoint(robot, columns.tolist())(pos, quat, given), expected, atol=1e-5)


def test_parts_of_larger_tensors_and_batches_of_any_size(robot: CollisionPoints) -> None:
    lowest = LowestPoint(robot)
    for num in (5, 2, 0):
        pos, quat, joint_pos = poses(num, 29)
        pose, joints = torch.cat([pos, quat], dim=-1), torch.cat([joint_pos, joint_pos + 1.0], dim=-1)
        state = pose[:, :3], pose[:, 3:], joints[:, :29]
        assert torch.allclose(lowest(*state), robot.lowest(pos, quat, joint_pos), atol=1e-5)


def test_a_result_is_not_overwritten_by_the_next(robot: CollisionPoints) -> None:
    lowest = LowestPoint(robot)
    first = lowest(*poses(4, 29, seed=1))
    kept = first.clone()
    lowest(*poses(4, 29, seed=2))
    assert torch.equal(first, kept)


def test_in_inference_mode(robot: CollisionPoints) -> None:
    with torch.inference_mode():
        state = poses(4, 29)
        assert torch.allclose(LowestPoint(robot)(*state), robot.lowest(*state), atol=1e-5)


def test_too_few_joints_are_refused(robot: CollisionPoints) -> None:
    with pytest.raises(ValueError, match="28 joints; the robot needs 29"):
        LowestPoint(robot)(*poses(4, 28))


def test_a_robot_without_shapes_is_refused() -> None:
    nothing = CollisionPoints(tiny().tree, torch.zeros(0, dtype=torch.long), torch.zeros(0, 3), torch.zeros(0))
    with pytest.raises(ValueError, match="no collision shapes"):
        LowestPoint(nothing)


def test_the_default_stance_touches_the_ground(robot: CollisionPoints) -> None:
    joints = torch.tensor([[g1.default_joint_pos(name) for name in robot.tree.joint_names]])
    root = torch.tensor([[0.0, 0.0, g1.DEFAULT_ROOT_HEIGHT]])
    assert LowestPoint(robot)(root, about("x", 0.0)[None], joints).abs().item() < 0.005


@needs_gpu
def test_in_a_graph_of_torch(g1_mjcf: Path, robot: CollisionPoints) -> None:
    lowest = LowestPoint(CollisionPoints.from_mjcf(g1_mjcf, "cuda:0"))
    state = poses(4096, 29, device="cuda:0")
    assert torch.allclose(lowest(*state).cpu(), robot.lowest(*poses(4096, 29)), atol=1e-5)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        lowest(*state)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        result = lowest(*state)
    for seed in (1, 2):
        for part, new in zip(state, poses(4096, 29, seed), strict=True):
            part.copy_(new)
        graph.replay()
        assert torch.allclose(result.cpu(), robot.lowest(*poses(4096, 29, seed)), atol=1e-5)
