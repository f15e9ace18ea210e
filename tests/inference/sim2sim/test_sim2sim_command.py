# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/sim2sim.py`` from the file to the last line, and what it refuses."""

from __future__ import annotations

import copy
import json
import time

import numpy as np
import pytest

from isaac_tracking.launch.main import main
from isaac_tracking.launch.sim2sim import policy_file

ZEROS = np.zeros((160, 29))


def test_clips_are_played_from_the_file(contract_values, write_policy, tmp_path, capfd):
    rng = np.random.default_rng(0)
    policy = write_policy(contract_values, 0.01 * rng.normal(size=(160, 29)))
    out = tmp_path / "out.json"
    assert main("sim2sim", [str(policy), "stand", "squat", "--noise", "--delay", "1", "--json", str(out)]) == 0
    said = capfd.readouterr().out
    assert "clip   1 | stand " in said and "clip   2 | squat " in said and " of 2 clips (" in said
    results = json.loads(out.read_text())
    assert [clip["clip"] for clip in results["clips"]] == ["stand", "squat"]
    assert results["settings"] == {
        "friction": None, "mass_scale": 1.0, "delay": 1, "gain_scale": 1.0, "noise": True, "seed": 0
    }  # fmt: skip
    clips, summary = results["clips"], results["summary"]
    assert summary["steps"] == sum(clip["steps"] for clip in clips)
    # The clip's labels are read: both feet stand until it falls.
    assert 0.2 < clips[0]["metrics"]["contact_agreement"] <= 1.0
    assert clips[0]["metrics"]["mpjpe_global"] > 0.0 and clips[0]["metrics"]["torque_saturation"] is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "policy.onnx"]
    # The same seed gives the same noise, another one another.
    observations = copy.deepcopy(contract_values["observations"])
    observations[5]["noise"] = {"kind": "uniform", "low": -0.1, "high": 0.1}
    noisy = write_policy(contract_values | {"observations": observations}, 0.05 * rng.normal(size=(160, 29)))
    errors = []
    for seed in ("1", "1", "2"):
        assert main("sim2sim", [str(noisy), "stand", "--noise", "--seed", seed, "--json", str(out)]) == 0
        errors.append(json.loads(out.read_text())["summary"]["body_pos_error"])
    assert errors[0] == errors[1] != errors[2]


