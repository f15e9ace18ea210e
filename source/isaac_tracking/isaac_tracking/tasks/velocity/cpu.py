# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What training without a GPU changes: small enough that 20 iterations take less than two minutes on two cores."""

FLAT_CPU_OVERRIDES = {
    "env.scene.num_envs": 64,
    "agent.max_iterations": 200,
    "agent.save_interval": 50,
    # Small networks: with one thread of PyTorch, learning takes less than a tenth of the time.
    "agent.actor.hidden_dims": "[128,128]",
    "agent.critic.hidden_dims": "[128,128]",
}
"""Settings by override key; each can be given on the command line instead."""

ROUGH_CPU_OVERRIDES = {
    **FLAT_CPU_OVERRIDES,
    # Little ground, which is made anew at each start.
    "env.scene.terrain.terrain_generator.num_rows": 3,
    "env.scene.terrain.terrain_generator.num_cols": 6,
}
"""The same on uneven ground."""
