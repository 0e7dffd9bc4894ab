"""What is shown while a model trains."""

from __future__ import annotations

from types import TracebackType
from typing import Any


class Progress:
    """A bar of tqdm where that is installed, in notebooks too, or a line for each epoch. Nothing unless ``verbose``."""

    def __init__(self, epochs: int, verbose: int) -> None:
        self._bar: Any = None
        self._prints = verbose > 0
        if verbose:
            try:
                from tqdm.auto import tqdm

                self._bar = tqdm(total=epochs, unit="epoch")
            except ImportError:
                self._epochs = epochs

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, metrics: dict[str, Any]) -> None:
        """Shows an epoch's line of metrics."""
        if not self._prints:
            return
        terms = (metrics["validation"] or metrics["train"])["terms"]
        told = {name: f"{value:.4g}" for name, value in terms.items()}
        if self._bar is not None:
            self._bar.set_postfix(told)
            self._bar.update()
        else:
            print(f"epoch {metrics['epoch']}/{self._epochs}: " + ", ".join(f"{name} {value}" for name, value in told.items()))
