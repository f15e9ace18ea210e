# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The page plays what the clip says, each browser for itself; films and pictures show the right instants."""

from __future__ import annotations

import io
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isaac_tracking.inference.film import check_film
from isaac_tracking.inference.motion_viewer.film import draw_sheet, film_times, write_film
from isaac_tracking.inference.motion_viewer.judge import Judge, read_diagnosis, stretches
from isaac_tracking.inference.motion_viewer.meshes import lighten
from isaac_tracking.inference.motion_viewer.playback import Playback
from isaac_tracking.inference.motion_viewer.poses import BodyPoses
from isaac_tracking.inference.motion_viewer.shelf import Shelf, is_clip, read_shelf
from isaac_tracking.inference.motion_viewer.timeline import timeline_html
from isaac_tracking.inference.visual_mesh import VisualMesh
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.doctor import Diagnosis, Finding
from isaac_tracking.motion.robot import Robot
from patience import wait_for

SLIDE = Finding("foot slide", "warn", 0.45, "m/s", 0.3, frame=4, time=0.08, spans=((3, 5),))
FACT = Finding("root height", "info", 0.75, "m")
REJECT = Finding("length", "reject", 0.2, "s", 0.5, detail="<b>too short</b>")


@pytest.fixture(scope="module")
def robot() -> Robot:
    return motion_robot()


@pytest.fixture(scope="module")
def walk() -> Clip:
    return Clip.load(shipped_clips()["walk"])


def diagnosis(*findings: Finding, clip: Clip) -> Diagnosis:
    return Diagnosis(clip.name, clip.num_frames, clip.fps, findings)


# Playback


def test_time_passes_with_the_wall_clock_times_the_speed():
    playback = Playback(101, 50.0, playing=True)
    playback.advance(0.5)
    assert (playback.frame, playback.duration) == (25, 2.0)
    playback.speed = 0.5
    playback.advance(1.0)
    assert playback.frame == 50
    playback.playing = False
    playback.advance(10.0)
    assert playback.frame == 50


def test_it_loops_or_stops_at_the_end_and_starts_anew():
    playback = Playback(101, 50.0, time=1.9, playing=True)
    playback.advance(0.3)
    assert playback.frame == 10 and playback.playing
    playback.loop = False
    playback.advance(5.0)
    assert playback.frame == 100 and not playback.playing
    playback.play()
    assert playback.frame == 0 and playback.playing


def test_seeking_stays_inside_and_another_motion_starts_at_its_start():
    playback = Playback(101, 50.0, speed=2.0, playing=True)
    for frame, expected in ((30, 30), (-5, 0), (1000, 100)):
        playback.seek(frame)
        assert playback.frame == expected
    playback.load(11, 30.0)
    assert (playback.frame, playback.duration, playback.speed, playback.playing) == (0, 10 / 30.0, 2.0, True)


# Poses


def test_poses_come_in_the_robots_order(robot: Robot, walk: Clip):
    back = tuple(reversed(walk.body_names[1:]))
    order = [0, *range(len(walk.body_names) - 1, 0, -1)]
    turned = Clip(
        "turned", walk.fps, walk.joint_names, (walk.body_names[0], *back), walk.joint_pos,
        walk.body_pos_w[:, order], walk.body_quat_w[:, order],
    )  # fmt: skip
    poses = BodyPoses.of(turned, robot)
    foot = robot.body_names.index("left_ankle_roll_link")
    assert np.array_equal(poses.pos[:, foot], walk.body_pos_w[:, walk.body_names.index("left_ankle_roll_link")])


def test_bodies_that_a_clip_lacks_follow_from_its_joints(robot: Robot, walk: Clip):
    few = Clip(
        "few", walk.fps, walk.joint_names, walk.body_names[:3], walk.joint_pos,
        walk.body_pos_w[:, :3], walk.body_quat_w[:, :3],
    )  # fmt: skip
    assert np.abs(BodyPoses.of(few, robot).pos - walk.body_pos_w).max() < 1e-5


def test_a_clip_of_another_robot_is_refused(robot: Robot, make_clip: Callable[..., Clip]):
    with pytest.raises(ClipError, match="is of robot 'other'; expected 'unitree_g1'"):
        BodyPoses.of(make_clip(robot="other"), robot)
    with pytest.raises(ClipError, match="pelvis"):
        BodyPoses.of(make_clip(), robot)


