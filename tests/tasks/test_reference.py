# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The clips of a motion command, without a simulator: what enters and leaves the device, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from isaac_tracking.motion.kinematics import KinematicTree
from isaac_tracking.motion.sampling.plain import StartSampler, UniformSampler
from isaac_tracking.tasks.tracking.mdp.commands_cfg import MotionCommandCfg
from isaac_tracking.tasks.tracking.mdp.reference import Reference

CLIPS = ["stand", "walk", "squat", "wave"]
BODIES = ["pelvis", "torso_link", "left_wrist_yaw_link"]
NUM_ENVS = 6


@pytest.fixture
def make(g1_mjcf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ISAAC_TRACKING_CACHE", str(tmp_path))
    tree = KinematicTree.from_mjcf(g1_mjcf)

    def make(**changes: Any) -> Reference:
        cfg = MotionCommandCfg(motions=CLIPS, model=("unitree_g1", "g1.xml"), anchor_body_name="torso_link")
        cfg.body_names = BODIES
        for key, value in changes.items():
            part, _, name = key.rpartition("__")
            setattr(getattr(cfg, part) if part else cfg, name, value)
        limits = torch.tensor([[-3.0, 3.0]]).repeat(len(tree.joint_names), 1)
        torch.manual_seed(0)
        return Reference(cfg, tree.joint_names, BODIES, 50.0, NUM_ENVS, "cpu", tree, limits)

    return make


def row_bytes() -> float:
    return 4.0 * (2 * 29 + 13 * len(BODIES))


def test_everything_is_on_the_device_without_a_budget(make: Any) -> None:
    reference = make()
    assert reference.library.names == tuple(CLIPS)
    assert reference.library.resident.all()
    reference.plan_swap()
    clips = torch.zeros(NUM_ENVS, dtype=torch.long)
    assert not reference.leaving(clips).any()


def test_clips_that_somebody_follows_leave_only_when_nobody_does(make: Any) -> None:
    # 301 frames of stand, 488 of walk, 451 of squat, 401 of wave: room for two of them.
    reference = make(memory_budget=1000 * row_bytes() / 1e9)
    before = reference.library.resident.clone()
    assert 1 <= int(before.sum()) <= 2
    followed = int(before.nonzero()[0])
    clips = torch.full((NUM_ENVS,), followed)
    for _ in range(50):  # until the plan lets go of the clip that is followed
        reference.plan_swap()
        if reference.leaving(clips).all():
            break
        reference.swap(clips)
        if not reference.library.resident[followed]:
            pytest.fail("a clip left while it was followed")
        before = reference.library.resident.clone()
    assert reference.leaving(clips).all()
    reference.swap(clips)
    assert torch.equal(reference.library.resident, before), "nothing may change while the clip is followed"
    reference.swap(clips, torch.arange(NUM_ENVS - 1))
    assert torch.equal(reference.library.resident, before), "one environment still follows it"
    reference.swap(clips, torch.arange(NUM_ENVS))
    assert not reference.library.resident[followed]
    clip_ids, steps = reference.start(torch.arange(NUM_ENVS))
    assert reference.library.resident[clip_ids].all()
    assert torch.isfinite(reference.frames(clip_ids, steps).body_pos_w).all()


def test_modes_give_their_samplers(make: Any) -> None:
    assert isinstance(make(sampler__mode="start").sampler, StartSampler)
    assert isinstance(make(sampler__mode="uniform").sampler, UniformSampler)
    with pytest.raises(ValueError, match="sampler 'nearest' is unknown; choose adaptive, uniform or start"):
        make(sampler__mode="nearest")
    with pytest.raises(ValueError, match="preset 'sonc' is unknown; choose from default, beyondmimic, sonic, wbc"):
        make(sampler__preset="sonc")


def test_what_is_set_beside_a_preset_wins_over_it(make: Any) -> None:
    settings = make(sampler__preset="sonic", sampler__max_over_mean=7.0).sampler.settings
    assert (settings.max_over_mean, settings.length_neutral, settings.rewind_range) == (7.0, True, (0.0, 4.0))


def test_references_are_changed_only_on_demand(make: Any) -> None:
    plain = make()
    assert plain.augmentation is None
    turned = make(augmentation__heading_probability=1.0, sampler__mode="start")
    envs = torch.arange(NUM_ENVS)
    clip_ids, steps = turned.start(envs)
    here, there = turned.frames(clip_ids, steps + 20), plain.frames(clip_ids, steps + 20)
    assert torch.equal(here.joint_pos, there.joint_pos)
    assert (here.body_quat_w - there.body_quat_w).abs().amax() > 0.1
    # The first root position is where the motion is turned about.
    start, same = turned.frames(clip_ids, steps), plain.frames(clip_ids, steps)
    torch.testing.assert_close(start.body_pos_w[:, 0], same.body_pos_w[:, 0])


def test_looking_ahead_is_looking_up_each_step_until_the_clips_end(make: Any) -> None:
    changes = {f"augmentation__{name}_probability": 0.5 for name in ("freeze", "splice", "wrist", "heading")}
    reference = make(**changes, sampler__mode="uniform")
    clip_ids, steps = reference.start(torch.arange(NUM_ENVS))
    last = reference.library.num_frames[clip_ids] - 1
    steps[0] = last[0] - 3
    seen = reference.ahead(clip_ids, steps, (0, 2, 4, 8))
    for column, offset in enumerate((0, 2, 4, 8)):
        expected = reference.frames(clip_ids, torch.minimum(steps + offset, last))
        for found, wanted in zip(seen, expected, strict=True):
            assert torch.equal(found.unflatten(0, (NUM_ENVS, 4))[:, column], wanted)
    ended = seen.joint_pos.unflatten(0, (NUM_ENVS, 4))[0, 2:]
    assert torch.equal(ended[0], ended[1])
    # The steps of another question are not mixed up with these.
    assert len(reference.ahead(clip_ids, steps, (1, 3)).joint_pos) == 2 * NUM_ENVS
