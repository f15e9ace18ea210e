# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings as ``key=value``: told from options, merged, and checked against the configs that they change."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import fnmatch
import functools
import importlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .errors import OptionError

AGENT_KEY = "rsl_rl_cfg_entry_point"
"""Registry key of a task's agent config."""
SELECTORS = ("presets", "physics", "renderer")
"""Keys that choose among variants."""
_OVERRIDE = re.compile(r"[+~]{0,2}[\w.\[\]-]+=.*|~[\w.]+", re.DOTALL)
_LITERALS = {"true": True, "false": False, "none": None, "null": None}
_POSITIVE = ("env.scene.num_envs", "env.decimation", "agent.max_iterations", "agent.save_interval",
             "agent.num_steps_per_env")  # fmt: skip
"""Settings that must be at least one, whoever sets them."""
_NEEDED = (
    *("env", "env.scene", "env.scene.robot", "env.scene.robot.spawn", "env.sim", "env.observations", "env.actions"),
    *("env.observations.policy", "env.events", "env.commands", "env.commands.motion", "env.commands.motion.sampler"),
    *("env.commands.motion.augmentation", "env.commands.base_velocity", "env.commands.base_velocity.ranges"),
    *("agent", "agent.actor", "agent.critic", "agent.algorithm"),
)
"""Parts that are of use whatever is learned, so that null in their place is a mistake."""
_SAMPLER_MODES = ("adaptive", "uniform", "start")
_SCHEDULES = ("adaptive", "fixed")
_ACTIVATIONS = (
    *("elu", "selu", "relu", "crelu", "lrelu", "tanh", "sigmoid", "softplus", "gelu", "swish", "mish", "identity"),
)
"""Those of rsl_rl."""
_SHOWN = 3
"""Settings that a message names where there are many."""
_NO_OPTIONS = {"--headless": "nothing opens a window unless --gui is given, so leave it out"}
"""Options that people know from Isaac Lab, and what to do without them."""


def split_rest(
    rest: Sequence[str], known: Iterable[str], foreign: Callable[[], Iterable[str]]
) -> tuple[list[str], list[str]]:
    """Split what the parser did not know into overrides (``key=value``) and options of Isaac Lab.

    Args:
        rest: Arguments that the parser did not know.
        known: Our own options, to suggest the nearest.
        foreign: Returns the options that Isaac Lab knows; called only if there are options.

    Raises:
        OptionError: If an argument is neither.
    """
    known, theirs = list(known), set(foreign()) if any(text.startswith("-") for text in rest) else set()
    overrides, passed = [], []
    for argument in rest:
        option = argument.split("=")[0]
        if _OVERRIDE.fullmatch(argument) and not argument.startswith("-"):
            overrides.append(argument)
        # One of Isaac Lab's options, or the value of the one before.
        elif option in theirs or (passed and not argument.startswith("-")):
            passed.append(argument)
        else:
            near = difflib.get_close_matches(option, [*known, *sorted(theirs)], n=1)
            choices = ", ".join(name for name in known if name.startswith("--"))
            hint = f"did you mean {near[0]}?" if near else f"choose from {choices}, or KEY=VALUE"
            raise OptionError(f"option '{argument}' is unknown; {_NO_OPTIONS.get(option, hint)}")
    return overrides, passed


def is_setting(text: str) -> bool:
    """Whether an argument sets something: ``env.KEY=VALUE``, ``agent.KEY=VALUE`` or a selector."""
    key, equals, _ = text.lstrip("+~").partition("=")
    return bool(equals) and (key in SELECTORS or key.startswith(("env.", "agent.")))


def merge_overrides(*layers: Sequence[str]) -> list[str]:
    """Join layers of ``key=value``, the last one of a key winning; presets of all layers are joined.

    Where one layer takes a part away (``null``) and another sets a field of it, the stronger layer wins as well.

    Args:
        *layers: Overrides from the weakest to the strongest.
    """
    merged: dict[str, str] = {}
    for layer in layers:
        weaker = set(merged)
        for override in layer:
            key, _, value = override.partition("=")
            if key == "presets" and merged.get(key):
                value = ",".join(dict.fromkeys([*merged[key].split(","), *value.split(",")]))
            for other in weaker & merged.keys():
                if _takes_away(other, merged[other], key) or _takes_away(key, value, other):
                    del merged[other]
            merged[key] = value
    return [f"{key}={value}" for key, value in merged.items()]


def has_setting(key: str, configs: Mapping[str, Any]) -> bool:
    """Whether a key names a value of the configs, which are given by the key's first word."""
    node: Any = configs
    for name in key.split("."):
        if name not in _names(node):
            return False
        node = _walk(node, [name])
    return True


