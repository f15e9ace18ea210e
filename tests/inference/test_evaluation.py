# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Every clip as often as asked, each episode as it was before its reset, and means that say what they are."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import torch
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

from isaac_tracking.inference.contact_labels import labels_at_rate
from isaac_tracking.inference.evaluation import (
    SETTINGS,
    Trial,
    TrialSampler,
    apply_setting,
    examine,
    plan_trials,
)
from isaac_tracking.inference.evaluation_report import (
    ClipFacts,
    EpisodeResult,
    make_report,
    summarize,
)
from isaac_tracking.inference.film import FilmWriter
from isaac_tracking.inference.metrics import GROUPS, METRICS, JointLimits
from isaac_tracking.inference.step_recorder import choose_num_envs
from isaac_tracking.inference.summary import student_interval, wilson_interval
from isaac_tracking.inference.trajectory import save_trajectory
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.robots import g1


class Still:
    """A policy that leaves the joints where they are by default."""

    def __init__(self, actions: torch.Tensor) -> None:
        self._actions = actions

    def __call__(self, obs: object) -> torch.Tensor:
        return self._actions

    def reset(self, done: torch.Tensor) -> None:
        pass


@pytest.fixture
def short(sim, monkeypatch):
    """Clips that are cut to 6, 7, 8 and 9 frames, in turns."""
    frames = sim.command.library.num_frames
    monkeypatch.setattr(sim.command.library, "num_frames", 6 + torch.arange(len(frames)) % 4)
    sim.command.cfg.reset_noise = None
    return sim


def play(short, repeats: int = 1, contacts=None, policy=None) -> list:
    env, policy = RslRlVecEnvWrapper(short.env), policy or Still(short.still)
    return list(examine(env, policy, repeats, 7, g1.FOOT_BODY_NAMES, contacts or {}))


def test_every_clip_is_played_as_often_as_asked_from_its_start(short):
    sampler, manager = short.command.source.sampler, short.env.recorder_manager
    library = short.command.library
    played = play(short, repeats=3)
    counts = Counter((trial.clip_id, trial.repeat) for trial, _ in played)
    assert counts == {(clip, repeat): 1 for clip in range(library.num_clips) for repeat in range(3)}
    for trial, recording in played:
        assert recording.clip == library.names[trial.clip_id] and recording.completed
        assert recording.steps == recording.clip_steps == int(library.num_frames[trial.clip_id]) - 1
        frames = library.frames(torch.full((recording.steps,), trial.clip_id), torch.arange(1, recording.steps + 1))
        for mine, theirs in zip(recording.reference, frames, strict=True):
            assert torch.equal(mine, theirs)
    assert short.command.source.sampler is sampler and short.env.recorder_manager is manager


def test_a_recording_ends_with_the_state_before_the_reset(short):
    """Where the last state were that after the reset, the robot would stand on another clip's start."""
    seen = []
    compute = short.env.reward_manager.compute

    def watch(dt):
        robot = short.command.robot
        seen.append(
            (robot.body_pos_w - short.env.scene.env_origins[:, None], short.robot.actuators.applied_effort.torch)
        )
        seen[-1] = tuple(part.clone() for part in seen[-1])
        return compute(dt)

    short.env.reward_manager.compute = watch
    try:
        played = play(short)
    finally:
        del short.env.reward_manager.compute
    # The eight longest trials start at once, in the order of the environments.
    first = plan_trials(short.command.library.num_frames.tolist(), 1)[: short.env.num_envs]
    for index, trial in enumerate(first):
        recording = next(recording for other, recording in played if other == trial)
        for step in range(recording.steps):
            assert torch.equal(recording.robot.body_pos_w[step], seen[step][0][index])
            assert torch.equal(recording.torques[step], seen[step][1][index])
        assert (recording.robot.body_pos_w - recording.reference.body_pos_w).norm(dim=-1).max() < 0.2


def test_a_broken_number_does_not_break_the_means(short, monkeypatch):
    compute, calls = short.env.reward_manager.compute, []

    def break_one(dt):
        calls.append(dt)
        if len(calls) == 2:
            short.robot.actuators.applied_effort.torch[0, 3] = torch.nan
            short.robot.actuators.applied_effort.torch[1, 4] = torch.inf
        return compute(dt)

    monkeypatch.setattr(short.env.reward_manager, "compute", break_one, raising=False)
    played = dict(play(short))
    first = plan_trials(short.command.library.num_frames.tolist(), 1)
    assert played[first[0]].torques[1, 3] == played[first[1]].torques[1, 4] == 0.0
    assert all(torch.isfinite(recording.torques).all() for recording in played.values())


