"""Files and requests made by the rules of their format, then spoiled in a few places."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import numpy as np
from hypothesis import strategies as st

from asmnet import models, samples
from asmnet.core import read_spec
from asmnet.core.associated_files import network_bytes

__all__ = [
    "contracts",
    "jsonl",
    "model_files",
    "pose_tables",
    "references",
    "pts",
    "requests",
    "wflw",
]

# What stands in place of a word.
WORDS = (
    *("nan", "inf", "-inf", "1e300", "-1e9", "1e999", "0", "-0.0", "1e-400", "1" * 400),
    *("", "x", "{", "}", '"', ",", "null", "1_0", "0x1F", "\u0661", "\0", "\u2028", "\u00e9"),
    *("face.png", "../face.png", "absent.png", "/dev/zero", "face.png\0", "x" * 300),
)
# What stands in place of a JSON value, as text: JSON or nearly.
VALUES = (
    *("NaN", "-Infinity", "1e999", "-1", "0", "1e300", "1e-300", "224.5", "true", "null", "tru"),
    *('""', '"x"', '"\\ud800"', '"\\u0000"', '"a\\nb"', '"\\x"', "[]", "{}", "[[]]", '{"a": 1}'),
    *("1" * 5000, "[" * 60 + "]" * 60, "[" * 5000 + "]" * 5000, '{"a":' * 5000, "[1,]", "01"),
)
CODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")


@st.composite
def spoiled_json(draw: st.DrawFn, document: Any) -> str:
    """The document with up to three of its values replaced, doubled or left out."""
    text = json.dumps(document)
    places = [
        match.span() for match in re.finditer(r'"[^"]*"(?!:)|-?[\d.]+|true|false|[{\[]', text)
    ]
    chosen = draw(st.lists(st.sampled_from(places), max_size=3, unique=True))
    for start, end in sorted(chosen, reverse=True):
        old, value = text[start:end], draw(st.sampled_from(VALUES))
        text = text[:start] + draw(st.sampled_from((value, "", f"{old}, {old}"))) + text[end:]
    return text


@st.composite
def spoiled_text(draw: st.DrawFn, lines: list[str], separator: str = " ") -> bytes:
    """A text file with up to three of its words or lines changed, in some encoding."""
    lines = list(lines)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1)) if lines else 0
        what = draw(st.sampled_from(("word", "word", "word", "drop", "double", "empty")))
        if what == "word" and lines:
            words = lines[at].split(separator)
            words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(WORDS))
            lines[at] = separator.join(words)
        elif what != "word":
            lines[at : at + 1] = {"drop": [], "double": lines[at : at + 1] * 2, "empty": [""]}[what]
    end = draw(st.sampled_from(("\n", "\n", "\r\n", "\r")))
    content = (end.join(lines) + end).encode(draw(st.sampled_from(CODINGS)), "replace")
    return (
        content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 9)) == 0 else content
    )


@st.composite
def faces(draw: st.DrawFn, count: int) -> list[list[float]]:
    """Landmarks in a picture of 64 x 64, or somewhere else altogether."""
    points = np.random.default_rng(draw(st.integers(0, 99))).uniform(5, 60, (count, 2))
    scale = draw(st.sampled_from((1, 1, 1, 1, 0, -1, 1e-6, 1e5, 1e300)))
    return [[round(float(x), 2), round(float(y), 2)] for x, y in points * scale]


@st.composite
def pts(draw: st.DrawFn) -> bytes:
    """A `.pts` file of iBUG."""
    rows = [f"{x} {y}" for x, y in draw(faces(68))]
    return draw(spoiled_text(["version: 1", "n_points: 68", "{", *rows, "}"]))


@st.composite
def wflw(draw: st.DrawFn) -> bytes:
    """A list of WFLW: one to three faces."""
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        numbers = [str(value) for point in draw(faces(98)) for value in point]
        more = draw(st.sampled_from(([], ["5", "5", "60", "60"], ["5"] * 4 + ["0", "1"] * 3)))
        lines.append(" ".join([*numbers, *more, "face.png"]))
    return draw(spoiled_text(lines))


@st.composite
def jsonl(draw: st.DrawFn) -> bytes:
    """Labels as JSON lines: one to three faces."""
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        points = draw(faces(draw(st.sampled_from((68, 98)))))
        pose = draw(st.sampled_from((None, [1.5, -2, 3], [0, 0, 400], [0, 0])))
        face = {"image": "face.png", "landmarks": points, "pose": pose}
        lines.append(draw(spoiled_json(face)))
    return ("\n".join(lines) + "\n").encode(draw(st.sampled_from(CODINGS)), "replace")


@st.composite
def pose_tables(draw: st.DrawFn) -> bytes:
    """A head_pose.csv."""
    angles = st.sampled_from(("0", "-12.5", "90", "361"))
    rows = [
        ",".join([draw(st.sampled_from(("face.png", "other.png"))), *(draw(angles) for _ in "ypr")])
        for _ in range(draw(st.integers(0, 3)))
    ]
    return draw(spoiled_text(["image,yaw_deg,pitch_deg,roll_deg", *rows], ","))


MODEL = models.find()
NETWORK, SPEC = network_bytes(MODEL), read_spec(MODEL)


def contracts() -> st.SearchStrategy[str]:
    """Contracts of the default model."""
    return spoiled_json(json.loads(SPEC.to_json()))


@st.composite
def model_files(draw: st.DrawFn) -> bytes:
    """A network with an archive whose headers may lie."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.comment = draw(st.sampled_from((b"", b"", b"a comment")))
        for name in draw(st.sampled_from((["asmnet.json"], ["proof.npz", "asmnet.json"], ["a"]))):
            method = draw(st.sampled_from((8, 8, 8, 0, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))
            archive.writestr(name, draw(contracts()), method)
    content = bytearray(stream.getvalue())
    headers = [m.start() for m in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06)", content)]
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        at = draw(st.sampled_from(headers)) + draw(st.integers(0, 45))
        value = draw(st.sampled_from((0, 1, 9, 99, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)))
        size = draw(st.sampled_from((1, 2, 4)))
        content[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
    return NETWORK + bytes(content)


PICTURES = sorted(path.name for path in samples.LONDON.glob("*.jpg"))[:2]


@st.composite
def references(draw: st.DrawFn) -> bytes:
    """The reference, proof.npz, about two faces of the default model."""
    arrays: dict[str, Any] = {
        "names": np.array(PICTURES),
        "crops": np.array([[300.0, 400.0, 500.0, 0.0]] * 2),
        "points": np.zeros((2, 68, 2), np.int16),
        "step": np.float32(1 / 32767),
        "pose": np.zeros((2, 3), np.float32),
    }
    harms = {
        "drop": lambda a: None,
        "nan": lambda a: np.full(a.shape, np.nan),
        "inf": lambda a: np.full(a.shape, -np.inf),
        "huge": lambda a: np.full(a.shape, 1e300),
        "negative": lambda a: np.full(a.shape, -1.0),
        "object": lambda a: np.full(a.shape, None),
        "text": lambda a: np.full(a.shape, "x"),
        "complex": lambda a: np.full(a.shape, 1j),
        "shorter": lambda a: np.atleast_1d(a)[:-1],
        "empty": lambda a: np.atleast_1d(a)[:0],
        "flat": lambda a: a.ravel(),
        "deeper": lambda a: a[None],
        "one": lambda a: np.atleast_1d(a)[:1],
    }
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from(sorted(arrays)))
        spoiled = harms[draw(st.sampled_from(sorted(harms)))](np.asarray(arrays[key]))
        arrays = {**arrays, key: spoiled} if spoiled is not None else arrays | {"other": 0}
        if spoiled is None:
            del arrays[key]
    if draw(st.integers(0, 4)) == 0:
        arrays = {
            key: np.asarray(value)[:1] if np.ndim(value) else value for key, value in arrays.items()
        }
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    content = stream.getvalue()
    return (
        content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 9)) == 0 else content
    )


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """What a client may send to a web server, all at once."""
    method = draw(st.sampled_from(("GET", "GET", "GET", "HEAD", "POST", "get", "\x16\x03\x01", "")))
    target = draw(
        st.sampled_from(
            ("/", "/live", "/?token=x", "//", "*", "http://[", "/%00", "/%", "/..", "/" * 9000, "")
        )
    )
    version = draw(st.sampled_from(("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", "")))
    headers = draw(
        st.lists(
            st.sampled_from(
                (
                    *("Host: 127.0.0.1", "Host: 127.0.0.1", "Host: evil.com", "Host: [", "Host: "),
                    *("Origin: null", "Origin: http://127.0.0.1", "Content-Length: 5"),
                    *("Content-Length: -1", "Content-Length: x", "Transfer-Encoding: chunked"),
                    *("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
                    *("Sec-WebSocket-Version: 99", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
                    *("Sec-WebSocket-Key: x", "Expect: 100-continue", "Expect: x", "no colon"),
                    *(": no name", "Na me: x", "X: \0", "X: \xff", " folded", "X: " + "a" * 9000),
                )
            ),
            max_size=7,
        )
    )
    body = draw(
        st.sampled_from(
            (b"", b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"\x81\x80\0\0\0\0")
            + (b"\x81\x7f" + b"\xff" * 8, b"\x88\x82\0\0\0\0\x03\xe8", b"\xff" * 100)
        )
    )
    end = draw(st.sampled_from(("\r\n", "\r\n", "\r\n", "\n", "\r")))
    lines = [f"{method} {target} {version}", *headers, "", ""]
    content = end.join(lines).encode("latin-1") + body
    return (
        content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 9)) == 0 else content
    )
