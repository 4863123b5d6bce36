"""Work in other processes: nothing is lost with a worker, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from asmnet.cli.workers import Processes, map_items
from asmnet.core import UserError


class Square:
    """Squares; at 3 its process dies as often as told, and at 4 it refuses."""

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
        return number**2


def refuse() -> Callable[[int], int]:
    raise UserError("no model")


def die() -> Callable[[int], int]:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def run(make: Callable[[], Callable[[int], int]], numbers: list[int], workers: int = 1):
    return dict(map_items(make, numbers, lambda number: -number, Processes(), workers))


def test_each_worker_makes_its_function_once(tmp_path):
    numbers = [0, 1, 2, 5, 6, 7]
    assert run(partial(Square, tmp_path), numbers, workers=2) == {n: n**2 for n in numbers}
    assert len(list(tmp_path.glob("made-*"))) <= 2


def test_what_a_lost_worker_was_at_is_done_again(tmp_path):
    assert run(partial(Square, tmp_path, deaths=2), [1, 2, 3, 5]) == {1: 1, 2: 4, 3: 9, 5: 25}
    assert len(list(tmp_path.glob("made-*"))) == 3


def test_a_worker_that_is_lost_with_nothing_to_do_is_replaced(tmp_path):
    work = map_items(partial(Square, tmp_path), [1, 2], abs, Processes(), workers=1)
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


def test_workers_end_with_their_parent(tmp_path):
    script = (
        "import sys, time; from test_workers import *\n"
        "if __name__ == '__main__':\n"
        f"    made = partial(Square, Path({str(tmp_path)!r}))\n"
        "    for _ in map_items(made, [1, 2], abs, Processes(), 2): time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(script)
    known = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], env=known)
    end = time.monotonic() + 30
    while len(made := list(tmp_path.glob("made-*"))) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    workers = [Path("/proc", path.name.removeprefix("made-")) for path in made]
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    while any(map(runs, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(runs, workers))


def runs(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
