# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The page stands on its own, sorts, and lets no name do harm."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from isaac_tracking.motion.doctor import Diagnosis, Finding, Series, page
from isaac_tracking.motion.doctor.plots import plot

EVIL = "<script>alert(1)</script>"


def diagnosis(name: str, severity: str, slide: float, seconds: float = 2.0) -> Diagnosis:
    frames = int(seconds * 50.0) + 1
    curve = np.linspace(0.0, slide, frames)
    curve[10:20] = np.nan
    found = Finding("foot slide", severity, slide, "m/s", 0.2, frames - 1, seconds, 0.5, f"left {EVIL}")
    series = Series("slide", "m/s", curve, (), (("warn", 0.2), ("reject", 0.6)), ("foot slide",))
    two = Series("soles", "m/s", np.stack((curve, 2.0 * curve), axis=1), ("left", "right"))
    return Diagnosis(name, frames, 50.0, (found,), (series, two))


def some() -> list[Diagnosis]:
    return [diagnosis("b", "ok", 0.05), diagnosis(EVIL, "warn", 0.3, 10.0), diagnosis("a", "reject", 2.0)]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append((tag, dict(attrs)))


def test_page_needs_no_other_file_and_runs_no_name() -> None:
    parser = Tags()
    text = page(some(), [("<b>.npz", "broken <i>"), (EVIL, "x")], title=f"Doctor {EVIL}")
    parser.feed(text)
    tags = [tag for tag, _ in parser.opened]
    assert tags.count("script") == 1 and tags.count("details") == 3 and tags.count("svg") == 6
    assert not {"link", "img", "iframe", "i"} & set(tags)
    sources = [value for _, attributes in parser.opened for key, value in attributes.items() if key in ("src", "href")]
    assert sources == ["#clip-0", "#clip-1", "#clip-2"]
    assert "http" not in text
    assert EVIL not in text


def test_page_is_sorted_worst_first() -> None:
    parser = Tags()
    text = page(some())
    parser.feed(text)
    rows = [attributes["data-key"] for tag, attributes in parser.opened if tag == "td"][::16]
    assert rows == ["a", EVIL, "b"]
    assert "3 clips, 14 s: 1 ok, 1 warn, 1 reject" in text


def test_page_of_nothing_but_unreadable_files() -> None:
    text = page([], [("a.npz", "is empty")])
    assert "0 clips" in text and "<b>a.npz</b>: is empty" in text


def test_plot_draws_curve_limits_and_marks_where_they_belong() -> None:
    ill = diagnosis("a", "reject", 2.0)
    root = ElementTree.fromstring(plot(ill.series[0], 50.0, ill.faults))
    limits = [line for line in root.iter("line") if "mark" not in line.attrib["class"]]
    assert [line.attrib["class"] for line in limits] == ["warn", "reject"]
    (mark,) = [line for line in root.iter("line") if "mark" in line.attrib["class"]]
    assert mark.attrib["x1"] == "512.0" and mark[0].text == ill.faults[0].sentence()
    pieces = [line.attrib["points"].split() for line in root.iter("polyline")]
    # The gap of ten frames parts the curve.
    assert len(pieces) == 2
    assert pieces[0][0].startswith("46,") and pieces[1][-1].startswith("512,")
    heights = [float(point.split(",")[1]) for piece in pieces for point in piece]
    assert heights == sorted(heights, reverse=True)
    assert float(limits[0].attrib["y1"]) > float(limits[1].attrib["y1"])


def test_plot_keeps_peaks_of_long_curves() -> None:
    curve = np.zeros(100_000)
    curve[77_777] = 1.0
    text = plot(Series("x", "m", curve), 50.0, ())
    assert len(text) < 20_000
    root = ElementTree.fromstring(text)
    points = [point.split(",") for line in root.iter("polyline") for point in line.attrib["points"].split()]
    x, _ = min(points, key=lambda point: float(point[1]))
    assert float(x) == pytest.approx(46.0 + 466.0 * 77_777 / 99_999, abs=0.5)


@pytest.mark.parametrize("values", [np.full(5, np.nan), np.zeros(5), np.zeros((5, 2)), np.ones(2)])
def test_plot_of_curves_with_nothing_to_see(values: np.ndarray) -> None:
    drawing = ElementTree.fromstring(plot(Series("x", "m", values, (), (("warn", 0.1),)), 50.0, ()))
    assert drawing.tag.endswith("svg")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium here")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


def test_page_in_a_browser(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page(some(), [(EVIL, EVIL)]), encoding="utf-8")
    tab = browser.new_page()
    trouble: list[str] = []
    tab.on("console", lambda message: trouble.append(message.text))
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: trouble.append(request.url) if not request.url.startswith("file:") else None)
    tab.goto(path.as_uri())

    def names() -> list[str]:
        return tab.locator("tbody tr td:first-child").all_inner_texts()

    assert names() == ["a", EVIL, "b"]
    slide = tab.get_by_role("button", name="slide [m/s]")
    slide.click()
    assert names() == ["a", EVIL, "b"]
    assert tab.locator("th[aria-sort=descending]").inner_text() == "slide [m/s]"
    slide.click()
    assert names() == ["b", EVIL, "a"]
    tab.get_by_role("button", name="s", exact=True).click()
    assert names()[0] == EVIL
    tab.get_by_role("button", name="clip").click()
    assert names() == [EVIL, "a", "b"]
    # A column that no clip has a value in leaves the order alone and does not fail.
    tab.get_by_role("button", name="torque [x]").click()
    assert sorted(names()) == sorted(["a", EVIL, "b"])
    details = tab.locator("details")
    assert not details.nth(1).evaluate("element => element.open")
    tab.get_by_role("link", name=EVIL).click()
    tab.wait_for_function("document.querySelectorAll('details')[1].open")
    assert details.nth(1).locator("svg").first.is_visible()
    assert trouble == []
    tab.close()