def resolve_config(task: str, overrides: Sequence[str], play: bool = False) -> tuple[Any, Any]:
    """Resolve a task's environment and agent configs with overrides.

    Raises:
        OptionError: If an override names no field or holds a value of another kind.
    """
    selectors = [override for override in overrides if override.partition("=")[0] in SELECTORS]
    pristine: dict[str, Any] = dict(zip(("env", "agent"), _resolve(task, selectors, play), strict=True))
    others = [override for override in overrides if override not in selectors]
    for override in others:
        _check(override, pristine)
    _check_parts(others)
    resolved: dict[str, Any] = dict(zip(("env", "agent"), _resolve(task, overrides, play), strict=True))
    for override in others:
        _check_variant(override, pristine, resolved)
    for key in _POSITIVE:
        value = _walk(resolved, key.split("."))
        if not isinstance(value, int) or value < 1:
            raise OptionError(f"setting '{key}={value}' must be a whole number above 0")
    _check_values(resolved)
    return resolved["env"], resolved["agent"]


def _resolve(task: str, overrides: Sequence[str], play: bool) -> tuple[Any, Any]:
    from hydra.errors import HydraException
    from isaaclab_tasks.utils import resolve_task_config
    from omegaconf.errors import OmegaConfBaseException

    from .terminal import quiet

    errors = (HydraException, OmegaConfBaseException, ValueError, LookupError, TypeError, AttributeError)
    try:
        with quiet(False, errors):
            return resolve_task_config(task, AGENT_KEY, play_mode=play, overrides=list(overrides))
    except errors as error:
        detail = " ".join(str(error).split())[:300]
        # Those that the reason names by value or by field, or else the last ones, which are the user's.
        named = [text for text in overrides if text.partition("=")[2] in detail]
        named = named or [text for text in overrides if f"'{text.partition('=')[0].rpartition('.')[2]}'" in detail]
        shown = " ".join(named or overrides[-_SHOWN:])
        raise OptionError(f"settings {shown} do not fit task '{task}': {detail}") from error


def _check(override: str, pristine: Mapping[str, Any]) -> None:
    """Refuse a key that names nothing, which Isaac Lab would silently add, and a value of another kind."""
    key, _, text = override.partition("=")
    if key.startswith(("+", "~")):
        return
    *parents, leaf = key.split(".")
    node: Any = dict(pristine)
    for depth, name in enumerate([*parents, leaf]):
        names = _names(node)
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            place = ".".join(parents[:depth])
            choices = f"did you mean {near[0]}?" if near else f"choose from {', '.join(names) or 'nothing'}"
            raise OptionError(f"setting '{key}' does not exist; {place or 'the settings'} has no '{name}': {choices}")
        parent, node = node, _walk(node, [name])
    value = _value(text)
    if value is None and key in _NEEDED:
        fields = ", ".join(f"{key}.{name}" for name in _names(node)[:_SHOWN])
        raise OptionError(
            f"setting '{key}={text}' takes away what cannot be done without; leave it out, or set its fields"
            f" ({fields}, ...)"
        )
    if callable(node) and leaf == "func":
        _check_function(key, text, node)
    wanted = _wanted(node, _optional(parent, leaf))
    if wanted is not None and not _fits(value, node, _optional(parent, leaf)):
        raise OptionError(f"setting '{key}={text}' is of the wrong kind; give {wanted}, for example {key}={node}")


def _check_variant(override: str, pristine: Mapping[str, Any], resolved: Mapping[str, Any]) -> None:
    """Refuse a plain value in place of a config, which a name chooses only where there are variants."""
    key, _, text = override.partition("=")
    if key.startswith(("+", "~")):
        return
    before, now = _walk(pristine, key.split(".")), _walk(resolved, key.split("."))
    if dataclasses.is_dataclass(before) and now is not None and not dataclasses.is_dataclass(now):
        names = ", ".join(f"{key}.{name}" for name in _names(before)[:6])
        null = "" if key in _NEEDED else " or give null"
        raise OptionError(f"setting '{key}={text}' names no variant of it; set its fields ({names}, ...){null}")


def _check_function(key: str, text: str, now: Any) -> None:
    """Refuse a function that cannot be imported, which Isaac Lab would find only once the simulator runs."""
    module, _, name = text.strip("'\"").partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        found = None
    if not callable(found):
        example = f"{getattr(now, '__module__', 'package.module')}:{getattr(now, '__name__', 'function')}"
        raise OptionError(f"setting '{key}={text}' names no function; give MODULE:NAME, for example {key}={example}")


def _check_parts(overrides: Sequence[str]) -> None:
    """Refuse to set a field of what is taken away."""
    pairs = [override.partition("=")[::2] for override in overrides]
    for key, text in pairs:
        for part, gone in pairs:
            if _takes_away(part, gone, key):
                raise OptionError(
                    f"setting '{key}={text}' is of a part that '{part}={gone}' takes away; leave one of them out"
                )


