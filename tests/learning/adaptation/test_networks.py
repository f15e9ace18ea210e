# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The parts of teacher and student."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from isaac_tracking.learning.adaptation.networks import AdaptGRU, AdaptMLP, PolicyHead, mlp


def test_layers_come_as_in_the_sources():
    net = mlp(5, (4, 3), 2)
    assert [type(layer) for layer in net] == [
        nn.Linear, nn.LayerNorm, nn.Mish, nn.Linear, nn.LayerNorm, nn.Mish, nn.Linear,
    ]  # fmt: skip
    assert [layer.weight.shape for layer in net if isinstance(layer, nn.Linear)] == [(4, 5), (3, 4), (2, 3)]


def test_linear_layers_start_orthogonal_with_a_gain_of_a_hundredth():
    net = mlp(6, (4,), 2)
    for layer in (net[0], net[3]):
        product = layer.weight @ layer.weight.T
        torch.testing.assert_close(product, 1e-4 * torch.eye(len(product)), atol=1e-9, rtol=1e-4)
        assert not layer.bias.any()


def test_the_deviation_stays_between_almost_nothing_and_its_start():
    head = PolicyHead(3, 2, (4,), {"class_name": "GaussianDistribution", "init_std": 0.7})
    head.distribution.std_param.data = torch.tensor([-1.0, 2.0])
    head.clamp_std()
    torch.testing.assert_close(head.distribution.std_param.data, torch.tensor([1e-4, 0.7]))


def test_a_recurrent_module_says_in_a_sequence_what_it_said_step_by_step():
    torch.manual_seed(0)
    module = AdaptGRU(4, 3, (8,))
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    x = torch.randn(6, 2, 4)
    dones = torch.zeros(6, 2, dtype=torch.bool)
    dones[2, 0] = dones[4, 1] = True
    starts = torch.cat([torch.zeros(1, 2, dtype=torch.bool), dones[:-1]])
    module(torch.randn(2, 4))  # something to remember from before
    hidden = module.hidden()
    said = []
    for step in range(6):
        said.append(module(x[step]))
        module.reset(dones[step])
    torch.testing.assert_close(module.sequence(x, starts, hidden), torch.stack(said))
    forgetful = module.sequence(x, torch.zeros_like(starts), hidden)
    assert not torch.allclose(forgetful[3, 0], said[3][0])


def test_gradients_flow_to_the_beginning_of_a_sequence():
    torch.manual_seed(0)
    module = AdaptGRU(4, 3, (8,))
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    x = torch.randn(5, 1, 4, requires_grad=True)
    module.sequence(x, torch.zeros(5, 1, dtype=torch.bool), None)[-1].sum().backward()
    assert x.grad is not None and x.grad[0].abs().sum() > 0.0


@pytest.mark.parametrize("kind", [AdaptMLP, AdaptGRU])
def test_nothing_is_remembered_before_the_first_step_and_after_a_reset_of_all(kind):
    module = kind(4, 3, (8,))
    assert module.hidden() is None
    module(torch.randn(2, 4))
    module.reset()
    assert module.hidden() is None
