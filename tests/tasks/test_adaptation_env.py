# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The observations and the action of the stages' tasks in the simulator, against numbers taken from frames by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
import torch
from isaaclab.envs.mdp import JointPositionActionCfg
from isaaclab.managers import ActionManager, ObservationManager
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks
from isaac_tracking.motion.errors import tracking_errors
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.quaternion import quat_from_axis_angle, quat_mul
from isaac_tracking.robots import g1
from warm_process import WarmProcess

pytestmark = pytest.mark.slow

TASK = "Isaac-Tracking-G1-Teacher-v0"
FUTURE = (0, 2, 4, 8, 16)
PACKAGE = Path(isaac_tracking.tasks.__file__).parents[2]


class Stage:
    """The shared simulator with the observations and the action of the stages."""

    def __init__(self, sim: Any, *overrides: str, action: Any = None) -> None:
        cfg, _ = resolve_task_config(TASK, None, overrides=list(overrides))
        cfg.actions.joint_pos = action or cfg.actions.joint_pos
        cfg.observations.policy.enable_corruption = False
        self.sim, self.env, self.command = sim, sim.env, sim.command
        self.env.action_manager = ActionManager(cfg.actions, self.env)
        self.env.observation_manager = ObservationManager(cfg.observations, self.env)

    def read(self, group: str, name: str) -> torch.Tensor:
        manager = self.env.observation_manager
        widths = [int(np.prod(dim)) for dim in manager.group_obs_term_dim[group]]
        parts = manager.compute_group(group).split(widths, dim=-1)
        return dict(zip(manager.active_terms[group], parts, strict=True))[name]

    def place(self, shift: tuple[float, float, float] = (0.0, 0.0, 0.0), yaw: float = 0.0) -> None:
        """Put every robot on the frame that it is to reach, moved, and turned about its root."""
        reference = self.command.reference
        turn = quat_from_axis_angle(torch.tensor([0.0, 0.0, yaw])).expand(self.env.num_envs, 4)
        position = reference.body_pos_w[:, 0] + torch.tensor(shift)
        pose = torch.cat([position, quat_mul(turn, reference.body_quat_w[:, 0])], dim=-1)
        velocity = torch.cat([reference.body_lin_vel_w[:, 0], reference.body_ang_vel_w[:, 0]], dim=-1)
        self.sim.write(pose, velocity, reference.joint_pos, reference.joint_vel)
        self.command._robot_stale = True

    def due(self, offset: int) -> MotionFrame:
        """Look up the reference some steps from now."""
        command = self.command
        return command.library.frames(command.clip_ids, command.steps + offset)

    def step(self, action: torch.Tensor | None = None) -> None:
        self.env.step(self.sim.still if action is None else action)


@pytest.fixture
def make(sim: Any) -> Iterator[Any]:
    managers = sim.env.action_manager, sim.env.observation_manager
    yield lambda *overrides, **changes: Stage(sim, *overrides, **changes)
    sim.env.action_manager, sim.env.observation_manager = managers


@pytest.fixture
def stage(make: Any) -> Stage:
    return make()


def matrix(quat: torch.Tensor) -> np.ndarray:
    flat = np.zeros(9)
    mujoco.mju_quat2Mat(flat, quat.double().numpy()[[3, 0, 1, 2]])
    return flat.reshape(3, 3)


def assert_near(found: torch.Tensor, expected: Any, atol: float = 1e-5) -> None:
    expected = torch.as_tensor(np.asarray(expected), dtype=torch.float)
    torch.testing.assert_close(found, expected.expand_as(found), atol=atol, rtol=0.0)


"""
Sizes.
"""


def test_observations_have_the_sizes_of_the_sources(stage: Stage) -> None:
    manager = stage.env.observation_manager
    assert manager.group_obs_dim == {"policy": (620,), "priv": (340,), "critic_priv": (33,)}
    sizes = {group: [int(np.prod(dim)) for dim in dims] for group, dims in manager.group_obs_term_dim.items()}
    assert sizes == {
        "policy": [1, 12, 30, 145, 145, 5, 15, 3, 3, 174, 87],
        "priv": [3, 6, 3, 29, 15, 42, 84, 42, 42, 14, 29, 29, 2],
        "critic_priv": [14, 14, 4, 1],
    }


"""
The steps ahead.
"""


