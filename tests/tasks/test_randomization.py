# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Robots that differ: what the config draws, and that the simulated robots move accordingly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from isaaclab.utils import class_to_dict

from isaac_tracking.robots import g1
from isaac_tracking.tasks.tracking.randomization_cfg import StrongEventsCfg
from isaac_tracking.tasks.tracking.tracking_env_cfg import EventsCfg

pytestmark = pytest.mark.slow

RANGES = {
    "motor_gains": ("stiffness_distribution_params", "damping_distribution_params"),
    "motor_armature": ("armature_distribution_params",),
    "link_mass": ("mass_distribution_params",),
}
Ranges = tuple[float, float]


class Strength:
    """The randomization of the config on the shared simulator."""

    def __init__(self, sim: Any) -> None:
        from isaaclab.managers import EventManager

        events = StrongEventsCfg()
        self.sim = sim
        self.manager = EventManager({name: getattr(events, name) for name in RANGES}, sim.env)
        self.draw(**{name: (1.0, 1.0) for name in RANGES})
        self.nominal = self.model()

    def draw(self, **ranges: Ranges) -> None:
        """Draw anew, as at the start of a run; what is named from another range."""
        for name, drawn in ranges.items():
            for param in RANGES[name]:
                self.manager.get_term_cfg(name).params[param] = drawn
        self.manager.apply(mode="startup")

    def model(self) -> dict[str, torch.Tensor]:
        """What the solver of the engine computes with, by environment, after the next physics step."""
        import warp as wp
        from isaaclab_newton.physics import NewtonManager

        self.sim.env.sim.step(render=False)
        assert NewtonManager._solver is not None
        solver = NewtonManager._solver.mjw_model
        numbers = {
            "stiffness": -wp.to_torch(solver.actuator_biasprm)[:, 0::2, 1],
            "damping": -wp.to_torch(solver.actuator_biasprm)[:, 1::2, 2],
            "armature": wp.to_torch(solver.dof_armature)[:, 6:],
            "mass": wp.to_torch(solver.body_mass)[:, 1:],
            "inertia": wp.to_torch(solver.body_inertia)[:, 1:].flatten(1),
        }
        return {name: values.clone() for name, values in numbers.items()}

    def ratios(self) -> dict[str, torch.Tensor]:
        """The solver's numbers over the nominal ones."""
        return {name: values / self.nominal[name] for name, values in self.model().items()}

    def kick(self) -> torch.Tensor:
        """Joint speeds [rad/s] after one physics step, high up, from rest, with targets 0.05 rad away."""
        env, robot = self.sim.env, self.sim.robot
        pose = robot.data.default_root_pose.torch.clone()
        pose[:, 2] += 10.0
        at_rest = torch.zeros(env.num_envs, 6)
        joint_pos = robot.data.default_joint_pos.torch.clone()
        self.sim.write(pose, at_rest, joint_pos, torch.zeros_like(joint_pos))
        robot.set_joint_position_target_index(target=joint_pos + 0.05)
        robot.write_data_to_sim()
        env.sim.step(render=False)
        env.scene.update(dt=env.physics_dt)
        return robot.data.joint_vel.torch.clone()


@pytest.fixture
def strength(sim: Any) -> Iterator[Strength]:
    """The randomization, with nominal robots before and after."""
    one = Strength(sim)
    yield one
    one.draw(**{name: (1.0, 1.0) for name in RANGES})
    one.model()


def test_beyondmimics_events_stay() -> None:
    strong, plain = class_to_dict(StrongEventsCfg()), class_to_dict(EventsCfg())
    assert {name: strong[name] for name in plain} == plain
    assert set(strong) - set(plain) == set(RANGES)
    assert {strong[name]["mode"] for name in RANGES} == {"startup"}


def test_the_solver_has_the_motors_of_the_config(strength: Strength) -> None:
    motors = [g1.motor_of(name) for name in g1.JOINT_NAMES]
    for name in ("stiffness", "damping", "armature"):
        wanted = torch.tensor([getattr(motor, name) for motor in motors])
        assert torch.allclose(strength.nominal[name], wanted.expand(strength.sim.env.num_envs, -1), rtol=1e-5)
    assert torch.allclose(strength.nominal["mass"].sum(dim=-1), torch.tensor(g1.MASS), rtol=1e-4)


def test_every_robot_joint_and_body_gets_its_own_numbers_in_the_configs_ranges(strength: Strength) -> None:
    events = StrongEventsCfg()
    strength.draw(**{name: getattr(events, name).params[params[0]] for name, params in RANGES.items()})
    ratios = strength.ratios()
    for name, (low, high) in {
        "stiffness": (0.8, 1.2),
        "damping": (0.8, 1.2),
        "armature": (0.75, 1.25),
        "mass": (0.9, 1.1),
    }.items():
        values = ratios[name]
        slack = 0.1 * (high - low)
        # More than 230 draws each: some in the outer tenth on either side.
        assert low - 1e-4 <= float(values.min()) < low + slack, name
        assert high - slack < float(values.max()) <= high + 1e-4, name
        assert len(values.flatten().unique()) > 0.9 * values.numel(), name
    # Stiffness and damping of a motor are drawn apart, and the inertia follows the mass.
    assert float((ratios["stiffness"] - ratios["damping"]).abs().max()) > 0.1
    inertia = ratios["inertia"].unflatten(1, (-1, 3))
    assert torch.allclose(inertia, ratios["mass"][..., None].expand_as(inertia), rtol=1e-3)


def test_drawing_again_does_not_compound(strength: Strength) -> None:
    for _ in range(3):
        strength.draw(**{name: (1.1, 1.1) for name in RANGES})
    assert all(torch.allclose(values, torch.tensor(1.1), rtol=1e-4) for values in strength.ratios().values())


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        # From rest the torques are stiffness times the distance, and nothing else changes.
        ({"stiffness_distribution_params": (1.2, 1.2)}, 1.2),
        # All inertias and the dampings that the engine takes implicitly, times 1.25: speeds divided by it.
        ({"damping_distribution_params": (1.25, 1.25), "motor_armature": (1.25, 1.25), "link_mass": (1.25, 1.25)}, 0.8),
    ],
)
def test_the_robots_move_accordingly(strength: Strength, ranges: dict[str, Ranges], expected: float) -> None:
    before = strength.kick()
    assert (before.abs() > 1e-3).all()
    gains = strength.manager.get_term_cfg("motor_gains").params
    for param in RANGES["motor_gains"]:
        gains[param] = ranges.pop(param, gains[param])
    strength.draw(**ranges)
    assert torch.allclose(strength.kick(), expected * before, rtol=1e-3, atol=1e-5)


def test_each_of_the_inertias_is_felt(strength: Strength) -> None:
    before = strength.kick()

    def felt() -> float:
        return float((strength.kick() - before).norm() / before.norm())

    strength.draw(motor_armature=(1.25, 1.25))
    assert felt() > 0.01
    strength.draw(motor_armature=(1.0, 1.0), link_mass=(1.1, 1.1))
    assert felt() > 0.01
    strength.draw(link_mass=(1.0, 1.0))
    assert felt() < 1e-4
