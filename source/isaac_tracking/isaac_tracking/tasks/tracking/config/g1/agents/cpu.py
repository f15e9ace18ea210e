# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What training without a GPU changes, so that some 0.3 million steps, ten minutes on two cores, show learning.

The policy learns to keep its balance while the reference moves the arms and the waist. It is an easier task than the
GPU's: few clips, and nothing random but the joints' zeros.
"""

CPU_OVERRIDES = {
    # The action corrects the reference's joint angles, so tracking comes for free and only balance is left to learn.
    "presets": "reference_action",
    # Clips that keep both feet in place, started anywhere: at this length no stretch is harder than another.
    "env.commands.motion.motions": '["stand","arms","twist","wave"]',
    "env.commands.motion.sampler.mode": "uniform",
    # Robustness costs more steps than there are: no pushes, no noise, one robot and one floor.
    "env.commands.motion.reset_noise": "null",
    "env.events.push_robot": "null",
    "env.events.physics_material": "null",
    "env.events.base_com": "null",
    "env.observations.policy.enable_corruption": "False",
    # Small batches, so that there are many updates: 1536 steps each, in minibatches of 192.
    "env.scene.num_envs": 64,
    "agent.max_iterations": 200,
    "agent.save_interval": 50,
    "agent.algorithm.num_mini_batches": 8,
    # Small networks: with one thread of PyTorch, learning takes less than a tenth of the time.
    "agent.actor.hidden_dims": "[256,128]",
    "agent.critic.hidden_dims": "[256,128]",
    # Large steps, since there are few updates. A deviation of 0.4 still lets a robot stand for half a second and
    # shrinks by itself; a fall is decided within 33 steps, which is as far as a discount of 0.97 looks ahead.
    "agent.actor.distribution_cfg.init_std": 0.4,
    "agent.algorithm.entropy_coef": 0.0,
    "agent.algorithm.desired_kl": 0.03,
    "agent.algorithm.gamma": 0.97,
}
"""Settings by override key; each can be given on the command line instead."""

STAGES_CPU_OVERRIDES = {
    # The task as above, with the same reasons, and the motors and masses of one robot besides.
    **{key: value for key, value in CPU_OVERRIDES.items() if key.startswith("env.") or key == "presets"},
    "env.events.motor_gains": "null",
    "env.events.motor_armature": "null",
    "env.events.link_mass": "null",
    "agent.max_iterations": 40,
    "agent.save_interval": 20,
    "agent.num_steps_per_env": 24,
    # Small networks, as above.
    "agent.actor.hidden_dims": "[256,128]",
    "agent.actor.encoder_dims": "[128]",
    "agent.actor.adapt_dims": "[128]",
    "agent.actor.latent_dim": 32,
    "agent.critic.hidden_dims": "[256,128]",
    "agent.actor.distribution_cfg.init_std": 0.4,
    "agent.algorithm.gamma": 0.97,
}
"""The same for the stages of a teacher and its student, all alike, so that each fits the one before."""

DISTILL_CPU_OVERRIDES = {
    **{key: value for key, value in STAGES_CPU_OVERRIDES.items() if not key.startswith("agent.")},
    "agent.max_iterations": 40,
    "agent.save_interval": 20,
    "agent.actor.hidden_dims": "[256,128]",
    **{
        key.replace("agent.actor.", "agent.algorithm.teacher."): value
        for key, value in STAGES_CPU_OVERRIDES.items()
        if key.startswith("agent.actor.")
    },
}
"""The same for a student that only imitates: its networks, and the teacher's."""
