# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is to be played, decided from the options without starting or writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..learning.runs import checkpoints, latest_run
from . import checks, driving, options
from .families import family, refuse_motions
from .overrides import merge_overrides, resolve_config
from .run_folder import record_of, results_folder

DEFAULT_TASK = "Isaac-Tracking-G1-Play-v0"
_TASK = f"that of the checkpoint's run; {DEFAULT_TASK} if there is none"
"""Which task is played if none is named."""

_KEPT = (
    *("presets", "env.actions.", "env.observations.", "agent."),
    *("env.decimation=", "env.sim.dt=", "env.scene.robot."),
)
"""Beginnings of those settings of a run without which its policy is no longer the same, whatever its family: what it
sees and does, how often, and with which robot."""


@dataclass
class PlayPlan:
    """All that is decided before anything is started."""

    task: str
    device: str
    checkpoint: Path
    results: Path
    """Folder for what is found out about the checkpoint."""
    overrides: list[str]
    num_envs: int
    episodes: int
    """Episodes of each environment."""
    film: Path | None
    """File of the film, None for no film."""
    video_length: int
    """Steps in the film."""
    video_interval: int
    """Steps per picture."""
    passed: list[str]
    """Options handed to Isaac Lab as they are."""
    verbose: bool
    page: driving.Address | None = None
    """Where the page is on which the robot is driven, None if it is not."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``test.sh``."""
    parser = options.make_parser("test.sh", "Play a trained policy, and say how each episode went.", _TASK)
    parser.add_argument("--video_length", type=options.positive, default=500, metavar="N", help="steps in the film")
    parser.add_argument("--video_interval", type=options.positive, default=2, metavar="N", help="steps per picture")
    parser.add_argument("--episodes", type=options.positive, default=1, metavar="N", help="episodes per environment")
    driving.add_options(parser)
    return parser


def make_plan(argv: Sequence[str], root: Path | None = None) -> PlayPlan:
    """Turn options into a plan without starting anything, and without writing anything but the cache of clips.

    Args:
        argv: Arguments of ``test.sh``.
        root: Folder that holds ``logs``; the current one if None.

    Raises:
        OptionError, RunError, ClipError: If an option cannot be used.
    """
    request = options.read_request(make_parser(), argv, DEFAULT_TASK, lambda: ("--viz", "--visualizer"), root)
    args = request.args
    task = options.play_task(request.task)
    experiment = request.logs / resolve_config(task, [])[1].experiment_name
    if args.checkpoint:
        checkpoint = options.find_checkpoint(request, experiment)
    else:
        checkpoint = checkpoints(latest_run(experiment, options.train_command(task)))[-1]
    record = record_of(checkpoint)
    task = options.same_task(checkpoint, record, task, args.task, options.play_task)
    refuse_motions(task, args.motion)
    page = driving.read_address(args, task)
    ours = family(task)
    kept = [override for override in record.get("overrides", []) if override.startswith((*_KEPT, *ours.kept))]
    overrides = merge_overrides(kept, request.overrides)
    env_cfg, agent_cfg = resolve_config(task, overrides)
    checks.need_engine(env_cfg.sim.physics, request.device)
    ours.check(env_cfg)

    from ..learning.checkpoint import check_networks, read_checkpoint

    check_networks(checkpoint, read_checkpoint(checkpoint), {"actor": agent_cfg.actor})
    results = results_folder(checkpoint, request.logs)
    film = results / "videos" / "play" / f"{checkpoint.stem}.mp4" if args.video else None
    if film is not None:
        checks.need_space(film.parent)
    # Late, since it may take a minute.
    num_envs = args.num_envs or ours.subject(env_cfg).play_envs
    return PlayPlan(
        task, request.device, checkpoint, results, overrides, num_envs, args.episodes, film,
        args.video_length, args.video_interval, request.passed, args.verbose, page,
    )  # fmt: skip