def test_between_frames_a_pose_is_between_and_the_short_way_round():
    half = math.sqrt(0.5)
    pos = np.array([[[0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]]])
    quat = np.array([[[0.0, 0.0, 0.0, 1.0]], [[0.0, 0.0, -half, -half]]])  # the same as a quarter turn about z
    poses = BodyPoses(10.0, pos, quat).sampled(np.array([0.0, 0.05, 0.1, 9.0]))
    assert poses.pos[:, 0, 0].tolist() == pytest.approx([0.0, 0.5, 1.0, 1.0])
    eighth = [0.0, 0.0, math.sin(math.pi / 8), math.cos(math.pi / 8)]
    assert poses.quat[1, 0].tolist() == pytest.approx(eighth)
    assert np.linalg.norm(poses.quat, axis=-1) == pytest.approx(np.ones((4, 1)))
    assert BodyPoses(10.0, pos, quat).heading(1) == pytest.approx(math.pi / 2)


# Meshes


def test_near_corners_merge_and_sharp_edges_stay():
    # Two walls of a box that meet at x = 0: each two triangles; and one triangle smaller than a cell.
    flat = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0]]
    wall = [[0, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0], [0, 1, 1], [0, 0, 1]]
    tiny = [[0.5, 0.5, 0.0], [0.5001, 0.5, 0.0], [0.5, 0.5001, 0.0]]
    corners = np.array(flat + wall + tiny, dtype=np.float32)
    normals = np.array([[0, 0, 1]] * 6 + [[-1, 0, 0]] * 6 + [[0, 0, 1]] * 3, dtype=np.float32)
    light = lighten(VisualMesh(7, corners, normals, (0.1, 0.2, 0.3)), cell=0.01)
    assert len(light.faces) == 4 and light.body == 7 and light.color == (0.1, 0.2, 0.3)
    # Four corners of each wall; those on the common edge are there twice, at one place.
    used = light.vertices[np.unique(light.faces)]
    assert len(used) == 8 and len(np.unique(used, axis=0)) == 6
    for face, old in zip(light.faces, corners[:12].reshape(-1, 3, 3), strict=True):
        assert np.allclose(light.vertices[face], old)


# Shelf


def test_clips_are_read_when_they_are_looked_at(tmp_path: Path, robot: Robot, walk: Clip):
    walk.save(tmp_path / "a" / "walk.npz")
    walk.save(tmp_path / "b" / "walk.npz")
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    shelf, faults = read_shelf([tmp_path / "a" / "walk.npz", tmp_path / "b" / "walk.npz", tmp_path / "bad.npz"], robot)
    assert shelf is not None and shelf.labels == ["walk", "walk (2)"]
    assert len(faults) == 1 and "bad.npz" in faults[0] and "\n" not in faults[0]
    clip, poses = shelf.take(1)
    assert clip.content_hash == walk.content_hash and poses.num_frames == walk.num_frames
    assert shelf.take(1)[0] is clip
    (tmp_path / "a" / "walk.npz").unlink()
    with pytest.raises(ClipError, match="does not exist"):
        shelf.take(0)


def test_an_empty_shelf_is_refused_and_clips_are_told_apart(tmp_path: Path, robot: Robot):
    with pytest.raises(ClipError, match="no motion to show"):
        Shelf([], robot)
    np.savez(tmp_path / "other.npz", joint_pos=np.zeros((3, 29)))
    assert is_clip(shipped_clips()["walk"])
    assert not is_clip(tmp_path / "other.npz") and not is_clip(tmp_path / "nothing.npz") and not is_clip(tmp_path)


# Doctor


def test_findings_become_marks(walk: Clip):
    judgement = read_diagnosis(diagnosis(FACT, SLIDE, REJECT, clip=walk), walk)
    assert (judgement.verdict, judgement.line) == ("reject", "reject: 2 findings")
    assert [mark.frame for mark in judgement.marks] == [None, 4]
    assert judgement.marks[1].spans == ((3, 5),)
    assert judgement.marks[1].text.startswith("foot slide 0.45 m/s at 0.08 s")
    assert read_diagnosis(diagnosis(FACT, clip=walk), walk).line == "ok: nothing found"


def test_a_clip_is_examined_once_and_in_the_background(robot: Robot, walk: Clip):
    gate, calls = threading.Event(), []

    def examine(clip: Clip, of: Robot) -> Diagnosis:
        calls.append((clip.name, of.name))
        gate.wait(10.0)
        return diagnosis(SLIDE, clip=clip)

    judge = Judge(robot, examine)
    assert judge.ask(0, walk) is None and judge.ask(0, walk) is None
    gate.set()
    assert wait_for(lambda: judge.ask(0, walk)).line == "warn: 1 finding"
    assert calls == [("walk", "unitree_g1")]


