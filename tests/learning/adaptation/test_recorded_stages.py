# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Every stage goes on learning when only its operators run, as a CUDA graph would have it."""

from __future__ import annotations

import copy

import pytest
import torch
from stage_toys import roll, tensors
from test_stage_updates import STAGES, rates, stage_of

from isaac_tracking.learning.graphed_ppo import GraphedPPO
from recorded_work import record


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("settings", [{}, {"symmetric": True}, {"adapt_kind": "gru"}], ids=["mlp", "symmetric", "gru"])
def test_stages_without_python_are_the_same(monkeypatch: pytest.MonkeyPatch, name: str, ranks: int, settings: dict):
    record(monkeypatch, GraphedPPO)
    # Another rank, which has the same gradients.
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda buffer: buffer.mul_(2.0))
    recorded = stage_of(name, **settings)
    recorded.is_multi_gpu, recorded.gpu_world_size = ranks > 1, ranks
    plain = copy.deepcopy(recorded)
    plain.cuda_graph = False
    for update in range(5):
        losses = []
        for each in (recorded, plain):
            torch.manual_seed(update)
            roll(each)
            losses.append(each.update())
        assert losses[0] == losses[1]
        assert torch.equal(recorded.storage.actions, plain.storage.actions)
    ours, theirs = tensors(recorded), tensors(plain)
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []
    assert rates(recorded) == rates(plain)
    works = [work for steps in recorded.minibatches._steps.values() for work in steps.works]
    # Whatever learns does so in four minibatches an update.
    replays = {"Finetune": [3 * 4 - 4]}.get(name, [5 * 4 - 4] * (1 if name == "Adapt" else 2))
    assert [work.replays for work in works] == [count for count in replays for _ in range(ranks)]
    assert (recorded._acting is None) == ("adapt_kind" in settings)
