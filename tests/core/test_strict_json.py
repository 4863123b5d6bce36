"""JSON that anyone may have written: an answer or a ValueError."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asmnet.core import parse_json

numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | st.text()
values = st.recursive(leaves, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=20)


@given(values)
def test_what_json_can_say_comes_back(value):
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize("levels, opened, closed", [(65, "[", "]"), (64, '{"a": [', "]}")])
def test_brackets_may_nest_a_little(levels, opened, closed):
    levels = levels if opened == "[" else levels // 2
    parse_json(opened * levels + closed * levels)
    with pytest.raises(ValueError, match="nests more than 64 levels"):
        parse_json("[" + opened * levels + "1" + closed * levels + "]")


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("NaN", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ("1e999", "1e999 is too large"),
        ("1" + "0" * 400, "too large"),
        ("1" * 5000, "too large"),
        ("[" * 100_000, "nests more than 64 levels"),
        ('"\\ud83d"', "surrogates"),
        (b'"\xff"', "utf-8"),
        ("[1,]", "Expecting value|trailing comma"),  # the latter from Python 3.13 on
        ("", "Expecting value"),
    ],
)
def test_what_is_no_json_is_a_value_error(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_json(text)
