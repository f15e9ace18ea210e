# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A step that never waits for the device, and of which a GPU replays all after the physics.

Isaac Lab's step asks the host twice which environments are concerned: whose episodes end, and who is pushed. Here both
are masks, and what is done is done for all environments and kept where the mask says so. Then nothing of it depends on
the host, and on a GPU two CUDA graphs take the place of some thousand launches: one up to the command's record of the
step, one from the resets on; where rays are cast, the observations have a third. Between them the host does what is due
once in a while. What the task's own command does in a step, is told by :class:`MaskedCommand`.

Order, numbers and log are those of Isaac Lab 3.0's ``ManagerBasedRLEnv.step``; the random numbers are others, because
they are drawn for all environments.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

import torch

from ...cuda_capture import CaptureError
from .capture import Graph
from .managers import IntervalPushes, episode_log_names, log_episodes, reset_where
from .newton_robot import NewtonRobot
from .plan import acts_in_every_physics_step, efforts_are_read, obstacle, scanners
from .premises import Premises
from .resets import MaskedResets

if TYPE_CHECKING:
    from isaaclab.envs.common import VecEnvStepReturn

    from .masked_env import MaskedEnv

_logger = logging.getLogger(__name__)


class NoLongerFitsError(ValueError):
    """A task has got something that is an obstacle to a step by masks, which the error says as half a sentence."""


class MaskedCommand(Protocol):
    """What a task's own command does in a step by masks; the methods are in the order in which they are called.

    Those of the device may be captured: they read and write memory that stays where it is.
    """

    noted: int
    """How many of the log's numbers :meth:`note` writes; :meth:`begin` writes the others."""

    def log_names(self) -> list[str]:
        """Return the names in the log of what :meth:`note` and :meth:`begin` write, in order."""
        ...

    def owners(self) -> tuple[Any, ...]:
        """Return the objects whose memory and numbers a captured graph knows."""
        ...

    def prepare(self) -> None:
        """On the host, before the physics."""
        ...

    def look(self) -> None:
        """On the device, after the physics and before the terminations."""
        ...

    def note(self, log: torch.Tensor) -> None:
        """On the device, after the rewards; write what every step logs, shape (noted,)."""
        ...

    def keep_count(self, ended: torch.Tensor) -> None:
        """On the host, between the two halves; which episodes have ended, bool, shape (num_envs,)."""
        ...

    def end(self, starting: torch.Tensor) -> None:
        """On the device, while the sums of the ended episodes are there; whose begin anew, bool, shape (num_envs,)."""
        ...

    def begin(self, starting: torch.Tensor, log: torch.Tensor) -> None:
        """On the device, after all other resets; write what starts log, the rest of the names."""
        ...

    def advance(self, dt: float) -> None:
        """On the device, after the resets: let time go on for everybody [s]."""
        ...

    def finish(self, lent: bool) -> None:
        """On the host, after the step; whether the next one overwrites what this one has computed."""
        ...


