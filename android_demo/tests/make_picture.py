"""Draw docs/guides/android.png anew: the app's screen, upright phone, front camera.

python android_demo/tests/make_picture.py
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import cv2
import toolchain
from test_screen import draw

PICTURE = toolchain.REPOSITORY / "docs/guides/android.png"


def make_picture() -> None:
    """Draw it, at two thirds of the screen's size."""
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), ["portrait-front"], rounds=4)  # until the JVM has warmed up
        screen = cv2.imread(f"{folder}/portrait-front.png")
    small = cv2.resize(screen, (480, 853), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(PICTURE), small, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{PICTURE.name}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    toolchain.main(make_picture)
