"""Files inside a model file, also where the archive was made to do harm."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from asmnet.core import UserError, embed_file, embedded_file
from asmnet.core.associated_files import LARGEST, network_bytes

NETWORK = b"\x1c\0\0\0TFL3" + bytes(1000)


@pytest.fixture
def model(tmp_path) -> Path:
    path = tmp_path / "m.tflite"
    path.write_bytes(NETWORK)
    return path


def archived(model: Path, **options) -> zipfile.ZipFile:
    """The archive at a model's end, to be written to."""
    return zipfile.ZipFile(model, "a", **options)


def patch(model: Path, at: Callable[[bytes], int], layout: str, value: int) -> None:
    """Overwrite a field of the archive."""
    content = bytearray(model.read_bytes())
    struct.pack_into(layout, content, at(content), value)
    model.write_bytes(content)


def directory(field: int) -> Callable[[bytes], int]:
    """Where a field of the first entry of the zip's directory is."""
    return lambda content: content.index(b"PK\x01\x02") + field


def test_what_was_embedded_comes_back(model):
    embed_file(model, "a.txt", b"one")
    embed_file(model, "b.txt", b"two")
    embed_file(model, "a.txt", b"three")
    assert (embedded_file(model, "a.txt"), embedded_file(model, "b.txt")) == (b"three", b"two")
    assert embedded_file(model, "c.txt") is None
    assert model.read_bytes().startswith(NETWORK)


def test_the_network_is_what_lies_before_the_archive(model):
    assert network_bytes(model) == NETWORK
    embed_file(model, "a.txt", b"one")
    embed_file(model, "b.txt", b"two")
    assert network_bytes(model) == NETWORK


def test_an_empty_archive_holds_nothing(model):
    archived(model).close()
    assert embedded_file(model, "a.txt") is None
    assert network_bytes(model) == NETWORK


def test_an_archive_alone_has_no_network(model):
    model.write_bytes(b"")
    embed_file(model, "a.txt", b"one")
    assert embedded_file(model, "a.txt") == b"one"
    assert network_bytes(model) == b""


def test_embedding_too_much_is_refused_and_changes_nothing(model):
    embed_file(model, "a.txt", b"one")
    before = model.read_bytes()
    with pytest.raises(UserError, match="b.bin.*exceeds"):
        embed_file(model, "b.bin", bytes(LARGEST - 2))
    assert model.read_bytes() == before
    embed_file(model, "b.bin", bytes(LARGEST - 3))
    assert len(embedded_file(model, "b.bin") or b"") == LARGEST - 3


def test_a_missing_model_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="cannot read model .*: No such file"):
        embedded_file(tmp_path / "absent.tflite", "a.txt")


def test_a_file_may_have_its_largest_size_and_no_more(model):
    embed_file(model, "a.bin", bytes(100))
    assert embedded_file(model, "a.bin", 100) == bytes(100)
    with pytest.raises(UserError, match="a.bin of 100 bytes, at most 99 are read"):
        embedded_file(model, "a.bin", 99)


@pytest.mark.parametrize("claims", ["the truth", "100 bytes"])
def test_a_bomb_takes_no_memory(claims, model):
    """50 MB of zeros in 50 kB, with and without an honest header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(50)) + packer.flush()
    with archived(model) as archive:
        archive.writestr("bomb", packed)
    patch(model, directory(10), "<H", zipfile.ZIP_DEFLATED)
    patch(model, directory(24), "<I", 50 << 20 if claims == "the truth" else 100)
    patch(model, lambda content: content.index(b"PK\x03\x04") + 8, "<H", zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    with pytest.raises(UserError, match="bomb"):
        embedded_file(model, "bomb")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6


def encrypted(model: Path) -> None:
    with archived(model) as archive:
        archive.writestr("a.txt", b"one")
    patch(model, directory(8), "<H", 1)


def another_method(model: Path) -> None:
    with archived(model, compression=zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.txt", b"one" * 100)


def unknown_method(model: Path) -> None:
    with archived(model) as archive:
        archive.writestr("a.txt", b"one")
    patch(model, directory(10), "<H", 99)


def wrong_content(model: Path) -> None:
    with archived(model) as archive:
        archive.writestr("a.txt", b"one")
    patch(model, lambda content: content.index(b"one"), "<B", 0)


def cut_content(model: Path) -> None:
    with archived(model, compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(range(256)))
    patch(model, directory(20), "<I", 5)


def two_of_one_name(model: Path) -> None:
    with archived(model) as archive:
        archive.writestr("a.txt", b"one")
        archive.writestr("b.txt", b"two")
    content = model.read_bytes()
    model.write_bytes(content.replace(b"b.txt", b"a.txt"))


def elsewhere(model: Path) -> None:
    with archived(model) as archive:
        archive.writestr("a.txt", b"one")
    patch(model, directory(42), "<I", 1 << 30)


def before_the_file(model: Path) -> None:
    """An archive made apart, whose first entry claims to begin before it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", b"one")
    model.write_bytes(NETWORK[:8] + stream.getvalue()[10:])


def no_entry_there(model: Path) -> None:
    with archived(model) as archive:
        archive.writestr("a.txt", b"one")
    patch(model, directory(42), "<I", 4)


def broken_directory(model: Path) -> None:
    with archived(model) as archive:
        archive.writestr("a.txt", b"one")
    patch(model, directory(0), "<I", 0)


@pytest.mark.parametrize(
    "harm, how",
    [
        (encrypted, "a.txt is encrypted"),
        (another_method, "a.txt is compressed by another method than deflate"),
        (unknown_method, "a.txt is compressed by another method than deflate"),
        (wrong_content, "a.txt: Bad CRC-32.*"),
        (cut_content, "a.txt: .*"),
        (two_of_one_name, "two files of one name"),
        (elsewhere, "a file that lies elsewhere"),
        (before_the_file, "a file that lies elsewhere"),
        (no_entry_there, "a.txt: Bad magic number.*"),
        (broken_directory, "Bad magic number.*"),
    ],
)
def test_a_damaged_archive_is_one_sentence(harm, how, model):
    harm(model)
    told = rf"m.tflite is damaged: its archive cannot be used \({how}\); get or export it again$"
    with pytest.raises(UserError, match=told):
        embedded_file(model, "a.txt")
