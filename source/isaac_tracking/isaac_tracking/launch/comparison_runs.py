# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One examination of a comparison: whether it was made before, whether it can be made here, and making it."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import written_beside
from ..learning.runs import RunError, checkpoint_number
from . import checks
from .errors import USER_ERRORS, OptionError
from .evaluate import play_arguments
from .examination import write_report
from .families import family_of
from .options import MOTIONS, caller_folder
from .overrides import resolve_config
from .play_plan import PlayPlan, make_plan
from .terminal import print_line

if TYPE_CHECKING:
    from ..inference.comparison_report import Wanted
    from ..inference.policy_contract import PolicyContract
    from .evaluate import Evaluate

SCRIPTS = Path(__file__).resolve().parents[4] / "scripts"
"""Folder of the project's scripts."""
_PHYSICS = {"newton": "newton_mjwarp", "physx": "physx"}
"""Value of the setting ``physics`` by engine."""
_IN_THE_FILE = ("presets=", "agent.", "env.actions.", "env.observations.")
"""Settings that an exported policy knows of; MuJoCo has no others."""
_MUJOCO_SETTING = "The clip's first frame at the start, no noise, nothing random, no pushes; docs/sim2sim.md."


@dataclass
class Source:
    """A policy that is to be examined, or why it cannot be."""

    name: str
    """As it is shown: run folder and file, or what the user gave."""
    file: Path | None = None
    results: Path | None = None
    """Folder of results about it."""
    sha256: str = ""
    settings: frozenset[str] = frozenset()
    """Settings of its task that are not the default, without engine, clips and seed."""
    motions: Sequence[str] = ()
    """Clips that it is examined on if none are given."""
    plan: PlayPlan | None = None
    """How it is played by Isaac Lab; ``None`` for an exported policy."""
    contract: PolicyContract | None = None
    """What an exported policy says of itself."""
    error: str | None = None
    """Why it cannot be examined."""

    @property
    def is_onnx(self) -> bool:
        """Whether it is an exported policy."""
        return self.contract is not None or self.name.endswith(".onnx")


def read_sources(options: Evaluate, settings: Sequence[str]) -> list[Source]:
    """Return the policies, each file once; one that cannot be used says why.

    Raises:
        OptionError, RunError, ClipError: If none of them can be used.
    """
    sources: dict[Any, Source] = {}
    errors: list[Exception] = []
    for name in options.checkpoints:
        try:
            source = _exported(name) if name.endswith(".onnx") else _checkpoint(name, options, settings)
        except USER_ERRORS as error:
            errors.append(error)
            source = Source(name, error=str(error))
        sources.setdefault(source.file or name, source)
    if len(errors) == len(options.checkpoints):
        raise errors[0]
    found = list(sources.values())
    for source in found:
        if source.file is not None and sum(other.name == source.name for other in found) > 1:
            source.name = str(source.file)
    return found


