# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One browser that looks and may drive: its panel, and what it does with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .hands import Hands
from .hands_script import FIELD, hands_html
from .state import DrivingState
from .wheel import Wheel

if TYPE_CHECKING:
    import viser

_RATE = 8.0
"""How often the panel is written anew [Hz]."""

_HOLD = 0.6
"""How long a slider is left alone after its browser has moved it [s]."""

_SLIDERS = (
    ("x", "Forward", "m/s"),
    ("y", "Left", "m/s"),
    ("yaw", "Turn left", "rad/s"),
)
"""Part of the command, label and unit of each slider."""

_HELP = (
    "<b>W S</b> or <b>&uarr; &darr;</b> forward, backward; <b>A D</b> or <b>&larr; &rarr;</b> sideways; <b>Q E</b>"
    " turn; with <b>Shift</b> as fast as it was trained; <b>Space</b> stops. A gamepad: left stick, right stick to"
    " turn, any button stops."
)


class Visitor(threading.Thread):
    """The panel of one browser.

    Its thread writes, and what the browser does is told to the wheel at once. So a browser that is slow, or goes away
    in the middle of something, or makes this thread fail, touches neither another nor the robot.
    """

    def __init__(self, client: viser.ClientHandle, wheel: Wheel, state: DrivingState) -> None:
        """Wait for :meth:`start`.

        Args:
            client: The browser.
            wheel: Who drives, and what.
            state: What the simulation says of itself.
        """
        super().__init__(name=f"visitor-{client.client_id}", daemon=True)
        self._client, self._wheel, self._state = client, wheel, state
        self._id = client.client_id
        self._gone = threading.Event()
        self._hands, self._wanted = Hands(), wheel.rest
        self._moved = dict.fromkeys((axis for axis, *_ in _SLIDERS), 0.0)
        self._told = state.restarts

    def leave(self) -> None:
        """End the thread and let go of the wheel; it may be called from any other."""
        self._gone.set()
        self._wheel.leave(self._id)

    def run(self) -> None:
        """Write the panel until the browser leaves."""
        with self._client.atomic():
            self._lay_out()
        while not self._gone.wait(1.0 / _RATE):
            with self._client.atomic():
                self._write()

    def _lay_out(self) -> None:
        gui, limits = self._client.gui, self._wheel.limits
        self._text = gui.add_html("", order=1.0)
        self._take_button = gui.add_button("Take the wheel", icon="steering-wheel", order=2.0)
        self._stop_button = gui.add_button("Stop", icon="hand-stop", color="red", order=3.0)
        self._sliders: dict[str, Any] = {}
        for number, (axis, label, unit) in enumerate(_SLIDERS):
            low, high = getattr(limits, axis)
            self._sliders[axis] = gui.add_slider(
                f"{label} {unit}", low, high, 0.05, getattr(self._wheel.rest, axis), order=10.0 + number,
                hint="Within the range that was trained",
            )  # fmt: skip
        self._pace = gui.add_slider(
            "Keys", 0.1, 1.0, 0.1, 0.6, order=20.0, hint="What a key means, as a part of the trained range"
        )
        self._restart_button = gui.add_button("Start again", icon="refresh", order=30.0)
        gui.add_html(f'<div style="padding:0 1em;font-size:0.85em">{_HELP}</div>', order=31.0)
        self._field = gui.add_text(FIELD, "", order=40.0)
        gui.add_html(hands_html(), order=41.0)
        self._listen()

    def _listen(self) -> None:
        """Say what the controls do. The functions are asynchronous so that they run in the browser's order."""
        for axis, slider in self._sliders.items():

            async def steer(event: viser.GuiEvent, axis: str = axis) -> None:
                if event.client is not None:  # not what this program has set
                    self._moved[axis] = time.monotonic()
                    self._wheel.steer_axis(self._id, axis, float(event.target.value))

            slider.on_update(steer)

        def on_click(button: Any, act: Callable[[], object]) -> None:
            @button.on_click
            async def _(_: viser.GuiEvent) -> None:
                act()

        on_click(self._take_button, lambda: self._wheel.take(self._id))
        on_click(self._stop_button, lambda: self._wheel.stop(self._id))
        on_click(self._restart_button, self._ask_restart)

        @self._field.on_update
        async def _(event: viser.GuiEvent) -> None:
            if event.client is not None:
                self._hear(str(event.target.value))

    def _hear(self, text: str) -> None:
        """Take in what keys and sticks are held; only a change steers: a slider keeps what it was set to."""
        self._wheel.hear(self._id)
        hands = Hands.read(text)
        if hands is None:
            return
        wanted = hands.command(self._wheel.limits, float(self._pace.value))
        if hands.stops != self._hands.stops:
            self._wheel.stop(self._id)
        # Of a browser that was silent for a while the keys may still be held: nobody drives, so they count again.
        if wanted != self._wanted or self._wheel.driver is None:
            self._wheel.steer(self._id, wanted)
        self._hands, self._wanted = hands, wanted

    def _ask_restart(self) -> None:
        if self._wheel.driver in (None, self._id):
            self._state.ask_restart()

    def _write(self) -> None:
        (driver, command), moment = self._wheel.look(), self._state.moment
        role = "nobody drives; press a key or move a slider"
        if driver is not None:
            role = "you drive" if driver == self._id else "another browser drives"
        self._take_button.disabled = driver == self._id
        may = driver in (None, self._id)
        self._stop_button.disabled = self._restart_button.disabled = not may
        for axis, slider in self._sliders.items():
            low, high = getattr(self._wheel.limits, axis)
            slider.disabled = not may or low == high
            if not may or time.monotonic() - self._moved[axis] > _HOLD:
                slider.value = getattr(command, axis)
        rows = _row("", ("x m/s", "y m/s", "turn rad/s"))
        for name, values in (("command", command), ("robot", moment.velocity)):
            rows += _row(name, [f"{value + 0.0:+.2f}" for value in values])
        self._text.content = (
            f'<div style="padding:0 1em;font-size:0.9em"><b class="role">{role}</b>'
            f'<table style="border-spacing:0.6em 0">{rows}</table>'
            f'<span class="share">{self._state.share:.0%} of real time</span></div>'
        )
        if self._state.restarts != self._told:
            self._told = self._state.restarts
            self._client.add_notification("Started again", self._state.reason, auto_close_seconds=4.0)


def _row(name: str, cells: Sequence[str]) -> str:
    return f'<tr class="{name}"><td>{name}</td>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
