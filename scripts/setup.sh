#!/usr/bin/env bash
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

# Make this project's own environment, .venv, from the pinned lists in requirements/. Safe to run again: it is left
# alone when it is up to date, and made anew when the lists have changed or an earlier run was interrupted.
set -euo pipefail
ROOT="$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")"
VENV="$ROOT/.venv"
OURS="$VENV/.isaac_tracking"  # marks the folder as made here; holds the hash once it is complete
LISTS=(build torch kitless project isaaclab)

usage() {
    cat <<'EOF'
Usage: bash scripts/setup.sh [--python PATH] [--check] [--overlay PYTHON]

Make the environment .venv of this project: Isaac Lab 3.0 without Isaac Sim, and all that it needs, pinned.

  --python PATH      the Python to build it from, 3.12 or 3.11 (default: python3.12, python3.11, python3, python)
  --check            change nothing; exit code 0 if .venv is complete and up to date, else 1
  --overlay PYTHON   for an Isaac Lab of your own, whose Python this is: put the packages that it lacks into .overlay/
                     (train.sh and test.sh do this by themselves)
  -h, --help         this text
EOF
}

say() { printf '[setup] %s\n' "$*"; }
fail() {
    local code="$1"
    printf 'Error: %s\n' "$2" >&2
    shift 2
    [ $# = 0 ] || printf '  %s\n' "$@" >&2
    exit "$code"
}

# pip by the Python $1, in silence unless it fails. Nothing of the caller's configuration may lead it elsewhere.
quiet_pip() {
    local python="$1" log status=0
    shift
    log="$(mktemp)"
    env -u PYTHONPATH -u PYTHONHOME -u PIP_TARGET -u PIP_PREFIX -u PIP_REQUIRE_VIRTUALENV PIP_USER=0 PIP_NO_INPUT=1 \
        PIP_ROOT_USER_ACTION=ignore "$python" -m pip --disable-pip-version-check "$@" >"$log" 2>&1 || status=$?
    if [ "$status" != 0 ]; then
        grep -av '^WARNING: Location' "$log" | tail -n 25 >&2 || true
        rm -f "$log"
        fail 1 "pip failed (exit code $status); its last lines are above." \
            "The usual reasons: no network, or a full disk (a GPU build of PyTorch takes 8 GB; here" \
            "$(df -Ph "$ROOT" | awk 'NR == 2 {print $4}') are free)." \
            "Then run this again: bash scripts/setup.sh"
    fi
    rm -f "$log"
}

# ---- choosing a Python -------------------------------------------------------------------------------------------

# Sets BASE and BASE_VERSION if $1 can be built from, else REASON.
usable() {
    local answer ask='import sys; print(sys.executable, "%d.%d.%d" % sys.version_info[:3], sep="|")'
    if ! answer="$(env -u PYTHONPATH -u PYTHONHOME "$1" -c "$ask" 2>/dev/null)"; then
        REASON="does not run"
        return 1
    fi
    BASE="${answer%|*}"
    BASE_VERSION="${answer##*|}"
    case "$BASE_VERSION" in
        3.11.* | 3.12.*) ;;
        *) REASON="is Python $BASE_VERSION" ; return 1 ;;
    esac
    if ! env -u PYTHONPATH -u PYTHONHOME "$BASE" -c 'import ensurepip, venv' 2>/dev/null; then
        REASON="is Python $BASE_VERSION without the modules venv and ensurepip"
        REASON="$REASON (on Debian and Ubuntu: apt-get install python${BASE_VERSION%.*}-venv)"
        return 1
    fi
}

