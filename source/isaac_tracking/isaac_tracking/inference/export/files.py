# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The files of an export: written beside their place, proven, and only then put there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..policy_contract import PolicyContract, PolicyError, load_policy, open_session, read_contract
from .describe import metadata
from .graph import MEMORY, Recorded, any_batch, check_parity, latency, onnx_graph, script, set_metadata, state_graph
from .motion_graph import with_motion

if TYPE_CHECKING:
    from onnx import ModelProto

    from ...motion.clip import Clip

POLICY, BATCH, MOTION, STATE, SCRIPT, CONTRACT = (
    "policy.onnx", "policy_batch.onnx", "policy_motion.onnx", "policy_state.onnx", "policy.pt", "policy.json",
)  # fmt: skip
"""What an export may consist of."""


@dataclass(frozen=True)
class Exported:
    """What an export came to."""

    contract: PolicyContract
    differences: dict[str, float]
    """Largest difference from the policy's actions by file [-]."""
    sizes: dict[str, int]
    """Size of each file [B]."""
    latency: float
    """Median time of an action of ``policy.onnx`` on one core [s]."""


def write_files(
    folder: Path,
    policy: Any,
    contract: PolicyContract,
    run: str,
    recorded: Recorded,
    torchscript: bool = True,
    batch: bool = False,
    clip: Clip | None = None,
    state: bool = False,
) -> Exported:
    """Write a policy and its contract, after making sure that every file answers as the policy does.

    Files of an earlier export that are not written again are taken away, since they belong to other weights.

    Args:
        folder: Where the files go.
        policy: rsl_rl's model.
        contract: What the policy says about itself.
        run: Name of the run it comes from.
        recorded: Observations for the proof.
        torchscript: Whether to write ``policy.pt``.
        batch: Whether to write ``policy_batch.onnx``, for any number of observations at once.
        clip: A clip for ``policy_motion.onnx``, if it is to be written.
        state: Whether to write ``policy_state.onnx``, which computes the observations itself.

    Raises:
        PolicyError: If a file would answer otherwise, or the folder cannot be written; what was there stays then.
    """
    model = onnx_graph(policy)
    set_metadata(model, metadata(contract, run))
    models = {POLICY: model}
    if batch:
        models[BATCH] = any_batch(model)
    if clip is not None:
        models[MOTION] = with_motion(model, clip, contract)
    if state:
        models[STATE] = state_graph(policy, contract)
        set_metadata(models[STATE], metadata(contract, run))
    differences: dict[str, float] = {}
    try:
        with _beside(folder) as new:
            for name, graph in models.items():
                differences[name] = _write_onnx(graph, new / name, recorded)
            if torchscript:
                differences[SCRIPT] = _write_script(policy, new / SCRIPT, recorded)
            (new / CONTRACT).write_text(contract.to_json() + "\n", encoding="utf-8")
            # The file as anyone will read it: the contract must come back as it was.
            read, session = load_policy(new / POLICY)
            if read != contract or read_contract(new / CONTRACT) != contract:
                raise PolicyError("the contract does not come back as it was written; nothing was written")
            duration = latency(session, recorded.observations[:1])
            sizes = {path.name: path.stat().st_size for path in sorted(new.iterdir())}
            _put(new, folder)
    except OSError as error:
        raise PolicyError(
            f"folder '{folder}' cannot be written ({error.strerror}); give another with --output"
        ) from error
    return Exported(contract, differences, sizes, duration)


def _write_onnx(model: ModelProto, path: Path, recorded: Recorded) -> float:
    """Write a graph into one file, weights and all, and return its largest difference from the policy."""
    import onnx

    onnx.save(model, str(path))
    session = open_session(path)
    inputs = [value.name for value in session.get_inputs()]
    still = np.zeros((len(recorded.actions), 1), dtype=np.float32)
    rows = {name: recorded.rows.get(name, still) for name in inputs}

    def run(index: int) -> list[np.ndarray]:
        return [np.asarray(part) for part in session.run(outputs, {name: row[[index]] for name, row in rows.items()})]

    # A graph of states is proven in all it says, the others in the actions: what else they say is the clip.
    outputs = ["actions", "joint_targets", "obs"] if path.name == STATE else ["actions"]
    outputs += [name for name in MEMORY[1:] if name in recorded.rows]
    return max(check_parity(lambda i, k=k: run(i)[k], recorded.rows[name], name) for k, name in enumerate(outputs))


def _write_script(policy: Any, path: Path, recorded: Recorded) -> float:
    script(policy).save(str(path))
    loaded = torch.jit.load(str(path))

    rows = [torch.from_numpy(recorded.rows[name]) for name in ("obs", *MEMORY[:1]) if name in recorded.rows]

    def run(index: int) -> np.ndarray:
        with torch.inference_mode():
            answer = loaded(*(row[[index]] for row in rows))
        return (answer[0] if isinstance(answer, tuple) else answer).numpy()

    return check_parity(run, recorded.actions)


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """Make a folder beside another, and take it away in the end."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _put(new: Path, folder: Path) -> None:
    """Move the files to their place, the contract last."""
    folder.mkdir(exist_ok=True)
    for name in (CONTRACT, SCRIPT, STATE, MOTION, BATCH, POLICY):
        if not (new / name).is_file():
            (folder / name).unlink(missing_ok=True)
    for name in (SCRIPT, STATE, MOTION, BATCH, POLICY, CONTRACT):
        if (new / name).is_file():
            os.replace(new / name, folder / name)
