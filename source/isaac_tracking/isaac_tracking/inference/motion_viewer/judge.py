# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the doctor says of the motions in a viewer: judged in the background, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...motion.clip import Clip
from ...motion.robot import Robot

if TYPE_CHECKING:
    from ...motion.doctor import Diagnosis

_FAULTS = (ImportError, ValueError, OSError, RuntimeError, ArithmeticError, LookupError, AttributeError, TypeError)
"""What an examination may raise: a page that cannot say what the doctor thinks still plays the motion."""


@dataclass(frozen=True)
class Mark:
    """A finding as it is shown on the timeline."""

    frame: int | None
    """Frame at which it is worst; None if it is about the whole motion."""

    severity: str
    """``"warn"`` or ``"reject"``."""

    text: str
    """One line."""

    spans: tuple[tuple[int, int], ...] = ()
    """First and last frame of each stretch that is beyond the limit."""


@dataclass(frozen=True)
class Judgement:
    """What the doctor found, ready to be shown."""

    verdict: str
    """``"ok"``, ``"warn"`` or ``"reject"``; ``"unknown"`` if there is no judgement."""

    line: str
    """The verdict in a few words, or why there is none."""

    marks: tuple[Mark, ...] = ()
    """The findings in the order of the frames."""


class Judge:
    """Has each motion examined once, when it is first asked for; answers are there later."""

    def __init__(self, robot: Robot, examine: Callable[[Clip, Robot], Diagnosis] | None = None):
        """Wait for questions.

        Args:
            robot: Whose motions they are.
            examine: Returns a diagnosis; that of :mod:`isaac_tracking.motion.doctor` if None.
        """
        self._robot, self._examine = robot, examine
        self._answers: dict[int, Judgement | None] = {}
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def ask(self, key: int, clip: Clip) -> Judgement | None:
        """Return what is known of a motion; None while it is being examined. The first call starts that."""
        with self._lock:
            if key in self._answers:
                return self._answers[key]
            self._answers[key] = None
        # A thread that dies with the process: nobody waits for an examination after Ctrl-C.
        threading.Thread(target=self._work, args=(key, clip), name=f"doctor-{key}", daemon=True).start()
        return None

    def _work(self, key: int, clip: Clip) -> None:
        answer = Judgement("unknown", "the doctor failed")
        try:
            with self._one_at_a_time:
                answer = read_diagnosis(self._call(clip), clip)
        except _FAULTS as error:
            answer = Judgement("unknown", f"no judgement: {' '.join(str(error).split()) or type(error).__name__}")
        finally:
            with self._lock:
                self._answers[key] = answer

    def _call(self, clip: Clip) -> Diagnosis:
        if self._examine is not None:
            return self._examine(clip, self._robot)
        from ...motion.doctor import examine

        return examine(clip, self._robot)


def read_diagnosis(diagnosis: Diagnosis, clip: Clip) -> Judgement:
    """Turn the doctor's diagnosis of a motion into what is shown: the findings that warn or reject."""
    marks = []
    for finding in diagnosis.findings:
        if finding.severity not in ("warn", "reject"):
            continue
        frame = None if finding.frame is None else min(max(int(finding.frame), 0), clip.num_frames - 1)
        text = " ".join(finding.sentence().split())
        marks.append(Mark(frame, finding.severity, text, tuple(finding.spans)))
    marks.sort(key=lambda mark: -1 if mark.frame is None else mark.frame)
    found = f"{len(marks)} finding{'s' * (len(marks) != 1)}" if marks else "nothing found"
    return Judgement(diagnosis.verdict, f"{diagnosis.verdict}: {found}", tuple(marks))


def stretches(on: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Return the first and the last index of each run of true values, shape (T,)."""
    edges = np.diff(np.concatenate(([0], on.astype(int), [0])))
    return tuple(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))
