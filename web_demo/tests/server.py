"""Serves the built site, and to tests besides their scripts and data, to one machine."""

from __future__ import annotations

import gzip
import threading
from functools import lru_cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from support import SITE, TESTS

POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob:; "
POLICY += "media-src 'self' blob:"
LOADS = (".js", ".wasm", ".css", ".html", ".tflite", ".svg", ".webmanifest")


@lru_cache
def packed(file: Path) -> bytes:
    """A file's content in gzip."""
    return gzip.compress(file.read_bytes(), 6)


class Handler(SimpleHTTPRequestHandler):
    """A static host with the page's policy in each answer, the workers' too."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript", ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
    }  # fmt: skip

    def __init__(self, *arguments: Any, data: Path, **more: Any) -> None:
        self._data = data
        super().__init__(*arguments, directory=str(SITE), **more)

    def translate_path(self, path: str) -> str:
        """The file of an address: /tests/ and /data/ lie elsewhere."""
        plain = path.split("?")[0].split("#")[0]
        for prefix, folder in (("/tests/", TESTS), ("/data/", self._data)):
            if plain.startswith(prefix):
                return str(folder / Path(plain).name)
        return super().translate_path(path)

    def end_headers(self) -> None:
        """Add the policy."""
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def do_GET(self) -> None:
        """A whole file, packed as static hosts do."""
        file = Path(self.translate_path(self.path))
        file = file / "index.html" if file.is_dir() else file
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if file.suffix not in LOADS or not file.is_file() or not accepted:
            super().do_GET()
            return
        dated = self.date_time_string(int(file.stat().st_mtime))
        known = self.headers.get("If-Modified-Since") == dated
        content = b"" if known else packed(file)
        self.send_response(304 if known else 200)
        self.send_header("Last-Modified", dated)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep quiet."""


class Server:
    """The site at `url`, until the block ends or `stop` is called."""

    def __init__(self, data: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, data=data))
        self.url = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Be gone."""
        self._server.shutdown()
        self._server.server_close()
