# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Robot models on disk: found, converted once, and never half."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from isaac_tracking.robots import g1, mjcf

PACKAGE = Path(mjcf.__file__).parents[2]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISAAC_TRACKING_CACHE", str(tmp_path / "the cache"))
    return tmp_path / "the cache"


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Count conversions, and make them quick."""
    done: list[Path] = []

    class Converter:
        def __init__(self, layer_structure: bool) -> None:
            assert layer_structure is False

        def convert(self, source: str, folder: str) -> None:
            done.append(Path(source))
            (Path(folder) / f"{Path(source).stem}.usda").write_text("#usda 1.0")

    module = type(sys)("mujoco_usd_converter")
    module.Converter = Converter
    monkeypatch.setitem(sys.modules, "mujoco_usd_converter", module)
    return done


def test_the_model_is_found_without_importing_its_package() -> None:
    path = mjcf.mjcf_path(*g1.MODEL)
    assert path.name == "g1.xml"
    assert path.is_file()
    assert "mjlab" not in sys.modules


def test_another_robot_of_the_package_is_found() -> None:
    assert mjcf.mjcf_path("unitree_go1", "go1.xml").is_file()


def test_a_missing_package_is_named_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"'mjlab' is not installed; run 'bash scripts/setup.sh'"):
        mjcf.mjcf_path(*g1.MODEL)


def test_an_unknown_model_is_named_with_the_choices() -> None:
    with pytest.raises(FileNotFoundError, match=r"unitree_g2/g2.xml.*unitree_g1"):
        mjcf.mjcf_path("unitree_g2", "g2.xml")


def test_the_second_call_does_not_convert(cache: Path, conversions: list[Path]) -> None:
    first = mjcf.usd_path(*g1.MODEL)
    assert mjcf.usd_path(*g1.MODEL) == first
    assert len(conversions) == 1
    assert Path(first).is_relative_to(cache)


def test_another_version_converts_again(cache: Path, conversions: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"mjlab": "1", "mujoco-usd-converter": "1"}
    monkeypatch.setattr(mjcf, "_version", versions.__getitem__)
    paths = {mjcf.usd_path(*g1.MODEL)}
    for package in versions:
        versions[package] = "2"
        paths.add(mjcf.usd_path(*g1.MODEL))
    assert len(paths) == len(conversions) == 3


def test_robots_do_not_share_a_place(cache: Path, conversions: list[Path]) -> None:
    assert mjcf.usd_path("unitree_g1", "g1.xml") != mjcf.usd_path("unitree_go1", "go1.xml")


def test_calls_at_the_same_time_give_one_whole_result(cache: Path, conversions: list[Path]) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: mjcf.usd_path(*g1.MODEL), range(16)))
    (path,) = paths
    assert Path(path).read_text() == "#usda 1.0"
    assert [entry.name for entry in (cache / "usd").iterdir()] == [Path(path).parent.name]  # nothing is left over


def test_a_conversion_that_fails_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Converter:
        def __init__(self, **kwargs: object) -> None:
            pass

        def convert(self, source: str, folder: str) -> None:
            (Path(folder) / "half.usda").write_text("#usda")
            raise RuntimeError("no space left")

    module = type(sys)("mujoco_usd_converter")
    module.Converter = Converter
    monkeypatch.setitem(sys.modules, "mujoco_usd_converter", module)
    with pytest.raises(RuntimeError, match="no space left"):
        mjcf.usd_path(*g1.MODEL)
    assert list((cache / "usd").iterdir()) == []


def test_processes_at_the_same_time_convert_the_real_model(cache: Path) -> None:
    # Started together in an empty cache, each in a process of its own.
    command = f"from isaac_tracking.robots import mjcf; print(mjcf.usd_path(*{g1.MODEL!r}))"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    processes = [
        subprocess.Popen([sys.executable, "-c", command], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    paths = {process.communicate(timeout=120)[0].strip().splitlines()[-1] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    (path,) = paths
    assert Path(path).stat().st_size > 100_000
    assert len(list((cache / "usd").iterdir())) == 1
    text = Path(path).read_bytes()
    assert text.startswith((b"PXR-USDC", b"#usda"))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"ISAAC_TRACKING_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/isaac_tracking"),
        ({"HOME": "/c"}, "/c/.cache/isaac_tracking"),
    ],
)
def test_cache_folder(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ISAAC_TRACKING_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert mjcf.cache_folder() == Path(expected)
