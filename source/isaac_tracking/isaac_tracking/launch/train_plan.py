# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a training run is to do, decided from the options without starting or writing anything."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..learning.runs import PRETRAINED, checkpoints, latest_run
from . import checks, options, pipeline_options, stages
from .errors import OptionError
from .families import Subject, family, refuse_motions
from .hosts import Hosts, need_hosts
from .overrides import merge_overrides, resolve_config
from .planned_motions import changes
from .run_folder import new_run_folder, record_of

DEFAULT_TASK = "Isaac-Tracking-G1-v0"
_TAKEN = {"--agent", "--experiment_name", "--run_timestamp", "--distributed"}
"""Options of Isaac Lab's train command that say again what our options say."""
_NUM_ENVS = "env.scene.num_envs="
_RATE = re.compile(r"[+~]*agent\.algorithm\.((?:\w+_)?learning_rate)=")
"""Start of a setting that is a learning rate."""
_SHOWN = 6
"""Settings of the run before that a note names."""


@dataclass(frozen=True)
class FilmPlan:
    """Films to make while training."""

    length: int
    """Steps in each film."""
    interval: int
    """Steps from the start of one film to the start of the next."""


@dataclass
class TrainPlan:
    """All that is decided before training starts."""

    task: str
    device: str
    run: Path
    """Folder of the run, absolute."""
    overrides: list[str]
    """Settings of the run as ``key=value``, without device and run folder."""
    planned: int
    """Iterations after which the run is complete."""
    iterations: int
    """Iterations to do now."""
    num_envs: int = 0
    """Environments of each process."""
    checkpoint: Path | None = None
    """Checkpoint to go on from."""
    rates: frozenset[str] = frozenset()
    """Settings of the algorithm whose learning rates the user wants in place of the checkpoint's."""
    film: FilmPlan | None = None
    verbose: bool = False
    passed: list[str] = field(default_factory=list)
    """Options handed to Isaac Lab as they are."""
    notes: list[str] = field(default_factory=list)
    """What the user should know, a line each."""
    facts: dict[str, str] = field(default_factory=dict)
    """What is trained on what, by name."""
    clips: tuple[str, ...] = ()
    """Names of the clips; none for a task without."""
    began_from: str | None = None
    """Checkpoint that the run began from."""
    resume: str | None = None
    """Command that goes on with the run, if it is not the usual one."""
    gpus: int = 1
    """Processes of this host that train together, each with all environments of the settings on a GPU of its own."""
    hosts: Hosts = field(default_factory=Hosts)
    """Hosts that train together, with as many processes each."""
    rank: int = 0
    """Which process of all hosts this is; the first one alone prints and writes."""
    seed: int | None = None
    """Random seed of the first of them."""
    isaaclab_folder: Path | None = None
    """Folder for what Isaac Lab's entry point writes, if it is not the run's."""

    @property
    def ranks(self) -> int:
        """Processes of all hosts."""
        return self.gpus * self.hosts.count

    @property
    def ranks_options(self) -> str:
        """Options, after a space, that train on as many GPUs as now; empty for one."""
        if self.ranks == 1:
            return ""
        hosts = self.hosts
        several = f" --nnodes {hosts.count} --node_rank {hosts.index} --master {hosts.address}:{hosts.port}"
        device = " --device cpu" if self.device == "cpu" else ""
        return f" --gpus {self.gpus}{several if hosts.count > 1 else ''}{device}"

    @property
    def task_option(self) -> str:
        """Option, after a space, that names the task; empty for the default one."""
        return "" if self.task == DEFAULT_TASK else f" --task {self.task}"

    @property
    def is_new(self) -> bool:
        """Whether the run begins now, from nothing or from a checkpoint that is not its own."""
        return self.checkpoint is None or self.checkpoint.parent != self.run


