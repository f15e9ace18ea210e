# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/mujoco_viewer.py``: a stream or a file in MuJoCo's viewer; without a display, as a film."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro

from .checks import need_packages
from .errors import OptionError
from .motion_robots import motion_robot

if TYPE_CHECKING:
    from ..inference.motion_message import StreamFrame
    from ..inference.motion_stream import Subscriber
    from ..motion.clip import Clip
    from ..motion.robot import Robot

NEEDS_TASKS = False
"""Whether the tasks must be registered first."""

_PATIENCE = 600.0
"""Greatest --timeout [s]."""


@dataclass
class MujocoViewer:
    """Show a stream or files in MuJoCo's viewer.

    For example:

    mujoco_viewer.py (shows what 'motions.py publish walk' sends)

    mujoco_viewer.py walk squat (shows files)

    mujoco_viewer.py --video stream.mp4 --frames 500 (needs no display: a film of the stream)

    mujoco_viewer.py --headless --frames 100 (needs no display: counts what arrives)
    """

    motions: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CLIP")] = ()
    """Shipped clips, files and folders to show; the stream if none is named."""

    endpoint: str = "tcp://127.0.0.1:5555"
    """Where the stream is published."""

    headless: bool = False
    """Open no window; say what arrives."""

    video: Path | None = None
    """Open no window; write a film (.mp4) of what arrives, or of the files."""

    size: tuple[int, int] = (640, 480)
    """Width and height of the film [px]."""

    frames: int | None = None
    """Frames of the stream after which to stop; without it, when nothing has come for --timeout seconds."""

    timeout: float = 10.0
    """How long to wait for the stream without a window [s]."""

    loop: bool = True
    """Start files again after the last one, in the window."""

    def __call__(self) -> int:
        """Show what was asked for."""
        self._check()
        robot = motion_robot()
        if self.motions and self.video is not None:
            from .motion_tools.view import View

            return View(self.motions, video=self.video, size=self.size)()
        if self.video is not None or self.headless:
            return self._record(robot)
        if self.motions:
            return self._play(robot)
        return self._watch(robot)

    def _check(self) -> None:
        """Refuse what cannot be shown, before anything is started."""
        if self.video is not None and self.video.suffix.lower() != ".mp4":
            raise OptionError(f"--video '{self.video}' must end in '.mp4'")
        if any(not 16 <= length <= 4096 or length % 2 for length in self.size):
            raise OptionError(f"--size {self.size[0]} {self.size[1]} must be two even numbers from 16 to 4096")
        if self.frames is not None and self.frames < 1:
            raise OptionError(f"--frames {self.frames} must be 1 or more")
        if not 0.0 < self.timeout <= _PATIENCE:
            raise OptionError(f"--timeout {self.timeout:g} must be above 0 and at most {_PATIENCE:g}")
        windowless = self.video is not None or self.headless
        if self.motions and self.headless and self.video is None:
            raise OptionError("--headless counts what a stream sends; for files give --video FILE.mp4")
        if not windowless and sys.platform == "linux" and not has_display():
            raise OptionError(
                "MuJoCo's viewer needs a display and there is none; give --video FILE.mp4,"
                " or look at motions in a browser with 'motions.py view CLIP'"
            )
        if not windowless:
            need_packages(("mujoco", "glfw"))

    def _record(self, robot: Robot) -> int:
        """Take in the stream without a window; make a film of it if asked."""
        from .terminal import print_line

        takes: list[list[StreamFrame]] = []
        with _subscriber(self.endpoint) as subscriber:
            print_line(f"listening at {self.endpoint}")
            for frame, lost in _frames(subscriber, robot, self.timeout, self.frames):
                if not takes or _is_cut(takes[-1][-1], frame):
                    takes.append([frame])
                else:
                    takes[-1] += [takes[-1][-1]] * min(lost, 100) + [frame]
            reception = subscriber.reception
        counts = f"{reception.frames} frames received, {reception.lost} lost, {reception.refused} refused"
        for reason, times in reception.reasons.items():
            print_line(f"refused {times}: {reason}")
        if not takes:
            raise OptionError(
                f"nothing to show came from '{self.endpoint}' within {self.timeout:g} s ({counts});"
                " start 'motions.py publish CLIP --loop', or give its --endpoint"
            )
        print_line(counts)
        if self.video is not None:
            self._film([_clip_of(take, robot) for take in takes], robot)
        return 0

    def _film(self, clips: Sequence[Clip], robot: Robot) -> None:
        from ..inference.film import check_film
        from ..inference.motion_viewer.film import write_film
        from ..inference.motion_viewer.poses import BodyPoses
        from .terminal import print_line

        assert self.video is not None
        for _ in write_film(self.video, [(clip, BodyPoses.of(clip, robot)) for clip in clips], robot, self.size):
            pass
        report = check_film(self.video, may_stand_still=True)
        print_line(
            f"film {self.video} | {report.frames} pictures | {report.fps:.3g} a second | {report.duration:.1f} s"
        )

    def _watch(self, robot: Robot) -> int:
        """Show the stream in the window until that is closed."""
        from ..motion.clip import ClipError
        from .terminal import print_line

        said: set[str] = set()
        with _subscriber(self.endpoint, newest=True) as subscriber, Window(robot) as window:
            print_line(f"listening at {self.endpoint} | close the window or press Ctrl-C to end")
            while window.is_open():
                frame = subscriber.receive(0.05)
                faults = list(subscriber.reception.reasons)
                if frame is not None:
                    try:
                        window.show(frame.joint_names, frame.joint_pos, *_base_of(frame, robot))
                    except ClipError as error:
                        faults.append(str(error))
                for fault in [fault for fault in faults if fault not in said][: 20 - len(said)]:
                    said.add(fault)
                    print_line(f"refused: {fault}")
        return 0

    def _play(self, robot: Robot) -> int:
        """Show files in the window, in real time, until that is closed or they have ended."""
        from ..inference.pace import Pace
        from .motion_tools.view import open_shelf
        from .terminal import print_line

        shelf, faults = open_shelf(self.motions, robot)
        with Window(robot) as window:
            going = True
            while going and window.is_open():
                for index in range(len(shelf.entries)):
                    clip, poses = shelf.take(index)
                    joints = clip.joint_pos[:, clip.joint_indices(robot.joint_names)]
                    print_line(f"{clip.name}: {clip.duration:.2f} s")
                    for frame in Pace(clip.fps).ticks():
                        if frame >= clip.num_frames or not window.is_open():
                            break
                        window.show(robot.joint_names, joints[frame], poses.pos[frame, 0], poses.quat[frame, 0])
                going = self.loop
        return int(faults > 0)


