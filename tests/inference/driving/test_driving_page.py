# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The page in a browser: keys, sliders and sticks drive, one browser at a time, and none can hold up another."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from toy_robot import Drive, ToyRobot

from isaac_tracking.inference.ground_mesh import GroundMesh
from isaac_tracking.inference.velocity.commands import Command
from isaac_tracking.robots import go1
from isaac_tracking.robots.mjcf import mjcf_path
from patience import wait_for

pytest.importorskip("viser")

from isaac_tracking.inference.driving.page import DrivingPage
from isaac_tracking.inference.page_server import PageError

REST = Command(0.0, 0.0, 0.0)
PAD = """
window.pad = {connected: true, axes: [0, 0, 0, 0], buttons: [{pressed: false}, {pressed: false}]};
navigator.getGamepads = () => [null, window.pad];
"""


def open_page(driven: Drive, port: int = 0) -> DrivingPage:
    # Coarse meshes: the browser of the test draws on a CPU.
    mjcf = mjcf_path(*go1.MODEL)
    return DrivingPage(driven.robot, mjcf, driven.wheel, driven.state, port=port, cell=0.03)


@pytest.fixture
def driven() -> Iterator[Drive]:
    with Drive(ToyRobot()) as opened:
        yield opened


@pytest.fixture
def page(driven: Drive) -> Iterator[DrivingPage]:
    with open_page(driven) as opened:
        yield opened


