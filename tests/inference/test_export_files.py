# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The files of an export: what is in them, that they are proven, and what is left if they are not."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from rsl_rl.models import MLPModel
from tensordict import TensorDict
from toy_contract import contract_values

from isaac_tracking.inference.export.files import write_files
from isaac_tracking.inference.export.graph import Recorded
from isaac_tracking.inference.policy_contract import (
    METADATA_KEY,
    PolicyContract,
    PolicyError,
    check_joints,
    load_policy,
    parse_contract,
)
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.library import MotionLibrary


@pytest.fixture(scope="module")
def contract() -> PolicyContract:
    return parse_contract(json.dumps(contract_values()), "toy")


@pytest.fixture(scope="module")
def policy() -> Any:
    """A small actor whose normalizer has seen something."""
    torch.manual_seed(0)
    observations = TensorDict({"policy": torch.zeros(1, 7)}, batch_size=[1])
    distribution = {"class_name": "GaussianDistribution", "init_std": 1.0}
    model = MLPModel(observations, {"actor": ["policy"]}, "actor", 2, [8, 4], "elu", True, distribution)
    model.update_normalization(TensorDict({"policy": 3.0 + 2.0 * torch.randn(64, 7)}, batch_size=[64]))
    return model.eval()


@pytest.fixture(scope="module")
def recorded(policy: Any) -> Recorded:
    rows = 3.0 + 2.0 * torch.randn(20, 7, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        actions = policy(TensorDict({"policy": rows}, batch_size=[20]))
    return Recorded({"obs": rows.numpy(), "actions": actions.numpy()})


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory, policy: Any, contract: PolicyContract, recorded: Recorded
) -> Path:
    """A policy as it is exported without any options; not to be changed."""
    folder = tmp_path_factory.mktemp("exported")
    write_files(folder, policy, contract, "a_run", recorded)
    return folder / "policy.onnx"


def run(path: Path, **inputs: np.ndarray) -> list[np.ndarray]:
    return [np.asarray(value) for value in onnxruntime.InferenceSession(str(path)).run(None, inputs)]


def test_every_file_answers_as_the_policy_does(
    tmp_path: Path, policy: Any, contract: PolicyContract, recorded: Recorded
) -> None:
    out = tmp_path / "deep" / "out"
    exported = write_files(out, policy, contract, "a_run", recorded, batch=True)
    names = ["policy.json", "policy.onnx", "policy.pt", "policy_batch.onnx"]
    assert sorted(path.name for path in out.iterdir()) == names == sorted(exported.sizes)
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert all(value <= 1e-5 for value in exported.differences.values()) and len(exported.differences) == 3
    # The graph alone, without what the exporter itself says: the normalizer is inside.
    assert run(out / "policy.onnx", obs=recorded.observations[3:4])[0] == pytest.approx(recorded.actions[3:4], abs=1e-5)
    assert run(out / "policy_batch.onnx", obs=recorded.observations)[0] == pytest.approx(recorded.actions, abs=1e-5)
    scripted = torch.jit.load(str(out / "policy.pt"))(torch.from_numpy(recorded.observations))
    assert scripted.detach().numpy() == pytest.approx(recorded.actions, abs=1e-5)
    assert load_policy(out / "policy.onnx")[0] == contract
    assert json.loads((out / "policy.json").read_text()) == contract_values()


def test_beyondmimics_keys_are_there_at_full_precision(exported: Path, contract: PolicyContract) -> None:
    found = onnxruntime.InferenceSession(str(exported)).get_modelmeta().custom_metadata_map
    assert found.pop(METADATA_KEY) == contract.to_json()
    assert found == {
        "run_path": "a_run",
        "joint_names": "hip,knee",
        "joint_stiffness": "40.179237,99.09843",
        "joint_damping": "2.5578897,6.3088017",
        "default_joint_pos": "0.1,-0.2",
        "command_names": "motion",
        "observation_names": "command,base_ang_vel",
        "observation_history_lengths": "1,1",
        "action_scale": "0.5475,0.3506",
        "anchor_body_name": "thigh",
        "body_names": "base,thigh,shin",
    }


