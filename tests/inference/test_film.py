# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films are drawn without a simulator or OpenGL, run in real time, show what they should, and are checked."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from isaac_tracking.inference.film import FilmCfg, FilmError, FilmWriter, check_film, render_film
from isaac_tracking.inference.film_camera import FilmCamera
from isaac_tracking.inference.ground_mesh import GroundMesh
from isaac_tracking.inference.overlay import Overlay
from isaac_tracking.inference.scene_renderer import SceneRenderer, View
from isaac_tracking.inference.visual_mesh import load_visual_meshes
from isaac_tracking.robots.mjcf import mjcf_path

RATE = 50.0
SMALL = FilmCfg(width=160, height=120, samples=1)
COLOR = (0.10, 0.75, 0.35)


@pytest.fixture(scope="module")
def squat():
    """A G1 that squats while it moves forward at 1 m/s: names, and positions and orientations of 11 instants."""
    mujoco = pytest.importorskip("mujoco")
    path = mjcf_path("unitree_g1", "g1.xml")
    model = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(model)
    place = {model.joint(i).name: model.jnt_qposadr[i] for i in range(model.njnt)}
    pos, quat = [], []
    for step in range(11):
        depth = 0.3 + 0.4 * math.sin(math.pi * step / 10)
        data.qpos[:3], data.qpos[3:] = (step / RATE, 0.0, 0.79 - 0.15 * depth), 0.0
        data.qpos[3] = 1.0
        for side in ("left", "right"):
            data.qpos[place[f"{side}_hip_pitch_joint"]] = -depth
            data.qpos[place[f"{side}_knee_joint"]] = 2 * depth
            data.qpos[place[f"{side}_ankle_pitch_joint"]] = -depth
        mujoco.mj_kinematics(model, data)
        pos.append(data.xpos[1:].copy())
        quat.append(data.xquat[1:, [1, 2, 3, 0]])
    names = [model.body(i).name for i in range(1, model.nbody)]
    return SimpleNamespace(mjcf=path, names=names, pos=np.array(pos), quat=np.array(quat))


@pytest.fixture(scope="module")
def meshes(squat):
    return load_visual_meshes(squat.mjcf, squat.names)


@pytest.fixture(scope="module")
def alone(meshes):
    with SceneRenderer(meshes, num_bodies=30, width=160, height=120, samples=1) as scene:
        yield scene


@pytest.fixture(scope="module")
def with_reference(meshes):
    with SceneRenderer(meshes, num_bodies=30, width=160, height=120, samples=1, reference_color=COLOR) as scene:
        yield scene


def pose(squat, step: int, move=(0.0, 0.0, 0.0)) -> np.ndarray:
    return np.concatenate((squat.pos[step] + np.array(move), squat.quat[step]), axis=1)


def view_of(squat, step: int, rate: float = RATE) -> View:
    eyes, targets = FilmCamera().path(squat.pos[:, 0], squat.quat[:, 0], rate)
    return View(eyes[step], targets[step])


def differs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(first.astype(int) - second.astype(int)).max(-1) > 12


