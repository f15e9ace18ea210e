# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/sim2sim.py`` with a policy that follows velocities: on flat ground, command by command."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import written_beside
from .errors import OptionError
from .motion_robots import robot_model
from .terminal import print_line

if TYPE_CHECKING:
    import numpy as np
    from onnxruntime import InferenceSession

    from ..inference.policy_contract import PolicyContract
    from ..inference.sim2sim.mujoco_robot import MujocoRobot
    from ..inference.sim2sim.settings import Mismatch, Pushes
    from ..inference.velocity.commands import Command
    from ..inference.velocity.recording import VelocityRecording
    from ..inference.velocity.report import VelocityEpisode
    from ..motion.robot import Robot
    from .mujoco_viewer import Window
    from .sim2sim import Sim2sim

SECONDS = 20.0
"""Length of an episode unless told [s]: that of the tasks."""


def follow_velocities(options: Sim2sim, contract: PolicyContract, session: InferenceSession, mismatch: Mismatch) -> int:
    """Run a policy under each command, and say what became of it.

    Raises:
        OptionError: If an option cannot be used with such a policy.
    """
    import numpy as np

    from ..inference.policy_answers import PolicyAnswers
    from ..inference.sim2sim.settings import reseed
    from ..inference.sim2sim.walk import VelocityWorld
    from ..inference.velocity.report import VelocityEpisode

    commands = _commands(options, contract)
    robot = robot_model(contract.robot)
    noise = np.random.default_rng(options.seed) if options.noise else None
    # Another stream than that of the noise, so that one does not change the other.
    shoves = np.random.default_rng((options.seed, 1))
    world = VelocityWorld(contract, PolicyAnswers(contract, session), robot, mismatch, noise, _pushes(options, shoves))
    print_line(f"{options.policy}: {contract.checkpoint} of {contract.task}, in MuJoCo, on flat ground")
    if any(term.points is not None for term in contract.observations):
        print_line("the policy looks at the ground: here it sees a plane, whatever it was trained on")
    steps = round((options.seconds or SECONDS) * contract.control_rate)
    recordings: list[VelocityRecording] = []
    episodes: list[VelocityEpisode] = []
    filmed = options.video is not None or options.episodes is not None
    with options.window(robot) as window:
        watch = None if window is None else _real_time(window, contract)
        for repeat, command in ((repeat, command) for repeat in range(options.repeats) for command in commands):
            reseed(noise, options.seed, str(command), repeat)
            reseed(shoves, options.seed, str(command), repeat, 1)
            start = np.random.default_rng(options.seed) if repeat else None
            reseed(start, options.seed, str(command), repeat, 2)
            recording = world.run(command, steps, start, watch)
            episodes.append(VelocityEpisode.of(recording, repeat))
            print_line(_line(len(episodes), episodes[-1], recording))
            if filmed:
                recordings.append(recording)
            if window is not None and not window.is_open():
                break
    _say(options, contract, episodes)
    if recordings:
        _film(options, recordings, episodes, robot)
    return 0


def _commands(options: Sim2sim, contract: PolicyContract) -> Sequence[Command]:
    """Return the commands to follow: the one that is asked for, or the grid of docs/evaluation.md.

    Raises:
        OptionError: If the options cannot be used, or the command was not trained.
    """
    from ..inference.velocity.commands import Command, CommandRange

    assert contract.command is not None
    if options.motions:
        raise OptionError(
            f"'{contract.task}' follows velocities, so clip '{options.motions[0]}' means nothing to it; give"
            " --command VX VY YAW, or nothing for a grid of commands"
        )
    trained = CommandRange(*contract.command.ranges)
    if options.command is None:
        return trained.grid()
    command = Command(*options.command)
    try:
        trained.check(command)
    except ValueError as error:
        raise OptionError(f"--command: {error}") from error
    return [command]


def _pushes(options: Sim2sim, rng: np.random.Generator) -> Pushes | None:
    from ..inference.sim2sim.settings import Pushes

    if options.push is None:
        return None
    try:
        return Pushes(options.push, rng)
    except ValueError as error:
        raise OptionError(f"--{error}") from error


def check_velocity_options(options: Sim2sim) -> None:
    """Refuse numbers that make no sense, before anything is loaded.

    Raises:
        OptionError: If there is one.
    """
    if options.seconds is not None and not 0.1 <= options.seconds <= 3600.0:
        raise OptionError(f"--seconds {options.seconds:g} must be from 0.1 to 3600")
    if options.repeats < 1:
        raise OptionError(f"--repeats {options.repeats} must be 1 or more")


