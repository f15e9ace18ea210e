# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What checkpoints hold beside networks, of an environment whose curriculum has a state."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from isaac_tracking.learning.run_state import RunState


class Share:
    """A curriculum term that knows how far it is."""

    def __init__(self, share: float) -> None:
        self.share = share

    def state_dict(self) -> dict[str, float]:
        return {"share": self.share}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.share = state["share"]


def run(**terms: object) -> RunState:
    """A run on an environment with those curriculum terms and no others."""
    nothing = SimpleNamespace(active_terms=[])
    curriculum = SimpleNamespace(
        active_terms=list(terms), _term_cfgs=[SimpleNamespace(func=term) for term in terms.values()]
    )
    state = RunState()
    state.device = "cpu"
    state.env = SimpleNamespace(
        unwrapped=SimpleNamespace(command_manager=nothing, action_manager=nothing, curriculum_manager=curriculum)
    )
    return state


def test_curricula_go_on_where_they_were(tmp_path):
    term, plain = Share(0.5), run(plain=lambda env, env_ids: 0.0)
    file = tmp_path / "state.pt"
    torch.save(run(ranges=Share(0.8), plain=lambda env, env_ids: 0.0).run_state(), file)
    saved = torch.load(file, weights_only=True)
    assert saved["curricula"] == {"ranges": {"share": 0.8}}
    run(ranges=term).load_run_state(saved)
    assert term.share == 0.8
    # A task without that term, and a checkpoint of before there were any.
    plain.load_run_state(saved)
    del saved["curricula"]
    run(ranges=term).load_run_state(saved)
    assert term.share == 0.8
