"""Training: what goes in, what is told of it, how it ends."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import DEVICE
from sklearn.base import clone

import narrows
from narrows import layers


def test_arrays_of_an_iterator_and_of_a_mapped_file_train_as_the_same_array_in_memory(tmp_path, digits, small):
    np.save(tmp_path / "x.npy", digits)
    wanted = narrows.Autoencoder(**small).fit(digits).model_.to_bytes()
    mapped = narrows.Autoencoder(**small).fit(np.load(tmp_path / "x.npy", mmap_mode="r"))
    parts = narrows.Autoencoder(**small).fit(iter([digits[:1000], digits[1000:]]))
    assert mapped.model_.to_bytes() == wanted
    assert parts.model_.to_bytes() == wanted


def test_an_iterator_of_nothing_or_of_unlike_arrays_is_refused(small):
    with pytest.raises(ValueError, match="got none"):
        narrows.Autoencoder(**small).fit(iter([]))
    with pytest.raises(ValueError, match="as the first"):
        narrows.Autoencoder(**small).fit(iter([np.zeros((4, 3)), np.zeros((4, 2))]))


def test_partial_fit_goes_on_with_what_was_learned_and_with_its_scaling(digits, small):
    whole = narrows.Autoencoder(**{**small, "latent": 8})
    first = whole.partial_fit(digits[:900]).score(digits)
    for _ in range(5):
        for part in np.array_split(digits, 3):
            whole.partial_fit(part)
    assert whole.score(digits) > first
    assert whole.n_iter_ == 16
    # Of another range; the scaling stays that of the first items.
    before = whole.transform(digits[:5])
    assert np.abs(whole.partial_fit(digits[:40] / 16).transform(digits[:5]) - before).max() < 10.0


def test_a_conditional_model_is_told_of_classes_and_samples_them(digits):
    from sklearn.datasets import load_digits

    names = np.array([f"digit {digit}" for digit in load_digits().target])
    estimator = narrows.VAE("cvae", latent=2, hidden=[16], epochs=2, random_state=0, device=DEVICE)
    with pytest.raises(ValueError, match="give it as y"):
        estimator.fit(digits)
    with pytest.raises(AttributeError):
        _ = estimator.n_features_in_
    estimator.fit(digits, names)
    assert list(estimator.classes_) == sorted(set(names))
    assert estimator.transform(digits[:3], names[:3]).shape == (3, 2)
    zeros = estimator.sample(4, y=["digit 0"] * 4)
    ones = estimator.sample(4, y=["digit 1"] * 4)
    assert zeros.shape == (4, 64) and not np.allclose(zeros, ones)
    with pytest.raises(ValueError, match="digit 11"):
        estimator.transform(digits[:1], ["digit 11"])
    assert set(estimator.predict(digits, names)) == {-1, 1}
    # The model alone takes names and numbers.
    by_name = estimator.model_.encoder(digits[:3], names[:3])
    assert np.array_equal(by_name, estimator.model_.encoder(digits[:3], load_digits().target[:3]))
    for wrong in (["digit 11"], [10], [-1]):
        with pytest.raises(ValueError, match="expected the classes"):
            estimator.model_.decoder(np.zeros((1, 2)), wrong)


def test_callbacks_see_the_metrics_and_may_stop(digits, small):
    seen = []

    def stop_after_two(estimator, metrics):
        seen.append(metrics["validation"]["objective"])
        assert estimator.model_.epoch == len(seen)
        return len(seen) == 2

    estimator = narrows.Autoencoder(**{**small, "epochs": 9}, callbacks=[stop_after_two]).fit(digits)
    assert estimator.n_iter_ == 2
    assert estimator.history_["validation_objective"] == seen


def test_a_run_begins_with_the_parameters_of_another_model_a_checkpoint_or_a_state_dict(tmp_path, digits, small):
    parent = narrows.Autoencoder(**{**small, "epochs": 20}).fit(digits)
    parent.model_.save(tmp_path / "parent.safetensors")
    weights = parent.model_.state_dict()
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file({name: tensor.copy() for name, tensor in weights.items()}, tmp_path / "torch.safetensors")
    first = narrows.Autoencoder(**small).fit(digits).history_["objective"][0]
    children = [
        clone(narrows.Autoencoder(**small, init=init)).fit(digits)
        for init in (parent.model_, tmp_path / "parent.safetensors", str(tmp_path / "torch.safetensors"))
    ]
    for child in children:
        assert child.history_["objective"][0] < 0.7 * first
        assert child.history_["objective"] == children[0].history_["objective"]
    with pytest.raises(ValueError, match="nowhere"):
        narrows.Autoencoder(**small, init="nowhere").fit(digits)
    with pytest.raises(TypeError, match="model_"):
        narrows.Autoencoder(**small, init=parent).fit(digits)


def test_a_failure_leaves_an_estimator_as_it_was(digits, small):
    estimator = narrows.Autoencoder(**small).fit(digits)
    codes = estimator.transform(digits[:4])
    for wrong in ({"latent": 0}, {"device": "no such device"}, {"learning_rate": 1e30, "optimizer": "sgd"}):
        with pytest.raises((ValueError, narrows.NarrowsError)):
            estimator.set_params(**wrong).fit(digits[:, :9])
        estimator.set_params(latent=2, device=DEVICE, learning_rate=None, optimizer=None)
        assert np.array_equal(estimator.transform(digits[:4]), codes), wrong


def test_patience_stops_early(digits, small):
    estimator = narrows.Autoencoder(**{**small, "epochs": 40}, optimizer="sgd", learning_rate=1e-9, patience=1).fit(digits)
    assert estimator.n_iter_ < 40


def test_layers_are_objects_that_equal_their_tables(small):
    assert layers.Conv(4, kernel=(3, 3), stride=2) == {"layer": "conv", "filters": 4, "kernel": [3, 3], "stride": 2}
    images = np.random.default_rng(0).random((30, 8, 8), dtype=np.float32)
    encoder = [layers.Conv(4, kernel=3, stride=2, padding="same"), layers.Flatten(), layers.Dense(8)]
    decoder = [layers.Dense(64), layers.Reshape(8, 8, 1)]
    estimator = narrows.Autoencoder(
        latent=2, encoder=encoder, decoder=decoder, epochs=1, random_state=0, device=DEVICE
    ).fit(images)
    assert estimator.model_.settings["model"]["encoder"][0]["filters"] == 4
    assert estimator.reconstruct(images).shape == (30, 8, 8)


def test_a_model_goes_to_onnx_and_to_numpy(tmp_path, digits, small):
    model = narrows.VAE(**small).fit(digits).model_
    assert [path.name for path in model.to_onnx(tmp_path)] == ["encoder.onnx", "decoder.onnx", "autoencoder.onnx"]
    weights = model.state_dict()
    assert "Weights" in model._repr_html_()
    assert all(np.isfinite(tensor).all() for tensor in weights.values())
    assert any(tensor.shape == (16, 64) for tensor in weights.values())


def test_a_module_of_pytorch_encodes_and_decodes_as_the_model(digits, small):
    model = narrows.VAE(**small).fit(digits).model_
    try:
        import safetensors  # noqa: F401
        import torch
    except ImportError:
        with pytest.raises(ImportError, match="pip install torch safetensors"):
            model.to_torch()
        return
    module = model.to_torch()
    # Of a variational model mu and logvar.
    codes = module.encode(torch.from_numpy(digits[:9]))[0].detach().numpy()
    assert np.abs(codes - model.encoder(digits[:9])).max() < 1e-4
    items = module.decode(torch.from_numpy(codes)).detach().numpy()
    assert np.abs(items - model.decoder(codes)).max() < 1e-3


def test_outliers_are_found_and_their_share_is_what_was_asked_for(digits, small):
    rng = np.random.default_rng(0)
    odd = rng.uniform(0, 16, size=(60, 64)).astype(np.float32)
    estimator = narrows.Autoencoder(**{**small, "latent": 8, "epochs": 30}, contamination=0.05).fit(digits)
    assert abs(np.mean(estimator.predict(digits) == -1) - 0.05) < 0.01
    assert np.mean(estimator.predict(odd) == -1) > 0.9


def test_a_notebook_shows_structure_curves_and_reconstructions(small):
    images = np.random.default_rng(0).integers(2, 256, size=(40, 8, 8), dtype=np.uint8)
    estimator = narrows.Autoencoder(**small).fit(images)
    for page in (estimator._repr_html_(), estimator._repr_mimebundle_()["text/html"]):
        assert "Weights" in page and "Curves" in page and "reconstructions" in page


INTERRUPTED = f"""
import numpy as np, narrows, time, sys
X = np.random.default_rng(0).random((4000, 256), dtype=np.float32)
estimator = narrows.VAE(epochs=100_000, random_state=0, device={DEVICE!r})
try:
    print("begins", flush=True)
    estimator.fit(X)
except KeyboardInterrupt:
    print("stopped", estimator.transform(X[:2]).shape, flush=True)
"""


def test_an_interrupt_returns_within_a_second_and_leaves_a_usable_estimator():
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n"
    time.sleep(4)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    line = process.stdout.readline()
    took = time.monotonic() - asked
    assert line.startswith("stopped (2,"), line
    assert process.wait(timeout=60) == 0
    print(f"returned after {took:.2f} s")
