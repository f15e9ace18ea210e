# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Sizes that do not fit are refused before they are tried, with the largest that does; the device is a stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from isaac_tracking.launch import memory_fit
from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.memory_fit import free_memory, largest_fit, need_room


class Device:
    """A device on which a task takes 1 GB, and 1 MB for each environment."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def measure(self, num_envs: int) -> float:
        self.asked.append(num_envs)
        return 1e9 + 1e6 * num_envs


def test_a_size_that_surely_fits_is_not_looked_at():
    device = Device()
    need_room(8192, "cuda:0", 80e9, device.measure)
    assert device.asked == []


def test_a_large_size_that_fits_costs_two_small_ones():
    device = Device()
    need_room(60_000, "cuda:0", 80e9, device.measure)
    assert device.asked == [256, 2048]


def test_a_size_that_does_not_fit_is_one_sentence_with_the_largest_that_does():
    device = Device()
    with pytest.raises(OptionError) as error:
        need_room(1_000_000, "cuda:0", 80e9, device.measure)
    # (80 GB - 1 GB) / 1 MB
    assert str(error.value) == (
        "--num_envs 1000000 needs about 1e+03 GB and 'cuda:0' has 80 GB free; the largest that fits is about 79000"
        " (from 256 and 2048 environments)"
    )
    need_room(79_000, "cuda:0", 80e9, device.measure)


def test_so_little_memory_that_nothing_fits():
    with pytest.raises(OptionError, match="the largest that fits is about 0 "):
        need_room(512, "cpu", 0.5e9, lambda num_envs: 1e9 + 1e6 * num_envs)


def test_largest_fit_by_hand():
    assert largest_fit({100: 2e9, 200: 3e9}, 5e9) == 400
    assert largest_fit({100: 2e9, 200: 3e9}, 13.345e9) == 1200
    # Memory that does not grow is no reason to refuse.
    assert largest_fit({100: 2e9, 200: 2e9}, 5e9) == 10**9


def test_memory_that_holds_files_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = tmp_path / "meminfo"
    told.write_text("MemTotal:     24000000 kB\nMemFree:        500000 kB\nMemAvailable: 20000000 kB\nCached: 7 kB\n")
    monkeypatch.setattr(memory_fit, "_MEMORY", told)
    assert free_memory("cpu") == 20_480_000_000.0


def test_free_memory_of_this_machine():
    assert 1e6 < free_memory("cpu") < 1e14
