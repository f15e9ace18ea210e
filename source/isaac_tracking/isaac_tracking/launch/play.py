# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Playing a trained policy: every clip from its start, a line for each episode, and a film."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..inference.rollout import Episode
from ..learning.runs import checkpoint_number, checkpoints, latest_run, read_record, resolve_checkpoint
from . import options
from .options import OptionError
from .terminal import print_line, quiet

DEFAULT_TASK = "Isaac-Tracking-G1-Play-v0"

_KEPT = ("presets", "env.actions.", "env.observations.", "env.commands.motion.motions", "agent.")
"""Settings of a run without which its policy cannot be played."""


@dataclass
class PlayPlan:
    """All that is decided before anything is started."""

    task: str
    device: str
    checkpoint: Path
    overrides: list[str]
    num_envs: int | None
    episodes: int
    film: Path | None
    video_length: int
    video_interval: int
    passed: list[str]
    verbose: bool


def make_parser() -> options.OptionParser:
    """Return the parser of ``test.sh``."""
    parser = options.OptionParser(prog="test.sh", description="Play a trained policy, every clip from its start.")
    options.add_common_options(parser, DEFAULT_TASK)
    parser.add_argument("--episodes", type=options.positive, default=1, metavar="N", help="episodes per environment")
    return parser


def play(argv: Sequence[str]) -> int:
    """Play a policy, print what became of each episode, and film it if asked.

    Raises:
        OptionError, RunError, ClipError: If something the user gave cannot be used.
    """
    plan = make_plan(argv)
    print_line(f"playing {plan.checkpoint} on {plan.device}")
    import gymnasium as gym
    from isaaclab.app import launch_simulation
    from isaaclab.utils import to_dict
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg

    from ..inference.rollout import PoseRecorder, play_episodes
    from ..learning.runner import Runner

    env_cfg, agent_cfg = options.resolve_config(plan.task, plan.overrides)
    env_cfg.scene.num_envs = plan.num_envs or _num_envs(env_cfg)
    env_cfg.sim.device = agent_cfg.device = plan.device
    env_cfg.seed = agent_cfg.seed
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    episodes: list[Episode] = []
    with launch_simulation(env_cfg, _launcher_arguments(plan)):
        with quiet(plan.verbose):
            env = RslRlVecEnvWrapper(gym.make(plan.task, cfg=env_cfg), clip_actions=agent_cfg.clip_actions)
            runner = Runner(env, to_dict(agent_cfg), device=plan.device)
            runner.load(str(plan.checkpoint), load_cfg={"actor": True})
        policy = runner.get_inference_policy(device=plan.device)
        recorder = PoseRecorder(env.unwrapped, plan.video_length) if plan.film else None
        for episode in play_episodes(env, policy, plan.episodes, recorder):
            episodes.append(episode)
            print_line(_line(len(episodes), episode))
        _print_summary(episodes)
        if plan.film and recorder is not None:
            _film(plan, recorder, env.unwrapped)
        env.close()
    return 0


def make_plan(argv: Sequence[str], root: Path | None = None) -> PlayPlan:
    """Turn options into a plan without starting or writing anything.

    Args:
        argv: Arguments of ``test.sh``.
        root: Folder that holds ``logs``; the current one if None.

    Raises:
        OptionError, RunError, ClipError: If an option cannot be used.
    """
    parser = make_parser()
    args, rest = parser.parse_known_args(argv)
    overrides, passed = options.split_rest(rest, parser._option_string_actions, ("--viz", "--visualizer"))
    options.need_display(args.gui)
    base, logs = options.caller_folder(), (root or Path.cwd()).resolve() / "logs" / "rsl_rl"
    task = options.play_task(args.task or DEFAULT_TASK)
    device = options.choose_device(args.device)
    if args.motion:
        overrides.append(f"env.commands.motion.motions={json.dumps(options.resolve_motions(args.motion, base))}")
    if args.seed is not None:
        overrides.append(f"agent.seed={args.seed}")
    experiment = logs / options.resolve_config(task, [])[1].experiment_name
    if args.checkpoint:
        checkpoint = resolve_checkpoint(args.checkpoint, experiment, base)
    else:
        checkpoint = checkpoints(latest_run(experiment))[-1]
    record = read_record(checkpoint.parent)
    trained = record.get("task")
    if trained and args.task is None:
        task = options.play_task(trained)
    elif trained and options.play_task(trained) != task:
        raise OptionError(f"checkpoint '{checkpoint}' is of task '{trained}', not '{args.task}'; give --task {trained}")
    kept = [override for override in record.get("overrides", []) if override.startswith(_KEPT)]
    overrides = options.merge_overrides(kept, overrides)
    options.resolve_config(task, overrides)
    film = checkpoint.parent / "videos" / "play" / f"{checkpoint.stem}.mp4" if args.video else None
    if film is not None:
        options.need_space(film.parent)
    if args.gui:
        passed += ["--viz", "newton"]
    return PlayPlan(
        task, device, checkpoint, overrides, args.num_envs, args.episodes, film,
        args.video_length or 500, args.video_interval or 2, passed, args.verbose,
    )  # fmt: skip


def _num_envs(env_cfg: Any) -> int:
    """Return as many environments as there are clips, within the task's own number."""
    from ..motion.sources import find_clips

    return min(env_cfg.scene.num_envs, len(find_clips(env_cfg.commands.motion.motions)))


def _launcher_arguments(plan: PlayPlan) -> argparse.Namespace:
    from isaaclab.app import add_launcher_args

    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    return parser.parse_args(["--device", plan.device, *plan.passed])


def _line(number: int, episode: Episode) -> str:
    outcome = "reached the clip's end" if episode.completed else f"ended by {episode.outcome}"
    return (
        f"episode {number:3d} | {episode.clip:<12} | {episode.steps:4d} steps | reward {episode.mean_reward:.4f} a step"
        f" | body error {1000 * episode.body_pos_error:3.0f} mm | {outcome}"
    )


def _print_summary(episodes: Sequence[Episode]) -> None:
    completed = sum(episode.completed for episode in episodes)
    steps = sum(episode.steps for episode in episodes)
    error = sum(episode.body_pos_error * episode.steps for episode in episodes) / steps
    print_line(
        f"{completed} of {len(episodes)} episodes ({100 * completed / len(episodes):.1f} %) reached the clip's end;"
        f" mean body error {1000 * error:.1f} mm over {steps} steps"
    )


def _film(plan: PlayPlan, recorder: Any, env: Any) -> None:
    """Render what was recorded, and look at the result."""
    from ..inference.film import FilmCfg, check_film, render_film
    from ..robots.mjcf import mjcf_path

    robot, reference, captions = recorder.film_strip()
    print_line(f"rendering {len(robot)} steps; the reference is the green robot")
    path = render_film(
        plan.film,
        mjcf_path(*env.cfg.commands.motion.model),
        recorder.body_names,
        (robot[..., :3], robot[..., 3:]),
        (reference[..., :3], reference[..., 3:]),
        rate=1.0 / env.step_dt,
        captions=captions,
        device=plan.device,
        cfg=FilmCfg(stride=plan.video_interval),
    )
    report = check_film(path)
    print_line(
        f"film {path} | {report.frames} pictures | {report.fps:.3g} a second | {report.duration:.1f} s"
        f" | checkpoint of iteration {checkpoint_number(plan.checkpoint)}"
    )
