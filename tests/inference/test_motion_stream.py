# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Frames over ZeroMQ arrive as they were sent, in time; what is no frame is refused with a word."""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

zmq = pytest.importorskip("zmq")

from isaac_tracking.inference.motion_message import StreamError, StreamFrame, decode, encode  # noqa: E402
from isaac_tracking.inference.motion_stream import Publisher, Subscriber  # noqa: E402
from isaac_tracking.motion.clip import Clip  # noqa: E402


@pytest.fixture
def clip(make_clip: Callable[..., Clip]) -> Clip:
    return make_clip(frames=11, fps=50.0)


@pytest.fixture
def context() -> Iterator[Any]:
    with zmq.Context() as opened:
        yield opened


def assert_is_frame(found: StreamFrame | None, clip: Clip, frame: int) -> None:
    assert found is not None
    assert (found.clip, found.robot, found.frame, found.num_frames) == (clip.name, clip.robot, frame, clip.num_frames)
    assert (found.fps, found.time) == (clip.fps, frame / clip.fps)
    assert (found.joint_names, found.body_names) == (clip.joint_names, clip.body_names)
    assert np.array_equal(found.joint_pos, clip.joint_pos[frame])
    assert np.array_equal(found.body_pos_w, clip.body_pos_w[frame])
    assert np.array_equal(found.body_quat_w, clip.body_quat_w[frame])


# Messages


def test_a_message_is_json_and_plain_numbers(clip: Clip):
    topic, header, joint_pos, body_pos, body_quat = encode(clip, 3, sequence=7, speed=0.5)
    stated = json.loads(header)
    assert topic == b"motion" and stated["format"] == "isaac_tracking.motion_stream" and stated["version"] == 1
    assert (stated["quaternion_order"], stated["units"]) == ("xyzw", "m, rad, s")
    assert (stated["sequence"], stated["frame"], stated["time"], stated["speed"]) == (7, 3, 0.06, 0.5)
    assert stated["arrays"][1] == {"name": "body_pos_w", "shape": [3, 3]}
    assert (len(joint_pos), len(body_pos), len(body_quat)) == (2 * 4, 9 * 4, 12 * 4)
    assert np.array_equal(np.frombuffer(joint_pos, "<f4"), clip.joint_pos[3])


def test_decoding_gives_back_what_was_encoded(clip: Clip):
    assert_is_frame(decode(encode(clip, 10, 0)), clip, 10)


def test_arrays_that_a_later_version_may_add_are_passed_over(clip: Clip):
    parts = changed(clip, lambda header: header["arrays"].append({"name": "contacts", "shape": [2]}))
    assert_is_frame(decode([*parts, bytes(8)]), clip, 0)


def changed(clip: Clip, change: Callable[[dict], object]) -> list[bytes]:
    """Return the message of the first frame with another header."""
    topic, header, *arrays = encode(clip, 0, 0)
    content = json.loads(header)
    change(content)
    return [topic, json.dumps(content).encode(), *arrays]


class Bomb:
    """Counts how often unpickling it ran code."""

    runs = 0

    def __reduce__(self) -> tuple[Callable, tuple]:
        return (Bomb.go, ())

    @staticmethod
    def go() -> dict:
        Bomb.runs += 1
        return {}


