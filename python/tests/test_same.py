"""The same numbers as the command line's."""

import importlib.metadata
import os
import subprocess

import numpy as np
import pytest
from conftest import DEVICE

import narrows

NARROWS = os.environ.get("NARROWS")


def trained_by_command_line(folder, variant, data, flags=()):
    np.save(folder / "x.npy", data)
    # The estimator holds no test part out.
    np.save(folder / "test.npy", data[:2])
    command = [NARROWS, "train", variant, "--data", folder / "x.npy", "--test", folder / "test.npy", "--run", folder / "run"]
    device = [] if DEVICE == "auto" else ["--device", DEVICE]
    subprocess.run([*command, *device, "--epochs", "2", "--seed", "3", *flags], check=True, capture_output=True)
    return folder / "run"


@pytest.mark.skipif(not NARROWS, reason="NARROWS names the command line's program")
@pytest.mark.parametrize("variant", ["mlp", "vae", "denoising", "contractive", "sparse", "iwae", "linear"])
def test_the_same_seed_gives_the_same_parameters_from_python_and_the_command_line(tmp_path, digits, variant):
    run = trained_by_command_line(tmp_path, variant, digits)
    estimator = narrows.Autoencoder(variant, epochs=2, random_state=3, device=DEVICE).fit(digits)
    theirs = narrows.Model.from_safetensors(run / "last.safetensors", DEVICE).state_dict()
    ours = estimator.model_.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert np.array_equal(ours[name], tensor), name


@pytest.mark.skipif(not NARROWS, reason="NARROWS names the command line's program")
def test_a_model_opens_on_the_other_side(tmp_path, digits, small):
    run = trained_by_command_line(tmp_path, "vae", digits)
    model = narrows.load(run, DEVICE)
    (run / "best.safetensors").unlink()
    with pytest.warns(UserWarning, match="takes its place"):
        narrows.load(run, DEVICE)
    assert model.encoder(digits[:5]).shape == (5, model.latent)
    narrows.VAE(**small).fit(digits).model_.save(tmp_path / "model.safetensors")
    told = subprocess.run(
        [NARROWS, "encode", tmp_path / "model.safetensors", "--data", tmp_path / "x.npy", "--out", tmp_path / "codes.npy"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert np.load(tmp_path / "codes.npy").shape == (len(digits), 2), told
    # It names no data; the command line's own would be of another kind, and these are of the same.
    images = np.random.default_rng(0).integers(0, 256, size=(30, 28, 28), dtype=np.uint8)
    narrows.Autoencoder(**small).fit(images).model_.save(tmp_path / "images.safetensors")
    told = subprocess.run([NARROWS, "eval", tmp_path / "images.safetensors"], check=True, capture_output=True, text=True)
    assert "not trained on the built-in sample" in told.stderr


def test_the_readme_s_example_runs(tmp_path, monkeypatch, digits):
    monkeypatch.chdir(tmp_path)
    text = importlib.metadata.metadata("narrows").get_payload()
    code = text.split("```python\n")[1].split("```")[0].replace("random_state=0", f"random_state=0, device={DEVICE!r}")
    names = {"X": digits}
    exec(code, names)
    assert names["codes"].shape == (1797, 2) and names["new"].shape == (16, 64)
    assert narrows.load(tmp_path / "model.safetensors", DEVICE).latent == 2