def make_parser() -> options.OptionParser:
    """Return the parser of ``train.sh``."""
    description = "Train a policy. Whatever is not listed goes to Isaac Lab: physics=physx, env.*, agent.*"
    parser = options.make_parser("train.sh", description, DEFAULT_TASK)
    parser.add_argument("--video_length", type=options.positive, default=200, metavar="N", help="steps in a film")
    parser.add_argument(
        "--video_interval", type=options.positive, default=2000, metavar="N", help="steps from film to film"
    )
    parser.add_argument("--max_iterations", type=options.positive, metavar="N", help="iterations to train (more)")
    parser.add_argument("--resume", action="store_true", help="go on with the newest run that has a checkpoint")
    parser.add_argument(
        "--gpus", type=options.positive, default=1, metavar="N", help="GPUs to train on, each with --num_envs of them"
    )
    parser.add_argument(
        "--nnodes", type=options.positive, default=1, metavar="N", help="hosts to train on, as torchrun"
    )
    parser.add_argument(
        "--node_rank", type=options.natural, default=0, metavar="I", help="which of them this is, from 0"
    )
    parser.add_argument("--master", metavar="ADDRESS:PORT", help="where the hosts meet: host 0, and a free port there")
    parser.add_argument("--run_name", metavar="NAME", help="appended to the name of the run's folder")
    parser.add_argument("--logger", choices=("tensorboard", "wandb", "neptune"), help="default: tensorboard")
    pipeline_options.add_options(parser)
    return parser


def make_plan(argv: Sequence[str], root: Path | None = None, run: Path | None = None) -> TrainPlan:
    """Turn options into a plan without starting anything, and without writing anything but the cache of clips.

    Args:
        argv: Arguments of ``train.sh``.
        root: Folder that holds ``logs``; the current one if None.
        run: Folder for a run that begins now; one named by date and time if None.

    Raises:
        OptionError, RunError, ClipError: If an option cannot be used.
    """
    checks.need_no_other_launcher(argv)
    request = options.read_request(make_parser(), argv, DEFAULT_TASK, isaaclab_options, root)
    args, given = request.args, request.overrides
    _refuse_play(request.task)
    pipeline_options.refuse_options(args)
    checks.need_gpus(args.gpus, args.device, args.gui)
    hosts = need_hosts(args.nnodes, args.node_rank, args.master)
    for key, value in (("env.scene.num_envs", args.num_envs), ("agent.logger", args.logger)):
        if value is not None:
            given.append(f"{key}={value}")
    origin = _find_origin(request)
    task, record = origin.task, origin.record
    refuse_motions(task, args.motion)
    small, before = _settings_before(origin, request.device, given)
    overrides = merge_overrides(small, before, given)
    small = [text for text in small if text in overrides]
    env_cfg, agent_cfg = resolve_config(task, overrides)
    stage = stages.stage_of(agent_cfg)
    stages.check_begins(task, stage, origin.stage, origin.checkpoint, request.logs)
    stages.check_settings(stage, env_cfg, agent_cfg)
    _check_rnd(agent_cfg)
    _check_batches(env_cfg, agent_cfg)
    run = _run_folder(origin, request.logs / agent_cfg.experiment_name, args.run_name, run)
    plan = TrainPlan(task, request.device, run, overrides, agent_cfg.max_iterations, agent_cfg.max_iterations)
    plan.passed, plan.verbose, plan.checkpoint = request.passed, args.verbose, origin.checkpoint
    plan.film = FilmPlan(args.video_length, args.video_interval) if args.video else None
    plan.gpus, plan.hosts, plan.seed, plan.num_envs = args.gpus, hosts, agent_cfg.seed, env_cfg.scene.num_envs
    engine = checks.need_engine(env_cfg.sim.physics, plan.device)
    family(task).check(env_cfg)
    checks.need_logger(agent_cfg.logger)
    checks.need_space(run)
    if hosts.index:
        plan.notes.append(f"host {hosts.index} of {hosts.count}: host 0 says how training goes, and writes the run")
    if small:
        plan.notes.append(_cpu_note(small, args.max_iterations))
    _check_networks(origin, agent_cfg)
    if origin.checkpoint is None or origin.begins:
        plan.planned = plan.iterations = args.max_iterations or plan.iterations
        plan.notes += _begin_notes(origin, before)
    else:
        _go_on(plan, origin, agent_cfg, args)
        plan.began_from = record.get("began_from")
        plan.rates = frozenset(found.group(1) for found in map(_RATE.match, given) if found)
    if origin.checkpoint is not None and plan.is_new:
        plan.began_from = str(origin.checkpoint)
    # Last, since it may take a minute.
    subject = family(task).subject(env_cfg)
    plan.clips, plan.facts = subject.clips, _facts(plan, env_cfg, engine, subject)
    note = changes(record.get("clips"), subject.clips)
    if note is not None:
        plan.notes.append(note)
    return plan


