# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def untrained_run(tmp_path_factory: pytest.TempPathFactory, _simulator) -> Path:
    """A run folder with model_0.pt, of a policy that never learned anything, as training writes it."""
    from isaaclab.utils import to_dict
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg

    from isaac_tracking.launch.overrides import resolve_config
    from isaac_tracking.learning.runner import Runner
    from isaac_tracking.learning.runs import write_record

    task = "Isaac-Tracking-G1-v0"
    agent_cfg = handle_deprecated_rsl_rl_cfg(resolve_config(task, [])[1], check_rsl_rl_version())
    runner = Runner(RslRlVecEnvWrapper(_simulator), to_dict(agent_cfg), device="cpu")
    folder = tmp_path_factory.mktemp("untrained")
    runner.save(str(folder / "model_0.pt"))
    write_record(folder, {"task": task, "overrides": [], "planned": 1, "clips": ["stand"]})
    return folder
