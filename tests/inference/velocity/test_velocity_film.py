# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What stands in the picture of an episode under a command."""

from __future__ import annotations

import torch
from recordings import make_recording

from isaac_tracking.inference.velocity.episode_film import VelocityFilm


def test_a_caption_says_command_velocity_ground_and_end():
    lin = torch.tensor([[0.25, -0.5, 3.0], [0.5, 0.0, 0.0]])
    film = VelocityFilm(make_recording((1, 0, -0.5), steps=2, lin_vel_b=lin, terrain="boxes", level=3))
    first, second = film.captions()
    assert first.splitlines() == [
        "0.0 of 20.0 s   boxes, level 3",
        "command   x +1.00  y +0.00 m/s  yaw -0.50 rad/s",
        "velocity  x +0.25  y -0.50 m/s  yaw +0.00 rad/s",
    ]
    assert "velocity  x +0.50" in second and film.steps == 2 and film.rate == 50.0
    fallen = make_recording((0, 0, 0), steps=50, fell=True, outcome="base_contact")
    assert VelocityFilm(fallen).captions()[0].splitlines()[0] == "0.0 of 20.0 s"
    assert VelocityFilm(fallen).captions()[0].endswith("ended by base_contact at 1.0 s")
