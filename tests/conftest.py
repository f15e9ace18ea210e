# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the tests share: tiny clips and frames, MuJoCo's G1, and one simulator."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from isaac_tracking.inference.recording import Recording
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.quaternion import quat_from_axis_angle
from warm_process import WarmProcess, warm_context

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

NUM_ENVS = 8

# A quarter of the time of imports and of small tests went into looking for garbage that is not there.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that at the end no process waits long for the other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What was imported stays."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def make_clip() -> Callable[..., Clip]:
    """Make a smooth motion of two joints and three bodies; the seed decides where it goes."""

    def make(frames: int = 11, fps: float = 50.0, seed: int = 0, name: str = "tiny", **changes: Any) -> Clip:
        rng = np.random.default_rng(seed)
        time = np.arange(frames)[:, None] / fps
        axis = rng.normal(size=(3, 3))
        angle = (rng.normal(size=3) + rng.normal(size=3) * time)[..., None] * axis
        values = {
            "name": name,
            "fps": fps,
            "joint_names": ("hip", "knee"),
            "body_names": ("base", "thigh", "shin"),
            "joint_pos": rng.normal(size=2) + rng.normal(size=2) * time,
            "body_pos_w": rng.normal(size=(3, 3)) + rng.normal(size=(3, 3)) * time[..., None],
            "body_quat_w": quat_from_axis_angle(torch.from_numpy(angle)).numpy(),
        }
        return Clip(**(values | changes))

    return make


@pytest.fixture
def make_frame() -> Callable[..., MotionFrame]:
    """Make random frames of two joints and three bodies."""

    def make(num: int = 4, bodies: int = 3, seed: int = 0) -> MotionFrame:
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(num, *shape, generator=generator)

        quat = torch.nn.functional.normalize(draw(bodies, 4), dim=-1)
        return MotionFrame(draw(2), draw(2), draw(bodies, 3), quat, draw(bodies, 3), draw(bodies, 3))

    return make


@pytest.fixture(scope="session")
def g1_mjcf() -> Path:
    from isaac_tracking.robots import g1
    from isaac_tracking.robots.mjcf import mjcf_path

    return mjcf_path(*g1.MODEL)


@pytest.fixture(scope="session")
def g1_model(g1_mjcf: Path) -> Any:
    """MuJoCo's own reading of the G1's MJCF."""
    import mujoco

    return mujoco.MjModel.from_xml_path(str(g1_mjcf))


@pytest.fixture(scope="session")
def make_recording() -> Callable[..., Recording]:
    """Make an episode of the G1 that follows a shipped clip some way beside it; the seed decides the rest."""
    from isaac_tracking.launch.motion_robots import motion_robot
    from isaac_tracking.motion.library import MotionLibrary
    from isaac_tracking.robots import g1

    robot = motion_robot()

    def make(clip: str = "walk", steps: int = 20, seed: int = 0, **changes: Any) -> Recording:
        loaded = Clip.load(shipped_clips()[clip])
        library = MotionLibrary([loaded], robot.joint_names, g1.KEY_BODY_NAMES, 50.0)
        frames = torch.arange(1, steps + 1)
        due = library.frames(torch.zeros_like(frames), frames)
        generator = torch.Generator().manual_seed(seed)
        # Further beside it from instant to instant.
        beside = torch.linspace(0.001, 0.05, steps)[:, None, None] * torch.tensor([0.0, 1.0, 0.0])
        assert loaded.contacts is not None
        values: dict[str, Any] = {
            "clip": clip,
            "rate": 50.0,
            "joint_names": robot.joint_names,
            "body_names": g1.KEY_BODY_NAMES,
            "robot": due._replace(body_pos_w=due.body_pos_w + beside),
            "reference": due,
            **{name: torch.randn(steps, 29, generator=generator) for name in ("actions", "targets", "torques")},
            "contacts": torch.rand(steps, 2, generator=generator) > 0.5,
            "outcome": "anchor_tilt",
            "clip_steps": loaded.num_frames - 1,
            "feet_names": robot.foot_body_names,
            "reference_contacts": torch.from_numpy(loaded.contacts[1 : steps + 1].copy()),
        }
        return Recording(**(values | changes))

    return make


