# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which episodes of an examination are filmed, how the report names the films, and which old ones go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from isaac_tracking.inference import episode_film
from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.evaluate import Evaluate
from isaac_tracking.launch.evaluation_films import (
    EvaluationFilms,
    FilmKey,
    check_film_options,
    film_names,
    keep_old_films,
    named_films,
    remove_old_films,
)
from isaac_tracking.launch.examination import write_report
from isaac_tracking.launch.motion_robots import motion_robot

CLIPS = "hard", "run/fast", "easy"
EPISODE = {"steps": 10, "outcome": "clip_end"}
ABOUT = {"checkpoint": {"sha256": "1"}, "task": "T", "settings": [], "engine": "E", "setting": "clean", "seed": 0}


def report() -> dict[str, Any]:
    rows = [{"name": name, "each": [{"repeat": repeat, "film": None} for repeat in (0, 1)]} for name in CLIPS]
    return {"film": None, "clips": rows}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is drawn, without drawing it: titles of the episodes."""
    calls: list[list[str]] = []

    def write(episodes: Sequence[Any], robot: object, combined: Path | None, each: Sequence[Path] | None, **_: object):
        calls.append([episode.title for episode in episodes])
        paths = [*(each or []), *([combined] if combined else [])]
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"film")
        if episodes[0].title.startswith("broken"):
            raise KeyboardInterrupt
        return {path: SimpleNamespace(frames=5, fps=25.0, duration=0.2) for path in paths}

    monkeypatch.setattr(episode_film, "write_films", write)
    return calls


def films_of(**options: Any) -> EvaluationFilms:
    films = EvaluationFilms(Evaluate(repeats=2, **options), motion_robot())
    for repeat in (1, 0):
        for name in ("easy", "run/fast", "hard"):
            keep(films, name, repeat)
    return films


def keep(films: EvaluationFilms, name: str, repeat: int, terrain: str | None = None, level: int | None = None) -> None:
    film: Any = SimpleNamespace(title=f"{name}, repeat {repeat}", steps=10)
    films.keep(FilmKey(name, repeat, terrain, level), film)


def test_the_worst_clips_are_filmed_and_named(drawn: list[list[str]], tmp_path: Path) -> None:
    content = report()
    films_of(video=True, episodes=True, worst=2).draw(tmp_path, content, content["clips"], "cpu")
    assert drawn == [["hard, repeat 0", "hard, repeat 1", "run/fast, repeat 0", "run/fast, repeat 1"]]
    assert content["film"] == "film.mp4"
    names = [each["film"] for row in content["clips"] for each in row["each"]]
    assert names == [*(f"films/{clip}_{n}.mp4" for clip in ("hard", "run__fast") for n in (0, 1)), None, None]
    assert all((tmp_path / name).is_file() for name in named_films(content))


def test_all_clips_are_filmed_without_worst(drawn: list[list[str]], tmp_path: Path) -> None:
    content = report()
    films_of(video=True).draw(tmp_path, content, content["clips"], "cpu")
    assert len(drawn[0]) == 6 and named_films(content) == {"film.mp4"}
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_nothing_is_filmed_if_nothing_is_asked_for(drawn: list[list[str]], tmp_path: Path) -> None:
    content = report()
    films = films_of()
    films.draw(tmp_path, content, content["clips"], "cpu")
    assert drawn == [] and named_films(content) == set() and films.megabytes([450]) == 0
    # 450 steps are 225 pictures, twice; two films of each at 0.02 MB a picture.
    assert films_of(video=True, episodes=True, worst=1).megabytes([450] * 3) == 18


def test_films_that_were_stopped_go(drawn: list[list[str]], tmp_path: Path) -> None:
    content = {"film": None, "clips": [{"name": "broken", "each": [{"repeat": 0, "film": None}]}]}
    films = films_of(video=True, episodes=True)
    keep(films, "broken", 0)
    with pytest.raises(KeyboardInterrupt):
        films.draw(tmp_path, content, content["clips"], "cpu")
    assert list(tmp_path.iterdir()) == [] and named_films(content) == set()


def test_on_uneven_ground_only_what_was_kept_is_filmed(drawn: list[list[str]], tmp_path: Path) -> None:
    """Of each command there are episodes on several grounds, of which one was kept."""
    each = [{"repeat": 0, "terrain": kind, "level": level, "film": None} for kind in "ab" for level in (0, 1)]
    content: dict[str, Any] = {"film": None, "commands": [{"name": "x 1 y 0", "each": each}]}
    films = EvaluationFilms(Evaluate(episodes=True), motion_robot())
    keep(films, "x 1 y 0", 0, "b", 1)
    films.draw(tmp_path, content, content["commands"], "cpu")
    assert drawn == [["x 1 y 0, repeat 0"]]
    assert [one["film"] for one in each] == [None, None, None, "films/x_1_y_0_0.mp4"]
    assert named_films(content) == {"films/x_1_y_0_0.mp4"}


def test_names_do_not_clash() -> None:
    names = film_names([("a/b", 0), ("a__b", 0), ("a", 0)])
    assert names == ["films/a__b_0.mp4", "films/a__b_0_2.mp4", "films/a_0.mp4"]


def test_only_films_of_the_replaced_report_go(tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    (folder / "films").mkdir(parents=True)
    kept = [tmp_path / "mine.mp4", folder / "films" / "mine.mp4", folder / "films" / "a_0.mp4"]
    gone = [folder / "film.mp4", folder / "films" / "a_1.mp4"]
    for path in (*kept, *gone):
        path.write_bytes(b"film")
    each = [{"film": "films/a_0.mp4"}, {"film": "films/a_1.mp4"}, {"film": "../mine.mp4"}, {"film": None}]
    (folder / "metrics.json").write_text(json.dumps({"film": "film.mp4", "clips": [{"each": each}]}))
    remove_old_films(folder, {"film": None, "clips": [{"each": each[:1]}]})
    assert all(path.is_file() for path in kept) and not any(path.exists() for path in gone)
    # What is no report of ours is left alone.
    for text in ("no json", "[]", "{}", '{"clips": [3]}'):
        (folder / "metrics.json").write_text(text)
        remove_old_films(folder, report())
    assert all(path.is_file() for path in kept)


def filmed(folder: Path, **changes: Any) -> dict[str, Any]:
    """A folder with a report and two films, of two episodes; and the report that is to replace it, without films."""
    (folder / "films").mkdir(parents=True, exist_ok=True)
    rows = [{"name": name, "each": [{"repeat": 0, "film": f"films/{name}_0.mp4"} | EPISODE]} for name in ("a", "b")]
    rows[1]["each"][0]["film"] = None
    for name in ("film.mp4", "films/a_0.mp4"):
        (folder / name).write_bytes(b"film")
    (folder / "metrics.json").write_text(json.dumps({"film": "film.mp4", "clips": rows} | ABOUT))
    new = [{"name": row["name"], "each": [row["each"][0] | {"film": None}]} for row in rows]
    return {"film": None, "clips": new} | ABOUT | changes


def test_films_of_the_same_examination_stay(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    content = filmed(tmp_path)
    write_report(tmp_path, kept(tmp_path, content), "")
    assert named_films(json.loads((tmp_path / "metrics.json").read_text())) == {"film.mp4", "films/a_0.mp4"}
    assert (tmp_path / "film.mp4").is_file() and (tmp_path / "films" / "a_0.mp4").is_file()
    assert f"films of the same episodes that stay in {tmp_path}: 2\n" in capsys.readouterr().out
    # What was made anew is not named twice, and what somebody deleted is not named.
    content = filmed(tmp_path, film="film.mp4")
    (tmp_path / "films" / "a_0.mp4").unlink()
    assert named_films(kept(tmp_path, content)) == {"film.mp4"}


@pytest.mark.parametrize(
    "changes",
    [{"checkpoint": {"sha256": "2"}}, {"setting": "pushed"}, {"seed": 1}, {"settings": ["physics=physx"]}],
)
def test_a_line_says_that_films_of_another_examination_go(
    tmp_path: Path, capsys: pytest.CaptureFixture, changes: dict[str, Any]
) -> None:
    content = filmed(tmp_path, **changes)
    write_report(tmp_path, kept(tmp_path, content), "")
    assert named_films(content) == set() and [path.name for path in tmp_path.rglob("*.mp4")] == []
    assert f"films of another examination that go from {tmp_path}: 2\n" in capsys.readouterr().out


def test_films_of_episodes_that_went_otherwise_go(tmp_path: Path) -> None:
    content = filmed(tmp_path)
    content["clips"][0]["each"][0]["steps"] = 9
    assert named_films(kept(tmp_path, content)) == set()
    # An episode that is not played again: the film of the others stays, the one of all of them does not.
    content = filmed(tmp_path)
    del content["clips"][1]
    assert named_films(kept(tmp_path, content)) == {"films/a_0.mp4"}


def kept(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    keep_old_films(folder, content)
    return content


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"worst": 0, "video": True}, "--worst is 0; give a whole number above 0"),
        ({"worst": 3}, "--worst 3 chooses what is filmed, and no film is asked for; add --video"),
    ],
)
def test_a_choice_of_no_film_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        check_film_options(Evaluate(**options))
