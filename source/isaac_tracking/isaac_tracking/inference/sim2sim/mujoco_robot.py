# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A robot in MuJoCo, driven by joint targets through the gains and limits of a policy's contract."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...motion.robot import Robot
from ..policy_contract import PolicyContract, PolicyError
from .settings import Mismatch

GROUND = "ground"
"""Name of the ground that is added."""

GROUND_FRICTION = 0.001
"""Friction of the ground [-]: MuJoCo takes the larger of two numbers, so the robot's decides, as in the task."""

CONTACT_FORCE = 1.0
"""Normal force from which a foot counts as on the ground [N], the task's threshold for contacts."""

_MASS_TOLERANCE = 1e-3
"""Relative difference of mass from which the model is another one [-]."""


class MujocoRobot:
    """The robot on flat ground.

    Args:
        contract: The policy's contract.
        robot: Whose MJCF it is.
        mismatch: What is changed on purpose.

    Raises:
        PolicyError: If the contract's joints, bodies or mass are not the model's.
    """

    def __init__(self, contract: PolicyContract, robot: Robot, mismatch: Mismatch) -> None:
        # Heavy, and needed by this alone.
        import mujoco

        self._mujoco = mujoco
        self.joint_names: tuple[str, ...] = tuple(contract.joint_names)
        """Joints in the contract's order, which is that of all arrays here."""
        spec = mujoco.MjSpec.from_file(str(robot.mjcf))
        _check_names(spec, contract)
        _set_options(spec, float(contract.physics_rate))
        _drive_joints(spec, contract, mismatch.gain_scale)
        _add_ground(spec)
        if not contract.self_collision:
            _part_from_itself(spec)
        self.model: Any = spec.compile()
        """MuJoCo's model."""
        if abs(self.mass - contract.robot_mass) > _MASS_TOLERANCE * contract.robot_mass:
            raise PolicyError(
                f"the policy's robot weighs {contract.robot_mass:.3f} kg, and {robot.mjcf.name} {self.mass:.3f} kg;"
                " expected the same model; export the policy with the installed one"
            )
        self._change(mismatch)
        self.data: Any = mujoco.MjData(self.model)
        """MuJoCo's data."""
        joints = [self.model.joint(name).id for name in self.joint_names]
        self._qpos, self._qvel = self.model.jnt_qposadr[joints], self.model.jnt_dofadr[joints]
        self._actuators = [self.model.actuator(name).id for name in self.joint_names]
        self._bodies = [self.model.body(name).id for name in contract.body_names]
        self._root = self.model.body(robot.body_names[0]).id
        free = self.model.body_jntadr[self._root]
        self._base_qpos, self._base_qvel = int(self.model.jnt_qposadr[free]), int(self.model.jnt_dofadr[free])
        self._feet = [self.model.body(name).id for name in robot.foot_body_names]
        self._ground = self.model.geom(GROUND).id
        self._late: deque[np.ndarray] = deque()
        self._delay = mismatch.delay

    @property
    def mass(self) -> float:
        """Mass of all bodies [kg]."""
        return float(self.model.body_mass.sum())

    def place(
        self,
        root_pos: np.ndarray,
        root_quat: np.ndarray,
        root_lin_vel: np.ndarray,
        root_ang_vel: np.ndarray,
        joint_pos: np.ndarray,
        joint_vel: np.ndarray,
    ) -> None:
        """Put the robot into a state, all velocities of the root's frame origin and in the world.

        Args:
            root_pos: Position of the root [m], shape (3,).
            root_quat: Its orientation, xyzw, shape (4,).
            root_lin_vel: Its linear velocity [m/s], shape (3,).
            root_ang_vel: Its angular velocity [rad/s], shape (3,).
            joint_pos: Joint angles [rad], shape (J,).
            joint_vel: Joint speeds [rad/s], shape (J,).
        """
        self._mujoco.mj_resetData(self.model, self.data)
        quat = np.asarray(root_quat, dtype=np.float64)[[3, 0, 1, 2]]
        qpos, qvel = self.data.qpos, self.data.qvel
        qpos[self._base_qpos : self._base_qpos + 3] = root_pos
        qpos[self._base_qpos + 3 : self._base_qpos + 7] = quat
        # MuJoCo's free joint: linear velocity in the world, angular velocity in the body's own frame.
        qvel[self._base_qvel : self._base_qvel + 3] = root_lin_vel
        local, inverse = np.zeros(3), np.zeros(4)
        self._mujoco.mju_negQuat(inverse, quat)
        self._mujoco.mju_rotVecQuat(local, np.asarray(root_ang_vel, dtype=np.float64), inverse)
        qvel[self._base_qvel + 3 : self._base_qvel + 6] = local
        qpos[self._qpos], qvel[self._qvel] = joint_pos, joint_vel
        # Until a late target arrives, the joints hold where they are.
        self._late = deque([np.array(joint_pos, dtype=np.float64)] * self._delay)
        self._update()

    def step(self, targets: np.ndarray, count: int) -> None:
        """Simulate some physics steps.

        Args:
            targets: Joint targets [rad], shape (J,), or for each physics step, shape (count, J).
            count: Number of physics steps.
        """
        for row in np.broadcast_to(targets, (count, len(self.joint_names))):
            self._late.append(row)
            self.data.ctrl[self._actuators] = self._late.popleft()
            self._mujoco.mj_step(self.model, self.data)
        self._update()

    def _update(self) -> None:
        """Bring poses and velocities up to the state: a step leaves those of its beginning."""
        self._mujoco.mj_kinematics(self.model, self.data)
        self._mujoco.mj_comPos(self.model, self.data)
        self._mujoco.mj_comVel(self.model, self.data)

    @property
    def joint_pos(self) -> np.ndarray:
        """Joint angles [rad], shape (J,)."""
        return self.data.qpos[self._qpos].copy()

    @property
    def joint_vel(self) -> np.ndarray:
        """Joint speeds [rad/s], shape (J,)."""
        return self.data.qvel[self._qvel].copy()

    @property
    def torques(self) -> np.ndarray:
        """Torques of the motors in the last physics step, after their limits [N m], shape (J,)."""
        return self.data.actuator_force[self._actuators].copy()

    @property
    def body_pos_w(self) -> np.ndarray:
        """Positions of the tracked bodies [m], shape (B, 3)."""
        return self.data.xpos[self._bodies].copy()

    @property
    def body_quat_w(self) -> np.ndarray:
        """Orientations of the tracked bodies, xyzw, shape (B, 4)."""
        return self.data.xquat[self._bodies][:, [1, 2, 3, 0]]

    @property
    def body_lin_vel_w(self) -> np.ndarray:
        """Linear velocities of the tracked bodies' frame origins [m/s], shape (B, 3)."""
        return self._velocities(self.data.xpos[self._bodies], self._bodies)

    @property
    def body_ang_vel_w(self) -> np.ndarray:
        """Angular velocities of the tracked bodies [rad/s], shape (B, 3)."""
        return self.data.cvel[self._bodies, :3].copy()

    @property
    def root_com_vel_w(self) -> np.ndarray:
        """Velocity of the root body's own centre of mass [m/s], shape (3,)."""
        return self._velocities(self.data.xipos[[self._root]], [self._root])[0]

    @property
    def feet_on_ground(self) -> np.ndarray:
        """Whether the feet press on the ground in the last physics step, bool, shape (number of feet,)."""
        force = np.zeros(6)
        total = np.zeros(len(self._feet))
        for index in range(self.data.ncon):
            pair = self.data.contact[index].geom
            if self._ground not in pair:
                continue
            body = self.model.geom_bodyid[pair[0] if pair[1] == self._ground else pair[1]]
            if body in self._feet:
                self._mujoco.mj_contactForce(self.model, self.data, index, force)
                total[self._feet.index(body)] += force[0]
        return total > CONTACT_FORCE

    def contact_forces(self, body_ids: Sequence[int]) -> np.ndarray:
        """Return how hard bodies are pressed by all that touches them, in the last physics step [N].

        Args:
            body_ids: MuJoCo's numbers of the bodies.

        Returns:
            Length of the sum of the normal forces on each, shape (number of bodies,).
        """
        force, total = np.zeros(6), np.zeros((self.model.nbody, 3))
        for index in range(self.data.ncon):
            contact = self.data.contact[index]
            self._mujoco.mj_contactForce(self.model, self.data, index, force)
            # The normal points from the first shape to the second.
            first, second = self.model.geom_bodyid[contact.geom]
            total[first] -= force[0] * contact.frame[:3]
            total[second] += force[0] * contact.frame[:3]
        return np.linalg.norm(total[list(body_ids)], axis=-1)

    def body_ids(self, names: Sequence[str]) -> list[int]:
        """Return MuJoCo's numbers of bodies."""
        return [self.model.body(name).id for name in names]

    def push(self, velocity: np.ndarray) -> None:
        """Change the root's velocity at once.

        Args:
            velocity: What is added, in the world [m/s], shape (2,) or (3,).
        """
        self.data.qvel[self._base_qvel : self._base_qvel + len(velocity)] += velocity
        self._update()

    def _velocities(self, points: np.ndarray, bodies: Sequence[int]) -> np.ndarray:
        """Return velocities of points fixed to bodies; MuJoCo's are of the centre of mass of the whole tree."""
        velocity = self.data.cvel[bodies]
        arm = points - self.data.subtree_com[self.model.body_rootid[bodies]]
        return velocity[:, 3:] + np.cross(velocity[:, :3], arm)

    def _change(self, mismatch: Mismatch) -> None:
        model = self.model
        if mismatch.friction is not None:
            robot = np.arange(model.ngeom) != model.geom(GROUND).id
            model.geom_friction[robot, 0] = mismatch.friction
        if mismatch.mass_scale != 1.0:
            model.body_mass *= mismatch.mass_scale
            model.body_inertia *= mismatch.mass_scale
            self._mujoco.mj_setConst(model, self._mujoco.MjData(model))


