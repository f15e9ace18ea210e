# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The tracking task in the simulator: starts, steps, ends, rewards, and what happens when a state breaks."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
import pytest
import torch

from isaac_tracking.motion.errors import tracking_errors
from isaac_tracking.motion.quaternion import quat_error_magnitude, quat_from_axis_angle, quat_mul
from isaac_tracking.motion.sampling.plain import StartSampler, UniformSampler
from isaac_tracking.robots import g1

pytestmark = pytest.mark.slow

CLIPS = ("stand", "squat", "walk", "walk_back", "turn", "lunge", "wave", "side_step")


def last_frame(sim: Any, clip: str) -> int:
    return int(sim.command.library.num_frames[sim.command.library.names.index(clip)]) - 1


def put_on_reference(sim: Any, shift: tuple[float, float, float] = (0.0, 0.0, 0.0), yaw: float = 0.0) -> None:
    """Write the state that every robot is to reach into the simulator, moved and turned about its root."""
    reference = sim.command.reference
    turn = quat_from_axis_angle(torch.tensor([0.0, 0.0, yaw])).expand(sim.env.num_envs, 4)
    root_pose = torch.cat(
        [reference.body_pos_w[:, 0] + torch.tensor(shift), quat_mul(turn, reference.body_quat_w[:, 0])], dim=-1
    )
    root_vel = torch.cat([reference.body_lin_vel_w[:, 0], reference.body_ang_vel_w[:, 0]], dim=-1)
    sim.write(root_pose, root_vel, reference.joint_pos, reference.joint_vel)
    look_again(sim)


def look_again(sim: Any) -> None:
    """Forget what was read of the robots in this step; between steps nobody writes but a test."""
    sim.command._robot_stale = True
    sim.command._measured_step = -1


def raise_robots(sim: Any, heights: dict[int, float]) -> None:
    pose = sim.robot.data.root_link_pose_w.torch.clone()
    for env, height in heights.items():
        pose[env, 2] += height
    sim.write(root_pose=pose)


def ended_by(sim: Any, name: str) -> list[int]:
    return sim.env.termination_manager.get_term(name).nonzero().flatten().tolist()


def observation(sim: Any, group: str, name: str) -> torch.Tensor:
    manager = sim.env.observation_manager
    widths = [int(np.prod(dim)) for dim in manager.group_obs_term_dim[group]]
    parts = manager.compute_group(group).split(widths, dim=-1)
    return dict(zip(manager.active_terms[group], parts, strict=True))[name]


def rewards(sim: Any) -> dict[str, torch.Tensor]:
    """Terms of the last step, weighted, per second."""
    manager = sim.env.reward_manager
    return dict(zip(manager.active_terms, manager._step_reward.T, strict=True))


"""
Observations.
"""


def test_observations_have_beyondmimics_size_and_order(sim: Any) -> None:
    manager = sim.env.observation_manager
    assert manager.group_obs_dim == {"policy": (160,), "critic": (286,)}
    dimensions = {group: [int(np.prod(dim)) for dim in dims] for group, dims in manager.group_obs_term_dim.items()}
    assert dimensions == {
        "policy": [58, 3, 6, 3, 3, 29, 29, 29],
        "critic": [58, 3, 6, 42, 84, 3, 3, 29, 29, 29],
    }
    assert manager.active_terms["policy"] == [
        *("command", "reference_anchor_pos_b", "reference_anchor_ori_b", "base_lin_vel"),
        *("base_ang_vel", "joint_pos", "joint_vel", "actions"),
    ]


def test_on_the_reference_the_anchor_is_where_it_should_be(sim: Any) -> None:
    sim.start("walk", step=range(20, 20 + sim.env.num_envs))
    put_on_reference(sim)
    identity = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])  # two columns of a rotation, row by row
    assert observation(sim, "policy", "reference_anchor_pos_b").abs().max() < 1e-4
    assert torch.allclose(observation(sim, "policy", "reference_anchor_ori_b"), identity.expand(8, 6), atol=1e-4)


