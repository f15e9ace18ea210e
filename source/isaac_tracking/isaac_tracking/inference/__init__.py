# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is done with a trained policy: checkpoints, evaluation, export, trajectories, films, sim-to-sim, reports."""
