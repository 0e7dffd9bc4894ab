"""Make the golden values: whole training steps of small autoencoders, by PyTorch's autograd and optimizers.

Usage: python make.py [FOLDER]

Writes one `<case>.safetensors` per case to FOLDER (by default the script's own). README.md says what a file
holds. All computation is in float64; what is stored is rounded to float32 once, at the end. For each case the
script prints how far the same run in float32 strays: what rounding alone may explain.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save
from torch.nn import functional

STEPS = 10
LATENT_STREAM = 2

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": functional.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
    "elu": functional.elu,
    "selu": functional.selu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
    "gelu": functional.gelu,
    "silu": functional.silu,
}

# The activations whose slope jumps at zero. There float32 may take the other side of the jump, so no
# pre-activation may come nearer to zero than KINK_MARGIN.
KINKED = {"relu", "leaky_relu", "selu"}
KINK_MARGIN = 2e-5


# Settings.


def sgd(learning_rate, momentum=0.0):
    """Settings of stochastic gradient descent."""
    return {"name": "sgd", "learning_rate": learning_rate, "momentum": momentum}


def adam(learning_rate):
    """Settings of Adam."""
    return {"name": "adam", "learning_rate": learning_rate, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


def adamw(learning_rate, weight_decay):
    """Settings of AdamW; the decay holds for every parameter, biases too."""
    return {**adam(learning_rate), "name": "adamw", "weight_decay": weight_decay}


def gaussian(deviation):
    """A Gaussian likelihood of fixed standard deviation."""
    return {"name": "gaussian", "deviation": deviation}


BERNOULLI = {"name": "bernoulli"}
SQUARED_ERROR = {"name": "squared_error"}
GAUSSIAN_LEARNED = {"name": "gaussian_learned"}


def case(
    *,
    seed,
    count,
    pixels,
    hidden,
    latent,
    activation,
    likelihood,
    reduction,
    optimizer,
    code_activation="identity",
    output_activation="identity",
    bias=True,
    kl_weight=None,
):
    """Settings of one case. It is variational where `kl_weight` is given."""
    return {
        "seed": seed,
        "count": count,
        "pixels": pixels,
        "hidden": hidden,
        "latent": latent,
        "bias": bias,
        "activation": activation,
        "code_activation": code_activation,
        "output_activation": output_activation,
        "likelihood": likelihood,
        "reduction": reduction,
        "kl_weight": kl_weight,
        "optimizer": optimizer,
        "steps": STEPS,
    }


FIVE = {"count": 5, "pixels": 6 * 5}
SEVEN = {"count": 7, "pixels": 4 * 4}

# The seeds of the cases with Adam are chosen so that the end is well determined: Adam divides a gradient by
# its own size, so an element that almost cancels to zero would carry its rounding into the parameter whole.
CASES = {
    "linear": case(
        **FIVE, seed=1, hidden=[], latent=3, bias=False, activation="identity",
        likelihood=SQUARED_ERROR, reduction="image", optimizer=sgd(0.01),
    ),
    "mlp": case(
        **FIVE, seed=2, hidden=[17], latent=3, activation="selu",
        likelihood=BERNOULLI, reduction="pixel", optimizer=sgd(1.0, momentum=0.9),
    ),
    "mlp_selu_code": case(
        **FIVE, seed=3, hidden=[17], latent=3, activation="selu", code_activation="selu",
        likelihood=BERNOULLI, reduction="pixel", optimizer=sgd(1.0, momentum=0.9),
    ),
    "mlp_gelu": case(
        **SEVEN, seed=36, hidden=[9], latent=2,
        activation="gelu", code_activation="gelu", output_activation="sigmoid",
        likelihood=SQUARED_ERROR, reduction="image", optimizer=adam(1e-2),
    ),
    "mlp_relu": case(
        **SEVEN, seed=5, hidden=[11, 6], latent=3, activation="relu",
        likelihood=BERNOULLI, reduction="image", optimizer=adam(1e-3),
    ),
    "mlp_leaky_relu": case(
        **FIVE, seed=6, hidden=[13], latent=2, activation="leaky_relu", output_activation="sigmoid",
        likelihood=SQUARED_ERROR, reduction="pixel", optimizer=sgd(0.5),
    ),
    "mlp_elu": case(
        **SEVEN, seed=59, hidden=[10, 7], latent=1, activation="elu",
        likelihood=gaussian(0.3), reduction="pixel", optimizer=adamw(1e-2, weight_decay=0.1),
    ),
    "mlp_sigmoid": case(
        **SEVEN, seed=8, hidden=[9], latent=3, activation="sigmoid", code_activation="sigmoid",
        likelihood=BERNOULLI, reduction="pixel", optimizer=sgd(2.0, momentum=0.5),
    ),
    "mlp_tanh": case(
        **FIVE, seed=9, hidden=[7], latent=5, activation="tanh", code_activation="tanh",
        likelihood=SQUARED_ERROR, reduction="pixel", optimizer=adam(1e-2),
    ),
    "mlp_softplus": case(
        **SEVEN, seed=29, hidden=[13, 5], latent=2, activation="softplus", output_activation="sigmoid",
        likelihood=SQUARED_ERROR, reduction="image", optimizer=adamw(1e-3, weight_decay=0.01),
    ),
    "vae": case(
        **FIVE, seed=0x0123_4567_89AB_CDEF, hidden=[17], latent=3, activation="relu",
        likelihood=BERNOULLI, reduction="image", kl_weight=1.0, optimizer=adam(1e-3),
    ),
    "vae_beta": case(
        **SEVEN, seed=12, hidden=[13, 11], latent=2, activation="tanh",
        likelihood=gaussian(0.5), reduction="image", kl_weight=4.0, optimizer=adamw(1e-3, weight_decay=0.01),
    ),
    "vae_learned": case(
        **FIVE, seed=13, hidden=[17], latent=3, activation="silu", output_activation="sigmoid",
        likelihood=GAUSSIAN_LEARNED, reduction="image", kl_weight=1.0, optimizer=adam(1e-2),
    ),
}


# Random numbers.


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011): counters [n, 4] and a key [2] to random words [n, 4]."""
    c0, c1, c2, c3 = np.asarray(counter, dtype=np.uint64).T
    k0, k1 = (int(word) for word in key)
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c0
        p1 = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (p1 >> shift) ^ c1 ^ np.uint64(k0),
            p1 & low,
            (p0 >> shift) ^ c3 ^ np.uint64(k1),
            p0 & low,
        )
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1)


