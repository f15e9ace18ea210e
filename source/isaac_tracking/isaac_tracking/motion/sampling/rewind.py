# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Starting again shortly before the place of a failure."""

from __future__ import annotations

import torch


class Rewind:
    """Remembers where each environment has just failed, and sends some of them back there.

    Args:
        probability: Share of failed episodes that are followed by such a start [-]; with 0 nothing is remembered.
        back: Least and most steps before the failure; the start is uniform between them, both included.
        num_frames: Frames of each clip, shape (num_clips,).
    """

    def __init__(self, probability: float, back: tuple[int, int], num_frames: torch.Tensor) -> None:
        self._probability, self._back = probability, back
        self._last_start = num_frames.long() - 2
        self._failed: torch.Tensor | None = None

    def note(self, clip_ids: torch.Tensor, steps: torch.Tensor, failed: torch.Tensor) -> None:
        """Remember the places, each of shape (num_envs,), at which environments have failed."""
        if self._probability == 0.0:
            return
        if self._failed is None:
            # Whoever asks first may be in inference mode; the memory must outlive that.
            with torch.inference_mode(False):
                self._failed = torch.zeros_like(failed)
                self._clip_ids, self._steps = torch.zeros_like(clip_ids), torch.zeros_like(steps)
        # In place: a CUDA graph knows the memory, not the name.
        self._failed.logical_or_(failed)
        self._clip_ids.copy_(torch.where(failed, clip_ids, self._clip_ids))
        self._steps.copy_(torch.where(failed, steps, self._steps))

    def apply(
        self,
        clip_ids: torch.Tensor,
        steps: torch.Tensor,
        resident: torch.Tensor | None,
        env_ids: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Replace drawn starts of failed environments; to :meth:`forget` their failures is the caller's.

        Args:
            clip_ids: Drawn clips, shape (N,).
            steps: Drawn steps, shape (N,).
            resident: Clips that may be drawn, shape (num_clips,); None for all.
            env_ids: Whose starts these are, shape (N,); None for those of all environments in order.

        Returns:
            Clips and steps, each of shape (N,).
        """
        if self._failed is None:
            return clip_ids, steps
        places, failed_steps, back = self._clip_ids, self._steps, self._failed
        if env_ids is not None:
            places, failed_steps, back = places[env_ids], failed_steps[env_ids], back[env_ids]
        back = back & (torch.rand(len(back), device=back.device) < self._probability)
        if resident is not None:
            back &= resident[places]
        low, high = self._back
        distance = torch.randint(low, high + 1, (len(back),), device=back.device)
        # Never before the clip's start, and never on its last frame, where an episode would end at once.
        starts = torch.minimum(failed_steps - distance, self._last_start[places]).clamp_min(0)
        return torch.where(back, places, clip_ids), torch.where(back, starts, steps)

    def forget(self, env_ids: torch.Tensor) -> None:
        """Forget the failures of some environments, shape (N,)."""
        if self._failed is not None:
            self._failed.index_fill_(0, env_ids, False)

    def forget_where(self, starting: torch.Tensor) -> None:
        """Forget the failures of environments by a mask, bool, shape (num_envs,)."""
        if self._failed is not None:
            self._failed.masked_fill_(starting, False)
