# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Saying once, and loudly, that the physics dropped contacts or constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .terminal import print_line

if TYPE_CHECKING:
    from ..tasks.buffer_watch import BufferWatch


class BufferWarning:
    """Reads a watch of the physics' buffers, and warns the first time that something did not fit.

    Args:
        watch: The watch; None if the engine is not MJWarp, and then there is nothing to say.
    """

    def __init__(self, watch: BufferWatch | None) -> None:
        self._watch, self._warned = watch, False

    @classmethod
    def attach(cls) -> BufferWarning:
        """Watch the physics that runs in this process, from its next step on."""
        from ..tasks.buffer_watch import BufferWatch

        return cls(BufferWatch.attach())

    def read(self) -> dict[str, float]:
        """Return what is logged of the steps since the last reading, and warn if there is reason; waits for the device.

        Returns:
            ``Physics/overflow_contacts`` and ``Physics/overflow_constraints``; nothing for engines without such
            buffers.
        """
        if self._watch is None:
            return {}
        reading = self._watch.read()
        warning = reading.warning()
        if warning is not None and not self._warned:
            self._warned = True
            print_line(f"WARNING: {warning}")
        return reading.log()
