"""What is given: arrays, settings and callbacks of all kinds mean one thing everywhere, and what is wrong is told of in Python's words."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import DEVICE

import narrows


def test_a_mask_is_numbers_to_fit_and_to_all_that_follows(small):
    mask = np.random.default_rng(0).integers(0, 2, size=(80, 6), dtype=np.uint8)
    numbers = mask.astype(np.float32)
    ours = narrows.Autoencoder(**small).fit(mask, X_val=mask)
    theirs = narrows.Autoencoder(**small).fit(numbers, X_val=numbers)
    assert ours.history_["validation_objective"] == theirs.history_["validation_objective"]
    assert np.array_equal(ours.score_samples(mask), theirs.score_samples(numbers))
    assert np.array_equal(ours.partial_fit(mask).transform(mask), theirs.partial_fit(numbers).transform(numbers))


def test_bytes_of_a_frame_are_numbers_and_those_of_an_array_255ths(small):
    table = np.random.default_rng(0).integers(0, 256, size=(80, 6), dtype=np.uint8)
    assert not narrows.Autoencoder(**small).fit(pd.DataFrame(table, columns=list("abcdef"))).model_._bytes
    assert narrows.Autoencoder(**small).fit(table).model_._bytes


@pytest.mark.filterwarnings("ignore:.*divided by 255.*")
def test_an_estimator_and_its_model_take_the_same_array_for_the_same(small):
    pictures = np.random.default_rng(0).integers(0, 256, size=(40, 8, 8), dtype=np.uint8)
    for seen in (pictures, (pictures / 255).astype(np.float32)):
        estimator = narrows.Autoencoder(**small).fit(seen)
        for other in (pictures, (pictures / 255).astype(np.float32)):
            assert np.array_equal(estimator.transform(other), estimator.model_.encoder(other))


def test_grey_images_come_back_as_they_came(small):
    pictures = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
    flat = narrows.VAE(**small).fit(pictures)
    assert flat.reconstruct(pictures).shape == flat.inverse_transform(flat.transform(pictures)).shape == (40, 8, 8)
    assert flat.sample(2).shape == (2, 8, 8)
    assert narrows.VAE(**small).fit(pictures[..., None]).reconstruct(pictures[..., None]).shape == (40, 8, 8, 1)


def test_a_loader_trains_as_an_array_and_other_methods_say_what_they_take(digits, small):
    class Loader:
        def __iter__(self):
            yield from np.array_split(digits, 3)

        def __len__(self):
            return 3

    estimator = narrows.Autoencoder(**small).fit(Loader())
    assert estimator.model_.to_bytes() == narrows.Autoencoder(**small).fit(digits).model_.to_bytes()
    for method in (estimator.transform, estimator.partial_fit, estimator.score):
        with pytest.raises(TypeError, match="only fit takes one"):
            method(Loader())


def test_an_array_at_an_odd_address_is_copied(digits, small):
    odd = np.frombuffer(b"\0" + digits.tobytes(), np.uint8)[1:].view(np.float32).reshape(digits.shape)
    assert not odd.flags.aligned
    estimator = narrows.Autoencoder(**small).fit(odd)
    assert np.array_equal(estimator.transform(odd), narrows.Autoencoder(**small).fit(digits).transform(digits))


def test_a_rate_fits_the_optimizer_and_a_chosen_rate_keeps_it(digits, small):
    def trained(**given):
        train = narrows.Autoencoder(**small, **given).fit(digits).model_.settings["train"]
        return train["optimizer"], pytest.approx(train["learning_rate"])

    assert trained() == ("adam", 1e-3)
    assert trained(optimizer="adam") == ("adam", 1e-3)
    assert trained(optimizer="sgd", scale="unit", likelihood="bernoulli")[0] == "sgd"
    assert trained(learning_rate=0.01) == ("adam", 0.01)
    assert trained(momentum=0.5, learning_rate=1e-4) == ("sgd", 1e-4)


def test_columns_of_a_frame_are_found_by_name(small):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32), columns=["a", "b", "c"])
    model = narrows.Autoencoder(**small).fit(frame).model_
    assert np.array_equal(model.encoder(frame[["c", "a", "b"]]), model.encoder(frame))
    with pytest.raises(ValueError, match="none called 'b'"):
        model.encoder(frame[["a", "c"]])


def test_partial_fit_takes_a_new_rate_and_no_schedule(digits, small):
    estimator = narrows.Autoencoder(**small).partial_fit(digits)
    before = estimator.transform(digits)
    estimator.set_params(learning_rate=1e-20).partial_fit(digits)
    assert np.abs(estimator.transform(digits) - before).max() < 1e-4
    linear = narrows.Autoencoder("linear", latent=2, random_state=0, device=DEVICE)
    for part in np.array_split(digits, 3):
        linear.partial_fit(part)
    assert len(set(linear.history_["learning_rate"])) == 1
    for given in ({"schedule": "cosine"}, {"warmup": 3}, {"kl_warmup": "linear"}):
        with pytest.raises(ValueError, match="told of no end"):
            narrows.VAE(**small, **given).partial_fit(digits)


def test_the_history_of_both_ways_to_train_is_one_table(digits, small):
    estimator = narrows.Autoencoder(**small).fit(digits).partial_fit(digits)
    with pytest.raises(narrows.NarrowsError):
        estimator.set_params(learning_rate=1e30).partial_fit(digits).partial_fit(digits)
    table = pd.DataFrame(estimator.history_)
    assert len(table) == estimator.n_iter_ == 3
    assert table["validation_objective"].isna().tolist() == [False, False, True]


def test_a_callback_may_use_the_whole_estimator(digits, small):
    seen = []

    def use(estimator, metrics):
        seen.append((estimator.predict(digits[:3]).shape, estimator.get_feature_names_out().shape))
        estimator._repr_html_()

    narrows.Autoencoder(**small, callbacks=iter([use])).fit(digits)
    narrows.Autoencoder(**small, callbacks=use).fit(digits)
    assert seen == [((3,), (2,))] * 4
    wrong = narrows.Autoencoder(**small, callbacks=[3])
    with pytest.raises(TypeError, match="callbacks"):
        wrong.fit(digits)
    assert not hasattr(wrong, "model_")


def test_a_subclass_may_have_parameters_of_its_own(digits, small):
    class Mine(narrows.VAE):
        def __init__(self, latent=2, extra=1):
            super().__init__(latent=latent, epochs=1, hidden=[8], random_state=0, device=DEVICE)
            self.extra = extra

    assert Mine(latent=3).fit(digits).transform(digits).shape == (1797, 3)


def test_outliers_of_a_conditional_model_are_found_in_one_call(digits, small):
    from sklearn.datasets import load_digits

    assert set(narrows.Autoencoder("cvae", **small).fit_predict(digits, load_digits().target)) == {-1, 1}


def test_a_remark_points_to_the_line_that_called(small):
    pictures = np.random.default_rng(0).integers(0, 256, size=(60, 8, 8), dtype=np.uint8)
    estimator = narrows.Autoencoder(**small).fit(pictures)
    for method in (estimator.transform, estimator.score, estimator.model_.encoder):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            method((pictures / 255).astype(np.float32))
        assert [each.filename for each in told] == [__file__]


WRONG = [
    ({"validation": -1}, "validation: expected a number of items"),
    ({"validation": True}, "validation: expected a number of items"),
    ({"validation": 1796}, "at least 2 of 1797 items"),
    ({"learning_rate": float("nan")}, "learning_rate: expected a finite number"),
    ({"random_state": 2**63}, "random_state: expected"),
    ({"batch_size": 0}, "batch_size"),
    ({"hidden": {8}}, "hidden: expected a number, a text, a list"),
    ({"device": 0}, "device: expected a name"),
    ({"init": 3}, "init: expected a scheme, a path"),
    ({"variant": 2}, "variant: expected the name"),
    ({"warmup": 2**32 - 1}, "warmup: expected fewer"),
]


@pytest.mark.parametrize(("given", "words"), WRONG, ids=lambda each: next(iter(each)) if isinstance(each, dict) else "")
def test_a_wrong_parameter_is_told_of_by_its_name(digits, small, given, words):
    with pytest.raises((ValueError, TypeError), match=words):
        narrows.Autoencoder(**{**small, **given}).fit(digits)


def test_paths_stand_in_messages_as_they_were_given(tmp_path, small):
    with pytest.raises(FileNotFoundError, match="no--such/--missing--x"):
        narrows.load("no--such/--missing--x", DEVICE)
    (tmp_path / "no--such").mkdir()
    with pytest.raises(ValueError, match="no--such"):
        narrows.load(tmp_path / "no--such", DEVICE)


def test_more_than_there_is_memory_for_is_an_error(digits, small):
    model = narrows.VAE(**small).fit(digits).model_
    for count in (10**13, 2**62):
        with pytest.raises(MemoryError):
            model.sample(count)
        with pytest.raises(MemoryError):
            model.interpolate(np.zeros(2), np.ones(2), count)


FORKED = f"""
import os, numpy as np, narrows
X = np.random.default_rng(0).random((60, 4), dtype=np.float32)
estimator = narrows.Autoencoder(latent=2, hidden=[8], epochs=1, random_state=0, device={DEVICE!r}).fit(X)
child = os.fork()
if child == 0:
    for use in (lambda: estimator.transform(X), lambda: estimator.fit(X)):
        try:
            use()
        except narrows.DeviceError as error:
            print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_a_forked_process_is_refused_and_does_not_hang():
    told = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=120)
    assert told.stdout.count("forked after a device was used") == 2, told
