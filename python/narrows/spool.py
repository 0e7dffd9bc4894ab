"""What data come as, besides arrays: iterators, whose arrays are gathered in a temporary file, and frames."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import sklearn

# Before this version scikit-learn asks frames for their names by a protocol that polars no longer has.
_ASKS_POLARS = (1, 9)


def is_stream(X: Any) -> bool:
    """Whether it is an iterable of arrays, as an iterator or a loader of batches, and no array, frame or list itself."""
    known = ("__array__", "__dataframe__", "columns", "shape")
    return isinstance(X, Iterable) and not isinstance(X, (list, tuple, str, bytes, dict)) and not any(
        hasattr(X, name) for name in known
    )


@contextmanager
def gathered(X: Any) -> Iterator[Any]:
    """``X`` itself, or the arrays of an iterable as one, as long as this context lasts."""
    if not is_stream(X):
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
            raise ValueError("expected an iterable of arrays with at least 2 items, got none")
        file.flush()
        yield np.memmap(file, dtype=kind, mode="r", shape=(count, *form))


def with_names(X: Any) -> Any:
    """``X`` itself, or a frame of polars as one of pandas where scikit-learn would not find its names."""
    version = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    if version >= _ASKS_POLARS or not type(X).__module__.startswith("polars"):
        return X
    try:
        import pandas
    except ImportError:
        return X
    return pandas.DataFrame(X.to_numpy(), columns=X.columns)
