# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Clips that come and go: the draw, closing up, plans and swaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from isaac_tracking.motion import streaming
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.library import MotionLibrary
from isaac_tracking.motion.packing import Packing
from isaac_tracking.motion.sampling.plain import UniformSampler
from isaac_tracking.motion.sources import find_library
from isaac_tracking.motion.streaming import close_up, draw_clips

JOINTS = ("hip", "knee")
BODIES = ("base", "thigh", "shin")
LENGTHS = (10, 20, 30, 15, 25, 5, 12, 18)
ROW = Packing(2, 3).row_bytes


class Setting:
    """Eight clips of 135 frames together, and the same in a library without a budget."""

    def __init__(self, folder: Path, make_clip: Callable[..., Clip]) -> None:
        self.cache = folder / "cache"
        for i, length in enumerate(LENGTHS):
            make_clip(frames=length, seed=i).save(folder / "clips" / f"clip{i}.npz")
        self.clips = find_library([str(folder / "clips")])
        self.whole = MotionLibrary(self.clips.load(), JOINTS, BODIES, 50.0)

    def open(self, frames: int | None, seed: int = 0, **options) -> MotionLibrary:
        """Open with room for so many frames."""
        budget = None if frames is None else (frames + 1) * ROW
        generator = torch.Generator().manual_seed(seed)
        options = {"cache": self.cache, "memory_budget": budget, "generator": generator} | options
        return MotionLibrary.open(self.clips, options.pop("joints", JOINTS), BODIES, 50.0, **options)

    def check(self, library: MotionLibrary) -> None:
        """Every clip on the device has its own frames, every other one NaN."""
        for clip in range(8):
            got, expected = all_frames(library, clip), all_frames(self.whole, clip)
            if library.resident[clip]:
                assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True)), clip
            else:
                assert all(part.isnan().all() for part in got), clip


@pytest.fixture
def setting(tmp_path: Path, make_clip: Callable[..., Clip]) -> Setting:
    return Setting(tmp_path, make_clip)


def all_frames(library: MotionLibrary, clip: int) -> MotionFrame:
    steps = torch.arange(-1, LENGTHS[clip] + 3)
    return library.frames(torch.full_like(steps, clip), steps)


def test_without_a_budget_everything_is_there(setting: Setting) -> None:
    library = setting.open(None)
    assert not library.streams and library.resident.all()
    assert library.num_frames.tolist() == list(LENGTHS)
    assert library.names == tuple(f"clip{i}" for i in range(8))
    setting.check(library)
    plan = library.plan_swap()
    assert not plan.leaving.any() and not plan.entering.any()
    library.apply_swap(plan)
    setting.check(library)


def test_a_budget_larger_than_the_set_is_no_limit(setting: Setting) -> None:
    library = setting.open(1000)
    assert not library.streams and library.resident.all()
    assert library.device_bytes == 136 * ROW


def test_within_a_budget_all_clips_are_known_and_some_are_there(setting: Setting) -> None:
    library = setting.open(60)
    assert library.streams
    assert library.num_clips == 8 and library.total_frames == 135 and library.num_frames.tolist() == list(LENGTHS)
    assert library.device_bytes == 61 * ROW
    held = int(library.num_frames[library.resident].sum())
    # Room is left for none of the others.
    assert held <= 60 and not (library.num_frames[~library.resident] <= 60 - held).any()
    setting.check(library)


@pytest.mark.parametrize("renewed", [1.0, 0.5])
def test_swaps_keep_every_frame_where_it_belongs(setting: Setting, renewed: float) -> None:
    library, generator = setting.open(70), torch.Generator().manual_seed(1)
    resident, frames = library.resident, library.num_frames
    seen = torch.zeros(8, dtype=torch.bool)
    for _ in range(40):
        before = resident.clone()
        plan = library.plan_swap(None, generator, renewed=renewed)
        # Planning changes nothing, so that episodes on leaving clips can be ended first.
        assert torch.equal(resident, before)
        setting.check(library)
        library.apply_swap(plan)
        # In place: who holds the mask sees the change.
        assert torch.equal(resident, (before & ~plan.leaving) | plan.entering)
        assert not (plan.leaving & ~before).any() and not (plan.entering & before).any()
        assert int(frames[resident].sum()) <= 70
        setting.check(library)
        seen |= resident
    assert seen.all()