@pytest.fixture(scope="session")
def _simulator() -> Iterator[ManagerBasedRLEnv]:
    """The G1's task on Newton and the CPU: as registered, without what is random at the start and in the senses."""
    import gymnasium as gym
    from isaaclab_tasks.utils import resolve_task_config

    import isaac_tracking.tasks  # noqa: F401

    cfg, _ = resolve_task_config("Isaac-Tracking-G1-v0", "rsl_rl_cfg_entry_point", overrides=[])
    cfg.seed = 0
    cfg.sim.device = "cpu"
    cfg.scene.num_envs = NUM_ENVS
    cfg.observations.policy.enable_corruption = False
    for name in ("physics_material", "joint_default_pos", "base_com", "push_robot"):
        setattr(cfg.events, name, None)
    env = gym.make("Isaac-Tracking-G1-v0", cfg=cfg)
    yield env.unwrapped
    env.close()


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Return what a velocity task on a CPU looks like from within; each task is run once, in a process of its own."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}

    def look(task: str, *overrides: str) -> dict[str, Any]:
        if (task, *overrides) not in found:
            file = tmp_path_factory.mktemp("probe") / "found.pt"
            script = Path(__file__).with_name("velocity_probe.py")
            done = WarmProcess(script, task, file, *overrides, cwd=file.parent).wait()
            assert done.returncode == 0, done.stderr
            found[task, *overrides] = torch.load(file, weights_only=True)
        return found[task, *overrides]

    return look


@pytest.fixture
def warm_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes that train as one have everything imported; others begin from nothing."""
    context = warm_context()
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: context)


class FixedSampler:
    """Starts every episode where it is told, and remembers what it is told about the steps."""

    def __init__(self, clip_ids: Sequence[int], steps: Sequence[int]) -> None:
        self.starts = torch.tensor(clip_ids), torch.tensor(steps)
        self.recorded: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.starts[0][env_ids], self.starts[1][env_ids]

    def record(
        self, clip_ids: torch.Tensor, steps: torch.Tensor, failed: torch.Tensor, similarity: torch.Tensor
    ) -> None:
        self.recorded.append((clip_ids.clone(), steps.clone(), failed.clone()))

    def metrics(self) -> dict[str, torch.Tensor]:
        return {}


class Simulation:
    """The one simulator of a test session, with what a test wants to decide."""

    def __init__(self, env: ManagerBasedRLEnv) -> None:
        self.env = env
        self.robot = env.scene["robot"]
        self.command = env.command_manager.get_term("motion")
        self.still = torch.zeros(env.num_envs, env.action_manager.total_action_dim)

    def start(self, clip: str = "stand", step: int | Sequence[int] = 0, noise: bool = False) -> FixedSampler:
        """Begin new episodes of a clip at given frames, with or without noise; actions and counters are reset."""
        num = self.env.num_envs
        steps = [step] * num if isinstance(step, int) else list(step)
        sampler = FixedSampler([self.command.library.names.index(clip)] * num, steps)
        self.command.source.sampler = sampler
        if not noise:
            self.command.cfg.reset_noise = None
        self.env.reset()
        return sampler

    def write(
        self,
        root_pose: torch.Tensor | None = None,
        root_vel: torch.Tensor | None = None,
        joint_pos: torch.Tensor | None = None,
        joint_vel: torch.Tensor | None = None,
    ) -> None:
        """Write a state of all robots into the simulator; None leaves a part as it is."""
        if root_pose is not None:
            self.robot.write_root_link_pose_to_sim_index(root_pose=root_pose)
        if root_vel is not None:
            self.robot.write_root_link_velocity_to_sim_index(root_velocity=root_vel)
        if joint_pos is not None:
            self.robot.write_joint_position_to_sim_index(position=joint_pos)
        if joint_vel is not None:
            self.robot.write_joint_velocity_to_sim_index(velocity=joint_vel)


@pytest.fixture
def sim(_simulator: ManagerBasedRLEnv) -> Iterator[Simulation]:
    """The simulator as registered, fresh episodes; what a test changes of the command is put back."""
    torch.manual_seed(0)
    simulation = Simulation(_simulator)
    command = simulation.command
    sampler, noise = command.sampler, command.cfg.reset_noise
    _simulator.reset()
    yield simulation
    command.source.sampler, command.cfg.reset_noise = sampler, noise