def assert_known_answers():
    """Hold `philox` to the lines `philox4x32 10` of Random123's `kat_vectors`."""
    for counter, key, answer in [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ]:
        assert philox([counter], key).tolist() == [answer], "Philox misses Random123's known answers"


def latent_noise(seed, step, rows, latent):
    """The standard normals [rows, latent] of one step: element e is number e % 4 of block e // 4."""
    blocks = -(-rows * latent // 4)
    counters = [[block, step, LATENT_STREAM, 0] for block in range(blocks)]
    bits = philox(counters, [seed & 0xFFFFFFFF, seed >> 32])
    # 23 bits and a half are exact in float32; with 24 the last step would round up to 1.
    uniform = ((bits >> np.uint64(9)).astype(np.float64) + 0.5) / 2**23
    radius = np.sqrt(-2 * np.log(uniform[:, 0::2]))
    angle = 2 * np.pi * uniform[:, 1::2]
    normals = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    return normals.reshape(-1)[: rows * latent].reshape(rows, latent)


# The model.


def layer_sizes(config):
    """The widths of the encoder and of the decoder, from input to output."""
    down = [config["pixels"], *config["hidden"]]
    code = config["latent"] * (1 if config["kl_weight"] is None else 2)
    return {"encoder": [*down, code], "decoder": [config["latent"], *reversed(down)]}


def draw_start(config):
    """The images, uint8, and the named initial parameters, float32: weights by Glorot, small biases.

    RandomState is the generator whose numbers NumPy keeps the same from version to version.
    """
    random = np.random.RandomState([config["seed"] & 0xFFFFFFFF, config["seed"] >> 32])
    # Cut at both ends, so that black and white occur.
    images = random.randint(-64, 320, size=(config["count"], config["pixels"]))
    images = np.clip(images, 0, 255).astype(np.uint8)
    initial = {}
    for network, sizes in layer_sizes(config).items():
        for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
            limit = math.sqrt(6 / (inputs + outputs))
            initial[f"{network}.{layer}.weight"] = random.uniform(-limit, limit, (outputs, inputs))
            if config["bias"]:
                initial[f"{network}.{layer}.bias"] = random.uniform(-0.1, 0.1, outputs)
    if config["likelihood"]["name"] == "gaussian_learned":
        initial["log_variance"] = np.array([-1.0])
    return images, {name: value.astype(np.float32) for name, value in initial.items()}


def apply_network(config, parameters, network, x, last_activation):
    """y = f(x W^T + b), layer after layer; `last_activation` is the last layer's f."""
    layers = len(layer_sizes(config)[network]) - 1
    for layer in range(layers):
        name = config["activation"] if layer < layers - 1 else last_activation
        z = functional.linear(
            x, parameters[f"{network}.{layer}.weight"], parameters.get(f"{network}.{layer}.bias")
        )
        if name in KINKED:
            nearest = z.detach().abs().min().item()
            assert nearest > KINK_MARGIN, f"{network}.{layer}: pre-activation {nearest:.1e}, change the seed"
        x = ACTIVATIONS[name](z)
    return x


def reconstruction_loss(likelihood, parameters, y, x):
    """The reconstruction term of each image: a sum over its pixels."""
    name = likelihood["name"]
    if name == "bernoulli":
        terms = functional.binary_cross_entropy_with_logits(y, x, reduction="none")
    elif name == "squared_error":
        terms = (y - x) ** 2
    else:
        if name == "gaussian":
            log_variance = torch.tensor(2 * math.log(likelihood["deviation"]), dtype=x.dtype)
        else:
            log_variance = parameters["log_variance"]
        terms = 0.5 * ((y - x) ** 2 / log_variance.exp() + log_variance + math.log(2 * math.pi))
    return terms.sum(dim=1)


def batch_losses(config, parameters, x, step):
    """The batch means of the reconstruction and of the penalty (zero where there is none), unweighted."""
    code = apply_network(config, parameters, "encoder", x, config["code_activation"])
    penalty = torch.zeros(len(x), dtype=x.dtype)
    if config["kl_weight"] is not None:
        mu, logvar = code.split(config["latent"], dim=1)
        noise = torch.tensor(latent_noise(config["seed"], step, *mu.shape), dtype=x.dtype)
        code = mu + torch.exp(logvar / 2) * noise
        penalty = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(dim=1)
    y = apply_network(config, parameters, "decoder", code, config["output_activation"])
    return reconstruction_loss(config["likelihood"], parameters, y, x).mean(), penalty.mean()


# Training.


def make_optimizer(settings, parameters):
    """The optimizer of PyTorch that the settings name."""
    rate = settings["learning_rate"]
    if settings["name"] == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=settings["momentum"])
    shared = {"lr": rate, "betas": (settings["beta1"], settings["beta2"]), "eps": settings["epsilon"]}
    if settings["name"] == "adam":
        return torch.optim.Adam(parameters, **shared)
    return torch.optim.AdamW(parameters, **shared, weight_decay=settings["weight_decay"])


