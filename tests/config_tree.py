# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""All that is in a resolved config."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING
from typing import Any

from isaaclab_tasks.utils import PresetCfg


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the config and everything in it, each with its path."""
    yield path, value
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    else:
        items = vars(value).items() if hasattr(value, "__dataclass_fields__") else ()
    for key, item in items:
        yield from nodes(item, f"{path}.{key}")


def assert_decided(cfg: Any) -> None:
    """Check that no choice of presets and no missing value is left."""
    found = list(nodes(cfg))
    assert len(found) > 100
    for path, value in found:
        assert not isinstance(value, PresetCfg), path
        assert value is not MISSING, path
