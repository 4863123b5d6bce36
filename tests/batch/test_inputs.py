"""What one may name: files, folders, patterns, lists."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asmnet.core import UserError
from asmnet.edge_runtime.batch.cli import main
from asmnet.edge_runtime.batch.inputs import Source, find_sources


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two days of videos, with what else lies about."""
    monkeypatch.chdir(tmp_path)
    for name in ("one/a.mp4", "one/b.JPG", "one/deep/c.webm", "two/a.mp4", "two/[1].mkv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    for name in ("one/notes.txt", "one/._a.mp4", "one/.trash/d.mp4", "two/e.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(*arguments: str) -> list[str]:
    return [source.name for source in find_sources(arguments)[1]]


def test_a_folder_is_its_videos_and_pictures_with_those_of_its_sub_folders(tree):
    assert names("one") == ["a.mp4", "b.JPG", "deep/c.webm"]


def test_files_are_called_by_their_place_below_what_they_share(tree):
    assert names("one/a.mp4") == ["a.mp4"]
    assert names("one/a.mp4", "two/a.mp4") == ["one/a.mp4", "two/a.mp4"]
    assert names("one", "two/a.mp4") == ["one/a.mp4", "one/b.JPG", "one/deep/c.webm", "two/a.mp4"]
    assert names("one/deep", "one") == names("one")


def test_a_pattern_keeps_the_folders_in_which_it_finds(tree):
    assert names("*/a.mp4") == ["one/a.mp4", "two/a.mp4"]
    assert names("**/*.webm") == ["one/deep/c.webm"]
    assert names("t*") == ["two/[1].mkv", "two/a.mp4"]


def test_a_file_that_is_named_needs_no_known_ending_and_may_look_like_a_pattern(tree):
    assert names("two/e.ts", "two/[1].mkv") == ["[1].mkv", "e.ts"]


def test_a_list_has_one_of_them_a_line(tree):
    odd = os.fsencode("one/") + b"\xff.mp4"
    Path(os.fsdecode(odd)).touch()
    Path("list.txt").write_bytes(b"\xef\xbb\xbftwo/a.mp4\r\n\none/a.mp4\n" + odd + b"\none/deep\n")
    assert names("@list.txt") == ["one/a.mp4", "one/deep/c.webm", "one/\udcff.mp4", "two/a.mp4"]


def test_a_file_named_twice_is_one(tree):
    assert names("one/a.mp4", "one/../one/a.mp4", str(tree / "one/a.mp4")) == ["a.mp4"]


def test_a_link_to_nothing_is_a_file_whose_reading_will_fail(tree):
    Path("one/gone.mp4").symlink_to("nowhere.mp4")
    assert Source(tree / "one/gone.mp4", "gone.mp4", 0, 0) in find_sources(["one"])[1]


@pytest.mark.parametrize(("content", "later"), [("longer", 0), ("other", 10**9)])
def test_a_changed_file_is_told_from_what_it_was_by_its_size_or_time(tree, content, later):
    Path("one/a.mp4").write_text("usual")
    time = Path("one/a.mp4").stat().st_mtime_ns
    _, [before] = find_sources(["one/a.mp4"])
    Path("one/a.mp4").write_text(content)
    os.utime("one/a.mp4", ns=(time, time + later))
    _, [after] = find_sources(["one/a.mp4"])
    assert before.path == after.path == tree / "one/a.mp4" and before != after


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["three"], "three is no file, folder or pattern that matches one"),
        (["one", "*.avi"], "*.avi is no file"),
        (["gone.mp4"], "gone.mp4 is no file"),
        (["@lost.txt"], "cannot read the list lost.txt"),
        (["@one/a.bin"], "a.bin, line 1: no text"),
        (["one/.trash/.."], None),
        (["empty"], "no videos or pictures there"),
    ],
)
def test_what_is_not_there_is_one_sentence(tree, arguments, said):
    Path("empty").mkdir()
    Path("gone.mp4").symlink_to("nowhere.mp4")
    Path("one/a.bin").write_bytes(b"\0\1")
    if said is None:
        assert names(*arguments) == names("one")
        return
    with pytest.raises(UserError) as error:
        find_sources(arguments)
    assert said in str(error.value)


def test_the_results_do_not_go_into_the_archive_itself(tree, refused):
    assert "is the folder that is read" in refused(main, "one", "-o", "one")


def test_two_files_do_not_become_one_table(tree, refused):
    Path("two/a.avi").touch()
    line = refused(main, "two", "-o", "out", "--format", "openface")
    assert "a.avi and a.mp4 would both become a.csv" in line and not Path("out").exists()