def train(config, images, initial, dtype):
    """Train on the whole batch for STEPS steps; return the named values that the file holds, as float64."""
    x = torch.tensor(images.astype(np.float32) / np.float32(255), dtype=dtype)
    parameters = {
        name: torch.tensor(value, dtype=dtype, requires_grad=True) for name, value in initial.items()
    }
    optimizer = make_optimizer(config["optimizer"], list(parameters.values()))
    result = {"reconstruction": [], "penalty": []}
    for step in range(STEPS):
        reconstruction, penalty = batch_losses(config, parameters, x, step)
        result["reconstruction"].append(reconstruction.item())
        result["penalty"].append(penalty.item())
        objective = reconstruction / (config["pixels"] if config["reduction"] == "pixel" else 1)
        if config["kl_weight"] is not None:
            objective = objective + config["kl_weight"] * penalty
        optimizer.zero_grad()
        objective.backward()
        if step == 0:
            result |= {f"gradient.{name}": value.grad.clone() for name, value in parameters.items()}
        optimizer.step()
    result |= {f"final.{name}": value.detach() for name, value in parameters.items()}
    return {name: np.asarray(value, dtype=np.float64) for name, value in result.items()}


def largest_deviation(values, exact, prefix):
    """The largest |d| / max |exact|, tensor by tensor, over the tensors whose name begins with `prefix`."""
    return max(
        np.abs(values[name] - exact[name]).max() / max(np.abs(exact[name]).max(), 1e-30)
        for name in exact
        if name.startswith(prefix)
    )


def main():
    """Write every case, and print what float32 would make of it."""
    torch.set_num_threads(1)
    assert_known_answers()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    print(f"{'case':16}{'bytes':>8}   in float32, largest deviation of: gradient, reconstruction, final")
    for name, config in CASES.items():
        images, initial = draw_start(config)
        exact = train(config, images, initial, torch.float64)
        rounded = train(config, images, initial, torch.float32)
        tensors = {"images": images}
        tensors |= {f"initial.{key}": value for key, value in initial.items()}
        tensors |= {key: value.astype(np.float32) for key, value in exact.items()}
        path = folder / f"{name}.safetensors"
        # One metadata entry only: the format leaves the order of several open.
        path.write_bytes(save(tensors, metadata={"config": json.dumps(config)}))
        groups = ("gradient", "reconstruction", "final")
        deviations = [largest_deviation(rounded, exact, group) for group in groups]
        print(f"{name:16}{path.stat().st_size:8}   " + "  ".join(f"{value:.1e}" for value in deviations))


if __name__ == "__main__":
    main()
