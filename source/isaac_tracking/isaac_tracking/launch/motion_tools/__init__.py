# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The subcommands of ``scripts/motions.py``: one module each, a dataclass of options that is called to run."""