class Visitor:
    """A browser's window with the page open and its script running."""

    def __init__(self, browser: Any, url: str, script: str = "", width: int = 600) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 440})
        self.window = self.context.new_page()
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self.window.on("pageerror", lambda error: self.errors.append(str(error)))
        self.window.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.window.on("request", lambda request: self._note(request.url, url))
        if script:
            self.window.add_init_script(script)
        self.window.goto(url)
        self.window.wait_for_function("window.stopDriving !== undefined", timeout=60_000)

    def _note(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:", "blob:")):
            self.strangers.append(asked)

    @property
    def role(self) -> str:
        return self.window.locator(".role").inner_text()

    def button(self, label: str) -> Any:
        return self.window.get_by_role("button", name=label, exact=True)

    def press(self, label: str) -> None:
        # Not click(): it waits for pictures, and these take long on a CPU.
        self.button(label).dispatch_event("click")

    def type_into(self, box: int, text: str) -> None:
        field = self.window.locator("input[inputmode=decimal]").nth(box)
        field.fill(text)
        field.blur()

    def picture(self) -> np.ndarray:
        """Return the middle of a window of 1000 pixels, left of the panel, shape (360, 240, 3)."""
        from PIL import Image

        clip = {"x": 350, "y": 40, "width": 240, "height": 360}
        style = ".mantine-Notification-root { display: none }"
        data = self.window.screenshot(clip=clip, style=style, timeout=90_000)
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def close(self) -> None:
        self.context.close()


@pytest.mark.slow
def test_keys_drive_and_are_kept_from_the_camera(driven: Drive, page: DrivingPage, browser: Any):
    visitor = Visitor(browser, page.url)
    keyboard, wheel = visitor.window.keyboard, driven.wheel
    visitor.window.evaluate("document.addEventListener('keydown', (event) => { window.leaked = event.code; })")
    wait_for(lambda: visitor.role.startswith("nobody drives"))
    keyboard.down("w")
    wait_for(lambda: wheel.command == Command(0.6, 0.0, 0.0))
    wait_for(lambda: visitor.role == "you drive" and visitor.window.locator("tr.command").inner_text().count("+0.60"))
    keyboard.down("e")
    wait_for(lambda: wheel.command == pytest.approx((0.6, 0.0, -0.9)))
    keyboard.up("w")
    keyboard.up("e")
    wait_for(lambda: wheel.command == REST)
    assert driven.robot.x > 0.0 and driven.robot.yaw < 0.0
    # Sideways as fast as it was trained, then Space, with the keys still down.
    keyboard.down("Shift")
    keyboard.down("ArrowLeft")
    wait_for(lambda: wheel.command == Command(0.0, 0.5, 0.0))
    keyboard.press("Space")
    wait_for(lambda: wheel.command == REST)
    keyboard.up("ArrowLeft")
    keyboard.up("Shift")
    assert visitor.window.evaluate("window.leaked") == "ShiftLeft"
    # A window that is left holds no key.
    keyboard.down("s")
    wait_for(lambda: wheel.command == Command(-0.6, 0.0, 0.0))
    visitor.window.evaluate("window.dispatchEvent(new Event('blur'))")
    wait_for(lambda: wheel.command == REST)
    assert visitor.errors == [] and visitor.strangers == []
    visitor.close()


@pytest.mark.slow
def test_sliders_buttons_and_typing(driven: Drive, page: DrivingPage, browser: Any):
    visitor = Visitor(browser, page.url)
    wheel = driven.wheel
    visitor.type_into(0, "0.4")
    wait_for(lambda: wheel.command == Command(0.4, 0.0, 0.0))
    visitor.type_into(2, "-1.2")
    wait_for(lambda: wheel.command == Command(0.4, 0.0, -1.2))
    # Letters that are typed into a field drive nobody, but Space stops; the field of the script is seen by nobody.
    visitor.window.locator("input[inputmode=decimal]").nth(1).press("w")
    assert wheel.command == Command(0.4, 0.0, -1.2)
    visitor.window.locator("input[inputmode=decimal]").nth(1).press("Space")
    wait_for(lambda: wheel.command == REST)
    visitor.type_into(2, "1")
    wait_for(lambda: wheel.command == Command(0.0, 0.0, 1.0))
    assert not visitor.window.get_by_text("held", exact=True).is_visible()
    visitor.press("Stop")
    wait_for(lambda: wheel.command == REST)
    wait_for(lambda: float(visitor.window.locator("input[inputmode=decimal]").nth(0).input_value()) == 0.0)
    assert abs(driven.robot.yaw) > 0.0
    visitor.press("Start again")
    wait_for(lambda: driven.state.restarts == 1)
    wait_for(lambda: visitor.window.get_by_text("as asked").is_visible())
    assert driven.robot.yaw == driven.robot.x == 0.0
    visitor.close()


@pytest.mark.slow
def test_a_gamepad_drives(driven: Drive, page: DrivingPage, browser: Any):
    visitor = Visitor(browser, page.url, PAD)
    wheel = driven.wheel
    visitor.window.evaluate("window.pad.axes = [0.05, -1, 0, 0]")
    wait_for(lambda: wheel.command == Command(1.0, 0.0, 0.0))
    visitor.window.evaluate("window.pad.axes = [0, 0, -1, 0]")
    wait_for(lambda: wheel.command == Command(0.0, 0.0, 1.5))
    visitor.window.evaluate("window.pad.buttons[1].pressed = true")
    wait_for(lambda: wheel.command == REST)
    visitor.window.evaluate("window.pad.connected = false")
    visitor.window.keyboard.down("a")
    wait_for(lambda: wheel.command == pytest.approx((0.0, 0.3, 0.0)))
    visitor.close()


@pytest.mark.slow
def test_one_drives_and_the_others_look(driven: Drive, page: DrivingPage, browser: Any):
    first, second = Visitor(browser, page.url), Visitor(browser, page.url)
    wheel = driven.wheel
    first.window.keyboard.down("w")
    wait_for(lambda: wheel.command == Command(0.6, 0.0, 0.0))
    wait_for(lambda: second.role == "another browser drives" and second.button("Stop").is_disabled())
    # What it does counts for nothing, and its slider shows what the first does.
    forward = second.window.locator("input[inputmode=decimal]").nth(0)
    wait_for(lambda: float(forward.input_value()) == 0.6)
    second.type_into(0, "-1")
    wait_for(lambda: float(forward.input_value()) == 0.6)
    second.window.keyboard.down("s")
    second.window.wait_for_timeout(500)
    assert wheel.command == Command(0.6, 0.0, 0.0)
    second.window.keyboard.up("s")
    # It takes the wheel: the robot stops, and the first only looks.
    second.press("Take the wheel")
    wait_for(lambda: wheel.command == REST)
    wait_for(lambda: second.role == "you drive" and first.role == "another browser drives")
    second.window.keyboard.down("q")
    wait_for(lambda: wheel.command == pytest.approx((0.0, 0.0, 0.9)))
    # It goes away: the robot stops turning. The first still holds its key, and drives again.
    leaving = page.visitors[1]
    second.close()
    wait_for(lambda: wheel.command.yaw == 0.0)
    leaving.join(timeout=5.0)
    assert not leaving.is_alive() and len(page.visitors) == 1
    wait_for(lambda: wheel.command == Command(0.6, 0.0, 0.0))
    first.close()
    wait_for(lambda: wheel.look() == (None, REST) and not page.visitors)


@pytest.mark.slow
def test_the_robot_is_seen_and_the_ground_moves_under_it(browser: Any):
    # A wall of steps, 0.3 m high, 1.5 m ahead.
    x, z = (-20.0, 1.5, 1.5, 20.0), (0.0, 0.0, 0.3, 0.3)
    corners = np.array([(x[i], y, z[i]) for i in range(4) for y in (-20.0, 20.0)], dtype=np.float32)
    faces = [face for i in (0, 2, 4) for face in ((i, i + 2, i + 1), (i + 1, i + 2, i + 3))]
    ground = GroundMesh(corners, np.array(faces, dtype=np.int32))
    with Drive(ToyRobot(ground)) as driven, open_page(driven) as page:
        visitor = Visitor(browser, page.url, width=1000)
        dark = wait_for(lambda: int((visitor.picture().max(axis=-1) < 90).sum()) > 300, 60.0)
        assert dark
        before = visitor.picture()
        driven.robot.x = 1.2
        wait_for(lambda: (np.abs(visitor.picture().astype(int) - before) > 16).any(-1).mean() > 0.05, 60.0)
        visitor.close()


class BrokenBrowser:
    """Connects like a browser and then either says what nobody understands, or never reads what it is sent."""

    def __init__(self, url: str, junk: bytes | None) -> None:
        self._url, self._junk = url.replace("http", "ws"), junk
        self._done = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._stay()), daemon=True)
        self.thread.start()

    async def _stay(self) -> None:
        import viser
        import websockets
        from websockets.asyncio.client import connect

        protocol = websockets.Subprotocol(f"viser-v{viser.__version__}")
        with contextlib.suppress(websockets.ConnectionClosed, OSError):
            async with connect(self._url, subprotocols=[protocol], max_queue=1) as connection:
                if self._junk is not None:
                    await connection.send(self._junk)
                while not self._done.is_set():
                    await asyncio.sleep(0.05)

    def leave(self) -> None:
        self._done.set()
        self.thread.join(timeout=15.0)


