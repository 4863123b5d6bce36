"""Input that is nearly right, made by a grammar: it is read, or refused in one sentence.

FUZZ=1000 python -m pytest tests/fuzz     # a thousand of each, other ones each time
"""

import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import grammar
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asmnet.core import Crop, ModelSpec, UserError, embed_file, embedded_file, read_spec
from asmnet.edge_runtime import Landmarker

EXAMPLES = int(os.environ.get("FUZZ", 50))
pytestmark = pytest.mark.timeout(300 + EXAMPLES)


def outcomes(strategy: st.SearchStrategy, read: Callable) -> Counter:
    """Give examples to a reader, and count how they end.

    Anything but a `UserError` of one line fails.
    """
    count: Counter = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize="FUZZ" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(example):
        try:
            read(example)
            count["read"] += 1
        except UserError as error:
            assert "\n" not in str(error)
            count["refused"] += 1

    each()
    print(dict(count))
    return count


def test_contracts():
    def read(text: str) -> None:
        try:
            spec = ModelSpec.from_json(text)
        except ValueError as error:
            raise UserError(str(error)) from error
        assert ModelSpec.from_json(spec.to_json()) == spec

    count = outcomes(grammar.contracts(), read)
    assert count["read"] and count["refused"]


def test_model_files(tmp_path):
    file = tmp_path / "m.tflite"
    picture = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)

    def read(content: bytes) -> None:
        file.write_bytes(content)
        spec = read_spec(file)
        embedded_file(file, "proof.npz")
        face = Landmarker.load(file)(picture, Crop(150, 150, 100 * spec.margin))
        assert np.isfinite(face.landmarks).all() and np.isfinite(face.pose).all()

    count = outcomes(grammar.model_files(), read)
    assert count["read"] and count["refused"]


def learn(source: str, skip_bad: bool) -> None:
    """What training does with labels before it begins."""
    datasets = pytest.importorskip("asmnet.data.datasets")
    pictures = pytest.importorskip("asmnet.data.images")
    packing = pytest.importorskip("asmnet.train.packed")
    data = datasets.read_dataset(source, skip_bad=skip_bad)
    if skip_bad:
        data = pictures.readable(data)
    packed = packing.pack_faces(data.faces, 16, 1.25)
    assert np.isfinite(packed.points).all() and not np.isinf(packed.pose).any()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with one picture of 64 x 64."""
    cv2.imwrite(str(tmp_path / "face.png"), np.full((64, 64, 3), 100, np.uint8))
    return tmp_path


both = pytest.mark.parametrize("skip_bad", [False, True])


@both
def test_pts_files(folder, skip_bad):
    def read(content: bytes) -> None:
        (folder / "face.pts").write_bytes(content)
        learn(f"300w:{folder}", skip_bad)

    count = outcomes(grammar.pts(), read)
    assert count["read"] and count["refused"]


@both
def test_wflw_lists(folder, skip_bad):
    (folder / "WFLW_images").mkdir()
    (folder / "face.png").rename(folder / "WFLW_images/face.png")

    def read(content: bytes) -> None:
        (folder / "list_98pt_rect_attr_test.txt").write_bytes(content)
        learn(f"wflw:{folder}", skip_bad)

    count = outcomes(grammar.wflw(), read)
    assert count["read"] and count["refused"]


@both
def test_jsonl_labels(folder, skip_bad):
    def read(content: bytes) -> None:
        (folder / "labels.jsonl").write_bytes(content)
        learn(str(folder / "labels.jsonl"), skip_bad)

    count = outcomes(grammar.jsonl(), read)
    assert count["read"] and count["refused"]


@both
def test_pose_tables(folder, skip_bad):
    points = "\n".join(f"{x} {x * x % 50}" for x in range(68))
    (folder / "face.pts").write_text(f"version: 1\nn_points: 68\n{{\n{points}\n}}\n")

    def read(content: bytes) -> None:
        (folder / "head_pose.csv").write_bytes(content)
        learn(f"300w:{folder}", skip_bad)

    count = outcomes(grammar.pose_tables(), read)
    assert count["read"]
    assert count["refused"] or skip_bad


def test_references(tmp_path):
    verify = pytest.importorskip("asmnet.edge_runtime.verify").verify
    file = tmp_path / "m.tflite"

    def read(content: bytes) -> None:
        file.write_bytes(grammar.MODEL.read_bytes())
        embed_file(file, "proof.npz", content)
        assert all(np.isfinite(metric.value) for metric in verify(file).metrics)

    count = outcomes(grammar.references(), read)
    assert count["read"] and count["refused"]


def test_requests_to_the_live_page(capfd):
    """Nothing is printed, and the page is served all the same."""
    serve = pytest.importorskip("asmnet.edge_runtime.io.serve")
    pytest.importorskip("aiohttp")
    with serve.PreviewServer("0") as server:
        port = int(server.url.rstrip("/").rpartition(":")[2])

        def send(content: bytes) -> None:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.sendall(content)
                client.settimeout(0.02)
                try:
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
                except OSError:  # the answer is its own affair
                    pass

        outcomes(grammar.requests(), send)
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert capfd.readouterr().err == ""
