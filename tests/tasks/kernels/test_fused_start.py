# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The kernels for starts, against the torch function that they stand for, part by part."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.ground import CollisionPoints
from isaac_tracking.motion.start_state import ROOT_DRAWS, Noise, StartState, start_state
from isaac_tracking.tasks.tracking.kernels.lowest_point import LowestPoint
from isaac_tracking.tasks.tracking.kernels.start_state import fused_start_state

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
JOINTS = 29


def draw(num: int, seed: int = 0) -> tuple[MotionFrame, Noise, torch.Tensor]:
    """Return references, noise and origins; some robots would reach into the ground."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(num, *shape, generator=generator)

    quat = torch.nn.functional.normalize(normal(2, 4), dim=-1)
    pos = normal(2, 3)
    pos[..., 2] = 0.5 + 0.2 * pos[..., 2]
    frame = MotionFrame(normal(JOINTS), normal(JOINTS), pos, quat, normal(2, 3), normal(2, 3))
    limits = torch.stack([-normal(JOINTS).abs(), normal(JOINTS).abs()], dim=-1)
    draws = torch.rand(num, ROOT_DRAWS + JOINTS, generator=generator)
    return frame, Noise(draws, torch.rand(ROOT_DRAWS + JOINTS, generator=generator), limits), 5.0 * normal(3)


def check(actual: StartState, expected: StartState) -> None:
    for name, value in expected._asdict().items():
        found = getattr(actual, name)
        assert found.shape == value.shape and found.is_contiguous(), name
        assert torch.allclose(found, value, atol=1e-5), name


@pytest.fixture(scope="module")
def robot(g1_mjcf: Path) -> CollisionPoints:
    return CollisionPoints.from_mjcf(g1_mjcf)


@pytest.mark.parametrize("num", [1, 7, 4096])
@pytest.mark.parametrize("noisy", [True, False])
def test_every_part_as_with_torch(robot: CollisionPoints, num: int, noisy: bool) -> None:
    frame, noise, origins = draw(num, seed=num)
    given = noise if noisy else None
    expected = start_state(frame, given, origins, robot.lowest)
    check(fused_start_state(frame, given, origins, LowestPoint(robot)), expected)
    if num > 1000:
        lifted = expected.root_pose[:, 2] - origins[:, 2] - frame.body_pos_w[:, 0, 2] > 0.1
        assert 0.1 < lifted.float().mean() < 0.9


def test_each_number_moves_what_it_is_for(robot: CollisionPoints) -> None:
    """One draw at a time is not in the middle, so that its noise alone is not zero."""
    frame, noise, origins = draw(ROOT_DRAWS + JOINTS)
    noise = noise._replace(draws=0.5 + 0.5 * torch.eye(ROOT_DRAWS + JOINTS))
    free = noise._replace(limits=torch.tensor([-9.0, 9.0]).expand(len(origins), JOINTS, 2))
    check(fused_start_state(frame, free, origins, LowestPoint(robot)), start_state(frame, free, origins, robot.lowest))


def test_the_reference_stays_as_it_is(robot: CollisionPoints) -> None:
    frame, noise, origins = draw(5)
    before = [part.clone() for part in (*frame, *noise, origins)]
    fused_start_state(frame, noise, origins, LowestPoint(robot))
    assert all(torch.equal(a, b) for a, b in zip(before, (*frame, *noise, origins), strict=True))


@needs_gpu
def test_in_a_graph_of_torch(g1_mjcf: Path, robot: CollisionPoints) -> None:
    lowest = LowestPoint(CollisionPoints.from_mjcf(g1_mjcf, "cuda:0"))
    frame, noise, origins = draw(4096)
    frame, noise, origins = MotionFrame(*(x.cuda() for x in frame)), Noise(*(x.cuda() for x in noise)), origins.cuda()

    def compare(fused: StartState, seed: int) -> None:
        check(StartState(*(part.cpu() for part in fused)), start_state(*draw(4096, seed), robot.lowest))

    compare(fused_start_state(frame, noise, origins, lowest), 0)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        fused = fused_start_state(frame, noise, origins, lowest)
    for seed in (1, 2):
        new = draw(4096, seed)
        for part, values in zip((*frame, *noise, origins), (*new[0], *new[1], new[2]), strict=True):
            part.copy_(values)
        graph.replay()
        compare(fused, seed)
