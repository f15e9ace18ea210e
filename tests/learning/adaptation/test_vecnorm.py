# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Normalizers that forget, and that stand still."""

from __future__ import annotations

import torch

from isaac_tracking.learning.adaptation.vecnorm import VecNorm


def test_the_first_observations_give_their_mean_and_variance():
    norm = VecNorm(1, decay=0.5)
    norm.update(torch.tensor([[0.0], [2.0]]), steps=1)
    assert (norm.mean.item(), norm.var.item(), norm.count.item()) == (1.0, 1.0, 2.0)


def test_older_observations_weigh_less_by_the_decay_of_each_step():
    norm = VecNorm(1, decay=0.5)
    norm.update(torch.tensor([[0.0], [2.0]]), steps=1)
    norm.update(torch.tensor([[4.0], [4.0]]), steps=1)
    # 0 and 2 weigh a half each, 4 and 4 one each.
    torch.testing.assert_close(norm.mean, torch.tensor([3.0]))
    torch.testing.assert_close(norm.var, torch.tensor([7.0 / 3.0]))
    twice = VecNorm(1, decay=0.5)
    twice.update(torch.tensor([[0.0], [2.0]]), steps=1)
    twice.update(torch.tensor([[4.0], [4.0]]), steps=2)
    torch.testing.assert_close(twice.mean, torch.tensor([(0.25 * 0.0 + 0.25 * 2.0 + 8.0) / 2.5]))


def test_without_decay_the_statistics_are_those_of_all_observations():
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(20, 3, generator=generator) * (i + 1) + i for i in range(4)]
    norm = VecNorm(3, decay=1.0)
    for part in parts:
        norm.update(part, steps=5)
    together = torch.cat(parts)
    torch.testing.assert_close(norm.mean, together.mean(dim=0))
    torch.testing.assert_close(norm.var, together.var(dim=0, unbiased=False))


def test_forward_subtracts_and_divides():
    norm = VecNorm(2, eps=0.5)
    norm.mean.copy_(torch.tensor([1.0, 2.0]))
    norm.var.copy_(torch.tensor([4.0, 9.0]))
    assert norm(torch.tensor([[6.0, 9.0]])).tolist() == [[2.0, 2.0]]


def test_statistics_that_stand_still_do_not_move():
    norm = VecNorm(1)
    norm.update(torch.tensor([[3.0]]), steps=1)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    norm.moving = False
    norm.update(torch.tensor([[100.0]]), steps=1)
    assert all(torch.equal(before[name], value) for name, value in norm.state_dict().items())