def test_a_film_is_written(contract_values, write_policy, tmp_path, capfd):
    film = tmp_path / "out.mp4"
    # It falls at once, so there are few pictures to draw.
    policy = write_policy(contract_values, np.full((160, 29), 0.5))
    options = ["--friction", "0.5", "--video", str(film), "--episodes", str(tmp_path / "each"), "--worst", "1"]
    assert main("sim2sim", [str(policy), "stand", "squat", *options, "--json", str(tmp_path / "out.json")]) == 0
    said, clips = capfd.readouterr().out, json.loads((tmp_path / "out.json").read_text())["clips"]
    hardest = min(clips, key=lambda clip: clip["metrics"]["progress"])
    assert [path.name for path in (tmp_path / "each").iterdir()] == [f"{hardest['clip']}_0.mp4"]
    pictures = -(-hardest["steps"] // 2)
    assert film.stat().st_size > 1000 and f"film {film} | {pictures} pictures" in said


class FakeWindow:
    """Stands for MuJoCo's viewer; the user closes it after some frames."""

    shown: list[tuple[np.ndarray, float]] = []

    def __init__(self, robot: object) -> None:
        self.shown.clear()

    def __enter__(self) -> FakeWindow:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def is_open(self) -> bool:
        return len(self.shown) < 12

    def show(self, joint_names: object, joint_pos: np.ndarray, base_pos: np.ndarray, base_quat: np.ndarray) -> None:
        assert base_quat == pytest.approx([0, 0, 0, 1], abs=0.3) and joint_pos.shape == (29,)
        self.shown.append((base_pos, time.monotonic()))


def test_viewer_shows_in_real_time_until_it_is_closed(contract_values, write_policy, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("isaac_tracking.launch.mujoco_viewer.Window", FakeWindow)
    monkeypatch.setenv("DISPLAY", ":99")
    policy, out = write_policy(contract_values, ZEROS), tmp_path / "out.json"
    assert main("sim2sim", [str(policy), "stand", "squat", "--viewer", "--json", str(out)]) == 0
    clips = json.loads(out.read_text())["clips"]
    assert [(clip["clip"], clip["outcome"], clip["steps"]) for clip in clips] == [("stand", "cut_off", 13)]
    (first, start), (_, end) = FakeWindow.shown[0], FakeWindow.shown[-1]
    assert first[2] == pytest.approx(0.76, abs=0.05)
    assert end - start == pytest.approx(11 / 50.0, abs=0.15)


def test_viewer_without_a_display_is_refused(contract_values, write_policy, monkeypatch, capfd):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert main("sim2sim", [str(write_policy(contract_values, ZEROS)), "stand", "--viewer"]) == 2
    assert_one_line(capfd.readouterr().err, "--viewer needs a display and there is none")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--video", "out.avi"], "--video 'out.avi' must end in '.mp4'"),
        (["--worst", "2"], "--worst 2 chooses what is filmed"),
        (["--worst", "0", "--video", "out.mp4"], "--worst 0 must be 1 or more"),
        (["--episodes", __file__], "is a file; give a folder"),
        (["--json", "nowhere/out.json"], "'nowhere/out.json' cannot be written"),
        (["--friction", "-1"], "--friction -1 must be from 0 to 10"),
        (["--mass-scale", "0"], "--mass-scale 0 must be"),
        (["--delay", "-1"], "--delay -1 must be"),
        (["--gain-scale", "0"], "--gain-scale 0 must be"),
        (["--seed", "-1"], "--seed -1 must be 0 or more"),
        (["nosuchclip"], "nosuchclip"),
    ],
)
def test_options_that_cannot_be_used_are_refused(contract_values, write_policy, capfd, options, message):
    arguments = [str(write_policy(contract_values, ZEROS)), *options]
    assert main("sim2sim", arguments) == 2
    assert_one_line(capfd.readouterr().err, message)


def test_files_that_are_no_policies_are_refused(contract_values, write_policy, tmp_path, capfd):
    def refused(path: object, message: str) -> None:
        assert main("sim2sim", [str(path), "stand"]) == 2
        assert_one_line(capfd.readouterr().err, message)

    refused(tmp_path / "missing.onnx", "does not exist")
    refused(write_policy(None, ZEROS), "no contract of Isaac Tracking in its metadata")
    refused(write_policy(contract_values | {"robot": "other"}, ZEROS), "robot 'other' is unknown")
    (tmp_path / "text.onnx").write_text("no graph")
    refused(tmp_path / "text.onnx", "no ONNX file")


def test_the_folder_of_an_export_stands_for_its_policy(contract_values, write_policy, tmp_path, monkeypatch, capfd):
    write_policy(contract_values, ZEROS)
    assert policy_file(tmp_path) == tmp_path / "policy.onnx"
    assert main("sim2sim", [str(tmp_path), "nosuchclip"]) == 2
    assert_one_line(capfd.readouterr().err, "nosuchclip")
    (tmp_path / "empty").mkdir()
    assert main("sim2sim", [str(tmp_path / "empty")]) == 2
    assert_one_line(capfd.readouterr().err, "is a folder without a policy.onnx; give the file")
    monkeypatch.chdir(tmp_path / "empty")
    assert main("sim2sim", ["latest"]) == 2
    assert_one_line(capfd.readouterr().err, "'export.py latest --output my_policy', and give my_policy")


def test_a_file_that_asks_for_more_than_observations_is_refused(contract_values, write_policy, capfd):
    """A policy with a clip inside, for BeyondMimic's runtime."""
    import onnx

    path = write_policy(contract_values, ZEROS)
    model = onnx.load(str(path))
    model.graph.input.append(onnx.helper.make_tensor_value_info("time_step", onnx.TensorProto.FLOAT, [1, 1]))
    onnx.save(model, str(path))
    assert main("sim2sim", [str(path), "stand"]) == 2
    assert_one_line(capfd.readouterr().err, "asks for time_step besides the observations")


def assert_one_line(error: str, message: str) -> None:
    assert error.startswith("Error: ") and error.count("\n") == 1 and message in error
