"""What the estimators share: their parameters, and how they train."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from os import PathLike
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _narrows
from .catalogue import opened, sections
from .model import Model
from .progress import Progress
from .spool import gathered, is_stream, with_names
from .given import as_taken, plain, seed_of
from .remarks import warn

# Rows that the threshold for outliers is found from where `contamination` is not given.
_THRESHOLD_ROWS = 2048

Callback = Callable[[Any, dict[str, Any]], bool | None]
Self = TypeVar("Self", bound="Training")


class Training(BaseEstimator):  # type: ignore[misc]
    """Parameters and training; :class:`Autoencoder` describes them."""

    _default_variant = "mlp"

    def __init__(
        self,
        variant: str | None = None,
        *,
        latent: int | None = None,
        hidden: Sequence[int] | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        random_state: Any = None,
        device: str = "auto",
        verbose: int = 0,
        validation: int | float | None = None,
        contamination: str | float = "auto",
        callbacks: Iterable[Callback] | None = None,
        scale: str | None = None,
        scale_over: str | None = None,
        precision: str | None = None,
        activation: str | None = None,
        code_activation: str | None = None,
        output_activation: str | None = None,
        likelihood: str | None = None,
        deviation: float | None = None,
        first_log_variance: float | None = None,
        tied: bool | None = None,
        bias: bool | None = None,
        center: bool | None = None,
        corruption: str | None = None,
        corruption_amount: float | None = None,
        corruption_rescale: bool | None = None,
        init: str | PathLike[str] | Model | None = None,
        reduction: str | None = None,
        stack: str | None = None,
        encoder: Sequence[dict[str, Any]] | None = None,
        decoder: Sequence[dict[str, Any]] | None = None,
        contraction: str | None = None,
        contraction_weight: float | None = None,
        sparsity: str | None = None,
        sparsity_weight: float | None = None,
        sparsity_target: float | None = None,
        kl_weight: float | None = None,
        free_bits: float | None = None,
        kl_warmup: str | None = None,
        kl_warmup_epochs: int | None = None,
        kl_cycles: int | None = None,
        condition: str | None = None,
        embedding: int | None = None,
        samples: int | None = None,
        critic_hidden: Sequence[int] | None = None,
        critic_learning_rate: float | None = None,
        adversarial_weight: float | None = None,
        optimizer: str | None = None,
        schedule: str | None = None,
        plateau_patience: int | None = None,
        plateau_factor: float | None = None,
        warmup: int | None = None,
        momentum: float | None = None,
        beta1: float | None = None,
        beta2: float | None = None,
        epsilon: float | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        on_nan: str | None = None,
        rewinds: int | None = None,
        patience: int | None = None,
        weight_decay: float | None = None,
        random_flip: bool | None = None,
        random_shift: int | None = None,
        random_crop: float | None = None,
    ) -> None:
        given = dict(locals())
        # Of a subclass with fewer parameters too.
        for name, value in given.items():
            if name != "self":
                setattr(self, name, value)

    def _settings(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {"train": {"seed": seed_of(self.random_state)}}
        for name, (section, setting) in sections().items():
            value = getattr(self, name)
            if value is not None and not isinstance(value, Model):
                found.setdefault(section, {})[setting] = plain(name, value)
        return found

    def _parent(self) -> _narrows.Trained | None:
        if isinstance(self.init, Model):
            return self.init._trained
        if self.init is not None and not isinstance(self.init, (str, PathLike)):
            got = "an estimator: give its model_" if isinstance(self.init, BaseEstimator) else repr(self.init)
            raise TypeError(f"init: expected a scheme, a path or a narrows.Model, got {got}")
        return None

    def _outliers(self) -> float:
        share = 0.1 if self.contamination == "auto" else self.contamination
        if not isinstance(share, Real) or not 0.0 < float(share) <= 0.5:
            raise ValueError(f'contamination: expected "auto" or a number above 0 and at most 0.5, got {share!r}')
        return float(share)

    def _held_out(self, count: int) -> int | None:
        share = self.validation
        if share is None:
            return None
        if isinstance(share, Integral) and not isinstance(share, (bool, np.bool_)) and int(share) >= 0:
            held_out = int(share)
        elif isinstance(share, Real) and not isinstance(share, Integral) and 0.0 <= float(share) < 1.0:
            held_out = round(float(share) * count)
        else:
            raise ValueError(f"validation: expected a number of items or a share from 0 to below 1, got {share!r}")
        if count - held_out < 2:
            raise ValueError(f"validation: expected at least 2 of {count} items left to train on, got {held_out} held out")
        return held_out

    def _variant(self) -> str:
        variant = self.variant or self._default_variant
        if not isinstance(variant, str):
            raise TypeError(f"variant: expected the name of a preset, got {variant!r}")
        return variant

    def _checked_callbacks(self) -> list[Callback]:
        callbacks = list(self.callbacks) if isinstance(self.callbacks, Iterable) else [self.callbacks]
        callbacks = [callback for callback in callbacks if callback is not None]
        for callback in callbacks:
            if not callable(callback):
                raise TypeError(f"callbacks: expected callables, got {callback!r}")
        return callbacks

    def _checked(self, X: Any, reset: bool = False) -> NDArray[Any]:
        if is_stream(X):
            raise TypeError("expected an array or a frame, got an iterable: only fit takes one")
        least = 2 if reset else 1
        kinds = [np.float32, np.uint8]
        array: NDArray[Any] = validate_data(
            self, with_names(X), dtype=kinds, order="C", allow_nd=True, ensure_min_samples=least, reset=reset
        )
        of_frame = hasattr(X, "columns")
        if reset:
            array = as_taken(array, False, of_frame)
            self._of_bytes, self._flat_images = array.dtype == np.uint8, array.ndim == 3
        return as_taken(array, self._of_bytes, of_frame)

    def _conditional(self) -> bool:
        preset = json.loads(_narrows.preset_settings(self._variant()))
        condition: str = self.condition or preset["model"].get("condition", "none")
        return condition != "none"

    def _labels(self, y: Any) -> bytes | None:
        """The class of each item by its number, where the model is told of it."""
        if not hasattr(self, "classes_"):
            return None
        if y is None:
            raise ValueError(f"the variant {self._variant()} is told of each item's class: give it as y")
        labels = np.asarray(y).ravel()
        places = np.searchsorted(self.classes_, labels).clip(max=len(self.classes_) - 1)
        unknown = self.classes_[places] != labels
        if unknown.any():
            raise ValueError(f"expected the classes {list(self.classes_)}, got {labels[unknown][0]!r}")
        return bytes(places.astype(np.uint8))

    def _learn_classes(self, y: Any) -> None:
        self.__dict__.pop("classes_", None)
        if self._conditional() and y is not None:
            try:
                self.classes_ = np.unique(np.asarray(y))
            except TypeError as error:
                raise ValueError(f"y: expected classes that can be sorted: {error}") from error
            if self.classes_.dtype.kind == "f" and np.isnan(self.classes_).any():
                raise ValueError("y: expected a class for each item, got NaN")
            if len(self.classes_) > 256:
                raise ValueError(f"expected at most 256 classes in y, got {len(self.classes_)}")
        elif self._conditional():
            raise ValueError(f"the variant {self._variant()} is told of each item's class: give it as y")

    def _data(
        self, array: NDArray[Any], y: Any, held_out: int | None, X_val: Any = None, y_val: Any = None
    ) -> _narrows.Data:
        names = getattr(self, "feature_names_in_", None)
        classes = getattr(self, "classes_", None)
        return _narrows.Data(
            array,
            None if X_val is None else self._checked(X_val),
            labels=self._labels(y),
            validation_labels=None if X_val is None else self._labels(y_val),
            classes=None if classes is None else [str(name) for name in classes],
            columns=None if names is None else [str(name) for name in names],
            held_out=held_out,
        )

    def fit(self: Self, X: Any, y: Any = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Trains on rows or images.

        An interrupt ends it within a second, and leaves what was learned until then, usable.

        Parameters
        ----------
        X : array, frame or iterable of arrays
            Rows ``[n, columns]``, or images ``[n, height, width]`` or ``[n, height, width, channels]`` with 1 to 4 channels:
            float32, float64 or uint8. Bytes of an array mean 255ths; those of a frame, and a mask of zeros and ones alone,
            are numbers. float32 and uint8 in C order are read where they lie, also out of an ``np.memmap``; arrays of an
            iterable, as a loader of batches, go to a temporary file.
        y : array of shape [n], optional
            The class of each item, for conditional variants; others ignore it.
        X_val, y_val : optional
            What to validate with, in place of items held out of ``X``.

        Returns
        -------
        self
            This estimator, of the last epoch.

        Examples
        --------
        >>> import numpy as np, narrows
        >>> X = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
        >>> narrows.Autoencoder(latent=2, epochs=3, random_state=0, device="cpu").fit(X).n_iter_
        3
        """
        self._outliers()
        callbacks = self._checked_callbacks()
        with self._unchanged_by_failure(), gathered(X) as whole:
            array = self._checked(whole, reset=True)
            self._learn_classes(y)
            data = self._data(array, y, self._held_out(len(array)), X_val, y_val)
            trainer = self._begun(data)
            for note in trainer.notes if self.verbose else []:
                print(note)
            self.history_: dict[str, list[float]] = {}
            self.n_iter_ = 0
            self._train(trainer, array, y, callbacks)
        return self

    def partial_fit(self: Self, X: Any, y: Any = None, *, classes: ArrayLike | None = None) -> Self:
        """Trains for one epoch on these items, and goes on from what was learned before.

        Nothing is held out. The scaling stays that of the first items; ``offset_`` is that of the last ones. A
        ``learning_rate`` that is set between two calls is the next one's.

        Parameters
        ----------
        X : array or frame
            As in ``fit``, in the form of the first items.
        y : array of shape [n], optional
            The class of each item, for conditional variants.
        classes : array, optional
            All classes that there will be, for conditional variants; by default those of the first ``y``.

        Returns
        -------
        self
            This estimator.

        Examples
        --------
        >>> import numpy as np, narrows
        >>> X = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
        >>> estimator = narrows.Autoencoder(latent=2, random_state=0, device="cpu")
        >>> for part in np.array_split(X, 4):
        ...     _ = estimator.partial_fit(part)
        >>> estimator.n_iter_
        4
        """
        self._outliers()
        self._refuse_schedules()
        callbacks = self._checked_callbacks()
        with self._unchanged_by_failure():
            first = not hasattr(self, "model_")
            array = self._checked(X, reset=first)
            if first:
                self._learn_classes(y if classes is None else classes)
                self.history_, self.n_iter_ = {}, 0
                # A preset's own schedule would end with each part.
                trainer = self._begun(self._data(array, y, 0), epochs=1, schedule="constant")
            else:
                data = self._data(array, y, 0)
                seed = (self.model_.settings["train"]["seed"] + 1) % 2**63
                rate = None if self.learning_rate is None else float(self.learning_rate)
                trainer = _narrows.Trainer.on_other_data(self.model_._trained, data, 1, seed, rate)
            self._train(trainer, array, y, callbacks)
        return self

    # What follows the length of training, which nobody knows here.
    def _refuse_schedules(self) -> None:
        given = {"schedule": self.schedule, "warmup": self.warmup, "kl_warmup": self.kl_warmup}
        for name, value in given.items():
            if value not in (None, "none", "constant", 0):
                raise ValueError(f"{name}: expected none with partial_fit, which is told of no end, got {value!r}")

    # With these settings of training over the others.
    def _begun(self, data: _narrows.Data, **train: Any) -> _narrows.Trainer:
        parent, settings = self._parent(), self._settings()
        settings["train"] |= train
        trainer = _narrows.Trainer.begin(opened(self.device), self._variant(), json.dumps(settings), data, parent)
        # The first says how much was taken, the others what differs.
        taken, *differences = trainer.origin or [""]
        if any(not difference.startswith("not here") for difference in differences):
            warn(". ".join([taken, *differences]))
        return trainer

    # An error leaves everything as it was, unless something was learned that is usable.
    @contextmanager
    def _unchanged_by_failure(self) -> Iterator[None]:
        before = dict(self.__dict__)
        # Epochs before the one that fails add to it.
        history = {name: list(values) for name, values in before.get("history_", {}).items()}
        try:
            yield
        except BaseException as error:
            if isinstance(error, _narrows.NarrowsError) or self.__dict__.get("model_") is before.get("model_"):
                self.__dict__.clear()
                self.__dict__.update(before)
                if "history_" in before:
                    self.history_ = history
            raise

    def _train(
        self, trainer: _narrows.Trainer, array: NDArray[Any], y: Any, callbacks: list[Callback]
    ) -> None:
        try:
            self._run(trainer, array, y, callbacks)
        except _narrows.NarrowsError:
            raise
        except BaseException:
            self._take(trainer, array, y, _THRESHOLD_ROWS)
            raise
        self._take(trainer, array, y, _THRESHOLD_ROWS if self.contamination == "auto" else len(array))
        # An interrupt leaves it for later, as it takes a while.
        _ = self.offset_

    def _run(self, trainer: _narrows.Trainer, array: NDArray[Any], y: Any, callbacks: list[Callback]) -> None:
        epochs = json.loads(trainer.settings)["train"]["epochs"]
        with Progress(epochs, self.verbose) as progress:
            while (line := trainer.epoch()) is not None:
                metrics = json.loads(line)
                self._record(metrics)
                progress.show(metrics)
                if callbacks:
                    # Each may use the model as it is.
                    self._take(trainer, array, y, _THRESHOLD_ROWS)
                if any([callback(self, metrics) for callback in callbacks]):
                    break

    def _record(self, metrics: dict[str, Any]) -> None:
        columns = {"objective": metrics["train"]["objective"], **metrics["train"]["terms"]}
        if metrics["validation"]:
            validation = {"objective": metrics["validation"]["objective"], **metrics["validation"]["terms"]}
            columns |= {f"validation_{name}": value for name, value in validation.items()}
        columns |= {name: metrics[name] for name in ("learning_rate", "seconds")}
        for name in {**self.history_, **columns}:
            before = [np.nan] * self.n_iter_
            self.history_.setdefault(name, before).append(columns.get(name, np.nan))
        self.n_iter_ += 1

    def _take(self, trainer: _narrows.Trainer, array: NDArray[Any], y: Any, most: int) -> None:
        self.model_ = Model(trainer.trained(), self.device)
        self._n_features_out = self.model_.latent
        self._examples = np.array(array[:8])
        labels, every = self._labels(y), max(1, len(array) // most)
        rows = array if most == len(array) else np.array(array[::every])
        self._unscored: Any = (rows, None if labels is None else labels[::every])

    @property
    def offset_(self) -> float:
        """``score_samples`` below it are outliers."""
        check_is_fitted(self, "model_")
        if getattr(self, "_unscored", None) is not None:
            usual = -self.model_._scored(self._unscored[0], 0, self._unscored[1])["score"]
            self._offset = float(np.percentile(usual, 100.0 * self._outliers()))
            self._unscored = None
        return self._offset