def test_part_of_the_clips_can_stay(setting: Setting) -> None:
    library, generator = setting.open(70), torch.Generator().manual_seed(1)
    stayed = []
    for _ in range(60):
        before = library.resident.clone()
        plan = library.plan_swap(None, generator, renewed=0.2)
        library.apply_swap(plan)
        stayed.append(int(library.num_frames[before & ~plan.leaving].sum()))
    # Clips of 31 to 56 frames fit into 0.8 * 70 = 56 at least, whatever is drawn.
    assert min(stayed) > 56 - 30


def test_harder_clips_are_there_more_often_but_all_come_by(setting: Setting) -> None:
    library, generator = setting.open(40), torch.Generator().manual_seed(2)
    probabilities = torch.zeros(8)
    probabilities[4] = 1.0
    count = Counter[int]()
    for _ in range(200):
        library.apply_swap(library.plan_swap(probabilities, generator, floor=0.1))
        count.update(library.resident.nonzero().flatten().tolist())
    assert count[4] > 160
    assert set(count) == set(range(8))
    for _ in range(20):
        library.apply_swap(library.plan_swap(probabilities, generator, floor=0.0))
        assert library.resident.nonzero().flatten().tolist() == [4]


def test_the_weights_of_the_manifest_decide_if_nothing_else_does(setting: Setting, tmp_path: Path) -> None:
    path = tmp_path / "library.toml"
    text = (
        '[library]\nprecision = "fp16"\n[[dataset]]\nname = "x"\npath = "clips"\ninclude = ["clip[0-3]"]\nweight = 8\n'
    )
    path.write_text(text + '[[dataset]]\nname = "y"\npath = "clips"\nexclude = ["clip[0-3]"]\nweight = 2\n')
    setting.clips = find_library([str(path)])
    library = setting.open(None)
    assert library.precision == "fp16"
    assert library.datasets == ("x",) * 4 + ("y",) * 4
    starts = library.weights() * library.num_frames
    assert starts[:4].sum() / starts.sum() == pytest.approx(0.8)
    assert library.weights(length_neutral=True)[:4].mean() == pytest.approx(1.6)


def test_the_same_seed_makes_the_same_choice(setting: Setting) -> None:
    masks = [setting.open(60, seed).resident.tolist() for seed in (0, 0, 1, 2, 3)]
    assert masks[0] == masks[1]
    assert any(mask != masks[0] for mask in masks)


def test_joints_of_another_order_and_half_precision(setting: Setting) -> None:
    setting.open(None)
    library = setting.open(70, joints=JOINTS[::-1])
    for _ in range(3):
        clip = int(library.resident.nonzero()[0])
        got, expected = all_frames(library, clip), all_frames(setting.whole, clip)
        assert torch.equal(got.joint_pos, expected.joint_pos[:, [1, 0]])
        assert torch.equal(got.joint_vel, expected.joint_vel[:, [1, 0]])
        assert torch.equal(got.body_pos_w, expected.body_pos_w)
        library.apply_swap(library.plan_swap())
    whole = setting.open(None, joints=JOINTS[::-1])
    assert torch.equal(all_frames(whole, 3).joint_pos, all_frames(setting.whole, 3).joint_pos[:, [1, 0]])
    half = setting.open(None, precision="fp16")
    assert torch.allclose(all_frames(half, 2).body_pos_w, all_frames(setting.whole, 2).body_pos_w, atol=3e-3)