def test_the_anchor_is_seen_in_the_robots_frame(sim: Any) -> None:
    sim.start("stand")
    put_on_reference(sim, shift=(1.0, 0.0, 0.0), yaw=np.pi / 2)
    # The robot is a metre ahead and faces left: the reference lies a metre to its left, turned to the right. In the
    # stand the torso is upright to some hundredths, and above the pelvis to some centimetres.
    seen = observation(sim, "policy", "reference_anchor_pos_b")
    assert torch.allclose(seen, torch.tensor([0.0, 1.0, 0.0]).expand(8, 3), atol=0.06)
    columns = observation(sim, "policy", "reference_anchor_ori_b")
    assert torch.allclose(columns, torch.tensor([0.0, 1.0, -1.0, 0.0, 0.0, 0.0]).expand(8, 6), atol=0.06)


def test_the_critic_sees_the_bodies_from_the_anchor(sim: Any) -> None:
    sim.start("lunge", step=200)
    ids = [g1.BODY_NAMES.index(name) for name in g1.KEY_BODY_NAMES]
    pose = sim.robot.data.body_link_pose_w.torch[0].double().numpy()
    anchor = pose[g1.BODY_NAMES.index(g1.ANCHOR_BODY_NAME)]

    def matrix(quat: np.ndarray) -> np.ndarray:
        flat = np.zeros(9)
        mujoco.mju_quat2Mat(flat, quat[[3, 0, 1, 2]])
        return flat.reshape(3, 3)

    inverse = matrix(anchor[3:]).T
    pos = torch.tensor(np.stack([inverse @ (pose[i, :3] - anchor[:3]) for i in ids]), dtype=torch.float)
    ori = torch.tensor(np.stack([(inverse @ matrix(pose[i, 3:]))[:, :2] for i in ids]), dtype=torch.float)
    assert torch.allclose(observation(sim, "critic", "body_pos")[0], pos.flatten(), atol=1e-5)
    assert torch.allclose(observation(sim, "critic", "body_ori")[0], ori.flatten(), atol=1e-5)


def test_the_command_is_the_frame_to_reach(sim: Any) -> None:
    sim.start("walk", step=50)
    frame = sim.command.library.frames(sim.command.clip_ids, torch.full((8,), 51))
    assert torch.equal(observation(sim, "policy", "command"), torch.cat([frame.joint_pos, frame.joint_vel], dim=-1))


"""
Starts.
"""


@pytest.mark.parametrize("clip", CLIPS)
def test_a_start_without_noise_is_the_reference(sim: Any, clip: str) -> None:
    starts = torch.linspace(0, last_frame(sim, clip) - 1, sim.env.num_envs).long()
    sim.start(clip, step=starts.tolist())
    command = sim.command
    frame = command.library.frames(command.clip_ids, starts)
    frame = frame._replace(body_pos_w=frame.body_pos_w + sim.env.scene.env_origins[:, None])
    errors = tracking_errors(frame, command.robot, command.anchor)
    assert errors.joint_pos.max() < 1e-5
    assert errors.joint_vel.max() < 1e-4
    # A reference that reaches into the ground, by less than 2 mm, is lifted out of it.
    assert errors.anchor_pos.max() < 2e-3
    assert errors.body_pos.max() < 2e-3
    assert errors.anchor_rot.max() < 2e-3
    assert errors.body_rot.max() < 2e-3
    # Velocities of a clip are differences over two frames.
    assert errors.body_lin_vel.max() < 0.1
    assert errors.body_ang_vel.max() < 0.3


def test_environments_stand_on_their_own_ground(sim: Any) -> None:
    sim.start("stand")
    offset = sim.robot.data.root_link_pose_w.torch[:, :2] - sim.env.scene.env_origins[:, :2]
    assert offset.norm(dim=-1).max() < 0.3
    assert torch.cdist(sim.env.scene.env_origins, sim.env.scene.env_origins).fill_diagonal_(9.0).min() > 2.0


