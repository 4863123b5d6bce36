"""Files inside a `.tflite` file.

A TFLite file may carry *associated files* as a zip archive appended to the
FlatBuffer (https://ai.google.dev/edge/litert/models/metadata).  Interpreters
ignore the appendix; Python's `zipfile` reads it.  Anyone may have made it, so what
it claims of sizes and places is checked before it is believed.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

from asmnet.core.files import UserError, atomic_path

__all__ = ["LARGEST", "embed_file", "embedded_file", "network_bytes"]

# Bytes of an embedded file: a contract has some 5 kB, a reference 20 kB.
LARGEST = 1 << 24
_ENCRYPTED = 1
# What zipfile raises for archives made to break it.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, ValueError, OverflowError),
)


def embedded_file(model: str | os.PathLike[str], name: str, largest: int = LARGEST) -> bytes | None:
    """The content of a file that `embed_file` appended; None if there is none.

    Args:
        model: a `.tflite` file.
        name: of the wanted file.
        largest: bytes that it may have; no more are ever inflated.

    Raises:
        UserError: the model cannot be read, its archive is damaged, or the file is larger.
    """
    files = _Appended(Path(model))
    return files.read(name, largest) if name in files.entries else None


def embed_file(model: str | os.PathLike[str], name: str, data: bytes) -> None:
    """Append a file to a `.tflite` file, in place of one of that name.

    Raises:
        UserError: all embedded files together would have more than `LARGEST` bytes, the
            archive is damaged, or the file cannot be written.
    """
    path = Path(model)
    old = _Appended(path)
    if sum(entry.file_size for entry in old.entries.values()) + len(data) > LARGEST:
        raise UserError(f"{path}: with {name}, what it embeds exceeds {LARGEST} bytes; embed less")
    files = {key: old.read(key, LARGEST) for key in old.entries}
    with atomic_path(path) as temporary:
        temporary.write_bytes(old.network)
        with zipfile.ZipFile(temporary, "a") as new:
            for key, content in (files | {name: data}).items():
                # Not the bare name: a ZipInfo has no time, so the same content is the same file.
                new.writestr(zipfile.ZipInfo(key), content)


def network_bytes(model: str | os.PathLike[str]) -> bytes:
    """A `.tflite` file without the files appended to it.

    Raises:
        UserError: it cannot be read, or its archive is damaged.
    """
    return _Appended(Path(model)).network


class _Appended:
    """A `.tflite` file in two: the network, and the archive behind it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read model {path}: {error.strerror or error}") from error
        self.network = content
        self.entries: dict[str, zipfile.ZipInfo] = {}
        if not zipfile.is_zipfile(io.BytesIO(content)):
            return
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except _BROKEN as error:
            raise self._damaged(str(error)) from error
        entries = self._archive.infolist()
        self.entries = {entry.filename: entry for entry in entries}
        starts = [entry.header_offset for entry in entries] or [self._archive.start_dir]
        if len(self.entries) < len(entries):
            raise self._damaged("two files of one name")
        if min(starts) < 0 or max(starts) > self._archive.start_dir:
            raise self._damaged("a file that lies elsewhere")
        self.network = content[: min(starts)]

    def read(self, name: str, largest: int) -> bytes:
        """The content of a file that is there."""
        entry = self.entries[name]
        if entry.file_size > largest:
            raise UserError(
                f"{self._path} holds {name} of {entry.file_size} bytes, at most {largest} are "
                "read; get or export it again"
            )
        if entry.flag_bits & _ENCRYPTED:
            raise self._damaged(f"{name} is encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._damaged(f"{name} is compressed by another method than deflate")
        try:
            with self._archive.open(entry) as stream:
                # Given a length, zipfile inflates no more: what the header says may be a lie.
                return stream.read(entry.file_size + 1)
        except _BROKEN as error:
            raise self._damaged(f"{name}: {error}") from error

    def _damaged(self, how: str) -> UserError:
        return UserError(
            f"{self._path} is damaged: its archive cannot be used ({how}); get or export it again"
        )
