# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What README and docs say is true: options, ids, files, clips, numbers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
STAGES_PAGE = ROOT / "docs" / "three_stages.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OF_OTHERS = {
    "isaaclab.sh",
    "csv_to_npz.py",
    "replay_npz.py",
    "convert_soma_csv_to_motion_lib.py",
    "filter_and_copy_bones_data.py",
    "motion_data_publisher.py",
    "mujoco_mocap_viewer.py",
    "generate_dataset.py",
}
"""Scripts of Isaac Lab and of projects that people come from."""
OF_THE_WRAPPER = {"--isaaclab", "--help"}
WRAPPERS = ("train", "play"), ("train.sh", "test.sh")
wrappers = pytest.mark.parametrize(("command", "script"), list(zip(*WRAPPERS, strict=True)))


def table_rows(text: str) -> list[list[str]]:
    """The cells of all table rows, without the lines under the headings."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not row[0].startswith("--")]


def section(text: str, heading: str) -> str:
    """What stands between a heading of the second level and the next one."""
    assert f"\n## {heading}\n" in text, f"there is no section '{heading}'"
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def anchor(heading: str) -> str:
    """A heading's name in a link, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def options_of(command: str) -> set[str]:
    from isaac_tracking.launch import play, train

    parser = {"train": train, "play": play}[command].make_parser()
    return {option for option in parser._option_string_actions if option.startswith("--")} | OF_THE_WRAPPER


@pytest.fixture(scope="module")
def resolve() -> Callable[..., Any]:
    """Resolve a task's environment and agent configs."""
    from isaaclab_tasks.utils import resolve_task_config

    import isaac_tracking.tasks  # noqa: F401

    return lambda task, *overrides: resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=list(overrides))


@wrappers
def test_every_option_is_documented_and_every_documented_option_exists(command: str, script: str):
    rows = table_rows(section((ROOT / "docs" / "options.md").read_text(), script))
    documented = [option for row in rows for option in re.findall(r"`(--\w+)", row[0])]
    assert len(documented) == len(set(documented))
    assert set(documented) == options_of(command)


@wrappers
def test_usage_lists_the_same_options(command: str, script: str):
    usage = subprocess.run(["bash", script, "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  (?:-h, )?(--\w+)", usage, flags=re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == options_of(command)


def test_options_in_commands_exist():
    """Lines of code that call a wrapper use only options and task ids that exist."""
    known = {script: options_of(command) for command, script in zip(*WRAPPERS, strict=True)}
    called = set()
    for page in PAGES:
        for line in page.read_text().replace("\\\n", " ").splitlines():
            for script, rest in re.findall(r"bash (train\.sh|test\.sh)([^`#]*)", line):
                unknown = set(re.findall(r"(?<!\S)--\w+", rest)) - known[script]
                assert not unknown, f"{page.name}: {script} has no {unknown}"
                called.add(script)
    assert called == set(known)


def test_every_task_id_is_registered():
    import gymnasium as gym

    import isaac_tracking.tasks  # noqa: F401

    for page in PAGES:
        for task in re.findall(r"Isaac-(?:Tracking|Velocity)-[\w-]+-v\d", page.read_text()):
            assert task in gym.registry, f"{page.name}: {task}"
    ours = {name for name in gym.registry if name.startswith("Isaac-Tracking-")}
    listed = {row[0].strip("`") for row in table_rows(section(README.read_text(), "Tasks"))[1:]}
    assert listed | {task.replace("-v0", "-Play-v0") for task in listed} == ours


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_files_exist(page: Path):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)]+)\)", prose(text)):
        if not target.startswith("http"):
            file, _, heading = target.partition("#")
            path = (page.parent / file).resolve() if file else page
            assert path.exists(), f"link to {target}"
            if heading:
                headings = re.findall(r"^#+ (.*)$", prose(path.read_text()), flags=re.MULTILINE)
                assert heading in map(anchor, headings), f"link to {target}"
    ours = [path.as_posix() for folder in ("source", "scripts", "docs", "tests") for path in (ROOT / folder).rglob("*")]
    ours += [path.as_posix() for path in ROOT.iterdir()]
    # Written last, with the measurements that replace the marks.
    later = {"docs/results.md"} if "<!-- measured" in README.read_text() else set()
    named = set(re.findall(r"`([\w./-]+\.(?:py|pyi|md|sh|toml))`", prose(text))) - OF_OTHERS - later
    assert not [name for name in named if not any(path.endswith(f"/{name}") for path in ours)]


def test_scripts_in_commands_exist():
    for page in PAGES:
        for script in re.findall(r"bash (\S+\.sh)", page.read_text()):
            assert (ROOT / script).is_file(), f"{page.name}: {script}"


def test_pictures_are_small():
    for path in (ROOT / "docs" / "images").iterdir():
        assert path.stat().st_size < 2.5e6, path.name


def test_clip_table_equals_the_shipped_clips():
    rows = table_rows(section(README.read_text(), "Motions"))[1:]
    table = [(name.strip("`"), seconds) for row in rows for name, seconds in zip(row[::2], row[1::2], strict=True)]
    assert dict(table) == {name: f"{Clip.load(path).duration:.2f}" for name, path in shipped_clips().items()}
    assert len(table) == len(shipped_clips()) == 16  # "Sixteen clips come with the project"


def test_pins_in_the_readme_are_those_of_the_project():
    pins = {line.partition("#")[0].strip() for line in (ROOT / "requirements" / "project.txt").read_text().splitlines()}
    line = re.search(r"^pip install --no-deps (\w.*==.*)$", README.read_text(), flags=re.MULTILINE)
    assert line is not None
    assert set(line[1].split()) <= pins


def test_readme_has_the_one_snippet_that_is_run():
    """Run by tests/test_external_project.py, which takes it from here."""
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    compile(blocks[0], "README.md", "exec")


