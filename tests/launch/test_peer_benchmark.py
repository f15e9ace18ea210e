# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The comparison's order, tables and refusals, and its worker with a stand-in for mjlab."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isaac_tracking.launch import peer_benchmark
from isaac_tracking.launch.child_process import PACKAGE
from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.main import main
from isaac_tracking.launch.peers import places, table
from isaac_tracking.launch.peers.archive import archive_arrays, write_archive
from isaac_tracking.launch.peers.job import PeerJob
from isaac_tracking.launch.peers.places import Place
from isaac_tracking.motion.sources import load_clips
from isaac_tracking.robots import g1

FACTS = {
    "task": "T", "versions": {"torch": "2"}, "joints": 29, "bodies": 14, "mass": 33.0, "physics_dt": 0.005,
    "step_dt": 0.02, "offset": 0.0, "memory": 1.5, "resets_per_step": 0.5,
}  # fmt: skip


def speed(who: str, steps: float, trained: float, repeat: int = 0) -> dict[str, Any]:
    numbers = {"steps_per_second": steps, "trained_per_second": trained}
    return {**FACTS, "who": who, "num_envs": 64, "seed": 0, "repeat": repeat, **numbers}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def test_table_by_hand():
    rows = [speed("ours", 400, 300), speed("mjlab", 200, 100), speed("ours", 500, 300, 1), speed("mjlab", 200, 150, 1)]
    _, ours, mjlab = map(cells, table.speed_lines(rows))
    assert ours == ["ours", "64", "450 (400-500)", "300 (300-300)", "-", "-", "0.5", "1.50"]
    # Ratios of the same round: 2 and 2.5; 3 and 2.
    assert mjlab[4:6] == ["2.25 (2.00-2.50)", "2.50 (2.00-3.00)"]
    assert len(list(table.task_lines(rows))) == 2


def test_tasks_that_differ_are_told():
    text = list(table.task_lines([speed("ours", 1, 1), speed("wbc", 1, 1) | {"mass": 35.0}]))
    assert text[-1] == "WARNING: the tasks differ in mass: ours 33, wbc 35"


def test_table_of_goals():
    def row(who: str, seed: int, seconds: float, reached: bool = True) -> dict[str, Any]:
        result = {"seconds": seconds, "reached": reached, "iterations": 9, "error": 0.0412, "episode": 3.0}
        return {**FACTS, "who": who, "num_envs": 64, "seed": seed, **result}

    rows = [row("ours", 1, 10.0), row("mjlab", 1, 30.0), row("ours", 2, 20.0), row("mjlab", 2, 60.0, False)]
    text = list(table.goal_lines(rows))
    assert cells(text[1]) == ["ours", "64", "1", "10.0", "9", "41.2", "3.00"]
    assert cells(text[4])[3] == "> 60"
    assert text[-1] == "64 environments: mjlab takes at least 3.00 times as long as ours (medians)"
    assert len(list(table.goal_lines(rows[1:2]))) == 2


