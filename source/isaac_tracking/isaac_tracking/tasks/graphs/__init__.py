# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A step that the host only starts: by masks instead of indices, and replayed as CUDA graphs."""
