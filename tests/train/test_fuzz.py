"""Whatever a label file holds, its reader gives faces or one sentence."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from asmnet.core import UserError
from asmnet.data.datasets import read_300w, read_wflw
from asmnet.data.jsonl import read_jsonl

NUMBERS = st.one_of(
    st.floats(),
    st.integers(-300, 300),
    st.sampled_from([10**400, -(10**400), 1e300, 1e9, 0, -0.0, 2**63]),
)
WORDS = st.one_of(
    NUMBERS.map(str), st.text(max_size=8), st.sampled_from(["{", "}", "nan", "1e999"])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=9), inner)
    ),
    max_leaves=8,
)
POINTS = st.one_of(
    VALUES,
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=68, max_size=68),
    st.tuples(NUMBERS, NUMBERS).map(lambda point: [point] * 68),
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "image": st.one_of(st.just("a.png"), VALUES),
        "landmarks": POINTS,
        "pose": st.one_of(VALUES, st.lists(NUMBERS, min_size=3, max_size=3)),
    },
)
many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "WFLW_annotations").mkdir()
    (tmp_path / "WFLW_images").mkdir()
    Image.new("RGB", (90, 80)).save(tmp_path / "a.png")
    angle = np.linspace(0, 6, 68)
    points = np.stack([40 + 30 * np.cos(angle), 40 + 30 * np.sin(angle)], axis=-1)
    rows = "".join(f"{x} {y}\n" for x, y in points)
    (tmp_path / "a.pts").write_text(f"version: 1\n{{\n{rows}}}\n")
    return tmp_path


def sane(faces):
    for face in faces:
        assert np.isfinite(face.points).all() and np.ptp(face.points, axis=0).min() > 0
        assert face.pose is None or np.isfinite(face.pose).all()


@many
@given(entries=st.lists(st.one_of(ENTRIES, VALUES), min_size=1, max_size=3), skip=st.booleans())
def test_json_lines(folder, entries, skip):
    lines = [json.dumps(entry) for entry in entries]
    (folder / "labels.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with contextlib.suppress(UserError):
        sane(read_jsonl(folder / "labels.jsonl", skip).faces)


@many
@given(
    lines=st.lists(st.lists(WORDS, max_size=3).map(" ".join), max_size=4),
    at=st.integers(0, 70),
    skip=st.booleans(),
)
def test_pts_files(folder, lines, at, skip):
    known = (folder / "a.pts").read_text().splitlines()
    (folder / "a.pts").write_text("\n".join(known[:at] + lines + known[at:]), encoding="utf-8")
    try:
        with contextlib.suppress(UserError):
            sane(read_300w(folder, skip_bad=skip).faces)
    finally:
        (folder / "a.pts").write_text("\n".join(known))


@many
@given(
    head=st.sampled_from(["image,yaw_deg,pitch_deg,roll_deg", "image,yaw_deg", ""]),
    rows=st.lists(
        st.lists(st.one_of(WORDS, st.just("a.png")), max_size=5).map(",".join), max_size=4
    ),
    skip=st.booleans(),
)
def test_pose_files(folder, head, rows, skip):
    (folder / "head_pose.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    with contextlib.suppress(UserError):
        sane(read_300w(folder, skip_bad=skip).faces)


@many
@given(
    numbers=st.lists(NUMBERS.map(str), min_size=1, max_size=5),
    count=st.sampled_from([0, 3, 196, 200, 206]),
    name=st.one_of(st.just("../a.png"), st.text(max_size=9)),
    skip=st.booleans(),
)
def test_wflw_lists(folder, numbers, count, name, skip):
    fields = [numbers[i % len(numbers)] for i in range(count)]
    path = folder / "WFLW_annotations" / "list_98pt_rect_attr_test.txt"
    path.write_text(" ".join([*fields, name]), encoding="utf-8")
    with contextlib.suppress(UserError):
        sane(read_wflw(folder, skip_bad=skip).faces)
