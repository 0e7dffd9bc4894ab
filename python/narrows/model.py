"""A trained model: its encoder and decoder on arrays, its files, its forms for other programs."""

from __future__ import annotations

import json
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _narrows
from .catalogue import opened
from .given import as_taken, seed_of
from .page import described
from .remarks import warn

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
        For how many epochs its last ``fit`` or ``partial_fit``, or its run, trained it.
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
        """Reads a checkpoint.

        Parameters
        ----------
        data : bytes
            A checkpoint's file, as ``to_bytes`` gives it.
        device : str, default="auto"
            A device, as ``narrows.devices()`` lists them, or ``"cpu"``.

        Returns
        -------
        Model
            The model.

        Raises
        ------
        ValueError
            For bytes that are damaged or no checkpoint of narrows.
        """
        return cls(_narrows.Trained.from_bytes(opened(device), bytes(data)), device)

    @classmethod
    def from_safetensors(cls, path: str | PathLike[str], device: str = "auto") -> Model:
        """Reads a checkpoint's file, as the command line writes and reads it.

        A state dict of PyTorch has no structure: give it to an estimator as ``init``.

        Parameters
        ----------
        path : path
            The file.
        device : str, default="auto"
            As in ``from_bytes``.

        Returns
        -------
        Model
            The model.
        """
        return cls.from_bytes(Path(path).read_bytes(), device)

    def to_bytes(self) -> bytes:
        """Gives the checkpoint as the bytes of a file.

        Returns
        -------
        bytes
            A safetensors file: settings, parameters, moments and the data's scaling.
        """
        return self._trained.to_bytes()

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a checkpoint, which the command line takes: ``narrows sample model.safetensors``.

        Parameters
        ----------
        path : path
            The file, with the ending ``.safetensors``.
        """
        Path(path).write_bytes(self.to_bytes())

    def encoder(self, X: ArrayLike, labels: ArrayLike | None = None) -> Floats:
        """Encodes items.

        Parameters
        ----------
        X : array
            Rows ``[n, columns]`` or images ``[n, height, width, channels]``, in the data's own units.
        labels : array of shape [n], optional
            The class of each item, by its name in ``classes`` or else its number there, where the model is conditional.

        Returns
        -------
        array of float32, [n, latent]
            The mean code of each, without noise.
        """
        return self._encoded(self._array(X), self._numbers(labels))

    def decoder(self, Z: ArrayLike, labels: ArrayLike | None = None) -> Floats:
        """Decodes codes.

        Parameters
        ----------
        Z : array, [n, latent]
            Codes.
        labels : array of shape [n], optional
            As in ``encoder``.

        Returns
        -------
        array of float32
            The mean item of each, in the data's own units: rows ``[n, columns]`` or images ``[n, height, width, channels]``.
        """
        return self._decoded(Z, self._numbers(labels))

    def reconstruct(self, X: ArrayLike, labels: ArrayLike | None = None) -> Floats:
        """Encodes items and decodes their mean codes.

        Parameters
        ----------
        X, labels
            As in ``encoder``.

        Returns
        -------
        array of float32
            The reconstructions, in the form of ``decoder``.
        """
        return self._reconstructed(self._array(X), self._numbers(labels))

    def sample(self, n: int = 1, seed: int = 0, labels: ArrayLike | None = None) -> Floats:
        """Decodes codes that are drawn from the prior, a standard normal.

        Parameters
        ----------
        n : int, default=1
            How many.
        seed : int, default=0
            The seed of the codes.
        labels : array of shape [n], optional
            As in ``encoder``; by default the classes in turn.

        Returns
        -------
        array of float32
            The mean item of each, in the form of ``decoder``.

        Raises
        ------
        ValueError
            For a model without a prior.
        """
        if labels is None and self.classes:
            labels = np.resize(self.classes, n)
        return self._sampled(n, seed_of(seed), self._numbers(labels))

    def interpolate(
        self, a: ArrayLike, b: ArrayLike, count: int = 9, arc: bool = False, labels: ArrayLike | None = None
    ) -> Floats:
        """Decodes the way between two codes.

        Parameters
        ----------
        a, b : array, [latent]
            The ends, both included.
        count : int, default=9
            How many items.
        arc : bool, default=False
            On an arc about the origin, as suits a normal prior, in place of a straight line.
        labels : array of shape [count], optional
            As in ``encoder``.

        Returns
        -------
        array of float32
            The mean items on the way, in the form of ``decoder``.
        """
        ends = [np.asarray(end, dtype=np.float32).ravel().tolist() for end in (a, b)]
        for end in ends:
            if len(end) != self.latent:
                raise ValueError(f"expected codes of {self.latent} numbers, got one of {len(end)}")
        return self._decoded(_narrows.Trained.interpolate(ends[0], ends[1], count, arc), self._numbers(labels))

    def scores(self, X: ArrayLike, samples: int = 0, labels: ArrayLike | None = None) -> dict[str, NDArray[np.float64]]:
        """Tells how unusual each item is.

        Parameters
        ----------
        X, labels
            As in ``encoder``.
        samples : int, default=0
            Above 0, the importance-weighted bound of so many samples an item too, for variational models.

        Returns
        -------
        dict of arrays of float64, [n]
            Of each item each term in its unit, nats for likelihoods and KL, the sum of squared errors, and as ``score`` how
            unusual it is: the larger the more.
        """
        return self._scored(self._array(X), samples, self._numbers(labels))

    def to_onnx(self, folder: str | PathLike[str]) -> list[Path]:
        """Writes ``encoder.onnx``, ``decoder.onnx`` and ``autoencoder.onnx``, which take items in the data's own units.

        Parameters
        ----------
        folder : path
            The folder, which is made where there is none.

        Returns
        -------
        list of Path
            The files.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        written = []
        for name, content in self._trained.export("onnx"):
            (place / name).write_bytes(content)
            written.append(place / name)
        return written

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Gives the weights in PyTorch's names and layouts.

        Returns
        -------
        dict of arrays
            A dense layer's weight is ``[outputs, inputs]``, a convolution's ``[filters, channels, height, width]``.
        """
        return _tensors(dict(self._trained.export("pytorch"))["model.safetensors"])

    def to_torch(self) -> Any:
        """Gives the model as a module of PyTorch in evaluation mode; PyTorch and safetensors must be installed.

        Returns
        -------
        torch.nn.Module
            With ``encode`` and ``decode``, which take items and codes as ``encoder`` and ``decoder`` do. ``encode`` of a
            variational model gives the mean and the logarithm of the variance.

        Raises
        ------
        ImportError
            Where one of the two is missing; ``state_dict`` needs neither.
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

    def _array(self, X: Any) -> NDArray[Any]:
        if self.columns and hasattr(X, "columns"):
            missing = [name for name in self.columns if name not in X.columns]
            if missing:
                raise ValueError(f"expected the columns {self.columns}, got none called {missing[0]!r}")
            X = X[self.columns]
        array = np.asarray(X)
        if array.dtype != np.uint8:
            array = array.astype(np.float32, copy=False)
        height, width, channels = self.shape
        flat = height * width * channels
        if array.ndim == 2 and height > 1 and array.shape[1] == flat:
            array = array.reshape(-1, height, width, channels)
        return as_taken(array, self._bytes, hasattr(X, "columns"))

    def _numbers(self, labels: ArrayLike | None) -> bytes | None:
        if labels is None:
            if self.classes:
                raise ValueError(f"expected labels, as the model is told of each item's class, of {self.classes}")
            return None
        given = np.asarray(labels).ravel()
        places = {name: number for number, name in enumerate(self.classes)}
        numbers: NDArray[Any] = np.array([places.get(str(label), -1) for label in given], dtype=np.int64)
        # Numbers where they are no names.
        if given.dtype.kind in "iu" and (numbers < 0).any():
            numbers = given
        wrong = (numbers < 0) | (numbers >= len(self.classes))
        if wrong.any():
            classes = f"the classes {self.classes} or their numbers" if self.classes else "no labels: it is told of no classes"
            raise ValueError(f"expected {classes}, got {given[wrong][0]!r}")
        return bytes(numbers.astype(np.uint8))

    def _encoded(self, array: NDArray[Any], numbers: bytes | None) -> Floats:
        codes, remark = self._trained.encode(array, numbers)
        warn(remark)
        return codes

    def _decoded(self, Z: ArrayLike, numbers: bytes | None) -> Floats:
        codes = np.ascontiguousarray(Z, dtype=np.float32)
        if codes.ndim != 2 or codes.shape[1] != self.latent:
            raise ValueError(f"expected codes [n, {self.latent}], got an array of shape {list(codes.shape)}")
        return self._items(self._trained.decode(codes, list(numbers or b"")))

    def _reconstructed(self, array: NDArray[Any], numbers: bytes | None) -> Floats:
        items, remark = self._trained.reconstruct(array, numbers)
        warn(remark)
        return self._items(items)

    def _sampled(self, count: int, seed: int, numbers: bytes | None) -> Floats:
        return self._decoded(self._trained.prior(count, seed), numbers)

    def _scored(self, array: NDArray[Any], samples: int, numbers: bytes | None) -> dict[str, NDArray[np.float64]]:
        columns, scores, _, remark = self._trained.scores(array, samples, numbers)
        warn(remark)
        table = scores.reshape(-1, len(columns))
        return {name: table[:, at] for at, name in enumerate(columns)}

    def _items(self, rows: Floats) -> Floats:
        height, _, channels = self.shape
        return rows.reshape(-1, *self.shape) if height > 1 or channels > 1 else rows

    def _repr_html_(self) -> str:
        return described(self)

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
    device : str, default="auto"
        A device, as ``narrows.devices()`` lists them, or ``"cpu"``.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no model, or a damaged one.
    """
    place = fsdecode(path)
    if not Path(place).exists():
        raise FileNotFoundError(f"{place}: expected a run's folder or a checkpoint's file, found nothing")
    trained, remark = _narrows.Trained.open(opened(device), place)
    warn(remark)
    return Model(trained, device)
