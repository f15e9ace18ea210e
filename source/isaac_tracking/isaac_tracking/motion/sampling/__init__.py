# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where episodes start: the samplers, and what the adaptive one is made of."""