@pytest.mark.slow
def test_broken_browsers_hold_up_nobody(driven: Drive, page: DrivingPage, browser: Any):
    broken = [BrokenBrowser(page.url, junk) for junk in (None, b"\xc1nothing", b"")]
    visitor = Visitor(browser, page.url)
    visitor.window.keyboard.down("w")
    wait_for(lambda: driven.wheel.command == Command(0.6, 0.0, 0.0))
    # The simulation goes on in real time, and the one browser that is whole is told about it.
    before = driven.robot.x
    wait_for(lambda: driven.robot.x > before + 0.6)
    wait_for(lambda: driven.state.share > 0.7)
    wait_for(lambda: "+0.60" in visitor.window.locator("tr.robot").inner_text())
    visitor.window.keyboard.up("w")
    wait_for(lambda: driven.wheel.command == REST)
    for each in broken:
        each.leave()
    assert visitor.errors == []
    visitor.close()


def test_it_listens_on_loopback_alone_and_says_if_it_cannot(driven: Drive, page: DrivingPage):
    assert page.url.startswith("http://127.0.0.1:")
    port = int(page.url.rpartition(":")[2])
    with pytest.raises(PageError, match=f"port {port} of 127.0.0.1 is in use"):
        open_page(driven, port)
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)}
    for address in addresses - {"127.0.0.1", "127.0.1.1"}:
        with pytest.raises(OSError), socket.create_connection((address, port), timeout=2.0):
            pass