def test_noise_of_starts_is_as_wide_as_it_says(sim: Any) -> None:
    pos, rot, lin, ang, joints = [], [], [], [], []
    limits = sim.robot.data.soft_joint_pos_limits.torch
    for step in range(0, 200, 8):
        sim.start("stand", step=step, noise=True)
        frame = sim.command.library.frames(sim.command.clip_ids, torch.full((8,), step))
        data = sim.robot.data
        pos.append(data.root_link_pose_w.torch[:, :3] - frame.body_pos_w[:, 0] - sim.env.scene.env_origins)
        rot.append(quat_error_magnitude(data.root_link_pose_w.torch[:, 3:], frame.body_quat_w[:, 0]))
        lin.append(data.root_link_vel_w.torch[:, :3] - frame.body_lin_vel_w[:, 0])
        ang.append(data.root_link_vel_w.torch[:, 3:] - frame.body_ang_vel_w[:, 0])
        joints.append(data.joint_pos.torch - frame.joint_pos)
        assert (data.joint_pos.torch >= limits[..., 0] - 1e-5).all()
        assert (data.joint_pos.torch <= limits[..., 1] + 1e-5).all()
        assert torch.allclose(data.joint_vel.torch, frame.joint_vel, atol=1e-5)
    num = 25 * 8
    for drawn, width in (
        (torch.cat(pos)[:, :2], [0.05, 0.05]),
        (torch.cat(lin), [0.5, 0.5, 0.2]),
        (torch.cat(ang), [0.52, 0.52, 0.78]),
    ):
        width = torch.tensor(width)
        assert len(drawn) == num
        assert (drawn.abs() <= width * 1.001 + 1e-5).all()
        # The largest of 200 uniform draws is nearly the half-width, and their mean nearly zero.
        assert (drawn.amax(dim=0) > 0.9 * width).all()
        assert (drawn.amin(dim=0) < -0.9 * width).all()
        assert (drawn.mean(dim=0).abs() < 0.2 * width).all()
    assert 0.12 < torch.cat(rot).max() < 0.1 + 0.1 + 0.2
    joints = torch.cat(joints).abs()
    # Joints that stand near a limit are held back; a clip may itself lie beyond the soft limit.
    assert 0.09 < joints.median(dim=0).values.max() * 2 < 0.12
    assert joints.quantile(0.99) < 0.1 + 1e-5


def test_noise_keeps_joints_within_their_soft_limits(sim: Any) -> None:
    sim.command.cfg.reset_noise = sim.command.cfg.reset_noise.replace(joint_pos=3.0)
    sim.start("stand", noise=True)
    limits, joints = sim.robot.data.soft_joint_pos_limits.torch, sim.robot.data.joint_pos.torch
    assert (joints >= limits[..., 0] - 1e-5).all()
    assert (joints <= limits[..., 1] + 1e-5).all()
    assert 0.1 < ((joints - limits[..., 1]).abs() < 1e-5).float().mean() < 0.5  # held back, not left out


def test_noise_never_puts_a_robot_into_the_ground(sim: Any) -> None:
    sim.command.source.sampler = UniformSampler(sim.command.library.num_frames)
    shapes, lowest = sim.command._shapes, []
    clips = set()
    for _ in range(40):
        sim.env.reset()
        data = sim.robot.data
        pose = data.root_link_pose_w.torch
        lowest.append(shapes.lowest(pose[:, :3], pose[:, 3:], data.joint_pos.torch))
        clips |= set(sim.command.clip_ids.tolist())
    lowest = torch.cat(lowest)
    assert len(lowest) == 320
    assert lowest.min() > -1e-4
    assert lowest.max() > 0.01  # some robots start above the ground
    assert len(clips) == sim.command.library.num_clips


def test_without_the_lift_noise_would_put_robots_into_the_ground(sim: Any) -> None:
    # Shows that the test above can fail.
    sim.start("stand", noise=True)
    pose, joints = sim.robot.data.root_link_pose_w.torch, sim.robot.data.joint_pos.torch
    frame = sim.command.library.frames(sim.command.clip_ids, torch.zeros(8, dtype=torch.long))
    low = frame.body_pos_w[:, 0] - torch.tensor([0.0, 0.0, 0.01])
    assert sim.command._shapes.lowest(low, pose[:, 3:], joints).min() < -0.005


