"""One training of the ablation: `asmnet-train` in a process that ends with the one that started it.

    python -m asmnet.evaluate.ablation.training OPTIONS

Its stdin is a pipe from the ablation, which closes however that one ends.
"""

from __future__ import annotations

import os
import threading

from asmnet.train.cli import train

__all__: list[str] = []


def _end_with_parent() -> None:
    os.read(0, 1)  # waits until the pipe closes
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    train()
