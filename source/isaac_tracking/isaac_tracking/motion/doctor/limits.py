# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The limits of the doctor's checks, each with its reason.

Those of foot slide, of the touching points' height and of torque were chosen after a look at real recordings: between
ones that policies learn and a rough retargeting of a run whose feet skate. On other files they are untested.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """When a quantity of the frames becomes a fault.

    A clip is warned of if more than ``warn_share`` of its frames exceed ``warn``, and rejected if more than
    ``reject_share`` exceed ``reject``. Shares of 0 let a single frame decide.
    """

    warn: float
    """Value above which a frame counts towards a warning."""

    reject: float = float("inf")
    """Value above which a frame counts towards a rejection."""

    warn_share: float = 0.0
    """Share of the frames that may exceed ``warn`` [-]."""

    reject_share: float = 0.0
    """Share of the frames that may exceed ``reject`` [-]."""


@dataclass(frozen=True)
class Limits:
    """One rule a check. What each check measures is said in :mod:`~isaac_tracking.motion.doctor.checks`."""

    joint_limit: Rule = Rule(warn=0.02, reject=0.2)
    """Overshoot [rad]. 0.02 rad is what rounding and fitting leave. With 0.2 rad at the knee the foot is 6 cm off: a
    step's clearance."""

    joint_speed: Rule = Rule(warn=1.0, reject=1.5)
    """Share of the motor's peak speed [-]. At 1 the motor has no torque left. At 1.5 it lags by half of the motion."""

    torque: Rule = Rule(warn=1.0, reject=1.5, warn_share=0.02, reject_share=0.1)
    """Share of the peak torque [-]. One frame in fifty may be an estimate's spike (a touch-down). A motor that lacks a
    third of what is needed for a tenth of the time does not follow; up to there the body's lean makes up for it."""

    root_jump: Rule = Rule(warn=0.05, reject=0.25)
    """[m]. BeyondMimic ends an episode when the anchor is off by 0.25 m (``tracking_env_cfg.py``), so such a jump ends
    it by itself. 5 cm within a frame at 50 fps are 12 g."""

    root_turn: Rule = Rule(warn=0.2, reject=0.8)
    """[rad]. BeyondMimic ends an episode at an anchor orientation error of 0.8 (``tracking_env_cfg.py``)."""

    joint_jump: Rule = Rule(warn=0.5, reject=1.0)
    """[rad]. An arm of 0.3 m moves its hand by 0.3 m at 1 rad: further than BeyondMimic's 0.25 m for end effectors
    (``tracking_env_cfg.py``). A warning at half of it."""

    repeated: Rule = Rule(warn=0.0, reject=0.0, warn_share=0.0, reject_share=0.1)
    """1 where a frame repeats the one before it although the motion goes on. With a tenth of them the rate is wrong."""

    slide: Rule = Rule(warn=0.2, reject=0.6, warn_share=0.1, reject_share=0.25)
    """[m/s]. At 0.2 m/s a foot moves by half of its length (18.5 cm) during a stance of half a second; a tenth of the
    time is left to turns on the spot and shuffles. At 0.6 m/s, the pace of a stroll, a foot does not stand at all: a
    quarter of the time is touch-down and push-off of every step."""

    float_height: Rule = Rule(warn=0.03, reject=0.1, warn_share=0.25, reject_share=0.25)
    """[m], of frames that the ground must carry. 3 cm are a sole's thickness (the G1's ankle is 3.5 cm above it), 10 cm
    a step's clearance. A quarter of the frames, since toes and heels lift for shorter."""

    penetration: Rule = Rule(warn=0.01, reject=0.1)
    """[m]. Simulators let a standing foot sink by less than 1 cm. At 10 cm the shin is in the ground."""

    self_collision: Rule = Rule(warn=0.01, reject=0.05, reject_share=0.05)
    """[m]. Capsules stand for meshes to about 1 cm. Beyond 5 cm a wrist (radius 3.5 cm) is inside another limb; for a
    twentieth of the time that is a posture, not a touch."""

    airborne: Rule = Rule(warn=0.5, warn_share=0.3)
    """1 where the robot flies. Human runners fly for 0.3 to 0.4 of the time; no G1 of our sources has done so."""

    balance: Rule = Rule(warn=0.15, reject=0.5, warn_share=0.1, reject_share=0.25)
    """[m] by which the zero-moment point is outside the soles. 15 cm are near a foot's length (18.5 cm); for a tenth of
    the time a step or a swing of the arms makes up for it. 0.5 m for a quarter of the time: nothing to stand on."""

    tilt: Rule = Rule(warn=60.0, reject=120.0, warn_share=0.05, reject_share=0.05)
    """[deg] between the base's up and the world's. Bows reach 60; who is beyond 120 stands on the head."""

    root_height: Rule = Rule(warn=1.5, reject=2.0)
    """Share of the base's height in the default pose [-]. A straight leg gives 1.1, a high jump 1.5; 2 is a wrong
    unit."""

    kinematics: Rule = Rule(warn=0.005, reject=0.02)
    """[m]. Rounding to float32 leaves 1e-6; 5 mm are another version of the model; 2 cm another order of the joints."""

    mass: Rule = Rule(warn=0.01)
    """Share by which the clip's robot is heavier or lighter [-]: another version of the robot."""

    min_duration: Rule = Rule(warn=1.0, reject=0.2)
    """Duration [s] below which there is a fault. Samplers draw from bins of 1 s (BeyondMimic, SONIC); 0.2 s are ten
    control steps."""

    min_frame_rate: Rule = Rule(warn=20.0, reject=0.0)
    """Frame rate [1/s] below which there is a fault. Below 20 a touch-down falls between two frames."""

    floor_share: float = 0.5
    """The clip's own ground level is this quantile of the lowest point's height while the ground must carry [-]."""

    touch: float = 0.04
    """Points this close above the frame's lowest one may carry [m]: one foot of a good capture stands up to 3 cm higher
    than the other, and a sole gives by 1 cm."""

    carried: float = 0.4
    """Share of the weight that the ground must supply for the robot to count as carried [-]; less is flight."""

    cutoff: float = 6.0
    """Low-pass of velocities and accelerations for forces [Hz]: the usual one for walking bodies (D. A. Winter,
    Biomechanics and Motor Control of Human Movement). Torques are therefore lower bounds."""

    friction: float = 1.0
    """Friction of the ground that carries [-]; Isaac Lab's default."""
