# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The options of ``train.sh`` that only a pipeline knows."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .errors import OptionError
from .overrides import is_setting

_OF_A_PIPELINE = ("pipeline", "stages", "stage_iterations", "evaluate")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    parser.add_argument("--pipeline", action="store_true", help="train a teacher and its student, stage after stage")
    parser.add_argument("--stages", metavar="A,B,...", help="stages of the pipeline (default: train,adapt,finetune)")
    parser.add_argument("--stage_iterations", metavar="A=N,...", help="iterations of the stages, by name")
    parser.add_argument(
        "--evaluate", nargs="+", metavar="SETTING", help="settings of the pipeline's examination (default: clean)"
    )


def refuse_options(args: argparse.Namespace) -> None:
    """Refuse options that mean nothing outside a pipeline.

    Raises:
        OptionError: If there is one.
    """
    for name in _OF_A_PIPELINE:
        if getattr(args, name):
            raise OptionError(f"--{name} is of a pipeline; add --pipeline, or leave it out")


def common_arguments(argv: Sequence[str]) -> list[str]:
    """Return the arguments that every stage gets: all but those that say what the stages are.

    Args:
        argv: Arguments of ``train.sh``, which a parser has taken already.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_options(parser)
    for name in ("--task", "--checkpoint", "--run_name", "--max_iterations"):
        parser.add_argument(name)
    parser.add_argument("--resume", action="store_true")
    args, rest = parser.parse_known_args(argv)
    # Settings that follow the names are not meant as names.
    return rest + [text for text in args.evaluate or () if is_setting(text)]