def test_the_start_sampler_takes_every_clip_in_turn(sim: Any) -> None:
    num_clips = sim.command.library.num_clips
    sim.command.source.sampler = StartSampler(sim.command.library.num_frames, sim.env.num_envs)
    seen = []
    for _ in range(2):
        sim.env.reset()
        seen += sim.command.clip_ids.tolist()
        assert sim.command.steps.tolist() == [1] * 8
    assert seen == [i % num_clips for i in range(16)]


"""
Steps.
"""


def test_the_clip_advances_by_one_frame_a_step(sim: Any) -> None:
    sim.start("stand", step=10)
    assert sim.command.steps.tolist() == [11] * 8
    for expected in (12, 13):
        sim.env.step(sim.still)
        assert sim.command.steps.tolist() == [expected] * 8


def test_an_episode_that_begins_within_a_step_begins_like_any_other(sim: Any) -> None:
    sim.start("stand", step=10)
    first = {name: value.clone() for name, value in sim.env.obs_buf.items()}
    sim.env.step(sim.still)
    raise_robots(sim, {3: 1.0})
    obs, _, terminated, _, _ = sim.env.step(sim.still)
    assert terminated.nonzero().flatten().tolist() == [3]
    assert sim.command.steps.tolist() == [13, 13, 13, 11, 13, 13, 13, 13]
    # Poses and observations are those of the new state, not of the one that has ended.
    for name in obs:
        assert torch.allclose(obs[name][3], first[name][3], atol=1e-4), name
    sim.env.step(sim.still)
    assert sim.command.steps.tolist() == [14, 14, 14, 12, 14, 14, 14, 14]


def test_the_sampler_is_told_where_each_step_was_and_what_failed(sim: Any) -> None:
    sampler = sim.start("stand", step=10)
    sim.env.step(sim.still)
    raise_robots(sim, {3: 1.0})
    sim.env.step(sim.still)
    stand = sim.command.library.names.index("stand")
    assert len(sampler.recorded) == 2
    for (clip_ids, steps, failed), step, lost in zip(sampler.recorded, (11, 12), ([], [3]), strict=True):
        assert clip_ids.tolist() == [stand] * 8
        assert steps.tolist() == [step] * 8
        assert failed.nonzero().flatten().tolist() == lost


def test_the_sampler_knows_of_a_failure_before_it_chooses_the_next_start(sim: Any) -> None:
    """Otherwise it could not go back to shortly before the failure."""
    sampler = sim.start("stand", step=10)
    known: list[int] = []
    sample = sampler.sample
    sampler.sample = lambda env_ids: known.append(int(sampler.recorded[-1][2].sum())) or sample(env_ids)
    raise_robots(sim, {3: 1.0})
    sim.env.step(sim.still)
    assert known == [1]


def test_a_time_out_is_no_failure_for_the_sampler(sim: Any) -> None:
    sampler = sim.start("stand", step=last_frame(sim, "stand") - 1)
    sim.env.step(sim.still)
    assert not sampler.recorded[0][2].any()


"""
Rewards.
"""


def test_on_the_reference_the_reward_is_the_greatest(sim: Any) -> None:
    sim.start("walk", step=range(30, 30 + 8 * 20, 20))
    put_on_reference(sim)
    reward = sim.env.reward_manager.compute(dt=0.02)
    found = rewards(sim)
    for name, weight in {"anchor_pos": 0.5, "anchor_rot": 0.5, "body_pos": 1.0, "body_rot": 1.0}.items():
        assert torch.allclose(found[name], torch.tensor(weight), rtol=1e-3), name
    for name in ("body_lin_vel", "body_ang_vel"):
        assert (found[name] > 0.99).all(), name
    assert (reward > 0.0995).all()
    assert (reward <= 0.1 + 1e-6).all()


