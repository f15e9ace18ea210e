# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What ``train.sh`` decides before it starts anything; a refusal writes nothing."""

from __future__ import annotations

import copy
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch import checks, play_plan
from isaac_tracking.launch.errors import USER_ERRORS, OptionError
from isaac_tracking.launch.run_folder import new_run_folder
from isaac_tracking.launch.train_plan import make_plan
from isaac_tracking.learning.runs import RunError

TASK = "Isaac-Tracking-G1-v0"
ON_CPU = ("--device", "cpu")


def network(inputs: int, outputs: int, hidden: tuple[int, ...]) -> dict[str, torch.Tensor]:
    sizes = [inputs, *hidden, outputs]
    weights = {f"mlp.{2 * i}.weight": torch.zeros(b, a) for i, (a, b) in enumerate(itertools.pairwise(sizes))}
    return weights | {"obs_normalizer._mean": torch.zeros(1, inputs)}


def write_checkpoint(path: Path, hidden: tuple[int, ...] = (256, 128), **changes: object) -> Path:
    saved = {
        "actor_state_dict": network(160, 29, hidden),
        "critic_state_dict": network(286, 1, hidden),
        "optimizer_state_dict": {},
        "iter": int(path.stem.removeprefix("model_")),
        "infos": None,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(saved | changes, path)
    return path


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Make a run folder as a CPU training would leave it, by default one of 250 planned iterations."""

    def make(name: str = "2026-01-01_00-00-00", *iterations: int, **record: object) -> Path:
        run = tmp_path / "logs" / "rsl_rl" / "g1_tracking" / name
        small = make_plan(ON_CPU, tmp_path).overrides
        values = {"task": TASK, "overrides": small, "planned": 250} | record
        (run / "params").mkdir(parents=True)
        (run / "params" / "run.json").write_text(json.dumps(values))
        for iteration in iterations:
            write_checkpoint(run / f"model_{iteration}.pt")
        return run

    return make


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_new_run_on_a_cpu(tmp_path: Path):
    plan = make_plan([*ON_CPU, "--num_envs", "16", "--run_name", "mine", "--max_iterations", "4"], tmp_path)
    assert plan.task == TASK and plan.device == "cpu" and plan.checkpoint is None and plan.film is None
    assert plan.run.parent == tmp_path / "logs" / "rsl_rl" / "g1_tracking" and plan.run.name.endswith("_mine")
    assert plan.planned == plan.iterations == 4
    assert "env.scene.num_envs=16" in plan.overrides and "presets=reference_action" in plan.overrides
    assert "max_iterations" not in plan.notes[0]
    assert (
        plan.facts["environments"] == "16"
        and "Newton" in plan.facts["engine"]
        and " s together)" in plan.facts["motions"]
    )
    assert list(tmp_path.iterdir()) == []


def test_runs_that_start_in_the_same_second_have_their_own_folders(tmp_path: Path):
    first = new_run_folder(tmp_path, "mine")
    for stamp in {first, new_run_folder(tmp_path, "mine")}:
        stamp.mkdir()
    folders = {new_run_folder(tmp_path, "mine") for _ in range(2)}
    assert not any(folder.exists() for folder in folders)


def test_user_settings_beat_the_cpu_sizes(tmp_path: Path):
    plan = make_plan([*ON_CPU, "agent.actor.hidden_dims=[32]", "--motion", "stand", "walk*", "agent.seed=3"], tmp_path)
    assert "agent.seed=3" in plan.overrides  # no name of a motion
    assert (
        "agent.actor.hidden_dims=[32]" in plan.overrides and "agent.actor.hidden_dims=[256,128]" not in plan.overrides
    )
    assert 'env.commands.motion.motions=["stand", "walk*"]' in plan.overrides


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ("env.events.push_robot.interval_range_s=[1,3]", "env.events.push_robot"),
        ("env.commands.motion.reset_noise.joint_pos=0.05", "env.commands.motion.reset_noise"),
        ("env.events.physics_material.params.static_friction_range=[0.5,1]", "env.events.physics_material"),
    ],
)
def test_a_field_of_what_the_cpu_sizes_take_away_brings_it_back(tmp_path: Path, make_run, setting: str, part: str):
    new = make_plan([*ON_CPU, setting], tmp_path)
    make_run("2026-01-01_00-00-00", 5)
    for plan in (new, make_plan([*ON_CPU, "--resume", setting], tmp_path)):
        assert setting in plan.overrides and f"{part}=null" not in plan.overrides
        assert f"{part}=null" not in " ".join(plan.notes)
        assert sum(text.endswith("=null") for text in plan.overrides) == 3


def test_motion_files_are_read_relative_to_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from isaac_tracking.motion.data import shipped_clips

    (tmp_path / "walk").mkdir()  # does not hide the shipped clip
    shutil.copy(shipped_clips()["walk"], tmp_path / "mine.npz")
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    plan = make_plan([*ON_CPU, "--motion", "mine.npz", "walk"], tmp_path)
    wanted = f'env.commands.motion.motions=["{tmp_path / "mine.npz"}", "walk"]'
    assert wanted in plan.overrides


def test_video_and_gui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DISPLAY", ":0")
    plan = make_plan([*ON_CPU, "--video", "--gui", "--verbose"], tmp_path)
    assert (plan.film.length, plan.film.interval) == (200, 2000)
    assert plan.passed == ["--viz", "newton"] and plan.verbose
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OptionError, match="--gui needs a display"):
        make_plan([*ON_CPU, "--gui"], tmp_path)


def test_resume_takes_the_newest_run_and_its_settings(tmp_path: Path, make_run):
    make_run("2026-01-01_00-00-00", 5)
    own = [*make_plan(ON_CPU, tmp_path).overrides, "env.scene.num_envs=24", "agent.algorithm.gamma=0.9"]
    run = make_run("2026-02-01_00-00-00", 99, 100, overrides=own)
    make_run("2026-03-01_00-00-00")  # no checkpoint
    plan = make_plan([*ON_CPU, "--resume", "env.scene.num_envs=8"], tmp_path)
    assert plan.run == run and plan.checkpoint == run / "model_100.pt"
    assert {"env.scene.num_envs=8", "agent.algorithm.gamma=0.9"} <= set(plan.overrides)
    assert "env.scene.num_envs=24" not in plan.overrides
    assert (plan.iterations, plan.planned) == (149, 250)
    assert plan.notes == [f"resuming {run / 'model_100.pt'} at iteration 101, 149 to go"]


def test_other_clips_than_the_run_had_are_noted(tmp_path: Path, make_run):
    now = make_plan(ON_CPU, tmp_path).clips
    run = make_run("2026-01-01_00-00-00", 5, clips=list(now)[::-1])
    assert len(make_plan([*ON_CPU, "--resume"], tmp_path).notes) == 1
    record = json.loads((run / "params" / "run.json").read_text())
    (run / "params" / "run.json").write_text(json.dumps(record | {"clips": [*now[1:], "gone"]}))
    said = make_plan([*ON_CPU, "--resume"], tmp_path).notes[1:]
    assert said == [f"the clips are not those that the run had before: 1 added ({now[0]}), 1 missing (gone)"]
    (run / "params" / "run.json").write_text(json.dumps(record | {"clips": 3}))
    with pytest.raises(RunError, match="'clips' is no list"):
        make_plan([*ON_CPU, "--resume"], tmp_path)


@pytest.mark.parametrize(
    ("iteration", "planned", "argv", "iterations", "total"),
    [
        (99, 250, (), 150, 250),  # what is left
        (99, 250, ("--max_iterations", "10"), 10, 250),  # more, within the plan
        (99, 250, ("--max_iterations", "500"), 500, 600),  # more than the plan
        (249, 250, (), 250, 500),  # complete: the default number again
        (3, 4, (), 250, 254),  # complete after --max_iterations 4: the default, not four
        (249, 250, ("--max_iterations", "1"), 1, 251),
    ],
)
def test_how_far_a_resumed_run_goes(tmp_path: Path, make_run, iteration, planned, argv, iterations, total):
    make_run("2026-01-01_00-00-00", iteration, planned=planned)
    default = next(o for o in make_plan(ON_CPU, tmp_path).overrides if o.startswith("agent.max_iterations="))
    plan = make_plan([*ON_CPU, "--resume", *argv, default.replace(default.partition("=")[2], "250")], tmp_path)
    assert (plan.iterations, plan.planned) == (iterations, total)


def test_checkpoint_goes_on_in_its_folder_or_in_a_new_run(tmp_path: Path, make_run):
    run = make_run("2026-01-01_00-00-00", 5, 10)
    for name, wanted in ((str(run), "model_10.pt"), (str(run / "model_5.pt"), "model_5.pt"), ("latest", "model_10.pt")):
        plan = make_plan([*ON_CPU, "--checkpoint", name], tmp_path)
        assert plan.run == run and plan.checkpoint == run / wanted
    infos = {"run": {"task": TASK, "overrides": ["agent.actor.hidden_dims=[64]", "agent.critic.hidden_dims=[64]"]}}
    alone = write_checkpoint(tmp_path / "elsewhere" / "model_7.pt", (64,), infos=infos)
    plan = make_plan([*ON_CPU, "--checkpoint", str(alone)], tmp_path)
    assert plan.run.parent == run.parent and plan.run != run and plan.checkpoint == alone
    assert "agent.actor.hidden_dims=[64]" in plan.overrides


def test_user_learning_rate_wins_over_the_checkpoint(tmp_path: Path, make_run):
    make_run("2026-01-01_00-00-00", 5)
    assert make_plan([*ON_CPU, "--resume"], tmp_path).rates == frozenset()
    plan = make_plan([*ON_CPU, "--resume", "agent.algorithm.learning_rate=5e-4", "agent.algorithm.gamma=0.9"], tmp_path)
    assert plan.rates == {"learning_rate"}
    assert "agent.algorithm.learning_rate=5e-4" in plan.overrides


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--task", "nope"), "task 'nope' is unknown; .*choose from .*Isaac-Tracking-G1-v0"),
        (("--task", "Isaac-Tracking-G1"), "did you mean Isaac-Tracking-G1"),
        (("--numenvs", "3"), "'--numenvs' is unknown; did you mean --num_envs?"),
        (("--run_timestamp", "x"), "'--run_timestamp' is unknown"),
        (("--num_envs", "0"), "'0' is not a whole number above 0"),
        (("--num_envs", "many"), "'many' is not a whole number above 0"),
        (("--num_envs",), "expected one argument"),
        (("--device", "cuda:77"), "device 'cuda:77' is not on this machine; choose from cpu"),
        (("--device", "tpu"), "device 'tpu' is not on this machine"),
        (("--motion", "nope"), "motion 'nope' is neither a shipped clip .* nor a file or folder"),
        (("--motion", "{tmp}/missing.npz"), r"missing\.npz' is neither"),
        (("--motion", "{tmp}/empty.npz"), r"empty\.npz' is empty"),
        (("--motion", "{tmp}/cut.npz"), r"cut\.npz' is truncated"),
        (("--motion", "{tmp}/text.npz"), r"text\.npz' is truncated or not an npz"),
        (("--motion", "{tmp}/other.npz"), r"other\.npz' is not a clip"),
        (("--motion", "{tmp}/none.toml"), r"none\.toml"),
        (("--run_name", "a/b"), "run name 'a/b'"),
        (("--resume",), "no run with a checkpoint"),
        (("--checkpoint", "{tmp}/none.pt"), "does not exist"),
        (("--checkpoint", "{tmp}/text.npz"), "cannot be read"),
        (("--logger", "paper"), "invalid choice: 'paper'"),
        (("env.nothing=1",), "'env.nothing' does not exist"),
        (("physics=bogus",), "newton_mjwarp"),
        (('env.commands.motion.motions=["nope"]',), "motion 'nope'"),
        (("--motion", "wolk"), "'wolk' is neither a shipped clip .* did you mean walk"),
        (("--headless",), "nothing opens a window unless --gui is given"),
        (("--task", "Isaac-Tracking-G1-Play-v0"), "is for playing.*give --task Isaac-Tracking-G1-v0$"),
        ((*ON_CPU, "env.commands.motion=null"), "'env.commands.motion=null' takes away"),
        (
            ("agent.algorithm.num_mini_batches=1000", "--num_envs", "8"),
            "num_mini_batches=1000' is more than the 192 samples of an iteration .8 environments x 24 steps.; give 192",
        ),
        (("agent.algorithm.rnd_cfg={weight:0.5}",), "rnd_cfg={weight:0.5}' is text; give its names in quotes"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(tmp_path: Path, argv: tuple[str, ...], words: str):
    import numpy as np

    from isaac_tracking.motion.data import shipped_clips

    (tmp_path / "empty.npz").touch()
    (tmp_path / "cut.npz").write_bytes(shipped_clips()["walk"].read_bytes()[:3000])
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", a=1)
    before = files(tmp_path)
    with pytest.raises(USER_ERRORS, match=words) as error:
        make_plan([text.format(tmp=tmp_path) if "{tmp}" in text else text for text in argv], tmp_path)
    assert "\n" not in str(error.value)
    assert files(tmp_path) == before and not (tmp_path / "logs").exists()


def test_refused_resume_changes_nothing(tmp_path: Path, make_run):
    run = make_run("2026-01-01_00-00-00", 5)
    before = files(tmp_path)
    for argv, words in (
        (
            ["--resume", "agent.actor.hidden_dims=[64]"],
            "actor has hidden layers .* give agent.actor.hidden_dims=.256,128.",
        ),
        (["--checkpoint", str(run), "--task", "Isaac-Tracking-G1-NoStateEst-v0"], f"is of task '{TASK}'"),
        (["--resume", "env.nothing=1"], "does not exist"),
    ):
        with pytest.raises(USER_ERRORS, match=words):
            make_plan([*ON_CPU, *argv], tmp_path)
    (run / "model_9.pt").write_bytes(b"half a checkpoint")
    before[str(run / "model_9.pt")] = b"half a checkpoint"
    with pytest.raises(RunError, match=r"model_9\.pt' cannot be read"):
        make_plan([*ON_CPU, "--resume"], tmp_path)
    (run / "params" / "run.json").write_text("{")
    before[str(run / "params" / "run.json")] = b"{"
    with pytest.raises(RunError, match="is damaged"):
        make_plan([*ON_CPU, "--resume"], tmp_path)
    assert files(tmp_path) == before


def test_place_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(RunError, match="logs' cannot be written"):
        make_plan(ON_CPU, tmp_path)
    (tmp_path / "logs").unlink()
    usage = copy.copy(shutil.disk_usage(tmp_path))._replace(free=5 << 20)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(RunError, match="has 5 MB left and a run needs 200"):
        make_plan(ON_CPU, tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checks.os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        make_plan(ON_CPU, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_packages_and_engines_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    find = checks.importlib.util.find_spec
    gone = {"mujoco_usd_converter"}
    monkeypatch.setattr(checks.importlib.util, "find_spec", lambda name: None if name in gone else find(name))
    with pytest.raises(OptionError, match="package 'mujoco_usd_converter' is missing here"):
        make_plan(ON_CPU, tmp_path)
    gone = {"ovphysx", "isaacsim", "wandb"}
    with pytest.raises(OptionError, match=r"engine 'PhysX' needs the package 'ovphysx'.* choose physics=newton_mjwarp"):
        make_plan([*ON_CPU, "physics=physx"], tmp_path)
    with pytest.raises(OptionError, match="engine 'PhysX in Isaac Sim' needs the package 'isaacsim'"):
        make_plan([*ON_CPU, "physics=isaacsim_physx"], tmp_path)
    with pytest.raises(OptionError, match="logger 'wandb' needs a package"):
        make_plan([*ON_CPU, "--logger", "wandb"], tmp_path)
    with pytest.raises(OptionError, match="engine 'PhysX' needs an NVIDIA GPU"):
        monkeypatch.setattr(checks.importlib.util, "find_spec", lambda name: None if name == "isaacsim" else object())
        checks.need_engine(type("PhysxAutoCfg", (), {})(), "cpu")


def test_play_takes_what_the_policy_needs_from_its_run(tmp_path: Path, make_run):
    run = make_run("2026-01-01_00-00-00", 99, 100)
    plan = play_plan.make_plan([*ON_CPU, "--video", "--video_length", "20"], tmp_path)
    assert plan.task == "Isaac-Tracking-G1-Play-v0" and plan.checkpoint == run / "model_100.pt"
    assert "presets=reference_action" in plan.overrides and "agent.actor.hidden_dims=[256,128]" in plan.overrides
    assert not any(setting.startswith("env.scene") for setting in plan.overrides)
    assert plan.num_envs == 4  # one for each of the run's clips
    assert plan.film == run / "videos" / "play" / "model_100.mp4"
    assert (plan.video_length, plan.video_interval, plan.episodes) == (20, 2, 1)
    assert play_plan.make_plan([*ON_CPU, "--motion", "walk"], tmp_path).num_envs == 1
    assert play_plan.make_plan(ON_CPU, tmp_path).video_length == 500


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--checkpoint", "nope.pt"), "does not exist"),
        (("--task", "nope"), "task 'nope' is unknown"),
        (("--task", "Isaac-Tracking-G1-NoStateEst-v0", "--checkpoint", "{run}"), f"is of task '{TASK}'"),
        (("--video_interval", "0"), "not a whole number above 0"),
        (("agent.actor.hidden_dims=[1]",), "actor has hidden layers"),
        (("--resume",), "'--resume' is unknown"),
    ],
)
def test_play_refuses_in_one_line(tmp_path: Path, make_run, argv: tuple[str, ...], words: str):
    run = make_run("2026-01-01_00-00-00", 3)
    before = files(tmp_path)
    with pytest.raises(USER_ERRORS, match=words) as error:
        play_plan.make_plan([*ON_CPU, *(text.replace("{run}", str(run)) for text in argv)], tmp_path)
    assert "\n" not in str(error.value) and files(tmp_path) == before
