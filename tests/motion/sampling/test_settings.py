# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The constants, and what is known of the systems that presets are named after."""

from __future__ import annotations

import math

import pytest

from isaac_tracking.motion.sampling.settings import PRESETS, SamplerSettings, sampler_settings


def test_presets_have_the_constants_of_their_systems() -> None:
    assert set(PRESETS) == {"default", "beyondmimic", "sonic", "wbc", "axell"}
    beyondmimic, sonic, wbc, axell = (PRESETS[name] for name in ("beyondmimic", "sonic", "wbc", "axell"))
    assert (beyondmimic.bin_duration, beyondmimic.kernel_size, beyondmimic.kernel_decay) == (1.0, 1, 0.8)
    assert beyondmimic.horizon * 50.0 == pytest.approx(1 / 0.001)
    assert (beyondmimic.uniform_share, beyondmimic.rewind_probability) == (0.1, 0.0)
    assert (sonic.bin_duration * 50.0, sonic.score, sonic.prior_score) == (50.0, "failure_share", 1.0)
    assert (sonic.uniform_share, sonic.max_over_mean, sonic.length_neutral) == (0.1, 200.0, True)
    assert tuple(time * 50.0 for time in sonic.rewind_range) == (0.0, 200.0)
    assert (wbc.bin_duration, wbc.min_bin_duration, wbc.score, wbc.softmax) == (4.0, 0.5, "similarity", True)
    assert wbc.horizon * 50.0 == pytest.approx(1 / 0.005)
    assert wbc.uniform_share == 0.15
    assert (axell.uniform_share, axell.rewind_probability) == (1.0, 0.8)
    assert tuple(time * 50.0 for time in axell.rewind_range) == (25.0, 75.0)
    assert PRESETS["default"].rewind_probability == 0.0
    assert PRESETS["default"].max_over_mean < math.inf


def test_changes_are_made_to_the_preset_and_none_leaves_it_alone() -> None:
    settings = sampler_settings("sonic", uniform_share=0.3, horizon=None, rewind_range=[0.1, 0.2])
    assert (settings.uniform_share, settings.horizon, settings.max_over_mean) == (0.3, 1000.0, 200.0)
    assert settings.rewind_range == (0.1, 0.2)
    assert PRESETS["sonic"].uniform_share == 0.1
    assert sampler_settings() == SamplerSettings()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preset": "bm"}, "preset 'bm' is unknown; choose from default, beyondmimic, sonic"),
        ({"uniform": 0.1}, "uniform unknown; choose from bin_duration"),
        ({"score": "luck"}, "score is luck; expected one of failure_rate"),
        ({"uniform_share": 1.5}, "uniform_share is 1.5; expected a share between 0 and 1"),
        ({"uniform_share": math.nan}, "uniform_share is nan"),
        ({"bin_duration": 0.0}, "bin_duration is 0.0; expected a number above 0"),
        ({"horizon": math.inf}, "horizon is inf"),
        ({"prior_share": -0.1}, "prior_share is -0.1; expected 0 or more"),
        ({"prior_score": -1.0}, "prior_score is -1.0"),
        ({"max_over_mean": 0.9}, "max_over_mean is 0.9; expected 1 or more"),
        ({"kernel_size": 0}, "kernel_size is 0; expected a whole number from 1"),
        ({"refresh_steps": 1.5}, "refresh_steps is 1.5"),
        ({"rewind_range": (2.0, 1.0)}, "rewind_range is"),
        ({"rewind_range": (1.0,)}, "rewind_range is"),
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sampler_settings(**values)