MALFORMED: list[tuple[str, Callable[[Clip], list[bytes]]]] = [
    ("1 parts", lambda clip: [b"motion"]),
    ("topic 'motion'", lambda clip: [b"motion2", *encode(clip, 0, 0)[1:]]),
    ("no JSON", lambda clip: [b"motion", b"{", *encode(clip, 0, 0)[2:]]),
    ("no JSON", lambda clip: [b"motion", b"\xff\xfe\x00", *encode(clip, 0, 0)[2:]]),
    ("no JSON", lambda clip: [b"motion", b"[" * 60_000, *encode(clip, 0, 0)[2:]]),
    ("no JSON", lambda clip: [b"motion", pickle.dumps(Bomb()), *encode(clip, 0, 0)[2:]]),
    ("at most 65536", lambda clip: [b"motion", b" " * 70_000, *encode(clip, 0, 0)[2:]]),
    ("another format", lambda clip: [b"motion", b"[]", *encode(clip, 0, 0)[2:]]),
    ("another format", lambda clip: changed(clip, lambda header: header.pop("format"))),
    ("version is 2", lambda clip: changed(clip, lambda header: header.update(version=2))),
    ("quaternion_order is 'wxyz'", lambda clip: changed(clip, lambda h: h.update(quaternion_order="wxyz"))),
    ("units is None", lambda clip: changed(clip, lambda header: header.pop("units"))),
    ("joint_names is 'hip'", lambda clip: changed(clip, lambda header: header.update(joint_names="hip"))),
    ("each once", lambda clip: changed(clip, lambda header: header.update(joint_names=["hip", "hip"]))),
    ("joint_names is", lambda clip: changed(clip, lambda header: header.update(joint_names=[1, 2]))),
    ("0 names", lambda clip: changed(clip, lambda header: header.update(body_names=[]))),
    ("shape", lambda clip: changed(clip, lambda header: header.update(joint_names=["a", "b", "c"]))),
    ("shape", lambda clip: changed(clip, lambda header: header["arrays"][1].update(shape=[9]))),
    ("2 arrays", lambda clip: encode(clip, 0, 0)[:-1]),
    ("bytes", lambda clip: [*encode(clip, 0, 0)[:-1], b"123"]),
    ("joint_pos missing", lambda clip: changed(clip, lambda header: header["arrays"][0].update(name="other"))),
    (
        "not finite",
        lambda clip: [*encode(clip, 0, 0)[:2], np.full(2, np.nan, "<f4").tobytes(), *encode(clip, 0, 0)[3:]],
    ),
    ("unit length", lambda clip: [*encode(clip, 0, 0)[:4], np.zeros(12, "<f4").tobytes()]),
    ("fps is 0", lambda clip: changed(clip, lambda header: header.update(fps=0))),
    ("fps is nan", lambda clip: changed(clip, lambda header: header.update(fps=float("nan")))),
    ("time is inf", lambda clip: changed(clip, lambda header: header.update(time=float("inf")))),
    ("frame is -1", lambda clip: changed(clip, lambda header: header.update(frame=-1))),
    ("frame is True", lambda clip: changed(clip, lambda header: header.update(frame=True))),
    ("sequence is 1e", lambda clip: changed(clip, lambda header: header.update(sequence=1e300))),
    ("clip is", lambda clip: changed(clip, lambda header: header.update(clip=["walk"]))),
]


@pytest.mark.parametrize(("words", "make"), MALFORMED)
def test_a_malformed_message_is_refused_in_one_line(clip: Clip, words: str, make: Callable[[Clip], list[bytes]]):
    with pytest.raises(StreamError) as refused:
        decode(make(clip))
    assert words in str(refused.value) and "\n" not in str(refused.value) and len(str(refused.value)) < 300
    assert Bomb.runs == 0


def test_random_bytes_are_refused_and_nothing_else_is_raised(clip: Clip):
    rng = np.random.default_rng(0)
    good = encode(clip, 0, 0)
    refused = 0
    for _ in range(500):
        parts = list(good)
        part = int(rng.integers(1, len(parts)))
        data = bytearray(parts[part])
        for place in rng.integers(0, len(data), 3):
            data[place] = int(rng.integers(0, 256))
        parts[part] = bytes(data[: int(rng.integers(0, len(data) + 1))]) if rng.random() < 0.3 else bytes(data)
        try:
            found = decode(parts)
        except StreamError:
            refused += 1
        else:
            assert np.isfinite(found.joint_pos).all()
    assert refused > 150


def test_a_name_cannot_steer_the_terminal(clip: Clip):
    found = decode(changed(clip, lambda header: header.update(clip="walk\x1b[2J\n")))
    assert found.clip == "walk?[2J?"


# Publisher and subscriber


def connected(publisher: Publisher, subscriber: Subscriber, clip: Clip) -> None:
    """Send until something arrives: who listens to ZeroMQ lacks what was sent while it connected."""
    for _ in range(200):
        publisher.send(clip, 0)
        if subscriber.receive(0.05) is not None:
            break
    else:
        raise AssertionError("nothing arrived")
    while subscriber.receive(0.1) is not None:
        pass


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:*", "inproc://motions"])
def test_frames_arrive_as_they_were_sent(clip: Clip, context: Any, endpoint: str):
    with Publisher(endpoint, context) as publisher, Subscriber(publisher.endpoint, context) as subscriber:
        connected(publisher, subscriber, clip)
        for frame in range(clip.num_frames):
            publisher.send(clip, frame)
        for frame in range(clip.num_frames):
            assert_is_frame(subscriber.receive(5.0), clip, frame)
        assert subscriber.receive(0.0) is None
        assert (subscriber.reception.lost, subscriber.reception.refused) == (0, 0)


