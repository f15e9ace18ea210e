# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Formulas of the environment step as kernels of Warp: on a GPU, starting an operator costs more than what it computes.

Each has a torch function in :mod:`isaac_tracking.motion` that says what it computes, and a test that compares the two.
They run on torch's current stream, allocate nothing but their results, and may be captured in a CUDA graph after a
first call. They have no gradients, and take float32 only.
"""