class MaskedStep:
    """Steps an environment whose plan has no obstacle.

    Args:
        env: The environment, ready to be stepped.
        graphs: Whether a GPU captures the two halves; they run eagerly otherwise.
        must: Whether a failed capture is an error; otherwise it is told, and the halves go on eagerly.
    """

    def __init__(self, env: MaskedEnv, graphs: bool, must: bool = False) -> None:
        self._env, self._must = env, must
        self._robot = NewtonRobot(next(iter(env.scene.articulations.values())))
        self._command = env.masked_command(self._robot)
        self._resets = MaskedResets(env, self._robot)
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
        # Rays have graphs of Isaac Lab's own, and a graph cannot launch one; so they are cast between two of ours.
        self._scanners = scanners(env)
        self._observe = Graph(self._see, device, self._robot.capturing)
        self._parts = [self._measure, self._begin, *([self._observe] if self._scanners else [])]
        self._premises: Premises | None = None
        self._efforts_are_read = False

    @property
    def captured(self) -> bool:
        """Whether both halves are replayed."""
        return all(part.captured for part in self._parts)

    def __call__(self, action: torch.Tensor) -> VecEnvStepReturn:
        """Do one step; see :meth:`isaaclab.envs.ManagerBasedRLEnv.step`.

        Raises:
            NoLongerFitsError: If the task has got something since that cannot be stepped by masks; nothing is done.
            RuntimeError: If a half cannot be captured and must be.
        """
        env = self._env
        self._prepare()
        self._physics(action)
        env.common_step_counter += 1
        self._run(self._measure)
        self._command.keep_count(self._ended)
        asked = env.sim.consume_reset_request()
        if asked:
            self._all_start.fill_(True)
        self._run(self._begin)
        self._robot.drop_forces(self._starting)
        if asked:
            self._all_start.fill_(False)
        if self._scanners:
            self._scan()
            self._run(self._observe)
        self._finish()
        return env.obs_buf, env.reward_buf, env.reset_terminated, env.reset_time_outs, env.extras

    """
    The host's parts.
    """

    def _prepare(self) -> None:
        env, command = self._env, self._command
        if self._premises is None or not self._premises.hold(command.owners()):
            if (found := obstacle(env)) is not None:
                raise NoLongerFitsError(found)
            self._premises = Premises(env, command.owners())
            for part in self._parts:
                part.forget()
            self._names = [*episode_log_names(env), *command.log_names()]
            with torch.inference_mode(False):
                self._log = torch.zeros(len(self._names), device=env.device)
            self._given_log = None
            self._efforts_are_read = efforts_are_read(env)
        log = env.extras.get("log", {})
        if log is not self._given_log:
            # Somebody has reset environments: what the log says of them stays until the next reset.
            for place, name in enumerate(self._names):
                if name in log:
                    self._log[place].fill_(log[name])
        command.prepare()

    def _physics(self, action: torch.Tensor) -> None:
        """Do what Isaac Lab does up to the terminations."""
        env = self._env
        env.action_manager.process_action(action.to(env.device))
        is_rendering = env.sim.is_rendering
        steps_per_call = env.cfg.decimation if env._physics_handles_decimation else 1
        last = env.cfg.decimation // steps_per_call - 1
        for index in range(last + 1):
            env._sim_step_counter += steps_per_call
            # Telling the targets computes the joints' efforts as well.
            if index == 0 or (index == last and self._efforts_are_read) or not self._targets_hold:
                env.action_manager.apply_action()
                env.scene.write_data_to_sim()
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
            for part in self._parts:
                part.give_up()
            half()

    def _scan(self) -> None:
        """Cast the rays from where robots are after the resets."""
        self._robot.forget()
        for scanner in self._scanners:
            scanner._data_dirty = True
            scanner._update_outdated_buffers()

    def _finish(self) -> None:
        env = self._env
        self._robot.forget()
        for sensor in env.scene.sensors.values():
            sensor._data_dirty = True
        self._command.finish(lent=self._measure.captured)
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
        """Let the command look, end episodes, reward, and let the command note it."""
        env, first = self._env, len(self._names) - len(self._command.log_names())
        env.episode_length_buf.add_(1)
        self._command.look()
        self._ended.copy_(env.termination_manager.compute())
        env.reward_manager.compute(dt=env.step_dt)
        self._command.note(self._log[first : first + self._command.noted])

    def _from_resets_on(self) -> None:
        """Begin new episodes, push robots, and observe where no rays are cast before."""
        env, episodes = self._env, len(self._names) - len(self._command.log_names())
        terminated = env.termination_manager.terminated
        terminated.logical_or_(self._all_start & ~self._ended)
        self._starting.copy_(self._ended | self._all_start)
        self._command.end(self._starting)
        log_episodes(env, self._starting, self._log[:episodes])
        reset_where(env, self._starting)
        self._resets.apply(self._starting)
        self._command.begin(self._starting, self._log[episodes + self._command.noted :])
        self._pushes.restart(self._starting)
        self._command.advance(env.step_dt)
        self._pushes.apply(env.step_dt)
        self._robot.settle()
        if not self._scanners:
            self._see()

    def _see(self) -> None:
        """Observe."""
        self._observations = self._env.observation_manager.compute(update_history=True)