class Window:
    """MuJoCo's viewer with the robot in it. Use it as a context."""

    def __init__(self, robot: Robot) -> None:
        """Open the window.

        Raises:
            OptionError: If that is not possible here.
        """
        import glfw
        import mujoco
        import mujoco.viewer

        from ..inference.motion_mujoco import MujocoPuppet

        with warnings.catch_warnings(record=True) as said:  # glfw warns and returns False
            warnings.simplefilter("always")
            # Tried first: where it fails, launch_passive would wait for ever for its own thread.
            opened = glfw.init()
        if not opened:
            why = " ".join(str(said[-1].message).split()) if said else "GLFW cannot be started"
            raise OptionError(
                f"MuJoCo's viewer cannot be opened here ({why}); give --video FILE.mp4,"
                " or look at motions in a browser with 'motions.py view CLIP'"
            )
        self._puppet = MujocoPuppet(robot)
        before = set(threading.enumerate())
        self._viewer = mujoco.viewer.launch_passive(
            self._puppet.model, self._puppet.data, show_left_ui=False, show_right_ui=False
        )
        self._threads = set(threading.enumerate()) - before
        camera = self._viewer.cam
        camera.type = mujoco.mjtCamera.mjCAMERA_TRACKING
        camera.trackbodyid = self._puppet.model.body(robot.body_names[0]).id
        camera.distance, camera.azimuth, camera.elevation = 3.0, 145.0, -13.0

    def is_open(self) -> bool:
        """Return whether the window is still there."""
        return self._viewer.is_running()

    def show(
        self, joint_names: Sequence[str], joint_pos: np.ndarray, base_pos: np.ndarray, base_quat: np.ndarray
    ) -> None:
        """Show a pose; see ``MujocoPuppet.pose``."""
        with self._viewer.lock():
            self._puppet.pose(joint_names, joint_pos, base_pos, base_quat)
        self._viewer.sync()

    def __enter__(self) -> Window:
        """Return the window itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the window."""
        self._viewer.close()
        # A program that ends while the viewer's thread still draws crashes in OpenGL.
        for thread in self._threads:
            thread.join(timeout=5.0)


