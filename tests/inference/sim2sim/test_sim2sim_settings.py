# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Random numbers of an episode in MuJoCo."""

from __future__ import annotations

import numpy as np

from isaac_tracking.inference.sim2sim.settings import reseed


def test_an_episode_can_be_repeated_without_those_before_it():
    rng = np.random.default_rng(5)
    reseed(rng, 0, "walk")
    walk = rng.random(3)
    rng.random(100)
    reseed(rng, 0, "squat")
    squat = rng.random(3)
    reseed(rng, 0, "walk")
    assert rng.random(3).tolist() == walk.tolist() != squat.tolist()
    for other in ((1, "walk"), (0, "walk", 1)):
        reseed(rng, *other)
        assert rng.random(3).tolist() != walk.tolist()
    reseed(None, 0, "walk")
