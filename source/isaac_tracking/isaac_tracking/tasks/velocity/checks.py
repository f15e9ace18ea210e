# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a user can ask of a velocity task that cannot be, found before a simulator starts."""

from __future__ import annotations

import math
import urllib.request
from pathlib import Path
from typing import Any

from isaaclab.actuators import ActuatorNetMLPCfg

_FASTEST = {"lin_vel_x": 10.0, "lin_vel_y": 10.0, "ang_vel_z": 20.0, "heading": math.pi + 0.01}
"""What no legged robot exceeds [m/s, rad/s], and a full turn [rad], by the command's range."""

_COMMAND = "env.commands.base_velocity"
_TERRAIN = "env.scene.terrain"
_GENERATOR = f"{_TERRAIN}.terrain_generator"
_MOST_PIECES = 2000
"""Pieces of ground that still fit into memory; Isaac Lab's standard has 200."""
_PATIENCE = 10.0
"""Seconds to wait for a server."""


def check_env_cfg(cfg: Any) -> None:
    """Refuse a resolved config of a velocity task whose commands, ground or motors cannot be.

    It only reads, and asks a server only for motors that are a network there.

    Args:
        cfg: The environment's config, presets chosen.

    Raises:
        ValueError: If it cannot be, in one sentence that names the setting.
    """
    if not _is_number(cfg.episode_length_s) or cfg.episode_length_s <= 0.0:
        raise ValueError(f"env.episode_length_s is {cfg.episode_length_s}; give the seconds of an episode, e.g. 20")
    _check_commands(cfg.commands.base_velocity)
    _check_terrain(cfg)
    if getattr(cfg.curriculum, "command_ranges", None) is not None:
        _check_command_curriculum(cfg.curriculum.command_ranges.params)
    _check_actuators(cfg.scene.robot.actuators)


def _check_actuators(actuators: dict[str, Any]) -> None:
    for motors in actuators.values():
        if isinstance(motors, ActuatorNetMLPCfg) and not _is_reachable(motors.network_file):
            raise ValueError(
                f"the motors' network {motors.network_file} cannot be reached; leave out presets=actuator_net, or give"
                " a copy of the file: env.scene.robot.actuators.motors.network_file=PATH"
            )


def _check_commands(command: Any) -> None:
    names = ["lin_vel_x", "lin_vel_y", "ang_vel_z", *(["heading"] if command.heading_command else [])]
    for name in names:
        most = _FASTEST[name]
        low, high = _range(f"{_COMMAND}.ranges.{name}", getattr(command.ranges, name))
        if max(abs(low), abs(high)) > most:
            raise ValueError(
                f"{_COMMAND}.ranges.{name} is [{low:g},{high:g}]; no robot follows that, give numbers from {-most:g} to"
                f" {most:g}"
            )
    low, _ = _range(f"{_COMMAND}.resampling_time_range", command.resampling_time_range)
    if low <= 0.0:
        raise ValueError(f"{_COMMAND}.resampling_time_range begins at {low:g} s; give times above 0, e.g. [10.0,10.0]")
    for name in ("rel_standing_envs", "rel_heading_envs"):
        _need_share(f"{_COMMAND}.{name}", getattr(command, name))


def _check_command_curriculum(params: dict[str, Any]) -> None:
    key = "env.curriculum.command_ranges.params"
    _need_share(f"{key}.start", params["start"])
    _need_share(f"{key}.threshold", params["threshold"])
    for name in ("step", "episodes"):
        if not _is_number(params[name]) or params[name] <= 0.0:
            raise ValueError(f"{key}.{name} is {params[name]}; give a number above 0")


def _check_terrain(cfg: Any) -> None:
    terrain = cfg.scene.terrain
    if terrain.terrain_type == "plane":
        for name, part in (("curriculum.terrain_levels", cfg.curriculum), ("scene.height_scanner", cfg.scene)):
            if getattr(part, name.rpartition(".")[2], None) is not None:
                raise ValueError(
                    f"{_TERRAIN}.terrain_type is plane, and env.{name} needs uneven ground; take the task for flat"
                    " ground, Isaac-Velocity-Flat-..."
                )
        return
    if terrain.terrain_type != "generator" or terrain.terrain_generator is None:
        raise ValueError(f"{_TERRAIN}.terrain_type is {terrain.terrain_type}; choose from plane, generator")
    level = terrain.max_init_terrain_level
    if level is not None and level < 0:
        raise ValueError(f"{_TERRAIN}.max_init_terrain_level is {level}; the easiest level is 0")
    _check_generator(terrain.terrain_generator)
    bounds = cfg.terminations.terrain_out_of_bounds
    if bounds is not None:
        generator = terrain.terrain_generator
        room = 0.5 * min(generator.num_rows * generator.size[0], generator.num_cols * generator.size[1])
        buffer = bounds.params["distance_buffer"]
        if room + generator.border_width <= buffer:
            raise ValueError(
                f"the ground ends {room + generator.border_width:g} m from its middle, and episodes end {buffer:g} m"
                f" before its edge; raise {_GENERATOR}.border_width, num_rows or num_cols"
            )


