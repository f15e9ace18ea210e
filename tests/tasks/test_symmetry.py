# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The task in the mirror: mirrored robots see mirrored observations, and are paid and ended alike."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
import torch
from isaaclab.managers import ObservationManager
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, handle_deprecated_rsl_rl_cfg
from tensordict import TensorDict

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.learning.runner import Runner
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.mirror import AXIAL_SIGNS, POLAR_SIGNS, QUATERNION_SIGNS, mirror_map, partners
from isaac_tracking.motion.quaternion import quat_from_axis_angle, quat_mul
from isaac_tracking.robots import g1
from isaac_tracking.tasks.tracking.config.g1.g1_adaptation_env_cfg import G1AdaptationEnvCfg
from isaac_tracking.tasks.tracking.mdp import symmetry
from isaac_tracking.tasks.tracking.mdp.delayed_action import DelayedJointPositionAction

"""
The G1 in the simulator: its first robots, and as many that are their mirror images.
"""

HALF = 4
JOINTS = list(mirror_map(motion_robot()).joint_permutation)
JOINT_SIGNS = torch.tensor(mirror_map(motion_robot()).joint_signs)
BODIES = list(partners(g1.KEY_BODY_NAMES))
POLAR, AXIAL, QUATERNION = torch.tensor(POLAR_SIGNS), torch.tensor(AXIAL_SIGNS), torch.tensor(QUATERNION_SIGNS)
TOLERANCE = 2e-4
"""The sides of the G1's model differ by 0.01 mm at the shoulders, which makes 0.04 mm/s here."""
WITHOUT_SIDES = {"boot_indicator", "future_root_height", "anchor_errors", "motion_phase"}
"""Observations that look the same in the mirror."""


def image(frame: MotionFrame) -> MotionFrame:
    return MotionFrame(
        frame.joint_pos[:, JOINTS] * JOINT_SIGNS,
        frame.joint_vel[:, JOINTS] * JOINT_SIGNS,
        frame.body_pos_w[:, BODIES] * POLAR,
        frame.body_quat_w[:, BODIES] * QUATERNION,
        frame.body_lin_vel_w[:, BODIES] * POLAR,
        frame.body_ang_vel_w[:, BODIES] * AXIAL,
    )


