# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One spectator of the page: what they see, their player and their thread."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ...motion.clip import Clip, ClipError
from .controls import Controls
from .episode import Episode
from .judge import Judge, Judgement
from .meshes import LightMesh
from .playback import Playback
from .poses import BodyPoses
from .scene import Stage
from .shelf import Shelf
from .timeline import timeline_html

if TYPE_CHECKING:
    import viser

RATE = 30.0
"""Pictures per second [Hz]."""

SIDE_BY_SIDE = 6
"""How many robots are shown beside each other at most."""

_GAP = 1.5
"""Distance of robots that are shown beside each other [m]."""

_PANEL_RATE = 8.0
"""How often the texts of a running player are written anew [Hz]."""

_HOLD = 0.3
"""How long a running player waits after the spectator has moved its slider [s]."""


class Spectator(threading.Thread):
    """Plays motions for one browser.

    Everything happens in its own thread; what the browser wants comes through a queue. So a browser that is slow, or
    goes away in the middle of something, or makes this thread fail, touches no other.
    """

    def __init__(self, client: viser.ClientHandle, shelf: Shelf, meshes: Sequence[LightMesh], judge: Judge | None):
        """Wait for :meth:`start`.

        Args:
            client: The browser.
            shelf: The motions.
            meshes: What is seen of the robot.
            judge: Says what the doctor thinks, if anybody does.
        """
        super().__init__(name=f"spectator-{client.client_id}", daemon=True)
        self._client, self._shelf, self._judge = client, shelf, judge
        self._gone = threading.Event()
        self._wishes: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._meshes = meshes
        self.playback = Playback(1, 1.0)
        """What instant is seen."""
        self._index = 0
        self._shown: list[tuple[int, Clip, BodyPoses]] = []
        self._episodes: list[Episode | None] = []
        self._judgement: Judgement | None = None
        self._held_until = self._panel_due = 0.0
        self._drawn: tuple[Any, ...] | None = None

    def leave(self) -> None:
        """End the thread; it may be called from any other."""
        self._gone.set()

    def run(self) -> None:
        """Play until the spectator leaves."""
        self._stage = Stage(self._client, self._meshes, len(self._shelf.robot.body_names))
        self._controls = Controls(
            self._client, self._shelf.labels, self._wish, SIDE_BY_SIDE, self._shelf.episode(0) is not None
        )
        self._connect()
        self._load(0, look=True)
        before = time.perf_counter()
        while not self._gone.wait(max(before + 1.0 / RATE - time.perf_counter(), 0.001)):
            now = time.perf_counter()
            self._grant_wishes()
            if now >= self._held_until:
                self.playback.advance(now - before)
            before = now
            self._hear_judge()
            self._draw(now)

    def _wish(self, act: Callable[[], None]) -> None:
        self._wishes.put(act)

    def _grant_wishes(self) -> None:
        while True:
            try:
                self._wishes.get_nowait()()
            except queue.Empty:
                return

    def _connect(self) -> None:
        """Say what the controls do."""
        on = self._controls.on
        on["clip"] = self._load
        on["toggle"] = self._toggle
        on["seek"] = self._seek
        on["step"] = lambda frames: self._seek(self.playback.frame + frames)
        on["speed"] = lambda value: setattr(self.playback, "speed", value)
        on["loop"] = lambda value: setattr(self.playback, "loop", value)
        on["side_by_side"] = lambda _: self._load(self._index, look=True)
        on["look"] = lambda _: self._stage.look(self._heading())

    def _toggle(self, _: object = None) -> None:
        if self.playback.playing:
            self.playback.playing = False
        else:
            self.playback.play()

    def _seek(self, frame: int) -> None:
        self.playback.seek(frame)
        self._held_until = time.perf_counter() + _HOLD

    def _load(self, index: int, look: bool = False) -> None:
        """Show another motion, or several beside each other, from the start."""
        wanted = [index]
        if self._controls.side_by_side:
            others = [i for i in range(len(self._shelf.entries)) if i != index]
            wanted = sorted([index, *others[: SIDE_BY_SIDE - 1]])
        shown = []
        for i in wanted:
            try:
                shown.append((i, *self._shelf.take(i)))
            except (ClipError, OSError) as error:
                self._controls.say_fault(" ".join(str(error).split()))
        if not shown:
            if self._shown:
                self._controls.choose(self._index)
            return
        self._shown, self._index = shown, index if any(i == index for i, *_ in shown) else shown[0][0]
        self._episodes = [self._shelf.episode(i) for i, *_ in shown]
        longest = max((poses for *_, poses in shown), key=lambda poses: (poses.num_frames - 1) / poses.fps)
        self.playback.load(longest.num_frames, longest.fps)
        self._judgement, self._drawn = None, None
        with self._client.atomic():
            self._stage.cast([clip.name for _, clip, _ in shown], [item is not None for item in self._episodes])
            self._controls.choose(self._index)
            self._controls.show_motion(self._facts(), longest.num_frames, None)
            if look:
                self._stage.look(self._heading())

    def _current(self) -> tuple[int, Clip, BodyPoses]:
        return next(item for item in self._shown if item[0] == self._index)

    def _episode(self) -> Episode | None:
        """Return what the current motion was to follow."""
        return next(
            episode for item, episode in zip(self._shown, self._episodes, strict=True) if item[0] == self._index
        )

    def _heading(self) -> float:
        return self._current()[2].heading()

    def _facts(self) -> str:
        """Return what is known of the motion as HTML."""
        if not self._shown:
            return ""
        clip = self._current()[1]
        known = [f"{clip.duration:.2f} s", f"{clip.num_frames} frames", f"{clip.fps:g} a second"]
        episode = self._episode()
        known += [text for text in (clip.source, clip.license, episode.facts if episode else "") if text]
        return f'<b class="name">{escape(clip.name)}</b><br/>{escape(" | ".join(known))}'

    def _hear_judge(self) -> None:
        """Take over what the doctor says, once it is there."""
        if self._judge is None or self._judgement is not None or not self._shown:
            return
        index, clip, _ = self._current()
        self._judgement = self._judge.ask(index, clip)
        if self._judgement is not None:
            self._controls.show_motion(self._facts(), self.playback.num_frames, self._judgement)
            self._drawn = None

    def _draw(self, now: float) -> None:
        """Bring what is seen up to date; nothing is sent if nothing has changed."""
        if not self._shown:
            return
        playback, controls = self.playback, self._controls
        state = (playback.frame, playback.playing, controls.follow, controls.contacts, controls.reference)
        if state == self._drawn:
            return
        with self._client.atomic():
            self._draw_robots()
            controls.show_instant(playback.frame, playback.playing)
            if now >= self._panel_due or not playback.playing or self._drawn is None:
                self._panel_due = now + 1.0 / _PANEL_RATE
                _, clip, poses = self._current()
                at = min(round(playback.time * poses.fps), poses.num_frames - 1)
                waiting = Judgement("unknown", "examining ...") if self._judge is not None else None
                instant = f"{at / poses.fps:.2f} s of {clip.duration:.2f} s | frame {at} of {clip.num_frames - 1}"
                episode = self._episode()
                error = None if episode is None else episode.error
                if error is not None:
                    instant += f" | error {error[at]:.0f} mm"
                controls.show_texts(instant, timeline_html(clip, self._judgement or waiting, at, error))
        self._drawn = state

    def _draw_robots(self) -> None:
        count = len(self._shown)
        current = self._current()[2]
        across = current.heading() + 0.5 * np.pi
        side = np.array((np.cos(across), np.sin(across), 0.0))
        frames, shifts, touching = [], np.zeros((count, 3)), []
        for i, (_, clip, poses) in enumerate(self._shown):
            frames.append(min(round(self.playback.time * poses.fps), poses.num_frames - 1))
            if count > 1:  # from left to right for who stands in front of them, wherever their files start
                shifts[i, :2] = -poses.pos[0, 0, :2]
                shifts[i] += _GAP * (i - 0.5 * (count - 1)) * side
            touching.append(self._touching(clip, frames[i]) if self._controls.contacts else [])
        references = [None if item is None else item.reference for item in self._episodes]
        self._stage.hide_shadows(not self._controls.reference)
        self._stage.show([poses for *_, poses in self._shown], frames, shifts, touching, references)
        if self._controls.follow:
            spots = [poses.pos[frame, 0] for (*_, poses), frame in zip(self._shown, frames, strict=True)]
            self._stage.follow(np.mean(np.array(spots) + shifts, axis=0)[:2])

    def _touching(self, clip: Clip, frame: int) -> list[int]:
        """Return the robot's bodies that the clip says stand on the ground."""
        if clip.contacts is None:
            return []
        bodies = self._shelf.robot.body_names
        return [
            bodies.index(name)
            for name, on in zip(clip.contact_names, clip.contacts[frame], strict=True)
            if on and name in bodies
        ]