def test_nothing_of_this_machine_is_in_the_graph(exported: Path) -> None:
    content = exported.read_bytes()
    assert b".py" not in content and str(Path.home()).encode() + b"/" not in content


@pytest.mark.parametrize("wrong", [2e-5, float("nan")])
def test_a_graph_that_answers_otherwise_is_not_written(
    tmp_path: Path, policy: Any, contract: PolicyContract, recorded: Recorded, wrong: float
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "policy.onnx").write_text("an earlier one")
    actions = recorded.actions.copy()
    actions[7, 1] += wrong
    for folder in ("out", "new"):
        with pytest.raises(PolicyError, match=r"differ by .* in actions on recorded observations, more than 1e-05"):
            write_files(tmp_path / folder, policy, contract, "r", Recorded({**recorded.rows, "actions": actions}))
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "policy.onnx"]
    assert (tmp_path / "out" / "policy.onnx").read_text() == "an earlier one"


def test_files_of_other_weights_do_not_stay(
    tmp_path: Path, policy: Any, contract: PolicyContract, recorded: Recorded
) -> None:
    (tmp_path / "notes.txt").touch()
    write_files(tmp_path, policy, contract, "a_run", recorded, batch=True)
    write_files(tmp_path, policy, contract, "a_run", recorded, torchscript=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "policy.json", "policy.onnx"]


def test_a_place_that_cannot_be_written_is_said(
    tmp_path: Path, policy: Any, contract: PolicyContract, recorded: Recorded
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PolicyError, match=r"cannot be written .* give another with --output"):
        write_files(tmp_path / "file" / "out", policy, contract, "a_run", recorded)


def changed(path: Path, folder: Path, change: Callable[[dict[str, str]], object]) -> Path:
    """Change the metadata of an exported file, as somebody's script might."""
    model = onnx.load(str(path))
    values = {item.key: item.value for item in model.metadata_props}
    change(values)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, values)
    onnx.save(model, str(folder / "changed.onnx"))
    return folder / "changed.onnx"


def swap_in_contract(values: dict[str, str]) -> None:
    content = json.loads(values[METADATA_KEY])
    content["joint_names"].reverse()
    values[METADATA_KEY] = json.dumps(content)


def swap_in_list(values: dict[str, str]) -> None:
    values["joint_names"] = ",".join(reversed(values["joint_names"].split(",")))


def swap_in_both(values: dict[str, str]) -> None:
    swap_in_contract(values)
    swap_in_list(values)


def test_a_joint_in_another_place_is_caught(exported: Path, tmp_path: Path) -> None:
    check_joints(load_policy(changed(exported, tmp_path, lambda values: None))[0], ["hip", "knee"], "toy")
    for change in (swap_in_contract, swap_in_list):
        with pytest.raises(PolicyError, match=r"'joint_names' of its metadata and of its contract differ at 0 .*hip"):
            load_policy(changed(exported, tmp_path, change))
    # Whoever changed both is found out by the robot itself.
    with pytest.raises(PolicyError, match="joint 0 is 'knee', but 'hip' in toy's order"):
        check_joints(load_policy(changed(exported, tmp_path, swap_in_both))[0], ["hip", "knee"], "toy")


def test_a_file_without_our_metadata_is_refused(exported: Path, tmp_path: Path) -> None:
    path = changed(exported, tmp_path, lambda values: values.pop(METADATA_KEY))
    with pytest.raises(PolicyError, match="no contract of Isaac Tracking in its metadata"):
        load_policy(path)


def test_a_contract_of_another_graph_is_refused(
    tmp_path: Path, policy: Any, contract: PolicyContract, recorded: Recorded
) -> None:
    larger = dataclasses.replace(contract.observations[1], size=4, slice=(4, 8))
    wrong = dataclasses.replace(
        contract, observations=(contract.observations[0], larger), input={"name": "obs", "shape": (1, 8)}
    )
    with pytest.raises(PolicyError, match=r"the graph has .*7.*, but its contract says 'obs' of 8 values"):
        write_files(tmp_path / "out", policy, wrong, "a_run", recorded)
    assert list(tmp_path.iterdir()) == []


