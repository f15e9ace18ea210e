# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Acting and learning without waiting for the device, so that a GPU replays both as CUDA graphs.

What all algorithms of this package share: a minibatch is gathered from where the rollout lies, its losses are added up
on the device, learning rates lie there too, Adam is fused, and the host launches one graph for each step of the
optimizer. With several processes these are two graphs, and one exchange of one buffer between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

import torch
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict
from torch import nn

from .cuda_graph import CapturedWork

MATMUL_PRECISIONS = ("highest", "high", "medium")
"""Precisions of torch's matrix products."""
T = TypeVar("T")


class Learner(Protocol):
    """What the steps look at of an algorithm."""

    device: str
    gpu_world_size: int

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """What takes the steps."""
        ...

    @property
    def max_grad_norm(self) -> float | None:
        """Norm to which gradients are clipped; none if None or 0."""
        ...

    @property
    def captures(self) -> bool:
        """Whether graphs are captured at all."""
        ...


class DeviceAdam:
    """An Adam that finds learning rates and counts of steps where a graph reads them, as long as it is told to.

    Args:
        optimizer: Adam or AdamW.
        device: Where its parameters are.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, device: str) -> None:
        self._optimizer, self._device = optimizer, torch.device(device)
        # On a CPU as exact as the numbers of Python that they stand for; a fused Adam wants those of its parameters.
        dtype = torch.float32 if self._device.type == "cuda" else torch.float64
        self.rates = [torch.zeros((), dtype=dtype, device=self._device) for _ in optimizer.param_groups]
        """Learning rate of each group [-]."""

    @contextmanager
    def on_device(self) -> Iterator[None]:
        """Let the rates be those in :attr:`rates` while open; afterwards they are again the numbers they were."""
        groups, on_gpu = self._optimizer.param_groups, self._device.type == "cuda"
        numbers = [group["lr"] for group in groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group["lr"] = rate.fill_(group["lr"])
            group["fused"], group["capturable"] = (True, True) if on_gpu else (None, False)
        for state in self._optimizer.state.values():
            # Of a checkpoint that a CPU wrote, say.
            if "step" in state:
                state["step"] = state["step"].to(self._device if on_gpu else "cpu")
        try:
            yield
        finally:
            for group, number in zip(groups, numbers, strict=True):
                group["lr"] = number


class LossSums:
    """Losses of several steps, added up on the device.

    Args:
        device: The device.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self.totals: dict[str, torch.Tensor] = {}
        """Sum of each loss, scalars."""
        self.count = 0
        """Steps so far, for whoever takes them to count."""

    def begin(self) -> None:
        """Forget what was added."""
        for total in self.totals.values():
            total.zero_()
        self.count = 0

    def add(self, losses: Mapping[str, torch.Tensor]) -> None:
        """Add the losses of a step; the same names at each."""
        for name, loss in losses.items():
            if name not in self.totals:
                self.totals[name] = torch.zeros((), device=self._device)
            self.totals[name] += loss.detach()

    def means(self) -> dict[str, torch.Tensor]:
        """Return the mean of each loss over the steps; nothing if there were none."""
        return {name: total / self.count for name, total in self.totals.items()} if self.count else {}


class Exchange:
    """Tensors that all ranks average with one collective; all but the collective can be captured.

    Args:
        ranks: Number of processes.
    """

    def __init__(self, ranks: int) -> None:
        self._ranks = ranks
        self._flat = torch.empty(0)

    def pack(self, tensors: Sequence[torch.Tensor]) -> None:
        """Copy tensors of one type, of the same shapes at each call, into the buffer."""
        parts = [tensor.detach().flatten() for tensor in tensors]
        if not self._flat.numel():
            self._flat = torch.zeros(sum(map(len, parts)), dtype=parts[0].dtype, device=parts[0].device)
        torch.cat(parts, out=self._flat)

    def add_up(self) -> None:
        """Add up the buffers of all ranks."""
        torch.distributed.all_reduce(self._flat)

    def unpack(self, tensors: Sequence[torch.Tensor]) -> None:
        """Copy the means over the ranks back to where they came from."""
        self._flat /= self._ranks
        parts = self._flat.split([tensor.numel() for tensor in tensors])
        means = [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]
        # A few kernels for all of them.
        torch._foreach_copy_(list(tensors), means)  # type: ignore[reportPrivateImportUsage]


