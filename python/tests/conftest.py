"""What tests share."""

import os

import numpy as np
import pytest
from sklearn.datasets import load_digits

# The device of the tests, as for `device=`.
DEVICE = os.environ.get("NARROWS_TEST_DEVICE", "auto")


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    """Rows [1797, 64] of numbers from 0 to 16."""
    return load_digits().data.astype(np.float32)


@pytest.fixture
def small() -> dict:
    """Settings of a model that trains in an instant."""
    return {"latent": 2, "hidden": [16], "epochs": 2, "random_state": 0, "device": DEVICE}
