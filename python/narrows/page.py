"""What a notebook shows of a trained model: its structure, its curves, reconstructions."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .model import Model


def described(model: Model, history: dict[str, list[float]] | None = None, examples: NDArray[Any] | None = None) -> str:
    """HTML; of what was trained here pictures too, where matplotlib is installed."""
    parts = [f"<p>{html.escape(repr(model)[1:-1])}</p>", _structure(model)]
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "".join(parts)
    if history:
        parts.append(_shown(_curves(Figure, history), "Curves of the training: each term after each epoch"))
    if examples is not None and model.shape[0] > 1 and not model.classes:
        parts.append(_shown(_reconstructions(Figure, model, examples), "Items above their reconstructions"))
    return "".join(parts)


def _structure(model: Model) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{' x '.join(map(str, tensor.shape))}</td></tr>"
        for name, tensor in model.state_dict().items()
    )
    return f"<details><summary>Weights</summary><table><tr><th>tensor</th><th>shape</th></tr>{rows}</table></details>"


def _shown(figure: Any, alt: str) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=80, bbox_inches="tight")
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _curves(Figure: Any, history: dict[str, list[float]]) -> Any:
    terms = [name for name in history if not name.startswith("validation_") and name not in ("learning_rate", "seconds")]
    figure = Figure(figsize=(3.2 * len(terms), 2.4))
    for axes, name in zip(figure.subplots(1, len(terms), squeeze=False)[0], terms, strict=True):
        epochs = np.arange(1, len(history[name]) + 1)
        # A line of one point is none.
        mark = "." if len(epochs) < 20 else ""
        axes.plot(epochs, history[name], marker=mark, label="training")
        held_out = history.get(f"validation_{name}")
        if held_out:
            axes.plot(epochs, held_out, "--", marker=mark, label="validation")
        axes.set_title(name.replace("_", " "))
        axes.set_xlabel("epoch")
    axes.legend()
    return figure


def _reconstructions(Figure: Any, model: Model, examples: NDArray[Any]) -> Any:
    sets = [examples.reshape(-1, *model.shape), model.reconstruct(examples)]
    figure = Figure(figsize=(len(examples), 2))
    for axes, image in zip(figure.subplots(2, len(examples), squeeze=False).ravel(), np.concatenate(sets), strict=True):
        low, high = float(np.min(sets[0])), float(np.max(sets[0]))
        unit = np.clip((image - low) / ((high - low) or 1.0), 0.0, 1.0)
        axes.imshow(unit if image.shape[-1] >= 3 else unit[..., 0], cmap="gray", vmin=0, vmax=1)
        axes.axis("off")
    return figure
