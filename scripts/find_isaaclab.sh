# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause
#
# Sourced by train.sh and test.sh, which then call `run_in_isaaclab SCRIPT USAGE_FUNCTION ARGUMENTS...`. Options that
# it takes for itself are --isaaclab and --help; --verbose is heeded and passed on, like everything else.
#
# Isaac Lab is looked for in this order; nothing is imported in order to look:
#   1. --isaaclab PATH   2. $ISAACLAB_PATH   3. the active environment's Python   4. an isaaclab.sh in a usual place
#   5. this project's .venv   6. a .venv made now by scripts/setup.sh
# The first two were named by somebody: when they are wrong, that is an error and not the end of a list.

SUPPORTED_MAJOR=3
PROJECT_ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
NAMED=""      # what --isaaclab says
VERBOSE=0
LAUNCHER=()   # the answer: a Python, or `bash .../isaaclab.sh -p`
PYTHON=""     # the interpreter behind it,
PYTHON_VERSION=""
MISSING=""    # which of our pins it lacks,
OVERLAY=""    # and the folder they go to
FOUND_VERSION=""
REASON=""     # why the last place was refused

say() { printf '[isaac_tracking] %s\n' "$*" >&2; }
tell() { [ "$VERBOSE" = 0 ] || say "$*"; }
fail() {
    printf 'Error: %s\n' "$1" >&2
    shift
    [ $# = 0 ] || printf '  %s\n' "$@" >&2
    exit 2
}

# $PYTHONPATH without what breaks a Python of version $1 (empty: not known yet): a sourced ROS, packages of another
# Python, a bare standard library.
clean_python_path() {
    local entry kept="" minor="$1"
    local -a entries=()
    IFS=: read -r -a entries <<<"${PYTHONPATH:-}"
    for entry in ${entries[@]+"${entries[@]}"}; do
        case "$entry/" in
            / | /opt/ros/* | */lib/python[0-9].[0-9]/ | */lib/python[0-9].[0-9][0-9]/ | */lib-dynload/) continue ;;
            */python"$minor"/site-packages/* | */python"$minor"/dist-packages/*) ;;
            */python[0-9].[0-9]*/site-packages/* | */python[0-9].[0-9]*/dist-packages/*) [ -z "$minor" ] || continue ;;
        esac
        kept="$kept${kept:+:}$entry"
    done
    printf '%s' "$kept"
}

# Ask a launcher (a Python, or `bash .../isaaclab.sh -p`) about itself; 0 if it runs an Isaac Lab that will do.
probe() {
    local answer found version minor="" status=0
    if [ "$1" != bash ]; then
        minor="$("$1" -E -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" || true
    fi
    answer="$(PYTHONPATH="$(clean_python_path "$minor")" \
        "$@" "$PROJECT_ROOT/scripts/probe_isaaclab.py" 2>&1 </dev/null)" || status=$?
    found="$(printf '%s\n' "$answer" | grep -a '^isaac-tracking-probe' | tail -n 1)" || true
    if [ -z "$found" ]; then
        answer="$(printf '%s\n' "$answer" | grep -a . | tail -n 1 | cut -c 1-200)" || true
        REASON="it does not run Python (exit code $status): $answer"
        return 1
    fi
    IFS=$'\t' read -r _ PYTHON PYTHON_VERSION version MISSING OVERLAY <<<"$found"
    case "$version" in
        none) REASON="its Python ($PYTHON, $PYTHON_VERSION) has no package isaaclab" ; return 1 ;;
        unknown) ;;
        *) right_major "$version" || return 1 ;;
    esac
    [ "$MISSING" != none ] || MISSING=""
    LAUNCHER=("$@")
    FOUND_VERSION="$version"
}

right_major() {
    [ "${1%%.*}" != "$SUPPORTED_MAJOR" ] || return 0
    REASON="it is Isaac Lab $1, and this project needs Isaac Lab $SUPPORTED_MAJOR.x"
    return 1
}

# A source tree: by its isaaclab.sh, or (newer trees have none) by the Python of its own environment.
probe_tree() {
    local tree="$1" python
    if [ -f "$tree/VERSION" ]; then
        right_major "$(tr -d '[:space:]' <"$tree/VERSION")" || return 1
    fi
    if [ -f "$tree/isaaclab.sh" ]; then
        probe bash "$tree/isaaclab.sh" -p
        return
    fi
    for python in "$tree/.venv/bin/python" "$tree/env_isaaclab/bin/python"; do
        if [ -x "$python" ]; then
            probe "$python"
            return
        fi
    done
    REASON="no isaaclab.sh there, and no .venv/bin/python either"
    return 1
}

probe_named() {
    local path="$1"
    if [ ! -e "$path" ]; then
        REASON="no such file or folder"
        return 1
    fi
    path="$(cd -- "$(dirname -- "$path")" && pwd)/$(basename -- "$path")"
    if [ -d "$path" ] && [ -x "$path/bin/python" ]; then
        probe "$path/bin/python"
    elif [ -d "$path" ]; then
        probe_tree "$path"
    elif [ "$(basename -- "$path")" = isaaclab.sh ]; then
        probe_tree "$(dirname -- "$path")"
    elif [ -x "$path" ]; then
        probe "$path"
    else
        REASON="a file that is neither isaaclab.sh nor executable"
        return 1
    fi
}

# $1 is how the place was named, $2 what it says.
take_named() {
    if probe_named "$2"; then
        chosen "$1 $2"
        return 0
    fi
    tell "tried $1 $2: refused, $REASON"
    fail "$1 $2: $REASON." \
        "It may be: a source tree (with isaaclab.sh), an environment (with bin/python), or a Python itself." \
        "Fix the path; or leave it out, and the wrappers look for themselves (--verbose shows where)."
}

take() {
    local label="$1"
    shift
    if "$@"; then
        chosen "$label"
        return 0
    fi
    tell "tried $label: $REASON"
    case "$REASON" in "it is Isaac Lab"*) [ "$VERBOSE" = 1 ] || say "skipped $label: $REASON" ;; esac
    return 1
}

chosen() {
    tell "tried $1: taken"
    say "Isaac Lab $FOUND_VERSION: $1 (${LAUNCHER[*]}, Python $PYTHON_VERSION)"
}

find_isaaclab() {
    local place python seen=":"
    if [ -n "$NAMED" ]; then
        take_named "--isaaclab" "$NAMED"
        return
    fi
    tell "tried --isaaclab: not given"
    if [ -n "${ISAACLAB_PATH:-}" ]; then
        take_named "\$ISAACLAB_PATH" "$ISAACLAB_PATH"
        return
    fi
    tell "tried \$ISAACLAB_PATH: not set"

    for python in "${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/python}" "${CONDA_PREFIX:+$CONDA_PREFIX/bin/python}" \
        "$(command -v python || true)" "$(command -v python3 || true)"; do
        if [ -z "$python" ] || [ ! -x "$python" ]; then continue; fi
        case "$seen" in *":$python:"*) continue ;; esac
        seen="$seen$python:"
        if take "the active environment, $python" probe "$python"; then return; fi
    done
    [ "$seen" != ":" ] || tell "tried the active environment: no python on the PATH"

    for place in "$PROJECT_ROOT/../IsaacLab" "${HOME:-/nonexistent}/IsaacLab" /workspace/isaaclab /opt/IsaacLab; do
        if [ ! -d "$place" ]; then
            tell "tried $place: no such folder"
        elif take "$place" probe_tree "$(cd -- "$place" && pwd)"; then
            return
        fi
    done

    local own="this project's .venv"
    unset PYTHONHOME
    if [ ! -e "$PROJECT_ROOT/.venv" ]; then
        tell "tried $own: not made yet"
    elif bash "$PROJECT_ROOT/scripts/setup.sh" --check; then
        if take "$own" probe "$PROJECT_ROOT/.venv/bin/python"; then return; fi
    else
        tell "tried $own: incomplete, or older than requirements/"
    fi
    say "no Isaac Lab found: making this project's own with scripts/setup.sh (once, a few minutes)"
    bash "$PROJECT_ROOT/scripts/setup.sh" >&2 || exit
    take "$own, just made" probe "$PROJECT_ROOT/.venv/bin/python" ||
        fail "scripts/setup.sh ended well, but $PROJECT_ROOT/.venv cannot be used: $REASON." \
            "Remove that folder and run 'bash scripts/setup.sh'."
}

set_python_path() {
    local kept
    kept="$(clean_python_path "${PYTHON_VERSION%.*}")"
    [ "$kept" = "${PYTHONPATH:-}" ] || say "PYTHONPATH without what is of ROS or of another Python: '$kept'"
    export PYTHONPATH="$PROJECT_ROOT/source/isaac_tracking${MISSING:+:$PROJECT_ROOT/.overlay/$OVERLAY}${kept:+:$kept}"
}

add_missing_packages() {
    if [ -z "$MISSING" ] || [ -d "$PROJECT_ROOT/.overlay/$OVERLAY" ]; then return; fi
    say "this Isaac Lab lacks $MISSING: they go to .overlay/, and it stays as it is"
    bash "$PROJECT_ROOT/scripts/setup.sh" --overlay "$PYTHON" >&2 || exit
}

run_in_isaaclab() {
    local script="$1" usage="$2"
    local -a arguments=()
    shift 2
    while [ $# -gt 0 ]; do
        case "$1" in
            -h | --help) "$usage" ; exit 0 ;;
            --verbose) VERBOSE=1 ; arguments+=("$1") ;; # scripts/*.py have such an option too
            --isaaclab)
                case "${2:-}" in
                    "" | -*) fail "--isaaclab needs a path." "For example: --isaaclab ~/IsaacLab" ;;
                esac
                NAMED="$2"
                shift
                ;;
            --isaaclab=?*) NAMED="${1#*=}" ;;
            --isaaclab=) fail "--isaaclab needs a path." "For example: --isaaclab ~/IsaacLab" ;;
            *) arguments+=("$1") ;;
        esac
        shift
    done
    find_isaaclab
    add_missing_packages
    set_python_path
    export ISAAC_TRACKING_CALLER_DIR="$PWD"
    cd -- "$PROJECT_ROOT" || exit
    exec "${LAUNCHER[@]}" "$PROJECT_ROOT/$script" ${arguments[@]+"${arguments[@]}"}
}