def test_a_recording_holds_what_was_commanded_and_touched(short):
    actions = 0.1 * torch.randn(short.still.shape, generator=torch.Generator().manual_seed(0))
    labels = {name: torch.ones(9, 2, dtype=torch.bool).numpy() for name in shipped_clips()}
    played = play(short, contacts=labels, policy=Still(actions))
    term = short.env.action_manager.get_term("joint_pos")
    targets = term._offset[0] + term._scale[0] * actions
    for _, recording in played:
        row = int((recording.actions[0] - actions).abs().sum(dim=-1).argmin())
        assert torch.equal(recording.actions, actions[row].expand_as(recording.actions))
        assert torch.allclose(recording.targets, targets[row].expand_as(recording.targets), atol=1e-6)
        assert recording.reference_contacts is not None and recording.contacts is not None
        assert recording.contacts.shape == recording.reference_contacts.shape == (recording.steps, 2)
    standing = next(recording for _, recording in played if recording.clip == "stand")
    assert standing.contacts[-1].all()


def test_a_fall_ends_a_trial_and_the_next_begins(short):
    """The first environment falls at its third step; its clip is not played again."""
    term, falls = short.env.termination_manager.get_term_cfg("anchor_tilt"), []
    original = term.func

    def fall(env, **params):
        flags = torch.zeros(env.num_envs, dtype=torch.bool)
        flags[0] = env.episode_length_buf[0] == 3 and not falls
        falls.extend([True] * int(flags.sum()))
        return flags

    term.func = fall
    try:
        played = play(short)
    finally:
        term.func = original
    assert len(played) == short.command.library.num_clips
    lost = [(trial, recording) for trial, recording in played if not recording.completed]
    assert len(lost) == 1 and lost[0][1].outcome == "anchor_tilt" and lost[0][1].steps == 3
    assert lost[0][0] == plan_trials(short.command.library.num_frames.tolist(), 1)[0]


def test_an_episode_of_one_step_stays_what_it_was(short):
    """What is played next is written into the same rows."""
    term = short.env.termination_manager.get_term_cfg("anchor_tilt")
    original, lost = term.func, []
    term.func = lambda env, **params: (env.episode_length_buf == 1) & (env.common_step_counter == first)
    first = short.env.common_step_counter + 1
    try:
        env = RslRlVecEnvWrapper(short.env)
        for _, recording in examine(env, Still(short.still), 1, 7, g1.FOOT_BODY_NAMES, {}):
            if recording.steps == 1:
                lost.append((recording, recording.robot.body_pos_w.clone()))
    finally:
        term.func = original
    assert len(lost) == short.env.num_envs
    assert all(torch.equal(recording.robot.body_pos_w, before) for recording, before in lost)


def test_the_same_seed_gives_the_same_numbers(short):
    limits = JointLimits(torch.full((29,), 50.0), torch.full((29,), 20.0))
    short.command.cfg.reset_noise = type(short.command.cfg)().reset_noise
    runs = []
    for _ in range(2):
        played = play(short)
        runs.append({trial: EpisodeResult.of(recording, 0, limits).metrics for trial, recording in played})
    assert runs[0].keys() == runs[1].keys()
    for trial, metrics in runs[0].items():
        assert metrics == runs[1][trial]


def test_a_trajectory_is_a_clip(short, tmp_path):
    _, recording = next(pair for pair in play(short) if pair[1].clip == "stand")
    path = tmp_path / "new" / "stand.npz"
    save_trajectory(recording, path, motion_robot(), every=2)
    clip = Clip.load(path)
    assert clip.name == "stand_played" and clip.fps == 25.0 and clip.num_frames == (recording.steps + 1) // 2
    tracked = clip.body_indices(recording.body_names)
    assert clip.body_pos_w[:, tracked] == pytest.approx(recording.robot.body_pos_w[::2].numpy(), abs=1e-4)
    with np.load(path) as file:
        assert file["actions"] == pytest.approx(recording.actions[::2].numpy())
        assert file["targets"].shape == file["torques"].shape == clip.joint_pos.shape
        assert file["frames"].tolist() == list(range(1, recording.steps + 1, 2))
        assert str(file["outcome"]) == "clip_end" and str(file["trajectory_of"]) == "stand"
    assert [item.name for item in path.parent.iterdir()] == ["stand.npz"]


