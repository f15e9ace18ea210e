# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The machines: numbers about hardware, MJCF to USD, and pinned joint and body orders."""
