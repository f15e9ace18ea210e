# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which stage may begin from which, and what is said where it may not."""

from __future__ import annotations

import re

import pytest

from isaac_tracking.learning.adaptation.order import check_start, find_beginnings
from isaac_tracking.learning.runs import RunError

FOLLOWS = {"train": (), "adapt": ("train",), "finetune": ("adapt",), "distill": ("train",)}


@pytest.mark.parametrize(
    ("stage", "saved"),
    [("train", "train"), ("adapt", "train"), ("adapt", "adapt"), ("finetune", "adapt"), (None, None)],
)
def test_a_stage_begins_from_the_one_before_and_goes_on_with_its_own(stage: str | None, saved: str | None):
    check_start(stage, FOLLOWS.get(stage or "", ()), saved, "a.pt")


@pytest.mark.parametrize(
    ("stage", "saved", "words"),
    [
        (
            "finetune",
            "train",
            "checkpoint 'a.pt' is of stage 'train', and stage 'finetune' begins from a checkpoint of stage 'adapt';"
            " give another checkpoint",
        ),
        (
            "adapt",
            "finetune",
            "checkpoint 'a.pt' is of stage 'finetune', and stage 'adapt' begins from a checkpoint of stage 'train';"
            " give another checkpoint",
        ),
        (
            "train",
            "adapt",
            "checkpoint 'a.pt' is of stage 'adapt', and stage 'train' begins from nothing;"
            " give one of its own, or none",
        ),
        (
            "adapt",
            None,
            "checkpoint 'a.pt' is of training without stages, and stage 'adapt' begins from a checkpoint of stage"
            " 'train'; give another checkpoint",
        ),
        (
            None,
            "train",
            "checkpoint 'a.pt' is of stage 'train', and this task trains without stages; give the task of that stage",
        ),
    ],
)
def test_another_checkpoint_is_refused_in_one_sentence(stage: str | None, saved: str | None, words: str):
    with pytest.raises(RunError, match=f"^{re.escape(words)}$"):
        check_start(stage, FOLLOWS.get(stage or "", ()), saved, "a.pt")


def test_whoever_knows_what_helps_says_it():
    words = "the checkpoint is of stage 'b', and stage 'c' begins from a checkpoint of stage 'a' or 'd'; run this"
    with pytest.raises(RunError, match=f"^{re.escape(words)}$"):
        check_start("c", ("a", "d"), "b", fix="run this")


@pytest.mark.parametrize(
    ("stages", "saved", "beginnings"),
    [
        (["train"], None, [None]),
        (["train", "adapt", "finetune"], None, [None, "train", "adapt"]),
        (["train", "distill"], None, [None, "train"]),
        (["train", "adapt", "finetune", "distill"], None, [None, "train", "adapt", "train"]),
        (["adapt", "finetune"], "train", ["train", "adapt"]),
        (["distill", "adapt"], "train", ["train", "train"]),
        (["finetune"], "adapt", ["adapt"]),
    ],
)
def test_orders_that_work(stages: list[str], saved: str | None, beginnings: list[str | None]):
    assert find_beginnings(stages, FOLLOWS, saved) == beginnings


@pytest.mark.parametrize(
    ("stages", "saved", "words"),
    [
        (["train", "train"], None, "stage 'train' is named twice; name each stage once"),
        (
            ["adapt", "finetune"],
            None,
            "stage 'adapt' begins from a checkpoint of stage 'train', which is not among the stages before it;"
            " name it first, or give its checkpoint",
        ),
        (
            ["train", "finetune"],
            None,
            "stage 'finetune' begins from a checkpoint of stage 'adapt', which is not among the stages before it;"
            " give another order",
        ),
        (["adapt", "train"], "train", "stage 'train' begins from nothing, so it comes first; give another order"),
        (
            ["train", "adapt"],
            "train",
            "the checkpoint is of stage 'train', and stage 'train' begins from nothing;"
            " give other stages or another checkpoint",
        ),
    ],
)
def test_orders_that_cannot_work_are_refused_in_one_sentence(stages: list[str], saved: str | None, words: str):
    with pytest.raises(RunError, match=f"^{re.escape(words)}$"):
        find_beginnings(stages, FOLLOWS, saved)


def test_only_for_the_first_stage_can_somebody_know_what_helps():
    with pytest.raises(RunError, match=r"; run this$"):
        find_beginnings(["adapt"], FOLLOWS, fix="run this")
    with pytest.raises(RunError, match=r"; give another order$"):
        find_beginnings(["train", "finetune"], FOLLOWS, fix="run this")
