# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The physics engines: the only file of the tasks that names one."""

from __future__ import annotations

from typing import Any

from isaaclab.physics import PhysxAutoCfg
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg, NewtonCollisionPipelineCfg, NewtonShapeCfg
from isaaclab_ov.physics import OvPhysxCfg
from isaaclab_physx.physics import PhysxCfg
from isaaclab_tasks.utils import PresetCfg, preset

_MANAGER = "isaac_tracking.tasks.newton_manager:NewtonTaskManager"


@configclass
class SolverCfg(MJWarpSolverCfg):
    """Isaac Lab's settings of MJWarp, our manager, and two settings of Newton's solver that Isaac Lab leaves out."""

    class_type: str = _MANAGER

    jacobian: str | None = None
    """``"dense"`` or ``"sparse"``; None for what MJWarp takes itself, sparse above 32 degrees of freedom."""

    ls_tolerance: float | None = None
    """When a line search may end, as a share of the gradient [-]; None for MuJoCo's."""


def flat_physics(njmax: int, nconmax: int) -> PresetCfg:
    """Return every engine for flat ground under the selectors of Isaac Lab, Newton first.

    A function of the numbers, because fields of a config class are copies: a number changed on one selector later
    would not reach the default.

    Args:
        njmax: Constraints that MJWarp can hold per environment.
        nconmax: Contacts that MJWarp can hold per environment.
    """
    newton = NewtonCfg(
        # Integrator and cone are those of mjlab's tracking task (mjlab 1.6.0, tasks/tracking). So are 10 iterations and
        # 20 in a line search; but where those do not suffice, MJWarp prints a line for each robot.
        solver_cfg=SolverCfg(
            njmax=njmax,
            nconmax=nconmax,
            iterations=50,
            ls_iterations=50,
            integrator="implicitfast",
            cone="pyramidal",
            impratio=1.0,
        ),
    )
    return _engines(newton)


def rough_physics(njmax: int, nconmax: int) -> PresetCfg:
    """Return every engine for ground that is a mesh, with Isaac Lab's numbers for Newton.

    MuJoCo's own contacts would take the mesh for its convex hull, so Newton finds the contacts. Solver, substeps and
    stiffness of the contacts are those of Isaac Lab's ``isaaclab_tasks/core/velocity/velocity_env_cfg.py``.

    Args:
        njmax: Constraints that MJWarp can hold per environment.
        nconmax: Contacts that MJWarp can hold per environment.
    """
    return _engines(
        NewtonCfg(
            solver_cfg=SolverCfg(
                njmax=njmax,
                nconmax=nconmax,
                integrator="implicitfast",
                cone="pyramidal",
                impratio=1.0,
                use_mujoco_contacts=False,
            ),
            collision_cfg=NewtonCollisionPipelineCfg(max_triangle_pairs=2_500_000),
            num_substeps=2,
            default_shape_cfg=NewtonShapeCfg(margin=0.0, ke=160000.0, kd=1100.0),
        )
    )


def by_engine(newton: Any, physx: Any) -> PresetCfg:
    """Return a value that differs between Newton and PhysX, chosen by the same selectors as the engine."""
    return preset(default=newton, newton_mjwarp=newton, isaacsim_physx=physx, ovphysx=physx, physx=physx)


def _engines(newton: NewtonCfg) -> PresetCfg:
    # BeyondMimic's buffer for contact patches, and Isaac Lab's.
    kit = PhysxCfg(gpu_max_rigid_patch_count=10 * 2**15)
    kitless = OvPhysxCfg(gpu_max_rigid_patch_count=10 * 2**15)
    return preset(
        default=newton,
        newton_mjwarp=newton,
        isaacsim_physx=kit,
        ovphysx=kitless,
        physx=PhysxAutoCfg(isaacsim_physx=kit, ovphysx=kitless),
    )