def test_the_future_of_the_reference(stage: Stage) -> None:
    stage.sim.start("walk", step=range(200, 208))
    stage.place(shift=(0.3, -0.2, 0.05), yaw=0.7)
    frames = [stage.due(offset) for offset in FUTURE]
    for env in (0, 5):
        rotations = [matrix(frame.body_quat_w[env, 0]) for frame in frames]
        positions = [frame.body_pos_w[env, 0].double().numpy() for frame in frames]
        path = np.stack([rotations[0].T @ (position - positions[0]) for position in positions[1:]])
        assert_near(stage.read("policy", "future_root_pos")[env], path.ravel())
        # It walks on: 0.3 s ahead lies at least a decimetre ahead of it, hardly beside it.
        assert path[3, 0] > 0.1
        assert abs(path[3, 1]) < 0.1
        gravity = np.stack([rotation.T @ [0.0, 0.0, -1.0] for rotation in rotations])
        assert_near(stage.read("policy", "future_gravity")[env], gravity.ravel())
        assert_near(stage.read("policy", "future_root_height")[env], [position[2] for position in positions])
        robot = matrix(stage.sim.robot.data.root_link_quat_w.torch[env])
        columns = np.stack([(robot.T @ rotation)[:, :2] for rotation in rotations])
        assert_near(stage.read("policy", "future_root_ori")[env], columns.ravel())
        here = (stage.sim.robot.data.root_link_pos_w.torch - stage.env.scene.env_origins)[env].double().numpy()
        ways = np.stack([robot.T @ (position - here) for position in positions])
        assert_near(stage.read("priv", "future_root_pos_b")[env], ways.ravel())
    joints = torch.stack([frame.joint_pos for frame in frames], dim=1)
    assert torch.equal(stage.read("policy", "future_joint_pos"), joints.flatten(1))
    error = joints - stage.sim.robot.data.joint_pos.torch[:, None]
    torch.testing.assert_close(stage.read("policy", "future_joint_pos_error"), error.flatten(1))


def test_on_the_reference_nothing_is_left_to_do(stage: Stage) -> None:
    stage.sim.start("walk", step=range(20, 28))
    stage.place()
    assert_near(stage.read("policy", "future_root_ori")[:, :6], [1.0, 0.0, 0.0, 1.0, 0.0, 0.0], atol=1e-4)
    assert_near(stage.read("policy", "future_joint_pos_error")[:, :29], 0.0)
    assert_near(stage.read("priv", "future_root_pos_b")[:, :3], 0.0)
    for group, name in (("priv", "body_pos_error"), ("critic_priv", "body_pos_errors")):
        assert_near(stage.read(group, name), 0.0, atol=1e-4)
    for name in ("body_rot_errors", "anchor_errors"):
        assert_near(stage.read("critic_priv", name), 0.0, atol=2e-3)


def test_a_robot_ahead_that_faces_left_has_the_reference_to_its_left(stage: Stage) -> None:
    stage.sim.start("stand")
    stage.place(shift=(1.0, 0.0, 0.0), yaw=np.pi / 2)
    assert_near(stage.read("priv", "future_root_pos_b")[:, :3], [0.0, 1.0, 0.0], atol=0.05)
    assert_near(stage.read("policy", "future_root_ori")[:, :6], [0.0, 1.0, -1.0, 0.0, 0.0, 0.0], atol=0.05)
    # The errors that the critic sees are those after turning and moving the reference, but for the anchor's.
    assert_near(stage.read("critic_priv", "body_pos_errors"), 0.0, atol=0.02)
    anchor = stage.read("critic_priv", "anchor_errors")
    assert_near(anchor[:, :2], [1.0, np.pi / 2], atol=0.05)
    assert_near(anchor[:, 2:], 0.0, atol=0.02)


def test_after_the_clips_end_its_last_frame_is_all_there_is(stage: Stage) -> None:
    index = stage.command.library.names.index("walk")
    last = int(stage.command.library.num_frames[index]) - 1
    stage.sim.start("walk", step=last - 4)
    # The robot stands on last - 4, so last - 3 is to be reached; 2 steps on lies last - 1, and then the end.
    frames = stage.command.library.frames(torch.full((5,), index), torch.tensor([last - 3, last - 1, last, last, last]))
    assert torch.equal(stage.read("policy", "future_joint_pos")[0], frames.joint_pos.flatten())
    assert_near(stage.read("policy", "future_root_height")[0], frames.body_pos_w[:, 0, 2])
    assert_near(stage.read("critic_priv", "motion_phase"), (last - 3) / last)