def test_observation_tables_add_up():
    rows = table_rows(section((ROOT / "docs" / "tracking.md").read_text(), "Observations"))[1:]
    policy = {"yes": 0, "not in `NoStateEst`": 0, "–": 0}
    critic = 0
    for _, numbers, in_policy, in_critic, _ in rows:
        policy[in_policy] += int(numbers)
        critic += int(numbers) * (in_critic == "yes")
    assert (policy["yes"] + policy["not in `NoStateEst`"], policy["yes"], critic) == (160, 154, 286)
    rows = table_rows(section(README.read_text(), "Tasks"))[1:]
    assert [(sees, critic_sees) for _, sees, critic_sees, _ in rows[:2]] == [("160", "286"), ("154", "286")]


def test_sizes_of_the_stages_observations_are_those_of_their_tables():
    sizes = {
        group: sum(int(row[1]) for row in table_rows(section(STAGES_PAGE.read_text(), f"Group `{group}`"))[1:])
        for group in ("policy", "priv", "critic_priv")
    }
    assert sizes == {"policy": 620, "priv": 340, "critic_priv": 33}  # tests/tasks/test_adaptation_cfg.py: the task's
    for name, sees, critic_sees, _ in table_rows(section(README.read_text(), "Tasks"))[3:]:
        privileged = f" and {sizes['priv']} privileged" if "Teacher" in name else ""
        assert sees == f"{sizes['policy']}{privileged}"
        assert critic_sees in ("–", str(sum(sizes.values())))


def test_noise_and_rewards_are_those_of_the_task(resolve: Callable[..., Any]):
    cfg, _ = resolve("Isaac-Tracking-G1-v0")
    page = (ROOT / "docs" / "tracking.md").read_text()
    for term, _, in_policy, _, noise in table_rows(section(page, "Observations"))[1:]:
        if in_policy != "–":
            drawn = getattr(cfg.observations.policy, term.split("`")[1]).noise
            assert (noise if noise == "–" else float(noise)) == ("–" if drawn is None else drawn.n_max), term
    rewards = {}
    for term, _, weight, std in table_rows(section(page, "Rewards"))[1:]:
        value = None if std == "–" else float(std.split()[0])
        rewards[term.strip("`")] = float(weight.replace("−", "-")), value
    terms = {name: getattr(cfg.rewards, name) for name in vars(cfg.rewards)}
    assert rewards == {name: (term.weight, term.params.get("std")) for name, term in terms.items()}
    ends = {row[0].strip("`"): row[2] == "time-out" for row in table_rows(section(page, "Terminations"))[1:]}
    assert ends == {name: getattr(cfg.terminations, name).time_out for name in vars(cfg.terminations)}


def test_sizes_on_gpu_and_cpu(resolve: Callable[..., Any]):
    from isaac_tracking.tasks.tracking.config.g1.agents.cpu import CPU_OVERRIDES

    rows = table_rows(section((ROOT / "docs" / "options.md").read_text(), "Training on a CPU"))[1:]
    documented = {key: cpu for keys, _, cpu in rows for key in re.findall(r"`([\w.]+)`", keys)}
    plain = {key: re.sub(r'[`\[\]" ]', "", str(value)) for key, value in documented.items()}
    assert plain == {key: re.sub(r'[\[\]" ]', "", str(value)) for key, value in CPU_OVERRIDES.items()}
    cfg, agent = resolve("Isaac-Tracking-G1-v0")
    gpu = {key.rpartition(".")[2]: value for keys, value, _ in rows for key in re.findall(r"`([\w.]+)`", keys)}
    assert (gpu["num_envs"], gpu["max_iterations"]) == (str(cfg.scene.num_envs), str(agent.max_iterations))
    assert gpu["save_interval"] == str(agent.save_interval)
    assert gpu["hidden_dims"] == ", ".join(map(str, agent.actor.hidden_dims))
    sizes = table_rows(section(README.read_text(), "Two commands"))[1]
    assert sizes[1] == f"{cfg.scene.num_envs}, all {len(shipped_clips())}, {agent.max_iterations}"
    assert sizes[2].startswith(f"{CPU_OVERRIDES['env.scene.num_envs']}, 4 ")
    assert sizes[2].endswith(f", {CPU_OVERRIDES['agent.max_iterations']}")


def test_sizes_of_the_stages_on_gpu_and_cpu(resolve: Callable[..., Any]):
    from isaac_tracking.tasks.tracking.config.g1.agents.cpu import CPU_OVERRIDES, STAGES_CPU_OVERRIDES

    rows = table_rows(section(STAGES_PAGE.read_text(), "On a CPU"))[1:]
    documented = {key: cpu for keys, _, cpu in rows for key in re.findall(r"`([\w.]+)`", keys)}
    plain = {key: re.sub(r"[`\[\]\" ]", "", str(value)) for key, value in documented.items()}
    ours = {
        key: value
        for key, value in STAGES_CPU_OVERRIDES.items()
        if key.startswith("agent.") or key not in CPU_OVERRIDES
    }
    assert plain == {key: re.sub(r"[\[\]\" ]", "", str(value)) for key, value in ours.items()}
    _, agent = resolve("Isaac-Tracking-G1-Teacher-v0")
    gpu = {key.rpartition(".")[2]: value for keys, value, _ in rows for key in re.findall(r"`([\w.]+)`", keys)}
    assert gpu["hidden_dims"] == ", ".join(map(str, agent.actor.hidden_dims))
    assert gpu["adapt_dims"] == ", ".join(map(str, agent.actor.adapt_dims))
    assert (gpu["latent_dim"], gpu["save_interval"]) == (str(agent.actor.latent_dim), str(agent.save_interval))
