# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Left and right of the task exchanged: every observation group and the actions.

The mirror image of a group is a permutation of its columns and a sign for each: one gather and one multiplication. It
is built once per environment, from the names of joints and bodies (:mod:`isaac_tracking.motion.mirror`) and from a
table of what the numbers of each observation term are (:data:`symmetry_kinds.KINDS`). Rewards and terminations are the
same in the mirror.

What is drawn for each robot is not looked at, as in none of the sources: motors, masses, and the shift of the default
pose (``offset_joint_default_pos``). A mirrored sample stands for a robot whose draw is mirrored, which is as likely.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from isaaclab.envs.mdp.actions.joint_actions import JointAction
from isaaclab.utils.string import resolve_matching_names_values
from tensordict import TensorDict

from ....motion.mirror import mirror_of_tree, partners
from .commands import MotionCommand
from .symmetry_kinds import KINDS, Columns, Sides, joined

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from rsl_rl.env import VecEnv

_TOLERANCE = 1e-6
"""Difference of two sides above which a default pose [rad] or a scale of actions [rad] is not symmetric."""


class Mirror(NamedTuple):
    """:class:`Columns` on a device."""

    permutation: torch.Tensor
    """Column that each column is taken from, shape (D,)."""

    signs: torch.Tensor
    """Sign with which it is taken, 1 or -1, shape (D,)."""

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mirror image of values, shape (..., D)."""
        return values.index_select(-1, self.permutation) * self.signs


_MIRRORS: weakref.WeakKeyDictionary[ManagerBasedRLEnv, dict[str, EnvMirror]] = weakref.WeakKeyDictionary()


class EnvMirror(NamedTuple):
    """The mirrors of all that an environment exchanges with a learner, on one device."""

    groups: dict[str, Mirror]
    """Of each observation group."""

    actions: Mirror


def env_mirror(env: ManagerBasedRLEnv | VecEnv, device: torch.device | str) -> EnvMirror:
    """Return the mirrors of an environment, built when they are asked for first.

    Args:
        env: A tracking environment, or one wrapped for a learner.
        device: Where they are to be.

    Raises:
        ValueError: If an observation term is of no known kind, or the robot, its default pose or the scale of its
            actions is not symmetric.
    """
    env = _unwrapped(env)
    kept = _MIRRORS.setdefault(env, {})
    if str(device) not in kept:
        sides = sides_of(env)
        columns = {group: group_columns(env, sides, group) for group in env.observation_manager.active_terms}
        # Whoever asks first may be in a rollout, whose tensors gradients cannot pass later.
        with torch.inference_mode(False):
            groups = {group: _on(mirror, device) for group, mirror in columns.items()}
            kept[str(device)] = EnvMirror(groups, _on(sides.of_actions(), device))
    return kept[str(device)]


def sides_of(env: ManagerBasedRLEnv) -> Sides:
    """Return what an environment's names tell of left and right, after checking that it is symmetric.

    Raises:
        ValueError: If there is no motion command, an action is not of joints, or the robot, its default pose or the
            scale of its actions is not symmetric.
    """
    terms = [env.command_manager.get_term(name) for name in env.command_manager.active_terms]
    command = next((term for term in terms if isinstance(term, MotionCommand)), None)
    if command is None:
        raise ValueError("symmetry: the environment has no motion command; its robot's left and right are not known")
    tree = command.tree.to("cpu")
    signs = dict(zip(tree.joint_names, mirror_of_tree(tree).joint_signs, strict=True))
    action_terms: dict[str, JointAction] = {}
    for name in env.action_manager.active_terms:
        term = env.action_manager.get_term(name)
        if not isinstance(term, JointAction):
            raise ValueError(f"symmetry: action '{name}' is a {type(term).__name__}; expected a joint action")
        action_terms[name] = term
    sides = Sides(
        tuple(command.robot_asset.joint_names),
        signs,
        tuple(command.body_names),
        {name: tuple(term._joint_names) for name, term in action_terms.items()},
    )
    _check_default_pose(sides, command.robot_asset.cfg.init_state.joint_pos)
    for name, term in action_terms.items():
        _check_scale(name, term)
    return sides


def group_columns(env: ManagerBasedRLEnv, sides: Sides, group: str) -> Columns:
    """Return the mirror of an observation group.

    A term's block is repeated until its columns are full: over future steps, and over history, which Isaac Lab lays
    out step by step.

    Raises:
        ValueError: If a term is of no known kind or size, or the group is not laid out term by term.
    """
    manager = env.observation_manager
    if not manager.group_obs_concatenate[group] or manager._group_obs_time_major[group]:
        raise ValueError(f"symmetry: group '{group}' is not one row of term after term; leave its layout as it is")
    blocks = []
    terms = zip(
        manager.active_terms[group],
        manager._group_obs_term_cfgs[group],
        manager.group_obs_term_dim[group],
        strict=True,
    )
    for term, cfg, shape in terms:
        function = getattr(cfg.func, "__name__", type(cfg.func).__name__)
        if function not in KINDS:
            raise ValueError(
                f"symmetry: observation '{group}.{term}' is made by '{function}', whose mirror image is not known;"
                f" say what its numbers are in symmetry_kinds.KINDS, as KINDS['reference_anchor_pos_b'] = polar does"
            )
        block = KINDS[function](sides, cfg)
        width = int(torch.Size(shape).numel())
        repeats, rest = divmod(width, len(block.permutation))
        if rest:
            raise ValueError(
                f"symmetry: observation '{group}.{term}' has {width} numbers; expected a multiple of"
                f" {len(block.permutation)}, as KINDS['{function}'] says"
            )
        blocks += [block] * repeats
    return joined(blocks)


def _on(columns: Columns, device: torch.device | str) -> Mirror:
    return Mirror(torch.tensor(columns.permutation, device=device), torch.tensor(columns.signs, device=device))


def _check_default_pose(sides: Sides, pose: dict[str, float]) -> None:
    """Refuse a crooked default pose, to which observations and actions are relative."""
    indices, _, values = resolve_matching_names_values(pose, list(sides.joint_names))
    angles = dict.fromkeys(sides.joint_names, 0.0)
    angles |= {sides.joint_names[index]: value for index, value in zip(indices, values, strict=True)}
    for name, partner in zip(sides.joint_names, partners(sides.joint_names), strict=True):
        other = sides.joint_names[partner]
        if abs(angles[name] - sides.joint_signs[name] * angles[other]) > _TOLERANCE:
            raise ValueError(
                f"symmetry: the default pose is not its own mirror image: '{name}' is at {angles[name]:g} rad and"
                f" '{other}' at {angles[other]:g} rad; expected"
                f" {sides.joint_signs[name] * angles[other]:g} rad for the first"
            )


def _check_scale(action: str, term: JointAction) -> None:
    """Refuse actions that move one side more than the other."""
    if not isinstance(term.cfg.scale, dict):
        return
    indices, _, values = resolve_matching_names_values(term.cfg.scale, term._joint_names)
    scales = dict.fromkeys(term._joint_names, 1.0)
    scales |= {term._joint_names[index]: value for index, value in zip(indices, values, strict=True)}
    for name, partner in zip(term._joint_names, partners(term._joint_names), strict=True):
        other = term._joint_names[partner]
        if abs(scales[name] - scales[other]) > _TOLERANCE:
            raise ValueError(
                f"symmetry: action '{action}' scales '{name}' by {scales[name]:g} and '{other}' by {scales[other]:g};"
                " expected one scale for both sides"
            )


"""
What learners call.
"""


def mirror_batch(
    env: ManagerBasedRLEnv | VecEnv, obs: TensorDict | None = None, actions: torch.Tensor | None = None
) -> tuple[TensorDict | None, torch.Tensor | None]:
    """Append the mirror image of each sample: the hook of :class:`rsl_rl.extensions.Symmetry`.

    What a learner stored beside the environment's observation groups, e.g. a latent, has no mirror image of its own and
    is left out of the result: it has to be computed from the mirrored observations.

    Args:
        env: A tracking environment, or one wrapped for a learner.
        obs: Observation groups, N samples; None for none.
        actions: Actions, raw as the policy gives them, shape (N, num_actions); None for none.

    Returns:
        Observations and actions of 2 N samples, the N as they were and then their mirror images; None for what was not
        given.

    Raises:
        ValueError: As :func:`env_mirror`.
    """
    if obs is not None:
        both = {}
        for group in _unwrapped(env).observation_manager.active_terms:
            if group in obs:
                values = obs[group]
                both[group] = torch.cat([values, env_mirror(env, values.device).groups[group](values)])
        obs = TensorDict(both, batch_size=[2 * obs.batch_size[0]], device=obs.device)
    if actions is not None:
        actions = torch.cat([actions, mirror_actions(env, actions)])
    return obs, actions


def mirror_actions(env: ManagerBasedRLEnv | VecEnv, actions: torch.Tensor) -> torch.Tensor:
    """Return the mirror image of actions or of their means, shape (..., num_actions); gradients pass.

    Raises:
        ValueError: As :func:`env_mirror`.
    """
    return env_mirror(env, actions.device).actions(actions)


def mirror_std(env: ManagerBasedRLEnv | VecEnv, std: torch.Tensor) -> torch.Tensor:
    """Return the mirror image of the actions' standard deviations, which change places but no signs.

    Args:
        env: A tracking environment, or one wrapped for a learner.
        std: Standard deviations, shape (..., num_actions).

    Raises:
        ValueError: As :func:`env_mirror`.
    """
    return std.index_select(-1, env_mirror(env, std.device).actions.permutation)


def _unwrapped(env: ManagerBasedRLEnv | VecEnv) -> ManagerBasedRLEnv:
    # Isaac Lab's wrapper for rsl_rl has it, though rsl_rl's interface does not say so.
    return cast("ManagerBasedRLEnv", cast(Any, env).unwrapped)