def _check_names(spec: Any, contract: PolicyContract) -> None:
    """Refuse a policy of another robot."""
    import mujoco

    hinges = {joint.name for joint in spec.joints if joint.type == mujoco.mjtJoint.mjJNT_HINGE}
    wrong = sorted(hinges ^ set(contract.joint_names))
    if wrong:
        where = "the robot's model has" if wrong[0] in hinges else "the policy has"
        raise PolicyError(f"joint '{wrong[0]}' is one that only {where}; expected the same {len(hinges)} joints")
    bodies = {body.name for body in spec.bodies}
    missing = [name for name in contract.body_names if name not in bodies]
    if missing:
        raise PolicyError(f"the policy tracks body '{missing[0]}', which the robot's model does not have")


def _set_options(spec: Any, physics_rate: float) -> None:
    """Take over step, integrator and solver of the task (``tasks/physics_cfg.py``, Newton)."""
    import mujoco

    option = spec.option
    option.timestep = 1.0 / physics_rate
    # The gains' damping is too stiff for an explicit step of 5 ms.
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    option.solver = mujoco.mjtSolver.mjSOL_NEWTON
    option.iterations = option.ls_iterations = 50
    option.impratio = 1.0
    # A state that is not finite must end the episode, not start the robot again unseen.
    option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)


