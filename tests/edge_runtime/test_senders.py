"""What other programs receive."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from asmnet.core import Crop, Event, UserError
from asmnet.edge_runtime import Face, Frame
from asmnet.edge_runtime.io.senders import OpentrackSender, OscSender, UdpSender
from asmnet.edge_runtime.io.sinks import record_line

FACE = Face(np.arange(136, dtype=np.float32).reshape(68, 2), np.ones(3), Crop(0, 0, 1), 0.5, 3)
LINE = record_line(Frame(np.zeros((4, 6, 3), np.uint8), 0.25, 7, 30.0, "x"), [FACE, FACE])


TRACKED = replace(
    FACE,
    pose=np.array([10.0, 20.0, 30.0]),
    position=np.array([50.0, -20.0, 600.0]),
    eyes=np.array([0.5, 1.0]),
    mouth=0.25,
    events=(Event("blink", 0.0, 0.25),),
)
SIGNALLED = record_line(Frame(np.zeros((4, 6, 3), np.uint8), 0.25, 7, 30.0, "x"), [TRACKED])


@pytest.fixture(params=["127.0.0.1", "::1"])
def receiver(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens, and its address."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as listening:
        try:
            listening.bind((request.param, 0))
        except OSError:
            listening.bind(("127.0.0.1", 0))  # no IPv6 here
        listening.settimeout(2)
        host, port = listening.getsockname()[:2]
        yield listening, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def test_a_datagram_is_the_record(receiver: tuple[socket.socket, str]):
    listening, address = receiver
    with UdpSender(address) as sender:
        sender.write(LINE)
    assert json.loads(listening.recv(65535)) == LINE


def test_osc_messages_are_those_documented(receiver: tuple[socket.socket, str]):
    from pythonosc.osc_bundle import OscBundle

    listening, address = receiver
    with OscSender(address) as sender:
        sender.write(LINE)
    messages = list(OscBundle(listening.recv(65535)))
    assert [m.address for m in messages] == ["/asmnet/frame"] + [
        "/asmnet/face",
        "/asmnet/landmarks",
    ] * 2
    assert messages[0].params == [7, 0.25, 6, 4, 2]
    assert messages[1].params == [3, 0.5, 0, 1, 134, 135, 1, 1, 1]
    assert messages[2].params == [3, *range(136)]
    assert all(isinstance(value, float) for value in messages[2].params[1:])


def test_osc_has_signals_and_events_of_tracked_faces(receiver: tuple[socket.socket, str]):
    from pythonosc.osc_bundle import OscBundle

    listening, address = receiver
    with OscSender(address) as sender:
        sender.write(SIGNALLED)
    signals, event = list(OscBundle(listening.recv(65535)))[-2:]
    assert signals.address == "/asmnet/signals" and event.address == "/asmnet/event"
    assert signals.params == [3, 50.0, -20.0, 600.0, 0.5, 1.0, 0.25]
    assert event.params == [3, "blink", 0.0, 0.25]


def test_opentrack_gets_centimetres_and_degrees_as_the_person_sees_them(receiver):
    """The camera sees the person's left on its right, and below counts downwards."""
    listening, address = receiver
    with OpentrackSender(address) as sender:
        sender.write(record_line(Frame(np.zeros((4, 6, 3), np.uint8), 0, 0, 30.0, "x"), []))
        sender.write(SIGNALLED)
    x, y, z, yaw, pitch, roll = struct.unpack("<6d", listening.recv(65535))
    assert (x, y, z) == (-5, 2, -60)
    assert (yaw, pitch, roll) == (10, 20, -30)


@pytest.mark.parametrize("sender", [UdpSender, OscSender, OpentrackSender])
def test_nobody_needs_to_listen(sender: type[UdpSender]):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{gone.getsockname()[1]}"
    with sender(address) as talking:
        for _ in range(50):
            talking.write(LINE)


@pytest.mark.parametrize(
    "address", ["9000", "host:", "a b:1", "127.0.0.1:99999", "x:0", "x:" + "9" * 5000, ""]
)
def test_what_is_no_address_is_one_sentence(address: str):
    with pytest.raises(UserError, match="is no address; give HOST:PORT"):
        UdpSender(address)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a..b", "a" * 70, "\u0660" * 70])
def test_an_unknown_host_is_one_sentence(host: str):
    with pytest.raises(UserError, match=f"host '{host}' .* is unknown"):
        UdpSender(f"{host}:9000")


def test_a_network_that_takes_nothing_does_not_wait(monkeypatch: pytest.MonkeyPatch):
    """Its queue is full: what blocks waits for room, and the tracker with it."""
    modes: list[bool] = []

    class Full(socket.socket):
        def sendto(self, *_: object) -> int:
            modes.append(self.getblocking())
            raise BlockingIOError

    monkeypatch.setattr(socket, "socket", Full)
    with UdpSender("127.0.0.1:9000") as sender:
        sender.write(LINE)
    assert modes == [False]
