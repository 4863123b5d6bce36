"""Programs written for 0.1.0, by its documentation, read what is written today."""

from __future__ import annotations

import csv
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asmnet.core import Crop, Event
from asmnet.edge_runtime import Face, Frame
from asmnet.edge_runtime.io.senders import OscSender, UdpSender
from asmnet.edge_runtime.io.sinks import CsvWriter, JsonlWriter, record_line

POINTS = np.arange(136, dtype=np.float32).reshape(68, 2)
# What such programs use of a face: id, yaw, the box and a point.
KNOWN = [(7, 10.0, [0.0, 1.0, 134.0, 135.0], [60.0, 61.0])]


@pytest.fixture
def line() -> dict[str, Any]:
    """A record with all that came after 0.1.0."""
    face = Face(
        POINTS,
        np.array([10, 20, 30]),
        Crop(0, 0, 1),
        score=0.5,
        id=7,
        position=np.array([50, -20, 600]),
        eyes=np.array([0.5, 1]),
        mouth=0.25,
        events=(Event("blink", 0, 0.25), Event("yawn", 0, 0.25)),
    )
    return record_line(Frame(np.zeros((4, 6, 3), np.uint8), 0.25, 7, 30.0, "x"), [face])


@pytest.fixture
def receiver() -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens, and its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(2)
        yield listening, f"127.0.0.1:{listening.getsockname()[1]}"


def read_record(text: bytes) -> list[tuple]:
    """As a program does that trusts the version alone."""
    line = json.loads(text)
    if line["schema"] != "asmnet-track/1":
        raise ValueError(f"unknown records: {line['schema']}")
    return [
        (face["id"], face["pose"]["yaw"], face["box"], face["landmarks"][30])
        for face in line["faces"]
    ]


def test_json_lines_are_read_by_name_and_version(line, tmp_path: Path):
    with JsonlWriter(tmp_path / "a.jsonl") as lines:
        lines.write(line)
    assert read_record((tmp_path / "a.jsonl").read_bytes()) == KNOWN


def test_datagrams_are_read_by_name_and_version(line, receiver):
    listening, address = receiver
    with UdpSender(address) as sender:
        sender.write(line)
    assert read_record(listening.recv(65535)) == KNOWN


def test_tables_are_read_by_column_number(line, tmp_path: Path):
    """frame, t, source, width, height, id, score, the box, yaw, pitch, roll, x0, y0, ..."""
    with CsvWriter(tmp_path / "a.csv", points=68) as table:
        table.write(line)
    with (tmp_path / "a.csv").open(newline="") as file:
        [_, row] = csv.reader(file)
    box, point = ([float(cell) for cell in cells] for cells in (row[7:11], row[14 + 60 : 14 + 62]))
    assert [(int(row[5]), float(row[11]), box, point)] == KNOWN


def test_open_sound_control_is_read_by_address_and_number(line, receiver):
    """A handler takes as many arguments as were documented; addresses without one are ignored."""
    from pythonosc import dispatcher

    boxes, points = {}, {}
    routes = dispatcher.Dispatcher()

    def on_face(_, number, score, left, top, right, bottom, yaw, pitch, roll):
        boxes[number] = (yaw, [left, top, right, bottom])

    routes.map("/asmnet/face", on_face)
    routes.map("/asmnet/landmarks", lambda _, number, *xy: points.update({number: xy}))
    listening, address = receiver
    with OscSender(address) as sender:
        sender.write(line)
    routes.call_handlers_for_packet(listening.recv(65535), ("127.0.0.1", 0))
    assert [(k, *boxes[k], list(points[k][60:62])) for k in boxes] == KNOWN
    assert len(points[7]) == 136
