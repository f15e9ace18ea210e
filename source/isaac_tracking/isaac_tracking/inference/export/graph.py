# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The graph of a policy as ONNX and TorchScript, and the proof that it computes what the policy does."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..policy_contract import PolicyContract, PolicyError
from .state_graph import StatePolicy, input_notes, read_state

if TYPE_CHECKING:
    from onnx import ModelProto
    from onnxruntime import InferenceSession

TOLERANCE = 1.0e-5
"""Largest difference between a runtime's actions and the policy's [-]."""
INPUTS_KEY = "isaac_tracking_inputs"
"""Key in the metadata under which a graph of states tells its inputs, as JSON."""
MEMORY = ("hidden_in", "hidden_out")
"""Input and output of a graph for what the policy remembers."""
OPSET = 18
"""ONNX operators; rsl_rl's own number."""


@dataclass(frozen=True)
class Recorded:
    """What the policy saw and answered."""

    rows: Mapping[str, np.ndarray]
    """``obs``, ``actions``, of a policy that remembers :data:`MEMORY`, and, for a graph that computes the observations,
    ``joint_targets`` and the inputs of :mod:`.state_graph`; shapes (n, ...)."""

    @property
    def observations(self) -> np.ndarray:
        """Shape (n, num_observations)."""
        return self.rows["obs"]

    @property
    def actions(self) -> np.ndarray:
        """Shape (n, num_actions)."""
        return self.rows["actions"]


def onnx_graph(policy: Any) -> ModelProto:
    """Return the actor with its normalizer as ONNX, for one observation at a time.

    Args:
        policy: rsl_rl's model.

    Raises:
        PolicyError: If the model cannot be deployed.
    """
    module = deployed(policy)
    return _to_onnx(module, module.get_dummy_inputs(), list(module.input_names), list(module.output_names))


def deployed(policy: Any) -> Any:
    """Return what of a model is deployed: its normalizer and what lies between an observation and an action.

    It is what rsl_rl's hook ``as_onnx`` returns, a module with ``get_dummy_inputs``, ``input_names`` and
    ``output_names``; a model of one's own offers the same. One that remembers takes :data:`MEMORY` and answers with it,
    of shape (N, size), and has the property ``memory``.

    Args:
        policy: rsl_rl's model.

    Raises:
        PolicyError: If it says that it cannot be deployed, or remembers in another way.
    """
    try:
        module = policy.as_onnx(verbose=False).to("cpu").eval()
    except ValueError as error:
        raise PolicyError(str(error)) from error
    if tuple(module.input_names[1:]) not in ((), MEMORY[:1]):
        raise PolicyError(
            f"a policy with the inputs {', '.join(module.input_names)} cannot be exported, since the contract has no"
            " words for them; train one without rsl_rl's recurrent networks"
        )
    return module


def memory_of(module: Any) -> Mapping[str, Any] | None:
    """Return the contract's ``memory`` of what :func:`deployed` returned."""
    if len(module.input_names) == 1:
        return None
    return {"input": MEMORY[0], "output": MEMORY[1], "shape": tuple(module.get_dummy_inputs()[1].shape)}


def state_graph(policy: Any, contract: PolicyContract) -> ModelProto:
    """Return the policy as ONNX with the observations computed inside, for one state at a time.

    Args:
        policy: rsl_rl's model.
        contract: Contract of the policy.

    Raises:
        PolicyError: If an observation cannot be computed from the states alone.
    """
    module = StatePolicy(deployed(policy), contract).eval()
    model = _to_onnx(module, module.dummy_inputs(), module.input_names, list(module.output_names))
    set_metadata(model, {INPUTS_KEY: json.dumps(input_notes(module))})
    return model


def _to_onnx(
    module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], input_names: list[str], output_names: list[str]
) -> ModelProto:
    # Heavy.
    import onnx

    with _hushed():
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=input_names,
            output_names=output_names,
        )
        assert program is not None
        model = program.model_proto
    # Notes of the exporter on every node: half as large as the weights, and with paths of this machine.
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, model.graph):
        del part.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    return model


def set_metadata(model: ModelProto, values: Mapping[str, str]) -> None:
    """Set metadata of an ONNX model; what it has under other keys stays."""
    import onnx

    before = {item.key: item.value for item in model.metadata_props}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, before | dict(values))
    model.producer_name = "isaac_tracking"


def any_batch(model: ModelProto) -> ModelProto:
    """Return a copy of a graph for one observation that takes any number of them at once."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value in (*copy.graph.input, *copy.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    # Shapes between the layers were worked out for one.
    del copy.graph.value_info[:]
    onnx.checker.check_model(copy)
    return copy


def script(policy: Any) -> torch.jit.ScriptModule:
    """Return the actor with its normalizer as TorchScript."""
    with _hushed():
        return torch.jit.script(policy.as_jit().to("cpu").eval())


def check_parity(run: Callable[[int], np.ndarray], expected: np.ndarray, what: str = "actions") -> float:
    """Run recorded instants one by one and return the largest difference from what was recorded.

    Args:
        run: From the number of an instant to an answer of shape (1, size).
        expected: What the policy itself answered, shape (n, size).
        what: What is compared, for the message.

    Raises:
        PolicyError: If it is above :data:`TOLERANCE`, or not a number.
    """
    answers = np.concatenate([run(index) for index in range(len(expected))])
    if answers.shape != expected.shape:
        raise PolicyError(f"the exported graph answers {answers.shape}, not {expected.shape}; nothing was written")
    difference = float(np.abs(answers - expected).max())
    if not difference <= TOLERANCE:
        raise PolicyError(
            f"the exported graph and the policy differ by {difference:.2g} in {what} on recorded observations, more"
            f" than {TOLERANCE:g}; nothing was written"
        )
    return difference


def latency(session: InferenceSession, observation: np.ndarray, runs: int = 2000) -> float:
    """Return the median time of one action [s] on the session's threads."""
    first, *others = session.get_inputs()
    inputs = {first.name: observation} | {value.name: np.zeros(value.shape, np.float32) for value in others}
    for _ in range(runs // 10):
        session.run(None, inputs)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        session.run(None, inputs)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def record(env: Any, policy: Any, steps: int) -> Recorded:
    """Let a policy act, and return what it saw and what it answered.

    Args:
        env: The environment, wrapped for rsl_rl.
        policy: rsl_rl's model.
        steps: Steps of each environment.
    """
    base = env.unwrapped
    term = base.action_manager.get_term(base.action_manager.active_terms[0])
    rows: dict[str, list[torch.Tensor]] = {}
    with torch.inference_mode():
        obs, _ = env.reset()
        policy.reset()
        for _ in range(steps):
            row = read_state(base)
            row["obs"] = torch.cat([obs[group] for group in policy.obs_groups], dim=-1)
            before = getattr(policy, "memory", None)
            row["actions"] = policy(obs).clone()
            after = getattr(policy, "memory", None)
            if after is not None:
                row |= dict(zip(MEMORY, (torch.zeros_like(after) if before is None else before, after), strict=True))
            obs, _, done, _ = env.step(row["actions"])
            policy.reset(done)
            row["joint_targets"] = term.processed_actions.clone()
            for name, value in row.items():
                rows.setdefault(name, []).append(value.cpu())
    return Recorded({name: torch.cat(values).numpy() for name, values in rows.items()})


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Keep PyTorch's exporters from talking."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
