# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/sim2sim.py``: an exported policy in MuJoCo's own engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ..files import written_beside
from ..learning.runs import PRETRAINED
from .errors import OptionError
from .mujoco_viewer import has_display
from .sim2sim_velocity import check_velocity_options, follow_velocities, need_no_velocity_options
from .terminal import print_line
from .typed_options import mistakes_in_one_line

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from ..inference.episode_film import FilmEpisode
    from ..inference.metrics import JointLimits
    from ..inference.policy_contract import PolicyContract
    from ..inference.sim2sim.report import ClipResult
    from ..inference.sim2sim.rollout import Watch
    from ..inference.sim2sim.settings import Mismatch
    from ..motion.frame import MotionFrame
    from ..motion.robot import Robot
    from .mujoco_viewer import Window as Window

NEEDS_TASKS = False
"""Whether the tasks must be registered first."""


@dataclass
class Sim2sim:
    """Run an exported policy in MuJoCo's own engine, from nothing but what its file says, the clips and the MJCF.

    A policy that follows velocities takes commands in place of clips, and walks on flat ground.

    For example:

    sim2sim.py pretrained (all shipped clips)

    sim2sim.py policy.onnx walk squat --video out.mp4

    sim2sim.py policy.onnx --friction 0.3 --episodes films --worst 3

    sim2sim.py policy.onnx --friction 0.5 --delay 2 --noise --json out.json

    sim2sim.py go1.onnx (a grid of commands over the trained range)

    sim2sim.py go1.onnx --command 1.0 0.0 0.5 --push 1.0 --video out.mp4
    """

    policy: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="POLICY.onnx")]
    """Policy that scripts/export.py wrote, its folder, or 'pretrained'."""

    motions: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CLIP")] = ()
    """Shipped clips by name or pattern, files, folders and manifests; all shipped clips if none is named."""

    command: tuple[float, float, float] | None = None
    """Only this command: speed forward and to the left [m/s], turning rate to the left [rad/s]."""

    seconds: float | None = None
    """Length of an episode under a command [s]; 20 if not given."""

    repeats: int = 1
    """Episodes of each command; those after the first start from drawn joint angles and velocities."""

    push: float | None = None
    """Push the robot every 2 to 4 seconds: change of its velocity in a drawn direction [m/s]; for commands."""

    friction: float | None = None
    """Friction of the robot with the ground; what the MJCF says if not given."""

    mass_scale: float = 1.0
    """Factor on the mass and inertia of every body."""

    delay: int = 0
    """Physics steps (5 ms each in the project's tasks) by which joint targets come late."""

    gain_scale: float = 1.0
    """Factor on the stiffness and damping of every joint."""

    noise: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Add the noise to the observations that the policy was trained with."""

    seed: int = 0
    """Seed of the noise, and of all else that is drawn."""

    video: Path | None = None
    """Write a film (.mp4) of all clips, one after another; needs no display."""

    episodes: Path | None = None
    """Write a film of each clip into this folder: <clip>_0.mp4; needs no display."""

    worst: int | None = None
    """Film only the K hardest clips, the hardest first, by the order of evaluate.py; with --video or --episodes."""

    viewer: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show it in MuJoCo's viewer, in real time; closing the window ends it."""

    json: Path | None = None
    """Write all results as JSON, with the metrics of docs/evaluation.md for each clip."""

    def __call__(self) -> int:
        """Run the policy and say what became of each clip."""
        mismatch = self._checked()
        from ..inference.policy_contract import load_policy

        path = policy_file(self.policy)
        contract, session = load_policy(path)
        _need_observations_alone(contract, session, path)
        if contract.command is not None:
            return follow_velocities(self, contract, session, mismatch)
        need_no_velocity_options(self, contract.task)
        return self._follow_clips(contract, session, mismatch)

    def _follow_clips(self, contract: PolicyContract, session: InferenceSession, mismatch: Mismatch) -> int:
        import numpy as np

        from ..inference.episode_film import FilmEpisode
        from ..inference.metrics import measure
        from ..inference.policy_answers import PolicyAnswers
        from ..inference.sim2sim.report import ClipResult
        from ..inference.sim2sim.rollout import Sim2Sim
        from ..inference.sim2sim.settings import Limits, reseed
        from ..motion.sources import load_clips
        from ..robots import g1
        from .motion_robots import motion_robot

        robot = motion_robot(contract.robot)
        clips = load_clips(self.motions or ("*",))
        noise = np.random.default_rng(self.seed) if self.noise else None
        world = Sim2Sim(
            contract,
            PolicyAnswers(contract, session),
            robot,
            clips,
            Limits(end_effectors=g1.END_EFFECTOR_BODY_NAMES),
            mismatch,
            noise,
        )
        print_line(f"{self.policy}: {contract.checkpoint} of {contract.task}, in MuJoCo")
        films: list[FilmEpisode] = []
        results: list[ClipResult] = []
        metrics: list[dict[str, float | None]] = []
        limits = _limits(contract)
        with self.window(robot) as window:
            for index, clip in enumerate(clips):
                reseed(noise, self.seed, clip.name)
                recording = world.run(index, None if window is None else _real_time(window, contract))
                results.append(ClipResult.of(recording, contract.anchor_body_name))
                metrics.append(measure(recording, limits))
                print_line(_line(len(results), results[-1]))
                if self.video is not None or self.episodes is not None:
                    films.append(FilmEpisode.of(recording, robot))
                if window is not None and not window.is_open():
                    break
        self._say(contract, results, metrics)
        if films:
            self._film(films, metrics, robot)
        return 0

    def _film(self, films: Sequence[FilmEpisode], metrics: Sequence[dict[str, float | None]], robot: Robot) -> None:
        """Draw what was recorded, and look at the result."""
        from ..inference.episode_film import write_films
        from ..inference.evaluation_report import hardness
        from .evaluation_films import film_names

        chosen = list(range(len(films)))
        if self.worst is not None:
            chosen.sort(key=lambda index: hardness(metrics[index], films[index].title), reverse=True)
            del chosen[self.worst :]
        episodes = [films[index] for index in chosen]
        each = None
        if self.episodes is not None:
            names = film_names([(episode.title, 0) for episode in episodes])
            each = [self.episodes / Path(name).name for name in names]
        print_line(f"rendering {sum(film.steps for film in episodes)} steps; the reference is the green robot")
        for path, film in write_films(episodes, robot, self.video, each).items():
            print_line(f"film {path} | {film.frames} pictures | {film.fps:.3g} a second | {film.duration:.1f} s")

    def window(self, robot: Robot) -> AbstractContextManager[Window | None]:
        """Open MuJoCo's viewer if it is asked for."""
        if not self.viewer:
            return nullcontext()
        from .mujoco_viewer import Window as Window

        return Window(robot)

    def _checked(self) -> Mismatch:
        """Refuse what cannot be done, before anything is loaded.

        Raises:
            OptionError: If an option cannot be used.
        """
        from ..inference.sim2sim.settings import Mismatch

        if self.video is not None and self.video.suffix.lower() != ".mp4":
            raise OptionError(f"--video '{self.video}' must end in '.mp4'")
        if self.viewer and sys.platform == "linux" and not has_display():
            raise OptionError("--viewer needs a display and there is none; give --video FILE.mp4 instead")
        if self.worst is not None and self.worst < 1:
            raise OptionError(f"--worst {self.worst} must be 1 or more")
        if self.worst is not None and self.video is None and self.episodes is None:
            raise OptionError(f"--worst {self.worst} chooses what is filmed; add --video FILE.mp4 or --episodes FOLDER")
        if self.episodes is not None and self.episodes.absolute().exists() and not self.episodes.is_dir():
            raise OptionError(f"--episodes '{self.episodes}' is a file; give a folder")
        check_velocity_options(self)
        if self.seed < 0:
            raise OptionError(f"--seed {self.seed} must be 0 or more")
        for path in (self.video, self.json):
            if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
                raise OptionError(f"'{path}' cannot be written: it is a folder, or its folder does not exist")
        try:
            return Mismatch(self.friction, self.mass_scale, self.delay, self.gain_scale)
        except ValueError as error:
            raise OptionError(f"--{error}") from error

    def _say(
        self, contract: PolicyContract, results: Sequence[ClipResult], metrics: Sequence[dict[str, float | None]]
    ) -> None:
        """Print the summary, and write the JSON if asked."""
        from ..inference.sim2sim.report import Summary

        summary = Summary.of(results)
        print_line(
            f"{summary.completed} of {summary.clips} clips ({100 * summary.completed / summary.clips:.1f} %)"
            f" reached the clip's end; mean body error {1000 * summary.body_pos_error:.1f} mm,"
            f" mean drift {1000 * summary.anchor_pos_error:.0f} mm, over {summary.steps} steps"
        )
        if self.json is None:
            return
        changes = {name: getattr(self, name) for name in ("friction", "mass_scale", "delay", "gain_scale", "noise")}
        content = {
            "policy": {"file": str(self.policy), "checkpoint": contract.checkpoint, "task": contract.task},
            "engine": f"mujoco {_mujoco_version()}",
            "settings": changes | {"seed": self.seed},
            "summary": asdict(summary),
            "clips": [asdict(result) | {"metrics": values} for result, values in zip(results, metrics, strict=True)],
        }
        with written_beside(self.json) as file:
            file.write(json.dumps(content, indent=1).encode())
        print_line(f"results {self.json}")


