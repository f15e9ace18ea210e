# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Actions around the policy's, drawn without waiting for the device."""

from __future__ import annotations

import torch
from rsl_rl.modules.distribution import GaussianDistribution


class Gaussian(GaussianDistribution):
    """rsl_rl's normal distribution.

    Its own draws ask torch for ``normal(mean, std)``, which looks whether a deviation is negative, and for that the
    host waits at every step. They never are: :meth:`update` clamps them.
    """

    def sample(self) -> torch.Tensor:
        """Draw from the distribution, shape as the mean's; the same numbers as torch would draw."""
        mean = self.mean
        return (torch.randn_like(mean) * self.std + mean).detach()