def test_the_future_moves_on_with_the_clip_and_is_looked_up_once(stage: Stage, monkeypatch: Any) -> None:
    stage.sim.start("walk", step=30)
    source, asked = stage.command.source, []
    ahead = source.ahead
    monkeypatch.setattr(source, "ahead", lambda *args: asked.append(args) or ahead(*args))
    before = stage.read("policy", "future_joint_pos").unflatten(1, (5, 29))
    assert len(asked) == 0, "the reset has looked it up"
    stage.step()
    stage.step()
    after = stage.read("policy", "future_joint_pos").unflatten(1, (5, 29))
    assert len(asked) == 2
    # Two steps on, what was two steps ahead is to be reached now.
    assert torch.equal(after[:, 0], before[:, 1])
    assert torch.equal(after[:, 1], before[:, 2])
    stage.env.reset()
    assert torch.equal(stage.read("policy", "future_joint_pos").unflatten(1, (5, 29)), before)


def test_the_base_task_looks_nowhere_ahead(sim: Any, monkeypatch: Any) -> None:
    sim.start("walk")
    monkeypatch.setattr(sim.command.source, "ahead", lambda *_: pytest.fail("nobody asked"))
    sim.env.step(sim.still)


def test_the_error_of_the_joints_is_that_of_the_encoders(stage: Stage) -> None:
    stage.sim.start("walk", step=30)
    default = stage.sim.robot.data.default_joint_pos.torch
    nominal = default.clone()
    default += 0.01
    try:
        seen = stage.read("policy", "joint_pos").unflatten(1, (6, 29))
        error = stage.read("policy", "future_joint_pos_error")[:, :29]
        relative = stage.sim.robot.data.joint_pos.torch - default
        torch.testing.assert_close(error, stage.due(0).joint_pos - (relative + nominal))
    finally:
        default.copy_(nominal)
    assert seen.shape == (8, 6, 29)


"""
The robot.
"""


def test_the_histories_go_from_old_to_new_and_begin_anew_with_the_episode(stage: Stage) -> None:
    stage.sim.start("stand")
    first = stage.read("policy", "joint_pos").unflatten(1, (6, 29))
    default = stage.sim.robot.data.default_joint_pos.torch
    now = stage.sim.robot.data.joint_pos.torch - default
    assert_near(first, now[:, None].expand(8, 6, 29))
    assert_near(stage.read("policy", "actions"), 0.0)
    seen = [now.clone()]
    for value in (0.1, 0.2):
        stage.step(torch.full((8, 29), value))
        seen.append(stage.sim.robot.data.joint_pos.torch - default)
    history = stage.read("policy", "joint_pos").unflatten(1, (6, 29))
    assert_near(history, torch.stack([seen[0]] * 4 + seen[1:], dim=1))
    assert (history[:, -1] - history[:, 0]).abs().max() > 1e-3
    assert_near(stage.read("policy", "actions").unflatten(1, (3, 29))[..., 0], [0.0, 0.1, 0.2])
    # Reading between the steps changes no history.
    assert torch.equal(stage.read("policy", "joint_pos").unflatten(1, (6, 29)), history)
    # One robot is lifted out of its reference: only its episode, and only its history, begins anew.
    pose = stage.sim.robot.data.root_link_pose_w.torch.clone()
    pose[3, 2] += 1.0
    stage.sim.write(root_pose=pose)
    stage.step()
    assert stage.env.reset_buf.nonzero().flatten().tolist() == [3]
    actions = stage.read("policy", "actions").unflatten(1, (3, 29))[..., 0]
    assert_near(actions[3], 0.0)
    assert_near(actions[2], [0.1, 0.2, 0.0])
    joints = stage.read("policy", "joint_pos").unflatten(1, (6, 29))
    assert_near(joints[3], joints[3, :1].expand(6, 29))
    assert_near(joints[2, :5], history[2, 1:])


def test_gravity_and_gyroscope(stage: Stage) -> None:
    stage.sim.start("walk", step=60)
    data = stage.sim.robot.data
    rotation = matrix(data.root_link_quat_w.torch[0])
    assert_near(stage.read("policy", "projected_gravity")[0], rotation.T @ [0.0, 0.0, -1.0])
    spin = data.body_link_vel_w.torch[0, 0, 3:].double().numpy()
    assert_near(stage.read("policy", "base_ang_vel")[0], rotation.T @ spin, atol=1e-4)
    torch.testing.assert_close(stage.read("priv", "base_lin_vel"), data.root_lin_vel_b.torch)
    torch.testing.assert_close(stage.read("priv", "joint_vel"), data.joint_vel.torch)


