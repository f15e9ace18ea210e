# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""References that no clip holds, made of the project's own clips of the G1."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from isaac_tracking.motion.augmentation import SONIC, AugmentationSettings, MotionAugmentation, turn_heading
from isaac_tracking.motion.errors import tracking_errors
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.kinematics import KinematicTree, forward_kinematics
from isaac_tracking.motion.library import MotionLibrary
from isaac_tracking.motion.quaternion import quat_error_magnitude, yaw_quat
from isaac_tracking.motion.sources import load_clips
from isaac_tracking.robots import g1

BODIES = g1.KEY_BODY_NAMES
# Not the tree's order: a simulator may have another.
JOINTS = tuple(reversed(g1.JOINT_NAMES))
ARMS = [i for i, name in enumerate(JOINTS) if any(part in name for part in ("shoulder", "elbow", "wrist"))]
WRISTS = [i for i, name in enumerate(JOINTS) if "wrist" in name]
LEGS = [i for i in range(29) if i not in ARMS]
ARM_BODIES = [i for i, name in enumerate(BODIES) if any(part in name for part in ("shoulder", "elbow", "wrist"))]
OTHER_BODIES = [i for i in range(len(BODIES)) if i not in ARM_BODIES]
NUM = 64


@pytest.fixture(scope="module")
def library() -> MotionLibrary:
    return MotionLibrary(load_clips(["walk", "wave", "turn"]), JOINTS, BODIES, 50.0)


@pytest.fixture(scope="module")
def tree(g1_mjcf: Path) -> KinematicTree:
    return KinematicTree.from_mjcf(g1_mjcf)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def make(library: MotionLibrary, tree: KinematicTree, limits: torch.Tensor | None = None, **settings):
    return MotionAugmentation(AugmentationSettings(**settings), library, tree, JOINTS, BODIES, NUM, limits)


def begin(augmentation: MotionAugmentation, clip: int = 0, start: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    """Start an episode in every environment; return clips and steps."""
    clip_ids, steps = torch.full((NUM,), clip), torch.full((NUM,), start)
    augmentation.reset(torch.arange(NUM), clip_ids, steps)
    return clip_ids, steps


def same(a: MotionFrame, b: MotionFrame, rows: torch.Tensor | slice = slice(None)) -> bool:
    return all(torch.equal(x[rows], y[rows]) for x, y in zip(a, b, strict=True))


def whole(tree: KinematicTree, frame: MotionFrame) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the poses of all tracked bodies from a frame's root and joints."""
    order = [JOINTS.index(name) for name in tree.joint_names]
    pos, quat = forward_kinematics(tree, frame.body_pos_w[:, 0], frame.body_quat_w[:, 0], frame.joint_pos[:, order])
    columns = [tree.body_names.index(name) for name in BODIES]
    return pos[:, columns], quat[:, columns]


def test_nothing_is_changed_unless_asked_for(library: MotionLibrary, tree: KinematicTree) -> None:
    assert not AugmentationSettings().active
    augmentation = make(library, tree)
    clip_ids, steps = begin(augmentation)
    assert same(augmentation.frames(clip_ids, steps + 7), library.frames(clip_ids, steps + 7))


def test_the_values_of_sonic() -> None:
    assert SONIC.active
    shares = SONIC.freeze_probability, SONIC.splice_probability, SONIC.wrist_probability, SONIC.wrist_noise
    assert shares == (0.1, 0.5, 0.3, 0.1)


@pytest.mark.parametrize("name", ["freeze", "splice", "wrist", "heading"])
def test_a_probability_above_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}_probability is 1.5"):
        AugmentationSettings(**{f"{name}_probability": 1.5})