class Examination:
    """A policy in an engine.

    Args:
        options: What the user asked for, with the clips.
        settings: Settings of the task that the user gave.
        source: The policy.
        engine: ``newton``, ``physx``, ``mujoco``; empty for the task's own.
        clips: Content hash of each clip by name.
        folder: Folder of the comparison.
    """

    def __init__(
        self,
        options: Evaluate,
        settings: Sequence[str],
        source: Source,
        engine: str,
        clips: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.source, self.engine = source, engine
        self._options, self._settings, self._clips = options, list(settings), clips
        # The same file names exist in every run, and the same run's name in several folders.
        file = source.file or Path()
        parts = [file.parent.name, file.stem, engine, source.sha256[:8]]
        self.folder = folder / "_".join(part for part in parts if part)
        """Folder of its files."""

    def finished(self) -> tuple[Path, dict[str, Any]] | None:
        """Return the ``metrics.json`` of the same examination, if it was made before, and its content.

        Raises:
            RunError: If the policy cannot be used.
        """
        from ..inference.comparison_report import find_finished

        if self.source.results is None:
            raise RunError(self.source.error or "it cannot be read")
        made = self.source.results / "evaluations"
        paths = [
            self.folder / "metrics.json",
            *sorted(made.glob("*/metrics.json")),
            *sorted(made.glob("*/*/metrics.json")),
        ]
        return find_finished(paths, self._wanted())

    def check(self) -> None:
        """Make sure that it can be made here.

        Raises:
            OptionError: If it cannot.
        """
        plan = self.source.plan
        if self.engine == "mujoco":
            if self._options.setting != "clean":
                raise OptionError(
                    f"sim2sim.py has no setting '{self._options.setting}'; give --setting clean, or its own switches"
                )
            foreign = [text for text in self._settings if not text.startswith(_IN_THE_FILE) or plan is None]
            if foreign:
                raise OptionError(f"setting '{foreign[0]}' is not in an exported policy, which is all MuJoCo knows")
        elif plan is None:
            raise OptionError("an .onnx file runs in MuJoCo only; give the checkpoint that it was exported from")
        else:
            checks.need_engine(resolve_config(plan.task, self._overrides(plan))[0].sim.physics, plan.device)

    def run(self) -> tuple[Path, dict[str, Any]]:
        """Make it, in processes of its own.

        Returns:
            Its ``metrics.json`` and what stands in it.

        Raises:
            RunError: If a process fails.
        """
        from ..inference.comparison_report import read_report

        if self.engine == "mujoco":
            self._run_mujoco()
        else:
            self._run_evaluate()
        path = self.folder / "metrics.json"
        report = read_report(path)
        if report is None or not self._wanted().is_met_by(report):
            raise RunError("its metrics.json is of something else; was the checkpoint or a clip changed meanwhile?")
        return path, report

    def _overrides(self, plan: PlayPlan) -> list[str]:
        return plan.overrides + ([f"physics={_PHYSICS[self.engine]}"] if self.engine in _PHYSICS else [])

    def _wanted(self) -> Wanted:
        from ..inference.comparison_report import ENGINE_NAMES, Wanted

        options, source, mujoco = self._options, self.source, self.engine == "mujoco"
        if self.engine:
            engine = ENGINE_NAMES[self.engine]
        else:
            assert source.plan is not None
            physics = resolve_config(source.plan.task, source.plan.overrides)[0].sim.physics
            engine = checks.need_engine(physics, source.plan.device)
        return Wanted(
            source.sha256, engine, options.setting, options.seed, 1 if mujoco else options.repeats, source.settings,
            self._clips, None if mujoco else options.num_envs,
        )  # fmt: skip

    def _run_evaluate(self) -> None:
        options = self._options
        physics = [f"physics={_PHYSICS[self.engine]}"] if self.engine else []
        arguments = [str(self.source.file), *self._settings, *physics, "--output", str(self.folder)]
        for name in ("setting", "repeats", "seed", "task", "device", "num_envs"):
            value = getattr(options, name)
            arguments += [] if value is None else [f"--{name}", str(value)]
        self._process("evaluate.py", [*arguments, "--motion", *options.motion])

    def _run_mujoco(self) -> None:
        """Export the policy if it is a checkpoint, run it, and write what came of it as ``evaluate.py`` writes it."""
        from ..inference.evaluation_page import page
        from ..inference.evaluation_report import ClipFacts, EpisodeResult, make_report
        from ..inference.policy_contract import load_policy

        options, policy = self._options, self.source.file
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.source.plan is not None:
            exported = self.folder / "exported"
            task = ["--task", options.task] if options.task else []
            arguments = [str(policy), *self._settings, "--output", str(exported), "--no-torchscript", *task]
            self._process("export.py", [*arguments, "--motion", *options.motion])
            policy = exported / "policy.onnx"
        assert policy is not None
        results = self.folder / "sim2sim.json"
        arguments = [str(policy), *options.motion, "--seed", str(options.seed), "--json", str(results)]
        self._process("sim2sim.py", arguments)
        content = json.loads(results.read_text())
        contract, _ = load_policy(policy)
        episodes, clips = [], []
        for row in content["clips"]:
            name, metrics = row["clip"], row["metrics"]
            episodes.append(EpisodeResult(name, 0, row["steps"], row["outcome"], metrics, {}, {}))
            duration = row["clip_steps"] / contract.control_rate
            clips.append(ClipFacts(name, self._clips[name], duration, row["clip_steps"]))
        about = self._about_mujoco(contract, content["engine"])
        report = make_report(episodes, clips, about)
        # Without the episodes, since their curves are not in the results.
        write_report(self.folder, report, page(report, []))

    def _about_mujoco(self, contract: PolicyContract, engine: str) -> dict[str, Any]:
        from .run_folder import commit_of_checkout

        source = self.source
        assert source.file is not None
        number = contract.iteration if source.plan is None else checkpoint_number(source.file)
        return {
            "commit": commit_of_checkout(),
            "isaaclab": importlib.metadata.version("isaaclab"),
            "task": contract.task,
            "settings": sorted(source.settings),
            "engine": engine.replace("mujoco", "MuJoCo"),
            "device": "cpu",
            "setting": self._options.setting,
            "setting_definition": _MUJOCO_SETTING,
            "seed": self._options.seed,
            # Nothing is random, so that each repeat would be the first one again.
            "repeats": 1,
            "num_envs": 1,
            "control_rate": contract.control_rate,
            "checkpoint": {
                "run": source.file.parent.name,
                "file": source.file.name,
                "iteration": number,
                "sha256": source.sha256,
            },
        }

    def _process(self, script: str, arguments: Sequence[str]) -> None:
        """Run a script to its end, and keep what it printed only if it failed.

        Raises:
            RunError: If it fails; the message is the script's own.
        """
        kept = self.folder / "failed.txt"
        kept.unlink(missing_ok=True)
        command = [sys.executable, str(SCRIPTS / script), *arguments]
        with tempfile.TemporaryFile() as printed:
            code = run_process(command, printed)
            printed.seek(0)
            content = printed.read()
        text = content.decode(errors="replace")
        if self._options.verbose:
            print_line(f"{script} printed:\n{text}")
        if code == 0:
            return
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        said = next((line for line in reversed(lines) if line.startswith("Error: ")), None)
        if said is not None:
            raise RunError(said.removeprefix("Error: "))
        self.folder.mkdir(parents=True, exist_ok=True)
        with written_beside(kept) as file:
            file.write(content)
        last = f" ({lines[-1]})" if lines else ""
        raise RunError(f"{script} ended with exit code {code}{last}; all that it printed is in '{kept}'")


def run_process(command: Sequence[str], output: Any) -> int:
    """Run a process to its end and return its exit code; it does not outlive this one.

    Args:
        command: Program and arguments.
        output: File for all that it prints.
    """
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(20.0)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _checkpoint(name: str, options: Evaluate, settings: Sequence[str]) -> Source:
    plan = make_plan(play_arguments(dataclasses.replace(options, checkpoints=(name,)), settings))
    if family_of(plan.task) != "tracking":
        raise _no_comparison(plan.task)
    motions = resolve_config(plan.task, plan.overrides)[0].commands.motion.motions
    file = plan.checkpoint
    own = [text for text in plan.overrides if not text.startswith((MOTIONS, "agent.seed=", "physics="))]
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return Source(f"{file.parent.name}/{file.name}", file, plan.results, sha256, frozenset(own), list(motions), plan)


def _exported(name: str) -> Source:
    from ..inference.policy_contract import load_policy

    file = (caller_folder() / Path(name).expanduser()).resolve()
    contract, _ = load_policy(file)
    if contract.command is not None:
        raise _no_comparison(contract.task)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return Source(f"{file.parent.name}/{file.name}", file, file.parent, sha256, contract=contract)


def _no_comparison(task: str) -> OptionError:
    return OptionError(
        f"'{task}' follows velocities, and only policies that follow clips are compared in one table; evaluate one"
        " checkpoint at a time, without --engines (physics=... chooses the engine, sim2sim.py takes an .onnx)"
    )