@dataclass
class _Origin:
    """What training goes on with or begins from."""

    task: str
    """Task that is to be trained."""
    checkpoint: Path | None = None
    record: dict = field(default_factory=dict)
    """How the checkpoint's run was started."""
    loaded: dict = field(default_factory=dict)
    """Content of the checkpoint."""
    begins: bool = False
    """Whether another stage begins from the checkpoint, so that its run does not go on."""

    @property
    def stage(self) -> str | None:
        """Stage that wrote the checkpoint; None for training without stages."""
        return self.loaded.get("stage")


def _find_origin(request: options.Request) -> _Origin:
    """Find the checkpoint that is asked for, and whether its run goes on or another stage begins from it.

    Raises:
        OptionError, RunError: If there is none, or it is of another task and no stage before this one.
    """
    args, task = request.args, request.task
    if not (args.checkpoint or args.resume):
        return _Origin(task)
    from ..learning.checkpoint import read_checkpoint

    agent_cfg = resolve_config(task, [])[1]
    experiment = request.logs / agent_cfg.experiment_name
    if args.checkpoint:
        checkpoint = options.find_checkpoint(request, experiment)
    else:
        checkpoint = checkpoints(latest_run(experiment, options.train_command(task)))[-1]
    origin = _Origin(task, checkpoint, record_of(checkpoint), read_checkpoint(checkpoint))
    # A task that was not named is the checkpoint's own, if that says so.
    stage = stages.stage_of(agent_cfg) if args.task or not origin.record.get("task") else None
    if stage is not None and origin.stage != stage.name:
        stages.check_begins(task, stage, origin.stage, checkpoint, request.logs)
        origin.begins = True
        return origin
    origin.task = options.same_task(checkpoint, origin.record, task, args.task)
    return origin


