# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The checks: what each quantity means, and the frame at which it is worst.

Checks of single frames go by a :class:`~isaac_tracking.motion.doctor.limits.Rule`. Frames at which a quantity has no
meaning, such as the slide of a flying robot, are left out of its shares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..clip import Clip
from ..robot import Robot
from .diagnosis import SHARE, Finding
from .dynamics import jumps
from .limits import Limits, Rule
from .measures import Measures, doctor_model


def judge(
    check: str,
    values: np.ndarray,
    unit: str,
    rule: Rule,
    fps: float,
    detail: Callable[[int], str] | None = None,
    worst_of: np.ndarray | None = None,
) -> Finding:
    """Compare the values of all frames with a rule.

    Args:
        check: Name of the check.
        values: One value a frame, larger is worse, NaN where there is none, shape (T,).
        unit: Unit of the values.
        rule: The limits.
        fps: Frames per second [1/s].
        detail: Returns what there is to say about a frame.
        worst_of: Values to take the worst from, where single frames say little, shape (T,); ``values`` if None.

    Returns:
        A finding with the worst value. Its limit is the one that decided; if none did, the one to warn at.
    """
    known = np.isfinite(values)
    if not known.any():
        return Finding(check, "ok", 0.0, unit, rule.warn, detail="no frame to judge", share=0.0)
    shown = values if worst_of is None else worst_of
    frame = int(np.nanargmax(shown))
    beyond_warn = float((values[known] > rule.warn).mean())
    beyond_reject = float((values[known] > rule.reject).mean())
    severity, limit = "ok", rule.warn
    if beyond_reject > rule.reject_share:
        severity, limit = "reject", rule.reject
    elif beyond_warn > rule.warn_share:
        severity = "warn"
    text = detail(frame) if detail and severity != "ok" else ""
    share = beyond_reject if severity == "reject" else beyond_warn
    # A comparison with NaN, where there is no value, is false.
    spans = _stretches(values > limit) if severity != "ok" else ()
    return Finding(check, severity, float(shown[frame]), unit, limit, frame, frame / fps, share, text, spans)


def _stretches(on: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Return the first and the last index of each run of true values, shape (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], on.view(np.int8), [0]))))
    return tuple((int(first), int(end) - 1) for first, end in edges.reshape(-1, 2))


def joint_findings(m: Measures, robot: Robot, limits: Limits) -> list[Finding]:
    """Judge the joints.

    - **joint limit** [rad]: how far the worst joint is beyond its range in the model.
    - **joint speed** [share of the peak speed]: speed by central differences, as a library derives it from the clip.
    - **torque** [share of the peak torque]: least torque by inverse dynamics, with the ground's force shared out to the
      touching points as the motors like it best, of low-passed motion without its jumps; flight is left out.
    - **joint jump** [rad]: by how much a step between two frames differs from the mean of the steps before and after.
    """

    def worst(share: np.ndarray) -> Callable[[int], str]:
        return lambda frame: robot.joint_names[int(np.nanargmax(share[frame]))].removesuffix("_joint").replace("_", " ")

    beyond = joint_overshoot(m, robot)
    jump = _at_frames(jumps(m.steps[:, 6:, None]))
    found = [judge("joint limit", beyond.max(axis=1), "rad", limits.joint_limit, m.fps, worst(beyond))]
    if robot.joint_speed_limits:
        speed = np.abs(m.joint_vel) / robot.joint_speed_limits
        found.append(judge("joint speed", speed.max(axis=1), "x peak", limits.joint_speed, m.fps, worst(speed)))
    if robot.joint_effort_limits:
        found.append(judge("torque", m.torque.max(axis=1), "x peak", limits.torque, m.fps, worst(m.torque)))
    return [*found, judge("joint jump", jump.max(axis=1), "rad", limits.joint_jump, m.fps, worst(jump))]


def root_findings(m: Measures, robot: Robot, limits: Limits) -> list[Finding]:
    """Judge the base.

    - **root jump** [m] and **root turn** [rad]: as joint jump, for the base's position and orientation. They see
      teleports, single bad frames, and a first frame that does not belong to the rest.
    - **tilt** [deg]: angle between the base's up and the world's; a wrong quaternion order lays the robot down.
    - **root height** [share of the default pose's]: a wrong unit, or up in another direction.
    """
    height = m.root_pos[:, 2] / doctor_model(robot).standing_height
    return [
        judge("root jump", _at_frames(jumps(m.steps[:, None, :3])[:, 0]), "m", limits.root_jump, m.fps),
        judge("root turn", _at_frames(jumps(m.steps[:, None, 3:6])[:, 0]), "rad", limits.root_turn, m.fps),
        judge("tilt", m.tilt, "deg", limits.tilt, m.fps),
        judge("root height", height, "x standing", limits.root_height, m.fps),
    ]


