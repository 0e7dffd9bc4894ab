"""Arrays of an iterator, gathered in a temporary file that is mapped: data larger than memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def gathered(X: Any) -> Iterator[Any]:
    """``X`` itself, or the arrays of an iterator as one, as long as this context lasts."""
    if not isinstance(X, Iterator):
        yield X
        return
    with tempfile.TemporaryFile() as file:
        count = 0
        for part in X:
            array = np.asarray(part)
            array = array if array.dtype == np.uint8 else array.astype(np.float32, copy=False)
            if count == 0:
                form, kind = array.shape[1:], array.dtype
            if array.shape[1:] != form or array.dtype != kind:
                expected = f"arrays of {kind} and shape [n, {', '.join(map(str, form))}], as the first"
                raise ValueError(f"expected {expected}, got one of {array.dtype} and shape {list(array.shape)}")
            file.write(np.ascontiguousarray(array).data)
            count += len(array)
        if count == 0:
            raise ValueError("expected an iterator of arrays with at least 2 items, got none")
        file.flush()
        yield np.memmap(file, dtype=kind, mode="r", shape=(count, *form))
