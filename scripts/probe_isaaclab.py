# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tell the wrappers what a Python has, importing none of it: Isaac Lab, its version, and what we would have to add.

Prints one line of tab-separated fields: ``isaac-tracking-probe``, the interpreter, its version, Isaac Lab's version
(``none``, ``unknown``), the missing pins of requirements/project.txt (``none``), the name of their overlay folder.
"""

import hashlib
import importlib.metadata
import importlib.util
import platform
import sys
from pathlib import Path

PINS = Path(__file__).resolve().parent.parent / "requirements" / "project.txt"


def isaaclab_version() -> str:
    spec = importlib.util.find_spec("isaaclab")
    if spec is None or spec.origin is None:  # no origin: a mere folder of that name
        return "none"
    for folder in list(Path(spec.origin).resolve().parents)[1:5]:  # a source tree: its package counts versions apart
        if (folder / "VERSION").is_file() and (folder / "source" / "isaaclab").is_dir():
            return (folder / "VERSION").read_text().strip()
    try:
        return importlib.metadata.version("isaaclab")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def missing_pins() -> list[str]:
    lines = [line.partition("#") for line in PINS.read_text().splitlines()]
    pins = [(pin.strip(), module.strip()) for pin, _, module in lines if pin.strip()]
    return [pin for pin, module in pins if importlib.util.find_spec(module) is None]


def main() -> None:
    missing = " ".join(missing_pins())
    digest = hashlib.sha256(missing.encode()).hexdigest()[:8]
    overlay = f"{sys.implementation.cache_tag}-{platform.machine()}-{digest}"
    version = ".".join(map(str, sys.version_info[:3]))
    print("isaac-tracking-probe", sys.executable, version, isaaclab_version(), missing or "none", overlay, sep="\t")


if __name__ == "__main__":
    main()
