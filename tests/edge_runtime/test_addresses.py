"""Videos and streams behind addresses: what is shown of them, and what never is."""

from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matroska import matroska

from asmnet.core import UserError
from asmnet.edge_runtime import frames_from
from asmnet.edge_runtime.io.cameras import public_name


class _Sender(http.server.BaseHTTPRequestHandler):
    """Sends videos, and logs nothing."""

    def send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/x-matroska")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class _File(_Sender):
    """A video of five frames to whoever knows password and token."""

    def do_GET(self) -> None:
        known = b64encode(b"me:hush-hush").decode()
        if (
            known not in self.headers.get("Authorization", "")
            or "token=top-secret" not in self.path
        ):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send(matroska(range(0, 165, 33), 165))


@pytest.mark.parametrize("path", ["/", "/clip.mkv"])
def test_passwords_and_tokens_leave_in_nothing(path: str, model: Path, tmp_path: Path):
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), _File) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        listening.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{server.server_port}"
        address = f"http://me:hush-hush@{host}{path}?token=top-secret#top-secret"
        done = watch(address, model, "--jsonl", tmp_path / "a.jsonl", "--csv", tmp_path / "a.csv",
                     "--udp", f"127.0.0.1:{listening.getsockname()[1]}",
                     "--stills", tmp_path / "stills", "--every", 0)  # fmt: skip
        assert done.returncode == 0, done.stderr
        server.shutdown()
        told = done.stdout + done.stderr + listening.recv(65536).decode()
    lines = (tmp_path / "a.jsonl").read_text()
    assert lines.count(f'"source":"http://{host}/..."') == 5
    told += lines + (tmp_path / "a.csv").read_text() + str(list(tmp_path.rglob("*")))
    assert "hush" not in told and "secret" not in told


def watch(address: str, model: Path, *options: object) -> subprocess.CompletedProcess[str]:
    """`asmnet-webcam` in a process of its own: libraries print past Python's streams."""
    command = [sys.executable, "-c", "from asmnet.edge_runtime.webcam import main; main()"]
    given = ["--headless", "--model", model, "--source", address, *options]
    return subprocess.run(
        command + [str(value) for value in given],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    [
        "http://me:hush-hush@HOST/clip.mkv?token=wrong-secret",
        "http://me:hush/hush@HOST/clip.mkv",
        "rtsp://HOST/user=admin&password=top-secret&channel=1",
        "http://HOST/top-secret/clip.mkv",
        "http:/me:hush-hush@HOST/clip.mkv",
        "me:hush-hush@HOST/clip.mkv",
        "http://[me:hush-hush@HOST",
        "no-such-scheme://me:hush-hush@HOST",
    ],
)
def test_nor_in_the_sentence_about_what_cannot_be_played(address: str, model: Path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _File) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = watch(address.replace("HOST", f"127.0.0.1:{server.server_port}"), model)
        server.shutdown()
    assert done.returncode == 2 and done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert "hush" not in done.stderr and "secret" not in done.stderr


@pytest.mark.parametrize(
    "address",
    ["RTSP:/10.0.0.9/hush", "http:/me:hush@10.0.0.9", "me:hush@10.0.0.9/live", "http:/hush\0"],
)
def test_a_misspelt_address_is_no_path_to_be_shown(address: str):
    with pytest.raises(
        UserError, match=r"address not shown.*: [Nn]o such file.*; try --source demo"
    ) as error:
        frames_from(address)
    assert "hush" not in str(error.value) and error.value.__cause__ is None


SECRETS = st.text("ab1:/@?#&=%.;[] \\-", min_size=1).map(lambda text: f"Zq{text}Zq")


@given(SECRETS, SECRETS, st.sampled_from([
    "rtsp://{0}:{1}@10.0.0.9:554/live", "http://{0}@10.0.0.9", "rtsp://10.0.0.9/{0}/{1}",
    "http://10.0.0.9?user={0}&password={1}", "http://10.0.0.9/live#{0}",
    "rtsp://10.0.0.9/user={0}&password={1}&channel=1", "rtsp://{0}:{1}@[fe80::1]/{0}?{1}",
    "crypto+http://10.0.0.9/{0}:{1}", "concat:http://{0}@10.0.0.9|http://{1}@10.0.0.9",
]))  # fmt: skip
def test_whatever_a_secret_is_made_of_it_is_not_shown(first: str, second: str, form: str):
    assert "Zq" not in public_name(form.format(first, second))


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("rtsp://10.0.0.9", "rtsp://10.0.0.9"),
        ("rtsp://10.0.0.9/", "rtsp://10.0.0.9"),
        ("rtsps://me:secret@camera.local:7441/live", "rtsps://camera.local:7441/..."),
        ("http://[fe80::1]:80/live", "http://[fe80::1]:80/..."),
    ],
)
def test_the_host_is_shown(address: str, name: str):
    assert public_name(address) == name


class _Clip(_Sender):
    """A video of 20 seconds, one picture a second; /cut.mkv ends before its last half."""

    def do_GET(self) -> None:
        content = matroska(range(0, 20_000, 1000), 20_000)
        if self.path == "/cut.mkv":
            content = content[: len(content) // 2]
        self.send(content)


def test_a_video_behind_a_url_is_no_camera():
    """All its pictures with their own times; an end that came too early is told by its host."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Clip) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"http://127.0.0.1:{server.server_port}"
        frames = list(frames_from(f"{host}/clip.mkv"))
        with pytest.raises(UserError, match=f"^{host}/... is truncated: it ended after"):
            list(frames_from(f"{host}/cut.mkv"))
        server.shutdown()
    assert [frame.t for frame in frames] == pytest.approx(range(20))
    assert {(frame.name, frame.live) for frame in frames} == {(f"{host}/...", False)}


def test_nothing_at_a_url_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UserError, match="nothing to play at http://127.0.0.1"):
            frames_from(f"http://127.0.0.1:{taken.getsockname()[1]}/none.mjpg")