def test_a_doctor_that_fails_is_said_in_a_line(robot: Robot, walk: Clip):
    def examine(clip: Clip, of: Robot) -> Diagnosis:
        raise ValueError("no\nlegs")

    judge = Judge(robot, examine)
    judgement = wait_for(lambda: judge.ask(0, walk))
    assert (judgement.verdict, judgement.line, judgement.marks) == ("unknown", "no judgement: no legs", ())


# Timeline


def test_stretches_are_first_and_last_frames():
    assert stretches(np.array([True, True, False, True])) == ((0, 1), (3, 3))
    assert stretches(np.zeros(4, dtype=bool)) == ()


def test_timeline_shows_contacts_marks_and_cursor_and_escapes(make_clip: Callable[..., Clip]):
    contacts = np.zeros((11, 1), dtype=bool)
    contacts[2:6] = True
    clip = make_clip(frames=11, contact_names=("<foot>",), contacts=contacts)
    html = timeline_html(clip, read_diagnosis(diagnosis(SLIDE, REJECT, clip=clip), clip), frame=5)
    assert '<rect x="200.0" y="2" height="10" fill="#1c7ed6" fill-opacity="1.0" width="300.0"/>' in html
    assert html.count('class="mark"') == 1 and 'x="398.0"' in html
    assert 'x1="500.0" x2="500.0"' in html
    assert "&lt;foot&gt;" in html and "<foot>" not in html
    assert "doctor: reject: 2 findings" in html
    assert "no contact labels" in timeline_html(make_clip(), None, 0)


def test_a_name_cannot_smuggle_html_into_the_timeline(make_clip: Callable[..., Clip]):
    evil = Finding("<script>x</script>", "warn", 1.0, '"', 0.5, frame=2, time=0.04)
    html = timeline_html(make_clip(), read_diagnosis(diagnosis(evil, clip=make_clip()), make_clip()), 0)
    assert "<script>" not in html and "&lt;script&gt;" in html


# Films and pictures


def test_film_times_run_in_real_time():
    assert film_times(0.3, 30.0).tolist() == pytest.approx([i / 30 for i in range(10)])
    assert len(film_times(9.99, 30.0)) == 300


def test_film_of_two_motions_runs_in_real_time(tmp_path: Path, robot: Robot, walk: Clip):
    parts = []
    for fps, frames in ((50.0, 11), (30.0, 4)):
        part = Clip(
            f"part{frames}", fps, walk.joint_names, walk.body_names, walk.joint_pos[100 : 100 + frames],
            walk.body_pos_w[100 : 100 + frames], walk.body_quat_w[100 : 100 + frames],
        )  # fmt: skip
        parts.append((part, BodyPoses.of(part, robot)))
    counted = list(write_film(tmp_path / "film.mp4", parts, robot, (160, 120)))
    assert counted == list(range(1, 12))  # 0.2 s and 0.1 s at 30 Hz, first and last picture included: 7 + 4
    report = check_film(tmp_path / "film.mp4", frames=11, fps=30.0)
    assert report.size == (160, 120)


def test_sheet_has_a_picture_for_each_motion_with_its_name(robot: Robot, walk: Clip):
    motion = (walk, BodyPoses.of(walk, robot))
    one = draw_sheet([motion], robot, 1.0, (160, 120))
    late = draw_sheet([motion], robot, 1.5, (160, 120))
    three = draw_sheet([motion] * 3, robot, 1.0, (160, 120))
    assert one.shape == (120, 160, 3) and three.shape == (240, 320, 3)
    assert np.array_equal(three[:120, 160:], one) and (three[120:, 160:] == 255).all()
    assert len(np.unique(one.reshape(-1, 3), axis=0)) > 500 and not np.array_equal(one, late)
    with pytest.raises(ValueError, match="at least one"):
        draw_sheet([], robot)


# The page


@pytest.fixture(scope="module")
def page(robot: Robot, walk: Clip) -> Iterator[Any]:
    pytest.importorskip("viser")
    from isaac_tracking.inference.motion_viewer.page import MotionPage

    shelf, _ = read_shelf([shipped_clips()["walk"], shipped_clips()["wave"]], robot)
    assert shelf is not None

    def examine(clip: Clip, of: Robot) -> Diagnosis:
        return diagnosis(SLIDE, REJECT, clip=clip)

    # Coarse meshes: the browser of the test draws on a CPU.
    with MotionPage(shelf, port=0, judge=Judge(robot, examine), cell=0.03) as opened:
        yield opened