def test_draws_are_as_frequent_as_asked_for(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = MotionAugmentation(SONIC, library, tree, JOINTS, BODIES, 4000)
    everyone = torch.arange(4000)
    augmentation.reset(everyone, everyone % 3, everyone % 400)
    for mask, share in ((augmentation.frozen, 0.1), (augmentation.spliced, 0.5), (augmentation.turned, 0.3)):
        assert mask.float().mean().item() == pytest.approx(share, abs=0.03)
    offsets = augmentation.wrist_offsets
    assert offsets[:, LEGS].abs().max() == 0.0
    assert offsets[~augmentation.turned].abs().max() == 0.0
    assert offsets[augmentation.turned][:, WRISTS].std().item() == pytest.approx(0.1, rel=0.05)
    assert augmentation.heading.abs().max() <= math.pi
    assert augmentation.heading.std().item() == pytest.approx(math.pi / math.sqrt(3), rel=0.05)
    kept = augmentation.heading.clone()
    augmentation.reset(torch.tensor([5]), torch.tensor([0]), torch.tensor([0]))
    assert (augmentation.heading != kept).nonzero().flatten().tolist() == [5]


def test_a_frozen_clip_stands_on_its_first_frame(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = make(library, tree, freeze_probability=1.0)
    clip_ids, steps = begin(augmentation)
    start = library.frames(clip_ids, steps)
    for ahead in (0, 1, 50):
        assert torch.equal(augmentation.times(steps + ahead), steps)
        frame = augmentation.frames(clip_ids, steps + ahead)
        for name in ("joint_pos", "body_pos_w", "body_quat_w"):
            assert torch.equal(getattr(frame, name), getattr(start, name))
        for name in ("joint_vel", "body_lin_vel_w", "body_ang_vel_w"):
            assert getattr(start, name).abs().max() > 0.1
            assert getattr(frame, name).abs().max() == 0.0


def test_some_stand_still_while_others_go_on(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = make(library, tree, freeze_probability=0.5)
    clip_ids, steps = begin(augmentation)
    frame, plain = augmentation.frames(clip_ids, steps + 9), library.frames(clip_ids, steps + 9)
    assert 10 < augmentation.frozen.sum() < 54
    assert same(frame, plain, ~augmentation.frozen)
    assert not same(frame, plain, augmentation.frozen)


def test_a_splice_takes_the_arms_of_another_time_and_leaves_the_legs(
    library: MotionLibrary, tree: KinematicTree
) -> None:
    augmentation = make(library, tree, splice_probability=0.5)
    clip_ids, steps = begin(augmentation)
    spliced = augmentation.spliced
    assert 10 < spliced.sum() < 54
    # All donors at one known place, far from their clip's end.
    augmentation._donor_clip[:], augmentation._donor_start[:] = 1, 200
    frame, plain = augmentation.frames(clip_ids, steps + 5), library.frames(clip_ids, steps + 5)
    donor = library.frames(torch.ones_like(clip_ids), torch.full_like(steps, 205))
    assert same(frame, plain, ~spliced)
    for name in ("joint_pos", "joint_vel"):
        assert torch.equal(getattr(frame, name)[:, LEGS], getattr(plain, name)[:, LEGS])
        assert torch.equal(getattr(frame, name)[spliced][:, ARMS], getattr(donor, name)[spliced][:, ARMS])
    for new, old in zip(frame[2:], plain[2:], strict=True):
        assert torch.equal(new[:, OTHER_BODIES], old[:, OTHER_BODIES])
    pos, quat = whole(tree, frame)
    assert (frame.body_pos_w - pos).abs().max() < 1e-4
    assert quat_error_magnitude(frame.body_quat_w, quat).max() < 2e-3
    assert (frame.body_pos_w - plain.body_pos_w)[spliced][:, ARM_BODIES].norm(dim=-1).max() > 0.1


def test_velocities_of_a_changed_reference_are_those_of_its_poses(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = make(
        library, tree, splice_probability=1.0, wrist_probability=1.0, heading_probability=1.0, wrist_noise=0.5
    )
    clip_ids, steps = begin(augmentation, start=60)
    augmentation._donor_clip[:] = torch.arange(NUM) % 3
    augmentation._donor_start[:] = torch.arange(NUM)
    frames = [augmentation.frames(clip_ids, steps + ahead) for ahead in (19, 20, 21)]
    lin_vel = (frames[2].body_pos_w - frames[0].body_pos_w) * 25.0
    joint_vel = (frames[2].joint_pos - frames[0].joint_pos) * 25.0
    assert frames[1].body_lin_vel_w[:, ARM_BODIES].norm(dim=-1).max() > 0.5
    # Central differences of 0.02 s against rates of the moment.
    assert (frames[1].joint_vel - joint_vel).abs().max() < 1e-3
    assert (frames[1].body_lin_vel_w - lin_vel).abs().max() < 0.02
    turn = quat_error_magnitude(frames[0].body_quat_w, frames[2].body_quat_w) * 25.0
    assert (frames[1].body_ang_vel_w.norm(dim=-1) - turn).abs().max() < 0.1


def test_a_donor_is_played_back_and_forth(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = make(library, tree, splice_probability=1.0)
    clip_ids, steps = begin(augmentation, clip=2, start=0)
    last = int(library.num_frames[0]) - 1
    augmentation._donor_clip[:], augmentation._donor_start[:] = 0, last - 10
    for ahead, place, direction in ((4, last - 6, 1), (10, last, -1), (210, last - 200, -1), (last + 210, 200, 1)):
        frame = augmentation.frames(clip_ids, steps + ahead)
        donor = library.frames(torch.zeros_like(clip_ids), torch.full_like(steps, place))
        if abs(ahead - 10) > 10:
            assert donor.joint_vel[:, ARMS].abs().max() > 0.1
        assert torch.equal(frame.joint_pos[:, ARMS], donor.joint_pos[:, ARMS])
        assert torch.equal(frame.joint_vel[:, ARMS], donor.joint_vel[:, ARMS] * direction)


def test_the_donor_of_a_frozen_reference_stands_still_too(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = make(library, tree, splice_probability=1.0, freeze_probability=1.0)
    clip_ids, steps = begin(augmentation)
    early, late = augmentation.frames(clip_ids, steps), augmentation.frames(clip_ids, steps + 30)
    assert same(early, late)
    assert late.joint_vel.abs().max() == late.body_lin_vel_w.abs().max() == 0.0


def test_wrists_are_turned_by_a_constant_angle(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = make(library, tree, wrist_probability=0.5)
    clip_ids, steps = begin(augmentation)
    turned = augmentation.turned
    for ahead in (3, 40):
        frame, plain = augmentation.frames(clip_ids, steps + ahead), library.frames(clip_ids, steps + ahead)
        assert torch.equal(frame.joint_pos, plain.joint_pos + augmentation.wrist_offsets)
        assert torch.equal(frame.joint_vel, plain.joint_vel)
        assert same(frame, plain, ~turned)
        pos, quat = whole(tree, frame)
        assert (frame.body_pos_w - pos).abs().max() < 1e-4
        assert quat_error_magnitude(frame.body_quat_w, quat).max() < 2e-3
    hands = [i for i, name in enumerate(BODIES) if "wrist" in name]
    moved = quat_error_magnitude(frame.body_quat_w, plain.body_quat_w)[turned]
    assert moved[:, hands].mean() > 0.05
    assert moved[:, OTHER_BODIES].max() < 1e-6


def test_turned_joints_stop_at_their_limits(library: MotionLibrary, tree: KinematicTree) -> None:
    # Elbows, because the wrists of these clips hardly move.
    elbows = [i for i, name in enumerate(JOINTS) if "elbow" in name]
    limits = torch.tensor([[-0.05, 0.05]]).repeat(29, 1)
    augmentation = make(library, tree, limits, wrist_probability=1.0, wrist_noise=5.0, wrist_joints=(".*_elbow.*",))
    clip_ids, steps = begin(augmentation)
    frame, plain = augmentation.frames(clip_ids, steps), library.frames(clip_ids, steps)
    assert frame.joint_pos[:, elbows].abs().max().item() == pytest.approx(0.05)
    held = frame.joint_pos[:, elbows].abs() >= 0.05 - 1e-6
    assert held.float().mean() > 0.9
    assert plain.joint_vel[:, elbows][held].abs().min() > 0.01
    assert frame.joint_vel[:, elbows][held].abs().max() == 0.0
    # Those of other joints are not ours to clip.
    others = [i for i in range(29) if i not in elbows]
    assert torch.equal(frame.joint_pos[:, others], plain.joint_pos[:, others])
    assert torch.equal(frame.joint_vel[:, others], plain.joint_vel[:, others])


def test_a_heading_by_hand() -> None:
    frame = MotionFrame(
        *(torch.zeros(1, 2),) * 2,
        body_pos_w=torch.tensor([[[3.0, 2.0, 0.7], [1.0, 2.0, 0.5]]]),
        body_quat_w=torch.tensor([[[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]]),
        body_lin_vel_w=torch.tensor([[[1.0, 0.0, 4.0], [0.0, 1.0, 0.0]]]),
        body_ang_vel_w=torch.tensor([[[0.0, 0.0, 2.0], [2.0, 0.0, 0.0]]]),
    )
    got = turn_heading(frame, torch.tensor([math.pi / 2]), torch.tensor([[1.0, 2.0, 9.0]]))
    half = math.sqrt(0.5)
    assert torch.allclose(got.body_pos_w, torch.tensor([[[1.0, 4.0, 0.7], [1.0, 2.0, 0.5]]]), atol=1e-6)
    assert torch.allclose(got.body_lin_vel_w, torch.tensor([[[0.0, 1.0, 4.0], [-1.0, 0.0, 0.0]]]), atol=1e-6)
    assert torch.allclose(got.body_ang_vel_w, torch.tensor([[[0.0, 0.0, 2.0], [0.0, 2.0, 0.0]]]), atol=1e-6)
    assert torch.allclose(got.body_quat_w, torch.tensor([[[0.0, 0.0, half, half], [half, half, 0.0, 0.0]]]), atol=1e-6)


def test_a_heading_turns_the_motion_about_its_start(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = make(library, tree, heading_probability=1.0, heading_range=1.0)
    clip_ids, steps = begin(augmentation)
    start = augmentation.frames(clip_ids, steps)
    plain = library.frames(clip_ids, steps)
    assert torch.allclose(start.body_pos_w[:, 0], plain.body_pos_w[:, 0], atol=1e-6)
    relative = yaw_quat(start.body_quat_w[:, 0]), yaw_quat(plain.body_quat_w[:, 0])
    assert torch.allclose(quat_error_magnitude(*relative), augmentation.heading.abs(), atol=1e-4)
    assert augmentation.heading.abs().max() <= 1.0


def test_errors_between_equally_turned_frames_stay(library: MotionLibrary) -> None:
    clip_ids, steps = torch.zeros(NUM, dtype=torch.long), torch.arange(NUM)
    reference, robot = library.frames(clip_ids, steps), library.frames(clip_ids, steps + 20)
    angle, pivot = torch.linspace(-3.0, 3.0, NUM), torch.randn(NUM, 3)
    anchor = BODIES.index(g1.ANCHOR_BODY_NAME)
    plain = tracking_errors(reference, robot, anchor)
    turned = tracking_errors(turn_heading(reference, angle, pivot), turn_heading(robot, angle, pivot), anchor)
    for name in ("anchor_pos", "anchor_rot", "body_pos", "body_rot", "body_lin_vel", "body_ang_vel"):
        assert getattr(plain, name).abs().max() > 0.01
        assert torch.allclose(getattr(turned, name), getattr(plain, name), atol=2e-3), name


def test_a_part_of_the_environments_may_be_asked_for(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = MotionAugmentation(SONIC, library, tree, JOINTS, BODIES, NUM)
    clip_ids, steps = torch.arange(NUM) % 3, torch.arange(NUM) * 4
    augmentation.reset(torch.arange(NUM), clip_ids, steps)
    some = torch.tensor([40, 3, 17])
    all_of_them = augmentation.frames(clip_ids, steps + 2)
    part = augmentation.frames(clip_ids[some], steps[some] + 2, some)
    for a, b in zip(part, all_of_them, strict=True):
        assert torch.allclose(a, b[some], atol=1e-6)


def test_clips_that_leave_the_device_are_no_donors(library: MotionLibrary, tree: KinematicTree) -> None:
    augmentation = make(library, tree, splice_probability=0.5)
    augmentation.set_resident(torch.tensor([False, True, False]))
    begin(augmentation)
    assert set(augmentation._donor_clip.tolist()) == {1}
    assert torch.equal(augmentation.needs(torch.tensor([False, True, False])), augmentation.spliced)
    assert not augmentation.needs(torch.tensor([True, False, True])).any()


def test_patterns_that_match_nothing_are_refused(library: MotionLibrary, tree: KinematicTree) -> None:
    with pytest.raises(ValueError, match="no joint matches 'tail'"):
        make(library, tree, splice_probability=0.5, upper_body_joints=("tail",))
    make(library, tree, upper_body_joints=("tail",))  # not needed, so it need not be there
