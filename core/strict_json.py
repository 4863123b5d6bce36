"""JSON as RFC 8259 has it, from files that anyone may have written."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["parse_json"]

DEEPEST = 64


def parse_json(text: str | bytes) -> Any:
    """Parse JSON.

    Python's parser alone also takes NaN and Infinity, makes infinity of 1e999, and ends in a
    RecursionError where brackets nest deeply.

    Raises:
        ValueError: it is not JSON, holds a number beyond float64 or half a surrogate pair, or
            nests more than `DEEPEST` levels.
    """
    try:
        value = json.loads(text, parse_constant=_refused, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError(f"it nests more than {DEEPEST} levels") from None
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [item for one in level if isinstance(one, (dict, list)) for item in _items(one)]
    if level:
        raise ValueError(f"it nests more than {DEEPEST} levels")
    json.dumps(value, ensure_ascii=False).encode()  # half a pair has no encoding
    return value


def _items(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _whole(text: str) -> int:
    _finite(text)
    return int(text)