def test_who_comes_late_gets_all_names_and_who_goes_hurts_nobody(clip: Clip, context: Any):
    with Publisher("tcp://127.0.0.1:*", context) as publisher, Subscriber(publisher.endpoint, context) as early:
        connected(publisher, early, clip)
        with Subscriber(publisher.endpoint, context) as late:
            connected(publisher, late, clip)
            publisher.send(clip, 5)
            assert_is_frame(late.receive(5.0), clip, 5)
        publisher.send(clip, 6)
        found = [early.receive(2.0) for _ in range(early_backlog(publisher, early))]
        assert_is_frame(found[-1], clip, 6)


def early_backlog(publisher: Publisher, early: Subscriber) -> int:
    """Return how many messages still wait for a subscriber that lost none."""
    return publisher.sequence - (early._expected or 0)


def test_malformed_messages_are_counted_and_the_stream_goes_on(clip: Clip, context: Any):
    socket = context.socket(zmq.PUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.bind("inproc://mixed")
    with Subscriber("inproc://mixed", context) as subscriber:
        for _ in range(200):
            socket.send_multipart(encode(clip, 0, 0))
            if subscriber.receive(0.05) is not None:
                break
        while subscriber.receive(0.05) is not None:
            pass
        for _, make in MALFORMED:
            socket.send_multipart(make(clip))
        socket.send_multipart(encode(clip, 9, 1))
        assert_is_frame(subscriber.receive(5.0), clip, 9)
        # b"motion2" begins with the topic, so it arrives as well.
        assert subscriber.reception.refused == len(MALFORMED)
        assert sum(subscriber.reception.reasons.values()) <= len(MALFORMED)
        assert len(subscriber.reception.reasons) == 20 and Bomb.runs == 0
        # A flood of rubbish does not keep the reader beyond its time.
        stop = threading.Event()
        flood = threading.Thread(target=lambda: [socket.send(b"motion") for _ in iter(stop.is_set, True)], daemon=True)
        flood.start()
        before = time.monotonic()
        assert subscriber.receive(0.3) is None
        stop.set()
        flood.join()
        assert 0.25 < time.monotonic() - before < 5.0
    socket.close()


def test_gaps_are_counted_as_lost_and_a_new_publisher_is_not(clip: Clip, context: Any):
    with Subscriber("inproc://nobody", context) as subscriber:
        for sequence in (0, 1, 4, 5, 0, 1):
            assert subscriber._read(encode(clip, 0, sequence)) is not None
        assert (subscriber.reception.frames, subscriber.reception.lost) == (6, 2)
        subscriber.refuse("of another robot")
        assert (subscriber.reception.frames, subscriber.reception.refused) == (5, 1)


def test_a_viewer_gets_the_newest_frame(clip: Clip, context: Any):
    with (
        Publisher("inproc://new", context) as publisher,
        Subscriber(publisher.endpoint, context, newest=True) as subscriber,
    ):
        connected(publisher, subscriber, clip)
        for frame in range(clip.num_frames):
            publisher.send(clip, frame)
        time.sleep(0.1)
        assert_is_frame(subscriber.receive(5.0), clip, clip.num_frames - 1)
        assert subscriber.receive(0.0) is None and subscriber.reception.lost == 0


def test_endpoints_that_cannot_be_used_are_named(context: Any):
    with Publisher("tcp://127.0.0.1:*", context) as publisher:
        for endpoint in (publisher.endpoint, "nowhere", "tcp://127.0.0.1:notaport", "tcp://8.8.8.8:5555"):
            with pytest.raises(StreamError, match=f"endpoint '{endpoint}' cannot be published to") as refused:
                Publisher(endpoint, context)
            assert "\n" not in str(refused.value)
    with pytest.raises(StreamError, match="endpoint 'nowhere' cannot be listened to"):
        Subscriber("nowhere", context)