def ground_findings(m: Measures, robot: Robot, limits: Limits) -> list[Finding]:
    """Judge what the robot does with the ground, which is at z = 0.

    - **float** [m]: height of the lowest point of the robot while the ground must carry it.
    - **penetration** [m]: depth of the lowest point.
    - **foot slide** [m/s]: horizontal speed of the slowest point that touches: within 4 cm of the lowest point of
      the frame, so that a drifting ground level does not hide it; flight left out. A foot that rolls over its heel
      or turns on its ball has a point at rest. The worst value is that of the median over 0.2 s.
    - **airborne**: frames in which the ground must supply less than 0.4 of the weight.
    - **balance** [m]: how far the zero-moment point is outside the hull of the touching points.
    - **self-collision** [m]: how deep two shapes of the robot are in each other.
    """
    lowest = np.where(m.carried, m.lowest, np.nan)
    side = [name.split("_")[0] for name in robot.foot_body_names]

    def slower(frame: int) -> str:
        return f"{side[int(np.argmin(m.foot_lowest[frame]))]} foot"

    flying = (~m.carried).astype(float)
    return [
        judge("foot slide", m.slide, "m/s", limits.slide, m.fps, slower, m.lasting_slide),
        judge("float", lowest, "m", limits.float_height, m.fps),
        judge("penetration", -m.lowest, "m", limits.penetration, m.fps, slower),
        judge("self-collision", m.overlap, "m", limits.self_collision, m.fps, lambda frame: m.overlap_pair[frame]),
        judge("balance", -m.zmp_margin, "m", limits.balance, m.fps),
        _as_share(judge("airborne", flying, SHARE, limits.airborne, m.fps), limits.airborne.warn_share),
    ]


def file_findings(clip: Clip, robot: Robot, limits: Limits) -> list[Finding]:
    """Judge what needs no model: the robot, its mass, the length and the rate.

    - **robot**: the clip must be of this robot, with all of its joints and bodies. Nothing else is checked otherwise.
    - **mass**: share by which the clip's robot differs, if the clip says what it weighs.
    - **duration** [s] and **frame rate** [1/s].
    """
    missing = [name for name in robot.joint_names if name not in clip.joint_names]
    missing += [name for name in robot.body_names if name not in clip.body_names]
    text = ""
    if clip.robot != robot.name:
        text = f"the clip is of '{clip.robot}', not of '{robot.name}'"
    elif missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        text = f"the clip lacks {', '.join(missing[:3])}{more}"
    severity = "reject" if text else "ok"
    found = [Finding("robot", severity, float(len(missing)), "", detail=text or f"it is {robot.name}")]
    if clip.robot_mass is not None and not text:
        off = abs(clip.robot_mass / robot.mass - 1.0)
        about = f"the clip's weighs {clip.robot_mass:.1f} kg, not {robot.mass:.1f}"
        found.append(_whole("mass", off, "", limits.mass, about))
    length = _whole("duration", clip.duration, "s", limits.min_duration, "too short", least=True)
    return [*found, length, _whole("frame rate", clip.fps, "Hz", limits.min_frame_rate, "too low", least=True)]


def kinematics_finding(m: Measures, limits: Limits) -> Finding:
    """Judge the stored bodies: how far the worst one is from where the joints put it [m]."""
    return judge("bodies", m.kinematics_error, "m", limits.kinematics, m.fps, lambda _: "not where the joints put them")


def repeats(clip: Clip, limits: Limits) -> np.ndarray:
    """Return which frames repeat the one before although the motion goes on, bool, shape (T,).

    A robot at rest repeats frames too. It comes to rest gently, so only runs of equal frames count that a step of
    more than 0.2 rad/s, or 0.05 m/s, comes right before or after. A jump from or into a rest is no motion that goes on.
    """
    pose = np.concatenate((clip.joint_pos, clip.body_pos_w[:, 0], clip.body_quat_w[:, 0]), axis=1).astype(np.float64)
    change = np.abs(np.diff(pose, axis=0))
    same = change.max(axis=1) < 1e-6
    joints = clip.joint_pos.shape[1]
    joint, root = change[:, :joints].max(axis=1), change[:, joints : joints + 3].max(axis=1)
    moving = (joint > 0.2 / clip.fps) | (root > 0.05 / clip.fps)
    moving &= (joint < limits.joint_jump.warn) & (root < limits.root_jump.warn)
    found = np.zeros(clip.num_frames, dtype=bool)
    for first, last in _stretches(same):
        before, after = first > 0 and moving[first - 1], last + 1 < len(same) and moving[last + 1]
        found[first + 1 : last + 2] = before or after
    return found


