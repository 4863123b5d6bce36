"""docs/licences.md lists what users install."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.licences import PARTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "licences.md"


def test_every_dependency_is_on_the_page_with_a_licence():
    rows = dict(re.findall(r"^\| (\S+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE))
    listed = {canonicalize_name(name) for name in rows}
    needed = {
        canonicalize_name(one.name)
        for one in map(Requirement, requires("asmnet"))
        if any(one.marker is None or one.marker.evaluate({"extra": part}) for part in PARTS)
    }
    assert len(needed) > 10
    assert needed <= listed | {"asmnet"}, "run make licences"
