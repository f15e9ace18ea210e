# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the scripts call: options are read and checked here, before a simulator is started or a file is written."""