choose_python() {
    local candidate
    local -a tried=()
    if [ -n "$1" ]; then
        usable "$1" || fail 2 "--python $1 $REASON." \
            "It must be Python 3.12 or 3.11, with the modules venv and ensurepip." \
            "Give the path of another, or leave --python out."
        return
    fi
    for candidate in python3.12 python3.11 python3 python; do
        if ! command -v "$candidate" >/dev/null; then
            tried+=("$candidate: not on the PATH")
        elif usable "$candidate"; then
            return
        else
            tried+=("$candidate: $REASON")
        fi
    done
    fail 2 "no Python 3.12 or 3.11 to build the environment from." "${tried[@]}" \
        "Install one (on Debian and Ubuntu: apt-get install python3.12-venv, or python3.11-venv)," \
        "or name it: bash scripts/setup.sh --python PATH"
}

# ---- is it up to date? -------------------------------------------------------------------------------------------

# What the environment is made of; the path, because an environment cannot be moved.
environment_hash() {
    local list digest='import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
    {
        printf '%s\n' "$1" "$ROOT"
        for list in "${LISTS[@]}"; do cat "$ROOT/requirements/$list.txt"; done
    } | "$VENV/bin/python" -IS -c "$digest"
}

# Of $1, a wanted version of Python, or of any.
environment_is_current() {
    local version
    [ -s "$OURS" ] || return 1
    local ask='import sys; print("%d.%d.%d" % sys.version_info[:3])'
    version="$("$VENV/bin/python" -IS -c "$ask" 2>/dev/null)" || return 1
    [ "${1:-$version}" = "$version" ] && [ "$(cat "$OURS")" = "$(environment_hash "$version")" ]
}
project_is_current() { cmp -s "$ROOT/pyproject.toml" "$VENV/.isaac_tracking_pyproject"; }

# ---- making it ---------------------------------------------------------------------------------------------------

install_project() {
    quiet_pip "$VENV/bin/python" install -q --no-deps --no-build-isolation -e "$ROOT"
    cp "$ROOT/pyproject.toml" "$VENV/.isaac_tracking_pyproject"
}

make_environment() {
    local python="$VENV/bin/python" lists="$ROOT/requirements"
    local -a install=("$python" install -q --no-compile)
    say "1/6 an empty environment in .venv, by Python $BASE_VERSION ($BASE)"
    rm -rf "$VENV"
    mkdir "$VENV"
    : >"$OURS"
    env -u PYTHONPATH -u PYTHONHOME "$BASE" -m venv "$VENV" || fail 1 "$BASE -m venv failed; see above."
    quiet_pip "${install[@]}" --no-deps -r "$lists/build.txt"
    say "2/6 PyTorch (the large one: up to 3 GB to fetch for a GPU, if your pip offers no smaller build)"
    quiet_pip "${install[@]}" -r "$lists/torch.txt" -c "$lists/kitless.txt" -c "$lists/build.txt"
    say "3/6 physics, learning and tools: $(cat "$lists"/{kitless,project}.txt | grep -c '^[A-Za-z]') packages"
    quiet_pip "${install[@]}" --no-deps --no-build-isolation --use-pep517 \
        -r "$lists/kitless.txt" -r "$lists/project.txt"
    say "4/6 Isaac Lab"
    quiet_pip "${install[@]}" --no-deps --ignore-requires-python -r "$lists/isaaclab.txt"
    say "5/6 this project, as it stands in its folder"
    install_project
    say "6/6 compiling to bytecode, and a first import"
    "$python" -m compileall -q -j 0 "$VENV/lib" >/dev/null 2>&1 || true  # templates are no valid Python
    env -u PYTHONPATH -u PYTHONHOME "$python" - <<'EOF' || fail 1 "made, but a first import failed; see above."
import importlib.metadata, shutil
import isaaclab, mujoco, newton, rsl_rl, torch, isaac_tracking
names = ("isaaclab", "newton", "mujoco-warp", "rsl-rl-lib", "torch")
print("[setup] " + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))
if torch.cuda.is_available():
    print(f"[setup] GPU: {torch.cuda.get_device_name(0)}")
elif shutil.which("nvidia-smi"):
    built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    print(f"[setup] Warning: this machine has nvidia-smi, but PyTorch (built {built}) sees no GPU:")
    print("[setup]   training will run on the CPU. Compare with the CUDA version in the first lines of nvidia-smi,")
    print("[setup]   and update the driver if it is lower.")
