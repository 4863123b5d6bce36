"""The type of tensors: `Tensor`."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["Tensor"]

# Of whichever backend Keras runs on, or a NumPy array where that will do: they share no base class.
Tensor: TypeAlias = Any