def _check_generator(generator: Any) -> None:
    for name in ("num_rows", "num_cols"):
        value = getattr(generator, name)
        if not _is_number(value) or value != int(value) or value < 1:
            raise ValueError(f"{_GENERATOR}.{name} is {value}; give a whole number from 1 on")
    pieces = generator.num_rows * generator.num_cols
    if pieces > _MOST_PIECES:
        raise ValueError(
            f"{_GENERATOR} has {generator.num_rows} x {generator.num_cols} = {pieces} pieces; at most {_MOST_PIECES}"
            " fit into memory, lower num_rows or num_cols"
        )
    lengths = {
        "size": min(generator.size),
        **{n: getattr(generator, n) for n in ("horizontal_scale", "vertical_scale")},
    }
    for name, value in lengths.items():
        if not _is_number(value) or value <= 0.0:
            raise ValueError(f"{_GENERATOR}.{name} is {value}; give metres above 0")
    if not _is_number(generator.border_width) or generator.border_width < 0.0:
        raise ValueError(f"{_GENERATOR}.border_width is {generator.border_width}; give metres from 0 on")
    low, high = _range(f"{_GENERATOR}.difficulty_range", generator.difficulty_range)
    if low < 0.0 or high > 1.0:
        raise ValueError(f"{_GENERATOR}.difficulty_range is [{low:g},{high:g}]; give numbers from 0 to 1")
    for name, kind in generator.sub_terrains.items():
        _check_kind(f"{_GENERATOR}.sub_terrains.{name}", kind, min(generator.size))
    if not any(kind.proportion > 0.0 for kind in generator.sub_terrains.values()):
        raise ValueError(f"{_GENERATOR}.sub_terrains has no kind of ground with a proportion above 0; raise one")


def _check_kind(key: str, kind: Any, size: float) -> None:
    """Refuse a kind of ground that does not fit on a piece, or whose numbers are no ranges or lengths."""
    for name, value in vars(kind).items():
        if name.endswith("_range"):
            low, _ = _range(f"{key}.{name}", value)
            if low < 0.0:
                raise ValueError(f"{key}.{name} begins at {low:g}; give numbers from 0 on")
        elif name.endswith(("_width", "_step", "proportion")) and not (_is_number(value) and value >= 0.0):
            raise ValueError(f"{key}.{name} is {value}; give a number from 0 on")
    for name in ("step_width", "grid_width", "noise_step"):
        if getattr(kind, name, 1.0) <= 0.0:
            raise ValueError(f"{key}.{name} is {getattr(kind, name)}; give metres above 0")
    needed = getattr(kind, "platform_width", 0.0) + 2.0 * getattr(kind, "border_width", 0.0)
    if needed >= size:
        raise ValueError(
            f"{key} needs {needed:g} m for its platform_width and border_width, and a piece of ground has {size:g} m;"
            f" lower them, or raise {_GENERATOR}.size"
        )


def _range(key: str, value: Any) -> tuple[float, float]:
    """Return a range as two numbers in order.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_number, value)):
        raise ValueError(f"{key} is {value}; give two numbers, lowest and highest, e.g. [-1.0,1.0]")
    low, high = value
    if low > high:
        raise ValueError(f"{key} is [{low:g},{high:g}], whose lowest number is above the highest; exchange them")
    return low, high


def _need_share(key: str, value: Any) -> None:
    if not _is_number(value) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{key} is {value}; give a number from 0 to 1")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_reachable(file: str) -> bool:
    if not file.startswith(("http://", "https://")):
        return Path(file).is_file()
    # Isaac Lab's own check waits for a minute where there is no network.
    try:
        with urllib.request.urlopen(urllib.request.Request(file, method="HEAD"), timeout=_PATIENCE):
            return True
    except OSError:
        return False
