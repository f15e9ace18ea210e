# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/export.py``: a trained policy as a file that another program can run without Isaac Lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from .errors import USER_ERRORS, OptionError
from .terminal import print_line, quiet
from .typed_options import mistakes_in_one_line

if TYPE_CHECKING:
    from ..inference.export.describe import Origin
    from ..inference.export.files import Exported
    from ..motion.clip import Clip
    from .play_plan import PlayPlan

RECORDED_STEPS = 100
"""Steps of each environment from which the observations of the proof come."""
NUM_ENVS = 2
"""Environments that are built to read the task."""
MOST_HASHES = 1000
"""Clips of which each is read for its hash; of more, none is."""


@dataclass
class Export:
    """Export a policy as ONNX and TorchScript, with all that is needed to run it in its metadata.

    The task is built on the CPU and some observations are recorded; nothing is written unless every file answers them
    as the policy does, within 1e-5.

    Example: export.py latest --output my_policy
    """

    checkpoint: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")]
    """model_<iteration>.pt, a run folder, 'latest' or 'pretrained'."""

    settings: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Settings of the task as KEY=VALUE, e.g. presets=reference_action; those of the run are taken over."""

    output: Path | None = None
    """Folder for the files; 'exported' in the checkpoint's folder if none is given."""

    task: str | None = None
    """Id of the task, for a checkpoint whose run folder does not tell."""

    motion: tuple[str, ...] = ()
    """Clips to record observations on, if those of the run are not here; for policies that follow clips."""

    torchscript: bool = True
    """Whether to write policy.pt as well."""

    batch: bool = False
    """Also write policy_batch.onnx, which takes any number of observations at once."""

    with_motion: str | None = None
    """Also write policy_motion.onnx with this clip (a name or a file) inside, as BeyondMimic's runtime expects it."""

    with_observations: bool = False
    """Also write policy_state.onnx, which computes the observations itself: the states of robot and reference, or a
    command, in, joint targets out."""

    verbose: bool = False
    """Print all that Isaac Lab prints."""


def export(argv: Sequence[str]) -> int:
    """Export a policy.

    Raises:
        OptionError, RunError, ClipError: If something the user gave cannot be used.
    """
    with mistakes_in_one_line(argv):
        options = tyro.cli(Export, prog="export.py", args=list(argv))
    for text in options.settings:
        if "=" not in text:
            raise OptionError(f"'{text}' is no setting; give KEY=VALUE, for example presets=reference_action")
    from .checks import need_packages
    from .options import caller_folder
    from .play_plan import make_plan

    need_packages(("onnx", "onnxscript", "onnxruntime"))
    plan = make_plan(_play_arguments(options))
    need_student(plan)
    base = caller_folder()
    folder = (base / options.output.expanduser()) if options.output else plan.results / "exported"
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"--output '{folder}' is a file; give a folder")
    clip = None if options.with_motion is None else _clip(options.with_motion, plan, base)
    print_line(f"exporting {plan.checkpoint}")
    exported = export_policy(plan, folder, options.torchscript, options.batch, clip, options.with_observations)
    _report(exported, folder)
    return 0


def need_student(plan: PlayPlan) -> None:
    """Refuse a teacher before anything is started.

    Raises:
        OptionError: If the task's actor is a teacher.
    """
    from ..tasks.tracking.stages_cfg import TEACHER
    from .overrides import resolve_config

    if getattr(resolve_config(plan.task, plan.overrides)[1].actor, "class_name", None) == TEACHER:
        raise OptionError(
            f"task '{plan.task}' trains a teacher, which sees what a robot cannot sense and so cannot be exported;"
            " export a student of it: Isaac-Tracking-G1-Student-Adapt-v0, -Student-v0 or -Student-ROA-v0"
        )


