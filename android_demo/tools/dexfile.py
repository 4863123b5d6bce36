"""The tables of a .dex file: which classes it defines and to which members it refers."""

from __future__ import annotations

import struct
from typing import NamedTuple


class Class(NamedTuple):
    """What a class inherits and declares itself."""

    parents: list[str]  # superclass and interfaces, java/lang/String
    members: set[str]  # length()I, count:I


class Member(NamedTuple):
    """A field or method as code names it."""

    owner: str  # java/lang/String, or [I of an array
    name: str  # length()I, count:I

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}"


class Dex:
    """A .dex file.

    `types` are the classes that it names, `classes` those that it defines, `members` the fields
    and methods that it names.  Raises ValueError if it is none.
    """

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"dex\n":
            raise ValueError("not a .dex file")
        self._data = data
        # Count and offset of strings, types, prototypes, fields, methods, classes.
        tables = struct.unpack_from("<12I", data, 0x38)
        strings, types, protos, fields, methods, classes = zip(
            tables[::2], tables[1::2], strict=True
        )
        self._strings = [self._string(offset) for (offset,) in self._rows("<I", *strings)]
        kinds = [self._strings[index] for (index,) in self._rows("<I", *types)]
        signatures = [
            f"({''.join(kinds[i] for i in self._type_list(parameters))}){kinds[result]}"
            for _, result, parameters in self._rows("<3I", *protos)
        ]
        names = [class_name(kind) for kind in kinds]
        self._fields = [
            Member(names[owner], f"{self._strings[name]}:{kinds[kind]}")
            for owner, kind, name in self._rows("<HHI", *fields)
        ]
        self._methods = [
            Member(names[owner], f"{self._strings[name]}{signatures[proto]}")
            for owner, proto, name in self._rows("<HHI", *methods)
        ]
        self.types = {class_name(kind.lstrip("[")) for kind in kinds if kind.endswith(";")}
        self.members = self._fields + self._methods
        self.classes = {
            names[index]: Class(
                [names[i] for i in [parent] * (parent != NONE) + self._type_list(interfaces)],
                self._declared(body),
            )
            for index, _, parent, interfaces, _, _, body, _ in self._rows("<8I", *classes)
        }

    def _rows(self, layout: str, count: int, offset: int) -> list[tuple]:
        size = struct.calcsize(layout) * count
        return list(struct.iter_unpack(layout, self._data[offset : offset + size]))

    def _string(self, offset: int) -> str:
        _, offset = self._uleb128(offset)  # the length in UTF-16 units
        text = self._data[offset : self._data.index(0, offset)]
        return text.decode("utf-8", "replace")  # names of classes and members are ASCII

    def _type_list(self, offset: int) -> list[int]:
        if not offset:
            return []
        (count,) = struct.unpack_from("<I", self._data, offset)
        return list(struct.unpack_from(f"<{count}H", self._data, offset + 4))

    def _declared(self, offset: int) -> set[str]:
        """Names of the members in a class's body: four lists of increments of their index."""
        if not offset:
            return set()
        counts = []
        for _ in range(4):
            count, offset = self._uleb128(offset)
            counts.append(count)
        found = set()
        for number, count in enumerate(counts):  # static, instance fields; direct, virtual methods
            index = 0
            for _ in range(count):
                step, offset = self._uleb128(offset)
                index += step
                for _ in range(1 if number < 2 else 2):  # access flags; a method's code
                    _, offset = self._uleb128(offset)
                found.add((self._fields if number < 2 else self._methods)[index].name)
        return found

    def _uleb128(self, offset: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self._data[offset]
            offset += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, offset
            shift += 7


NONE = 0xFFFFFFFF  # no superclass


def class_name(descriptor: str) -> str:
    """Ljava/lang/String; without its brackets; other types as they are."""
    return descriptor[1:-1] if descriptor.startswith("L") else descriptor