def sim2sim(argv: Sequence[str]) -> int:
    """Run the script and return its exit code.

    Raises:
        OptionError, RunError, ClipError, FilmError: If something the user gave cannot be used.
    """
    with mistakes_in_one_line(argv):
        command = tyro.cli(Sim2sim, prog="sim2sim.py", args=list(argv))
    return command()


def policy_file(policy: Path) -> Path:
    """Return the file of a policy that a user named: ``pretrained``, a file, or the folder of an export.

    Raises:
        OptionError: If it is a folder without one, or ``latest``, which names a checkpoint.
    """
    if str(policy) == "pretrained":
        return PRETRAINED / "policy.onnx"
    if str(policy) == "latest" and not policy.exists():
        raise OptionError(
            "policy 'latest' is a checkpoint, and what runs here is an exported policy; make one with"
            " 'export.py latest --output my_policy', and give my_policy"
        )
    if not policy.is_dir():
        return policy
    if (policy / "policy.onnx").is_file():
        return policy / "policy.onnx"
    raise OptionError(
        f"policy '{policy}' is a folder without a policy.onnx; give the file, 'pretrained', or the folder that"
        " export.py wrote"
    )


def _need_observations_alone(contract: PolicyContract, session: InferenceSession, path: Path) -> None:
    """Refuse a file that asks for more than observations and what the policy remembers.

    Raises:
        OptionError: If it does, as a file with a clip inside.
    """
    known = {contract.input["name"], *(() if contract.memory is None else (contract.memory["input"],))}
    others = [value.name for value in session.get_inputs() if value.name not in known]
    if others:
        raise OptionError(
            f"policy '{path}' asks for {', '.join(others)} besides the observations, which is for another runtime;"
            " give the policy.onnx beside it"
        )


