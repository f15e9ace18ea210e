# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/pack.py``: a checkpoint as a small run folder, to be given away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from ..learning.runs import RECORD, write_record
from .errors import OptionError
from .terminal import print_line
from .typed_options import mistakes_in_one_line

_KEPT = ("actor_state_dict", "critic_state_dict", "iter", "infos")


@dataclass
class Pack:
    """Turn a checkpoint into a small run folder: a third of the size, still to be played and trained on.

    The optimizer's moments, the sampler's statistics and the states of the random generators stay behind, so training
    goes on from the policy but not exactly where it stopped.

    For example:

    pack.py latest --output my_policy

    test.sh --checkpoint my_policy
    """

    checkpoint: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")]
    """model_<iteration>.pt, a run folder, 'latest' or 'pretrained'."""
    output: Path
    """Folder that is made, or that holds an earlier policy of this kind."""
    task: str | None = None
    """Id of the task, for 'latest' of another task than the default one."""
    commit: str | None = None
    """Commit of the code that trained it, for a run that was not started from a checkout."""


def pack(argv: Sequence[str]) -> int:
    """Write the folder.

    Raises:
        OptionError, RunError: If something the user gave cannot be used.
    """
    with mistakes_in_one_line(argv):
        options = tyro.cli(Pack, prog="pack.py", args=list(argv))
    from ..learning.checkpoint import read_checkpoint, write_checkpoint
    from .options import caller_folder
    from .play_plan import make_plan
    from .run_folder import record_of

    task = ["--task", options.task] if options.task else []
    checkpoint = make_plan(["--checkpoint", options.checkpoint, "--device", "cpu", *task]).checkpoint
    folder = caller_folder() / options.output.expanduser()
    if folder.exists() and not _may_be_replaced(folder):
        raise OptionError(f"--output '{options.output}' exists and is no packed policy; give a new folder")
    record = dict(record_of(checkpoint))
    if options.commit is not None:
        record["commit"] = options.commit
    loaded = read_checkpoint(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    write_checkpoint(slim(loaded), folder / checkpoint.name)
    write_record(folder, record)
    for other in folder.glob("model_*.pt"):
        if other.name != checkpoint.name:
            other.unlink()
    size = (folder / checkpoint.name).stat().st_size
    print_line(f"wrote {folder / checkpoint.name}: {size / 1e6:.1f} MB of {checkpoint.stat().st_size / 1e6:.1f}")
    return 0


def _may_be_replaced(folder: Path) -> bool:
    """Return whether a path is an empty folder, or holds what :func:`pack` writes and nothing else: no run."""
    if not folder.is_dir():
        return False
    found = [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()]
    policies = [path for path in found if path.match("model_*.pt") and path.parent == Path()]
    return not found or (len(policies) == 1 and set(found) == {policies[0], Path(RECORD)})


def slim(loaded: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checkpoint without what only an uninterrupted training needs."""
    kept = {key: loaded[key] for key in _KEPT if key in loaded}
    # Adam begins with new moments where it finds none; its settings, such as the learning rate, are kept.
    return kept | {"optimizer_state_dict": {**loaded["optimizer_state_dict"], "state": {}}}
