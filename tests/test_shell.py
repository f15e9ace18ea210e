# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The wrappers and scripts/setup.sh against fake Isaac Labs: fake Pythons and trees, no simulator, no network."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = "bash sh env cat chmod cut grep tail tr dirname basename readlink mkdir mktemp rm cmp flock df awk"
BARE_PYTHON = f'"{sys.executable}" -S'  # sees no installed package, whatever this machine has
PRINT_CALL = """
import json, os, sys
keys = ("PYTHONPATH", "ISAAC_TRACKING_CALLER_DIR", "FAKE_NAME")
seen = {"script": sys.argv[0], "args": sys.argv[1:], "cwd": os.getcwd()}
print(json.dumps(seen | {key: os.environ.get(key) for key in keys}))
sys.exit(int(os.environ.get("FAKE_EXIT", "0")))
"""
FAKE_SETUP = """#!/usr/bin/env bash
echo "$*" >>"$(dirname "$0")/../setup_calls"
case "$1" in
    --check) exit "${FAKE_CHECK:-0}" ;;
    --overlay) exit 0 ;;
    "") [ -z "${FAKE_SETUP_EXIT:-}" ] || exit "$FAKE_SETUP_EXIT"
        mkdir -p "$(dirname "$0")/../.venv/bin" && cat "$FAKE_PYTHON" >"$(dirname "$0")/../.venv/bin/python"
        chmod +x "$(dirname "$0")/../.venv/bin/python" ;;
esac
"""

machine_has_isaaclab = Path("/workspace/isaaclab").exists() or Path("/opt/IsaacLab").exists()
needs_a_bare_machine = pytest.mark.skipif(machine_has_isaaclab, reason="an Isaac Lab is in a usual place here")


class World:
    """A machine with this project in a folder with a space, and the Isaac Labs that a test puts there."""

    def __init__(self, tmp_path: Path):
        self.tmp = tmp_path
        self.project = tmp_path / "my projects" / "isaac tracking"
        self.home = tmp_path / "home"
        self.elsewhere = tmp_path / "else where"
        self.bin = tmp_path / "bin"
        for folder in (self.project / "scripts", self.project / "requirements", self.home, self.elsewhere, self.bin):
            folder.mkdir(parents=True)
        for name in ("train.sh", "test.sh", "scripts/find_isaaclab.sh", "scripts/probe_isaaclab.py"):
            shutil.copy(ROOT / name, self.project / name)
        for name in ("train", "play"):
            (self.project / "scripts" / f"{name}.py").write_text(PRINT_CALL)
        self.write(self.project / "scripts" / "setup.sh", FAKE_SETUP)
        (self.project / "requirements" / "project.txt").write_text("# a module that all have\njson==1.0  # json\n")
        for tool in TOOLS.split():
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)
        spare = self.python(tmp_path / "spare" / "python", "just made")
        self.environment = {"PATH": str(self.bin), "HOME": str(self.home), "FAKE_PYTHON": str(spare)}

    @staticmethod
    def write(path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def python(self, path: Path, name: str, version: str | None = "3.0.0") -> Path:
        """A Python that has an Isaac Lab of this version (None: none) which must not be imported."""
        site = self.tmp / "sites" / name.replace(" ", "_")
        site.mkdir(parents=True, exist_ok=True)
        if version:
            self.write(site / "isaaclab" / "__init__.py", "raise RuntimeError('the wrapper imported isaaclab')")
            (site / f"isaaclab-{version}.dist-info").mkdir(exist_ok=True)
            (site / f"isaaclab-{version}.dist-info" / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: isaaclab\nVersion: {version}\n"
            )
        lines = f'export PYTHONPATH="${{PYTHONPATH:-}}:{site}"\nexport FAKE_NAME="{name}"\nexec {BARE_PYTHON} "$@"\n'
        return self.write(path, "#!/bin/sh\n" + lines)

    def tree(self, path: Path, name: str, version: str = "3.0.0", package: str | None = "3.0.0") -> Path:
        """A source tree with an isaaclab.sh, which counts its calls."""
        python = self.python(path / "kit" / "python", name, package)
        (path / "VERSION").write_text(version + "\n")
        self.write(
            path / "isaaclab.sh",
            f'#!/usr/bin/env bash\necho "[INFO] Using python from: {python}"\n'
            f'[ "$1" = -p ] || exit 9\nshift\necho "$*" >>"{path}/calls"\n"{python}" "$@"\n',
        )
        return path

    def run(self, *args: str, wrapper: str = "train.sh", **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(self.project / wrapper), *args]
        merged = {**self.environment, **environment}
        return subprocess.run(
            command,
            env=merged,
            cwd=self.elsewhere,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
        )

    def call(self, *args: str, wrapper: str = "train.sh", **environment: str) -> dict:
        """Run a wrapper that must end well; what the Python script behind it saw."""
        done = self.run(*args, wrapper=wrapper, **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1]) | {"stderr": done.stderr}

    def setup_calls(self) -> list[str]:
        path = self.project / "setup_calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# ---- which Isaac Lab ----------------------------------------------------------------------------------------------


