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
    """A dense layer over all of an item's numbers.

    Parameters
    ----------
    units : int
        Numbers that it gives: ``[height, width, channels]`` or ``[columns]`` to ``[units]``.
    activation : str, optional
        The activation behind it; by default the model's, or in the decoder's last layer its ``output_activation``.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("dense", units=units, activation=activation)


def Conv(
    filters: int,
    kernel: Extent,
    stride: Extent | None = None,
    padding: str | Extent | None = None,
    activation: str | None = None,
) -> Layer:
    """A convolution: ``[height, width, channels]`` to ``[.., .., filters]``.

    Parameters
    ----------
    filters : int
        Channels that it gives.
    kernel : int or tuple of two
        Height and width of its kernel, in pixels.
    stride : int or tuple of two, default=1
        Pixels from one place of the kernel to the next, down and across.
    padding : "same", "valid", int or tuple of two, default="same"
        Zeros around an image: as many as make the output ``ceil(input / stride)``, as in Keras, none, or so many on each
        side, as in PyTorch.
    activation : str, optional
        As of :func:`Dense`.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("conv", filters=filters, kernel=kernel, stride=stride, padding=padding, activation=activation)


def ConvTranspose(
    filters: int,
    kernel: Extent,
    stride: Extent | None = None,
    padding: str | Extent | None = None,
    output_padding: Extent | None = None,
    activation: str | None = None,
) -> Layer:
    """A transposed convolution, which with a stride enlarges: the gradient of a convolution.

    Parameters
    ----------
    filters, kernel, stride, activation
        As of :func:`Conv`.
    padding : "same", "valid", int or tuple of two, default="same"
        What is cut off: as much as makes the output ``input * stride``, nothing, or so many pixels on each side.
    output_padding : int or tuple of two, default=0
        Rows and columns more at the far side, fewer than the stride.

    Returns
    -------
    Layer
        The layer.
    """
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
    """The largest number of each window; what no window covers at the far side is dropped.

    Parameters
    ----------
    size : int or tuple of two
        Height and width of a window, in pixels.
    stride : int or tuple of two, optional
        Pixels from one window to the next; by default their size.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("max-pool", size=size, stride=stride)


def Upsample(factor: Extent) -> Layer:
    """Every pixel repeated.

    Parameters
    ----------
    factor : int or tuple of two
        How many times down and across.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("upsample", factor=factor)


def CropOrPad(size: Extent) -> Layer:
    """Another height and width about the middle: what is too much is cut off, what is missing is zeros.

    Parameters
    ----------
    size : int or tuple of two
        Height and width, in pixels.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("crop-or-pad", size=size)


def BatchNorm(momentum: float | None = None, epsilon: float | None = None, activation: str | None = None) -> Layer:
    """Batch normalisation over batch, height and width, and an activation behind it.

    Parameters
    ----------
    momentum : float, default=0.1
        The share of a batch's statistics in the running ones.
    epsilon : float, default=1e-5
        Added to the variance.
    activation : str, optional
        The activation behind it; by default none.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("batch-norm", momentum=momentum, epsilon=epsilon, activation=activation)


def Activation(activation: str) -> Layer:
    """An activation on its own, as behind a pooling.

    Parameters
    ----------
    activation : str
        One of those of the estimators' ``activation``.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("activation", activation=activation)


def Dropout(rate: float) -> Layer:
    """Zeroes numbers while training, and scales the rest by 1 / (1 - rate).

    Parameters
    ----------
    rate : float
        The probability that a number is zeroed, below 1.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("dropout", rate=rate)


def Flatten() -> Layer:
    """Drops height and width, not the numbers: ``[height, width, channels]`` to ``[height * width * channels]``.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("flatten")


def Reshape(height: int, width: int, channels: int) -> Layer:
    """Changes the shape, not the numbers: to ``[height, width, channels]``.

    Parameters
    ----------
    height, width, channels : int
        The shape.

    Returns
    -------
    Layer
        The layer.
    """
    return Layer("reshape", shape=(height, width, channels))
