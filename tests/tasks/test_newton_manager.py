"""MJWarp replayed on a CPU, and Newton's search for triangles, spread over the GPU."""

from types import SimpleNamespace

import pytest
import torch
import warp as wp
from isaaclab.physics import PhysicsManager
from isaaclab_newton.physics import NewtonManager
from isaaclab_tasks.utils import resolve_task_config
from newton.solvers import SolverMuJoCo

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.tasks import newton_manager
from isaac_tracking.tasks.buffer_watch import BufferWatch
from isaac_tracking.tasks.newton_manager import NewtonTaskManager, spread_mesh_search
from isaac_tracking.tasks.physics_cfg import rough_physics


def narrow_phase(tile=256, blocks=528):
    return SimpleNamespace(device="any", tile_size_mesh_convex=tile, num_tile_blocks=blocks)


def on(monkeypatch, is_cuda, processors=132):
    device = SimpleNamespace(is_cuda=is_cuda, sm_count=processors)
    monkeypatch.setattr(newton_manager.wp, "get_device", lambda name: device)


def test_a_gpu_searches_with_many_small_blocks(monkeypatch):
    on(monkeypatch, is_cuda=True)
    phase = narrow_phase()
    spread_mesh_search(phase)
    assert (phase.tile_size_mesh_convex, phase.num_tile_blocks) == (32, 132 * 20)


def test_what_newton_does_better_itself_stays(monkeypatch):
    on(monkeypatch, is_cuda=True, processors=4)
    phase = narrow_phase(tile=16, blocks=256)
    spread_mesh_search(phase)
    assert (phase.tile_size_mesh_convex, phase.num_tile_blocks) == (16, 256)


def test_a_cpu_stays_as_it_is(monkeypatch):
    on(monkeypatch, is_cuda=False)
    phase = narrow_phase(tile=1, blocks=256)
    spread_mesh_search(phase)
    assert (phase.tile_size_mesh_convex, phase.num_tile_blocks) == (1, 256)


def test_another_newton_is_noticed(monkeypatch):
    on(monkeypatch, is_cuda=False)
    with pytest.raises(AttributeError, match="num_tile_blocks"):
        spread_mesh_search(SimpleNamespace(device="any", tile_size_mesh_convex=1))


def test_this_newton_names_the_sizes_so():
    from newton.geometry import NarrowPhase

    phase = NarrowPhase(max_candidate_pairs=8, max_triangle_pairs=8, device="cpu", has_meshes=True)
    spread_mesh_search(phase)
    assert phase.tile_size_mesh_convex == 1
    assert wp.get_device(phase.device).is_cpu


@pytest.mark.parametrize("name, value", [("jacobian", "dense"), ("ls_tolerance", 0.1)])
def test_settings_that_isaac_lab_leaves_out_reach_the_solver(name, value):
    setting = f"env.sim.physics.solver_cfg.{name}={value}"
    cfg, _ = resolve_task_config("Isaac-Tracking-G1-v0", None, overrides=[setting])
    given = NewtonTaskManager._filter_solver_kwargs(SolverMuJoCo, cfg.sim.physics.solver_cfg)
    assert given[name] == value
    cfg, _ = resolve_task_config("Isaac-Tracking-G1-v0", None, overrides=[])
    assert NewtonTaskManager._filter_solver_kwargs(SolverMuJoCo, cfg.sim.physics.solver_cfg)[name] is None


def test_rough_ground_takes_this_manager():
    solver = rough_physics(njmax=10, nconmax=10).default.solver_cfg
    assert solver.class_type == f"{NewtonTaskManager.__module__}:{NewtonTaskManager.__name__}"


def steps_from_start(sim, monkeypatch, graph):
    """Return where the robots are after some steps of strong actions, and whether a recording was there at the end."""
    monkeypatch.setattr(PhysicsManager._cfg, "use_cuda_graph", graph)
    NewtonManager._invalidate_graph()
    sim.start(clip="walk")
    actions = torch.randn(5, *sim.still.shape, generator=torch.Generator().manual_seed(2))
    for action in actions:
        sim.env.step(action)
    data = sim.robot.data
    state = torch.cat([data.root_link_pose_w.torch, data.joint_pos.torch, data.joint_vel.torch], dim=-1)
    return state.clone(), NewtonManager._graph is not None


def test_a_replay_on_a_cpu_is_what_python_would_launch(sim, monkeypatch):
    launched, recorded = steps_from_start(sim, monkeypatch, graph=False)
    assert not recorded
    replayed, recorded = steps_from_start(sim, monkeypatch, graph=True)
    assert recorded
    assert torch.equal(launched, replayed)
    assert launched.abs().max() > 0.1


def test_what_is_watched_later_is_recorded_anew(sim, monkeypatch):
    steps_from_start(sim, monkeypatch, graph=True)
    watch = BufferWatch.attach()
    assert NewtonManager._graph is None
    sim.env.step(sim.still)
    sim.env.step(sim.still)
    assert watch.read().calls == 2 * sim.env.cfg.decimation


def test_uneven_ground_is_replayed_too(probe):
    task = "Isaac-Velocity-Rough-Unitree-Go1-v0"
    launched = probe(task, "env.sim.physics.use_cuda_graph=false")["stood"]["state"]
    replayed = probe(task)["stood"]["state"]
    assert launched.keys() == replayed.keys()
    assert all(torch.equal(launched[name], replayed[name]) for name in launched)
