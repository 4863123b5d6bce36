"""Everything that the app names must exist on the oldest Android that it installs on.

The sources are compiled against a newer Android than minSdk and against the JDK's java.*, so the
compilers cannot tell.  The .dex files can, after D8 has rewritten what it can rewrite: each class,
method and field that the app names must be in the public interface of minSdk.  What is reached
only behind a test of SDK_INT stands in GUARDED, with the level that it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dexfile import Class, Dex, Member
from toolchain import StepError

GUARDED = {
    "android/graphics/Insets": 29,
    "android/hardware/camera2/CameraDevice.createCaptureSession"
    "(Landroid/hardware/camera2/params/SessionConfiguration;)V": 28,
    "android/hardware/camera2/params/SessionConfiguration": 28,
    "android/view/WindowInsets$Type": 30,
    "android/view/WindowInsets.getInsets(I)Landroid/graphics/Insets;": 30,
}

# Annotations that D8 writes and the virtual machine reads: part of the format, not of the API.
FORMAT = "dalvik/annotation/"


def check(app: Dex, libraries: Dex, platform: Mapping[str, Class], level: str) -> None:
    """Raise StepError if the app names something that neither API `level` nor GUARDED has."""
    known = {**platform, **libraries.classes, **app.classes}
    absent = set(missing(app, known))
    if new := sorted(absent - GUARDED.keys()):
        raise StepError(
            f"Android API {level} lacks {', '.join(new)}; do without, or test SDK_INT before the "
            "call and list it in GUARDED of tools/api_level.py"
        )
    if stale := sorted(GUARDED.keys() - absent):
        raise StepError(f"GUARDED of tools/api_level.py lists {', '.join(stale)} without need")


def missing(dex: Dex, known: Mapping[str, Class]) -> Iterator[str]:
    """The classes and members that a .dex file names and that are not known."""
    yield from (name for name in dex.types - known.keys() if not name.startswith(FORMAT))
    for member in dex.members:
        # An array has Object's methods; an unknown owner was named above.
        if member.owner in known and not has(member, known):
            yield str(member)


def has(member: Member, known: Mapping[str, Class]) -> bool:
    """Whether the owner or one of its ancestors declares the member."""
    owner = known.get(member.owner)
    return owner is not None and (
        member.name in owner.members
        or any(has(member._replace(owner=parent), known) for parent in owner.parents)
    )
