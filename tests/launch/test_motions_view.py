# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py view`` and ``publish`` and ``mujoco_viewer.py`` as a user calls them."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.inference.film import check_film
from isaac_tracking.launch import main as entry
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "motions"


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A fifth of a second of a walk, as a file."""
    walk = Clip.load(shipped_clips()["walk"])
    path = tmp_path / "short.npz"
    arrays = (walk.joint_pos, walk.body_pos_w, walk.body_quat_w)
    Clip("short", 50.0, walk.joint_names, walk.body_names, *(array[200:211] for array in arrays)).save(path)
    return path


def fails(command: str, *args: str, capsys: pytest.CaptureFixture) -> str:
    assert entry.main(command, list(args)) == 2
    message = capsys.readouterr().err
    assert message.startswith("Error: ") and message.count("\n") == 1
    return message


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("view", "nope"), "motion 'nope' is neither a shipped clip"),
        (("view",), "no motion was named"),
        (("view", "walk", "--video", "film.avi"), "--video 'film.avi' must end in '.mp4'"),
        (("view", "walk", "--png", "sheet.jpg"), "--png 'sheet.jpg' must end in '.png'"),
        (("view", "walk", "--time", "1"), "--time 1 must be 0 or more, and goes with --png"),
        (("view", "walk", "--png", "a.png", "--time", "nan"), "--time nan must be 0 or more"),
        (("view", "walk", "--size", "33", "32", "--png", "a.png"), "--size 33 32 must be two even numbers"),
        (("view", "walk", "--port", "70000"), "port 70000 does not exist"),
        (("view", "walk", "--host", "8.8.8.8"), "port 8080 of 8.8.8.8 cannot be had"),
        (("publish", "walk", "--speed", "0"), "--speed 0 must be from 0.01 to 100"),
        (("publish", "walk", "--endpoint", "nowhere"), "endpoint 'nowhere' cannot be published to"),
    ],
)
def test_mistakes_are_one_line(args: tuple[str, ...], words: str, capsys: pytest.CaptureFixture, tmp_path: Path):
    assert words in fails("motions", *args, capsys=capsys)


def test_a_port_in_use_is_named_with_the_option(capsys: pytest.CaptureFixture):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = fails("motions", "view", "walk", "--port", str(port), capsys=capsys)
    assert message == f"Error: port {port} of 127.0.0.1 is in use; choose another with --port or --host\n"


def test_a_lone_damaged_clip_is_said_before_the_page_opens(tmp_path: Path, capsys: pytest.CaptureFixture, short: Path):
    bad = tmp_path / "bad.npz"
    bad.write_bytes(short.read_bytes()[:3000])
    assert "bad.npz" in fails("motions", "view", str(bad), capsys=capsys)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--frames", "0"), "--frames 0 must be 1 or more"),
        (("--timeout", "-1"), "--timeout -1 must be above 0"),
        (("walk", "--headless"), "for files give --video"),
        (("--video", "a.gif"), "must end in '.mp4'"),
        (("--headless", "--timeout", "0.2", "--endpoint", "tcp://127.0.0.1:9"), "nothing to show came from"),
        (("--headless", "--endpoint", "nowhere"), "endpoint 'nowhere' cannot be listened to"),
    ],
)
def test_mistakes_of_the_mujoco_viewer_are_one_line(args: tuple[str, ...], words: str, capsys: pytest.CaptureFixture):
    assert words in fails("mujoco_viewer", *args, capsys=capsys)


@pytest.mark.parametrize("args", [(), ("walk",)])
def test_without_a_display_the_viewer_names_the_ways_out(
    args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    message = fails("mujoco_viewer", *args, capsys=capsys)
    assert "--video FILE.mp4" in message and "motions.py view" in message


@pytest.mark.skipif(sys.platform != "linux", reason="displays have names on Linux alone")
def test_a_display_that_cannot_be_opened_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    message = fails("mujoco_viewer", "walk", capsys=capsys)
    assert "cannot be opened here" in message or "package 'glfw' is missing" in message


def test_film_and_picture_of_clips(tmp_path: Path, short: Path, capsys: pytest.CaptureFixture):
    film, sheet = tmp_path / "new" / "film.mp4", tmp_path / "new" / "sheet.png"
    args = ["view", str(short), str(short.parent), "--size", "160", "120", "--video", str(film), "--png", str(sheet)]
    assert entry.main("motions", args) == 0
    assert check_film(film, frames=7, fps=30.0, may_stand_still=True).size == (160, 120)
    from PIL import Image

    with Image.open(sheet) as picture:
        assert picture.size == (160, 120) and len(picture.getcolors(1 << 20)) > 500
    out = capsys.readouterr().out
    assert f"film {film} | 7 pictures | 30 a second | 0.2 s" in out and f"picture {sheet} | 160x120" in out


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared motions are not here")
def test_a_file_of_another_project_is_drawn(tmp_path: Path):
    sheet = tmp_path / "sheet.png"
    csv = SHARED / "ProtoMotions" / "output_walk.csv"
    assert entry.main("motions", ["view", str(csv), "--png", str(sheet), "--size", "160", "120"]) == 0
    assert sheet.is_file()


def started(*args: str) -> subprocess.Popen[str]:
    # A shell's background jobs ignore Ctrl-C, and so would what they start.
    heed = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    command = [sys.executable, str(ROOT / "scripts" / args[0]), *args[1:]]
    return subprocess.Popen(command, preexec_fn=heed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_ctrl_c_closes_the_page():
    with started("motions.py", "view", "walk", "--port", "0") as process:
        line = process.stdout.readline()
        port = int(re.fullmatch(r"\[isaac_tracking\] 1 motion at http://127.0.0.1:(\d+) \| .*\n", line)[1])
        socket.create_connection(("127.0.0.1", port), timeout=5.0).close()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and err == "\nStopped by Ctrl-C.\n" and out == ""


@pytest.mark.slow
def test_published_motion_becomes_a_film_and_keeps_its_rate(tmp_path: Path, capsys: pytest.CaptureFixture):
    film = tmp_path / "stream.mp4"
    with started("motions.py", "publish", "stand", "--loop", "--endpoint", "tcp://127.0.0.1:*") as process:
        endpoint = re.search(r"publishing at (tcp://127.0.0.1:\d+) ", process.stdout.readline())[1]
        args = ["--endpoint", endpoint, "--frames", "26", "--video", str(film), "--size", "64", "48"]
        assert entry.main("mujoco_viewer", args) == 0
        before = time.monotonic()
        assert entry.main("mujoco_viewer", ["--endpoint", endpoint, "--frames", "150", "--headless"]) == 0
        seconds = time.monotonic() - before
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in err
    out = capsys.readouterr().out
    assert "26 frames received" in out and "150 frames received" in out
    assert 149 / 50.0 * 0.95 < seconds < 149 / 50.0 * 1.25 + 1.5  # and the time to connect
    # 26 frames at 50 Hz are half a second, unless the clip began anew among them.
    assert check_film(film, fps=30.0, may_stand_still=True).frames in (15, 16, 17)


def test_the_puppet_stands_where_the_clip_says(g1_model: object):
    from isaac_tracking.inference.motion_mujoco import MujocoPuppet
    from isaac_tracking.motion.clip import ClipError

    robot, clip = motion_robot(), Clip.load(shipped_clips()["walk"])
    puppet = MujocoPuppet(robot)
    back = tuple(reversed(clip.joint_names))
    puppet.pose(back, clip.joint_pos[123, ::-1], clip.body_pos_w[123, 0], clip.body_quat_w[123, 0])
    places = [puppet.model.body(name).id for name in clip.body_names]
    assert np.abs(puppet.data.xpos[places] - clip.body_pos_w[123]).max() < 1e-5
    with pytest.raises(ClipError, match="joint 'knee' is missing or not of robot 'unitree_g1'"):
        puppet.pose(("knee", *clip.joint_names), np.zeros(30))
    assert puppet.model.ngeom == g1_model.ngeom + 1
