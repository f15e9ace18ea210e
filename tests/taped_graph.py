# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a CUDA graph of torch's operations and Warp's launches does, on a CPU.

A tape takes down both in their order with the memory they read and write, and repeats them. What depends on the host,
reads what was cached, or lies elsewhere later, comes out wrong as it would on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import isaaclab.utils.warp.utils as isaaclab_warp
import pytest
import torch
import warp as wp
from isaaclab_newton.physics import NewtonManager
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from isaac_tracking.tasks.graphs.capture import Graph

WAITING = ("_local_scalar_dense", "nonzero", "masked_select")
EAGER = 2


class Tape(TorchDispatchMode):
    """Does work once and can repeat it."""

    def __init__(self) -> None:
        super().__init__()
        self.repeats: list[Callable[[], Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        assert not any(word in str(func) for word in WAITING), f"{func} waits for the device"
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        aliases = [value.alias_info for value in func._schema.returns]
        if any(alias is not None and alias.is_write for alias in aliases):
            self.repeats.append(lambda: func(*args, **kwargs))
        elif not any(aliases):
            kept = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]

            def repeat() -> None:
                for old, new in zip(kept, tree_leaves(func(*args, **kwargs)), strict=True):
                    old.copy_(new)

            self.repeats.append(repeat)
        return result

    def record(self, work: Callable[[], None]) -> None:
        """Do the work, with Newton's and Isaac Lab's eyes during a capture."""
        launch, zero, mark = wp.launch, wp.array.zero_, NewtonManager._mark_transforms_changed

        def noted_launch(*args: Any, **kwargs: Any) -> None:
            self.repeats.append(lambda: launch(*args, **kwargs))
            launch(*args, **kwargs)

        def noted_zero(array: wp.array) -> None:
            self.repeats.append(lambda: zero(array))
            zero(array)

        def lasting_mark() -> None:
            mark()
            NewtonManager.transforms_may_change_on_graph_replay = True

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wp, "launch", noted_launch)
            patch.setattr(wp.array, "zero_", noted_zero)
            patch.setattr(NewtonManager, "_mark_transforms_changed", lasting_mark)
            capturing = SimpleNamespace(get_device=lambda: SimpleNamespace(is_capturing=True))
            patch.setattr(isaaclab_warp, "wp", capturing)
            with self:
                work()

    def replay(self) -> None:
        for repeat in self.repeats:
            repeat()


class TapedGraph(Graph):
    """A graph whose capture is a tape's recording, which does the work as well."""

    def __call__(self) -> None:
        self._calls += 1
        if self._graph is not None:
            self._graph.replay()
        elif self._calls <= EAGER:
            self._work()
        else:
            tape: Any = Tape()
            with self._guard():
                tape.record(self._work)
            self._graph = tape