@needs_a_bare_machine
def test_order_of_detection(world: World):
    """All places have one; they are taken away from the first to the last."""
    world.python(world.tmp / "named" / "bin" / "python", "named")
    world.tree(world.tmp / "variable", "variable")
    world.python(world.tmp / "active" / "bin" / "python", "active venv")
    world.python(world.tmp / "conda" / "bin" / "python", "active conda")
    world.python(world.bin / "python", "on the path")
    world.tree(world.project.parent / "IsaacLab", "sibling")
    world.tree(world.home / "IsaacLab", "at home")
    world.python(world.project / ".venv" / "bin" / "python", "own venv")
    environment = {
        "ISAACLAB_PATH": str(world.tmp / "variable"),
        "VIRTUAL_ENV": str(world.tmp / "active"),
        "CONDA_PREFIX": str(world.tmp / "conda"),
    }
    seen = [world.call("--isaaclab", str(world.tmp / "named"), **environment)["FAKE_NAME"]]
    for name in list(environment):
        seen.append(world.call(**environment)["FAKE_NAME"])
        del environment[name]
    seen.append(world.call()["FAKE_NAME"])
    (world.bin / "python").unlink()
    for place in (world.project.parent / "IsaacLab", world.home / "IsaacLab", world.project / ".venv"):
        seen.append(world.call()["FAKE_NAME"])
        shutil.rmtree(place)
    assert [call for call in world.setup_calls() if call == ""] == []
    seen.append(world.call()["FAKE_NAME"])
    expected = ["named", "variable", "active venv", "active conda", "on the path", "sibling", "at home", "own venv"]
    assert seen == [*expected, "just made"]
    assert [call for call in world.setup_calls() if call == ""] == [""]


@needs_a_bare_machine
def test_verbose_lists_every_place_and_why_it_was_refused(world: World):
    world.python(world.bin / "python3", "bare", version=None)
    world.tree(world.home / "IsaacLab", "old", version="2.3.0")
    done = world.run("--verbose")
    tried = [line.removeprefix("[isaac_tracking] tried ") for line in done.stderr.splitlines() if " tried " in line]
    reasons = [
        "--isaaclab: not given",
        "$ISAACLAB_PATH: not set",
        f"the active environment, {world.bin}/python3: its Python .* has no package isaaclab",
        ".*/../IsaacLab: no such folder",
        f"{world.home}/IsaacLab: it is Isaac Lab 2.3.0, and this project needs Isaac Lab 3.x",
        "/workspace/isaaclab: no such folder",
        "/opt/IsaacLab: no such folder",
        "this project's .venv: not made yet",
        "this project's .venv, just made: taken",
    ]
    assert len(tried) == len(reasons), done.stderr
    for line, reason in zip(tried, reasons, strict=True):
        assert re.fullmatch(reason.replace("$", r"\$"), line)
    assert json.loads(done.stdout)["args"] == ["--verbose"]  # the scripts know it too


def test_says_in_one_line_which_one_it_took(world: World):
    python = world.python(world.tmp / "active" / "bin" / "python", "active")
    seen = world.call(VIRTUAL_ENV=str(world.tmp / "active"))
    assert seen["stderr"].count("\n") == 1
    assert "Isaac Lab 3.0.0" in seen["stderr"] and str(python) in seen["stderr"]


