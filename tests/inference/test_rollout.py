# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is said of an episode, and which poses a film gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

from isaac_tracking.inference.rollout import TrackingRecorder, play_episodes
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips


class Still:
    """A policy that leaves the joints where they are by default."""

    def __init__(self, actions: torch.Tensor) -> None:
        self._actions, self.ended = actions, 0

    def __call__(self, obs: object) -> torch.Tensor:
        return self._actions

    def reset(self, done: torch.Tensor) -> None:
        self.ended += int(done.sum())


@pytest.fixture
def short(sim, monkeypatch):
    """Episodes of ``stand`` that begin near the clip's end: 5 steps in even environments, 9 in odd ones."""
    frames = int(sim.command.library.num_frames[sim.command.library.names.index("stand")])
    sim.start("stand", [frames - (6 if index % 2 == 0 else 10) for index in range(sim.env.num_envs)])
    return sim


def test_every_environment_counts_the_same_number_of_episodes(short):
    num = short.env.num_envs
    policy = Still(short.still)
    episodes = list(play_episodes(RslRlVecEnvWrapper(short.env), policy, episodes=2))
    assert sorted(episode.env for episode in episodes) == sorted([*range(num)] * 2)
    assert {episode.steps for episode in episodes if episode.env % 2 == 0} == {5}
    assert {episode.steps for episode in episodes if episode.env % 2 == 1} == {9}
    assert policy.ended >= 2 * num
    for episode in episodes:
        assert episode.clip == "stand" and episode.completed and episode.outcome == "clip_end"
        assert 0.0 < episode.body_pos_error < 0.05
        assert 0.0 < episode.mean_reward < 5.0 * short.env.step_dt


def test_a_fall_on_the_last_frame_is_a_fall(short, monkeypatch):
    term = short.env.termination_manager.get_term
    monkeypatch.setattr(
        short.env.termination_manager,
        "get_term",
        lambda name: term(name) if name != "anchor_tilt" else term("clip_end"),
    )
    outcomes = {episode.outcome for episode in play_episodes(RslRlVecEnvWrapper(short.env), Still(short.still), 1)}
    assert outcomes == {"anchor_tilt"}


def record(short, steps: int, **choice) -> TrackingRecorder:
    recorder = TrackingRecorder(short.env, 1000, **choice)
    for _ in range(steps):
        recorder.record()
        with torch.inference_mode():
            short.env.step(short.still)
    return recorder


def test_a_film_is_the_first_episodes_one_after_another(short):
    recorder = record(short, 9)
    strip = recorder.film_strip()
    robot, reference, captions = strip.robot, strip.reference, strip.captions
    assert reference is not None
    num = short.env.num_envs
    assert len(robot) == len(reference) == len(captions) == (5 + 9) * num // 2
    assert robot.shape[1:] == (len(strip.body_names), 7) and strip.body_names[0] == "pelvis"
    # Without noise the robot starts on the reference, in its own place and not in its environment's.
    assert np.abs(robot[0, :, :3] - reference[0, :, :3]).max() < 2e-3
    assert np.abs(robot[5, :, :3] - reference[5, :, :3]).max() < 2e-3
    assert captions[0].startswith("stand   ") and captions[0].endswith(" mm")
    assert strip.model == ("unitree_g1", "g1.xml") and strip.rate == 50.0 and strip.ground is None


def test_the_reference_has_all_bodies_of_the_clip(short):
    """Against the clip's own bodies, of which the command keeps but the tracked ones."""
    short.start("walk_curve", [50 * index for index in range(short.env.num_envs)])
    recorder = record(short, 1)
    strip = recorder.film_strip()
    reference, captions = strip.reference, strip.captions
    assert reference is not None
    clip = Clip.load(shipped_clips()["walk_curve"])
    assert len(strip.body_names) > len(short.command.body_names)
    bodies = clip.body_indices(strip.body_names)
    for index, caption in enumerate(captions):
        assert caption.startswith(f"walk_curve   {float(index):.1f} s")
        assert np.abs(reference[index, :, :3] - clip.body_pos_w[50 * index, bodies]).max() < 1e-4
        alike = np.abs((reference[index, :, 3:] * clip.body_quat_w[50 * index, bodies]).sum(axis=-1))
        assert alike.min() > 1.0 - 1e-6


def test_a_film_shows_the_reference_as_it_was_changed(short, monkeypatch):
    """A reference that is moved by augmentation is moved in the film, environment by environment."""
    plain = record(short, 1).film_strip().reference
    frames = short.command.source.frames
    asked = []

    def moved(clip_ids, steps, env_ids=None):
        frame = frames(clip_ids, steps, env_ids)
        asked.append(env_ids)
        return frame._replace(body_pos_w=frame.body_pos_w + 1.0)

    short.start("stand", short.command.sampler.starts[1].tolist())
    monkeypatch.setattr(short.command.source, "frames", moved)
    recorder = TrackingRecorder(short.env, 1000)
    recorder.record()
    assert asked[0].tolist() == list(range(short.env.num_envs))
    shift = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert recorder.film_strip().reference == pytest.approx(plain + shift, abs=1e-5)


def test_a_film_of_one_environment_may_span_episodes(short):
    strip = record(short, 12, num_envs=1).film_strip(first_episodes=False)
    captions = strip.captions
    assert len(strip) == len(captions) == 12
    assert captions[0][:11] == captions[5][:11] == captions[10][:11]  # the clip begins again after five steps


def test_recording_stops_when_there_is_enough(short):
    recorder = TrackingRecorder(short.env, 3, num_envs=1)
    for _ in range(5):
        recorder.record()
    assert len(recorder.film_strip(first_episodes=False)) == 3
