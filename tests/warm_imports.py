# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Imports what every script that simulates imports; see ``warm_process.py``."""

import gc
import importlib
import os

NAMES = (
    *("isaaclab.envs", "isaaclab.scene", "isaaclab.terrains", "isaaclab_newton.assets", "isaaclab_newton.sensors"),
    *("isaaclab_newton.physics.mjwarp_manager", "isaaclab_tasks.utils", "isaaclab_rl.rsl_rl", "rsl_rl.runners"),
    *("newton", "mujoco_warp", "trimesh", "matplotlib.figure", "torch.utils.tensorboard"),
    *("isaac_tracking.tasks", "isaac_tracking.launch.train", "isaac_tracking.launch.evaluate"),
)

# CUDA does not outlive a fork; what is tested here is on the CPU.
os.environ["CUDA_VISIBLE_DEVICES"] = ""
# Half of the time would go into looking for garbage among the syntax trees of kernels.
gc.disable()
for name in NAMES:
    importlib.import_module(name)
gc.enable()
gc.freeze()