def test_film_runs_in_real_time_and_shows_something(squat, tmp_path):
    captions = [f"squat {step}" for step in range(11)]
    path = render_film(
        tmp_path / "new" / "film.mp4",
        squat.mjcf,
        squat.names,
        (squat.pos, squat.quat),
        (squat.pos, squat.quat),
        rate=RATE,
        captions=captions,
        cfg=SMALL,
    )
    report = check_film(path, frames=6, fps=25.0)
    assert report.size == (160, 120)
    assert report.duration == pytest.approx(6 / 25)
    assert (report.codec, report.pixel_format) == ("h264", "yuv420p")
    assert [file.name for file in path.parent.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize(("stride", "frames"), [(1, 11), (3, 4), (100, 1)])
def test_pictures_per_second_are_rate_over_stride(squat, tmp_path, stride, frames):
    cfg = FilmCfg(width=64, height=48, samples=1, stride=stride)
    path = render_film(tmp_path / "film.mp4", squat.mjcf, squat.names, (squat.pos, squat.quat), rate=RATE, cfg=cfg)
    assert check_film(path).frames == frames
    assert check_film(path).fps == pytest.approx(RATE / stride, abs=0.005)


def test_robot_stands_in_the_picture_and_casts_a_shadow(squat, alone):
    view = view_of(squat, 0)
    picture = alone.render(view, pose(squat, 0))
    empty = alone.render(view, pose(squat, 0, (0.0, 0.0, 500.0)))
    robot = differs(picture, empty)
    assert 0.04 < robot.mean() < 0.4
    rows, columns = np.nonzero(robot)
    assert rows.min() > 10 and rows.max() < 118
    assert 30 < columns.mean() < 130
    darker = robot & (picture.mean(-1) < 0.85 * empty.mean(-1))
    lifted = alone.render(view, pose(squat, 0, (0.0, 0.0, 3.0)))  # out of sight, the shadow is further off
    assert (darker & ~differs(lifted, empty)).sum() > 50


def test_camera_follows_a_robot_that_walks_away(squat, alone):
    pos = squat.pos + np.arange(11)[:, None, None] * np.array([0.25, 0.1, 0.0])
    walked = SimpleNamespace(pos=pos, quat=squat.quat)

    def centre(view: View) -> np.ndarray:
        shown = differs(alone.render(view, pose(walked, 10)), alone.render(view, pose(walked, 10, (0.0, 0.0, 500.0))))
        return np.argwhere(shown).mean(0) / (120, 160) if shown.any() else np.array([9.0, 9.0])

    assert np.abs(centre(view_of(walked, 10, rate=10.0)) - 0.5).max() < 0.2
    assert np.abs(centre(view_of(walked, 0, rate=10.0)) - 0.5).max() > 0.25


def test_reference_is_seen_in_its_colour_where_it_is_elsewhere(squat, alone, with_reference):
    view = view_of(squat, 0)
    without = alone.render(view, pose(squat, 0))
    picture = with_reference.render(view, pose(squat, 0), pose(squat, 0, (0.0, 0.6, 0.0)))
    changed = differs(picture, without)
    assert changed.mean() > 0.03
    tint = picture[changed].astype(int) - without[changed]
    assert (tint[:, 1] > tint[:, 0]).mean() > 0.95  # greener than it was, never redder
    opaque = (picture[changed].std(0) < 1.0).all()
    assert not opaque


def test_reference_that_is_met_exactly_does_not_hide_the_robot(squat, alone, with_reference):
    view = view_of(squat, 0)
    picture = with_reference.render(view, pose(squat, 0), pose(squat, 0))
    assert np.array_equal(picture, alone.render(view, pose(squat, 0)))


def test_more_rays_smooth_the_edges_and_change_nothing_else(squat, meshes, alone):
    view = view_of(squat, 0)
    with SceneRenderer(meshes, num_bodies=30, width=160, height=120, samples=3) as scene:
        change = np.abs(scene.render(view, pose(squat, 0)).astype(int) - alone.render(view, pose(squat, 0))).max(-1)
    assert 0.01 < (change > 0).mean() < 0.25


def test_background_is_the_same_whether_traced_or_computed(squat, alone, monkeypatch):
    view = view_of(squat, 0)
    computed = alone.render(view, pose(squat, 0))
    monkeypatch.setattr(alone, "_covered", lambda *_, **__: np.ones(160 * 120, dtype=bool))
    traced = alone.render(view, pose(squat, 0))
    assert np.abs(traced.astype(int) - computed).max() <= 1


def test_camera_keeps_up_without_lag_or_shaking():
    time = np.arange(200) / RATE
    shaking = np.stack((1.5 * time, 0.05 * np.sin(40.0 * time), np.full(200, 0.75)), axis=1)
    eyes, targets = FilmCamera().path(shaking, np.tile([0.0, 0.0, 0.0, 1.0], (200, 1)), RATE)
    assert np.abs(targets[:, 0] - 1.5 * time).max() < 1e-6
    assert np.abs(targets[80:120, 1]).max() < 0.005
    assert np.allclose(np.linalg.norm(eyes - targets, axis=1), FilmCamera().distance)


def test_camera_cuts_to_the_front_of_the_next_episode():
    root = np.zeros((60, 3))
    root[30:] = (4.0, -2.0, 0.0)
    quat = np.tile([0.0, 0.0, 0.0, 1.0], (60, 1))
    quat[30:] = (0.0, 0.0, 1.0, 0.0)  # turned round
    eyes, targets = FilmCamera(azimuth=0.0, elevation=0.0, distance=2.0, aim=0.0).path(root, quat, RATE)
    assert np.allclose(targets, root)
    assert np.allclose(eyes[29], (2.0, 0.0, 0.0))
    assert np.allclose(eyes[30], (2.0, -2.0, 0.0))


def flat_ground(height: float = 0.0, half: float = 30.0) -> GroundMesh:
    corners = [(x * half, y * half, height) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return GroundMesh(np.array(corners, np.float32), np.array([(0, 1, 2), (0, 2, 3)], np.int32))


def test_even_ground_looks_alike_as_a_plane_and_as_a_mesh(squat, meshes, alone):
    view = view_of(squat, 0)
    plane = alone.render(view, pose(squat, 0)).astype(int)
    with SceneRenderer(meshes, num_bodies=30, width=160, height=120, samples=1, ground=flat_ground()) as scene:
        mesh = scene.render(view, pose(squat, 0))
    near = np.s_[40:]  # above is what lies beyond the mesh
    assert (np.abs(mesh - plane).max(-1)[near] > 10).mean() < 0.02
    assert np.abs(mesh[5] - plane[5]).max() <= 1  # the sky


def test_raised_ground_hides_what_is_below_it(squat, meshes, alone):
    view = view_of(squat, 0)
    legs = (0.0, 0.0, 0.0), (0.0, 0.0, 500.0)
    with SceneRenderer(meshes, num_bodies=30, width=160, height=120, samples=1, ground=flat_ground(0.6)) as scene:
        sunk = differs(*(scene.render(view, pose(squat, 0, move)) for move in legs))
    whole = differs(*(alone.render(view, pose(squat, 0, move)) for move in legs))
    assert 0 < np.nonzero(sunk)[0].max() < np.nonzero(whole)[0].max() - 20


def test_film_on_uneven_ground(squat, tmp_path):
    given = squat.mjcf, squat.names, (squat.pos + np.array((0.0, 0.0, 1.0)), squat.quat)
    path = render_film(tmp_path / "film.mp4", *given, rate=RATE, cfg=SMALL, ground=flat_ground(1.0))
    assert check_film(path, frames=6).contrast > 10.0


def test_ground_near_a_path_is_kept_and_its_height_is_known():
    """Tiles of one metre on a slope of one half; the path runs along x = 2 to 4, y = 10."""
    x, y = np.meshgrid(np.arange(0.0, 41.0), np.arange(0.0, 41.0), indexing="ij")
    vertices = np.stack((x, y, 0.5 * x), axis=-1).reshape(-1, 3).astype(np.float32)
    corner = (np.arange(40)[:, None] * 41 + np.arange(40)).reshape(-1)
    lower, upper = (corner, corner + 41, corner + 42), (corner, corner + 42, corner + 1)
    slope = GroundMesh(vertices, np.concatenate([np.stack(part, axis=1) for part in (lower, upper)]).astype(np.int32))
    near = slope.near(np.array([[2.0, 10.0, 5.0], [4.0, 10.0, 5.0]]), radius=3.0)
    assert near.vertices[:, 0].max() == pytest.approx(8.0) and near.vertices[:, 1].min() == pytest.approx(6.0)
    assert len(near.faces) < 100 and near.faces.max() == len(near.vertices) - 1
    assert slope.heights(np.array([[10.25, 3.5], [0.5, 39.5]])) == pytest.approx([5.125, 0.25], abs=1e-4)
    assert slope.heights(np.array([[-1.0, 0.0]])) == -np.inf
    with pytest.raises(ValueError, match="no ground within 3 m"):
        slope.near(np.array([[200.0, 10.0, 0.0]]), radius=3.0)


def test_camera_rises_where_the_ground_would_hide_the_robot():
    """A wall of 1.5 m stands at x = 1, between the robot, which comes towards it, and the camera behind it."""
    root = np.zeros((400, 3))
    root[:, 0], root[:, 2] = np.linspace(-4.0, 0.0, 400), 0.5
    quat = np.tile([0.0, 0.0, 0.0, 1.0], (400, 1))
    camera = FilmCamera(azimuth=0.0, elevation=0.1, distance=2.0, aim=0.0)

    def heights(points: np.ndarray) -> np.ndarray:
        return np.where(np.abs(points[:, 0] - 1.0) < 0.3, 1.5, 0.0)

    plain, targets = camera.path(root, quat, RATE)
    eyes, _ = camera.path(root, quat, RATE, heights)
    assert np.allclose(eyes[:150], plain[:150]) and np.allclose(eyes[:, :2], plain[:, :2])
    middle = targets[-1] + 0.5 * (eyes[-1] - targets[-1])
    assert middle[0] == pytest.approx(1.0, abs=0.02) and middle[2] > 1.5
    assert np.abs(np.diff(eyes[:, 2])).max() < 0.06  # it rises, and does not jump
    assert np.allclose(camera.path(root, quat, RATE, lambda points: np.full(len(points), -1.0))[0], plain)


def test_a_low_robot_is_seen_from_near():
    assert FilmCamera.of_robot(0.78) == FilmCamera()
    assert FilmCamera.of_robot(0.32).distance == pytest.approx(1.84)


def test_caption_is_written_into_its_corner_only():
    grey = np.full((120, 160, 3), 128, np.uint8)
    changed = differs(Overlay((160, 120)).draw(grey, "walk\n12 mm"), grey)
    assert changed[:40, :80].mean() > 0.1
    assert not changed[60:].any() and not changed[:, 120:].any()
    assert np.array_equal(Overlay((160, 120)).draw(grey, ""), grey)
    assert differs(Overlay((160, 120), COLOR).draw(grey, ""), grey)[80:, 80:].any()


def write(path, pictures, fps=25) -> None:
    with FilmWriter(path, (64, 48), fps) as film:
        for picture in pictures:
            film.add(picture)


def test_writer_keeps_a_fraction_of_pictures_per_second(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (5, 48, 64, 3), dtype=np.uint8)
    write(tmp_path / "film.mp4", noise, Fraction(50, 3))
    assert check_film(tmp_path / "film.mp4", frames=5).fps == pytest.approx(50 / 3, abs=0.005)


def test_film_that_was_not_finished_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), FilmWriter(tmp_path / "film.mp4", (64, 48), 25) as film:
        film.add(np.zeros((48, 64, 3), np.uint8))
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (np.zeros((4, 48, 64, 3), np.uint8), "is black"),
        (np.full((4, 48, 64, 3), 90, np.uint8), "shows one colour"),
        (np.tile(np.arange(64, dtype=np.uint8)[:, None] * 3, (4, 48, 1, 3)), "stands still"),
    ],
)
def test_film_that_shows_nothing_is_refused(tmp_path, pictures, words):
    write(tmp_path / "film.mp4", pictures)
    with pytest.raises(FilmError, match=words) as error:
        check_film(tmp_path / "film.mp4")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("wanted", "words"), [({"frames": 6}, "has 5 pictures, not 6"), ({"fps": 50}, "not 50")])