def test_trials_are_handed_out_once_the_longest_first():
    trials = plan_trials([5, 9, 7], 2)
    assert trials == [Trial(1, 0), Trial(1, 1), Trial(2, 0), Trial(2, 1), Trial(0, 0), Trial(0, 1)]
    sampler = TrialSampler(trials, torch.tensor([5, 9, 7]), 4)
    assert sampler.sample(torch.arange(4))[0].tolist() == [1, 1, 2, 2]
    clips, steps = sampler.sample(torch.tensor([2, 0, 1]))
    # The third finds nothing left, and idles on the shortest clip.
    assert clips.tolist() == [0, 0, 0] and steps.tolist() == [0, 0, 0]
    assert sampler.trials == [Trial(0, 1), None, Trial(0, 0), Trial(2, 1)]


def test_environments_fit_the_memory():
    assert choose_num_envs(trials=16, longest=500, width=329, most=64) == 16
    assert choose_num_envs(trials=900, longest=500, width=329, most=64) == 64
    assert choose_num_envs(trials=900, longest=10_000, width=329, most=2048) == 75
    assert choose_num_envs(trials=900, longest=10_000_000, width=329, most=2048) == 1


def test_labels_at_another_rate_are_the_nearest_frames():
    labels = torch.tensor([[0], [0], [1], [1], [0]], dtype=torch.bool).numpy()
    assert labels_at_rate(labels, 50.0, 50.0).tolist() == labels.tolist()
    assert labels_at_rate(labels, 50.0, 25.0)[:, 0].tolist() == [False, True, False]
    assert labels_at_rate(labels, 50.0, 100.0)[:, 0].tolist() == [False] * 3 + [True] * 4 + [False] * 2


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_takes_from_the_training_task_what_it_says(setting):
    from isaac_tracking.tasks.tracking.config.g1.g1_tracking_env_cfg import G1TrackingEnvCfg, G1TrackingPlayEnvCfg

    play_cfg, train_cfg = G1TrackingPlayEnvCfg(), G1TrackingEnvCfg()
    apply_setting(play_cfg, train_cfg, setting)
    noisy, varied, pushed = (list(SETTINGS).index(setting) >= level for level in (1, 2, 3))
    assert play_cfg.observations.policy.enable_corruption is noisy
    assert (play_cfg.commands.motion.reset_noise is not None) is noisy
    for name in ("physics_material", "joint_default_pos", "base_com"):
        assert (getattr(play_cfg.events, name) is not None) is varied
    assert (play_cfg.events.push_robot is not None) is pushed
    assert play_cfg.commands.motion.sampler.mode == "start"


def result(clip: str, repeat: int, error: float, ended: str = "clip_end", slide: float | None = 0.1) -> EpisodeResult:
    metrics: dict[str, float | None] = dict.fromkeys(METRICS, error)
    done = float(ended == "clip_end")
    metrics |= {"success_terminations": done, "success_phc": done, "progress": done or 0.5, "foot_slide": slide}
    groups = {group: {"mpjpe_local": error} for group in GROUPS}
    curves = {name: torch.full((4,), error) for name in ("mpjpe_global", "mpjpe_local")}
    return EpisodeResult(clip, repeat, 4, ended, metrics, groups, curves)


def test_intervals():
    """Wilson's for 8 of 10 and 10 of 10; Student's for 1, 2, 3 with t = 4.303 at two degrees of freedom."""
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    half = 4.302653 / 3**0.5
    assert student_interval([1.0, 2.0, 3.0]) == pytest.approx((2.0 - half, 2.0 + half), abs=1e-5)
    assert student_interval([1.0]) is None


def test_a_mean_is_over_episodes_and_its_interval_over_repeats():
    episodes = [result("a", 0, 10.0), result("b", 0, 20.0), result("a", 1, 14.0, slide=None), result("b", 1, 24.0)]
    summary = summarize(episodes)["metrics"]
    assert summary["mpjpe_local"]["mean"] == pytest.approx(17.0) and summary["mpjpe_local"]["episodes"] == 4
    # The means of the repeats are 15 and 19; t = 12.706 at one degree of freedom.
    assert summary["mpjpe_local"]["interval"] == pytest.approx([17 - 12.7062 * 2, 17 + 12.7062 * 2], abs=1e-3)
    assert summary["foot_slide"]["episodes"] == 3
    assert summary["success_phc"]["interval"] == pytest.approx(list(wilson_interval(4, 4)))


