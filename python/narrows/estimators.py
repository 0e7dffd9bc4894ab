"""Autoencoders as estimators of scikit-learn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _narrows
from .catalogue import opened, sections, with_settings
from .model import Floats, Model
from .page import described
from .progress import Progress
from .spool import gathered

# Rows that the threshold for outliers is found from where `contamination` is not given.
_THRESHOLD_ROWS = 2048

Callback = Callable[["Autoencoder", dict[str, Any]], bool | None]


@with_settings
class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """An autoencoder, trained on any GPU.

    Parameters that are None are those of the variant, suited to the data as the command line does: few rows get small
    batches and more epochs, numbers outside [0, 1] a Gaussian likelihood.

    Parameters
    ----------
    variant : str, default="mlp"
        A preset, with its settings: ``narrows.presets()`` lists them.
    batch_size : int, optional
        Items of a step.
    random_state : int, RandomState or None
        The seed of first weights, order and noise. The same seed on the same device gives the same bits; None draws one.
    device : str, default="auto"
        A device, as ``narrows.devices()`` lists them, or ``"cpu"``.
    verbose : int, default=0
        Above 0, shows the epochs, in a bar where tqdm is installed.
    validation : int or float, optional
        How many items to hold out of ``X``, or which share; by default a tenth, at most 5,000. 0: none.
    contamination : float or "auto", default="auto"
        The share of outliers in ``X``, which ``predict`` finds; "auto" is a tenth.
    callbacks : iterable of callables, optional
        Each is called after each epoch with this estimator and the epoch's metrics; a true answer stops training.
{settings}

    Attributes
    ----------
    model_ : Model
        What was trained: ``model_.save`` writes it for the command line, ``model_.to_onnx`` and ``model_.to_torch`` for
        others.
    history_ : dict of lists
        Each term after each epoch, ready for ``pandas.DataFrame(history_)``.
    n_iter_ : int
        Epochs trained.
    n_features_in_ : int
        Columns of ``X``, or rows of its images.
    classes_ : array
        The classes that the model is told of, where it is conditional.
    offset_ : float
        ``score_samples`` below it are outliers.

    Examples
    --------
    >>> import numpy as np, narrows
    >>> X = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    >>> codes = narrows.VAE(latent=2, epochs=2, random_state=0, device="cpu").fit_transform(X)
    >>> codes.shape
    (200, 2)
    """

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
        init: str | None = None,
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
        for name in self._get_param_names():
            setattr(self, name, given[name])

    def _settings(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {"train": {"seed": self._seed()}}
        for name, value in self.get_params(deep=False).items():
            section, setting = sections().get(name, (None, name))
            if section is not None and value is not None:
                found.setdefault(section, {})[setting] = _plain(value)
        return found

    def _seed(self) -> int:
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _outliers(self) -> float:
        share = 0.1 if self.contamination == "auto" else self.contamination
        if not isinstance(share, (float, int)) or not 0.0 < share <= 0.5:
            raise ValueError(f'contamination: expected "auto" or a number above 0 and at most 0.5, got {share!r}')
        return float(share)

    def _variant(self) -> str:
        return self.variant or self._default_variant

    def _checked(self, X: Any, reset: bool = False) -> NDArray[Any]:
        least = 2 if reset else 1
        kinds = [np.float32, np.uint8]
        array: NDArray[Any] = validate_data(
            self, X, dtype=kinds, order="C", allow_nd=True, ensure_min_samples=least, reset=reset
        )
        # A mask, of zeros and ones alone, is numbers.
        if reset and array.dtype == np.uint8 and array.max() <= 1:
            array = array.astype(np.float32)
        return array

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
            self.classes_ = np.unique(np.asarray(y))
            if len(self.classes_) > 256:
                raise ValueError(f"expected at most 256 classes in y, got {len(self.classes_)}")
        elif self._conditional():
            raise ValueError(f"the variant {self._variant()} is told of each item's class: give it as y")

    def _data(
        self, array: NDArray[Any], y: Any, held_out: int | float | None, X_val: Any = None, y_val: Any = None
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
            held_out=round(held_out * len(array)) if isinstance(held_out, float) else held_out,
        )

    def fit(self, X: Any, y: Any = None, *, X_val: Any = None, y_val: Any = None) -> Autoencoder:
        """Trains on rows ``[n, columns]`` or images ``[n, height, width]`` or ``[n, height, width, channels]``.

        An interrupt ends it within a second, and leaves what was learned until then.

        Parameters
        ----------
        X : array, frame or iterator of arrays
            float32, float64 or uint8, whose bytes mean 255ths. float32 and uint8 in C order are read where they lie, also
            out of an ``np.memmap``; arrays of an iterator go to a temporary file.
        y : array, optional
            The class of each item, for conditional variants; others ignore it.
        X_val, y_val : optional
            What to validate with, in place of items held out of ``X``.

        Returns
        -------
        Autoencoder
            This estimator.
        """
        self._outliers()
        with gathered(X) as whole:
            array = self._checked(whole, reset=True)
            self._learn_classes(y)
            data = self._data(array, y, self.validation, X_val, y_val)
            settings = json.dumps(self._settings())
            trainer = _narrows.Trainer.begin(opened(self.device), self._variant(), settings, data)
            for note in trainer.notes if self.verbose else []:
                print(note)
            self.history_: dict[str, list[float]] = {}
            self._train(trainer, array, y)
        return self

    def partial_fit(self, X: Any, y: Any = None, *, classes: ArrayLike | None = None) -> Autoencoder:
        """Trains for one epoch on these items, and goes on from what was learned before.

        The scaling is that of the first items. ``classes``: all that there will be, for conditional variants.
        """
        self._outliers()
        first = not hasattr(self, "model_")
        array = self._checked(X, reset=first)
        if first:
            self._learn_classes(y if classes is None else classes)
            self.history_ = {}
            settings = self._settings()
            settings["train"]["epochs"] = 1
            data = self._data(array, y, 0)
            trainer = _narrows.Trainer.begin(opened(self.device), self._variant(), json.dumps(settings), data)
        else:
            data = self._data(array, y, 0)
            seed = self.model_.settings["train"]["seed"] + 1
            trainer = _narrows.Trainer.on_other_data(self.model_._trained, data, 1, seed)
        self._train(trainer, array, y)
        return self

    def _train(self, trainer: _narrows.Trainer, array: NDArray[Any], y: Any) -> None:
        try:
            self._run(trainer)
        except _narrows.NarrowsError:
            raise
        except BaseException:
            self._take(trainer, array, y)
            raise
        self._take(trainer, array, y)

    def _run(self, trainer: _narrows.Trainer) -> None:
        epochs = json.loads(trainer.settings)["train"]["epochs"]
        with Progress(epochs, self.verbose) as progress:
            while (line := trainer.epoch()) is not None:
                metrics = json.loads(line)
                self._record(metrics)
                progress.show(metrics)
                if any([callback(self, metrics) for callback in self.callbacks or ()]):
                    break

    def _record(self, metrics: dict[str, Any]) -> None:
        columns = {"objective": metrics["train"]["objective"], **metrics["train"]["terms"]}
        if metrics["validation"]:
            validation = {"objective": metrics["validation"]["objective"], **metrics["validation"]["terms"]}
            columns |= {f"validation_{name}": value for name, value in validation.items()}
        columns |= {name: metrics[name] for name in ("learning_rate", "seconds")}
        for name, value in columns.items():
            self.history_.setdefault(name, []).append(value)
        self.n_iter_ = len(self.history_["objective"])

    def _take(self, trainer: _narrows.Trainer, array: NDArray[Any], y: Any) -> None:
        self.model_ = Model(trainer.trained(), self.device)
        self._n_features_out = self.model_.latent
        self._examples = np.array(array[:8])
        every = 1 if self.contamination != "auto" else max(1, len(array) // _THRESHOLD_ROWS)
        labels = self._labels(y)
        usual = -self.model_.scores(array[::every], labels=None if labels is None else labels[::every])["score"]
        self.offset_ = float(np.percentile(usual, 100.0 * self._outliers()))

    def transform(self, X: Any, y: Any = None) -> Floats:
        """The mean codes ``[n, latent]`` of items; ``y``: their classes, for conditional variants."""
        check_is_fitted(self, "model_")
        return self.model_.encoder(self._checked(X), labels=self._labels(y))

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Floats:
        """Trains on items, and gives their mean codes ``[n, latent]``."""
        return self.fit(X, y, **fit_params).transform(X, y)

    def inverse_transform(self, Z: ArrayLike, y: Any = None) -> Floats:
        """The mean items of codes ``[n, latent]``, in the data's own units."""
        check_is_fitted(self, "model_")
        return self.model_.decoder(Z, labels=self._labels(y))

    def reconstruct(self, X: Any, y: Any = None) -> Floats:
        """The mean reconstructions of items, in the data's own units."""
        check_is_fitted(self, "model_")
        return self.model_.reconstruct(self._checked(X), labels=self._labels(y))

    def score_samples(self, X: Any, y: Any = None) -> NDArray[np.float64]:
        """How usual each item is, the larger the more: the ELBO in nats an item, or the reconstruction's negative."""
        check_is_fitted(self, "model_")
        return -self.model_.scores(self._checked(X), labels=self._labels(y))["score"]

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of ``score_samples``."""
        return float(np.mean(self.score_samples(X, y)))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """``score_samples`` less ``offset_``: negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """1 for usual items, -1 for outliers, of which training had the share ``contamination``."""
        return np.where(self.decision_function(X) < 0.0, -1, 1)

    def sample(self, n_samples: int = 1, y: Any = None, random_state: int = 0) -> Floats:
        """The mean items of so many codes of the prior, of variants that have one.

        ``y``: their classes, of conditional variants; by default in turn.
        """
        check_is_fitted(self, "model_")
        if n_samples < 1:
            raise ValueError(f"n_samples: expected at least 1, got {n_samples}")
        if y is None and hasattr(self, "classes_"):
            y = np.resize(self.classes_, n_samples)
        return self.model_.sample(n_samples, random_state, labels=self._labels(y))

    # What notebooks show: scikit-learn's box, and the model below it.
    def _repr_html_inner(self) -> str:
        return str(super()._repr_html_inner()) + self._page()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        shown: dict[str, str] = super()._repr_mimebundle_(**kwargs)
        return {kind: text + self._page() if kind == "text/html" else text for kind, text in shown.items()}

    def _page(self) -> str:
        return described(self.model_, self.history_, self._examples) if hasattr(self, "model_") else ""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class VAE(Autoencoder):
    """A variational autoencoder: as :class:`Autoencoder`, whose parameters it has, with ``variant="vae"``.

    Examples
    --------
    >>> import numpy as np, narrows
    >>> X = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    >>> vae = narrows.VAE(latent=1, epochs=2, random_state=0, device="cpu").fit(X)
    >>> vae.sample(5).shape
    (5, 3)
    """

    _default_variant = "vae"


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
