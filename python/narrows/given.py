"""What is given to an estimator, as the library takes it."""

from __future__ import annotations

import math
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state


def seed_of(random_state: Any) -> int:
    """A seed: a number as it is, else drawn from a generator or the system."""
    if isinstance(random_state, (int, np.integer)):
        if not 0 <= random_state < 2**63:
            raise ValueError(f"random_state: expected 0 to below 2^63, got {random_state}")
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def as_taken(array: NDArray[Any], of_bytes: bool, of_frame: bool) -> NDArray[Any]:
    """An array in C order, aligned, for a model that was or was not trained on bytes, each of which means a 255th.

    Bytes of a table and a mask of zeros and ones are numbers; others are what the library finds in the range of training.
    """
    if array.dtype == np.uint8 and not of_bytes and (of_frame or array.size == 0 or array.max() <= 1):
        array = array.astype(np.float32)
    return np.require(array, requirements=["C", "A"])


def plain(name: str, value: Any) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(name, each) for each in value]
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, dict):
        return {key: plain(name, each) for key, each in value.items() if each is not None}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {value}")
    if not isinstance(value, (bool, float, int, str)):
        raise TypeError(f"{name}: expected a number, a text, a list or a table, got {value!r}")
    return value