ABOUT = {
    "task": "T", "engine": "E", "device": "cpu", "seed": 0, "repeats": 2, "num_envs": 1, "commit": "c", "isaaclab": "3",
    "setting": "clean", "setting_definition": "Plain.", "control_rate": 50.0,
    "checkpoint": {"run": "r<u>n", "file": "model_1.pt", "sha256": "0" * 64},
}  # fmt: skip


def report() -> tuple[dict, list[EpisodeResult]]:
    episodes = [
        result("easy", 0, 10.0), result("easy", 1, 12.0), result("far", 0, 40.0), result("far", 1, 40.0),
        result("lost", 0, 30.0), result("lost", 1, 90.0, "anchor_tilt"),
    ]  # fmt: skip
    clips = [ClipFacts(name, "0" * 64, 6.0, 300) for name in ("easy", "lost", "far")]
    return make_report(episodes, clips, ABOUT), episodes


def test_the_hardest_clip_comes_first():
    content, _ = report()
    assert [row["name"] for row in content["clips"]] == ["lost", "far", "easy"]
    assert content["clips"][0]["outcomes"] == {"anchor_tilt": 1, "clip_end": 1}
    assert content["all"]["metrics"]["success_terminations"]["mean"] == pytest.approx(5 / 6)
    assert content["all"]["groups"]["feet"]["mpjpe_local"] == pytest.approx(222 / 6)
    assert content["successes"]["episodes"] == 5
    assert content["successes"]["metrics"]["mpjpe_global"]["mean"] == pytest.approx(132 / 5)
    assert set(METRICS) < set(content["definitions"])
    assert json.loads(json.dumps(content, allow_nan=False))["version"] == 1


def test_nothing_succeeded():
    content = make_report([result("a", 0, 1.0, "anchor_tilt")], [ClipFacts("a", "", 1.0, 50)], ABOUT)
    assert content["successes"]["episodes"] == 0
    assert content["successes"]["metrics"]["mpjpe_local"] == {"mean": None, "interval": None, "episodes": 0}


def write_small_films(folder: Path, content: dict) -> None:
    """Write films, and name them in a report: a combined one, and one each of two episodes."""
    content["film"] = "film.mp4"
    rows = {row["name"]: row for row in content["clips"]}
    rows["lost"]["each"][1]["film"] = "films/lost_1.mp4"
    rows["far"]["each"][0]["film"] = "films/far 50%#1_0.mp4"
    noise = np.random.default_rng(0).integers(0, 255, (5, 48, 64, 3), dtype=np.uint8)
    for name in ("film.mp4", "films/lost_1.mp4", "films/far 50%#1_0.mp4"):
        with FilmWriter(folder / name, (64, 48), 25) as film:
            for picture in noise:
                film.add(picture)


def test_the_page_sorts_and_opens_in_a_browser(tmp_path):
    from isaac_tracking.inference.evaluation_page import page

    api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium here")
    path = tmp_path / "report.html"
    content, episodes = report()
    write_small_films(tmp_path, content)
    path.write_text(page(content, episodes))
    names = "[...document.querySelectorAll('tbody td:first-child')].map(cell => cell.dataset.key)"
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(path.as_uri())
        assert tab.evaluate(names) == ["lost", "far", "easy"]
        local = tab.locator("th button", has_text="local [mm]")
        local.click()
        assert tab.evaluate(names) == ["lost", "far", "easy"]
        local.click()
        assert tab.evaluate(names) == ["easy", "far", "lost"]
        clip = tab.locator("th button", has_text="clip")
        clip.click()
        clip.click()
        assert tab.evaluate(names) == ["lost", "far", "easy"]
        tab.get_by_role("link", name="far", exact=True).click()
        assert tab.locator("details[open] summary").inner_text() == "far: clip_end 2"
        assert tab.locator("details[open] polyline").count() == 2
        # Every link to a film opens a film.
        links = tab.evaluate("[...document.querySelectorAll('a.film')].map(link => link.href)")
        assert len(links) == 5
        assert {Path(unquote(urlsplit(link).path)) for link in links} == set(tmp_path.rglob("*.mp4"))
        source = tab.evaluate("document.querySelector('details[open] video').src")
        assert unquote(source).endswith("films/far 50%#1_0.mp4") and source in links
        tab.get_by_role("link", name="far, repeat 0: clip_end").click()
        assert tab.url == source
        assert tab.evaluate("document.querySelector('video').currentSrc") == source
        tab.go_back()
        assert "r<u>n/model_1.pt" in tab.locator("h1").inner_text()
        assert not errors
        browser.close()