def _settings_before(origin: _Origin, device: str, given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the settings that fit training to a CPU, and those that the checkpoint's run hands on."""
    recorded = origin.record.get("overrides", [])
    if not origin.begins:
        return ([], recorded) if origin.record else (_cpu_settings(origin.task, device, given), [])
    before = stages.kept_settings(origin.task, recorded)
    small = _cpu_settings(origin.task, device, [*before, *given])
    if origin.record:
        # Its task, clips and networks are what they are, whatever the machine.
        small = [text for text in small if text.startswith(_NUM_ENVS) or not stages.is_shared(text)]
    return small, before


def _check_networks(origin: _Origin, agent_cfg: Any) -> None:
    """Refuse a checkpoint of other networks, as far as it can be told now."""
    if origin.checkpoint is None:
        return
    from ..learning.checkpoint import check_networks

    configs = {"actor": agent_cfg.actor, "critic": agent_cfg.critic}
    teacher = getattr(agent_cfg.algorithm, "teacher", None)
    if teacher is not None:
        # Imitation has no critic, and begins with nothing but the teacher.
        configs = {"algorithm.teacher": teacher} if origin.begins else {"actor": agent_cfg.actor}
    check_networks(origin.checkpoint, origin.loaded, configs)


def _check_rnd(agent_cfg: Any) -> None:
    """Refuse settings of RND that have arrived as text, which rsl_rl would stumble over once the simulator runs."""
    given = getattr(agent_cfg.algorithm, "rnd_cfg", None)
    if isinstance(given, str):
        raise OptionError(
            f"setting 'agent.algorithm.rnd_cfg={given}' is text; give its names in quotes, as in"
            " \"agent.algorithm.rnd_cfg={'weight': 0.5, ...}\", or null"
        )


def _check_batches(env_cfg: Any, agent_cfg: Any) -> None:
    """Refuse more minibatches than there are samples: an empty one has no mean, and its loss is nan."""
    batches = getattr(agent_cfg.algorithm, "num_mini_batches", 1)
    samples = env_cfg.scene.num_envs * agent_cfg.num_steps_per_env
    if batches > samples:
        raise OptionError(
            f"setting 'agent.algorithm.num_mini_batches={batches}' is more than the {samples} samples of an iteration"
            f" ({env_cfg.scene.num_envs} environments x {agent_cfg.num_steps_per_env} steps); give {samples} or less,"
            " or a larger --num_envs"
        )


def _refuse_play(task: str) -> None:
    """Refuse the task in which a policy is played: its run would be taken for one of the task that is trained."""
    import gymnasium as gym

    trained = task.replace("-Play-", "-")
    if trained != task and trained in gym.registry:
        raise OptionError(f"task '{task}' is for playing, and what is trained is another; give --task {trained}")


def _begin_notes(origin: _Origin, before: Sequence[str]) -> list[str]:
    """Return what is to be said of a stage that begins from a checkpoint of another."""
    if not origin.begins:
        return []
    more = f" and {len(before) - _SHOWN} more" if len(before) > _SHOWN else ""
    kept = f"; kept from that run, unless given here: {' '.join(before[:_SHOWN])}{more}" if before else ""
    return [f"a new run begins from {origin.checkpoint}, which is of stage '{origin.stage}'{kept}"]


def _cpu_settings(task: str, device: str, given: Sequence[str]) -> list[str]:
    """Return the settings that fit training to a CPU, without those that the user gave."""
    if device != "cpu":
        return []
    keys = {override.partition("=")[0] for override in given}
    small = options.cpu_overrides(options.find_task(task))
    return [f"{key}={value}" for key, value in small.items() if key not in keys]


def _cpu_note(small: Sequence[str], max_iterations: int | None) -> str:
    shown = [text for text in small if not (max_iterations and text.startswith("agent.max_iterations="))]
    return f"no GPU: training on the CPU with sizes that fit it, which differ from the GPU's: {' '.join(shown)}"


def _run_folder(origin: _Origin, experiment: Path, name: str | None, folder: Path | None) -> Path:
    """Return a checkpoint's own folder if it is a run's that goes on in it, and else a new one."""
    checkpoint = origin.checkpoint
    if checkpoint is None or origin.begins or checkpoint.parent == PRETRAINED:
        return folder or new_run_folder(experiment, name)
    return checkpoint.parent if (checkpoint.parent / "params").is_dir() else new_run_folder(experiment, name)


def _go_on(plan: TrainPlan, origin: _Origin, agent_cfg: Any, args: argparse.Namespace) -> None:
    """Decide how far to train from a checkpoint."""
    done = origin.loaded["iter"] + 1
    planned = max(origin.record.get("planned", plan.planned), done)
    plan.iterations = args.max_iterations or (planned - done) or agent_cfg.max_iterations
    plan.planned = max(planned, done + plan.iterations)
    plan.notes.append(f"resuming {plan.checkpoint} at iteration {done}, {plan.iterations} to go")
    if plan.is_new:
        plan.notes.append("the checkpoint is in no run folder, so a new run goes on from it")
    elif args.run_name is not None:
        plan.notes.append(f"the run keeps its folder: --run_name {args.run_name} is left aside")
    if (before := origin.record.get("gpus", 1)) != plan.gpus:
        plan.notes.append(f"so far the run had --gpus {before}, from now on it has --gpus {plan.gpus}")
    if args.seed is not None:
        plan.notes.append("random numbers go on from the checkpoint: --seed decides only how the simulation is set up")


def _facts(plan: TrainPlan, env_cfg: Any, engine: str, subject: Subject) -> dict[str, str]:
    num_envs, device = env_cfg.scene.num_envs, plan.device
    environments = str(num_envs)
    if plan.ranks > 1:
        kind = "processes" if device == "cpu" else "GPUs"
        kind += f" on each of {plan.hosts.count} hosts" if plan.hosts.count > 1 else ""
        device = f"{plan.gpus} {kind}" if device != "cpu" else f"cpu, {plan.gpus} {kind}"
        environments = f"{plan.gpus} {kind} x {num_envs} environments = {plan.ranks * num_envs}"
    return {
        "task": plan.task,
        "engine": f"{engine} on {device}",
        "environments": environments,
        **subject.facts,
        "run folder": str(plan.run),
    }


def isaaclab_options() -> set[str]:
    """Return the options that Isaac Lab's own train command knows."""
    from isaaclab.app import add_launcher_args
    from isaaclab_rl.entrypoints.backends import cli_args_rsl_rl
    from isaaclab_rl.entrypoints.common import add_common_train_args

    parser = argparse.ArgumentParser(add_help=False)
    add_common_train_args(parser, agent_default=None, agent_help="")
    cli_args_rsl_rl.add_rsl_rl_args(parser)
    add_launcher_args(parser)
    return set(parser._option_string_actions) - _TAKEN
