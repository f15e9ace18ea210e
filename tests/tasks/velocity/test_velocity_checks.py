# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Ground, commands and motors that cannot be are refused in one sentence that names the setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.tasks.velocity.checks import check_env_cfg

ROUGH, FLAT = "Isaac-Velocity-Rough-Unitree-Go1-v0", "Isaac-Velocity-Flat-Unitree-Go1-v0"
RANGES = "env.commands.base_velocity.ranges"
GROUND = "env.scene.terrain"
PIECES = f"{GROUND}.terrain_generator"


def check(task: str, *overrides: str) -> None:
    check_env_cfg(resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=list(overrides))[0])


@pytest.mark.parametrize(
    "override",
    [
        f"{RANGES}.lin_vel_x=[-3.0,3.0]",
        f"{RANGES}.lin_vel_y=[0,0]",
        f"{PIECES}.num_rows=1",
        f"{PIECES}.difficulty_range=[0.5,0.5]",
        f"{PIECES}.sub_terrains.boxes.proportion=0.0",
        "env.curriculum.command_ranges=null",
        "env.curriculum.terrain_levels=null",
        "env.terminations.terrain_out_of_bounds=null",
    ],
)
def test_what_can_be_is_not_refused(override: str):
    check(ROUGH, override)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (f"{RANGES}.lin_vel_x=[1.0,-1.0]", f"{RANGES}.lin_vel_x is [1,-1], whose lowest number is above the highest"),
        (f"{RANGES}.lin_vel_y=[1.0]", "lin_vel_y is"),
        (f"{RANGES}.ang_vel_z=[-50.0,50.0]", "no robot follows that, give numbers from -20 to 20"),
        (f"{RANGES}.heading=[-7.0,7.0]", f"{RANGES}.heading is [-7,7]"),
        ("env.commands.base_velocity.resampling_time_range=[0.0,5.0]", "resampling_time_range begins at 0 s"),
        ("env.commands.base_velocity.rel_standing_envs=1.5", "rel_standing_envs is 1.5; give a number from 0 to 1"),
        ("env.curriculum.command_ranges.params.start=2.0", "command_ranges.params.start is 2.0"),
        ("env.curriculum.command_ranges.params.step=0.0", "step is 0.0; give a number above 0"),
        ("env.episode_length_s=0.0", "env.episode_length_s is 0.0"),
        (f"{PIECES}.num_rows=0", f"{PIECES}.num_rows is 0; give a whole number from 1 on"),
        (f"{PIECES}.num_cols=500", "10 x 500 = 5000 pieces; at most 2000"),
        (f"{PIECES}.size=[0.0,8.0]", f"{PIECES}.size is 0.0; give metres above 0"),
        (f"{PIECES}.horizontal_scale=-0.1", "horizontal_scale is -0.1"),
        (f"{PIECES}.border_width=-1.0", "border_width is -1.0"),
        (f"{PIECES}.difficulty_range=[0.5,2.0]", "difficulty_range is [0.5,2]; give numbers from 0 to 1"),
        (f"{PIECES}.sub_terrains.boxes.grid_height_range=[0.3,0.1]", "boxes.grid_height_range is [0.3,0.1]"),
        (f"{PIECES}.sub_terrains.boxes.grid_width=0.0", "boxes.grid_width is 0.0; give metres above 0"),
        (f"{PIECES}.sub_terrains.boxes.platform_width=9.0", "boxes needs 9 m"),
        (f"{PIECES}.sub_terrains.pyramid_stairs.border_width=3.0", "pyramid_stairs needs 9 m for its platform_width"),
        (f"{PIECES}.sub_terrains.random_rough.noise_range=[-0.1,0.1]", "random_rough.noise_range begins at -0.1"),
        (f"{PIECES}.sub_terrains.boxes.proportion=-1.0", "boxes.proportion is -1.0"),
        (f"{GROUND}.terrain_type=usd", f"{GROUND}.terrain_type is usd; choose from plane, generator"),
        (f"{GROUND}.terrain_type=plane", "take the task for flat ground"),
        (f"{GROUND}.max_init_terrain_level=-1", "max_init_terrain_level is -1; the easiest level is 0"),
    ],
)
def test_what_cannot_be_is_refused(override: str, words: str):
    with pytest.raises(ValueError) as error:
        check(ROUGH, override)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_ground_of_no_kind_or_too_small_is_refused():
    kinds = (
        "pyramid_stairs",
        "pyramid_stairs_inv",
        "boxes",
        "random_rough",
        "hf_pyramid_slope",
        "hf_pyramid_slope_inv",
    )
    with pytest.raises(ValueError, match="no kind of ground with a proportion above 0"):
        check(ROUGH, *(f"{PIECES}.sub_terrains.{kind}.proportion=0.0" for kind in kinds))
    # Half of 8 m, without a border, less 5 m.
    small = (f"{PIECES}.num_rows=1", f"{PIECES}.num_cols=1", f"{PIECES}.border_width=0.0")
    check(ROUGH, *small)
    with pytest.raises(ValueError, match="the ground ends 4 m from its middle, and episodes end 5 m before its edge"):
        check(ROUGH, *small, "env.terminations.terrain_out_of_bounds.params.distance_buffer=5.0")


def test_motors_that_are_a_network_need_its_file(tmp_path: Path):
    key, file = "env.scene.robot.actuators.motors.network_file", tmp_path / "motors.pt"
    with pytest.raises(ValueError, match=f"network {file} cannot be reached; leave out presets=actuator_net"):
        check(FLAT, "presets=actuator_net", f"{key}={file}")
    file.touch()
    check(FLAT, "presets=actuator_net", f"{key}={file}")
    # Port 9 of this computer answers nobody.
    with pytest.raises(ValueError, match="cannot be reached"):
        check(FLAT, "presets=actuator_net", f"{key}=http://127.0.0.1:9/motors.pt")