def test_a_clip_inside_the_graph_is_beyondmimics(
    tmp_path: Path, policy: Any, contract: PolicyContract, recorded: Recorded, make_clip: Callable[..., Clip]
) -> None:
    clip = make_clip(frames=11, fps=25.0)
    write_files(tmp_path, policy, contract, "a_run", recorded, torchscript=False, clip=clip)
    library = MotionLibrary([clip], ("hip", "knee"), ("base", "thigh", "shin"), 50.0)
    assert int(library.num_frames[0]) == 21
    session = onnxruntime.InferenceSession(str(tmp_path / "policy_motion.onnx"))
    assert [(value.name, value.shape) for value in session.get_inputs()] == [("obs", [1, 7]), ("time_step", [1, 1])]
    assert [(value.name, value.shape) for value in session.get_outputs()] == [
        ("actions", [1, 2]), ("joint_pos", [1, 2]), ("joint_vel", [1, 2]), ("body_pos_w", [1, 3, 3]),
        ("body_quat_w", [1, 3, 4]), ("body_lin_vel_w", [1, 3, 3]), ("body_ang_vel_w", [1, 3, 3]),
    ]  # fmt: skip
    # Beyond the end the last frame stays, as in BeyondMimic.
    for time, frame in ((0, 0), (13, 13), (20, 20), (900, 20)):
        inputs = {"obs": recorded.observations[:1], "time_step": np.array([[time]], dtype=np.float32)}
        actions, *rest = (np.asarray(value) for value in session.run(None, inputs))
        assert actions == pytest.approx(recorded.actions[:1], abs=1e-5)
        expected = library.frames(torch.tensor([0]), torch.tensor([frame]))
        for name, value in zip(expected._fields, rest, strict=True):
            wanted = getattr(expected, name).numpy()
            if name == "body_quat_w":
                wanted = np.concatenate([wanted[..., 3:], wanted[..., :3]], axis=-1)
            assert value == pytest.approx(wanted, abs=1e-6), name
    # It is still a policy of ours.
    assert load_policy(tmp_path / "policy_motion.onnx")[0] == contract


def test_beyondmimic_knows_no_action_around_the_reference(
    tmp_path: Path, policy: Any, contract: PolicyContract, recorded: Recorded, make_clip: Callable[..., Clip]
) -> None:
    action = dataclasses.replace(contract.action, kind="reference_joint_position", offset=None)
    with pytest.raises(PolicyError, match="knows no action 'reference_joint_position'"):
        write_files(
            tmp_path / "out", policy, dataclasses.replace(contract, action=action), "r", recorded, clip=make_clip()
        )
    assert list(tmp_path.iterdir()) == []


def test_the_documents_snippet_runs_with_onnxruntime_alone(exported: Path) -> None:
    """In a process that cannot find this project, or PyTorch."""
    page = Path(__file__).resolve().parents[2] / "docs" / "export.md"
    (snippet,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    hide = "import sys; sys.modules.update(torch=None, isaaclab=None, isaac_tracking=None)\n"
    command = [sys.executable, "-c", hide + snippet]
    done = subprocess.run(command, cwd=exported.parent, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "obs[0:4]  command: what it is (joint space)",
        "obs[4:7]  base_ang_vel: what it is (joint space)",
    ]
    actions = run(exported, obs=np.zeros((1, 7), dtype=np.float32))[0][0]
    targets = np.array([0.1, -0.2]) + np.array([0.5475, 0.3506]) * actions
    assert lines[2:] == [f"hip {targets[0]:.3f} rad", f"knee {targets[1]:.3f} rad"]


def test_an_observation_of_ones_own_is_not_computed_inside(
    tmp_path: Path, policy: Any, contract: PolicyContract, recorded: Recorded
) -> None:
    with pytest.raises(PolicyError, match="observation 'command' cannot be computed inside the graph"):
        write_files(tmp_path / "out", policy, contract, "a_run", recorded, state=True)
    assert list(tmp_path.iterdir()) == []
