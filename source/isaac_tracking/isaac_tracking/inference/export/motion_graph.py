# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A clip inside the graph, as BeyondMimic's runtime expects it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..policy_contract import PolicyContract, PolicyError

if TYPE_CHECKING:
    from onnx import ModelProto

    from ...motion.clip import Clip

TIME_STEP = "time_step"
"""Input: which frame of the clip, shape (1, 1); the last one beyond the end."""


def with_motion(model: ModelProto, clip: Clip, contract: PolicyContract) -> ModelProto:
    """Return a copy of a graph with a clip inside.

    Inputs and outputs are those of BeyondMimic (whole_body_tracking ``utils/exporter.py``): ``obs`` and ``time_step``
    in; ``actions``, ``joint_pos``, ``joint_vel``, ``body_pos_w``, ``body_quat_w`` (wxyz), ``body_lin_vel_w`` and
    ``body_ang_vel_w`` out, joints and bodies in the order of the metadata.

    Args:
        model: Graph of the policy.
        clip: The clip, at any rate.
        contract: Contract of the policy.

    Raises:
        PolicyError: If the action is not around the default pose, which is all that BeyondMimic's runtime knows, or
            the policy remembers.
        ClipError: If the clip lacks a joint or a body.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    if contract.action.kind != "joint_position":
        raise PolicyError(
            f"BeyondMimic's runtime knows no action '{contract.action.kind}'; export without a clip inside"
        )
    if contract.memory is not None:
        raise PolicyError("BeyondMimic's runtime knows no policy that remembers; export without a clip inside")
    arrays = _frames(clip, contract)
    last = len(arrays["joint_pos"]) - 1
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    graph.input.append(helper.make_tensor_value_info(TIME_STEP, TensorProto.FLOAT, [1, 1]))
    constants = {"motion_shape": np.array([1]), "motion_first": np.array(0), "motion_last": np.array(last)}
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.extend(
        [
            helper.make_node("Cast", [TIME_STEP], ["motion_step"], to=TensorProto.INT64),
            helper.make_node("Reshape", ["motion_step", "motion_shape"], ["motion_row"]),
            helper.make_node("Clip", ["motion_row", "motion_first", "motion_last"], ["motion_frame"]),
        ]
    )
    for name, values in arrays.items():
        graph.initializer.append(numpy_helper.from_array(values, f"motion_{name}"))
        graph.node.append(helper.make_node("Gather", [f"motion_{name}", "motion_frame"], [name], axis=0))
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *values.shape[1:]]))
    onnx.checker.check_model(copy)
    return copy


def _frames(clip: Clip, contract: PolicyContract) -> dict[str, np.ndarray]:
    """Return the clip at the policy's rate by the names of the outputs, float32, shapes (frames, ...)."""
    import torch

    from ...motion.library import MotionLibrary

    library = MotionLibrary([clip], contract.joint_names, contract.body_names, contract.control_rate)
    steps = torch.arange(int(library.num_frames[0]))
    frame = library.frames(torch.zeros_like(steps), steps)
    named = {name: value.numpy().astype(np.float32) for name, value in frame._asdict().items()}
    named["body_quat_w"] = named["body_quat_w"][..., [3, 0, 1, 2]]
    return named