else:
    print("[setup] no NVIDIA GPU: training will run on the CPU")
EOF
    environment_hash "$BASE_VERSION" >"$OURS.new"
    mv "$OURS.new" "$OURS"
}

setup() {
    local started="$SECONDS" wanted="$1"
    if { [ -e "$VENV" ] || [ -L "$VENV" ]; } && [ ! -e "$OURS" ]; then
        fail 2 "$VENV was not made by this script, so it is left alone." \
            "Use it as it is (bash train.sh --isaaclab '$VENV'), or move it away and run this again."
    fi
    if command -v flock >/dev/null; then  # two at once would spoil each other's work
        exec 9>"$ROOT/.venv.lock"
        flock -n 9 || { say "another setup of this project is running: waiting for it" ; flock 9; }
    fi
    [ -z "$wanted" ] || choose_python "$wanted"
    if environment_is_current "${BASE_VERSION:-}"; then
        if project_is_current; then
            say "$VENV is up to date"
        else
            say "pyproject.toml has changed: installing this project again"
            install_project
        fi
        return
    fi
    [ ! -e "$OURS" ] || say "$VENV is incomplete, of another Python, or older than requirements/: making it anew"
    [ -n "$wanted" ] || choose_python ""
    trap 'say "interrupted: .venv is incomplete; run this again and it starts afresh"; exit 130' INT TERM
    make_environment
    trap - INT TERM
    say "done in $((SECONDS - started)) s: bash train.sh"
}

# ---- the overlay -------------------------------------------------------------------------------------------------

make_overlay() {
    local python="$1" answer version missing name folder
    command -v "$python" >/dev/null ||
        fail 2 "--overlay $python: no such Python." "Give the path of your Isaac Lab's Python."
    answer="$("$python" "$ROOT/scripts/probe_isaaclab.py" 2>&1)" ||
        fail 2 "--overlay $python does not run: ${answer##*$'\n'}"
    IFS=$'\t' read -r _ python version _ missing name <<<"$answer"
    folder="$ROOT/.overlay/$name"
    if [ "$missing" = none ]; then
        say "$python lacks nothing"
        return
    elif [ -d "$folder" ]; then
        say "$folder is there already"
        return
    fi
    say "into .overlay/$name: $missing"
    mkdir -p "$ROOT/.overlay"
    WORK="$(mktemp -d "$ROOT/.overlay/tmp.XXXXXX")"
    trap 'rm -rf "$WORK"' EXIT
    local -a pins install=(install -q --no-deps --target "$WORK/packages")
    read -r -a pins <<<"$missing"
    if "$python" -m pip --version >/dev/null 2>&1; then
        quiet_pip "$python" "${install[@]}" "${pins[@]}"
    else  # an environment made by uv has no pip: borrow one
        choose_python ""
        "$BASE" -m venv "$WORK/pip"
        quiet_pip "$WORK/pip/bin/python" --python "$python" "${install[@]}" "${pins[@]}"
    fi
    rm -rf "$WORK/packages/bin"
    mv -T "$WORK/packages" "$folder" 2>/dev/null || [ -d "$folder" ]  # somebody else was faster
    say "done; $python itself is unchanged"
}

# ---- the command line --------------------------------------------------------------------------------------------

WANTED=""
ACTION=setup
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help) usage ; exit 0 ;;
        --check) ACTION=check ;;
        --python | --overlay)
            [ -n "${2:-}" ] || fail 2 "$1 needs the path of a Python." "For example: $1 /usr/bin/python3.12"
            WANTED="$2"
            [ "$1" = --python ] || ACTION=overlay
            shift
            ;;
        *) fail 2 "unknown option: $1" "Choices: --python PATH, --check, --overlay PYTHON, --help" ;;
    esac
    shift
done
case "$ACTION" in
    setup) setup "$WANTED" ;;
    check) environment_is_current && project_is_current ;;
    overlay) make_overlay "$WANTED" ;;
esac
