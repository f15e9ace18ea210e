# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whether the physics had room: contacts and constraints that MJWarp drops when its buffers are full.

MJWarp sizes its buffers once. What does not fit is left out of the step and marked in a bit mask of each robot
(``overflow`` of ``mujoco_warp`` 3.12's ``Data``, never cleared between steps). Newton's own collision pipeline cuts
its contacts to that size before MJWarp counts them, so its counters are looked at as well. All of this is on the
device, and so are our sums: one small kernel after each call of the physics, inside the captured graph where there is
one. Nothing waits for the device but :meth:`BufferWatch.read`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import warp as wp

if TYPE_CHECKING:
    # What a kernel's arguments are, is Warp's own matter.
    Ints = Any
else:
    Ints = wp.array(dtype=int)

CONSTRAINT_BITS = wp.constant(0b11)
"""``OverflowType`` of ``mujoco_warp``: NEFC and NJMAX_NNZ."""
CONTACT_BITS = wp.constant(0b1100)
"""``OverflowType`` of ``mujoco_warp``: BROADPHASE and NARROWPHASE."""
_SPARE = 1.25
"""Room above the largest need that a suggested size leaves."""
_SUMS = 7
"""Numbers that the kernel keeps: calls, three kinds of overflow, three largest needs."""


@wp.kernel(enable_backward=False)
def _look(
    overflow: Ints,
    nefc: Ints,
    nacon: Ints,
    ncollision: Ints,
    pipeline_contacts: Ints,
    most_contacts: int,
    triangle_pairs: Ints,
    most_triangle_pairs: int,
    sums: Ints,
):
    """Add one call of the physics to the sums, and clear the marks."""
    robot = wp.tid()
    marks = overflow[robot]
    overflow[robot] = 0
    if marks & CONSTRAINT_BITS:
        wp.atomic_add(sums, 2, 1)
    # Seldom more than what was seen already, so that robots do not queue for one address.
    if nefc[robot] > sums[5]:
        wp.atomic_max(sums, 5, nefc[robot])
    if robot == 0:
        contacts = nacon[0]
        if ncollision[0] > contacts:
            contacts = ncollision[0]
        if pipeline_contacts[0] > contacts:
            contacts = pipeline_contacts[0]
        sums[0] = sums[0] + 1
        # All robots share one buffer of contacts, and all are marked.
        if (marks & CONTACT_BITS) != 0 or contacts > most_contacts:
            sums[1] = sums[1] + 1
        sums[4] = wp.max(sums[4], contacts)
        if triangle_pairs[0] > most_triangle_pairs:
            sums[3] = sums[3] + 1
        sums[6] = wp.max(sums[6], triangle_pairs[0])


@dataclass(frozen=True)
class Sizes:
    """What the buffers hold."""

    robots: int
    """Number of robots."""
    contacts: int
    """Contacts of all robots together."""
    constraints: int
    """Constraints of each robot, ``njmax``."""
    triangle_pairs: int
    """Pairs of a shape and a triangle of the ground, of all robots together; 0 where there is no such buffer."""
    contact_setting: str
    """Setting that limits the contacts, under ``env.sim.physics``."""


@dataclass(frozen=True)
class BufferReading:
    """What happened since the reading before."""

    sizes: Sizes
    """What the buffers hold."""
    calls: int
    """Calls of the physics."""
    contact_overflows: int
    """Calls in which contacts were dropped, or pairs that might have become contacts."""
    constraint_overflows: int
    """Calls in which a robot's constraints were dropped, summed over the robots."""
    triangle_overflows: int
    """Calls in which pairs of a shape and a triangle of the ground were dropped."""
    most_contacts: int
    """Most contacts, or pairs of shapes that are close, of all robots together that there were after a call."""
    most_constraints: int
    """Most constraints of one robot that there were after a call."""
    most_triangle_pairs: int
    """Most pairs of a shape and a triangle that there were after a call."""

    def log(self) -> dict[str, float]:
        """Return what is logged of a training iteration."""
        return {
            "Physics/overflow_contacts": float(self.contact_overflows + self.triangle_overflows),
            "Physics/overflow_constraints": float(self.constraint_overflows),
        }

    def warning(self) -> str | None:
        """Return a sentence that names what to raise, None if there was room for everything."""
        sizes, parts = self.sizes, []
        if self.contact_overflows:
            # MJWarp takes a number for each robot, Newton's pipeline one for all.
            sharers = sizes.robots if sizes.contact_setting == "solver_cfg.nconmax" else 1
            enough = math.ceil(_SPARE * self.most_contacts / sharers)
            parts.append(
                f"contacts were dropped in {self.contact_overflows} of {self.calls} physics steps (at most"
                f" {self.most_contacts} were found, {sizes.contacts} fit):"
                f" raise env.sim.physics.{sizes.contact_setting}, for example to {enough}"
            )
        if self.triangle_overflows:
            parts.append(
                f"contacts with the ground were dropped in {self.triangle_overflows} of {self.calls} physics steps:"
                f" raise env.sim.physics.collision_cfg.max_triangle_pairs, for example to"
                f" {math.ceil(_SPARE * self.most_triangle_pairs)}"
            )
        if self.constraint_overflows:
            parts.append(
                f"constraints of robots were dropped {self.constraint_overflows} times in {self.calls} physics steps"
                f" (a robot had up to {self.most_constraints}, {sizes.constraints} fit):"
                f" raise env.sim.physics.solver_cfg.njmax, for example to {math.ceil(_SPARE * self.most_constraints)}"
            )
        return "the physics ran out of room, and robots went through things: " + "; ".join(parts) if parts else None


class BufferWatch:
    """Sums what the physics of this process drops; make it once the environment is there.

    Args:
        solver: Newton's MuJoCo solver, on MJWarp.
        contacts: Contacts of Newton's own collision pipeline; None if MuJoCo finds the contacts.
        narrow_phase: That pipeline's narrow phase; None likewise.
    """

    def __init__(self, solver: Any, contacts: Any = None, narrow_phase: Any = None) -> None:
        data = solver.mjw_data
        self._device = data.overflow.device
        self._sums = wp.zeros(_SUMS, dtype=wp.int32, device=self._device)
        nothing = wp.zeros(1, dtype=wp.int32, device=self._device)
        most, setting = int(data.naconmax), "solver_cfg.nconmax"
        if contacts is not None and contacts.rigid_contact_max < most:
            most, setting = int(contacts.rigid_contact_max), "collision_cfg.rigid_contact_max"
        pairs, counted = 0, nothing
        if narrow_phase is not None and narrow_phase.triangle_pairs is not None:
            pairs, counted = narrow_phase.triangle_pairs.shape[0], narrow_phase.triangle_pairs_count
        self.sizes = Sizes(int(data.nworld), most, int(data.njmax), pairs, setting)
        """What the buffers hold."""
        self._inputs = [data.overflow, data.nefc, data.nacon, data.ncollision]
        self._inputs += [nothing if contacts is None else contacts.rigid_contact_count, most]
        self._inputs += [counted, pairs]

    @classmethod
    def attach(cls) -> BufferWatch | None:
        """Watch the physics that runs in this process from its next step on; None unless it is MJWarp."""
        from isaaclab_newton.physics import NewtonManager
        from newton.solvers import SolverMuJoCo

        solver = NewtonManager._solver
        if not isinstance(solver, SolverMuJoCo) or solver.mjw_data is None:
            return None
        pipeline: Any = NewtonManager._collision_pipeline if NewtonManager._needs_collision_pipeline else None
        watch = cls(solver) if pipeline is None else cls(solver, NewtonManager.get_contacts(), pipeline.narrow_phase)
        NewtonManager.register_post_step_callback(watch.look)
        if NewtonManager._graph is not None:
            # It was captured without the callback.
            NewtonManager._invalidate_graph()
        return watch

    def look(self) -> None:
        """Add one call of the physics; waits for nothing."""
        inputs = [*self._inputs, self._sums]
        wp.launch(_look, dim=self.sizes.robots, inputs=inputs, device=self._device)

    def read(self) -> BufferReading:
        """Return what happened since the last reading, and begin anew; waits for the device."""
        calls, contacts, constraints, triangles, *most = (int(value) for value in self._sums.numpy())
        self._sums.zero_()
        return BufferReading(self.sizes, calls, contacts, constraints, triangles, *most)