def need_no_velocity_options(options: Sim2sim, task: str) -> None:
    """Refuse options that say nothing to a policy that follows clips.

    Raises:
        OptionError: If there is one.
    """
    given = {
        "--command": options.command is not None,
        "--seconds": options.seconds is not None,
        "--repeats": options.repeats != 1,
        "--push": options.push is not None,
    }
    for name, used in given.items():
        if used:
            raise OptionError(
                f"{name} is for policies that follow velocities, and '{task}' follows clips; leave it out"
            )


def _film(
    options: Sim2sim, recordings: Sequence[VelocityRecording], episodes: Sequence[VelocityEpisode], robot: Robot
) -> None:
    """Draw what was recorded, and look at the result."""
    from ..inference.episode_film import write_films
    from ..inference.film import FilmCamera, FilmCfg
    from ..inference.velocity.episode_film import VelocityFilm
    from .evaluation_films import film_names

    chosen = list(range(len(episodes)))
    if options.worst is not None:
        chosen.sort(key=lambda index: _hardness(episodes[index]), reverse=True)
        del chosen[options.worst :]
    each = None
    if options.episodes is not None:
        names = film_names([(_file_name(episodes[index].command), episodes[index].repeat) for index in chosen])
        each = [options.episodes / Path(name).name for name in names]
    films = [VelocityFilm(recordings[index]) for index in chosen]
    print_line(f"rendering {sum(film.steps for film in films)} steps")
    cfg = FilmCfg(camera=FilmCamera.of_robot(float(recordings[0].root_pos_w[0, 2])))
    for path, film in write_films(films, robot, options.video, each, cfg=cfg).items():
        print_line(f"film {path} | {film.frames} pictures | {film.fps:.3g} a second | {film.duration:.1f} s")


def _hardness(episode: VelocityEpisode) -> tuple[float, float]:
    """Return what orders episodes as the report does its commands: falls, then how badly the command was followed."""
    numbers = {name: value or 0.0 for name, value in episode.metrics.items()}
    return numbers["fall"], -numbers["linear_tracking"] - numbers["yaw_tracking"]


def _file_name(command: Command) -> str:
    return str(command).replace(" ", "_")


def _say(options: Sim2sim, contract: PolicyContract, episodes: Sequence[VelocityEpisode]) -> None:
    """Print the summary, and write the JSON if asked."""
    from ..inference.velocity.report import make_report

    changes = {name: getattr(options, name) for name in ("friction", "mass_scale", "delay", "gain_scale", "noise")}
    about: dict[str, Any] = {
        "policy": {"file": str(options.policy), "checkpoint": contract.checkpoint, "task": contract.task},
        "engine": f"mujoco {_mujoco_version()}",
        "settings": changes | {"push": options.push, "seconds": options.seconds or SECONDS, "seed": options.seed},
    }
    report = make_report(episodes, about)
    means = {name: value["mean"] for name, value in report["all"]["metrics"].items()}
    falls = sum(bool(episode.metrics["fall"]) for episode in episodes)
    cost = means["cost_of_transport"]
    print_line(
        f"{falls} of {len(episodes)} episodes ({100 * falls / len(episodes):.1f} %) ended in a fall; mean error"
        f" x {means['error_x']:.3f} m/s, y {means['error_y']:.3f} m/s, yaw {means['error_yaw']:.3f} rad/s;"
        f" tracking {100 * means['linear_tracking']:.0f} % and {100 * means['yaw_tracking']:.0f} %;"
        f" {means['power']:.0f} W" + ("" if cost is None else f", cost of transport {cost:.2f}")
    )
    if options.json is None:
        return
    with written_beside(options.json) as file:
        file.write(json.dumps(report, indent=1).encode())
    print_line(f"results {options.json}")


def _line(number: int, episode: VelocityEpisode, recording: VelocityRecording) -> str:
    metrics = episode.metrics
    outcome = f"ended by {episode.outcome}" if recording.fell else "on its feet to the end"
    if not recording.fell and recording.steps < recording.max_steps:
        outcome = "cut off"
    return (
        f"episode {number:3d} | {episode.command!s:<21} | {recording.steps:4d} of {recording.max_steps:4d} steps"
        f" | error x {metrics['error_x']:.2f} y {metrics['error_y']:.2f} m/s yaw {metrics['error_yaw']:.2f} rad/s"
        f" | {metrics['distance']:4.1f} m | {outcome}"
    )


def _real_time(window: Window, contract: PolicyContract) -> Callable[[MujocoRobot], bool]:
    """Return what shows each state in the window when its time has come."""
    from ..inference.pace import Pace

    ticks = Pace(contract.control_rate).ticks()

    def show(robot: MujocoRobot) -> bool:
        next(ticks)
        if not window.is_open():
            return False
        place: tuple[np.ndarray, np.ndarray] = robot.body_pos_w[0], robot.body_quat_w[0]
        window.show(contract.joint_names, robot.joint_pos, *place)
        return True

    return show


def _mujoco_version() -> str:
    import mujoco

    return mujoco.__version__
