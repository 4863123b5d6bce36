"""What an Android version offers: Animal Sniffer's signature files.

Such a file is a gzipped stream of serialized Java objects, one for each public class:
`Clazz(String name, Set<String> signatures, String superClass, String[] superInterfaces)`.
Of Java's serialization protocol just what occurs in them is read here.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

from dexfile import Class

NULL, REFERENCE, DESCRIPTION, OBJECT, STRING, ARRAY = range(0x70, 0x76)
BLOCK, END = 0x77, 0x78
FIRST_HANDLE = 0x7E0000
CUSTOM = 1  # the flag of a class that writes more than its fields


def read_signature(path: Path) -> dict[str, Class]:
    """The classes of a signature file by name (java/lang/String)."""
    classes = {}
    for name, signatures, parent, interfaces in Stream(gzip.decompress(path.read_bytes())):
        parents = [parent] if parent else []
        # Fields are written count#I there.
        classes[name] = Class(parents + interfaces, {s.replace("#", ":") for s in signatures})
    return classes


class Stream:
    """The objects of a stream; each is the list of its fields, and of what else it wrote."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"\xac\xed\x00\x05":
            raise ValueError("not a stream of serialized Java objects")
        self.data = data
        self.at = 4
        self.handles: list[object] = []

    def __iter__(self) -> Iterator[list]:
        while self.at < len(self.data) and (value := self.value()) is not None:
            yield value

    def take(self, layout: str) -> int:
        """The next number."""
        (number,) = struct.unpack_from(f">{layout}", self.data, self.at)
        self.at += struct.calcsize(layout)
        return number

    def text(self) -> str:
        """The next characters: their number, then they."""
        size = self.take("H")
        self.at += size
        return self.data[self.at - size : self.at].decode("utf-8", "replace")

    def remember(self, value: object) -> int:
        """Give something the next handle, by which the stream may refer to it again."""
        self.handles.append(value)
        return len(self.handles) - 1

    def value(self) -> object:
        """The next object, whatever it is."""
        tag = self.take("B")
        if tag == NULL:
            return None
        if tag == REFERENCE:
            return self.handles[self.take("I") - FIRST_HANDLE]
        if tag == STRING:
            return self.handles[self.remember(self.text())]
        if tag == DESCRIPTION:
            return self.description()
        if tag == OBJECT:
            hierarchy = self.value()
            found: list = []
            self.remember(found)
            for fields, custom in hierarchy:
                found += [self.value() for _ in range(fields)]
                found += self.rest() if custom else []
            return found
        if tag == ARRAY:
            self.value()
            found = []
            self.remember(found)
            found += [self.value() for _ in range(self.take("I"))]
            return found
        raise ValueError(f"tag {tag:#x} at byte {self.at - 1} is not understood")

    def description(self) -> list[tuple[int, bool]]:
        """A class and its ancestors, oldest first: number of fields, whether it writes more."""
        self.text()
        self.at += 8  # serialVersionUID
        hierarchy: list[tuple[int, bool]] = []
        self.remember(hierarchy)
        flags, fields = self.take("B"), self.take("H")
        for _ in range(fields):
            if self.take("B") not in b"L[":
                raise ValueError("a field that is no object is not understood")
            self.text(), self.value()
        self.rest()
        hierarchy += [*(self.value() or []), (fields, bool(flags & CUSTOM))]
        return hierarchy

    def rest(self) -> list:
        """What a class wrote besides its fields, without raw bytes (a set's capacity)."""
        found = []
        while (tag := self.data[self.at]) != END:
            if tag == BLOCK:
                self.at += 2 + self.data[self.at + 1]
            else:
                found.append(self.value())
        self.at += 1
        return found