def test_film_of_another_length_or_speed_is_refused(tmp_path, wanted, words):
    noise = np.random.default_rng(0).integers(0, 255, (5, 48, 64, 3), dtype=np.uint8)
    write(tmp_path / "film.mp4", noise)
    with pytest.raises(FilmError, match=words):
        check_film(tmp_path / "film.mp4", **wanted)


@pytest.mark.parametrize("keep", [0, 100, 2000])
def test_broken_film_is_refused_in_one_line(tmp_path, keep):
    noise = np.random.default_rng(0).integers(0, 255, (5, 48, 64, 3), dtype=np.uint8)
    write(tmp_path / "whole.mp4", noise)
    (tmp_path / "film.mp4").write_bytes((tmp_path / "whole.mp4").read_bytes()[:keep])
    with pytest.raises(FilmError, match=r"film 'film\.mp4'") as error:
        check_film(tmp_path / "film.mp4")
    assert "\n" not in str(error.value)


def test_missing_film_is_refused(tmp_path):
    with pytest.raises(FilmError, match="does not exist"):
        check_film(tmp_path / "film.mp4")


def test_bodies_must_be_those_of_the_model(squat):
    with pytest.raises(ValueError, match=r"bodies \['tail'\] are not in 'g1\.xml'; it has pelvis"):
        load_visual_meshes(squat.mjcf, [*squat.names, "tail"])
    with pytest.raises(ValueError, match=r"\['torso_link'\] .* have a mesh but no pose"):
        load_visual_meshes(squat.mjcf, [name for name in squat.names if name != "torso_link"])


