"""A disk that is soon full."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator


@contextlib.contextmanager
def full_disk(left: int = 20_000) -> Iterator[None]:
    """No file can grow beyond so many bytes here, as on a full disk.

    No fixture, which would be in force while pytest writes its own report to a file.
    """
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
