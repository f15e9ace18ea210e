#!/usr/bin/env bash
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

# Train a policy: finds Isaac Lab (scripts/find_isaaclab.sh) and runs scripts/train.py in it.
set -euo pipefail
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
source "$here/scripts/find_isaaclab.sh"

usage() {
    cat <<'EOF'
Usage: bash train.sh [OPTIONS] [physics=ENGINE] [env.KEY=VALUE ...] [agent.KEY=VALUE ...]

Train a policy. Without options: Isaac-Tracking-G1-v0 with the project's motions (on a CPU four of them).

  --task ID              the task to train (default: Isaac-Tracking-G1-v0)
  --motion NAME ...      of tracking tasks: the motions, names or patterns of the project's clips, files (.npz), folders,
                         manifests (.toml, see docs/motions.md)
  --num_envs N           environments simulated at once (default: the task's, by device)
  --max_iterations N     iterations to train; with --resume, more of them (default: the task's)
  --seed N               random seed
  --device DEVICE        cuda, cuda:N or cpu (default: a GPU if there is one, else cpu)
  --gpus N               GPUs to train on, each with --num_envs environments of its own (default: 1)
  --nnodes N             hosts to train on (default: 1; see docs/options.md)
  --node_rank I          which of them this is, from 0
  --master ADDRESS:PORT  where they meet: host 0, and a free port there
  --run_name NAME        added to the name of the run's folder under logs/rsl_rl/
  --logger NAME          tensorboard (default), wandb or neptune

  --resume               go on with the newest run of this task that has a checkpoint, in its folder
  --checkpoint PATH      go on from this checkpoint (model_N.pt), or from the newest of a run folder; of the stage
                         before, begin a new run from it; run:ENTITY/PROJECT/ID fetches one from W&B

  --pipeline             train a teacher and its student, stage after stage, and examine them; with --resume, go on
                         with that (see docs/three_stages.md)
  --stages A,B,...       the stages of the pipeline (default: train,adapt,finetune)
  --stage_iterations A=N,...
                         iterations of single stages; --max_iterations is for all others
  --evaluate SETTING ... what is done to the robot in the examination: clean (default), noisy, randomized, pushed;
                         or none

  --gui                  show the simulation in a window
  --video                record videos while training
  --video_length N       steps in each video
  --video_interval N     steps from the start of one video to the start of the next

  --isaaclab PATH        the Isaac Lab to use: a source tree, an environment, or a Python
                         (default: $ISAACLAB_PATH, the active environment, ../IsaacLab, ~/IsaacLab,
                         /workspace/isaaclab, /opt/IsaacLab, this project's .venv, which is made if need be)
  --verbose              show where Isaac Lab was looked for, and all that it prints
  -h, --help             this text

  physics=newton_mjwarp | physx | isaacsim_physx     the physics engine (default: newton_mjwarp)
  env.KEY=VALUE, agent.KEY=VALUE                      any value of the task's or the learner's configuration

Examples:
  bash train.sh
  bash train.sh --num_envs 1024 --max_iterations 3000 --run_name first
  bash train.sh --resume
  bash train.sh --pipeline
  bash train.sh --task Isaac-Velocity-Rough-Unitree-Go1-v0
  bash train.sh agent.algorithm.learning_rate=5e-4
EOF
}

run_in_isaaclab scripts/train.py usage "$@"
