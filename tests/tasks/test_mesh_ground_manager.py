"""Newton's search for triangles, spread over the GPU."""

from types import SimpleNamespace

import pytest
import warp as wp

from isaac_tracking.tasks import mesh_ground_manager
from isaac_tracking.tasks.mesh_ground_manager import NewtonMeshGroundManager, spread_mesh_search
from isaac_tracking.tasks.physics_cfg import rough_physics


def narrow_phase(tile=256, blocks=528):
    return SimpleNamespace(device="any", tile_size_mesh_convex=tile, num_tile_blocks=blocks)


def on(monkeypatch, is_cuda, processors=132):
    device = SimpleNamespace(is_cuda=is_cuda, sm_count=processors)
    monkeypatch.setattr(mesh_ground_manager.wp, "get_device", lambda name: device)


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


def test_rough_ground_takes_this_manager():
    solver = rough_physics(njmax=10, nconmax=10).default.solver_cfg
    assert solver.class_type == f"{NewtonMeshGroundManager.__module__}:{NewtonMeshGroundManager.__name__}"