def test_reward_kernels_by_hand(sim: Any) -> None:
    sim.start("stand", step=5)
    put_on_reference(sim, shift=(0.3, 0.0, 0.0), yaw=0.0)
    sim.env.reward_manager.compute(dt=0.02)
    found = rewards(sim)
    # An error of one width gives exp(-1); drift over the ground costs nothing else.
    assert torch.allclose(found["anchor_pos"], torch.tensor(0.5 * np.exp(-1.0)).float(), rtol=1e-3)
    assert torch.allclose(found["body_pos"], torch.tensor(1.0), rtol=1e-3)
    put_on_reference(sim, shift=(0.0, 0.0, 0.15))
    sim.env.reward_manager.compute(dt=0.02)
    found = rewards(sim)
    # Every body is 15 cm too high.
    assert torch.allclose(found["body_pos"], torch.tensor(np.exp(-0.25)).float(), rtol=1e-3)
    assert torch.allclose(found["anchor_pos"], torch.tensor(0.5 * np.exp(-0.25)).float(), rtol=1e-3)


def test_standing_still_is_nearly_perfect_for_one_step(sim: Any) -> None:
    sim.start("stand", step=0)
    _, reward, terminated, truncated, _ = sim.env.step(sim.still)
    assert (reward > 0.095).all()
    assert (reward <= 0.1).all()
    assert sim.command.errors.body_pos.max() < 0.01
    assert not (terminated | truncated).any()


def test_action_rate_by_hand(sim: Any) -> None:
    sim.start("stand")
    actions = sim.still.clone()
    actions[1] = 0.1
    sim.env.step(actions)
    assert rewards(sim)["action_rate"].tolist() == pytest.approx([0.0, -0.1 * 29 * 0.01, *[0.0] * 6], abs=1e-6)


def test_joints_beyond_their_soft_limits_cost(sim: Any) -> None:
    sim.start("stand")
    put_on_reference(sim)
    joints = sim.command.reference.joint_pos.clone()
    knee = g1.JOINT_NAMES.index("left_knee_joint")
    soft = sim.robot.data.soft_joint_pos_limits.torch[0, knee]
    joints[2, knee], joints[3, knee] = soft[1] + 0.05, soft[0] - 0.02
    sim.write(joint_pos=joints)
    look_again(sim)
    sim.env.reward_manager.compute(dt=0.02)
    cost = rewards(sim)["joint_limit"]
    assert cost[2].item() == pytest.approx(-0.5, abs=1e-3)
    assert cost[3].item() == pytest.approx(-0.2, abs=1e-3)
    assert cost[0].item() == 0.0


def test_feet_may_touch_the_ground_and_a_back_may_not(sim: Any) -> None:
    sim.start("stand")
    pose = sim.robot.data.root_link_pose_w.torch.clone()
    lying = quat_from_axis_angle(torch.tensor([0.0, -np.pi / 2, 0.0]))
    pose[5, 2], pose[5, 3:] = 0.06, lying
    sim.write(root_pose=pose)
    sim.env.step(sim.still)
    cost = rewards(sim)["undesired_contacts"]
    assert cost[5] <= -0.1
    assert cost[:5].tolist() == [0.0] * 5


def test_metrics_are_means_over_the_environments(sim: Any) -> None:
    sim.start("walk", step=60)
    raise_robots(sim, {2: 0.1})
    for _ in range(2):
        *_, extras = sim.env.step(sim.still)
        for name in ("anchor_pos", "anchor_rot", "body_pos", "body_rot", "body_lin_vel", "joint_pos", "joint_vel"):
            expected = getattr(sim.command.errors, name).mean().item()
            logged = extras["log"][f"Metrics/motion/error_{name}"].item()
            assert logged == pytest.approx(expected, rel=1e-4), name
            assert logged > 0.0