def test_bodies_from_the_anchor(stage: Stage) -> None:
    stage.sim.start("lunge", step=200)
    stage.place(shift=(0.1, 0.2, 0.03), yaw=0.4)
    robot, reference = stage.command.robot, stage.command.reference
    rotation = matrix(robot.body_quat_w[0, stage.command.anchor])
    velocity = robot.body_lin_vel_w[0].double().numpy() @ rotation
    assert_near(stage.read("priv", "body_lin_vel")[0], velocity.ravel(), atol=1e-4)
    assert_near(stage.read("priv", "body_height"), robot.body_pos_w[..., 2])
    way = stage.read("priv", "body_pos_error").unflatten(1, (14, 3))
    errors = tracking_errors(reference, robot, stage.command.anchor)
    # Lifted by 3 cm as a whole: every body is to go down by as much in the world.
    assert_near(torch.from_numpy(way[0].double().numpy() @ rotation.T).float(), [0.0, 0.0, -0.03], atol=1e-3)
    torch.testing.assert_close(way.norm(dim=-1), errors.body_pos, atol=1e-5, rtol=0.0)
    torch.testing.assert_close(stage.read("critic_priv", "body_pos_errors"), errors.body_pos)
    torch.testing.assert_close(stage.read("critic_priv", "body_rot_errors"), errors.body_rot)
    found = stage.read("critic_priv", "anchor_errors")
    expected = (errors.anchor_pos, errors.anchor_rot, errors.anchor_height, errors.anchor_tilt)
    torch.testing.assert_close(found, torch.stack(expected, dim=-1))


def test_a_new_episode_is_not_told_the_errors_of_the_last(stage: Stage) -> None:
    stage.sim.start("stand")
    pose = stage.sim.robot.data.root_link_pose_w.torch.clone()
    pose[3, 2] += 1.0
    stage.sim.write(root_pose=pose)
    stage.step()
    assert stage.command.errors.anchor_height[3] > 0.9
    assert stage.read("critic_priv", "anchor_errors")[3, 2] < 0.05


def test_torques_and_contacts_are_those_of_the_last_step(stage: Stage) -> None:
    stage.sim.start("stand")
    stage.step()
    stage.env.reset()
    assert_near(stage.read("priv", "applied_torque"), 0.0)
    for _ in range(20):
        stage.step()
    torque = stage.read("priv", "applied_torque")
    torch.testing.assert_close(torque, stage.sim.robot.actuators.applied_effort.torch)
    assert torque.abs().max() > 1.0
    sensor = stage.env.scene["contact_forces"]
    ids = sensor.find_sensors(list(g1.FOOT_BODY_NAMES), preserve_order=True)[0]
    force = sensor.data.net_forces_w.torch[:, ids].norm(dim=-1)
    assert torch.equal(stage.read("priv", "foot_contacts"), (force > 1.0).float())
    assert stage.read("priv", "foot_contacts").any()
    sensor.data.net_forces_w.torch[0, ids[0]] = 1e3
    sensor.data.net_forces_w.torch[0, ids[1]] = 0.0
    sensor.data.net_forces_w.torch[1, ids[0]] = 0.0
    sensor.data.net_forces_w.torch[1, ids[1]] = float("nan")
    assert stage.read("priv", "foot_contacts")[:2].tolist() == [[1.0, 0.0], [0.0, 0.0]]


"""
The action.
"""


def test_how_the_action_arrives(make: Any) -> None:
    stage = make("env.actions.joint_pos.delay=[0,0]")
    stage.sim.start("stand")
    assert_near(stage.read("policy", "boot_indicator"), 1.0)
    assert_near(stage.read("priv", "applied_action"), 0.0)
    action = torch.linspace(-0.5, 0.5, 29).expand(8, 29).clone()
    for done in range(1, 8):
        stage.step(action)
        assert_near(stage.read("policy", "boot_indicator"), max(0.0, 1.0 - done / 6))
        # Each of 4 physics steps a control step leaves a tenth of what was missing.
        assert_near(stage.read("priv", "applied_action"), action * (1.0 - 0.1 ** (4 * done)))


def test_a_plain_action_knows_no_boot_and_arrives_as_it_is(make: Any) -> None:
    stage = make(action=JointPositionActionCfg(asset_name="robot", joint_names=[".*"], scale=g1.ACTION_SCALE))
    stage.sim.start("stand")
    stage.step(torch.full((8, 29), 0.1))
    assert_near(stage.read("policy", "boot_indicator"), 0.0)
    assert_near(stage.read("priv", "applied_action"), 0.1)