def test_small_chunks_make_no_difference(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_STAGING_BYTES", 7 * ROW)
    monkeypatch.setattr(streaming, "_MOVED_ROWS", 4)
    library, generator = setting.open(70), torch.Generator().manual_seed(3)
    for _ in range(10):
        library.apply_swap(library.plan_swap(None, generator, renewed=0.5))
        setting.check(library)


def test_a_budget_that_is_too_small_says_what_is_needed(setting: Setting) -> None:
    with pytest.raises(ClipError, match=rf"holds 29 frames, but clip 'clip2' has 30; give {31 * ROW} bytes or more"):
        setting.open(29)
    assert setting.open(30).resident.any()


def test_an_outdated_plan_is_refused(setting: Setting) -> None:
    library, generator = setting.open(40), torch.Generator().manual_seed(0)
    first, second = (library.plan_swap(None, generator) for _ in range(2))
    library.apply_swap(first)
    with pytest.raises(ValueError, match="planned before another one"):
        library.apply_swap(second)
    setting.check(library)


@pytest.mark.parametrize("probabilities", [torch.ones(7), -torch.ones(8), torch.full((8,), torch.nan)])
def test_wrong_probabilities_are_refused(setting: Setting, probabilities: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="8 finite numbers from 0"):
        setting.open(40).plan_swap(probabilities)


def test_a_changed_row_is_repaired_at_the_start_and_reported_at_a_swap(setting: Setting) -> None:
    library = setting.open(40)
    (path,) = setting.cache.glob("*.motions")

    def spoil() -> None:
        with open(path, "r+b") as file:
            for row in range(sum(LENGTHS)):
                file.seek(4096 + row * ROW)
                file.write(b"\1\2\3\4")

    spoil()
    plan = library.plan_swap(1.0 - library.resident.float())
    with pytest.raises(ClipError, match=r"motion cache '.*': the frames of 'clip\d' were changed"):
        library.apply_swap(plan)
    # What stayed is still right, and nothing spoilt can be looked up.
    assert not (library.resident & plan.entering).any()
    setting.check(library)
    setting.check(setting.open(40))


def test_draws_follow_the_probabilities_and_fill_the_room() -> None:
    generator = torch.Generator().manual_seed(0)
    probabilities, frames = np.array([0.5, 0.3, 0.2, 0.0]), np.array([10, 10, 10, 10])
    first = Counter(int(draw_clips(probabilities, frames, 10, generator)[0]) for _ in range(4000))
    assert [first[clip] / 4000 for clip in range(4)] == pytest.approx([0.5, 0.3, 0.2, 0.0], abs=0.025)
    assert sorted(draw_clips(probabilities, frames, 35, generator)) == [0, 1, 2]
    assert len(draw_clips(probabilities, frames, 9, generator)) == 0
    # A short clip takes the room that a long one does not fit into.
    lengths = np.array([10, 8, 1, 1])
    for _ in range(20):
        assert lengths[draw_clips(np.ones(4), lengths, 10, generator)].sum() in (9, 10)


def test_clips_close_up() -> None:
    rows = torch.arange(10.0)[:, None].repeat(1, 2)
    # Clips at 0-1, 4-6 and 8; what lies between has left.
    used = close_up(rows, np.array([0, 4, 8]), np.array([2, 3, 1]))
    assert used == 6
    assert rows[:6, 0].tolist() == [0, 1, 4, 5, 6, 8]
    assert close_up(rows, np.array([0, 2]), np.array([2, 3])) == 5
    assert rows[:6, 0].tolist() == [0, 1, 4, 5, 6, 8]
    assert close_up(rows, np.array([], dtype=int), np.array([], dtype=int)) == 0


def test_weights_count_once(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where half of the frames are on the device, clips of weight 4 still get about 4 times the starts of weight 1."""
    weights = torch.tensor([4.0, 1.0] * 4)
    monkeypatch.setattr(MotionLibrary, "weights", lambda self, length_neutral=False: weights)
    library, generator = setting.open(70), torch.Generator().manual_seed(0)
    sampler = UniformSampler(library.num_frames, weights, length_neutral=True)
    torch.manual_seed(0)
    starts = torch.zeros(8)
    for _ in range(400):
        sampler.set_resident(library.resident)
        starts += torch.bincount(sampler.sample(torch.arange(200))[0], minlength=8)
        library.apply_swap(library.plan_swap(sampler.clip_difficulty(), generator))
    heavy = float(starts[::2].sum() / starts.sum())
    assert heavy == pytest.approx(0.8, abs=0.05)


@pytest.mark.gpu
def test_swaps_on_a_gpu(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_STAGING_BYTES", 7 * ROW)
    library, generator = setting.open(70, device="cuda"), torch.Generator().manual_seed(3)
    for _ in range(5):
        library.apply_swap(library.plan_swap(None, generator, renewed=0.5))
        for clip in library.resident.nonzero().flatten().tolist():
            steps = torch.arange(LENGTHS[clip])
            torch.cuda.set_sync_debug_mode("default")
            ids = torch.full_like(steps, clip)
            on_gpu = ids.cuda(), steps.cuda()
            torch.cuda.set_sync_debug_mode("error")
            got = library.frames(*on_gpu)
            torch.cuda.set_sync_debug_mode("default")
            for a, b in zip(got, setting.whole.frames(ids, steps), strict=True):
                assert torch.equal(a.cpu(), b)