def repeats_finding(found: np.ndarray, fps: float, limits: Limits) -> Finding:
    """Judge **repeated frames**: frames that repeat the one before while the robot moves; a stuttering clip."""
    rule = limits.repeated
    finding = _as_share(judge("repeated frames", found.astype(float), SHARE, rule, fps), 0.0)
    if finding.severity == "ok":
        return finding
    every_other = "every frame is stored twice: the rate is half of it" if 0.45 < found.mean() < 0.55 else ""
    return replace(finding, detail=every_other or "it freezes")


def facts(clip: Clip, m: Measures, robot: Robot) -> list[Finding]:
    """Return what is no fault but good to know.

    - **travel**: mean speed relative to the heading while the base moves faster than 0.2 m/s, and its direction.
    - **statically unbalanced**: share of carried frames whose centre of mass is outside the touching points' hull.
      Every brisk walk has them; slow standing motions should not.
    - **ground level**: median height of the lowest point while the ground carries [m].
    - **ends**: fastest joint in the first and the last frame [rad/s]; a lead-in and a lead-out bring them to rest.
    - **quaternion signs**: how often the base's quaternion changes its sign from frame to frame; harmless here.
    """
    margins = m.com_margin[np.isfinite(m.com_margin)]
    unbalanced = float((margins < 0.0).mean()) if len(margins) else 0.0
    ends = np.abs(m.joint_vel[[0, -1]]).max(axis=1)
    base = clip.body_quat_w[:, clip.body_indices(robot.body_names[:1])[0]]
    flips = int(((base[1:] * base[:-1]).sum(axis=1) < 0.0).sum())
    return [
        _travel(m),
        Finding("statically unbalanced", "info", unbalanced, SHARE, detail=""),
        Finding("ground level", "info", m.floor, "m"),
        Finding("ends", "info", float(ends.max()), "rad/s", detail=f"first {ends[0]:.2f}, last {ends[1]:.2f}"),
        Finding("quaternion signs", "info", float(flips), "changes"),
    ]


def _travel(m: Measures) -> Finding:
    velocity = np.gradient(m.root_pos[:, :2], axis=0) * m.fps
    cos, sin = np.cos(m.yaw), np.sin(m.yaw)
    ahead, left = velocity[:, 0] * cos + velocity[:, 1] * sin, velocity[:, 1] * cos - velocity[:, 0] * sin
    moving = np.hypot(ahead, left) > 0.2
    if moving.mean() < 0.1:
        return Finding("travel", "info", 0.0, "m/s", detail="stays in place")
    ahead, left = float(ahead[moving].mean()), float(left[moving].mean())
    speed, angle = float(np.hypot(ahead, left)), float(np.degrees(np.arctan2(left, ahead)))
    if speed < 0.2:
        return Finding("travel", "info", speed, "m/s", detail="back and forth")
    words = ("forward", "to the left", "backward", "to the right")
    word = words[round(angle / 90.0) % 4]
    return Finding("travel", "info", speed, "m/s", detail=f"{word} ({angle:.0f} deg to the left of the heading)")


def joint_overshoot(m: Measures, robot: Robot) -> np.ndarray:
    """Return how far each joint is beyond its range [rad], negative inside, shape (T, J)."""
    low, high = robot.joint_pos_limits.T
    return np.maximum(low - m.joint_pos, m.joint_pos - high)


def _at_frames(of_steps: np.ndarray) -> np.ndarray:
    """Return what belongs to steps at the frames they lead to; the first frame has none."""
    return np.concatenate((np.zeros_like(of_steps[:1]), of_steps))


def _whole(check: str, value: float, unit: str, rule: Rule, about: str, least: bool = False) -> Finding:
    """Judge a number that belongs to the clip as a whole; with ``least`` it must not be below the limits."""
    sign = -1.0 if least else 1.0
    severity = "ok"
    if sign * value > sign * rule.reject:
        severity = "reject"
    elif sign * value > sign * rule.warn:
        severity = "warn"
    limit = rule.reject if severity == "reject" else rule.warn
    return Finding(check, severity, value, unit, limit, detail=about if severity != "ok" else "")


def _as_share(finding: Finding, limit: float) -> Finding:
    """Return a finding about frames that are so or not so, whose number is their share."""
    share = finding.share or 0.0
    frame, time = (finding.frame, finding.time) if share else (None, None)
    return replace(finding, value=share, limit=limit, frame=frame, time=time, share=None)
