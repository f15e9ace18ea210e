# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Checkpoints are read whole or refused in one line, and nothing in them is executed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from toy_env import make_runner

from isaac_tracking.learning.checkpoint import check_networks, hidden_layers, read_checkpoint, write_checkpoint
from isaac_tracking.learning.runs import RunError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "model_0.pt"
    make_runner(None).save(str(path), {"note": "mine"})
    return path


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def refused(path: Path, words: str = "cannot be read") -> None:
    with pytest.raises(RunError, match=words) as error:
        read_checkpoint(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_round_trip(whole: Path):
    loaded = read_checkpoint(whole)
    assert loaded["infos"] == {"note": "mine"} and loaded["iter"] == 0
    assert {"samplers", "random", "log"} <= loaded.keys()
    assert hidden_layers(loaded["actor_state_dict"]) == [16, 8]


def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, whole: Path):
    mark = tmp_path / "executed"
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps(Evil(mark)))
    torch.save(Evil(mark), tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({**read_checkpoint(whole), "infos": Evil(mark)}, tmp_path / "hidden.pt")
    for name in ("pickle.pt", "legacy.pt", "hidden.pt"):
        refused(tmp_path / name)
    assert not mark.exists()


def test_what_is_no_checkpoint_is_refused(tmp_path: Path, whole: Path):
    path = tmp_path / "model_1.pt"
    for content in (b"", b"\x80\x02}", os.urandom(4000), b"PK\x03\x04" + os.urandom(400)):
        path.write_bytes(content)
        refused(path)
    for other in ({"weights": torch.ones(2)}, [1, 2], torch.ones(3)):
        torch.save(other, path)
        refused(path, "no checkpoint of rsl_rl 5: it lacks actor_state_dict")
    good = read_checkpoint(whole)
    for change, words in (
        ({"iter": "7"}, "iteration '7'"),
        ({"actor_state_dict": [1]}, "no weights in 'actor_state_dict'"),
        ({"critic_state_dict": {"mlp.0.weight": torch.tensor([float("nan")])}}, "not finite"),
    ):
        torch.save(good | change, path)
        refused(path, words)


def test_truncated_or_flipped_bytes_never_escape(tmp_path: Path, whole: Path):
    data, path = whole.read_bytes(), tmp_path / "model_1.pt"
    for end in range(1, len(data), len(data) // 23):
        path.write_bytes(data[:end])
        refused(path)
    survived = 0
    for place in range(10, len(data), len(data) // 60):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            read_checkpoint(path)
            survived += 1  # in the padding between members, which nobody reads
        except RunError as error:
            assert "\n" not in str(error)
    assert survived < 40


def test_writing_leaves_nothing_beside(tmp_path: Path):
    write_checkpoint({"a": 1}, tmp_path / "model_1.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["model_1.pt"]


def test_networks_of_other_sizes_are_named_with_the_fix(whole: Path):
    loaded = read_checkpoint(whole)

    def cfg(hidden: list[int], normalized: bool = True, kind: str = "MLPModel") -> SimpleNamespace:
        return SimpleNamespace(class_name=kind, hidden_dims=hidden, obs_normalization=normalized)

    check_networks(whole, loaded, {"actor": cfg([16, 8]), "critic": cfg([16, 8])})
    check_networks(whole, loaded, {"actor": cfg([3], kind="module:Other")})
    with pytest.raises(
        RunError, match=r"actor has hidden layers \[16, 8\], not \[16\]; give agent.actor.hidden_dims=\[16,8\]"
    ):
        check_networks(whole, loaded, {"actor": cfg([16])})
    with pytest.raises(RunError, match=r"give agent\.critic\.obs_normalization=true"):
        check_networks(whole, loaded, {"critic": cfg([16, 8], normalized=False)})