def test_residual_actions_are_around_the_frame_to_be_reached(make: Any) -> None:
    off = ("delay=[0,0]", "smoothing=1.0", "boot_steps=0")
    stage = make("presets=reference_action", *(f"env.actions.joint_pos.{text}" for text in off))
    stage.sim.start("walk", step=30)
    wanted, term = stage.command.reference.joint_pos.clone(), stage.env.action_manager.get_term("joint_pos")
    stage.step(torch.full((8, 29), 0.1))
    shift = term._offset - term._nominal
    assert_near(term._processed_actions, wanted + shift + 0.1 * term._scale)
    assert (wanted - term._nominal).abs().max() > 0.03  # or the default pose would pass for it


"""
States that are not finite.
"""


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_broken_robot_shows_zeros(stage: Stage, value: float) -> None:
    stage.sim.start("walk", step=30)
    stage.step()
    manager = stage.env.observation_manager
    healthy = {group: manager.compute_group(group).clone() for group in manager.active_terms}
    env_ids = torch.tensor([3], dtype=torch.int32)
    robot = stage.sim.robot
    robot.write_joint_velocity_to_sim_index(velocity=torch.full((1, 29), value), env_ids=env_ids)
    robot.write_joint_position_to_sim_index(position=torch.full((1, 29), value), env_ids=env_ids)
    robot.write_root_link_velocity_to_sim_index(root_velocity=torch.full((1, 6), value), env_ids=env_ids)
    stage.command._robot_stale = True
    others = [env for env in range(8) if env != 3]
    for group, before in healthy.items():
        seen = manager.compute_group(group)
        assert seen.isfinite().all()
        torch.testing.assert_close(seen[others], before[others], atol=1e-4, rtol=1e-4)
    zero = {
        "policy": ("future_root_ori", "future_joint_pos_error", "base_ang_vel", "projected_gravity"),
        "priv": (
            *("base_lin_vel", "joint_vel", "future_root_pos_b", "body_lin_vel", "body_pos_error"),
            *("body_height", "applied_action", "applied_torque"),
        ),
        "critic_priv": ("body_pos_errors", "body_rot_errors", "anchor_errors"),
    }
    for group, names in zero.items():
        for name in names:
            assert not stage.read(group, name)[3].any(), name
    stage.step()
    assert stage.env.reset_buf[3]
    for group in manager.active_terms:
        assert manager.compute_group(group).isfinite().all()


"""
As registered.
"""

OUTSIDE = """
import json, warnings
warnings.simplefilter("ignore")
import gymnasium as gym
import torch
import isaac_tracking.tasks
from isaaclab_tasks.utils import parse_env_cfg
cfg = parse_env_cfg({task!r}, device="cpu", num_envs=4)
env = gym.make({task!r}, cfg=cfg)
obs, _ = env.reset()
finite, boots = True, [float(obs["policy"][0, 0])]
for _ in range(8):
    obs, reward, *_ = env.step(0.1 * torch.randn(4, 29))
    finite &= all(bool(torch.isfinite(x).all()) for x in (*obs.values(), reward))
    boots.append(float(obs["policy"][0, 0]))
again = env.unwrapped.observation_manager.compute()
print("RESULT" + json.dumps({{
    "obs": {{name: list(value.shape) for name, value in obs.items()}},
    "finite": finite,
    "boots": boots,
    "noise": float((again["policy"] - obs["policy"]).abs().max()),
    "privileged_noise": max(float((again[name] - obs[name]).abs().max()) for name in ("priv", "critic_priv")),
}}))
env.close()
"""


def test_a_script_elsewhere_makes_the_task_as_registered(tmp_path: Path) -> None:
    script = tmp_path / "elsewhere" / "script.py"
    script.parent.mkdir()
    script.write_text(OUTSIDE.format(task=TASK))
    run = WarmProcess(script, cwd=tmp_path).wait()
    assert run.returncode == 0, run.stderr[-2000:]
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("RESULT")]
    result = json.loads(line.removeprefix("RESULT"))
    assert result["obs"] == {"policy": [4, 620], "priv": [4, 340], "critic_priv": [4, 33]}
    assert result["finite"]
    assert result["boots"][:3] == pytest.approx([1.0, 5 / 6, 4 / 6])
    # No two draws of noise are the same, and none is wider than twice the widest half-width.
    assert 0.025 < result["noise"] < 0.1
    assert result["privileged_noise"] < 1e-6