@pytest.mark.parametrize("named", ["lab", "lab/isaaclab.sh", "venv", "venv/bin/python", "newer tree"])
def test_named_path_may_be_a_tree_an_environment_or_a_python(world: World, named: str):
    world.tree(world.elsewhere / "lab", "it")
    world.python(world.elsewhere / "venv" / "bin" / "python", "it")
    world.python(world.elsewhere / "newer tree" / ".venv" / "bin" / "python", "it")
    assert world.call("--isaaclab", named)["FAKE_NAME"] == "it"  # relative to the caller's folder
    assert world.call(f"--isaaclab={named}", ISAACLAB_PATH="/nonexistent")["FAKE_NAME"] == "it"


@pytest.mark.parametrize("how", ["flag", "variable"])
@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("nowhere", "no such file or folder"),
        ("empty", "no isaaclab.sh there, and no .venv/bin/python either"),
        ("old", "it is Isaac Lab 2.3.0, and this project needs Isaac Lab 3.x"),
        ("future", "it is Isaac Lab 4.0.0, and this project needs Isaac Lab 3.x"),
        ("bare", "has no package isaaclab"),
        ("broken", "it does not run Python (exit code 1): [ERROR] no Python found"),
        ("notes.txt", "a file that is neither isaaclab.sh nor executable"),
    ],
)
def test_wrong_named_path_is_an_error_and_nothing_else_is_tried(world: World, how: str, path: str, complaint: str):
    world.python(world.bin / "python", "a good one")
    (world.elsewhere / "empty").mkdir()
    (world.elsewhere / "notes.txt").write_text("")
    world.tree(world.elsewhere / "old", "old", version="2.3.0")
    world.python(world.elsewhere / "future" / "bin" / "python", "future", version="4.0.0")
    world.python(world.elsewhere / "bare" / "bin" / "python", "bare", version=None)
    world.write(world.elsewhere / "broken" / "isaaclab.sh", "echo '[ERROR] no Python found' >&2; exit 1")
    done = world.run("--isaaclab", path) if how == "flag" else world.run(ISAACLAB_PATH=path)
    assert done.returncode == 2
    assert done.stdout == ""
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"Error: {'--isaaclab' if how == 'flag' else '$ISAACLAB_PATH'} {path}: ")
    assert complaint in first


@pytest.mark.parametrize("args", [["--isaaclab"], ["--isaaclab", "--resume"], ["--isaaclab="]])
def test_named_path_must_be_given(world: World, args: list[str]):
    done = world.run(*args)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "Error: --isaaclab needs a path.")


def test_another_major_version_is_skipped_with_a_note(world: World):
    world.python(world.bin / "python", "old", version="2.3.2")
    world.tree(world.project.parent / "IsaacLab", "new")
    seen = world.call()
    assert seen["FAKE_NAME"] == "new"
    assert "skipped the active environment" in seen["stderr"] and "it is Isaac Lab 2.3.2" in seen["stderr"]


def test_a_source_tree_counts_by_its_version_file(world: World):
    """Its Python package has a number of its own, such as 28.0.0."""
    tree = world.tree(world.tmp / "lab", "tree", package=None)
    world.write(tree / "source" / "isaaclab" / "isaaclab" / "__init__.py", "raise RuntimeError('imported')")
    site = world.tmp / "sites" / "tree"
    (site / "isaaclab-28.0.0.dist-info").mkdir()
    (site / "isaaclab-28.0.0.dist-info" / "METADATA").write_text("Name: isaaclab\nVersion: 28.0.0\n")
    (site / "isaaclab").symlink_to(tree / "source" / "isaaclab" / "isaaclab")
    assert "Isaac Lab 3.0.0" in world.call("--isaaclab", str(tree / "kit" / "python"))["stderr"]


def test_a_folder_called_isaaclab_is_not_isaac_lab(world: World):
    world.python(world.bin / "python", "bare", version=None)
    (world.elsewhere / "isaaclab").mkdir()
    world.tree(world.project.parent / "IsaacLab", "real")
    assert world.call(PYTHONPATH=str(world.elsewhere))["FAKE_NAME"] == "real"


# ---- the project's own environment --------------------------------------------------------------------------------


@needs_a_bare_machine
def test_own_environment_is_completed_when_it_is_stale(world: World):
    world.python(world.project / ".venv" / "bin" / "python", "half made", version=None)
    assert world.call(FAKE_CHECK="1")["FAKE_NAME"] == "just made"
    assert world.setup_calls() == ["--check", ""]


