#!/usr/bin/env bash
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

# Train the policy that comes with the package, on the shipped clips, and put it into the package. Options go to
# train.sh. It takes 20 minutes on an H200; docs/results.md says what came out of it.
set -euo pipefail
root="$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")"
task=Isaac-Tracking-G1-NoStateEst-v0
package="$root/source/isaac_tracking/isaac_tracking/pretrained"

bash "$root/train.sh" --task "$task" --seed 1 --run_name pretrained --num_envs 4096 --max_iterations 1604 "$@"
python3 "$root/scripts/pack.py" latest --task "$task" --output "$package"
python3 "$root/scripts/export.py" pretrained --output "$package" --no-torchscript