def test_the_other_action_adds_to_the_reference(sim: Any) -> None:
    from isaac_tracking.tasks.tracking import mdp

    cfg = mdp.ReferenceJointPositionActionCfg(
        asset_name="robot", joint_names=[".*"], scale=g1.ACTION_SCALE, use_default_offset=True
    )
    from isaac_tracking.tasks.tracking.mdp.actions import ReferenceJointPositionAction

    action = ReferenceJointPositionAction(cfg, sim.env)
    sim.start("squat", step=100)
    scale = torch.tensor([g1.motor_of(name).action_scale for name in g1.JOINT_NAMES])
    for factor in (0.0, 0.5):
        action.process_actions(torch.full_like(sim.still, factor))
        expected = sim.command.reference.joint_pos + factor * scale
        assert torch.allclose(action.processed_actions, expected, atol=1e-5)
    # A robot whose zero is shifted has shifted targets.
    action._offset += 0.01
    action.process_actions(sim.still)
    assert torch.allclose(action.processed_actions, sim.command.reference.joint_pos + 0.01, atol=1e-5)


"""
Ends.
"""


def test_a_robot_that_is_lost_ends_its_episode(sim: Any) -> None:
    sim.start("stand")
    raise_robots(sim, {1: 0.24, 2: 0.26, 3: -0.2})
    # An arm that is lifted takes its hand 25 cm up, the body stays.
    joints = sim.robot.data.joint_pos.torch.clone()
    joints[4, g1.JOINT_NAMES.index("left_shoulder_pitch_joint")] = -1.8
    # A robot on its side ends by its tilt; its torso is lower by no more than it is above the hips.
    pose = sim.robot.data.root_link_pose_w.torch.clone()
    pose[6, 2] += 0.05
    pose[6, 3:] = quat_from_axis_angle(torch.tensor([1.5, 0.0, 0.0]))
    sim.write(root_pose=pose, joint_pos=joints)
    _, _, terminated, truncated, _ = sim.env.step(sim.still)
    assert ended_by(sim, "anchor_height") == [2]
    assert 4 in ended_by(sim, "end_effector_height")
    assert ended_by(sim, "anchor_tilt") == [6]
    assert terminated.nonzero().flatten().tolist() == [2, 4, 6]
    assert not truncated.any()


def test_a_clips_end_is_a_time_out_and_not_a_failure(sim: Any) -> None:
    last = last_frame(sim, "stand")
    sampler = sim.start("stand", step=[last - 2, last - 1, 0, 0, 0, 0, 0, 0])
    sampler.starts = sampler.starts[0], torch.zeros(8, dtype=torch.long)  # where the next episodes start
    ends = []
    for _ in range(2):
        _, _, terminated, truncated, _ = sim.env.step(sim.still)
        assert not terminated.any()
        assert ended_by(sim, "clip_end") == truncated.nonzero().flatten().tolist()
        ends.append(truncated.nonzero().flatten().tolist())
    assert ends == [[1], [0]]
    assert sim.env.episode_length_buf.tolist() == [0, 1, 2, 2, 2, 2, 2, 2]


def test_an_episode_has_a_greatest_length(sim: Any) -> None:
    sim.start("stand")
    sim.env.episode_length_buf[4] = sim.env.max_episode_length - 1
    assert sim.env.max_episode_length == 500
    _, _, terminated, truncated, _ = sim.env.step(sim.still)
    assert ended_by(sim, "time_out") == truncated.nonzero().flatten().tolist() == [4]
    assert not terminated.any()


def test_a_robot_is_only_ever_moved_when_its_episode_has_ended(sim: Any) -> None:
    # Clips that end at different steps, starts that lie elsewhere: a walk goes metres away from its beginning.
    last = last_frame(sim, "walk")
    sampler = sim.start("walk", step=[last - 1 - i for i in range(8)])
    sampler.starts = sampler.starts[0], torch.full((8,), 30)
    place = sim.robot.data.root_link_pose_w.torch[:, :3].clone()
    clip_step = sim.command.steps.clone()
    ended = torch.zeros(8, dtype=torch.bool)
    for _ in range(6):
        _, _, terminated, truncated, _ = sim.env.step(sim.still)
        done = terminated | truncated
        ended |= done
        now = sim.robot.data.root_link_pose_w.torch[:, :3].clone()
        moved = (now - place).norm(dim=-1)
        assert (moved[~done] < 0.05).all()
        assert (moved[done] > 0.5).all()
        assert (sim.command.steps[~done] == clip_step[~done] + 1).all()
        assert (sim.command.steps[done] == 31).all()
        place, clip_step = now, sim.command.steps.clone()
    assert ended.sum() >= 6


