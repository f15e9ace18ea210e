# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Every trial once, under its command, and each episode as it was before its reset; in the tests' one simulator."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

from isaac_tracking.inference.velocity.commands import Command
from isaac_tracking.inference.velocity.examination import Trial, examine, plan_trials

STEPS = 5
COMMANDS = [Command(x, 0.0, 0.0) for x in (0.1, 0.2, 0.3, 0.4, 0.5)]


class Seer:
    """A policy that stands still and notes what is commanded when it is asked."""

    def __init__(self, walk: SimpleNamespace) -> None:
        self._walk, self.seen = walk, []

    def __call__(self, obs: object) -> torch.Tensor:
        self.seen.append(self._walk.term.vel_command_b[:, 0].clone())
        return self._walk.still

    def reset(self, done: torch.Tensor) -> None:
        pass


@pytest.fixture
def walk(sim, monkeypatch) -> SimpleNamespace:
    """The G1 on its feet for episodes of 5 steps, with a command term that nobody but the examination writes to."""
    sim.start("stand")
    num = sim.env.num_envs
    term = SimpleNamespace(vel_command_b=torch.full((num, 3), 9.0), is_standing_env=torch.ones(num, dtype=torch.bool))
    get_term = sim.env.command_manager.get_term
    monkeypatch.setattr(
        sim.env.command_manager, "get_term", lambda name: term if name == "base_velocity" else get_term(name)
    )
    monkeypatch.setattr(sim.env.cfg, "episode_length_s", STEPS * sim.env.step_dt)
    return SimpleNamespace(env=sim.env, term=term, still=sim.still, robot=sim.robot)


def test_trials_are_every_command_on_every_ground():
    trials = plan_trials(COMMANDS[:2], 2, 3, 2)
    assert len(trials) == len(set(trials)) == 24
    assert trials[:3] == [
        Trial(COMMANDS[0], 0, (0, 0)), Trial(COMMANDS[1], 0, (0, 0)), Trial(COMMANDS[0], 0, (0, 1))
    ]  # fmt: skip
    assert plan_trials(COMMANDS[:1], 2) == [Trial(COMMANDS[0], 0), Trial(COMMANDS[0], 1)]


def test_every_trial_is_played_once_under_its_command(walk):
    """15 trials in 8 environments; the last environment finds none left, and is told to stand."""
    manager, policy = walk.env.recorder_manager, Seer(walk)
    played = list(examine(RslRlVecEnvWrapper(walk.env), policy, plan_trials(COMMANDS, 3), 7))
    assert Counter((trial.command, trial.repeat) for trial, _ in played) == {
        (command, repeat): 1 for command in COMMANDS for repeat in range(3)
    }
    for trial, recording in played:
        assert recording.command == trial.command and recording.outcome == "time_out" and not recording.fell
        assert recording.steps == recording.max_steps == STEPS
        assert recording.terrain is recording.level is None and not recording.left_tile
        assert recording.mass == pytest.approx(walk.robot.data.body_mass.torch[0].sum().item())
    first = [trial.command.x for trial in plan_trials(COMMANDS, 3)]
    for step, seen in enumerate(policy.seen):
        due = first[:8] if step < STEPS else [*first[8:], 0.0]
        assert seen.tolist() == pytest.approx(due)
    assert len(policy.seen) == 2 * STEPS and not walk.term.is_standing_env.any()
    assert walk.env.recorder_manager is manager


def test_a_recording_holds_the_state_before_the_reset(walk, monkeypatch):
    states = []
    compute = walk.env.reward_manager.compute

    def watch(dt):
        data = walk.robot.data
        states.append((data.root_lin_vel_b.torch.clone(), data.root_pos_w.torch.clone(), data.joint_pos.torch.clone()))
        return compute(dt)

    monkeypatch.setattr(walk.env.reward_manager, "compute", watch, raising=False)
    played = list(examine(RslRlVecEnvWrapper(walk.env), Seer(walk), plan_trials(COMMANDS, 1), 7))
    for index, (_, recording) in enumerate(played):
        for step in range(STEPS):
            lin_vel, pos, joints = (part[index] for part in states[step])
            assert torch.equal(recording.lin_vel_b[step], lin_vel)
            assert torch.equal(recording.root_pos_w[step], pos)
            assert torch.equal(recording.joint_pos[step], joints)


def test_a_fall_is_no_time_out_and_an_episode_of_one_step_stays_what_it_was(walk, monkeypatch):
    """The first environment falls with its first step; what is played next is written into the same rows."""
    term, falls = walk.env.termination_manager.get_term_cfg("anchor_tilt"), []

    def fall(env, **params):
        flags = torch.zeros(env.num_envs, dtype=torch.bool)
        flags[0] = not falls
        falls.append(True)
        return flags

    monkeypatch.setattr(term, "func", fall)
    trials = plan_trials(COMMANDS, 2)
    played, kept = [], None
    for trial, recording in examine(RslRlVecEnvWrapper(walk.env), Seer(walk), trials, 7):
        played.append((trial, recording))
        if recording.fell:
            kept = recording.root_pos_w.clone()
    lost = [(trial, recording) for trial, recording in played if recording.fell]
    assert [trial for trial, _ in lost] == [trials[0]] and len(played) == len(trials)
    assert lost[0][1].steps == 1 and lost[0][1].outcome == "anchor_tilt"
    assert kept is not None and torch.equal(lost[0][1].root_pos_w, kept)
