# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What runs in every environment step never lets the host wait for the device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from isaac_tracking.motion.augmentation import SONIC, MotionAugmentation
from isaac_tracking.motion.errors import tracking_errors
from isaac_tracking.motion.ground import CollisionPoints
from isaac_tracking.motion.kinematics import KinematicTree
from isaac_tracking.motion.library import MotionLibrary
from isaac_tracking.motion.sampling.adaptive import AdaptiveSampler
from isaac_tracking.motion.sampling.plain import StartSampler, UniformSampler
from isaac_tracking.motion.sampling.settings import PRESETS, sampler_settings
from isaac_tracking.motion.sources import load_clips
from isaac_tracking.robots import g1

NUM = 16
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "lift_fresh", "repeat_interleave.Tensor")
"""Operations that read a tensor's values, or bring a Python list to the device."""


class NoWaiting(TorchDispatchMode):
    """Fails at the operations that would wait for a GPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = str(func)
        masks = [x for x in _flat(args) if isinstance(x, torch.Tensor) and x.dtype == torch.bool]
        if any(word in name for word in WAITING) or (name.startswith("aten.index") and len(masks) > _values(args)):
            raise AssertionError(f"{name} waits for the device")
        return func(*args, **(kwargs or {}))


def _flat(args: Any) -> Iterator[Any]:
    for arg in args:
        yield from _flat(arg) if isinstance(arg, list | tuple) else [arg]


def _values(args: tuple) -> int:
    """Return how many of the arguments outside the list of indices are masks."""
    return sum(isinstance(x, torch.Tensor) and x.dtype == torch.bool for x in args)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.sum().item(),
        lambda x: bool(x.any()),
        lambda x: x[x > 0],
        lambda x: x[:, [0, 1]],
        lambda x: torch.tensor([1.0]),
        lambda x: x.nonzero(),
    ],
)
def test_the_watchman_is_awake(call: Any) -> None:
    with pytest.raises(AssertionError, match="waits for the device"), NoWaiting():
        call(torch.ones(3, 3))


@pytest.mark.parametrize("preset", PRESETS)
def test_samplers(preset: str) -> None:
    frames = torch.tensor([126, 51, 2, 231])
    settings = sampler_settings(preset, refresh_steps=2, max_clip_probability=0.5, kernel_size=2)
    samplers = [AdaptiveSampler(frames, 50.0, settings), UniformSampler(frames), StartSampler(frames, NUM)]
    env_ids, failed, similarity = torch.arange(NUM), torch.rand(NUM) < 0.5, torch.rand(NUM)
    for sampler in samplers:
        sampler.set_resident(torch.tensor([True, True, False, True]))
        with NoWaiting():
            for _ in range(3):
                clip_ids, steps = sampler.sample(env_ids)
                sampler.record(clip_ids, steps, failed, similarity)
                sampler.metrics()
    assert len(samplers[0].metrics()) == 2


def test_augmentation(g1_mjcf: Path) -> None:
    library = MotionLibrary(load_clips(["stand"]), g1.JOINT_NAMES, g1.KEY_BODY_NAMES, 50.0)
    tree, limits = KinematicTree.from_mjcf(g1_mjcf), torch.tensor([[-1.0, 1.0]]).repeat(29, 1)
    augmentation = MotionAugmentation(SONIC, library, tree, g1.JOINT_NAMES, g1.KEY_BODY_NAMES, NUM, limits)
    env_ids, clip_ids, steps = torch.arange(NUM), torch.zeros(NUM, dtype=torch.long), torch.arange(NUM)
    with NoWaiting():
        augmentation.reset(env_ids, clip_ids, steps)
        all_of_them = augmentation.frames(clip_ids, steps)
        some_of_them = augmentation.frames(clip_ids, steps, env_ids)
    assert torch.equal(all_of_them.joint_pos, some_of_them.joint_pos)


def test_where_a_robot_is_placed(g1_mjcf: Path) -> None:
    """At every reset; lists as indices had cost more than twenty waits there."""
    shapes = CollisionPoints.from_mjcf(g1_mjcf)
    pos, quat, joint_pos = (
        torch.zeros(NUM, 3),
        torch.tensor([[0.0, 0.0, 0.0, 1.0]]).repeat(NUM, 1),
        torch.zeros(NUM, 29),
    )
    shapes.lowest(pos, quat, joint_pos)  # what is made once may wait
    with NoWaiting():
        lowest = shapes.lowest(pos, quat, joint_pos)
    assert lowest.shape == (NUM,)


def test_errors() -> None:
    library = MotionLibrary(load_clips(["stand"]), g1.JOINT_NAMES, g1.KEY_BODY_NAMES, 50.0)
    clip_ids, steps = torch.zeros(NUM, dtype=torch.long), torch.arange(NUM)
    with NoWaiting():
        reference = library.frames(clip_ids, steps)
        errors = tracking_errors(reference, library.frames(clip_ids, steps + 1), 7)
    assert errors.body_pos.shape == (NUM, 14)