def _drive_joints(spec: Any, contract: PolicyContract, gain_scale: float) -> None:
    """Give each joint its armature and a motor that is a spring and a damper with a limit."""
    import mujoco

    for index, name in enumerate(contract.joint_names):
        spec.joint(name).armature = float(contract.joint_armature[index])
        stiffness = gain_scale * float(contract.joint_stiffness[index])
        damping = gain_scale * float(contract.joint_damping[index])
        effort = float(contract.joint_effort_limits[index])
        motor = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.gaintype, motor.biastype = mujoco.mjtGain.mjGAIN_FIXED, mujoco.mjtBias.mjBIAS_AFFINE
        motor.gainprm[0] = stiffness
        motor.biasprm[1], motor.biasprm[2] = -stiffness, -damping
        motor.forcelimited, motor.forcerange = mujoco.mjtLimited.mjLIMITED_TRUE, (-effort, effort)


def _part_from_itself(spec: Any) -> None:
    """Let the robot's shapes touch the ground alone: MuJoCo asks whether one's type fits the other's affinity."""
    for geom in spec.geoms:
        if geom.name == GROUND:
            geom.contype = geom.conaffinity = 1
        elif geom.contype or geom.conaffinity:
            geom.contype, geom.conaffinity = 0, 1


def _add_ground(spec: Any) -> None:
    """Add flat ground at height zero, unless the file has a plane of its own; then that one is used."""
    import mujoco

    planes = [geom for geom in spec.worldbody.geoms if geom.type == mujoco.mjtGeom.mjGEOM_PLANE]
    ground = planes[0] if planes else spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=(0.0, 0.0, 0.05))
    ground.name = GROUND
    ground.friction[0] = GROUND_FRICTION