def export_policy(
    plan: PlayPlan,
    folder: Path,
    torchscript: bool = True,
    batch: bool = False,
    clip: Clip | None = None,
    state: bool = False,
) -> Exported:
    """Build the task, read it, and write the proven files.

    Args:
        plan: What is to be exported.
        folder: Where the files go.
        torchscript: Whether to write ``policy.pt``.
        batch: Whether to write ``policy_batch.onnx``.
        clip: Clip for ``policy_motion.onnx``, if it is to be written.
        state: Whether to write ``policy_state.onnx``.

    Raises:
        RunError: If the checkpoint or the task cannot be exported, or the folder cannot be written.
    """
    from ..inference.export.describe import describe
    from ..inference.export.files import write_files
    from ..inference.export.graph import deployed, memory_of, record
    from .loaded_policy import loaded_policy

    origin, training = origin_of(plan)
    with (
        quiet(plan.verbose, (KeyboardInterrupt, SystemExit, *USER_ERRORS)) as curtain,
        loaded_policy(plan, curtain) as (env, policy),
    ):
        if env.clip_actions is not None:
            raise OptionError("a policy trained with agent.clip_actions cannot be exported; train it without")
        memory = memory_of(deployed(policy))
        contract = describe(env.unwrapped, policy.obs_groups, training, origin, memory)
        recorded = record(env, policy, RECORDED_STEPS)
        return write_files(folder, policy, contract, origin.run, recorded, torchscript, batch, clip, state)


def origin_of(plan: PlayPlan) -> tuple[Origin, Any]:
    """Return what a plan's policy comes from, and the config of the environment that it was trained in.

    Raises:
        OptionError, RunError, ClipError: If the record of the run cannot be used.
    """
    import gymnasium as gym

    from ..inference.export.describe import Origin
    from ..learning.checkpoint import read_checkpoint
    from .overrides import merge_overrides, resolve_config
    from .run_folder import record_of

    record = record_of(plan.checkpoint)
    trained = plan.task.replace("-Play-", "-")
    task = record.get("task") or (trained if trained in gym.registry else plan.task)
    own = record.get("overrides", [])
    given = [setting for setting in plan.overrides if not setting.startswith("env.commands.motion.motions")]
    training, _ = resolve_config(task, merge_overrides(own, given))
    follows_clips = hasattr(training.commands, "motion")
    clips, hashes = _clips(training, record.get("clips")) if follows_clips else ([], [])
    origin = Origin(
        task=task,
        commit=record.get("commit") or "unknown",
        run=plan.checkpoint.parent.name,
        checkpoint=plan.checkpoint.name,
        iteration=read_checkpoint(plan.checkpoint)["iter"],
        clips=clips,
        hashes=hashes,
    )
    return origin, training


def _clips(training: Any, names: Sequence[str] | None) -> tuple[list[str], list[str | None]]:
    """Return the clips of a training and their hashes, None for those that are not here."""
    from ..motion.clip import ClipError
    from ..motion.sources import find_library

    try:
        entries = {entry.name: entry for entry in find_library(training.commands.motion.motions).entries}
    except ClipError:
        # They need not be here for a policy to leave; the record knows their names.
        entries = {}
    names = list(names if names is not None else entries)
    if len(names) > MOST_HASHES:
        return names, []
    return names, [entries[name].load().content_hash if name in entries else None for name in names]


def _play_arguments(options: Export) -> list[str]:
    """Return the options as those of ``test.sh``, which decides what is loaded."""
    arguments = [*options.settings, "--checkpoint", options.checkpoint, "--device", "cpu", "--num_envs", str(NUM_ENVS)]
    if options.task:
        arguments += ["--task", options.task]
    if options.motion:
        arguments += ["--motion", *options.motion]
    return arguments + (["--verbose"] if options.verbose else [])


def _clip(motion: str, plan: PlayPlan, base: Path) -> Clip:
    from ..motion.sources import find_library
    from .families import family_of

    if family_of(plan.task) == "velocity":
        raise OptionError(
            f"--with-motion '{motion}' puts a clip into the file, but '{plan.task}' follows velocities; leave it out"
        )
    found = find_library([motion], base)
    if len(found) != 1:
        raise OptionError(f"--with-motion '{motion}' stands for {len(found)} clips; give one")
    return found.load()[0]


def _report(exported: Exported, folder: Path) -> None:
    contract = exported.contract
    print_line(
        f"{contract.task} | {contract.num_observations} observations in {len(contract.observations)} terms |"
        f" {contract.num_actions} actions ({contract.action.kind}) | {contract.control_rate:g} Hz"
    )
    for name, size in exported.sizes.items():
        proof = (
            f" | differs from the policy by {exported.differences[name]:.1g}" if name in exported.differences else ""
        )
        print_line(f"{folder / name} | {size / 1e6:.2f} MB{proof}")
    print_line(f"an action takes {1000 * exported.latency:.3f} ms on one core")