"""
States that are not finite.
"""


def break_robot(sim: Any, env: int, value: float = float("nan"), part: str = "joint_vel") -> None:
    env_ids = torch.tensor([env], dtype=torch.int32)
    bad = {"root_pose": 7, "root_vel": 6}.get(part, 29)
    bad = torch.full((1, bad), value)
    if part == "joint_vel":
        sim.robot.write_joint_velocity_to_sim_index(velocity=bad, env_ids=env_ids)
    elif part == "joint_pos":
        sim.robot.write_joint_position_to_sim_index(position=bad, env_ids=env_ids)
    elif part == "root_vel":
        sim.robot.write_root_link_velocity_to_sim_index(root_velocity=bad, env_ids=env_ids)
    else:
        sim.robot.write_root_link_pose_to_sim_index(root_pose=bad, env_ids=env_ids)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_a_broken_state_ends_its_episode_and_touches_nothing_else(sim: Any, value: float) -> None:
    def run(broken: bool) -> list[tuple[torch.Tensor, ...]]:
        sim.start("stand")
        steps = []
        for i in range(3):
            if broken and i == 1:
                break_robot(sim, 3, value)
            obs, reward, terminated, truncated, extras = sim.env.step(sim.still)
            steps.append((obs["policy"].clone(), obs["critic"].clone(), reward.clone(), terminated.clone()))
            if broken and i == 1:
                assert terminated.nonzero().flatten().tolist() == [3]
                assert not truncated.any()
                assert ended_by(sim, "non_finite") == [3]
                assert extras["log"]["Episode_Termination/non_finite"].item() == pytest.approx(1 / 8)
                assert all(np.isfinite(float(item)) for item in extras["log"].values())
                assert reward[3] == 0.0
        return steps

    healthy, broken = run(False), run(True)
    others = [i for i in range(8) if i != 3]
    for expected, actual in zip(healthy, broken, strict=True):
        for a, b in zip(expected, actual, strict=True):
            assert b.isfinite().all()
            assert torch.allclose(a[others].float(), b[others].float(), atol=1e-4)


@pytest.mark.parametrize("part", ["joint_vel", "joint_pos", "root_vel", "root_pose"])
def test_a_robot_whose_state_was_broken_is_whole_again(sim: Any, part: str) -> None:
    sim.start("stand")
    sim.env.step(sim.still)
    break_robot(sim, 3, part=part)
    obs, _, terminated, _, _ = sim.env.step(sim.still)
    assert terminated.nonzero().flatten().tolist() == [3]
    for i in range(11):
        assert all(value.isfinite().all() for value in obs.values())
        obs, reward, terminated, truncated, _ = sim.env.step(sim.still)
        assert reward.isfinite().all()
        assert not (terminated | truncated)[3], f"ended again after {i} steps"
        assert reward[3] > 0.05
    assert sim.env.episode_length_buf[3] == 11
    assert sim.command.robot.joint_vel[3].abs().max() < 20.0


def test_broken_states_do_not_reach_the_metrics(sim: Any) -> None:
    sim.start("stand")
    break_robot(sim, 3, float("nan"))
    *_, extras = sim.env.step(sim.still)
    others = [i for i in range(8) if i != 3]
    expected = sim.command.errors.body_pos[others].mean()
    assert extras["log"]["Metrics/motion/error_body_pos"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert all(np.isfinite(float(item)) for item in extras["log"].values())
    sim.env.reset()
    assert all(np.isfinite(float(item)) for item in sim.env.extras["log"].values())
