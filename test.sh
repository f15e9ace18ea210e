#!/usr/bin/env bash
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

# Play a trained policy: finds Isaac Lab (scripts/find_isaaclab.sh) and runs scripts/play.py in it.
set -euo pipefail
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
source "$here/scripts/find_isaaclab.sh"

usage() {
    cat <<'EOF'
Usage: bash test.sh [OPTIONS] [physics=ENGINE] [env.KEY=VALUE ...] [agent.KEY=VALUE ...]

Play a trained policy and say how well it does. Without options: the latest checkpoint of Isaac-Tracking-G1-v0.
(The project's own tests are run by: bash scripts/run_tests.sh)

  --task ID              the task to play (default: that of the checkpoint's run)
  --checkpoint PATH      the checkpoint (model_N.pt), or a run folder (default: the newest run that has one);
                         run:ENTITY/PROJECT/ID fetches one from W&B
  --motion NAME ...      of tracking tasks: the motions, names or patterns of the project's clips, files (.npz), folders,
                         manifests (.toml, see docs/motions.md)
  --num_envs N           environments simulated at once (default: the task's)
  --episodes N           episodes in each environment (default: 1)
  --seed N               random seed
  --device DEVICE        cuda, cuda:N or cpu (default: a GPU if there is one, else cpu)

  --gui                  show the simulation in a window
  --video                record a video (needs neither a display nor a GPU)
  --video_length N       steps in the video
  --video_interval N     record every N-th step

  --keyboard             of velocity tasks: drive the robot in the browser, by keys, sliders or a gamepad
  --host HOST            address that its page listens on (default: 127.0.0.1, this machine alone)
  --port N               port of its page (default: 8080; 0: any that is free)

  --isaaclab PATH        the Isaac Lab to use: a source tree, an environment, or a Python
                         (default: $ISAACLAB_PATH, the active environment, ../IsaacLab, ~/IsaacLab,
                         /workspace/isaaclab, /opt/IsaacLab, this project's .venv, which is made if need be)
  --verbose              show where Isaac Lab was looked for, and all that it prints
  -h, --help             this text

  physics=newton_mjwarp | physx | isaacsim_physx     the physics engine (default: newton_mjwarp)
  env.KEY=VALUE, agent.KEY=VALUE                      any value of the task's or the learner's configuration

Examples:
  bash test.sh
  bash test.sh --video
  bash test.sh --task Isaac-Velocity-Rough-Unitree-Go1-v0
  bash test.sh --task Isaac-Velocity-Flat-Unitree-Go1-v0 --keyboard
  bash test.sh --checkpoint logs/rsl_rl/g1_tracking/2026-01-31_12-00-00/model_1500.pt --num_envs 4
EOF
}

run_in_isaaclab scripts/play.py usage "$@"
