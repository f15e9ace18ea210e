# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A step of the tracking task that never waits for the device, and of which a GPU replays all after the physics.

Isaac Lab's step asks the host twice which environments are concerned: whose episodes end, and who is pushed. Here both
are masks, and what is done is done for all environments and kept where the mask says so. Then nothing of it depends on
the host, and on a GPU two CUDA graphs take the place of some thousand launches: one up to the sampler's record of the
step, one from the resets on. Between them the host does what is due once in a while.

Order, numbers and log are those of Isaac Lab 3.0's ``ManagerBasedRLEnv.step``; the random numbers are others, because
they are drawn for all environments.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch

from ..graphs.capture import CaptureError, Graph
from ..graphs.managers import IntervalPushes, episode_log_names, log_episodes, reset_where
from ..graphs.newton_robot import NewtonRobot
from ..graphs.plan import acts_in_every_physics_step
from ..graphs.premises import Premises
from .mdp.commands import ERROR_NAMES
from .mdp.masked_motion import MaskedMotion

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.envs.common import VecEnvStepReturn

_logger = logging.getLogger(__name__)


class MaskedStep:
    """Steps an environment whose plan has no obstacle.

    Args:
        env: The environment, ready to be stepped.
        graphs: Whether a GPU captures the two halves; they run eagerly otherwise.
        must: Whether a failed capture is an error; otherwise it is told, and the halves go on eagerly.
    """

    def __init__(self, env: ManagerBasedRLEnv, graphs: bool, must: bool = False) -> None:
        self._env, self._must = env, must
        self._robot = NewtonRobot(env.scene["robot"])
        self._motion = MaskedMotion(env.command_manager.get_term("motion"), self._robot)  # type: ignore[arg-type]
        self._pushes = IntervalPushes(env, self._robot)
        with torch.inference_mode(False):
            self._ended = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)
            self._starting = torch.zeros_like(self._ended)
            # Whether a visualizer asks for new episodes everywhere.
            self._all_start = torch.zeros((), dtype=torch.bool, device=env.device)
            self._log = torch.zeros(0, device=env.device)
        self._names: list[str] = []
        self._given_log: dict | None = None
        self._observations: dict[str, torch.Tensor] = {}
        device = env.device if graphs else "cpu"
        self._measure = Graph(self._after_physics, device, self._robot.capturing)
        self._begin = Graph(self._from_resets_on, device, self._robot.capturing)
        self._premises: Premises | None = None

    @property
    def captured(self) -> bool:
        """Whether both halves are replayed."""
        return self._measure.captured and self._begin.captured

    def __call__(self, action: torch.Tensor) -> VecEnvStepReturn:
        """Do one step; see :meth:`isaaclab.envs.ManagerBasedRLEnv.step`.

        Raises:
            RuntimeError: If a half cannot be captured and must be.
        """
        env = self._env
        self._prepare()
        self._physics(action)
        env.common_step_counter += 1
        self._run(self._measure)
        self._motion.keep_count(self._ended)
        asked = env.sim.consume_reset_request()
        if asked:
            self._all_start.fill_(True)
        self._run(self._begin)
        if asked:
            self._all_start.fill_(False)
        self._finish()
        return env.obs_buf, env.reward_buf, env.reset_terminated, env.reset_time_outs, env.extras

    """
    The host's parts.
    """

    def _prepare(self) -> None:
        env, motion = self._env, self._motion
        if self._premises is None or not self._premises.hold(motion.owners()):
            self._premises = Premises(env, motion.owners())
            self._measure.forget()
            self._begin.forget()
            self._names = [*episode_log_names(env), *motion.log_names()]
            with torch.inference_mode(False):
                self._log = torch.zeros(len(self._names), device=env.device)
            self._given_log = None
        log = env.extras.get("log", {})
        if log is not self._given_log:
            # Somebody has reset environments: what the log says of them stays until the next reset.
            for place, name in enumerate(self._names):
                if name in log:
                    self._log[place].copy_(log[name])
        motion.prepare()

    def _physics(self, action: torch.Tensor) -> None:
        """Do what Isaac Lab does up to the terminations."""
        env = self._env
        env.action_manager.process_action(action.to(env.device))
        is_rendering = env.sim.is_rendering
        steps_per_call = env.cfg.decimation if env._physics_handles_decimation else 1
        told = False
        for _ in range(env.cfg.decimation // steps_per_call):
            env._sim_step_counter += steps_per_call
            if not (told and self._targets_hold):
                env.action_manager.apply_action()
                env.scene.write_data_to_sim()
                told = True
            env.sim.step(render=False)
            if env._sim_step_counter % env.cfg.sim.render_interval == 0 and is_rendering:
                env.sim.render(skip_app_pumping=not env.render_enabled)
            env.scene.update(dt=env.physics_dt * steps_per_call)

    @property
    def _targets_hold(self) -> bool:
        """Whether the joints' targets stay the same in all physics steps of a step, and no other force acts."""
        return not acts_in_every_physics_step(self._env) and not self._robot.is_pulled

    def _run(self, half: Graph) -> None:
        try:
            half()
        except CaptureError as error:
            if self._must:
                raise RuntimeError(f"step_graph=on: the step cannot be captured ({error}); use auto or off") from error
            _logger.warning("the step is not captured (%s); it runs kernel by kernel", error)
            for each in (self._measure, self._begin):
                each.give_up()
            half()

    def _finish(self) -> None:
        env = self._env
        self._robot.forget()
        for sensor in env.scene.sensors.values():
            sensor._data_dirty = True
        self._motion.finish(lent=self._measure.captured)
        env.reset_buf = self._ended
        env.reset_terminated = env.termination_manager.terminated
        env.reset_time_outs = env.termination_manager.time_outs
        env.reward_buf = env.reward_manager._reward_buf
        # The learner keeps observations until after the next step, and the log for an iteration.
        env.obs_buf = {group: values.clone() for group, values in self._observations.items()}
        env.extras["log"] = dict(zip(self._names, self._log.clone().unbind(), strict=True))
        self._given_log = env.extras["log"]
        for recorder in env.video_recorders:
            recorder.step()

    """
    The device's parts.
    """

    def _after_physics(self) -> None:
        """Compare with the reference, end episodes, reward, and tell the sampler."""
        env, first = self._env, len(self._names) - len(self._motion.log_names())
        env.episode_length_buf.add_(1)
        self._motion.look()
        self._ended.copy_(env.termination_manager.compute())
        env.reward_manager.compute(dt=env.step_dt)
        self._motion.note(self._log[first : first + len(ERROR_NAMES)])

    def _from_resets_on(self) -> None:
        """Begin new episodes, push robots, and observe."""
        env, episodes = self._env, len(self._names) - len(self._motion.log_names())
        terminated = env.termination_manager.terminated
        terminated.logical_or_(self._all_start & ~self._ended)
        self._starting.copy_(self._ended | self._all_start)
        log_episodes(env, self._starting, self._log[:episodes])
        reset_where(env, self._starting)
        self._motion.begin(self._starting, self._log[episodes + len(ERROR_NAMES) :])
        self._pushes.restart(self._starting)
        self._pushes.apply(env.step_dt)
        self._robot.settle()
        self._observations = env.observation_manager.compute(update_history=True)