def mujoco_viewer(argv: Sequence[str]) -> int:
    """Run the script and return its exit code.

    Raises:
        OptionError, ClipError, FilmError: If something the user gave cannot be used.
    """
    command = tyro.cli(MujocoViewer, prog="mujoco_viewer.py", args=list(argv))
    return command()


def has_display() -> bool:
    """Return whether a window could be opened."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _subscriber(endpoint: str, newest: bool = False) -> Subscriber:
    from ..inference.motion_message import StreamError
    from ..inference.motion_stream import Subscriber

    need_packages(("zmq",))
    try:
        return Subscriber(endpoint, newest=newest)
    except StreamError as error:
        raise OptionError(f"{error}; give another with --endpoint") from error


def _frames(
    subscriber: Subscriber, robot: Robot, timeout: float, most: int | None
) -> Iterator[tuple[StreamFrame, int]]:
    """Yield the frames of this robot and how many were lost before each; what is of another robot is refused."""
    from ..motion.clip import ClipError

    count, lost = 0, 0
    while most is None or count < most:
        frame = subscriber.receive(timeout)
        if frame is None:
            return
        try:
            _base_of(frame, robot)
        except ClipError as error:
            subscriber.refuse(str(error))
            continue
        count += 1
        yield frame, subscriber.reception.lost - lost
        lost = subscriber.reception.lost


def _base_of(frame: StreamFrame, robot: Robot) -> tuple[np.ndarray, np.ndarray]:
    """Return position and orientation of the base.

    Raises:
        ClipError: If the frame is of another robot.
    """
    from ..motion.clip import ClipError

    if frame.robot != robot.name or set(frame.joint_names) != set(robot.joint_names):
        raise ClipError(
            f"a frame of robot '{frame.robot}'; expected '{robot.name}' and its joints; publish its motions"
        )
    if robot.body_names[0] not in frame.body_names:
        raise ClipError(f"a frame without body '{robot.body_names[0]}'; expected it first; publish it")
    base = frame.body_names.index(robot.body_names[0])
    return frame.body_pos_w[base], frame.body_quat_w[base]


def _is_cut(before: StreamFrame, frame: StreamFrame) -> bool:
    """Return whether another motion begins, or the same one again."""
    return _kind(frame) != _kind(before) or frame.frame <= before.frame


def _kind(frame: StreamFrame) -> tuple[object, ...]:
    return frame.clip, frame.fps, frame.speed, frame.joint_names


def _clip_of(take: Sequence[StreamFrame], robot: Robot) -> Clip:
    """Make a motion of the frames of a stream, as fast as they came; a lone frame is shown twice."""
    take = [*take, *take] if len(take) == 1 else take
    bases = [_base_of(frame, robot) for frame in take]
    order = [take[0].joint_names.index(name) for name in robot.joint_names]
    return robot.clip(
        take[0].clip,
        take[0].fps * take[0].speed,
        np.array([pos for pos, _ in bases]),
        np.array([quat for _, quat in bases]),
        np.array([frame.joint_pos[order] for frame in take]),
    )
