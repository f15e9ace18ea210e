# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Teacher and student: privileged eyes in simulation, and a module that infers from history what they see."""