class GraphedSteps:
    """Steps of an optimizer that differ only in what the tensors hold which they read.

    Args:
        alg: Whose optimizer takes the steps.
        learned: Parameters that learn, in lists whose gradients are clipped each for itself.
        loss: What is to be minimized, and losses to be reported by name; scalars. It reads tensors that stay where
            they are, asks for no number of the device, and holds no number that changes.
        sums: Where the losses are added up.
        before: Work between gradients and step.
        after: Work after the step.
        shared: Tensors that are averaged over the ranks together with the gradients, for ``before``.
    """

    def __init__(
        self,
        alg: Learner,
        learned: Sequence[Sequence[nn.Parameter]],
        loss: Callable[[], tuple[torch.Tensor, Mapping[str, torch.Tensor]]],
        sums: LossSums,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
        shared: Sequence[torch.Tensor] = (),
    ) -> None:
        self._alg, self._learned, self._loss, self._sums = alg, learned, loss, sums
        self._before, self._after, self._shared = before, after, shared
        self._averaged: list[torch.Tensor] = []
        self.exchange = Exchange(alg.gpu_world_size) if alg.gpu_world_size > 1 else None
        self.works: list[Callable[[], None]] = [self._both] if self.exchange is None else [self._gradients, self._step]
        if alg.captures:
            first = CapturedWork(self.works[0], alg.device)
            # The step reads the gradients where the first graph writes them.
            self.works = [first, *(CapturedWork(work, alg.device, after=first) for work in self.works[1:])]

    def __call__(self) -> None:
        """Take one step."""
        self.works[0]()
        if self.exchange is not None:
            self.exchange.add_up()
            self.works[1]()
        self._sums.count += 1

    def _both(self) -> None:
        self._gradients()
        self._step()

    def _gradients(self) -> None:
        loss, losses = self._loss()
        # A network without gradients is left alone by the optimizer.
        self._alg.optimizer.zero_grad()
        loss.backward()
        self._sums.add(losses)
        if self.exchange is not None:
            # Kept, so that no other work gets the memory in which the second graph expects them.
            gradients = [p.grad for parameters in self._learned for p in parameters if p.grad is not None]
            self._averaged = [*gradients, *self._shared]
            self.exchange.pack(self._averaged)

    def _step(self) -> None:
        if self.exchange is not None:
            self.exchange.unpack(self._averaged)
        if self._before is not None:
            self._before()
        if self._alg.max_grad_norm:
            for parameters in self._learned:
                nn.utils.clip_grad_norm_(parameters, self._alg.max_grad_norm)
        self._alg.optimizer.step()
        if self._after is not None:
            self._after()


class Samples:
    """Minibatches of a rollout, gathered by the numbers of their samples.

    Args:
        storage: The rollout.
        num_batches: Minibatches in a pass over it.
    """

    def __init__(self, storage: RolloutStorage, num_batches: int) -> None:
        self._storage, self._num_batches = storage, num_batches
        self.size = storage.num_envs * storage.num_transitions_per_env // num_batches
        """Samples in a minibatch."""
        device = storage.returns.device
        self._chosen = torch.zeros(self.size, dtype=torch.long, device=device)
        # Each rollout makes new advantages; a graph needs them where they were.
        self._advantages = torch.zeros(*storage.returns.shape[:2], 1, device=device)

    def begin(self) -> None:
        """Take over a rollout."""
        self._advantages.copy_(self._storage.advantages)

    def passes(self, count: int) -> Iterator[torch.Tensor]:
        """Yield the numbers of the samples of each minibatch, shape (size,); the same in all passes, as in rsl_rl."""
        everything = torch.randperm(self._num_batches * self.size, device=self._chosen.device)
        for _ in range(count):
            yield from everything.split(self.size)

    def choose(self, numbers: torch.Tensor) -> None:
        """Let :meth:`batch` be of these samples, shape (size,)."""
        self._chosen.copy_(numbers)

    def batch(self) -> RolloutStorage.Batch:
        """Return the chosen samples."""
        storage, chosen = self._storage, self._chosen
        assert storage.distribution_params is not None
        return RolloutStorage.Batch(
            observations=storage.observations.flatten(0, 1)[chosen],  # type: ignore[arg-type]
            actions=storage.actions.flatten(0, 1)[chosen],
            values=storage.values.flatten(0, 1)[chosen],
            advantages=self._advantages.flatten(0, 1)[chosen],
            returns=storage.returns.flatten(0, 1)[chosen],
            old_actions_log_prob=storage.actions_log_prob.flatten(0, 1)[chosen],
            old_distribution_params=tuple(p.flatten(0, 1)[chosen] for p in storage.distribution_params),
        )


class GraphedActing(Generic[T]):
    """What a function without memory says of observations, which are copied to where its graph reads them.

    Args:
        draw: The function; tensors in what it returns are overwritten by the next call.
        obs: Observations, as an example.
        device: The GPU.
    """

    def __init__(self, draw: Callable[[TensorDict], T], obs: TensorDict, device: str) -> None:
        self._draw, self._obs = draw, obs.clone()
        self._drawn: T | None = None
        self.work = CapturedWork(self._act, device)

    def __call__(self, obs: TensorDict) -> T:
        """Return what the function says of these observations."""
        self._obs.copy_(obs)
        self.work()
        assert self._drawn is not None
        return self._drawn

    def _act(self) -> None:
        self._drawn = self._draw(self._obs)


def check_precision(precision: str) -> str:
    """Return a precision of matrix products.

    Raises:
        ValueError: If there is no such precision.
    """
    if precision not in MATMUL_PRECISIONS:
        raise ValueError(f"matmul_precision '{precision}' is unknown; choose from {', '.join(MATMUL_PRECISIONS)}")
    return precision


@contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    """Let matrix products have a precision while open; a captured graph keeps it."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def forget_how(saved: dict) -> dict:
    """Return what an algorithm saves, without what tells how its Adam was run."""
    state = saved["optimizer_state_dict"]
    flags = {"capturable": False, "fused": None}
    groups = [group | {key: flags[key] for key in flags if key in group} for group in state["param_groups"]]
    return saved | {"optimizer_state_dict": state | {"param_groups": groups}}


def update_normalization(model: nn.Module, observations: TensorDict) -> None:
    """Take observations into a model's statistics, which stay where a graph reads them.

    Args:
        model: One of rsl_rl's, whose normalizers replace some of their tensors by new ones.
        observations: Observations by group, each of shape (N, ...).
    """
    before = dict(model.named_buffers())
    model.update_normalization(observations)  # type: ignore[operator]
    for name, new in list(model.named_buffers()):
        old = before.get(name)
        if old is not None and old is not new:
            old.copy_(new)
            setattr(model.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2], old)
