# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a CUDA graph does, on a CPU: Python runs once, and afterwards only its operators, on the tensors of that time.

So numbers that Python holds stay those of the capture, tensors that were replaced meanwhile are not noticed, and
whoever asks for a number of the device fails.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from isaac_tracking.learning import graphed_update

WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "unique_dim", "_unique2")
"""Operators whose result the host must know before it goes on."""


class RecordedWork:
    """In the place of :class:`isaac_tracking.learning.cuda_graph.CapturedWork`, with as many calls before."""

    def __init__(self, work: Callable[[], None], device: str, after: RecordedWork | None = None) -> None:
        self._work, self._calls = work, 0
        self.operators: list[tuple[Any, tuple, dict, Any]] = []
        self.replays = 0

    def __call__(self) -> None:
        self._calls += 1
        if self._calls <= 3:
            self._work()
        elif not self.operators:
            with _Recorder(self.operators):
                self._work()
        else:
            self.replays += 1
            with torch.no_grad():
                self._replay()

    def _replay(self) -> None:
        for operator, arguments, named, recorded in self.operators:
            aliases = [result.alias_info for result in operator._schema.returns if result.alias_info is not None]
            if aliases and not any(alias.is_write for alias in aliases):
                continue  # A view, which is where it was.
            result = operator(*arguments, **named)
            if not aliases:
                for old, new in zip(tree_leaves(recorded), tree_leaves(result), strict=True):
                    if isinstance(old, torch.Tensor):
                        old.data.copy_(new)


class _Recorder(TorchDispatchMode):
    def __init__(self, operators: list) -> None:
        super().__init__()
        self._operators = operators

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func._schema.name.removeprefix("aten::") not in WAITS, f"{func} waits for the device"
        result = func(*args, **(kwargs or {}))
        self._operators.append((func, args, kwargs or {}, result))
        return result


def record(monkeypatch: pytest.MonkeyPatch, *kinds: type) -> None:
    """Let algorithms of these kinds record on a CPU where they would capture on a GPU, with a fused Adam as there."""
    on_device = graphed_update.DeviceAdam.on_device

    @contextmanager
    def fused(self):
        with on_device(self):
            for group in self._optimizer.param_groups:
                group["fused"] = True
            yield

    monkeypatch.setattr(graphed_update, "CapturedWork", RecordedWork)
    monkeypatch.setattr(graphed_update.DeviceAdam, "on_device", fused)
    for kind in kinds:
        monkeypatch.setattr(kind, "captures", property(lambda self: self.cuda_graph and self.graphable))
