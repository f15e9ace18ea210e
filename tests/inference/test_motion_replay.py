# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recorded episodes in the page: robot and reference at the same instant, the error beside them."""

from __future__ import annotations

import io
import re
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from isaac_tracking.inference.motion_viewer.replay import ReplayShelf, draw_instants, worst_instant
from isaac_tracking.inference.motion_viewer.timeline import timeline_html
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.robot import Robot


@pytest.fixture(scope="module")
def robot() -> Robot:
    return motion_robot()


def test_an_episode_is_a_motion_with_its_reference_and_its_error(make_recording, robot):
    recording = make_recording(steps=20)
    shelf = ReplayShelf([("mine", recording), ("mine", make_recording("stand", outcome="clip_end"))], robot)
    assert shelf.labels == ["mine", "mine (2)"]
    clip, poses = shelf.take(0)
    episode = shelf.episode(0)
    assert clip.name == "mine" and clip.num_frames == poses.num_frames == episode.reference.num_frames == 20
    # The root leaves the reference by 1 mm to 50 mm, and all bodies with it.
    apart = poses.pos - episode.reference.pos
    assert apart[..., 1] == pytest.approx(np.linspace(0.001, 0.05, 20)[:, None].repeat(30, 1), abs=2e-5)
    assert np.abs(apart[..., [0, 2]]).max() < 2e-5
    assert episode.error == pytest.approx(np.linspace(1.0, 50.0, 20), abs=1e-2)
    assert episode.facts.startswith("ended by anchor_tilt, mean error 2")
    assert shelf.episode(1).facts.startswith("followed to the clip's end")
    assert worst_instant(recording) == 19
    with pytest.raises(ClipError, match="no motion to show"):
        ReplayShelf([], robot)


def test_the_timeline_draws_the_error(make_clip):
    clip = make_clip(frames=11, fps=50.0)
    error = np.zeros(11)
    error[5], error[10] = 40.0, 20.0
    html = timeline_html(clip, None, 0, error)
    # One row of 14 for the doctor's marks, then 60 for the curve with 2 above and below.
    points = re.search(r'class="error" points="([^"]+)"', html).group(1).split()  # type: ignore[union-attr]
    assert len(points) == 11 and (points[0], points[5], points[10]) == ("0.0,72.0", "500.0,16.0", "1000.0,44.0")
    assert "error: mean 5 mm, largest 40 mm at 0.10 s (frame 5)" in html
    assert "polyline" not in timeline_html(clip, None, 0)


def test_a_long_curve_keeps_its_peak(make_clip):
    error = np.ones(5000)
    error[3456] = 100.0
    html = timeline_html(make_clip(frames=5000), None, 0, error)
    points = re.search(r'class="error" points="([^"]+)"', html).group(1).split()  # type: ignore[union-attr]
    assert len(points) == 500 and sum(point.endswith(",16.0") for point in points) == 1


def test_a_picture_shows_the_worst_instant_or_the_one_that_was_asked_for(make_recording, robot):
    # Its error grows, so its worst instant is the last one.
    first, last = make_recording(steps=10), make_recording(steps=40)
    sheet = draw_instants([("a", first), ("a", last)], robot, size=(160, 120))
    assert sheet.shape == (120, 320, 3) and not np.array_equal(sheet[:, :160], sheet[:, 160:])
    assert np.array_equal(draw_instants([("a", last)], robot, 0.8, (160, 120)), sheet[:, 160:])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Queued a .* on a closed connection")
def test_replay_in_a_browser(make_recording, robot):
    pytest.importorskip("viser")
    api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium")
    from isaac_tracking.inference.motion_viewer.page import MotionPage

    shelf = ReplayShelf([("mine", make_recording(steps=40))], robot)
    arguments = ["--no-sandbox", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
    with MotionPage(shelf, port=0, cell=0.03) as page, api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        window = browser.new_page(viewport={"width": 900, "height": 320})
        errors: list[str] = []
        window.on("pageerror", lambda error: errors.append(str(error)))
        window.goto(page.url)
        window.get_by_role("slider").first.wait_for(timeout=60_000)

        def until(check) -> None:
            end = time.monotonic() + 30.0
            while not check():
                assert time.monotonic() < end, window.locator("body").inner_text()
                time.sleep(0.05)

        def green() -> int:
            """Count pixels that are green: the reference, and an axis of the origin."""
            data = window.screenshot(clip={"x": 240, "y": 0, "width": 250, "height": 320})
            red, green, blue = np.moveaxis(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int), -1, 0)
            return int(((green > red + 15) & (green > blue + 15)).sum())

        until(lambda: "error 1 mm" in window.locator(".instant").inner_text())
        assert "ended by anchor_tilt" in window.locator("body").inner_text()
        assert window.locator("polyline.error").count() == 1
        assert "largest 50 mm at 0.78 s (frame 39)" in window.locator(".worst").inner_text()
        until(lambda: green() > 500)
        shown = green()
        # A step on, the error is the next one; and the reference goes when it is not wanted.
        window.get_by_role("button", name="+10", exact=True).dispatch_event("click")
        until(lambda: "frame 10 of 39 | error 14 mm" in window.locator(".instant").inner_text())
        window.get_by_role("checkbox", name="Reference").dispatch_event("click")
        until(lambda: green() < 0.3 * shown)
        assert errors == []
        browser.close()
