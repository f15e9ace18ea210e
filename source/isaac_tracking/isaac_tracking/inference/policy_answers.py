# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""An exported policy that is asked in every control step, with what it remembers in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .policy_contract import PolicyContract

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class PolicyAnswers:
    """Observations in, actions out.

    Args:
        contract: What the policy's file says.
        session: What runs it.
    """

    def __init__(self, contract: PolicyContract, session: InferenceSession) -> None:
        self._session, self._memory = session, contract.memory
        self._input, self._outputs = contract.input["name"], [contract.output["name"]]
        if self._memory is not None:
            self._outputs.append(self._memory["output"])
        self.reset()

    def reset(self) -> None:
        """Begin an episode: forget the one before."""
        shape = () if self._memory is None else self._memory["shape"]
        self._remembered = np.zeros(shape, dtype=np.float32)

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """Return actions, shape (1, A), for the next control step's observations, float32, shape (1, N)."""
        inputs = {self._input: obs}
        if self._memory is not None:
            inputs[self._memory["input"]] = self._remembered
        actions, *memory = (np.asarray(value) for value in self._session.run(self._outputs, inputs))
        if memory:
            (self._remembered,) = memory
        return actions
