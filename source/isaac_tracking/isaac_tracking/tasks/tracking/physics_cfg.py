# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The physics engines of a tracking task: the only file of the family that names one."""

from __future__ import annotations

from typing import Any

from isaaclab.physics import PhysxAutoCfg
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg
from isaaclab_ov.physics import OvPhysxCfg
from isaaclab_physx.physics import PhysxCfg
from isaaclab_tasks.utils import PresetCfg, preset


def tracking_physics(njmax: int, nconmax: int) -> PresetCfg:
    """Return every engine under the selectors of Isaac Lab, Newton first.

    A function of the numbers, because fields of a config class are copies: a number changed on one selector later
    would not reach the default.

    Args:
        njmax: Constraints that MJWarp can hold per environment.
        nconmax: Contacts that MJWarp can hold per environment.
    """
    newton = NewtonCfg(
        # Iterations and integrator are those of mjlab's tracking task (mjlab 1.6.0, tasks/tracking).
        solver_cfg=MJWarpSolverCfg(
            njmax=njmax,
            nconmax=nconmax,
            iterations=50,
            ls_iterations=50,
            integrator="implicitfast",
            cone="pyramidal",
            impratio=1.0,
        ),
    )
    # BeyondMimic's buffer for contact patches.
    kit = PhysxCfg(gpu_max_rigid_patch_count=10 * 2**15)
    kitless = OvPhysxCfg(gpu_max_rigid_patch_count=10 * 2**15)
    return preset(
        default=newton,
        newton_mjwarp=newton,
        isaacsim_physx=kit,
        ovphysx=kitless,
        physx=PhysxAutoCfg(isaacsim_physx=kit, ovphysx=kitless),
    )


def by_engine(newton: Any, physx: Any) -> PresetCfg:
    """Return a value that differs between Newton and PhysX, chosen by the same selectors as the engine."""
    return preset(default=newton, newton_mjwarp=newton, isaacsim_physx=physx, ovphysx=physx, physx=physx)
