# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The controls of one spectator's player."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .judge import Judgement

if TYPE_CHECKING:
    import viser

_MOST_MARKS = 60
"""Marks on the slider at most; the strip under it has them all."""

_MOST_FINDINGS = 200
"""Findings in the list at most."""

_SLIDER_ORDER = 20.0


class Controls:
    """Buttons, sliders and texts in one browser.

    What the spectator does with them is wished for: the player's thread does it, by the functions in :attr:`on`.
    """

    def __init__(
        self,
        client: viser.ClientHandle,
        labels: Sequence[str],
        wish: Callable[[Callable[[], None]], None],
        side_by_side: int,
        references: bool = False,
    ):
        """Lay them out.

        Args:
            client: The spectator.
            labels: Names of the motions.
            wish: Called with what is to be done, from another thread.
            side_by_side: How many motions are shown beside each other at most.
            references: Whether some of the motions follow a reference, which can be hidden.
        """
        self._client, self._wish = client, wish
        self._labels = list(labels)
        self.on: dict[str, Callable[[Any], None]] = {}
        """What happens: ``clip`` (index), ``toggle``, ``seek`` (frame), ``step`` (frames), ``speed``, ``loop``,
        ``side_by_side`` and ``look``."""
        gui = client.gui
        self._facts = gui.add_html("", order=1.0)
        self._clip = gui.add_dropdown("Motion", self._labels, order=2.0, visible=len(self._labels) > 1)
        self._play = gui.add_button("Play", icon="player-play", order=10.0)
        self._step = gui.add_button_group("Step", ("-10", "-1", "+1", "+10"), order=11.0)
        self._slider = self._make_slider(1, None)
        self._instant = gui.add_html("", order=21.0)
        self._strip = gui.add_html("", order=22.0)
        self._findings = gui.add_dropdown("Findings", ("",), order=23.0, visible=False)
        self._speed = gui.add_slider("Speed", 0.1, 4.0, 0.1, 1.0, order=30.0)
        self._loop = gui.add_checkbox("Loop", True, order=31.0)
        self._follow = gui.add_checkbox("Follow", True, order=32.0, hint="Keep the robot in the middle")
        self._contacts = gui.add_checkbox("Contacts", True, order=33.0, hint="Colour the feet that stand on the ground")
        self._beside = gui.add_checkbox(
            "Side by side", False, order=34.0, visible=len(self._labels) > 1, hint=f"Up to {side_by_side} motions"
        )
        self._reference = gui.add_checkbox(
            "Reference", True, order=35.0, visible=references, hint="What the robot was to do, green and see-through"
        )
        self._look = gui.add_button("Reset view", icon="camera", order=40.0)
        self._frames: list[int] = []
        self._listen()

    @property
    def follow(self) -> bool:
        """Whether the robot is kept in the middle."""
        return self._follow.value

    @property
    def contacts(self) -> bool:
        """Whether feet on the ground are coloured."""
        return self._contacts.value

    @property
    def reference(self) -> bool:
        """Whether the references are shown."""
        return self._reference.value

    @property
    def side_by_side(self) -> bool:
        """Whether several motions are shown beside each other."""
        return self._beside.value

    def choose(self, index: int) -> None:
        """Show that a motion is chosen."""
        self._clip.value = self._labels[index]

    def show_motion(self, facts: str, num_frames: int, judgement: Judgement | None) -> None:
        """Show what is known of a motion.

        Args:
            facts: HTML.
            num_frames: Frames of it.
            judgement: What the doctor says, if anything yet.
        """
        self._facts.content = f'<div style="padding:0 1em">{facts}</div>'
        old, self._slider = self._slider, self._make_slider(num_frames, judgement)
        old.remove()
        marks = judgement.marks[:_MOST_FINDINGS] if judgement else ()
        self._frames = [mark.frame or 0 for mark in marks]
        self._findings.visible = bool(marks)
        if marks:
            self._findings.options = ("jump to ...", *(f"{i}. {mark.text}" for i, mark in enumerate(marks, 1)))
            self._findings.value = "jump to ..."

    def show_instant(self, frame: int, playing: bool) -> None:
        """Show where the player is and whether it runs."""
        self._slider.value = frame
        label = "Pause" if playing else "Play"
        if self._play.label != label:
            self._play.label, self._play.icon = label, "player-pause" if playing else "player-play"

    def show_texts(self, instant: str, strip: str) -> None:
        """Write the line with the time, which is plain text, and the strip, which is HTML."""
        self._instant.content = f'<div class="instant" style="padding:0 1em;font-size:0.85em">{instant}</div>'
        self._strip.content = strip

    def say_fault(self, text: str) -> None:
        """Say in one line what went wrong."""
        self._client.add_notification("This motion cannot be shown", text, color="red")

    def _make_slider(self, num_frames: int, judgement: Judgement | None) -> Any:
        marks = (
            sorted({mark.frame for mark in judgement.marks if mark.frame is not None})[:_MOST_MARKS]
            if judgement
            else []
        )
        last = max(num_frames - 1, 1)
        slider = self._client.gui.add_slider(
            "Frame", 0, last, 1, 0, marks=tuple(marks) or None, order=_SLIDER_ORDER, hint="Marks are the doctor's"
        )

        @slider.on_update
        async def _(event: viser.GuiEvent) -> None:
            if event.client is not None:
                self._tell("seek", event.target.value)

        return slider

    def _tell(self, name: str, value: Any) -> None:
        self._wish(lambda: self.on[name](value))

    def _listen(self) -> None:
        """Turn what the spectator does into wishes; what this program itself sets is none."""
        # The functions are asynchronous so that they run in the order in which the browser sent them.
        pairs: list[tuple[Any, str, Callable[[Any], Any]]] = [
            (self._clip, "clip", self._labels.index),
            (self._speed, "speed", float),
            (self._loop, "loop", bool),
            (self._beside, "side_by_side", bool),
        ]
        for control, name, read in pairs:

            async def tell(event: viser.GuiEvent, name: str = name, read: Callable[[Any], Any] = read) -> None:
                if event.client is not None:
                    self._tell(name, read(event.target.value))

            control.on_update(tell)

        @self._findings.on_update
        async def _(event: viser.GuiEvent) -> None:
            number = str(event.target.value).partition(".")[0]
            if event.client is not None and number.isdigit() and int(number) <= len(self._frames):
                self._tell("seek", self._frames[int(number) - 1])

        @self._play.on_click
        async def _(_: viser.GuiEvent) -> None:
            self._tell("toggle", None)

        @self._step.on_click
        async def _(event: viser.GuiEvent) -> None:
            self._tell("step", int(event.target.value))

        @self._look.on_click
        async def _(_: viser.GuiEvent) -> None:
            self._tell("look", None)