def _real_time(window: Window, contract: PolicyContract) -> Watch:
    """Return what shows each state in the window when its time has come."""
    from ..inference.pace import Pace

    ticks = Pace(contract.control_rate).ticks()

    def show(robot: MotionFrame) -> bool:
        next(ticks)
        if not window.is_open():
            return False
        window.show(
            contract.joint_names, robot.joint_pos[0].numpy(), robot.body_pos_w[0, 0].numpy(),
            robot.body_quat_w[0, 0].numpy(),
        )  # fmt: skip
        return True

    return show


def _limits(contract: PolicyContract) -> JointLimits:
    import torch

    from ..inference.metrics import JointLimits

    return JointLimits(torch.tensor(contract.joint_effort_limits), torch.tensor(contract.joint_velocity_limits))


def _line(number: int, result: ClipResult) -> str:
    outcome = "reached the clip's end" if result.outcome == "clip_end" else f"ended by {result.outcome}"
    return (
        f"clip {number:3d} | {result.clip:<12} | {result.steps:4d} of {result.clip_steps:4d} steps"
        f" | body error {1000 * result.body_pos_error:3.0f} mm"
        f" | drift {1000 * result.anchor_pos_error:4.0f} mm | {outcome}"
    )


def _mujoco_version() -> str:
    import mujoco

    return mujoco.__version__