@pytest.fixture
def twins(sim: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The simulator, whose last four robots follow the mirror images of what the first four follow."""
    source = sim.command.source
    look_up = source.frames

    def frames(clip_ids: torch.Tensor, steps: torch.Tensor, env_ids: torch.Tensor | None = None) -> MotionFrame:
        frame = look_up(clip_ids, steps, env_ids)
        mirrored = (torch.arange(len(steps)) if env_ids is None else env_ids) >= HALF
        both = [
            torch.where(mirrored.view(-1, *[1] * (a.ndim - 1)), b, a) for a, b in zip(frame, image(frame), strict=True)
        ]
        return MotionFrame(*both)

    monkeypatch.setattr(source, "frames", frames)
    yield sim


def begin(sim: Any) -> None:
    sampler = sim.start("walk", step=[30, 55, 80, 175] * 2)
    # Of all clips only this one leans its pelvis to a side.
    sampler.starts[0][HALF - 1 :: HALF] = sim.command.library.names.index("sway")
    sim.env.reset()


def scatter(sim: Any, seed: int = 0) -> None:
    """Put robots and their mirror images somewhere off their references, moving and with actions behind them."""
    generator = torch.Generator().manual_seed(seed)

    def draw(width: int, size: float) -> torch.Tensor:
        return size * torch.randn(HALF, width, generator=generator)

    data, origins = sim.robot.data, sim.env.scene.env_origins
    pose, velocity = data.root_link_pose_w.torch.clone(), data.root_link_vel_w.torch.clone()
    joint_pos, joint_vel = data.joint_pos.torch.clone(), data.joint_vel.torch.clone()
    # The second one is far too high, which ends its episode.
    lift = torch.tensor([0.1, 0.4, 0.1, 0.1])[:, None] * torch.tensor([0.0, 0.0, 1.0])
    pos = pose[:HALF, :3] - origins[:HALF] + draw(3, 0.1) + lift
    quat = quat_mul(quat_from_axis_angle(draw(3, 0.2)), pose[:HALF, 3:])
    pose[:HALF] = torch.cat([pos + origins[:HALF], quat], dim=-1)
    pose[HALF:] = torch.cat([pos * POLAR + origins[HALF:], quat * QUATERNION], dim=-1)
    velocity[:HALF] += draw(6, 0.5)
    velocity[HALF:] = velocity[:HALF] * torch.cat([POLAR, AXIAL])
    joint_pos[:HALF] += draw(29, 0.2)
    joint_vel[:HALF] += draw(29, 1.0)
    joint_pos[HALF:], joint_vel[HALF:] = (value[:HALF, JOINTS] * JOINT_SIGNS for value in (joint_pos, joint_vel))
    sim.write(pose, velocity, joint_pos, joint_vel)
    for _ in range(2):
        sim.env.action_manager.process_action(both_sides(draw(29, 1.0)))
    sim.command._robot_stale, sim.command._measured_step = True, -1


def both_sides(actions: torch.Tensor) -> torch.Tensor:
    return torch.cat([actions, actions[:, JOINTS] * JOINT_SIGNS])


def difference(values: torch.Tensor, images: torch.Tensor) -> float:
    return (values.float() - images.float()).abs().max().item()


def terms_apart(env: Any, group: str, seen: torch.Tensor, mirrored: bool = True) -> dict[str, float]:
    """Return by how much each term of the last robots differs from the (image of the) first ones' at most."""
    first = symmetry.env_mirror(env, "cpu").groups[group](seen[:HALF]) if mirrored else seen[:HALF]
    apart = (first - seen[HALF:]).abs().amax(dim=0)
    manager = env.observation_manager
    widths = [int(torch.Size(shape).numel()) for shape in manager.group_obs_term_dim[group]]
    return dict(zip(manager.active_terms[group], [part.max().item() for part in apart.split(widths)], strict=True))


def assert_mirrored(env: Any, group: str, seen: torch.Tensor, **tolerances: float) -> None:
    apart = terms_apart(env, group, seen)
    assert not {n: v for n, v in apart.items() if v > tolerances.get(n, TOLERANCE)}
    # Not because there is nothing to see.
    alike = {n for n, v in terms_apart(env, group, seen, mirrored=False).items() if v < 50 * TOLERANCE}
    assert alike <= WITHOUT_SIDES


@pytest.mark.slow
def test_mirrored_robots_see_mirrored_observations(twins: Any) -> None:
    begin(twins)
    scatter(twins)
    for group in ("policy", "critic"):
        assert_mirrored(twins.env, group, twins.env.observation_manager.compute_group(group))


@pytest.mark.slow
def test_rewards_and_ends_are_the_same_in_the_mirror(twins: Any) -> None:
    begin(twins)
    scatter(twins)
    rewards, ends = twins.env.reward_manager, twins.env.termination_manager
    rewards.compute(dt=0.02)
    for name, value in zip(rewards.active_terms, rewards._step_reward.T, strict=True):
        assert difference(value[:HALF], value[HALF:]) <= TOLERANCE * value.abs().max(), name
        assert name == "undesired_contacts" or value.std() > 0.0
    ends.compute()
    for name in ends.active_terms:
        assert torch.equal(ends.get_term(name)[:HALF], ends.get_term(name)[HALF:]), name
    assert ends.terminated.any() and not ends.terminated.all()
    errors = twins.command.errors
    assert difference(errors.body_pos[:HALF, BODIES], errors.body_pos[HALF:]) < TOLERANCE


@pytest.mark.slow
def test_physics_is_the_same_in_the_mirror(twins: Any) -> None:
    begin(twins)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        actions = symmetry.mirror_batch(twins.env, None, 0.3 * torch.randn(HALF, 29, generator=generator))[1]
        obs, reward, terminated, _, _ = twins.env.step(actions)
        assert not terminated.any()
    assert difference(reward[:HALF], reward[HALF:]) < 1e-3
    for group in ("policy", "critic"):
        apart = terms_apart(twins.env, group, obs[group])
        # What is rounded otherwise grows at contacts: to 0.06 rad/s of some 5 in three steps.
        assert max(value for name, value in apart.items() if "vel" not in name) < 5e-3, apart
        assert max(apart.values()) < 0.2, apart


@pytest.fixture
def students(twins: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same with the senses and the action path of the staged tasks."""
    cfg = G1AdaptationEnvCfg()
    cfg.observations.policy.enable_corruption = False
    action = cfg.actions.joint_pos.default
    action.delay = (2, 2)
    term = DelayedJointPositionAction(action, twins.env)
    monkeypatch.setitem(twins.env.action_manager._terms, "joint_pos", term)
    monkeypatch.setattr(twins.env, "observation_manager", ObservationManager(cfg.observations, twins.env))
    # Kept for the observations that the environment has else.
    monkeypatch.setattr(symmetry, "_MIRRORS", weakref.WeakKeyDictionary())
    return twins


@pytest.mark.slow
def test_students_and_teachers_see_mirrored_observations(students: Any) -> None:
    begin(students)
    manager = students.env.observation_manager
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        students.env.step(both_sides(0.3 * torch.randn(HALF, 29, generator=generator)))
    for seed in range(6):
        scatter(students, seed)
        observations = manager.compute(update_history=True)
    sizes = {group: values.shape[1] for group, values in observations.items()}
    assert sizes == {"policy": 620, "priv": 340, "critic_priv": 33}
    for group, values in observations.items():
        # Torques of tens of N m follow from the speeds of the joints at a contact.
        assert_mirrored(students.env, group, values, applied_torque=0.5)
    left, right = observations["priv"][:HALF, -2:].T
    assert not torch.equal(left, right) and torch.equal(observations["priv"][HALF:, -2], right)


"""
What learners call.
"""


def assert_involutions(env: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    mirrors = symmetry.env_mirror(env, "cpu")
    for mirror in (*mirrors.groups.values(), mirrors.actions):
        values = torch.randn(5, len(mirror.signs), generator=generator)
        assert torch.equal(mirror(mirror(values)), values)
        assert sorted(mirror.permutation.tolist()) == list(range(len(mirror.signs)))
        assert not torch.equal(mirror(values), values)
    assert symmetry.env_mirror(env, "cpu") is mirrors


@pytest.mark.slow
def test_mirrored_twice_is_what_it_was(sim: Any) -> None:
    assert_involutions(sim.env)


@pytest.mark.slow
def test_mirrored_twice_is_what_the_students_saw(students: Any) -> None:
    # Distances have no sides but the bodies do.
    assert_involutions(students.env)


@pytest.mark.slow
def test_single_numbers_of_the_g1(sim: Any) -> None:
    """By name: what the left has is found at the right, rolls and yaws change their signs."""
    actions = torch.zeros(1, 29)
    actions[0, g1.JOINT_NAMES.index("left_hip_roll_joint")] = 0.3
    actions[0, g1.JOINT_NAMES.index("right_knee_joint")] = 0.5
    actions[0, g1.JOINT_NAMES.index("waist_yaw_joint")] = 0.7
    image = symmetry.mirror_actions(sim.env, actions)[0]
    moved = {g1.JOINT_NAMES[i]: round(float(image[i]), 3) for i in image.nonzero().flatten()}
    assert moved == {"right_hip_roll_joint": -0.3, "left_knee_joint": 0.5, "waist_yaw_joint": -0.7}
    std = symmetry.mirror_std(sim.env, actions[0])
    assert std[g1.JOINT_NAMES.index("right_hip_roll_joint")] == pytest.approx(0.3)
    assert std[g1.JOINT_NAMES.index("waist_yaw_joint")] == pytest.approx(0.7)
    # In the critic's group 42 numbers of bodies begin after the command and the anchor (58 + 3 + 6).
    critic = torch.zeros(1, 286)
    critic[0, 67 + 3 * g1.KEY_BODY_NAMES.index("left_elbow_link") + 1] = 0.25
    image = symmetry.env_mirror(sim.env, "cpu").groups["critic"](critic)[0]
    assert image.nonzero().flatten().tolist() == [67 + 3 * g1.KEY_BODY_NAMES.index("right_elbow_link") + 1]
    assert image.sum() == -0.25


@pytest.mark.slow
def test_a_batch_is_followed_by_its_image(sim: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    seen = {"policy": torch.randn(3, 160, generator=generator), "critic": torch.randn(3, 286, generator=generator)}
    given = TensorDict({**seen, "latent": torch.zeros(3, 8)}, batch_size=[3])
    actions = torch.randn(3, 29, generator=generator, requires_grad=True)
    obs, both = symmetry.mirror_batch(sim.env, given, actions)
    assert obs is not None and both is not None
    # A latent has no mirror image of its own.
    assert set(obs.keys()) == set(seen) and obs.batch_size == torch.Size([6]) and set(given.keys()) == {*seen, "latent"}
    for group, mirror in symmetry.env_mirror(sim.env, "cpu").groups.items():
        assert torch.equal(obs[group][:3], seen[group]) and torch.equal(obs[group][3:], mirror(seen[group]))
    assert torch.equal(both[:3], actions) and torch.equal(both[3:], symmetry.mirror_actions(sim.env, actions))
    both.square().sum().backward()
    assert actions.grad is not None and torch.allclose(actions.grad, 4.0 * actions)
    assert symmetry.mirror_batch(sim.env, given, None)[1] is None
    assert symmetry.mirror_batch(env=sim.env, obs=None, actions=actions)[0] is None


@pytest.mark.slow
def test_a_mirror_first_seen_in_a_rollout_lets_gradients_pass(sim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symmetry, "_MIRRORS", weakref.WeakKeyDictionary())
    with torch.inference_mode():
        symmetry.mirror_actions(sim.env, torch.zeros(1, 29))
    actions = torch.zeros(1, 29, requires_grad=True)
    symmetry.mirror_actions(sim.env, actions).sum().backward()
    assert actions.grad is not None and actions.grad.sum() == -3.0  # 13 joints keep their signs, 16 do not


@pytest.mark.slow
def test_ppo_learns_from_mirrored_samples(sim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stock hook, chosen by the preset: one iteration of the default task."""
    overrides = ["presets=symmetry", "agent.actor.hidden_dims=[16]", "agent.critic.hidden_dims=[16]"]
    _, agent = resolve_config("Isaac-Tracking-G1-v0", [*overrides, "agent.num_steps_per_env=2"])
    agent = handle_deprecated_rsl_rl_cfg(agent, version("rsl-rl-lib"))
    runner = Runner(RslRlVecEnvWrapper(sim.env), agent.to_dict(), log_dir=None, device="cpu")
    losses, sizes, update, hook = [], set(), runner.alg.update, symmetry.mirror_batch

    def mirror_batch(env: Any, obs: TensorDict | None, actions: torch.Tensor | None) -> Any:
        sizes.update([] if obs is None else [obs.batch_size[0]])
        return hook(env, obs, actions)

    monkeypatch.setattr(runner.alg, "update", lambda: losses.append(update()) or losses[-1])
    monkeypatch.setattr(runner.alg.symmetry, "data_augmentation_func", mirror_batch)
    runner.learn(1)
    assert 0.0 < losses[0]["symmetry"] < 1.0
    # 8 robots, 2 steps, 4 minibatches.
    assert sizes == {4}


def test_the_preset_and_its_parts() -> None:
    task = "Isaac-Tracking-G1-v0"
    assert resolve_config(task, [])[1].algorithm.symmetry_cfg is None
    settings = ["presets=symmetry", "agent.algorithm.symmetry_cfg.use_data_augmentation=false"]
    chosen = resolve_config(task, [*settings, "agent.algorithm.symmetry_cfg.mirror_loss_coeff=0.5"])[1]
    symmetry_cfg = chosen.algorithm.symmetry_cfg
    assert (symmetry_cfg.use_data_augmentation, symmetry_cfg.use_mirror_loss) == (False, True)
    assert symmetry_cfg.mirror_loss_coeff == 0.5
