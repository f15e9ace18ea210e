# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Exporting a policy: what a task says about it, its graph, and the proof that the graph computes the same."""
