"""The estimators among those of scikit-learn."""

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import DEVICE
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import narrows
from narrows.catalogue import settings

CHECKED = [narrows.Autoencoder(epochs=2, latent=2, hidden=[8], device=DEVICE), narrows.VAE(epochs=2, latent=2, hidden=[8], device=DEVICE)]
EVERY = [(estimator, check) for estimator in CHECKED for estimator, check in estimator_checks_generator(estimator)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), EVERY, ids=lambda each: getattr(each, "func", type(each)).__name__)
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


def test_it_works_in_a_pipeline_and_a_grid_search(digits, small):
    from sklearn.datasets import load_digits

    pipeline = make_pipeline(StandardScaler(), narrows.VAE(**small), LogisticRegression(max_iter=200))
    search = GridSearchCV(pipeline, {"vae__latent": [2, 8]}, cv=2)
    search.fit(digits[:400], load_digits().target[:400])
    assert search.best_params_ == {"vae__latent": 8}


def test_a_grid_search_in_two_processes_over_its_own_score_needs_no_target(digits, small):
    search = GridSearchCV(narrows.VAE(**small), {"latent": [1, 4]}, cv=2, n_jobs=2).fit(digits)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_frames_give_names_and_take_them(small):
    numbers = np.random.default_rng(0).normal(size=(80, 3))
    for frame in (pd.DataFrame(numbers, columns=["a", "b", "c"]), pl.DataFrame(numbers, schema=["a", "b", "c"])):
        estimator = narrows.Autoencoder(**small).fit(frame)
        assert list(estimator.feature_names_in_) == ["a", "b", "c"]
        assert estimator.model_.columns == ["a", "b", "c"]
        assert estimator.n_features_in_ == 3
    out = clone(estimator).set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == ["autoencoder0", "autoencoder1"]


def test_it_is_a_part_of_a_column_transformer(small):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 4)), columns=list("abcd"))
    parts = ColumnTransformer([("codes", narrows.Autoencoder(**small), ["a", "b", "c"]), ("rest", "passthrough", ["d"])])
    assert parts.fit_transform(frame).shape == (60, 3)


def test_a_pickle_of_one_process_is_used_in_another(tmp_path, digits, small):
    estimator = narrows.VAE(**small).fit(digits)
    (tmp_path / "estimator.pickle").write_bytes(pickle.dumps(estimator))
    np.save(tmp_path / "x.npy", digits[:20])
    code = f"""
import pickle, numpy as np
estimator = pickle.loads(open({str(tmp_path / "estimator.pickle")!r}, "rb").read())
np.save({str(tmp_path / "codes.npy")!r}, estimator.transform(np.load({str(tmp_path / "x.npy")!r})))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert np.array_equal(np.load(tmp_path / "codes.npy"), estimator.transform(digits[:20]))


def test_images_keep_their_shape(small):
    images = np.random.default_rng(0).integers(0, 256, size=(40, 9, 8, 3), dtype=np.uint8)
    estimator = narrows.Autoencoder("cnn", epochs=1, latent=3, random_state=0, device=DEVICE).fit(images)
    assert estimator.transform(images).shape == (40, 3)
    assert estimator.inverse_transform(np.zeros((2, 3))).shape == (2, 9, 8, 3)
    redrawn = estimator.reconstruct(images)
    assert redrawn.shape == images.shape
    assert redrawn.max() > 1.0, "in the data's own units, 0 to 255"


def test_a_sparse_matrix_is_refused_with_what_to_do(small):
    with pytest.raises(TypeError, match="dense"):
        narrows.Autoencoder(**small).fit(sparse.csr_matrix(np.eye(20)))


def test_a_wrong_setting_is_a_value_error_with_the_library_s_words(digits, small):
    with pytest.raises(ValueError, match=r"variant|preset"):
        narrows.Autoencoder("transformer", **small).fit(digits)
    with pytest.raises(ValueError, match="kl_weight"):
        narrows.Autoencoder("mlp", kl_weight=2.0, **small).fit(digits)
    with pytest.raises(ValueError, match="latent"):
        narrows.Autoencoder(**{**small, "latent": 0}).fit(digits)


def test_what_no_training_could_end_well_with_is_refused_before_it(digits, small):
    for wrong in (0.0, 0.6, "many"):
        with pytest.raises(ValueError, match="contamination"):
            narrows.Autoencoder(**small, contamination=wrong).fit(digits)
    with pytest.raises(ValueError, match="a model with a prior"):
        narrows.Autoencoder(**small).fit(digits).sample(2)
    with pytest.raises(ValueError, match="n_samples"):
        narrows.VAE(**small).fit(digits).sample(0)
    with pytest.raises(narrows.DeviceError, match='device="cpu"'):
        narrows.Autoencoder(**{**small, "device": "no such device"}).fit(digits)


def test_an_exception_of_a_callback_leaves_what_was_learned(digits, small):
    def fail(estimator, metrics):
        raise RuntimeError("mine")

    estimator = narrows.Autoencoder(**small, callbacks=[fail])
    with pytest.raises(RuntimeError, match="mine"):
        estimator.fit(digits)
    assert estimator.transform(digits).shape == (1797, 2)


def test_a_missing_device_and_a_missing_file_are_exceptions_of_their_own(tmp_path, digits, small):
    with pytest.raises(narrows.DeviceError, match="no device matches"):
        narrows.Autoencoder(**{**small, "device": "no such device"}).fit(digits)
    with pytest.raises((FileNotFoundError, ValueError), match="nowhere"):
        narrows.load(tmp_path / "nowhere", DEVICE)


def test_every_setting_of_the_library_is_a_parameter_and_described():
    names = set(inspect.signature(narrows.Autoencoder.__init__).parameters) - {"self"}
    own = {"variant", "device", "verbose", "validation", "contamination", "callbacks"}
    assert names - own == set(settings())
    for name in names:
        assert f"    {name} : " in narrows.Autoencoder.__doc__, name
