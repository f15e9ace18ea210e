"""Actions are drawn as torch draws them, without looking at the deviations."""

import torch
from rsl_rl.modules.distribution import GaussianDistribution

from isaac_tracking.learning.gaussian import Gaussian


def test_draws_the_numbers_that_rsl_rl_draws():
    mean = torch.tensor([[0.5, -2.0, 10.0], [1.0, 0.0, -3.0]])
    drawn = []
    for kind in (Gaussian, GaussianDistribution):
        distribution = kind(3, init_std=0.3)
        distribution.update(mean)
        torch.manual_seed(7)
        drawn.append(distribution.sample())
    assert torch.allclose(*drawn, atol=1e-6)
    assert not drawn[0].requires_grad


def test_asks_no_number_of_the_device(monkeypatch):
    distribution = Gaussian(2)
    distribution.update(torch.zeros(4, 2))

    def refuse(*args, **kwargs):
        raise AssertionError("torch.normal looks at the deviations")

    monkeypatch.setattr(torch, "normal", refuse)
    assert distribution.sample().shape == (4, 2)


def test_a_deviation_of_nothing_is_clamped():
    distribution = Gaussian(1, init_std=0.0)
    distribution.update(torch.full((1000, 1), 3.0))
    assert (distribution.sample() - 3.0).abs().max() < 1e-4