def test_meshes_follow_the_order_of_the_names(squat):
    turned = load_visual_meshes(squat.mjcf, squat.names[::-1])
    assert {squat.names[::-1][mesh.body] for mesh in turned} == set(squat.names)
    head = max(turned, key=lambda mesh: mesh.vertices[:, 2].max())
    assert squat.names[::-1][head.body] == "torso_link"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"captions": ["one"]}, "1 captions for 11 instants"),
        ({"reference": "short"}, "reference's positions"),
        ({"robot": "nan"}, "pose at instant 3 is not finite"),
    ],
)
def test_wrong_input_is_named(squat, tmp_path, change, words):
    given = {"robot": (squat.pos, squat.quat)} | change
    if change.get("reference"):
        given["reference"] = (squat.pos[:5], squat.quat[:5])
    if change.get("robot"):
        given["robot"] = (squat.pos.copy(), squat.quat)
        given["robot"][0][3, 5] = np.nan
    with pytest.raises(ValueError, match=words):
        render_film(tmp_path / "film.mp4", squat.mjcf, squat.names, cfg=SMALL, **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("values", [{"stride": 0}, {"samples": 0}, {"width": 161}, {"height": 0}])
def test_settings_that_cannot_be_filmed_are_refused(values):
    with pytest.raises(ValueError, match="film: "):
        FilmCfg(**values)


@pytest.mark.gpu
def test_gpu_draws_robot_and_reference(squat, meshes):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    view, size = view_of(squat, 0), {"num_bodies": 30, "width": 160, "height": 120, "device": "cuda:0"}
    with SceneRenderer(meshes, **size) as scene, SceneRenderer(meshes, reference_color=COLOR, **size) as both:
        picture = scene.render(view, pose(squat, 0))
        empty = scene.render(view, pose(squat, 0, (0.0, 0.0, 500.0)))
        met = both.render(view, pose(squat, 0), pose(squat, 0))
        missed = both.render(view, pose(squat, 0), pose(squat, 0, (0.0, 0.6, 0.0)))
    assert 0.04 < differs(picture, empty).mean() < 0.4
    assert np.array_equal(met, picture)
    assert differs(missed, picture).mean() > 0.03


def test_importing_films_loads_neither_newton_nor_a_codec():
    heavy = ("newton", "warp", "mujoco", "PIL", "imageio_ffmpeg", "torch")
    code = f"import sys, isaac_tracking.inference.film; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
