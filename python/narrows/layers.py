"""Layers of an encoder or a decoder, as objects: each is the table that TOML has for it.

>>> from narrows import layers
>>> layers.Conv(16, kernel=3, stride=2)
{'layer': 'conv', 'filters': 16, 'kernel': 3, 'stride': 2}
"""

from __future__ import annotations

from typing import Any

Extent = int | tuple[int, int]


class Layer(dict[str, Any]):
    """A layer: a dictionary with its settings. Those that are None are left out."""

    def __init__(self, layer: str, **settings: Any) -> None:
        given = {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
        super().__init__(layer=layer, **{name: value for name, value in given.items() if value is not None})


def Dense(units: int, activation: str | None = None) -> Layer:
    """A dense layer over all of an item's numbers: ``[columns]`` to ``[units]``."""
    return Layer("dense", units=units, activation=activation)


def Conv(
    filters: int,
    kernel: Extent,
    stride: Extent | None = None,
    padding: str | Extent | None = None,
    activation: str | None = None,
) -> Layer:
    """A convolution: ``[height, width, channels]`` to ``[.., .., filters]``."""
    return Layer("conv", filters=filters, kernel=kernel, stride=stride, padding=padding, activation=activation)


def ConvTranspose(
    filters: int,
    kernel: Extent,
    stride: Extent | None = None,
    padding: str | Extent | None = None,
    output_padding: Extent | None = None,
    activation: str | None = None,
) -> Layer:
    """A transposed convolution, which with a stride enlarges: the gradient of a convolution."""
    return Layer(
        "conv-transpose",
        filters=filters,
        kernel=kernel,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        activation=activation,
    )


def MaxPool(size: Extent, stride: Extent | None = None) -> Layer:
    """The largest number of each window; what no window covers at the far side is dropped."""
    return Layer("max-pool", size=size, stride=stride)


def Upsample(factor: Extent) -> Layer:
    """Every pixel repeated, ``factor`` times down and across."""
    return Layer("upsample", factor=factor)


def CropOrPad(size: Extent) -> Layer:
    """Another height and width about the middle: what is too much is cut off, what is missing is zeros."""
    return Layer("crop-or-pad", size=size)


def BatchNorm(momentum: float | None = None, epsilon: float | None = None, activation: str | None = None) -> Layer:
    """Batch normalisation over batch, height and width, and an activation behind it."""
    return Layer("batch-norm", momentum=momentum, epsilon=epsilon, activation=activation)


def Activation(activation: str) -> Layer:
    """An activation on its own, as behind a pooling."""
    return Layer("activation", activation=activation)


def Dropout(rate: float) -> Layer:
    """Zeroes each number with probability ``rate`` while training, and scales the rest by 1 / (1 - rate)."""
    return Layer("dropout", rate=rate)


def Flatten() -> Layer:
    """Drops height and width, not the numbers."""
    return Layer("flatten")


def Reshape(height: int, width: int, channels: int) -> Layer:
    """Changes the shape, not the numbers."""
    return Layer("reshape", shape=(height, width, channels))
