# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``test.sh --keyboard``: a policy that follows velocities is driven in the browser."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..inference.page_server import PageError, free_port
from ..robots.mjcf import mjcf_path
from .checks import need_packages
from .errors import USER_ERRORS, OptionError
from .families import family_of
from .loaded_policy import loaded_policy
from .terminal import print_line, quiet

if TYPE_CHECKING:
    from .play_plan import PlayPlan

_HOST, _PORT = "127.0.0.1", 8080


@dataclass(frozen=True)
class Address:
    """Where a page is served."""

    host: str
    port: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of driving."""
    parser.add_argument("--keyboard", action="store_true", help="of velocity tasks: drive the robot in the browser")
    parser.add_argument("--host", metavar="HOST", help=f"address that the page listens on (default: {_HOST})")
    parser.add_argument("--port", type=_port, metavar="N", help=f"port of the page; 0: any (default: {_PORT})")


def read_address(args: argparse.Namespace, task: str) -> Address | None:
    """Return where the page is to be, or ``None`` if the robot is not to be driven.

    Args:
        args: Options of ``test.sh``.
        task: The task that is to be played.

    Raises:
        OptionError: If the task cannot be driven, other options contradict, or the address cannot be had.
    """
    if not args.keyboard:
        for name in ("host", "port"):
            if getattr(args, name) is not None:
                raise OptionError(f"--{name} is of the page that --keyboard opens; give --keyboard, or leave it out")
        return None
    if family_of(task) != "velocity":
        raise OptionError(
            f"--keyboard is for tasks that follow commanded velocities, and '{task}' tracks motions; give a task such"
            " as --task Isaac-Velocity-Flat-Unitree-Go1-v0"
        )
    for name, reason in (("video", "films episodes"), ("num_envs", "is for many robots")):
        if getattr(args, name):
            raise OptionError(f"--{name} {reason}, and --keyboard drives one robot; leave one of them out")
    need_packages(("viser", "mujoco"))
    address = Address(args.host or _HOST, _PORT if args.port is None else args.port)
    try:
        free_port(address.host, address.port)
    except PageError as error:
        raise _refusal(error) from error
    return address


def drive(plan: PlayPlan, address: Address) -> None:
    """Open the page and step the robot until Ctrl-C.

    Raises:
        OptionError: If the page cannot be opened.
    """
    # Heavy: the simulator's parts, and viser.
    from ..inference.driving.drive import drive as steps
    from ..inference.driving.page import DrivingPage
    from ..inference.driving.state import DrivingState
    from ..inference.driving.walker import Walker, drivable
    from ..inference.driving.wheel import Wheel

    wheels: list[Wheel] = []

    def prepare(env_cfg: Any) -> None:
        wheels.append(Wheel(drivable(env_cfg)))

    with (
        quiet(plan.verbose, (KeyboardInterrupt, SystemExit, *USER_ERRORS)) as curtain,
        loaded_policy(plan, curtain, prepare) as (env, policy),
    ):
        walker, (wheel,) = Walker(env, policy), wheels
        state = DrivingState(walker.restart())
        mjcf = mjcf_path(*env.unwrapped.cfg.scene.robot.spawn.model)
        try:
            page = DrivingPage(walker, mjcf, wheel, state, host=address.host, port=address.port)
        except PageError as error:
            raise _refusal(error) from error
        with page:
            print_line(f"drive the robot at {page.url} | Ctrl-C closes the page")
            for reason in steps(walker, wheel, state):
                print_line(f"started again: {reason}")


def _refusal(error: PageError) -> OptionError:
    return OptionError(f"{error}; choose another with --port or --host")


def _port(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0")
    return int(text)