def _takes_away(part: str, text: str, key: str) -> bool:
    """Whether ``part=text`` takes away what a key is a field of."""
    return key.startswith(f"{part}.") and _value(text) is None


@functools.cache
def _rules() -> tuple[tuple[tuple[str, ...], str, Callable[[Any], bool]], ...]:
    """Return which settings, with ``*`` for any name, take which values: in words, and as a test."""
    # Heavy: torch.
    from ..motion.sampling.settings import PRESETS
    from ..tasks.graphs.plan import STEP_GRAPHS

    def one_of(*choices: str) -> tuple[str, Callable[[Any], bool]]:
        return f"one of {', '.join(choices)}", lambda value: value in choices

    above_0 = ("env.episode_length_s", "env.sim.dt", "env.rewards.*.params.std", "env.commands.motion.memory_budget")
    above_0 += ("agent.algorithm.*learning_rate", "agent.algorithm.desired_kl", "agent.algorithm.max_grad_norm")
    above_0 += ("agent.algorithm.clip_param", "agent.actor.distribution_cfg.init_std", "agent.clip_actions")
    return (
        (above_0, "a number above 0", lambda value: _is_number(value) and 0 < value < math.inf),
        (("agent.algorithm.gamma", "agent.algorithm.lam"), "a number from 0 to 1", _is_share),
        (
            ("agent.algorithm.num_mini_batches", "agent.algorithm.num_learning_epochs"),
            "a whole number above 0",
            _is_size,
        ),
        (
            ("agent.*.hidden_dims", "agent.algorithm.teacher.hidden_dims"),
            "a list of whole numbers above 0, such as [256,128]",
            # rsl_rl: -1 is as many as there are inputs.
            lambda value: len(value) > 0 and all(_is_size(size) or size == -1 for size in value),
        ),
        (
            ("agent.*.activation", "agent.algorithm.teacher.activation"),
            one_of(*_ACTIVATIONS)[0],
            lambda value: str(value).lower() in _ACTIVATIONS,
        ),
        (("agent.algorithm.schedule",), *one_of(*_SCHEDULES)),
        (("env.commands.motion.sampler.mode",), *one_of(*_SAMPLER_MODES)),
        (("env.commands.motion.sampler.preset",), *one_of(*PRESETS)),
        (("env.step_graph",), *one_of(*STEP_GRAPHS)),
    )


def _check_values(resolved: Mapping[str, Any]) -> None:
    """Refuse values with which nothing can be simulated or learned, whoever sets them."""
    for patterns, wanted, holds in _rules():
        for pattern in patterns:
            for key, value in _matching(resolved, pattern.split(".")):
                # A field without a value is somebody's default.
                if value is not None and value is not dataclasses.MISSING and not holds(value):
                    shown = str(value).replace(" ", "")
                    raise OptionError(f"setting '{key}={shown}' makes no sense; give {wanted}")


def _matching(node: Any, pattern: Sequence[str], before: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not pattern:
        yield ".".join(before), node
        return
    for name in fnmatch.filter(_names(node), pattern[0]):
        yield from _matching(_walk(node, [name]), pattern[1:], (*before, name))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_size(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int) and value > 0


def _names(node: Any) -> list[str]:
    if isinstance(node, Mapping):
        return [str(name) for name in node]
    if dataclasses.is_dataclass(node):
        return [name for name in vars(node) if not name.startswith("_")]
    return []


def _walk(node: Any, names: Sequence[str]) -> Any:
    for name in names:
        node = node[name] if isinstance(node, Mapping) else getattr(node, name)
    return node


def _value(text: str) -> Any:
    """Return a value as Isaac Lab reads it: a Python literal or else text."""
    if text.lower() in _LITERALS:
        return _LITERALS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _optional(parent: Any, leaf: str) -> bool:
    """Whether a field takes None, as far as it says."""
    if not dataclasses.is_dataclass(parent):
        return True
    kinds = {field.name: str(field.type) for field in dataclasses.fields(parent)}
    return "None" in kinds.get(leaf, "None")


def _wanted(now: Any, optional: bool) -> str | None:
    """Return what a setting takes, in words; None if anything."""
    kinds = ((bool, "true or false"), (int, "a whole number"), (float, "a number"), (list | tuple, "a list"))
    words = next((words for kind, words in kinds if isinstance(now, kind)), None)
    return f"{words} or null" if words and optional else words


def _fits(value: Any, now: Any, optional: bool) -> bool:
    if value is None:
        return optional
    if isinstance(now, bool):
        return isinstance(value, bool)
    if isinstance(now, int):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(now, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, list | tuple)
