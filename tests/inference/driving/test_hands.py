# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Keys and sticks mean the right commands, and what is no message is none."""

from __future__ import annotations

import json

import pytest

from isaac_tracking.inference.driving.hands import FAST_KEYS, KEYS, STOP_KEY, Hands
from isaac_tracking.inference.driving.hands_script import FIELD, hands_html
from isaac_tracking.inference.velocity.commands import CommandRange

LIMITS = CommandRange((-0.5, 1.0), (-0.4, 0.4), (-1.5, 1.5))


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        ("", (0.0, 0.0, 0.0)),
        ("KeyW", (0.5, 0.0, 0.0)),
        ("ArrowUp", (0.5, 0.0, 0.0)),
        ("KeyW ArrowUp", (0.5, 0.0, 0.0)),  # both mean the same, not twice as much
        ("KeyS", (-0.25, 0.0, 0.0)),  # half of what was trained backward
        ("KeyW KeyS", (0.0, 0.0, 0.0)),
        ("KeyA", (0.0, 0.2, 0.0)),
        ("ArrowRight", (0.0, -0.2, 0.0)),
        ("KeyQ", (0.0, 0.0, 0.75)),
        ("KeyW KeyD KeyE", (0.5, -0.2, -0.75)),
        ("KeyW ShiftLeft", (1.0, 0.0, 0.0)),
        ("KeyX Escape", (0.0, 0.0, 0.0)),
    ],
)
def test_keys_at_half_pace(keys: str, command: tuple[float, float, float]):
    assert Hands(frozenset(keys.split())).command(LIMITS, pace=0.5) == pytest.approx(command)


def test_sticks_go_all_the_way_and_rest_in_the_middle():
    assert Hands(sticks=(0.1, -0.14, 0.15, 0.9)).command(LIMITS, 0.5) == pytest.approx((0.0, 0.0, 0.0))
    assert Hands(sticks=(-1.0, -1.0, 1.0, 0.0)).command(LIMITS, 0.5) == pytest.approx((1.0, 0.4, -1.5))
    # Halfway between the dead zone's edge, 0.15, and the end.
    assert Hands(sticks=(0.0, 0.575)).command(LIMITS, 0.5) == pytest.approx((-0.25, 0.0, 0.0))
    both = Hands(frozenset({"KeyW"}), (0.0, -1.0, 0.0))
    assert both.command(LIMITS, 1.0) == pytest.approx((1.0, 0.0, 0.0))


def test_a_range_on_one_side_of_zero_is_not_left():
    limits = CommandRange((0.2, 1.0), (0.0, 0.0), (-1.0, -0.5))
    keys = frozenset({"KeyS", "KeyA", "KeyQ"})
    assert Hands(keys).command(limits, 1.0) == pytest.approx((0.0, 0.0, 0.0))


def test_messages_are_read():
    text = json.dumps({"keys": ["KeyW"], "sticks": [0, -0.5], "stops": 3, "count": 17})
    assert Hands.read(text) == Hands(frozenset({"KeyW"}), (0.0, -0.5), 3)


@pytest.mark.parametrize(
    "text",
    [
        "", "no json", "[]", "null", "{}", "[" * 900,
        '{"keys": "KeyW", "sticks": [], "stops": 0}',
        '{"keys": [1], "sticks": [], "stops": 0}',
        '{"keys": [], "sticks": ["0"], "stops": 0}',
        '{"keys": [], "sticks": [NaN], "stops": 0}',
        '{"keys": [], "sticks": [1e999], "stops": 0}',
        '{"keys": [], "sticks": [], "stops": "0"}',
        json.dumps({"keys": ["KeyW"] * 1000, "sticks": [], "stops": 0}),
    ],
)  # fmt: skip
def test_what_is_no_message_is_none(text: str):
    assert Hands.read(text) is None


def test_the_script_knows_the_keys_and_stays_in_its_attribute():
    html = hands_html()
    assert all(f"&quot;{name}&quot;" in html for name in (*KEYS, *FAST_KEYS, STOP_KEY, FIELD))
    assert html.count('"') == 2 * len(("alt", "style", "src", "onload")) and html.count("<") == 1
    assert "{KEYS}" not in html and "{FIELD}" not in html
