"""The guide's bridge to MQTT, with the real library and a stand-in for a broker."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from asmnet.core import Crop, Event
from asmnet.edge_runtime import Face, Frame
from asmnet.edge_runtime.io.senders import UdpSender
from asmnet.edge_runtime.io.sinks import record_line

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "mqtt.md"
ACCEPTED = b"\x20\x02\x00\x00"  # CONNACK; https://docs.oasis-open.org/mqtt/mqtt/v3.1.1
CONNECT, PUBLISH = 1, 3


def packets(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each MQTT packet."""
    while kind := stream.read(1):
        length = shift = 0
        while True:
            [byte] = stream.read(1)
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield kind[0] >> 4, stream.read(length)


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_bridge_passes_on_faces_and_events():
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt, which the extra dev brings")
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    port = free_port(socket.SOCK_DGRAM)
    face = Face(
        np.zeros((68, 2)),
        np.array([10.0, 20, 30]),
        Crop(0, 0, 1),
        score=0.5,
        id=7,
        position=np.array([1.0, 2, 3]),
        eyes=np.array([1, 0.5]),
        mouth=0.25,
        events=(Event("blink", 0.1, 0.3),),
    )
    line = record_line(Frame(np.zeros((4, 6, 3), np.uint8), 0.3, 3, 10.0, "x"), [face])
    done = threading.Event()

    def track() -> None:
        with UdpSender(f"127.0.0.1:{port}") as sender:
            while not done.wait(0.05):
                sender.write(line)

    with socket.create_server(("127.0.0.1", 0)) as broker:
        broker.settimeout(60)
        code = code.replace("1883", str(broker.getsockname()[1])).replace("9000", str(port))
        bridge = subprocess.Popen([sys.executable, "-c", code])
        tracker = threading.Thread(target=track)
        try:
            tracker.start()
            connection, _ = broker.accept()
            connection.settimeout(60)
            received: dict[str, object] = {}
            with connection, connection.makefile("rb") as stream:
                for kind, content in packets(stream):
                    if kind == CONNECT:
                        connection.sendall(ACCEPTED)
                    elif kind == PUBLISH:
                        end = 2 + int.from_bytes(content[:2], "big")
                        received[content[2:end].decode()] = json.loads(content[end:])
                    if "asmnet/blink" in received:
                        break
        finally:
            done.set()
            tracker.join()
            bridge.kill()
            bridge.wait()
    known = face.to_dict()
    del known["landmarks"]
    assert received == {
        "asmnet/faces": 1,
        "asmnet/face/7": known,
        "asmnet/blink": {"kind": "blink", "start": 0.1, "end": 0.3},
    }
