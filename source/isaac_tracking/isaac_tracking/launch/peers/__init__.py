# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Our task measured beside those of other projects, each in a process and, if need be, in an environment of its own.

:mod:`.worker` runs in whatever Python has the project that it measures. So it, and what it imports at once, need no
more than torch; only :mod:`.own_task` imports Isaac Lab, and only :mod:`.mjlab_task` the others.
"""
