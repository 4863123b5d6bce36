"""What stays open: closed by name, or at the end of a `with` block."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

__all__ = ["Closing", "Stream"]

T = TypeVar("T")
C = TypeVar("C", bound="Closing")


class Closing:
    """A context manager that calls `close` at its end."""

    def close(self) -> None:
        """Give back what is open; a second time does nothing."""
        raise NotImplementedError

    def __enter__(self: C) -> C:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Stream(Closing, Iterator[T], Generic[T]):
    """What comes out of something open, which is closed at its end, by `close` or by `with`.

    Args:
        items: yields what there is.
        release: gives back what was opened before the first item, should there never be one.
    """

    def __init__(self, items: Generator[T, None, None], release: Callable[[], None]) -> None:
        self._items, self._release = items, release

    def __next__(self) -> T:
        return next(self._items)

    def close(self) -> None:
        """End the items, and give back what they come from."""
        self._items.close()
        self._release()
