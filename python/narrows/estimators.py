"""Autoencoders as estimators of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .catalogue import with_settings
from .given import seed_of
from .model import Floats
from .page import described
from .training import Training


@with_settings
class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, OutlierMixin, Training):  # type: ignore[misc]
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
        Each is called after each epoch with this estimator, whose ``model_`` is then what was learned so far, and the epoch's
        metrics; a true answer stops training.
{settings}

    Attributes
    ----------
    model_ : Model
        What was trained, as it was after the last epoch, with ``patience`` too: ``model_.save`` writes it for the command line, ``model_.to_onnx`` and ``model_.to_torch`` for
        others.
    history_ : dict of lists
        Each term after each epoch, NaN where there was none, ready for ``pandas.DataFrame(history_)``.
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

    def transform(self, X: Any, y: Any = None) -> Floats:
        """Encodes items.

        Parameters
        ----------
        X : array or frame
            Items of the form of training: rows ``[n, columns]`` or images ``[n, height, width, channels]``.
        y : array of shape [n], optional
            Their classes, for conditional variants.

        Returns
        -------
        array of float32, [n, latent]
            The mean code of each, without noise.
        """
        check_is_fitted(self, "model_")
        return self.model_._encoded(self._checked(X), self._labels(y))

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Floats:
        """Trains on items, and encodes them.

        Parameters
        ----------
        X, y, **fit_params
            As in ``fit``, without iterables.

        Returns
        -------
        array of float32, [n, latent]
            The mean code of each item.
        """
        return self.fit(X, y, **fit_params).transform(X, y)

    def inverse_transform(self, Z: ArrayLike, y: Any = None) -> Floats:
        """Decodes codes.

        Parameters
        ----------
        Z : array, [n, latent]
            Codes, as ``transform`` gives them.
        y : array of shape [n], optional
            Their classes, for conditional variants.

        Returns
        -------
        array of float32
            The mean item of each, in the data's own units and the form of training: rows ``[n, columns]``, images
            ``[n, height, width]`` or ``[n, height, width, channels]``.
        """
        check_is_fitted(self, "model_")
        return self._in_form(self.model_._decoded(Z, self._labels(y)))

    def reconstruct(self, X: Any, y: Any = None) -> Floats:
        """Encodes items and decodes their mean codes.

        Parameters
        ----------
        X, y
            As in ``transform``.

        Returns
        -------
        array of float32
            The reconstructions, in the data's own units, in the form of ``inverse_transform``.
        """
        check_is_fitted(self, "model_")
        return self._in_form(self.model_._reconstructed(self._checked(X), self._labels(y)))

    def fit_predict(self, X: Any, y: Any = None, **fit_params: Any) -> NDArray[np.int64]:
        """Trains on items, and finds the outliers among them.

        Parameters
        ----------
        X, y, **fit_params
            As in ``fit``, without iterables.

        Returns
        -------
        array of int64, [n]
            As ``predict``.
        """
        return self.fit(X, y, **fit_params).predict(X, y)

    def score_samples(self, X: Any, y: Any = None) -> NDArray[np.float64]:
        """Tells how usual each item is.

        Parameters
        ----------
        X, y
            As in ``transform``.

        Returns
        -------
        array of float64, [n]
            The larger the more usual: of variational models with a likelihood the ELBO in nats an item, else the negative of
            the reconstruction's loss. Each item is scored under the same noise, and so the same wherever it stands.
        """
        check_is_fitted(self, "model_")
        return -self.model_._scored(self._checked(X), 0, self._labels(y))["score"]

    def score(self, X: Any, y: Any = None) -> float:
        """Tells how usual items are on average.

        Parameters
        ----------
        X, y
            As in ``transform``.

        Returns
        -------
        float
            The mean of ``score_samples``, by which ``GridSearchCV`` chooses. It is a density of the scaled numbers: compare it
            among models of one ``likelihood`` and one ``scale`` alone.
        """
        return float(np.mean(self.score_samples(X, y)))

    def decision_function(self, X: Any, y: Any = None) -> NDArray[np.float64]:
        """Tells how far each item is from being an outlier.

        Parameters
        ----------
        X, y
            As in ``transform``.

        Returns
        -------
        array of float64, [n]
            ``score_samples`` less ``offset_``: negative for outliers.
        """
        return self.score_samples(X, y) - self.offset_

    def predict(self, X: Any, y: Any = None) -> NDArray[np.int64]:
        """Finds outliers.

        Parameters
        ----------
        X, y
            As in ``transform``.

        Returns
        -------
        array of int64, [n]
            1 for usual items, -1 for outliers, of which training had the share ``contamination``.

        Examples
        --------
        >>> import numpy as np, narrows
        >>> X = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
        >>> narrows.VAE(epochs=5, random_state=0, device="cpu").fit(X).predict([[0, 0, 0, 0], [30, -30, 30, -30]])
        array([ 1, -1])
        """
        return np.where(self.decision_function(X, y) < 0.0, -1, 1)

    def sample(self, n_samples: int = 1, y: Any = None, random_state: Any = 0) -> Floats:
        """Decodes codes that are drawn from the prior, a standard normal.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        y : array of shape [n_samples], optional
            Their classes, of conditional variants; by default in turn.
        random_state : int, RandomState or None, default=0
            The seed of the codes.

        Returns
        -------
        array of float32
            The mean item of each code, in the form of ``inverse_transform``.

        Raises
        ------
        ValueError
            For a variant without a prior, such as ``mlp``.
        """
        check_is_fitted(self, "model_")
        if n_samples < 1:
            raise ValueError(f"n_samples: expected at least 1, got {n_samples}")
        if y is None and hasattr(self, "classes_"):
            y = np.resize(self.classes_, n_samples)
        return self._in_form(self.model_._sampled(n_samples, seed_of(random_state), self._labels(y)))

    # Grey images have a third dimension alone where training had it.
    def _in_form(self, items: Floats) -> Floats:
        return items[..., 0] if self._flat_images and items.ndim == 4 else items

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