@needs_a_bare_machine
def test_failing_setup_ends_the_wrapper_with_its_code(world: World):
    done = world.run(FAKE_SETUP_EXIT="5")
    assert (done.returncode, done.stdout) == (5, "")


def test_missing_packages_go_to_an_overlay(world: World):
    with (world.project / "requirements" / "project.txt").open("a") as pins:
        pins.write("no-such==1.2.3  # no_such_module\nother==4.5  # other_module\n")
    world.python(world.bin / "python", "foreign")
    seen = world.call()
    assert world.setup_calls() == [f"--overlay {sys.executable}"]
    assert "no-such==1.2.3 other==4.5" in seen["stderr"] and "json" not in seen["stderr"]
    first, second = seen["PYTHONPATH"].split(":")[:2]
    assert first == f"{world.project}/source/isaac_tracking"
    assert re.fullmatch(re.escape(f"{world.project}/.overlay/cpython-3") + r"\d+-\w+-[0-9a-f]{8}", second)
    Path(second).mkdir(parents=True)
    world.call()
    assert len(world.setup_calls()) == 1  # it is there: nothing to do


# ---- what is passed on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("launcher", ["python", "isaaclab.sh"])
@pytest.mark.parametrize("code", [0, 1, 2, 77])
def test_exit_code_is_kept(world: World, launcher: str, code: int):
    lab = world.tree(world.tmp / "lab", "it")
    named = lab if launcher == "isaaclab.sh" else lab / "kit" / "python"
    assert world.run("--isaaclab", str(named), FAKE_EXIT=str(code)).returncode == code


@pytest.mark.parametrize("launcher", ["python", "isaaclab.sh"])
@pytest.mark.parametrize(("wrapper", "script"), [("train.sh", "train.py"), ("test.sh", "play.py")])
def test_all_else_is_passed_on(world: World, launcher: str, wrapper: str, script: str):
    lab = world.tree(world.tmp / "lab", "it")
    named = lab if launcher == "isaaclab.sh" else lab / "kit" / "python"
    given = ["--task", "A-v0", "--unknown", "x y", "", "*", "physics=physx", "env.scene.num_envs=3", "--resume", "-x"]
    seen = world.call(*given[:3], "--isaaclab", str(named), *given[3:], wrapper=wrapper)
    assert seen["args"] == given
    assert Path(seen["script"]) == world.project / "scripts" / script
    assert (seen["cwd"], seen["ISAAC_TRACKING_CALLER_DIR"]) == (str(world.project), str(world.elsewhere))


def test_tree_is_run_through_its_isaaclab_sh(world: World):
    tree = world.tree(world.project.parent / "IsaacLab", "sibling")
    world.call("--num_envs", "8")
    assert (tree / "calls").read_text().splitlines()[-1] == f"{world.project}/scripts/train.py --num_envs 8"


def test_wrapper_works_through_a_symlink(world: World):
    world.python(world.bin / "python", "it")
    (world.elsewhere / "go").symlink_to(world.project / "train.sh")
    done = subprocess.run(["bash", "go"], env=world.environment, cwd=world.elsewhere, capture_output=True, text=True)
    assert json.loads(done.stdout)["cwd"] == str(world.project)


def test_python_path_of_ros_and_of_another_python_is_left_out(world: World):
    world.python(world.bin / "python", "it")
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    mine = f"/my/lib/{minor}/site-packages"
    bad = [
        f"/opt/ros/jazzy/lib/{minor}/site-packages",
        "/ws/install/x/lib/python3.8/dist-packages",
        "/kit/lib/python3.10",
    ]
    seen = world.call(PYTHONPATH=":".join([bad[0], "/my/packages", bad[1], mine, bad[2]]))
    kept = seen["PYTHONPATH"].split(":")
    assert kept[:3] == [f"{world.project}/source/isaac_tracking", "/my/packages", mine]
    assert not set(bad) & set(kept)
    assert "PYTHONPATH" in seen["stderr"]


