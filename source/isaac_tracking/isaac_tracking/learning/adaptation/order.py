# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which stage may begin from which: words only, so that an order that cannot work is refused before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..runs import RunError


def check_start(
    stage: str | None, follows: Sequence[str], saved_stage: str | None, path: Path | str = "", fix: str = ""
) -> None:
    """Refuse a checkpoint that a stage neither goes on with nor may begin from.

    Args:
        stage: Stage that is to be trained; None for training without stages.
        follows: Stages whose checkpoint it may begin from; none if it begins from nothing.
        saved_stage: Stage that wrote the checkpoint; None for training without stages.
        path: The checkpoint, for the message.
        fix: What helps, in words; a general word if empty.

    Raises:
        RunError: If it cannot begin from that.
    """
    if saved_stage == stage or saved_stage in follows:
        return
    what = f"checkpoint '{path}'" if path else "the checkpoint"
    what += f" is of {_named([saved_stage])}" if saved_stage else " is of training without stages"
    if stage is None:
        raise RunError(f"{what}, and this task trains without stages; {fix or 'give the task of that stage'}")
    general = "give another checkpoint" if follows else "give one of its own, or none"
    raise RunError(f"{what}, and stage '{stage}' {_beginning(follows)}; {fix or general}")


def find_beginnings(
    stages: Sequence[str], follows: Mapping[str, Sequence[str]], saved_stage: str | None = None, fix: str = ""
) -> list[str | None]:
    """Return the stage that each of several stages begins from, the latest before it that it follows.

    Args:
        stages: Stages in the order in which they are to be trained.
        follows: Stages whose checkpoint each stage may begin from, by stage.
        saved_stage: Stage of the checkpoint that the first one is to begin from; None if there is none.
        fix: What helps where the first stage lacks its beginning, in words; a general word if empty.

    Returns:
        For each stage the name of another one, or of ``saved_stage``; None for a stage that begins from nothing.

    Raises:
        RunError: If they cannot be trained in that order.
    """
    twice = [stage for stage in stages if stages.count(stage) > 1]
    if twice:
        raise RunError(f"stage '{twice[0]}' is named twice; name each stage once")
    if saved_stage is not None and saved_stage not in follows[stages[0]]:
        raise RunError(
            f"the checkpoint is of stage '{saved_stage}', and stage '{stages[0]}' {_beginning(follows[stages[0]])};"
            " give other stages or another checkpoint"
        )
    found: list[str | None] = []
    for index, stage in enumerate(stages):
        there = [*([saved_stage] if saved_stage else []), *stages[:index]]
        fitting = [before for before in there if before in follows[stage]]
        if follows[stage] and not fitting:
            general = "give another order" if index else "name it first, or give its checkpoint"
            raise RunError(
                f"stage '{stage}' {_beginning(follows[stage])}, which is not among the stages before it;"
                f" {general if index or not fix else fix}"
            )
        if index and not follows[stage]:
            raise RunError(f"stage '{stage}' begins from nothing, so it comes first; give another order")
        found.append(fitting[-1] if fitting else None)
    return found


def _beginning(follows: Sequence[str]) -> str:
    return f"begins from a checkpoint of {_named(follows)}" if follows else "begins from nothing"


def _named(stages: Sequence[str]) -> str:
    """Return stages in words: ``stage 'a' or 'b'``."""
    return "stage " + " or ".join(f"'{stage}'" for stage in stages)
