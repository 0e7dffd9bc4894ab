"""What there is: devices, presets, settings."""

from __future__ import annotations

import inspect
import json
import textwrap
from functools import lru_cache
from typing import Any, TypeVar

from . import _narrows


def devices() -> list[dict[str, Any]]:
    """The devices of this machine.

    Returns
    -------
    list of dict
        Of each its ``name``, ``kind``, ``driver``, and the ``selector`` that estimators take as ``device``.
    """
    found: list[dict[str, Any]] = json.loads(_narrows.devices())
    return found


def presets() -> dict[str, str]:
    """The presets, which estimators take as ``variant``.

    Returns
    -------
    dict of str
        A line about each, by its name.

    Examples
    --------
    >>> import narrows
    >>> narrows.presets()["vae"]
    'variational autoencoder: Gaussian code, trained on the ELBO, can be sampled'
    """
    return {preset["name"]: preset["summary"] for preset in json.loads(_narrows.presets())}


@lru_cache(maxsize=8)
def _opened(selector: str) -> _narrows.Device:
    return _narrows.Device(selector)


def opened(selector: str) -> _narrows.Device:
    """A device by its selector: opened once."""
    if not isinstance(selector, str):
        raise TypeError(f"device: expected a name, an index as text or \"cpu\", got {selector!r}")
    return _opened(selector)


# Settings that have another name here, and those that there is no folder for.
_NAMES = {"batch": "batch_size", "seed": "random_state"}
_LEFT_OUT = {"save_every", "keep", "classes"}
_OF_DATA = {"scale", "scale_over", "precision"}
# Those that are given otherwise than in a file or by a flag.
_HELP = {
    "hidden": "Widths of the encoder's hidden layers, as [400, 200]; the decoder mirrors them. [] for none",
    "encoder": "The encoder's layers before the code's own, of narrows.layers, in place of those that `hidden` means; with a "
    "`latent` of 0 the last of them gives the code itself",
    "decoder": "All of the decoder's layers, of narrows.layers, in place of those that `hidden` means",
    "init": "First weights: glorot-uniform or he-uniform; or the parameters of a `Model`, of a run's folder, of a "
    "checkpoint's file, or of a state dict of PyTorch in a safetensors file, where names and shapes agree",
    "critic_hidden": "Widths of the critic's hidden layers, as [256, 256]",
}


@lru_cache(maxsize=1)
def settings() -> dict[str, dict[str, Any]]:
    """Every setting that an estimator takes, by its name here: its section, its name there, what it does, and whose it is."""
    known = json.loads(_narrows.described())
    listed = [("data", None, each) for each in known["data"] if each["name"] in _OF_DATA]
    listed += [("model", None, each) for each in known["model"]]
    listed += [("model", own["variant"], each) for own in known["own"] for each in own["settings"]]
    listed += [("train", None, each) for each in known["train"]]
    return {
        _NAMES.get(each["name"], each["name"]): {"section": section, "of": variant, **each}
        for section, variant, each in listed
        if each["name"] not in _LEFT_OUT
    }


@lru_cache(maxsize=1)
def sections() -> dict[str, tuple[str, str]]:
    """Of each parameter that is a setting, its section and its name there."""
    found = {name: (setting["section"], setting["name"]) for name, setting in settings().items()}
    # Others than numbers too.
    del found["random_state"]
    return found


Class = TypeVar("Class", bound=type)


def _type(annotation: str) -> str:
    kinds = {
        "Sequence[int]": "sequence of int",
        "Sequence[dict[str, Any]]": "sequence of layers",
        "str | PathLike[str] | Model": "str, path or Model",
    }
    kind = annotation.removesuffix(" | None")
    return f"{kinds.get(kind, kind)}, optional"


def with_settings(cls: Class) -> Class:
    """Writes what the library says of its settings into the docstring of an estimator."""
    lines, given = [], inspect.signature(cls).parameters
    told = ("batch_size", "random_state")
    for name, setting in settings().items():
        if name not in told and setting["section"] is not None:
            owner = f" Of the variant {setting['of']}." if setting["of"] else ""
            text = textwrap.wrap(f"{_HELP.get(name, setting['help'])}.{owner}", 112)
            lines += [f"    {name} : {_type(given[name].annotation)}", *(f"        {line}" for line in text)]
    cls.__doc__ = (cls.__doc__ or "").replace("{settings}", "\n".join(lines))
    return cls