# ---- help ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("wrapper", ["train.sh", "test.sh"])
def test_help_needs_no_isaac_lab(world: World, wrapper: str, flag: str):
    done = world.run("--num_envs", "4", flag, wrapper=wrapper)
    assert (done.returncode, done.stderr, world.setup_calls()) == (0, "", [])
    options = "task num_envs seed device checkpoint gui video video_length video_interval motion isaaclab verbose help"
    if wrapper == "train.sh":
        options += " max_iterations resume run_name logger"
    for option in options.split():
        assert f"--{option} " in done.stdout, option
    assert "physics=" in done.stdout and "agent.KEY=VALUE" in done.stdout


# ---- scripts/setup.sh ---------------------------------------------------------------------------------------------


@pytest.fixture
def setup_world(world: World) -> World:
    shutil.copy(ROOT / "scripts" / "setup.sh", world.project / "scripts" / "setup.sh")
    shutil.copytree(ROOT / "requirements", world.project / "requirements", dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", world.project)
    return world


def fake_version(world: World, name: str, version: str, venv: str = "exit 0") -> Path:
    answer = f'case "$2" in *version_info*) echo "{world.bin}/{name}|{version}" ;; *) {venv} ;; esac\n'
    return world.write(world.bin / name, "#!/bin/sh\n" + answer)


def test_setup_says_which_pythons_it_tried(setup_world: World):
    fake_version(setup_world, "python3", "3.13.1")
    setup_world.write(setup_world.bin / "python3.12", "#!/bin/sh\necho 'not in this shell' >&2; exit 127\n")
    fake_version(setup_world, "python3.11", "3.11.2", venv="exit 1")
    done = setup_world.run(wrapper="scripts/setup.sh")
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert done.returncode == 2
    assert lines[0] == "Error: no Python 3.12 or 3.11 to build the environment from."
    assert lines[1] == "python3.12: does not run"
    assert lines[2].startswith("python3.11: is Python 3.11.2 without the modules venv and ensurepip")
    assert lines[3:5] == ["python3: is Python 3.13.1", "python: not on the PATH"]
    assert not (setup_world.project / ".venv").exists()


@pytest.mark.parametrize("candidate", ["python3.12", "python3.11", "python3", "python"])
def test_setup_takes_any_name_of_a_fitting_python(setup_world: World, candidate: str):
    fake_version(setup_world, candidate, "3.12.4", venv='case "$*" in *"-m venv"*) exit 1 ;; esac')
    done = setup_world.run(wrapper="scripts/setup.sh")
    assert f"by Python 3.12.4 ({setup_world.bin}/{candidate})" in done.stdout


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--python", "/no/such/python"], "Error: --python /no/such/python does not run."),
        (["--python"], "Error: --python needs the path of a Python."),
        (["--gpu"], "Error: unknown option: --gpu"),
    ],
)
def test_setup_refuses_bad_options(setup_world: World, args: list[str], complaint: str):
    done = setup_world.run(*args, wrapper="scripts/setup.sh")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, complaint)


def test_setup_leaves_a_foreign_environment_alone(setup_world: World):
    foreign = setup_world.write(setup_world.project / ".venv" / "bin" / "python", "#!/bin/sh\n")
    done = setup_world.run(wrapper="scripts/setup.sh")
    assert done.returncode == 2 and "was not made by this script" in done.stderr
    assert foreign.exists()


def test_setup_check_sees_an_interrupted_run(setup_world: World):
    (setup_world.project / ".venv").mkdir()
    (setup_world.project / ".venv" / ".isaac_tracking").touch()
    done = setup_world.run("--check", wrapper="scripts/setup.sh")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


# ---- all of them --------------------------------------------------------------------------------------------------

SCRIPTS = ["train.sh", "test.sh", "scripts/setup.sh", "scripts/find_isaaclab.sh", "scripts/run_tests.sh", ".ci/run"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_parse_and_name_no_machine(name: str):
    subprocess.run(["bash", "-n", str(ROOT / name)], check=True)
    text = (ROOT / name).read_text()
    assert not re.search(r"/home/|/root/|/data/|index-url|https?://", text)
    assert text.splitlines()[-1] != "" and "SPDX-License-Identifier: BSD-3-Clause" in text


def test_requirement_files_name_no_package_index():
    paths = sorted((ROOT / "requirements").glob("*.txt"))
    assert "project.txt" in [path.name for path in paths]
    for path in paths:
        assert not re.search(r"index-url|find-links|https?://|file:", path.read_text()), path.name
