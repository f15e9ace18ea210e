# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Many clips on one device, resampled to the control rate, any frame of any clip in one gather."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from .bundle import Bundle, DamagedBundleError
from .bundle_cache import Report, cached_bundle
from .clip import Clip, ClipError
from .clip_list import ClipList
from .frame import MotionFrame
from .packing import Packing, reference_frames
from .streaming import SwapPlan, close_up, copy_clips, draw_clips


class MotionLibrary:
    """Clips laid end to end in one tensor on the device, a row for each frame.

    A frame is named by a clip and a step at the control rate. The cost of a lookup does not depend on the number
    of clips or on their lengths, and nothing is copied between host and device.

    A library opened with a memory budget knows all clips, but holds only some of them on the device:
    :attr:`resident`. :meth:`plan_swap` and :meth:`apply_swap` replace them by others. The number of a clip stays the
    same for ever.

    Args:
        clips: The clips; joints and bodies are mapped by name.
        joint_names: Joints of a frame, in order.
        body_names: Bodies of a frame, in order.
        rate: Control rate [Hz]; clips of another rate are interpolated.
        device: Where the frames are kept.
        precision: ``"fp32"`` or ``"fp16"``, see :mod:`.packing`.

    Raises:
        ClipError: If a clip lacks a joint or a body.
        ValueError: If there is no clip, or the precision is unknown.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        joint_names: Sequence[str],
        body_names: Sequence[str],
        rate: float,
        device: str | torch.device = "cpu",
        precision: str = "fp32",
    ) -> None:
        if not clips:
            raise ValueError("motion library: no clip was given; name at least one motion")
        packing = Packing(len(joint_names), len(body_names), precision)
        packed = [packing.encode(reference_frames(clip, joint_names, body_names, rate)) for clip in clips]
        lengths = np.array([len(rows) for rows in packed])
        # The last row stands for the clips that are not on the device.
        rows = torch.cat([*packed, packed[0].new_full((1, packing.width), torch.nan)]).to(device)
        self._set_up([clip.name for clip in clips], lengths, rate, packing, rows)
        self._place(np.arange(len(clips)))

    @classmethod
    def open(
        cls,
        clips: ClipList,
        joint_names: Sequence[str],
        body_names: Sequence[str],
        rate: float,
        device: str | torch.device = "cpu",
        *,
        cache: Path,
        precision: str | None = None,
        memory_budget: int | None = None,
        generator: torch.Generator | None = None,
        report: Report | None = None,
    ) -> MotionLibrary:
        """Open a library through the cache: the clips are read and resampled once, and then again when they change.

        Args:
            clips: The clips, from :func:`.sources.find_library`.
            joint_names: Joints of a frame, in order.
            body_names: Bodies of a frame, in order; the first is the root.
            rate: Control rate [Hz].
            device: Where the frames are kept.
            cache: Folder for bundles.
            precision: ``"fp32"`` or ``"fp16"``; what the manifest says if None, else ``"fp32"``.
            memory_budget: Bytes that the frames may take on the device; what the manifest says if None, else as many
                as there are.
            generator: Decides which clips are on the device first, if not all fit; torch's own if None.
            report: Is told how many clips are converted and how many there are, if they must be.

        Raises:
            ClipError: If a clip cannot be used, the cache cannot be written, or the budget is too small.
        """
        precision = precision or clips.precision or "fp32"
        budget = clips.memory_budget if memory_budget is None else memory_budget
        wanted = (clips, joint_names, body_names, rate, precision, cache, report)
        bundle = cached_bundle(*wanted)
        try:
            return cls.from_bundle(bundle, joint_names, device, budget, generator, clips)
        except DamagedBundleError:
            bundle.path.unlink(missing_ok=True)
        bundle = cached_bundle(*wanted)
        try:
            return cls.from_bundle(bundle, joint_names, device, budget, generator, clips)
        except DamagedBundleError as error:
            raise _damaged(bundle, error) from error

    @classmethod
    def from_bundle(
        cls,
        bundle: Bundle,
        joint_names: Sequence[str] | None = None,
        device: str | torch.device = "cpu",
        memory_budget: int | None = None,
        generator: torch.Generator | None = None,
        clips: ClipList | None = None,
    ) -> MotionLibrary:
        """Put a bundle, or as much of it as the budget holds, on the device.

        On the CPU a bundle that fits and has the joints' order is mapped, not copied: that takes no time and no memory
        of its own, but nobody notices if the file's rows were changed.

        Args:
            bundle: The bundle.
            joint_names: Joints of a frame, in order; the bundle's order if None.
            device: Where the frames are kept.
            memory_budget: Bytes that the frames may take on the device; as many as there are if None.
            generator: Decides which clips are on the device first, if not all fit; torch's own if None.
            clips: Clips that the bundle was made from, for their weights, datasets and tags.

        Raises:
            ClipError: If the budget is too small for the longest clip.
            DamagedBundleError: If the frames of a clip are not those that were written.
        """
        self = cls.__new__(cls)
        total, longest = int(bundle.num_frames.sum()), int(bundle.num_frames.max())
        capacity = total if memory_budget is None else min(total, memory_budget // bundle.packing.row_bytes - 1)
        if capacity < longest:
            raise ClipError(
                f"motion library: a memory budget of {memory_budget} bytes holds {max(0, capacity)} frames,"
                f" but clip '{bundle.names[int(bundle.num_frames.argmax())]}' has {longest};"
                f" give {(longest + 1) * bundle.packing.row_bytes} bytes or more"
            )
        columns = bundle.packing.joint_columns(bundle.joint_names, joint_names or bundle.joint_names)
        # In the processor's own memory the file need not be copied.
        mapped = torch.device(device).type == "cpu" and capacity == total and columns is None
        if mapped:
            rows = torch.from_numpy(bundle.rows)
        else:
            rows = torch.empty((capacity + 1, bundle.packing.width), dtype=bundle.packing.dtype, device=device)
            rows[-1] = torch.nan
        self._set_up(bundle.names, bundle.num_frames, bundle.rate, bundle.packing, rows, clips)
        self._bundle, self._columns = bundle, columns
        if capacity == total:
            chosen = np.arange(self.num_clips)
        else:
            chosen = np.sort(draw_clips(self._chances(None, 0.0), self._lengths, capacity, generator))
        if not mapped:
            copy_clips(bundle, chosen, self._rows[: self._lengths[chosen].sum()], columns)
        self._place(chosen)
        return self

    def _set_up(
        self,
        names: Sequence[str],
        lengths: np.ndarray,
        rate: float,
        packing: Packing,
        rows: torch.Tensor,
        clips: ClipList | None = None,
    ) -> None:
        """Keep what is known of all clips; none has a place in the rows yet."""
        self.names = tuple(names)
        """Names of the clips."""
        self.rate = rate
        """Control rate [Hz]."""
        self.num_joints, self.num_bodies = packing.num_joints, packing.num_bodies
        self.precision = packing.precision
        """How the frames are kept, ``"fp32"`` or ``"fp16"``."""
        self.device = device = rows.device
        self.datasets = tuple(entry.dataset for entry in clips.entries) if clips else ("",) * len(names)
        """Dataset of each clip, as the manifest calls it."""
        self.tags = tuple(entry.tags for entry in clips.entries) if clips else ((),) * len(names)
        """What the manifest says of each clip."""
        self._packing, self._lengths = packing, lengths.astype(np.int64)
        self.num_frames = torch.tensor(self._lengths, device=device)
        """Number of frames of each clip at the control rate, shape (num_clips,)."""
        self._clips = clips
        self.resident = torch.zeros(len(names), dtype=torch.bool, device=device)
        """Whether each clip is on the device, shape (num_clips,)."""
        self._rows = rows
        self._first = torch.full_like(self.num_frames, self._capacity)
        self._bundle: Bundle | None = None
        self._columns: list[int] | None = None
        self._turn = 0

    @property
    def num_clips(self) -> int:
        """Number of clips, on the device or not."""
        return len(self.names)

    @property
    def total_frames(self) -> int:
        """Number of frames of all clips together."""
        return int(self._lengths.sum())

    @property
    def duration(self) -> float:
        """Length of all clips together [s]."""
        return self.total_frames / self.rate

    @property
    def streams(self) -> bool:
        """Whether there are more clips than fit on the device."""
        return self._capacity < self.total_frames

    @property
    def device_bytes(self) -> int:
        """Bytes that the frames take on the device."""
        return self._rows.numel() * self._rows.element_size()

    @property
    def _capacity(self) -> int:
        return len(self._rows) - 1

    def frames(self, clip_ids: torch.Tensor, steps: torch.Tensor) -> MotionFrame:
        """Look up one frame per query, the last frame of a clip for every step after its end.

        Only clips on the device can be looked up, which ``resident[clip_ids]`` tells. All numbers of a frame of any
        other clip are NaN.

        Args:
            clip_ids: Clips, shape (N,), integer.
            steps: Steps from each clip's start at the control rate, shape (N,), integer.

        Returns:
            The frames, in single precision; positions are those of the clips, with their own origin on the ground.
        """
        rows = self._first[clip_ids] + torch.minimum(steps, self.num_frames[clip_ids] - 1).clamp_min(0)
        return self._packing.decode(self._rows[rows.clamp_max(self._capacity)])

    def weights(self, length_neutral: bool = False) -> torch.Tensor:
        """Return the weights of the clips, as a sampler takes them, after the manifest's weights of clips and datasets.

        Args:
            length_neutral: Whether the sampler takes a clip's share of the starts as its weight, and not as its weight
                times its length.

        Returns:
            Weights [-], shape (num_clips,); all 1 if there is no manifest.
        """
        if self._clips is None:
            return torch.ones(self.num_clips, device=self.device)
        weights = self._clips.weights(self._lengths, length_neutral)
        return torch.from_numpy(weights).to(self.device, torch.float32)

    def plan_swap(
        self,
        probabilities: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
        *,
        floor: float = 0.1,
        renewed: float = 1.0,
    ) -> SwapPlan:
        """Draw which clips are to be on the device next. Nothing changes yet.

        Clips are drawn one by one without replacement until no further one fits. Where all clips fit, none leaves.
        The system is asked to read the clips that enter, so that :meth:`apply_swap` need not wait for the disk if some
        time lies between the two. This waits for the device.

        Args:
            probabilities: How likely each clip is drawn next, in any measure, shape (num_clips,), e.g. by how often
                it failed, or a sampler's ``clip_difficulty()``; if None, the same for all clips that have a weight.
            generator: Source of the random numbers; torch's own if None.
            floor: Share of the draws that is uniform over all clips, so that every clip comes by (SONIC keeps 0.1).
            renewed: Share of the device's frames that is drawn anew; the rest, chosen evenly, stays. SONIC draws all.

        Raises:
            ValueError: If the probabilities are of another number of clips, negative or not finite.
        """
        if not self.streams:
            none = torch.zeros_like(self.resident)
            return SwapPlan(none, none.clone(), self._held, np.array([], dtype=np.int64), self._turn)
        chances = self._chances(probabilities, floor)
        here, after = np.zeros((2, self.num_clips), dtype=bool)
        here[self._held] = True
        kept = draw_clips(here.astype(np.float64), self._lengths, int((1.0 - renewed) * self._capacity), generator)
        chances[kept] = 0.0
        drawn = draw_clips(chances, self._lengths, self._capacity - int(self._lengths[kept].sum()), generator)
        after[kept] = after[drawn] = True
        entering = np.flatnonzero(after & ~here)
        if self._bundle is not None:
            self._bundle.will_need(entering)
        leaving = torch.from_numpy(here & ~after).to(self.device)
        staying = self._held[after[self._held]]
        return SwapPlan(leaving, torch.from_numpy(after & ~here).to(self.device), staying, entering, self._turn)

    def apply_swap(self, plan: SwapPlan) -> None:
        """Carry out a plan: afterwards its leaving clips can no longer be looked up, and its entering clips can.

        :attr:`resident` changes in place. This waits for the device.

        Raises:
            ValueError: If the plan was made before another swap.
            ClipError: If the frames in the cache were changed since they were written.
        """
        if plan.turn != self._turn:
            raise ValueError("motion library: the swap was planned before another one; plan it again")
        if len(plan.entering_ids) == 0 and len(plan.staying_ids) == len(self._held):
            return
        assert self._bundle is not None  # only a library with a bundle plans swaps
        used = close_up(self._rows, self._first_host[plan.staying_ids], self._lengths[plan.staying_ids])
        self._place(plan.staying_ids)
        target = self._rows[used : used + int(self._lengths[plan.entering_ids].sum())]
        try:
            copy_clips(self._bundle, plan.entering_ids, target, self._columns)
        except DamagedBundleError as error:
            raise _damaged(self._bundle, error) from error
        self._place(np.concatenate([plan.staying_ids, plan.entering_ids]))
        self._turn += 1

    def _place(self, clip_ids: np.ndarray) -> None:
        """Note that these clips, and no others, lie one after another on the device."""
        lengths = self._lengths[clip_ids]
        self._held = clip_ids
        self._first_host = np.full(self.num_clips, self._capacity)
        self._first_host[clip_ids] = np.cumsum(lengths) - lengths
        self._first.copy_(torch.from_numpy(self._first_host))
        self.resident.copy_(self._first < self._capacity)

    def _chances(self, probabilities: torch.Tensor | None, floor: float) -> np.ndarray:
        """Return how likely each clip is drawn, with a floor; sum 1."""
        # Weights themselves count when a sampler draws among the clips that are here.
        chances = (self.weights() > 0.0 if probabilities is None else probabilities).double().cpu().numpy()
        if chances.shape != (self.num_clips,) or not np.isfinite(chances).all() or (chances < 0.0).any():
            raise ValueError(f"motion library: probabilities must be {self.num_clips} finite numbers from 0")
        if chances.sum() == 0.0:
            chances = np.ones_like(chances)
        return (1.0 - floor) * chances / chances.sum() + floor / self.num_clips


def _damaged(bundle: Bundle, error: DamagedBundleError) -> ClipError:
    return ClipError(f"motion cache '{bundle.path}': {error}; expected what was written; remove it and start again")
