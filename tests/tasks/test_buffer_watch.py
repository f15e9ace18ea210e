# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Contacts and constraints that the physics drops are counted and named, with a stand-in and with the real physics."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import warp as wp
from mujoco_warp import OverflowType

from isaac_tracking.tasks import buffer_watch
from isaac_tracking.tasks.buffer_watch import BufferReading, BufferWatch, Sizes
from warm_process import SCRIPTS, WarmProcess


def ints(*values: int) -> Any:
    return wp.array(values, dtype=wp.int32, device="cpu")


def physics(overflow: tuple[int, ...] = (0, 0), nefc: tuple[int, ...] = (3, 5), nacon: int = 4) -> Any:
    """Return a solver of two robots with room for ten contacts and six constraints each, after a step."""
    data = SimpleNamespace(
        overflow=ints(*overflow),
        nefc=ints(*nefc),
        nacon=ints(nacon),
        ncollision=ints(2),
        naconmax=10,
        njmax=6,
        nworld=2,
    )
    return SimpleNamespace(mjw_data=data)


def test_the_marks_are_those_of_mujoco_warp():
    assert buffer_watch.CONSTRAINT_BITS == OverflowType.NEFC | OverflowType.NJMAX_NNZ
    assert buffer_watch.CONTACT_BITS == OverflowType.BROADPHASE | OverflowType.NARROWPHASE


def test_room_for_everything_is_zero_and_says_nothing():
    watch = BufferWatch(physics())
    watch.look()
    watch.look()
    reading = watch.read()
    assert reading.log() == {"Physics/overflow_contacts": 0.0, "Physics/overflow_constraints": 0.0}
    assert (reading.calls, reading.most_contacts, reading.most_constraints) == (2, 4, 5)
    assert reading.warning() is None


def test_marks_are_counted_once_and_cleared():
    contacts, constraints = int(OverflowType.NARROWPHASE), int(OverflowType.NEFC)
    solver = physics((contacts | constraints, contacts | constraints), nefc=(9, 12), nacon=17)
    watch = BufferWatch(solver)
    watch.look()
    # MJWarp says how many there were, also once it does not mark any more.
    solver.mjw_data.nacon.zero_()
    watch.look()
    reading = watch.read()
    assert solver.mjw_data.overflow.numpy().tolist() == [0, 0]
    # Contacts are of all robots together, constraints of each.
    assert (reading.calls, reading.contact_overflows, reading.constraint_overflows) == (2, 1, 2)
    assert (reading.most_contacts, reading.most_constraints) == (17, 12)
    assert watch.read().calls == 0


def test_limits_of_iterations_are_no_overflow():
    watch = BufferWatch(physics((int(OverflowType.ITERATIONS | OverflowType.LS_ITERATIONS), 0)))
    watch.look()
    assert watch.read().warning() is None


def test_newtons_contacts_are_cut_before_mjwarp_counts_them():
    narrow = SimpleNamespace(triangle_pairs=wp.zeros(4, dtype=wp.vec3i, device="cpu"), triangle_pairs_count=ints(6))
    contacts = SimpleNamespace(rigid_contact_max=100, rigid_contact_count=ints(11))
    watch = BufferWatch(physics(nacon=10), contacts, narrow)
    watch.look()
    reading = watch.read()
    assert (reading.contact_overflows, reading.triangle_overflows) == (1, 1)
    assert (reading.most_contacts, reading.most_triangle_pairs) == (11, 6)
    assert reading.log()["Physics/overflow_contacts"] == 2.0


def test_the_smaller_buffer_is_named():
    contacts = SimpleNamespace(rigid_contact_max=8, rigid_contact_count=ints(9))
    watch = BufferWatch(physics(), contacts)
    watch.look()
    warning = watch.read().warning()
    assert warning is not None
    # A quarter more than 9, of all robots together.
    assert "raise env.sim.physics.collision_cfg.rigid_contact_max, for example to 12" in warning


def test_the_sentence_by_hand():
    sizes = Sizes(4, 40, 20, 7, "solver_cfg.nconmax")
    assert BufferReading(sizes, 100, 3, 5, 2, 48, 30, 8).warning() == (
        "the physics ran out of room, and robots went through things: contacts were dropped in 3 of 100 physics steps"
        " (at most 48 were found, 40 fit): raise env.sim.physics.solver_cfg.nconmax, for example to 15; contacts with"
        " the ground were dropped in 2 of 100 physics steps: raise env.sim.physics.collision_cfg.max_triangle_pairs,"
        " for example to 10; constraints of robots were dropped 5 times in 100 physics steps (a robot had up to 30, 20"
        " fit): raise env.sim.physics.solver_cfg.njmax, for example to 38"
    )


def trained(folder: Path, *settings: str) -> tuple[str, list[dict[str, str]]]:
    """Train a task on a CPU for an iteration, and return what was printed and the rows of its log."""
    from isaac_tracking.learning.run_table import read_table

    small = ["agent.num_steps_per_env=16", "agent.actor.hidden_dims=[8]", "agent.critic.hidden_dims=[8]"]
    given = ["--task", "Isaac-Velocity-Flat-Unitree-Go1-v0", "--device", "cpu", "--num_envs", 8, "--max_iterations", 2]
    done = WarmProcess(SCRIPTS / "train.py", *given, *small, *settings, cwd=folder).wait()
    assert done.returncode == 0, done.stderr
    (table,) = folder.glob("logs/rsl_rl/*/*/logs.csv")
    return done.stdout, read_table(table)[1]


@pytest.mark.slow
def test_training_logs_what_was_dropped_and_warns_once(tmp_path: Path):
    printed, rows = trained(tmp_path, "env.sim.physics.solver_cfg.njmax=8")
    assert all(float(row["Physics/overflow_constraints"]) > 0 for row in rows)
    assert all(float(row["Physics/overflow_contacts"]) == 0 for row in rows)
    assert printed.count("WARNING: the physics ran out of room") == 1
    assert "8 fit): raise env.sim.physics.solver_cfg.njmax" in printed


@pytest.mark.slow
def test_the_task_as_it_is_drops_nothing(tmp_path: Path):
    printed, rows = trained(tmp_path)
    assert [float(row[f"Physics/overflow_{kind}"]) for row in rows for kind in ("contacts", "constraints")] == [0.0] * 4
    assert "ran out of room" not in printed


@pytest.mark.slow
def test_ground_of_triangles_is_watched_too(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text("""
import argparse, json, gymnasium as gym, torch
import isaac_tracking.tasks
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.tasks.buffer_watch import BufferWatch
task = "Isaac-Velocity-Rough-Unitree-Go1-v0"
small = [f"env.scene.terrain.terrain_generator.num_{part}=2" for part in ("rows", "cols")]
cfg, _ = resolve_config(task, ["env.scene.num_envs=4", "env.sim.physics.solver_cfg.nconmax=1", *small])
cfg.sim.device = "cpu"
env = gym.make(task, cfg=cfg).unwrapped
watch = BufferWatch.attach()
env.reset()
with torch.inference_mode():
    for _ in range(20):
        env.step(torch.zeros(4, 12))
reading = watch.read()
print("FOUND", json.dumps([reading.contact_overflows, reading.most_contacts, reading.most_triangle_pairs]))
""")
    done = WarmProcess(script, cwd=tmp_path).wait()
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    overflows, contacts, pairs = json.loads(line.removeprefix("FOUND"))
    assert overflows > 0 and contacts > 4 and pairs > 0