def test_tasks_take_turns(tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture):
    jobs: list[tuple] = []

    def measure(job: PeerJob, place: Place, folder: Path) -> dict[str, Any]:
        with np.load(job.archive) as file:
            jobs.append((job.who, job.num_envs, job.seed, job.steps, job.goal, len(file["segment_length"])))
        return speed(job.who, 100.0, 50.0) | {"num_envs": job.num_envs}

    monkeypatch.setattr(peer_benchmark, "measure_peer", measure)
    monkeypatch.setattr(peer_benchmark, "need_projects", lambda places, names: None)
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    options = ["--device", "cpu", "--only", "ours", "mjlab", "--num_envs", "4", "8", "--repeats", "2", "--steps", "7"]
    assert main("peer_benchmark", [*options, "--motion", "walk", "stand", "--json", "out.json"]) == 0
    one = [("ours", 4, 0, 7, None, 2), ("mjlab", 4, 0, 7, None, 2), ("ours", 4, 1, 7, None, 2)]
    assert jobs[:3] == one and [job[:2] for job in jobs[4:6]] == [("ours", 8), ("mjlab", 8)] and len(jobs) == 8
    assert [row["repeat"] for row in json.loads((tmp_path / "out.json").read_text())["rows"]] == [0, 0, 1, 1] * 2
    assert "it tracks all 2 as one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--only", "isaac"), "--only 'isaac' is unknown; choose from ours, mjlab, wbc"),
        (("--seeds", "1"), "give --to_error MM as well"),
        (("--time_limit", "9"), "give --to_error MM as well"),
        (("--to_error", "0"), "must be above 0 mm"),
        (("--to_error", "50", "--time_limit", "-1"), "must be above 0 s"),
        (("--python", "mjlab"), "give mjlab=PATH or wbc=PATH"),
        (("--python", "ours=/usr"), "give mjlab=PATH or wbc=PATH"),
        (("--python", "wbc=nowhere"), "give an interpreter or a folder of packages"),
        (("--only", "ours", "--motion", "nope"), "nope"),
        (("--only", "ours", "env.nope=1"), "setting 'env.nope' does not exist"),
        (("--num_envs", "0"), "'0' is not a whole number above 0"),
    ],
)
def test_mistakes_are_one_line(
    options: tuple[str, ...], words: str, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    assert main("peer_benchmark", [*options, "--device", "cpu"]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_missing_project_says_what_to_install(monkeypatch):
    monkeypatch.setitem(places.NEEDED, "wbc", ("json", "no_such_project"))
    found = places.read_places([], Path())
    with pytest.raises(
        OptionError, match=r"lacks no_such_project;.*pip install mjlab==1.6.0 wbc-mjlab==0.0.6"
    ) as error:
        places.need_projects(found, ["ours", "wbc"])
    assert str(error.value).endswith("--only ours")


def test_places(tmp_path: Path, monkeypatch):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "site").mkdir()
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    found = places.read_places(["mjlab=venv", "wbc=site"], tmp_path)
    assert found["ours"] == Place(sys.executable)
    assert found["mjlab"] == Place(str(tmp_path / "venv" / "bin" / "python"), foreign=True)
    assert found["mjlab"].environment()["PYTHONPATH"] == str(PACKAGE)
    assert found["wbc"].environment()["PYTHONPATH"].split(":") == [
        str(PACKAGE), str(tmp_path / "site"), "/elsewhere"
    ]  # fmt: skip
    with pytest.raises(OptionError, match="does not run as a Python"):
        Place("/usr/bin/false").missing(["json"])


STAND_IN = """
from types import SimpleNamespace

import numpy as np
import torch

JOINTS, BODIES = {joints!r}, {bodies!r}


class Command:
    motion_anchor_body_index = 0
    cfg = SimpleNamespace(body_names=BODIES)

    def __init__(self, file, shift):
        data = np.load(file)
        self.pos, self.quat = (torch.tensor(data[name]) for name in ("body_pos_w", "body_quat_w"))
        self.motion = SimpleNamespace(time_step_total=len(self.pos))
        self.shift, self.frame = shift, 0

    def reset_to_frame(self, env_ids, frame):
        self.frame = frame

    def compute(self, dt, env_ids=None):
        self.frame = (self.frame + 1) % len(self.pos)

    body_pos_w = property(lambda self: self.pos[[self.frame] * 2])
    body_quat_w = robot_body_quat_w = property(lambda self: self.quat[[self.frame] * 2])
    robot_body_pos_w = property(lambda self: self.body_pos_w + torch.arange(len(BODIES))[:, None] * self.shift)


class ManagerBasedRlEnv:
    def __init__(self, cfg, device):
        assert cfg.scene.num_envs == 2 and cfg.seed == 5
        self.device, self.num_envs, self.physics_dt, self.step_dt = device, 2, 0.005, 0.02
        self.command = Command(cfg.commands["motion"].motion_file, {shift!r})
        self.scene = {{"robot": SimpleNamespace(joint_names=JOINTS, body_names=BODIES)}}
        self.sim = SimpleNamespace(forward=lambda: None, mj_model=SimpleNamespace(body_mass=np.array([30.0, 3.0])))
        self.command_manager = SimpleNamespace(get_term=lambda name: self.command)
        self.action_manager = SimpleNamespace(total_action_dim=29)
        self.episode_length_buf, self.common_step_counter = torch.ones(2), 0

    def reset(self):
        self.reset_buf = torch.zeros(2, dtype=torch.bool)

    def step(self, actions):
        self.common_step_counter += 1
        self.command.compute(self.step_dt, None)

    def close(self):
        pass


class Runner:
    def __init__(self, env, cfg, log_dir, device):
        assert cfg == {{"seed": 5, "clip_actions": None}} and log_dir is None
        self.env, self.cfg, self.alg = env, {{"num_steps_per_env": 4}}, SimpleNamespace(update=lambda: None)

    def learn(self, iterations, init_at_random_ep_len):
        for _ in range(iterations):
            for _ in range(4):
                self.env.step(None)
            self.alg.update()
"""
REGISTRY = """
from dataclasses import dataclass
from types import SimpleNamespace


@dataclass
class Agent:
    seed: int = 0
    clip_actions: object = None


def load_env_cfg(task):
    assert task == "Mjlab-Tracking-Flat-Unitree-G1"
    return SimpleNamespace(scene=SimpleNamespace(), commands={"motion": SimpleNamespace()})


load_rl_cfg = lambda task: Agent()
load_runner_cls = lambda task: None
"""


@pytest.fixture
def stand_in(tmp_path: Path):
    """Return what makes a folder with a package that looks like mjlab, whose robot is shifted, and measures it."""

    def measure(shift: float, joints: tuple[str, ...] = g1.JOINT_NAMES, **wanted: Any) -> dict[str, Any]:
        package = tmp_path / "site" / "mjlab"
        for folder in ("tasks", "utils"):
            (package / folder).mkdir(parents=True)
            (package / folder / "__init__.py").touch()
        (package / "__init__.py").touch()
        (package / "envs.py").write_text(STAND_IN.format(joints=joints, bodies=g1.BODY_NAMES, shift=shift))
        (package / "rl.py").write_text(
            "from .envs import Runner as MjlabOnPolicyRunner\nRslRlVecEnvWrapper = lambda env, clip_actions: env\n"
        )
        (package / "tasks" / "registry.py").write_text(REGISTRY)
        (package / "utils" / "torch.py").write_text("configure_torch_backends = lambda: None\n")
        archive = tmp_path / "clips.npz"
        write_archive(archive, archive_arrays(load_clips(["stand"]), g1.JOINT_NAMES, g1.BODY_NAMES, 50.0))
        job = PeerJob("mjlab", ("stand",), str(archive), (), "cpu", 2, 5, **wanted)
        return peer_benchmark.measure_peer(job, Place(sys.executable, str(tmp_path / "site")), tmp_path)

    return measure


def test_worker_measures_a_task_of_mjlabs_kind(stand_in):
    row = stand_in(0.0, steps=3, iterations=2)
    assert row["joints"] == 29 and row["mass"] == 33.0 and row["offset"] == 0.0 and row["resets_per_step"] == 0.0
    assert row["steps_per_second"] > 0.0 and row["steps_per_iteration"] == 4 and row["task"].startswith("Mjlab")


def test_worker_measures_the_error(stand_in):
    # Body i is i times 0.05 mm off along each axis; 30 bodies.
    row = stand_in(5e-5, goal=0.01, time_limit=60.0)
    expected = float(np.sqrt(3.0)) * 5e-5 * np.arange(30).mean()
    assert row["reached"] and row["iterations"] == 10 and row["error"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("shift", "joints", "words"),
    [
        (0.1, g1.JOINT_NAMES, "away from our reference"),
        (0.0, g1.JOINT_NAMES[::-1], "the joints of mjlab's robot are not ours: 29"),
    ],
)
def test_worker_refuses_another_robot(stand_in, shift: float, joints: tuple[str, ...], words: str):
    with pytest.raises(OptionError, match=words):
        stand_in(shift, joints, steps=1, iterations=1)
