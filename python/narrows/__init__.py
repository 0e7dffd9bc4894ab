"""Autoencoders in handwritten WGSL, trained on any GPU.

The estimators :class:`Autoencoder` and :class:`VAE` are scikit-learn's; :func:`load` opens what the command line trained.
"""

import atexit

from . import layers
from ._narrows import DeviceError, NarrowsError, NotFiniteError, wait_for_all
from .catalogue import devices, presets
from .estimators import VAE, Autoencoder
from .model import Model, load

__all__ = [
    "VAE",
    "Autoencoder",
    "DeviceError",
    "Model",
    "NarrowsError",
    "NotFiniteError",
    "devices",
    "layers",
    "load",
    "presets",
]

atexit.register(wait_for_all)
