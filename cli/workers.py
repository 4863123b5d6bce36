"""One function over many items, by worker processes of this machine or of a Ray cluster.

Each worker makes its function once and keeps it, with the networks that it has loaded.  What a
lost worker was at is done again by another.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ClassVar, Protocol, TypeVar

from asmnet.core import UserError
from asmnet.core.processor import usable_cores

__all__ = ["LocalPool", "Pool", "Worker", "map_items", "open_pool"]

T = TypeVar("T")
R = TypeVar("R")

# A worker can be lost by accident; if the same item loses three, the item is the cause.
ATTEMPTS = 3


class Worker(Protocol):
    """One process with the function.

    Attributes:
        ready: done when the function is made.
    """

    ready: Future[Any]

    def run(self, item: Any) -> Future[Any]:
        """Apply the function."""

    def close(self) -> None:
        """End it, whatever it is at."""


class Pool(Protocol):
    """Where workers come from.

    Attributes:
        gone: what a future raises whose worker was lost.
        cores: how many workers there is room for.
    """

    gone: ClassVar[type[Exception]]
    cores: int

    def start(self, make: Callable[[], Callable[[T], R]]) -> Worker:
        """A new worker, which gets ready on its own."""


def map_items(
    make: Callable[[], Callable[[T], R]],
    items: Iterable[T],
    lost: Callable[[T], R],
    pool: Pool,
    workers: int | None = None,
) -> Iterator[tuple[T, R]]:
    """Each item with the function's answer, as they come.

    Args:
        make: called once by each worker, for its function; can be pickled, as items and answers.
        items: are begun in this order.
        lost: the answer for an item at which `ATTEMPTS` workers were lost.
        pool: where workers come from.
        workers: at most; None: as many as there are cores.

    Raises:
        UserError: of the function, or of `make`; or workers are lost before they begin.
    """
    todo = deque((item, 0) for item in items)  # with the number of workers that it has cost
    left, count = len(todo), min(workers or pool.cores, len(todo))
    stillborn = 0
    team: set[Worker] = set()
    idle: list[Worker] = []
    # Who is at what; None: getting ready.
    busy: dict[Future[Any], tuple[Worker, tuple[T, int] | None]] = {}
    try:
        while left:
            while todo and idle:
                worker, task = idle.pop(), todo.popleft()
                busy[worker.run(task[0])] = worker, task
            while len(team) < min(count, left):
                worker = pool.start(make)
                team.add(worker)
                busy[worker.ready] = worker, None
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                worker, at = busy.pop(future)
                error = future.exception()
                if isinstance(error, pool.gone):
                    team.remove(worker)
                    worker.close()  # out of reach is not yet gone
                    if at is None:
                        stillborn += 1
                        if stillborn >= ATTEMPTS * count:
                            raise UserError(
                                "workers end before they begin (memory?); take fewer --workers"
                            ) from error
                    elif at[1] + 1 < ATTEMPTS:
                        todo.appendleft((at[0], at[1] + 1))
                    else:
                        left -= 1
                        yield at[0], lost(at[0])
                elif error is not None:
                    raise getattr(error, "cause", None) or error  # Ray wraps it
                else:
                    idle.append(worker)
                    stillborn = 0
                    if at is not None:
                        left -= 1
                        yield at[0], future.result()
    finally:
        for worker in team:
            worker.close()


@contextlib.contextmanager
def open_pool(address: str | None) -> Iterator[Pool]:
    """Processes of this machine, or the workers of a Ray cluster for as long as the block lasts.

    Args:
        address: of a cluster, see `asmnet.cli.cluster`; None for this machine.

    Raises:
        UserError: Ray is not installed, or no cluster answers.
    """
    if address is None:
        yield LocalPool()
        return
    from asmnet.cli.cluster import Cluster

    with contextlib.closing(Cluster(address)) as cluster:
        yield cluster


class LocalPool:
    """Workers on this machine, which end when this process does, however it ends."""

    gone: ClassVar[type[Exception]] = BrokenProcessPool

    def __init__(self) -> None:
        self.cores = usable_cores()

    def start(self, make: Callable[[], Callable[[T], R]]) -> Worker:
        """A new worker."""
        return _Process(make)


class _Process:
    def __init__(self, make: Callable[[], Any]) -> None:
        # Of one process each: a pool of several does not say which one was lost, and at what.
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self.ready: Future[Any] = self._pool.submit(_begin, make)

    def run(self, item: Any) -> Future[Any]:
        try:
            return self._pool.submit(_apply, item)
        except BrokenProcessPool as error:  # it was lost when it had nothing to do
            lost: Future[Any] = Future()
            lost.set_exception(error)
            return lost

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self.ready.done() and not self.ready.cancelled() and not self.ready.exception():
            for child in multiprocessing.active_children():
                if child.pid == self.ready.result():
                    child.kill()  # a long file would hold up the end


_function: Callable[[Any], Any]


def _begin(make: Callable[[], Callable[[Any], Any]]) -> int:
    """Make the function; the process's id."""
    global _function
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _function = make()
    return os.getpid()


def _apply(item: Any) -> Any:
    return _function(item)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
