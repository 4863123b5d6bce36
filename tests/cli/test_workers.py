"""Work in other processes: nothing is lost with a worker, and none outlives its parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from asmnet.cli.workers import LocalPool, map_items
from asmnet.core import UserError

pytestmark = pytest.mark.slow  # each starts processes


class Square:
    """Squares; at 3 its process dies as often as told, 4 it refuses, and 60 takes a minute."""

    def __init__(self, folder: Path, deaths: int = 0) -> None:
        (folder / f"made-{os.getpid()}").touch()
        self.folder, self.deaths = folder, deaths

    def __call__(self, number: int) -> int:
        died = len(list(self.folder.glob("died-*")))
        if number == 3 and died < self.deaths:
            (self.folder / f"died-{died}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 4:
            raise UserError("4 is no good number")
        if number == 60:
            (self.folder / "asleep").touch()
            time.sleep(60)
        return number**2


def refuse() -> Callable[[int], int]:
    raise UserError("no model")


def die() -> Callable[[int], int]:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


inherited = False


def tell_what_is_inherited() -> Callable[[int], int]:
    return lambda _: int(inherited)


class Puppet:
    """A worker within this process, whose fate is told beforehand.

    It ends before it begins ("stillborn"), or at its first item ("lost"), or does its work
    ("good"), or does it slowly ("slow"), or raises the exception.
    """

    def __init__(self, fate: str | Exception, function: Callable[[int], int]) -> None:
        self.fate, self.function = fate, function
        self.ready = self.future(EOFError() if fate == "stillborn" else None)

    @staticmethod
    def future(error: Exception | None, answer: int = 0) -> Future[int]:
        done: Future[int] = Future()
        done.set_result(answer) if error is None else done.set_exception(error)
        return done

    def run(self, item: int) -> Future[int]:
        if isinstance(self.fate, Exception):
            return self.future(self.fate)
        if self.fate == "slow":
            later: Future[int] = Future()
            threading.Timer(1.0, later.set_result, [self.function(item)]).start()
            return later
        return self.future(EOFError() if self.fate == "lost" else None, self.function(item))

    def close(self) -> None:
        pass


class Puppets:
    """A pool of them."""

    gone, cores = EOFError, 1

    def __init__(self, *fates: str | Exception) -> None:
        self.fates = list(fates)

    def start(self, make: Callable[[], Callable[[int], int]]) -> Puppet:
        return Puppet(self.fates.pop(0), make())

    def square(self, numbers: list[int], workers: int = 1) -> dict[int, int]:
        return dict(map_items(lambda: lambda n: n**2, numbers, lambda n: -n, self, workers))


def becomes_true(condition: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def run(make: Callable[[], Callable[[int], int]], numbers: list[int], workers: int = 1):
    return dict(map_items(make, numbers, lambda number: -number, LocalPool(), workers))


def test_each_worker_makes_its_function_once(tmp_path):
    numbers = [0, 1, 2, 5, 6, 7]
    assert run(partial(Square, tmp_path), numbers, workers=2) == {n: n**2 for n in numbers}
    assert len(list(tmp_path.glob("made-*"))) <= 2


def test_what_a_lost_worker_was_at_is_done_again(tmp_path):
    assert run(partial(Square, tmp_path, deaths=2), [1, 2, 3, 5]) == {1: 1, 2: 4, 3: 9, 5: 25}
    assert len(list(tmp_path.glob("made-*"))) == 3


def test_a_worker_that_is_lost_with_nothing_to_do_is_replaced(tmp_path):
    work = map_items(partial(Square, tmp_path), [1, 2], abs, LocalPool(), workers=1)
    found = [next(work)]
    os.kill(int(next(tmp_path.glob("made-*")).name.removeprefix("made-")), signal.SIGKILL)
    time.sleep(0.5)
    assert dict([*found, *work]) == {1: 1, 2: 4}


def test_an_item_that_kills_every_worker_does_not_stop_the_others(tmp_path):
    assert run(partial(Square, tmp_path, deaths=99), [1, 3, 5], 2) == {1: 1, 3: -3, 5: 25}
    assert len(list(tmp_path.glob("died-*"))) == 3


@pytest.mark.parametrize(
    ("make", "said"),
    [(refuse, "no model"), (die, "workers end before they begin"), (None, "4 is no good number")],
)
def test_errors_of_workers_are_those_of_the_whole(tmp_path, make, said):
    with pytest.raises(UserError, match=said):
        run(make or partial(Square, tmp_path), [1, 4, 5])
    assert becomes_true(lambda: not multiprocessing.active_children()), "none is left"


@pytest.mark.parametrize("workers", [1, 2])
def test_it_gives_up_when_three_times_all_workers_end_before_they_begin(workers):
    pool = Puppets(*["stillborn"] * 9)
    with pytest.raises(UserError, match="workers end before they begin"):
        pool.square([1, 2], workers)
    assert len(pool.fates) == 9 - 3 * workers


def test_a_worker_that_begins_makes_good_for_those_that_did_not():
    pool = Puppets(*["stillborn"] * 2, "lost", *["stillborn"] * 2, "good")
    assert pool.square([5]) == {5: 25}


def test_after_an_item_that_is_given_up_the_others_are_done():
    pool = Puppets(*["lost"] * 3, "good")
    assert pool.square([1, 2, 3]) == {1: -1, 2: 4, 3: 9}


def test_a_slow_item_holds_up_no_others():
    *_, last = Puppets("slow", "good").square([1, 2, 3, 4], workers=2)
    assert last in (1, 2), "they are begun first"


def test_of_an_error_that_a_cluster_wraps_the_cause_is_told():
    wrapped = RuntimeError("a page of text")
    wrapped.cause = UserError("4 is no good number")
    with pytest.raises(UserError, match="4 is no good number"):
        Puppets(wrapped).square([4])


def test_a_worker_ends_when_it_is_closed_and_no_other_does(tmp_path):
    pool = LocalPool()
    busy, other = (pool.start(partial(Square, tmp_path)) for _ in range(2))
    process = Path("/proc", str(busy.ready.result()))
    other.ready.result()
    busy.run(60)
    assert becomes_true((tmp_path / "asleep").exists)
    busy.close()
    assert becomes_true(lambda: not runs(process))
    unborn = pool.start(die)
    assert unborn.ready.exception()
    unborn.close()
    assert other.run(2).result() == 4
    other.close()


def test_a_worker_begins_afresh(monkeypatch):
    """A fork would inherit locks that other threads hold, and wait for them for ever."""
    monkeypatch.setattr(sys.modules[__name__], "inherited", True)
    assert run(tell_what_is_inherited, [1]) == {1: 0}


@pytest.mark.parametrize("tells", [True, False])
def test_there_are_as_many_workers_as_cores_that_a_scheduler_leaves(tells, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    if not tells:  # macOS
        monkeypatch.delattr(os, "sched_getaffinity")
    assert LocalPool().cores == (3 if tells else 64)


def test_workers_end_with_their_parent(tmp_path):
    script = (
        "import sys, time; from test_workers import *\n"
        "if __name__ == '__main__':\n"
        f"    made = partial(Square, Path({str(tmp_path)!r}))\n"
        "    for _ in map_items(made, [1, 2], abs, LocalPool(), 2): time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(script)
    known = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], env=known)
    assert becomes_true(lambda: len(list(tmp_path.glob("made-*"))) == 2)
    made = tmp_path.glob("made-*")
    workers = [Path("/proc", path.name.removeprefix("made-")) for path in made]
    parent.kill()
    parent.wait()
    assert becomes_true(lambda: not any(map(runs, workers)))


def runs(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
