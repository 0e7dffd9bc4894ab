"""A trained model: its encoder and decoder on arrays, its files, its forms for other programs."""

from __future__ import annotations

import json
import warnings
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _narrows
from .catalogue import opened

Floats = NDArray[np.float32]


class Model:
    """A trained model on a device. :func:`load` and the estimators' attribute ``model_`` give one.

    Attributes
    ----------
    shape : tuple of int
        Height, width and channels of its items; rows of a table are ``(1, columns, 1)``.
    latent : int
        How many numbers a code has.
    epoch : int
        For how many epochs it is trained.
    settings : dict
        All its settings, in the sections that a TOML file has.
    columns : list of str
        The names of a row's numbers, where it was trained on a table or a frame.
    classes : list of str
        The classes that it is told of, where it is conditional.
    """

    def __init__(self, trained: _narrows.Trained, device: str = "auto") -> None:
        self._trained = trained
        self._device = device
        info = json.loads(trained.info)
        self.shape: tuple[int, int, int] = tuple(info["shape"])
        self.latent: int = info["latent"]
        self.epoch: int = info["epoch"]
        self.columns: list[str] = info["columns"]
        self.classes: list[str] = info["classes"]
        self.settings: dict[str, Any] = json.loads(trained.settings)
        self._bytes: bool = info["bytes"]

    @classmethod
    def from_bytes(cls, data: bytes, device: str = "auto") -> Model:
        """The model of a checkpoint's bytes."""
        return cls(_narrows.Trained.from_bytes(opened(device), data), device)

    @classmethod
    def from_safetensors(cls, path: str | PathLike[str], device: str = "auto") -> Model:
        """The model of a checkpoint's file, as the command line writes and reads it."""
        return cls.from_bytes(Path(path).read_bytes(), device)

    def to_bytes(self) -> bytes:
        """The checkpoint's bytes."""
        return self._trained.to_bytes()

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a checkpoint, which the command line takes: ``narrows sample model.safetensors``."""
        Path(path).write_bytes(self.to_bytes())

    def _array(self, X: ArrayLike) -> NDArray[Any]:
        array = np.asarray(X)
        # Bytes mean 255ths to a model of bytes alone.
        if array.dtype != np.uint8 or not self._bytes:
            array = array.astype(np.float32, copy=False)
        height, width, channels = self.shape
        flat = height * width * channels
        if array.ndim == 2 and height > 1 and array.shape[1] == flat:
            array = array.reshape(-1, height, width, channels)
        return np.ascontiguousarray(array)

    def _remarked(self, remark: str | None) -> None:
        if remark:
            warnings.warn(remark, stacklevel=3)

    def encoder(self, X: ArrayLike, labels: bytes | None = None) -> Floats:
        """The mean codes ``[n, latent]`` of items: rows ``[n, columns]`` or images ``[n, height, width, channels]``.

        ``labels``: of each item the number of its class in ``classes``, where the model is told of it.
        """
        codes, _, remark = self._trained.reconstruct(self._array(X), labels)
        self._remarked(remark)
        return codes

    def decoder(self, Z: ArrayLike, labels: bytes | None = None) -> Floats:
        """The mean items of codes ``[n, latent]``: rows ``[n, columns]`` or images ``[n, height, width, channels]``."""
        codes = np.ascontiguousarray(Z, dtype=np.float32)
        if codes.ndim != 2 or codes.shape[1] != self.latent:
            raise ValueError(f"expected codes [n, {self.latent}], got an array of shape {list(codes.shape)}")
        return self._items(self._trained.decode(codes, list(labels or b"")))

    def reconstruct(self, X: ArrayLike, labels: bytes | None = None) -> Floats:
        """The mean reconstructions of items, in the data's own units."""
        _, items, remark = self._trained.reconstruct(self._array(X), labels)
        self._remarked(remark)
        return self._items(items)

    def _items(self, rows: Floats) -> Floats:
        height = self.shape[0]
        return rows.reshape(-1, *self.shape) if height > 1 else rows

    def sample(self, n: int = 1, seed: int = 0, labels: bytes | None = None) -> Floats:
        """The mean items of ``n`` codes of the prior, a standard normal."""
        return self.decoder(self._trained.prior(n, seed), labels)

    def interpolate(self, a: ArrayLike, b: ArrayLike, count: int = 9, arc: bool = False) -> Floats:
        """The mean items on the way between two codes, both included; on an arc, or straight."""
        ends = [np.asarray(end, dtype=np.float32).ravel().tolist() for end in (a, b)]
        return self.decoder(_narrows.Trained.interpolate(ends[0], ends[1], count, arc))

    def scores(self, X: ArrayLike, samples: int = 0, labels: bytes | None = None) -> dict[str, NDArray[np.float64]]:
        """How unusual each item is.

        Parameters
        ----------
        X : array
            Rows ``[n, columns]`` or images ``[n, height, width, channels]``.
        samples : int
            Above 0, the importance-weighted bound of so many samples an item too, for variational models.

        Returns
        -------
        dict of arrays
            Of each item each term, in its unit, the sum of squared errors, and as ``score`` how unusual it is: the larger
            the more.
        """
        columns, numbers, _, remark = self._trained.scores(self._array(X), samples, labels)
        self._remarked(remark)
        table = numbers.reshape(-1, len(columns))
        return {name: table[:, at] for at, name in enumerate(columns)}

    def to_onnx(self, folder: str | PathLike[str]) -> list[Path]:
        """Writes ``encoder.onnx``, ``decoder.onnx`` and ``autoencoder.onnx``, which take raw data."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        written = []
        for name, content in self._trained.export("onnx"):
            (place / name).write_bytes(content)
            written.append(place / name)
        return written

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """The weights in PyTorch's names and layouts, as NumPy arrays."""
        files = dict(self._trained.export("pytorch"))
        return _tensors(files["model.safetensors"])

    def to_torch(self) -> Any:
        """The model as a module of PyTorch in evaluation mode, with ``encode`` and ``decode`` on raw data.

        PyTorch and safetensors must be installed.
        """
        try:
            import safetensors.torch  # noqa: F401
            import torch
        except ImportError as error:
            advice = "pip install torch safetensors. state_dict() gives NumPy arrays without them"
            raise ImportError(f"to_torch needs PyTorch and safetensors: {advice}") from error
        files = dict(self._trained.export("pytorch"))
        space: dict[str, Any] = {"__name__": "narrows_model"}
        exec(compile(files["model.py"], "model.py", "exec"), space)
        module = space["Autoencoder"]()
        module.load_state_dict({name: torch.from_numpy(tensor.copy()) for name, tensor in self.state_dict().items()})
        return module.eval()

    def __getstate__(self) -> dict[str, Any]:
        return {"checkpoint": self.to_bytes(), "device": self._device}

    def __setstate__(self, state: dict[str, Any]) -> None:
        device: str = state["device"]
        # Another process may have other devices.
        Model.__init__(self, _narrows.Trained.from_bytes(opened(device), state["checkpoint"]), device)

    def __repr__(self) -> str:
        height, width, channels = self.shape
        items = f"{height} x {width} x {channels}" if height > 1 else f"rows of {width}"
        variant = self.settings["model"]["variant"]
        return f"<narrows.Model: {variant}, {items}, code {self.latent}, epoch {self.epoch}>"


def _tensors(file: bytes) -> dict[str, NDArray[Any]]:
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    kinds = {"F32": np.float32, "I64": np.int64}
    tensors = {}
    for name, tensor in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + at for at in tensor["data_offsets"])
            tensors[name] = np.frombuffer(file[begin:end], kinds[tensor["dtype"]]).reshape(tensor["shape"])
    return tensors


def load(path: str | PathLike[str], device: str = "auto") -> Model:
    """Opens what the command line or an estimator trained.

    Parameters
    ----------
    path : path
        A run's folder, whose best checkpoint is taken, or a checkpoint's file.
    device : str
        A device, as ``narrows.devices()`` lists them, or ``"cpu"``.
    """
    return Model(_narrows.Trained.open(opened(device), str(path)), device)