def test_page_listens_on_loopback_alone_and_says_if_it_cannot(page: Any, robot: Robot):
    from isaac_tracking.inference.motion_viewer.page import MotionPage
    from isaac_tracking.inference.page_server import PageError

    assert page.url.startswith("http://127.0.0.1:")
    port = int(page.url.rpartition(":")[2])
    with pytest.raises(PageError, match=f"port {port} of 127.0.0.1 is in use"):
        MotionPage(Shelf([("walk", lambda: Clip.load(shipped_clips()["walk"]))], robot), port=port)
    with pytest.raises(PageError, match="port 70000 does not exist"):
        MotionPage(Shelf([("walk", lambda: Clip.load(shipped_clips()["walk"]))], robot), port=70000)
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)}
    for address in addresses - {"127.0.0.1", "127.0.1.1"}:
        with pytest.raises(OSError), socket.create_connection((address, port), timeout=2.0):
            pass


class Visitor:
    """A browser's window with the page open."""

    def __init__(self, browser: Any, url: str) -> None:
        self.context = browser.new_context(viewport={"width": 900, "height": 320})
        self.window = self.context.new_page()
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self.window.on("pageerror", lambda error: self.errors.append(str(error)))
        self.window.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.window.on("request", lambda request: self._note(request.url, url))
        self.window.goto(url)
        self.window.get_by_role("slider").first.wait_for(timeout=60_000)

    def _note(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:", "blob:")):
            self.strangers.append(asked)

    @property
    def slider(self) -> Any:
        return self.window.get_by_role("slider").first

    @property
    def frame(self) -> int:
        return int(self.slider.get_attribute("aria-valuenow"))

    def press(self, label: str) -> None:
        # Not click(): it waits for pictures, and these take long on a CPU.
        self.window.get_by_role("button", name=label, exact=True).dispatch_event("click")

    def picture(self) -> np.ndarray:
        """Return what is left of the panel, shape (320, 250, 3)."""
        from PIL import Image

        clip = {"x": 240, "y": 0, "width": 250, "height": 320}
        style = ".mantine-Notification-root { display: none }"
        data = self.window.screenshot(clip=clip, style=style)
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def robot_pixels(self) -> int:
        """Count the dark pixels: head, hands and hips, which the pale ground has none of."""
        return int((self.picture().max(axis=-1) < 90).sum())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Queued a .* on a closed connection")
def test_page_in_a_browser(page: Any, browser: Any, walk: Clip):
    first = Visitor(browser, page.url)
    wait_for(lambda: first.slider.get_attribute("aria-valuemax") == str(walk.num_frames - 1))
    wait_for(lambda: first.robot_pixels() > 300)
    assert len(np.unique(first.picture().reshape(-1, 3), axis=0)) > 300
    assert first.window.locator(".name").inner_text() == "walk"
    wait_for(lambda: "reject: 2 findings" in first.window.locator(".verdict").inner_text())

    # Play moves the slider in real time, pause stops it.
    assert first.frame == 0
    first.press("Play")
    wait_for(lambda: first.frame > 20)
    first.press("Pause")
    first.window.get_by_role("button", name="Play", exact=True).wait_for(timeout=30_000)
    time.sleep(0.3)
    stopped = first.frame
    time.sleep(0.7)
    assert first.frame == stopped > 20

    # Scrubbing changes the picture and the time.
    before = first.picture()
    box = first.slider.bounding_box()
    first.window.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    first.window.mouse.down()
    first.window.mouse.move(box["x"] + 90, box["y"] + 5)
    first.window.mouse.up()
    scrubbed = wait_for(lambda: first.frame != stopped and first.frame)
    wait_for(lambda: f"frame {scrubbed} of" in first.window.locator(".instant").inner_text())
    assert f"{scrubbed / walk.fps:.2f} s of 9.74 s" in first.window.locator(".instant").inner_text()
    wait_for(lambda: (np.abs(first.picture().astype(int) - before) > 24).any(-1).mean() > 0.01)

    # A second browser has a player of its own.
    second = Visitor(browser, page.url)
    second.press("Play")
    wait_for(lambda: second.frame > 10)
    assert first.frame == scrubbed and len(page.spectators) == 2

    # It goes away in the middle of playing: the first is still served.
    leaving = page.spectators[1]
    second.context.close()
    wait_for(lambda: len(page.spectators) == 1)
    leaving.join(timeout=5.0)
    assert not leaving.is_alive()
    first.press("+10")
    wait_for(lambda: first.frame == min(scrubbed + 10, walk.num_frames - 1))

    # Another motion.
    first.window.get_by_role("combobox", name="Motion").dispatch_event("click")
    first.window.get_by_role("option", name="wave").dispatch_event("click")
    wait_for(lambda: first.window.locator(".name").inner_text() == "wave")
    assert first.frame == 0
    assert first.errors == [] and first.strangers == []
    first.context.close()
