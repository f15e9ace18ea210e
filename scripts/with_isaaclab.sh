#!/usr/bin/env bash
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

# Run a Python script in the Python of the Isaac Lab that scripts/find_isaaclab.sh finds, in the current folder.
set -euo pipefail
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
source "$here/find_isaaclab.sh"
find_isaaclab
add_missing_packages
set_python_path
exec "${LAUNCHER[@]}" "$@"
