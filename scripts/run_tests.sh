#!/usr/bin/env bash
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

# The project's checks, from nothing: environment, ruff, codespell, pyright, pytest. Needs no GPU.
# Arguments go to pytest, for example: bash scripts/run_tests.sh tests/test_shell.py -k exit_code
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."
export PYTHONUNBUFFERED=1 PYRIGHT_PYTHON_IGNORE_WARNINGS=1
unset PYTHONPATH PYTHONHOME ISAACLAB_PATH VIRTUAL_ENV CONDA_PREFIX

bash scripts/setup.sh
if ! cmp -s requirements/dev.txt .venv/.isaac_tracking_dev; then
    echo "[tests] installing requirements/dev.txt"
    PIP_USER=0 .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps -r requirements/dev.txt \
        2>&1 | { grep -v '^WARNING: ' || true; }
    cp requirements/dev.txt .venv/.isaac_tracking_dev
fi

failed=()
check() {
    echo "[tests] $1"
    .venv/bin/python -m "${@:2}" || failed+=("$1")
}
check "ruff check" ruff check --output-format concise .
check "ruff format --check" ruff format --check .
check "codespell" codespell_lib source scripts tests docs requirements .ci ./*.md ./*.sh ./*.toml
check "pyright" pyright --level error
# Two processes, each with whole files: what a file makes is made once. One simulator of small size takes one core.
export OMP_NUM_THREADS=1
check "pytest" pytest -m "not gpu" --timeout 900 -n 2 --dist loadfile --no-loadscope-reorder "$@"
# To be read and not judged: machines differ in times, though hardly in counts and ratios.
if [ "$#" = 0 ]; then
    echo "[tests] benchmark, beside the one that is kept"
    .venv/bin/python scripts/benchmark.py --device cpu --num_envs 64 --steps 30 --compare docs/benchmarks/cpu.json \
        | { grep -v '\]   [a-z]*/' || true; } || failed+=("benchmark")
fi

if [ "${#failed[@]}" != 0 ]; then
    printf '[tests] FAILED: %s\n' "${failed[*]}"
    exit 1
fi
echo "[tests] all passed"
