"""Make the golden values of the presets: whole training steps of each, made small, by PyTorch's autograd.

Usage: python presets.py [FOLDER] [NAME..]

Writes one `preset_<case>.safetensors` per case to FOLDER (by default the script's own); with names, only those.
README.md says what a file holds. What a preset is stands here a second time, in PRESETS: a preset whose settings
change, and not only its kernels, differs from these values. Computed in float64, stored as float32. The seed of a
case is the first one whose steps come near no kink and whose float32 run strays less than MOST_STRAY.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from make import ACTIVATIONS, KINK_MARGIN, KINKED, assert_known_answers, largest_deviation, make_optimizer, philox
from safetensors.numpy import save
from torch.nn import functional

STEPS = 10
LATENT, CORRUPTION, DROPOUT, PROJECTION, NOISE = 2, 5, 6, 7, 9
MOST_STRAY = 4e-7
MOST_SEEDS = 400

MLP = {
    "activation": "selu", "code_activation": "selu", "output_activation": "identity", "bias": True,
    "likelihood": "bernoulli", "reduction": "pixel", "optimizer": "sgd", "learning_rate": 1.0,
}
SPARSE = {**MLP, "code_activation": "sigmoid"}
TIED = {
    "activation": "relu", "code_activation": "sigmoid", "output_activation": "identity", "bias": True,
    "likelihood": "bernoulli", "reduction": "image", "optimizer": "adam", "learning_rate": 1e-3, "tied": True,
}
VAE = {
    "activation": "relu", "code_activation": "identity", "output_activation": "identity", "bias": True,
    "likelihood": "bernoulli", "reduction": "image", "optimizer": "adam", "learning_rate": 1e-3,
    "gaussian": True, "kl_weight": 1.0,
}
CVAE = {**VAE, "condition": "one-hot"}


def conv(filters, kernel=3, stride=1, padding="same", activation=None):
    """A convolution as the configuration writes it."""
    return {"layer": "conv", "filters": filters, "kernel": kernel, "stride": stride, "padding": padding,
            **({"activation": activation} if activation else {})}


def transpose(filters, padding="same"):
    """A transposed convolution of 3 x 3 that doubles."""
    return {"layer": "conv-transpose", "filters": filters, "kernel": 3, "stride": 2, "padding": padding}


POOL = {"layer": "max-pool", "size": 2}


# Random numbers.


def words(seed, stream, step, count, fourth=0):
    """The stream's words of one step: element e is word e % 4 of block e // 4."""
    blocks = -(-count // 4)
    bits = philox([[block, step, stream, fourth] for block in range(blocks)], [seed & 0xFFFFFFFF, seed >> 32])
    return bits


def uniforms(seed, stream, step, count, fourth=0):
    """Uniform numbers in (0, 1) of 23 bits and a half."""
    bits = words(seed, stream, step, count, fourth)
    return (((bits >> np.uint64(9)).astype(np.float64) + 0.5) / 2**23).reshape(-1)[:count]


def normals(seed, stream, step, count, fourth=0):
    """Standard normals by Box and Muller's transform of the block's words in pairs."""
    uniform = uniforms(seed, stream, step, -(-count // 4) * 4, fourth).reshape(-1, 4)
    radius = np.sqrt(-2 * np.log(uniform[:, 0::2]))
    angle = 2 * np.pi * uniform[:, 1::2]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2).reshape(-1)[:count]


# The model.


def image_shape(config):
    """Height, width, channels."""
    return tuple(config["image"])


def told_numbers(config):
    """Numbers of a class beside images and codes."""
    return {"one-hot": config.get("classes", 0), "embedded": config.get("embedding", 0)}.get(config.get("condition"), 0)


def labels_of(config):
    """The class of each image."""
    return np.arange(config["count"]) % config["classes"]


def layer_lists(config):
    """The layers of encoder and decoder with every activation filled in."""
    pixels = math.prod(config["image"])
    weighted = lambda layer: layer["layer"] in ("dense", "conv", "conv-transpose")
    fill = lambda layers, last: [
        {"activation": config["activation"] if i + 1 < len(layers) else last, **layer} if weighted(layer) else layer
        for i, layer in enumerate(layers)
    ]
    dense = lambda units, activation: {"layer": "dense", "units": units, "activation": activation}
    hidden = [dense(units, config["activation"]) for units in config.get("hidden", [])]
    encoder = fill(config.get("encoder", []), config["activation"]) or list(hidden)
    if config["latent"]:
        statistics = 2 if config.get("gaussian") else 1
        encoder = encoder + [dense(statistics * config["latent"], config["code_activation"])]
    decoder = fill(config.get("decoder", []), config["output_activation"])
    decoder = decoder or [*reversed(hidden), dense(pixels, config["output_activation"])]
    critic = [dense(units, "relu") for units in config.get("critic_hidden", [])]
    return {"encoder": encoder, "decoder": decoder, "critic": critic and [*critic, dense(1, "identity")]}


def pair(extent):
    """Rows and columns of what is one number for both, or two."""
    return tuple(extent) if isinstance(extent, list) else (extent, extent)


def same(size, kernel, stride):
    """Zeros before and after, as TensorFlow pads for `same`."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def shape_after(layer, shape):
    """Height, width and channels of what a layer makes of such an image."""
    kind, extents = layer["layer"], shape[:2]
    if kind == "dense":
        return 1, 1, layer["units"]
    if kind == "reshape":
        return tuple(layer["shape"])
    if kind == "flatten":
        return 1, 1, math.prod(shape)
    if kind == "upsample":
        return *(size * factor for size, factor in zip(extents, pair(layer["factor"]))), shape[2]
    if kind == "max-pool":
        size, stride = pair(layer["size"]), pair(layer.get("stride", layer["size"]))
        return *((n - k) // s + 1 for n, k, s in zip(extents, size, stride)), shape[2]
    if kind not in ("conv", "conv-transpose"):
        return shape
    kernel, stride, padding = pair(layer["kernel"]), pair(layer["stride"]), layer["padding"]
    if kind == "conv-transpose":
        more = pair(layer.get("output_padding", 0))
        if padding == "same":
            spatial = (n * s + m for n, s, m in zip(extents, stride, more))
        else:
            cut = 0 if padding == "valid" else 2 * padding
            spatial = ((n - 1) * s + k - cut + m for n, s, k, m in zip(extents, stride, kernel, more))
    elif padding == "same":
        spatial = (-(-n // s) for n, s in zip(extents, stride))
    else:
        wide = 0 if padding == "valid" else 2 * padding
        spatial = ((n + wide - k) // s + 1 for n, s, k in zip(extents, stride, kernel))
    return *spatial, layer["filters"]


def apply_conv(layer, weight, bias, x):
    """x [n, h, w, in] by weight [out, kh, kw, in]."""
    stride, kernel, padding = pair(layer["stride"]), pair(layer["kernel"]), layer["padding"]
    x = x.permute(0, 3, 1, 2)
    if padding == "same":
        (top, bottom), (left, right) = (same(*axis) for axis in zip(x.shape[2:], kernel, stride))
        x = functional.pad(x, (left, right, top, bottom))
    zeros = 0 if padding in ("same", "valid") else padding
    y = functional.conv2d(x, weight.permute(0, 3, 1, 2), bias, stride=stride, padding=zeros)
    return y.permute(0, 2, 3, 1)


def apply_transpose(layer, weight, bias, x):
    """x [n, h, w, in] by weight [in, kh, kw, out]: the gradient of a convolution."""
    stride, kernel, padding = pair(layer["stride"]), pair(layer["kernel"]), layer["padding"]
    rows, columns, _ = shape_after(layer, tuple(x.shape[1:]))
    # All that any pixel reaches, of which a part is kept.
    y = functional.conv_transpose2d(x.permute(0, 3, 1, 2), weight.permute(0, 3, 1, 2), None, stride=stride)
    if padding == "same":
        (top, _), (left, _) = (same(*axis) for axis in zip((rows, columns), kernel, stride))
    else:
        top = left = 0 if padding == "valid" else padding
    below, right = max(top + rows - y.shape[2], 0), max(left + columns - y.shape[3], 0)
    y = functional.pad(y, (0, right, 0, below))[:, :, top : top + rows, left : left + columns]
    y = y.permute(0, 2, 3, 1)
    return y if bias is None else y + bias


class Model:
    """A preset's network on named parameters."""

    def __init__(self, config):
        self.config = config
        self.layers = layer_lists(config)
        self.nearest = math.inf
        self.statistics = {}

    def draw(self, random):
        """Named first parameters in our order, and the shapes by a dry run."""
        initial = {}
        told = told_numbers(self.config)
        if self.config.get("condition") == "embedded":
            initial["embedding.weight"] = random.uniform(-0.5, 0.5, (told, self.config["classes"]))
        shape = self.given_shape("encoder")
        for network in ("encoder", "decoder"):
            for number, layer in enumerate(self.layers[network]):
                name, kind, before = f"{network}.{number}", layer["layer"], shape
                shape = shape_after(layer, before)
                if kind == "batch-norm":
                    initial[f"{name}.scale"] = random.uniform(0.5, 1.5, shape[2])
                    initial[f"{name}.shift"] = random.uniform(-0.5, 0.5, shape[2])
                if kind not in ("dense", "conv", "conv-transpose"):
                    continue
                inputs = math.prod(before) if kind == "dense" else before[2]
                window = () if kind == "dense" else pair(layer["kernel"])
                weight = (shape[2], *window, inputs)
                if kind == "conv-transpose":
                    weight = (inputs, *window, shape[2])
                limit = math.sqrt(6 / (math.prod(window) * (inputs + shape[2])))
                tied = self.config.get("tied") and network == "decoder"
                if not tied:
                    initial[f"{name}.weight"] = random.uniform(-limit, limit, weight)
                if self.config["bias"]:
                    initial[f"{name}.bias"] = random.uniform(-0.1, 0.1, shape[2])
            if network == "encoder" and self.config["latent"]:
                shape = (1, 1, self.config["latent"] + told)
        if self.layers.get("critic"):
            before = self.config["latent"]
            for number, layer in enumerate(self.layers["critic"]):
                units = layer["units"]
                limit = math.sqrt(6 / (before + units))
                initial[f"critic.{number}.weight"] = random.uniform(-limit, limit, (units, before))
                initial[f"critic.{number}.bias"] = random.uniform(-0.1, 0.1, units)
                before = units
        return {name: value.astype(np.float32) for name, value in initial.items()}

    def apply(self, parameters, network, x, step=0):
        """Layer after layer on x [n, columns]; [n, columns] again."""
        count = len(self.layers[network])
        shape = self.given_shape(network)
        if told_numbers(self.config):
            x = self.beside(parameters, network, x)
        for number, layer in enumerate(self.layers[network]):
            name, kind = f"{network}.{number}", layer["layer"]
            weight, bias = parameters.get(f"{name}.weight"), parameters.get(f"{name}.bias")
            image, shape = x.reshape(len(x), *shape), shape_after(layer, shape)
            activation = layer.get("activation", "identity")
            if kind == "dense":
                if self.config.get("tied") and network == "decoder":
                    weight = parameters[f"encoder.{count - 1 - number}.weight"].T
                x = functional.linear(x.flatten(1), weight, bias)
            elif kind in ("conv", "conv-transpose"):
                x = (apply_conv if kind == "conv" else apply_transpose)(layer, weight, bias, image)
            elif kind == "batch-norm":
                x = self.normalize(parameters, name, image)
            elif kind == "max-pool":
                x, activation = self.pool(image, layer), "identity"
            elif kind == "upsample":
                rows, columns = pair(layer["factor"])
                x, activation = image.repeat_interleave(rows, 1).repeat_interleave(columns, 2), "identity"
            elif kind == "dropout":
                x, activation = self.dropped(image, layer, self.dropouts_before(network, number), step), "identity"
            elif kind != "activation":
                activation = "identity"
            if activation in KINKED:
                self.near(x.detach().abs().min())
            x = ACTIVATIONS[activation](x)
        return x.flatten(1)

    def given_shape(self, network):
        """Height, width and channels of what encoder or decoder reads: image or code, and the class beside it."""
        told, (rows, columns, channels) = told_numbers(self.config), image_shape(self.config)
        if network != "encoder":
            return (*self.code_shape()[:2], self.code_shape()[2] + told)
        if told and self.layers["encoder"][0]["layer"] == "dense":
            return 1, 1, rows * columns * channels + told
        return rows, columns, channels + told

    def beside(self, parameters, network, x):
        """The class of each image behind its numbers, or as channels of each of its pixels."""
        labels = torch.tensor(labels_of(self.config))
        told = functional.one_hot(labels, self.config["classes"]).to(x.dtype)
        if self.config["condition"] == "embedded":
            told = functional.linear(told, parameters["embedding.weight"])
        if network != "encoder" or self.layers["encoder"][0]["layer"] == "dense":
            return torch.cat([x, told], 1)
        image = x.reshape(len(x), *image_shape(self.config))
        planes = told[:, None, None, :].expand(*image.shape[:3], told.shape[1])
        return torch.cat([image, planes], 3).flatten(1)

    def normalize(self, parameters, name, image):
        """Batch normalisation with PyTorch's momentum and epsilon; the running statistics take the batch in."""
        scale, shift = parameters[f"{name}.scale"], parameters[f"{name}.shift"]
        first = {"running_mean": torch.zeros_like(shift), "running_variance": torch.ones_like(scale)}
        mean, variance = (self.statistics.setdefault(f"{name}.{key}", value.detach()) for key, value in first.items())
        x = image.permute(0, 3, 1, 2)
        y = functional.batch_norm(x, mean, variance, scale, shift, training=True, momentum=0.1, eps=1e-5)
        return y.permute(0, 2, 3, 1)

    def dropouts_before(self, network, number):
        """Dropout layers are counted through encoder and decoder: each has random numbers of its own."""
        layers = self.layers["encoder"] if network == "decoder" else []
        return sum(layer["layer"] == "dropout" for layer in layers + self.layers[network][:number])

    def dropped(self, image, layer, number, step):
        """A share of the numbers zeroed, the others enlarged."""
        bits = words(self.config["seed"], DROPOUT, step, image.numel(), number).reshape(-1)[: image.numel()]
        keep = torch.tensor(bits >= np.uint64(int(layer["rate"] * 2**32)), dtype=image.dtype).reshape(image.shape)
        return image * keep / (1 - layer["rate"])

    def pool(self, image, layer):
        """The largest of each window; the two largest must not come near each other."""
        size, stride = pair(layer["size"]), pair(layer.get("stride", layer["size"]))
        windows = image.unfold(1, size[0], stride[0]).unfold(2, size[1], stride[1]).flatten(4)
        best = windows.detach().topk(2, dim=4).values
        self.near((best[..., 0] - best[..., 1]).min())
        return windows.max(dim=4).values

    def near(self, distance):
        """Notes how near a kink came."""
        try:
            self.nearest = min(self.nearest, float(distance))
        except RuntimeError:
            pass  # Inside a transform of torch.func there is no number; the plain pass has seen it.

    def code_shape(self):
        """What the decoder starts from."""
        if self.config["latent"]:
            return (1, 1, self.config["latent"])
        shape = image_shape(self.config)
        for layer in self.layers["encoder"]:
            shape = shape_after(layer, shape)
        return shape

    def corrupted(self, x, step):
        """What the encoder sees of x."""
        kind, amount = self.config.get("corruption"), self.config.get("corruption_amount")
        # A block is four neighbours of one image.
        width = -(-x.shape[1] // 4) * 4
        draw = lambda numbers: torch.tensor(
            numbers(self.config["seed"], CORRUPTION, step, len(x) * width).reshape(len(x), width)[:, : x.shape[1]],
            dtype=x.dtype)
        if kind == "gaussian":
            return x + amount * draw(normals)
        if kind == "dropout":
            keep = (draw(uniforms) >= amount).to(x.dtype)
            return x * keep / (1 - amount)
        return x

    def objective(self, parameters, x, step):
        """What is minimized, and its two terms as means over the images, unweighted."""
        config = self.config
        if config.get("samples"):
            bound = self.importance_weighted(parameters, x, step)
            return bound, bound, torch.zeros((), dtype=x.dtype)
        x = x - x.mean(dim=0) if config.get("center") else x
        seen = self.corrupted(x, step)
        code = self.apply(parameters, "encoder", seen, step)
        penalty, weight = torch.zeros((), dtype=x.dtype), 0.0
        if config.get("gaussian"):
            mu, logvar = code.split(config["latent"], dim=1)
            noise = normals(config["seed"], LATENT, step, mu.numel()).reshape(mu.shape)
            code = mu + torch.exp(logvar / 2) * torch.tensor(noise, dtype=x.dtype)
            nats = -0.5 * (1 + logvar - mu**2 - logvar.exp())
            penalty = nats.sum(dim=1).mean()
            weight = config["kl_weight"] * kl_share(config, step)
            free = config.get("free_bits", 0.0)
            bounded = torch.clamp(nats.mean(dim=0), min=free).sum() if free else penalty
        elif config.get("sparsity") == "l1":
            penalty, weight = code.abs().sum(dim=1).mean(), config["sparsity_weight"]
        elif config.get("sparsity") == "kl":
            p, q = config["sparsity_target"], code.mean(dim=0)
            penalty = (p * torch.log(p / q) + (1 - p) * torch.log((1 - p) / (1 - q))).sum()
            weight = config["sparsity_weight"]
        elif config.get("contraction"):
            penalty, weight = self.contraction(parameters, x, step), config["contraction_weight"]
        y = self.apply(parameters, "decoder", code, step)
        if config["likelihood"] == "bernoulli":
            terms = functional.binary_cross_entropy_with_logits(y, x, reduction="none")
        elif config["likelihood"] == "continuous-bernoulli":
            terms = log_normalizer(y) - x * y
        else:
            terms = (y - x) ** 2
        reconstruction = terms.sum(dim=1).mean()
        scale = x.shape[1] if config["reduction"] == "pixel" else 1
        minimized = bounded if config.get("gaussian") else penalty
        return reconstruction / scale + weight * minimized, reconstruction, penalty

    def importance_weighted(self, parameters, x, step):
        """-log of the mean importance weight of k samples per image (Burda et al. 2015, equation 8), averaged over
        images; all samples of an image are neighbours."""
        latent, k = self.config["latent"], self.config["samples"]
        mu, logvar = self.apply(parameters, "encoder", x, step).repeat_interleave(k, 0).split(latent, dim=1)
        noise = normals(self.config["seed"], LATENT, step, mu.numel()).reshape(mu.shape)
        z = mu + torch.exp(logvar / 2) * torch.tensor(noise, dtype=x.dtype)
        normal = torch.distributions.Normal
        prior = normal(torch.zeros_like(mu), torch.ones_like(mu)).log_prob(z)
        log_ratio = (prior - normal(mu, torch.exp(logvar / 2)).log_prob(z)).sum(dim=1)
        y = self.apply(parameters, "decoder", z, step)
        nll = functional.binary_cross_entropy_with_logits(y, x.repeat_interleave(k, 0), reduction="none").sum(dim=1)
        weights = (log_ratio - nll).reshape(len(x), k)
        return -(torch.logsumexp(weights, dim=1) - math.log(k)).mean()

    def game(self, parameters, x, step):
        """The adversarial autoencoder's terms as means over the images (Makhzani et al. 2015, section 2.1)."""
        probable = lambda code, label: functional.binary_cross_entropy_with_logits(
            self.apply(parameters, "critic", code, step), torch.full((len(x), 1), label, dtype=x.dtype))
        code = self.apply(parameters, "encoder", x, step)
        y = self.apply(parameters, "decoder", code, step)
        nll = functional.binary_cross_entropy_with_logits(y, x, reduction="none").sum(dim=1).mean()
        noise = normals(self.config["seed"], NOISE, step, code.numel()).reshape(code.shape)
        prior = torch.tensor(noise, dtype=x.dtype)
        return nll, probable(code, 1.0), probable(prior, 1.0), probable(code.detach(), 0.0)

    def contraction(self, parameters, x, step):
        """The mean over images of the squared Frobenius norm of the encoder's Jacobian, or its estimate."""
        encode = lambda image: self.apply(parameters, "encoder", image[None])[0]
        if self.config["contraction"] == "exact":
            return (torch.func.vmap(torch.func.jacrev(encode))(x) ** 2).sum(dim=(1, 2)).mean()
        v = self.projection(x, step)
        tangent = lambda image, direction: torch.func.jvp(encode, (image,), (direction,))[1]
        return (torch.func.vmap(tangent)(x, v) ** 2).sum(dim=1).mean()

    def projection(self, x, step):
        """The random direction of each image, of ones and minus ones: a word's highest bit is the sign."""
        bits = words(self.config["seed"], PROJECTION, step, x.numel()).reshape(-1)[: x.numel()]
        signs = 1.0 - 2.0 * (bits >> np.uint64(31)).astype(np.float64)
        return torch.tensor(signs, dtype=x.dtype).reshape(x.shape)


def log_normalizer(y):
    """log((e^y - 1) / y) of the continuous Bernoulli with logits y; near zero its series, which has a gradient."""
    near = y.abs() < 0.5
    series = y / 2 + y**2 / 24 - y**4 / 2880 + y**6 / 181440 - y**8 / 9676800 + y**10 / 479001600
    far = torch.where(near, torch.ones_like(y), y)
    return torch.where(near, series, far.clamp(min=0) + torch.log(-torch.expm1(-far.abs()) / far.abs()))


# Schedules. Each step is an epoch, because the batch is all there is.


def rate_share(config, step):
    """What is left of the learning rate at a step."""
    done = step / config.get("epochs", STEPS)
    kind = config.get("schedule", "constant")
    return {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}[kind]


def kl_share(config, step):
    """What counts of the KL's weight at a step."""
    kind, steps = config.get("kl_warmup", "none"), config.get("kl_warmup_epochs", 10)
    if kind == "none" or step >= steps:
        return 1.0
    if kind == "linear":
        return step / steps
    return min(1.0, 2 * (step * config["kl_cycles"] % steps) / steps)


# Training.


def train(config, images, initial, dtype):
    """STEPS steps on the whole batch: the named values of the file, and how near a kink came."""
    model = Model(config)
    x = torch.tensor(images.astype(np.float32) / np.float32(255), dtype=dtype)
    parameters = {name: torch.tensor(value, dtype=dtype, requires_grad=True) for name, value in initial.items()}
    settings = {"name": config["optimizer"], "learning_rate": config["learning_rate"], "momentum": 0.0,
                "beta1": config.get("beta1", 0.9), "beta2": 0.999, "epsilon": 1e-8,
                "weight_decay": config.get("weight_decay", 0.0)}
    if config.get("critic_hidden"):
        return play(config, model, x, parameters, settings)
    optimizer = make_optimizer(settings, list(parameters.values()))
    result = {"reconstruction": [], "penalty": []}
    for step in range(STEPS):
        objective, reconstruction, penalty = model.objective(parameters, x, step)
        result["reconstruction"].append(reconstruction.item())
        result["penalty"].append(penalty.item())
        for group in optimizer.param_groups:
            group["lr"] = config["learning_rate"] * rate_share(config, step)
        optimizer.zero_grad()
        objective.backward()
        if step == 0:
            result |= {f"gradient.{name}": value.grad.clone() for name, value in parameters.items()}
        optimizer.step()
    result |= {f"final.{name}": value.detach() for name, value in parameters.items()}
    result |= {f"statistic.{name}": value for name, value in model.statistics.items()}
    return {name: np.asarray(value, dtype=np.float64) for name, value in result.items()}, model.nearest


def play(config, model, x, parameters, settings):
    """As `train`, of two updates that see each other's parameters as they were before the step."""
    groups = [[name for name in parameters if name.startswith("critic") == critic] for critic in (False, True)]
    critic = {"name": "adam", "learning_rate": config["critic_learning_rate"], "beta1": 0.9}
    settings = [settings, {**settings, **critic}]
    optimizers = [make_optimizer(by, [parameters[name] for name in names]) for by, names in zip(settings, groups)]
    terms = ["reconstruction", "penalty", "term.critic_prior", "term.critic_code"]
    result = {term: [] for term in terms}
    for step in range(STEPS):
        values = model.game(parameters, x, step)
        for term, value in zip(terms, values):
            result[term].append(value.item())
        nll, fool, of_prior, of_code = values
        scale = x.shape[1] if config["reduction"] == "pixel" else 1
        objectives = [nll / scale + config["adversarial_weight"] * fool, of_prior + of_code]
        for objective, names in zip(objectives, groups):
            found = torch.autograd.grad(objective, [parameters[name] for name in names], retain_graph=True)
            for name, gradient in zip(names, found):
                parameters[name].grad = gradient
        if step == 0:
            result |= {f"gradient.{name}": value.grad.clone() for name, value in parameters.items()}
        for optimizer in optimizers:
            optimizer.step()
    result |= {f"final.{name}": value.detach() for name, value in parameters.items()}
    return {name: np.asarray(value, dtype=np.float64) for name, value in result.items()}, model.nearest


def attempt(config):
    """The tensors of the file for one seed; None where it comes near a kink or strays in float32."""
    random = np.random.RandomState([config["seed"], 7])
    pixels = math.prod(config["image"])
    images = np.clip(random.randint(-64, 320, size=(config["count"], pixels)), 0, 255).astype(np.uint8)
    initial = Model(config).draw(random)
    exact, nearest = train(config, images, initial, torch.float64)
    if nearest < KINK_MARGIN:
        return None
    rounded, _ = train(config, images, initial, torch.float32)
    groups = ("gradient", "reconstruction", "penalty", "term", "final", "statistic")
    present = [group for group in groups if any(name.startswith(group) for name in exact)]
    deviations = [largest_deviation(rounded, exact, group) for group in present]
    if max(deviations) > MOST_STRAY:
        return None
    labels = {"labels": labels_of(config).astype(np.uint8)} if config.get("condition") else {}
    tensors = {"images": images} | labels | {f"initial.{key}": value for key, value in initial.items()}
    return tensors | {key: value.astype(np.float32) for key, value in exact.items()}, deviations
# The presets, and what of them is made small.


PRESETS = {
    "linear": {
        "activation": "identity", "code_activation": "identity", "output_activation": "identity", "bias": False,
        "center": True, "likelihood": "squared-error", "reduction": "image", "optimizer": "adam",
        "learning_rate": 3e-3, "schedule": "linear", "epochs": 20,
    },
    "mlp": {**MLP, "learning_rate": 1.5},
    "cnn": {**MLP, "code_activation": "identity", "latent": 0},
    "denoising": {**MLP, "corruption": "gaussian", "corruption_amount": 0.2},
    "denoising-dropout": {**MLP, "corruption": "dropout", "corruption_amount": 0.5},
    "score": {
        "activation": "relu", "code_activation": "relu", "output_activation": "identity", "bias": True, "center": True,
        "likelihood": "squared-error", "reduction": "image", "optimizer": "adam", "learning_rate": 2e-3,
        "schedule": "cosine", "epochs": 40, "corruption": "gaussian", "corruption_amount": 0.1,
    },
    "sparse": {**SPARSE, "sparsity": "l1", "sparsity_weight": 1e-3},
    "sparse-kl": {**SPARSE, "sparsity": "kl", "sparsity_weight": 0.05 / 32, "sparsity_target": 0.1},
    "sparse-none": SPARSE,
    "vae": VAE,
    "vae-cnn": VAE,
    "vae-2d": VAE,
    "cvae": CVAE,
    "iwae": {**VAE, "samples": 5},
    "adversarial": {
        "activation": "relu", "code_activation": "identity", "output_activation": "identity", "bias": True,
        "likelihood": "bernoulli", "reduction": "pixel", "optimizer": "adam", "learning_rate": 1e-3,
        "critic_hidden": [256, 256], "critic_learning_rate": 1e-3, "adversarial_weight": 0.01, "beta1": 0.5,
    },
    "tied": TIED,
    "tied-decay": {**TIED, "optimizer": "adamw", "weight_decay": 0.1},
    "tied-denoising": {**TIED, "corruption": "gaussian", "corruption_amount": 0.2},
    "contractive": {**TIED, "contraction": "exact", "contraction_weight": 1.0},
    "contractive-deep": {**MLP, "contraction": "exact", "contraction_weight": 1e-4},
}

SMALL = {"image": [6, 5, 1], "count": 5}
NARROW = {"hidden": [13], "latent": 3}

# What the preset's own settings are replaced by.
CASES = {
    "linear": {**SMALL, "preset": "linear", "model": {"hidden": [], "latent": 3}},
    "mlp": {**SMALL, "preset": "mlp", "model": NARROW},
    "cnn": {
        "image": [12, 12, 1], "count": 3, "preset": "cnn",
        "model": {
            "latent": 0,
            "encoder": [layer for filters in (4, 5, 8) for layer in (conv(filters), POOL)],
            "decoder": [transpose(6, "valid"), transpose(4), transpose(1)],
        },
    },
    "denoising": {**SMALL, "preset": "denoising", "model": NARROW},
    "denoising-dropout": {**SMALL, "preset": "denoising-dropout", "model": NARROW},
    "score": {"image": [1, 1, 2], "count": 7, "preset": "score", "model": {"hidden": [9, 6], "latent": 5}},
    # Every other layer that a stack can have, with windows and strides that are not square.
    "layers": {
        "image": [7, 6, 2], "count": 4, "preset": "mlp",
        "model": {
            "hidden": [], "latent": 3, "bias": False,
            "encoder": [
                conv(4, kernel=[3, 2], padding=1, activation="tanh"),
                {"layer": "batch-norm", "activation": "softplus"},
                {"layer": "max-pool", "size": [3, 2], "stride": [2, 1]},
                {"layer": "activation", "activation": "silu"},
                {"layer": "dropout", "rate": 0.25},
                {"layer": "flatten"},
            ],
            "decoder": [
                {"layer": "dense", "units": 15, "activation": "identity"},
                {"layer": "reshape", "shape": [1, 3, 5]},
                {"layer": "batch-norm"},
                {"layer": "upsample", "factor": [3, 1]},
                {**transpose(4, 1), "stride": [3, 2], "output_padding": [0, 1], "activation": "elu"},
                {"layer": "dropout", "rate": 0.125},
                conv(2, kernel=[2, 3]),
            ],
        },
    },
    "sparse": {**SMALL, "preset": "sparse", "model": {"hidden": [9], "latent": 17}},
    "sparse-kl": {**SMALL, "preset": "sparse-kl", "model": {"hidden": [9], "latent": 17}},
    "sparse-none": {**SMALL, "preset": "sparse-none", "model": {"hidden": [9], "latent": 17}},
    "vae": {**SMALL, "preset": "vae", "model": NARROW},
    "vae-2d": {**SMALL, "preset": "vae-2d", "model": {"hidden": [13], "latent": 2}},
    "vae-continuous": {**SMALL, "preset": "vae", "model": {**NARROW, "likelihood": "continuous-bernoulli"}},
    "vae-scheduled": {
        **SMALL, "preset": "vae", "model": {**NARROW, "free_bits": 0.1},
        "train": {
            "schedule": "cosine", "epochs": 12, "kl_warmup": "cyclical", "kl_warmup_epochs": 7, "kl_cycles": 2,
        },
    },
    "vae-cnn": {
        "image": [8, 8, 1], "count": 3, "preset": "vae-cnn",
        "model": {
            "latent": 2,
            "encoder": [conv(4, stride=2), conv(8, stride=2)],
            "decoder": [
                {"layer": "dense", "units": 2 * 2 * 8, "activation": "relu"},
                {"layer": "reshape", "shape": [2, 2, 8]},
                transpose(4),
                transpose(1),
            ],
        },
    },
    "cvae": {**SMALL, "preset": "cvae", "model": {**NARROW, "classes": 3}},
    "cvae-embedded": {
        "image": [8, 6, 2], "count": 4, "preset": "cvae",
        "model": {
            "hidden": [], "latent": 2, "condition": "embedded", "embedding": 2, "classes": 3,
            "encoder": [conv(4, stride=2), conv(8, stride=2)],
            "decoder": [
                {"layer": "dense", "units": 4 * 3 * 5, "activation": "relu"},
                {"layer": "reshape", "shape": [4, 3, 5]},
                transpose(2),
            ],
        },
    },
    "iwae": {**SMALL, "preset": "iwae", "model": NARROW},
    "adversarial": {
        **SMALL, "preset": "adversarial", "train": {"beta1": 0.9},
        "model": {**NARROW, "critic_hidden": [9, 7], "adversarial_weight": 1.0},
    },
    "tied": {**SMALL, "preset": "tied", "model": {"latent": 13}},
    "tied-decay": {**SMALL, "preset": "tied-decay", "model": {"latent": 13}},
    "tied-denoising": {**SMALL, "preset": "tied-denoising", "model": {"latent": 13}},
    "tied-deep": {**SMALL, "preset": "tied", "model": {**NARROW, "activation": "tanh"}},
    "contractive": {**SMALL, "preset": "contractive", "model": {"latent": 13}},
    "contractive-estimate": {
        **SMALL, "preset": "contractive", "model": {"latent": 13, "contraction": "estimate"},
    },
    "contractive-deep": {**SMALL, "preset": "contractive-deep", "model": {**NARROW, "contraction_weight": 0.01}},
    "contractive-deeper": {
        **SMALL, "preset": "contractive-deep",
        "model": {
            "hidden": [11, 7], "latent": 3, "activation": "softplus", "code_activation": "tanh",
            "contraction_weight": 0.01,
        },
    },
}


def settings(case, seed):
    """The preset with what the case replaces, flat."""
    extents = {"image": case["image"], "count": case["count"], "seed": seed}
    return {**PRESETS[case["preset"]], **case["model"], **case.get("train", {}), **extents}


def write(folder, name, case):
    """Search the case's seed, and write its file."""
    for seed in range(1, MOST_SEEDS):
        found = attempt(settings(case, seed))
        if found:
            break
    else:
        raise SystemExit(f"{name}: no seed below {MOST_SEEDS} will do")
    tensors, deviations = found
    train_settings = {"batch": case["count"], "seed": seed, **case.get("train", {})}
    config = {
        "preset": case["preset"], "image": case["image"], "count": case["count"], "steps": STEPS,
        "settings": {"model": case["model"], "train": train_settings},
    }
    path = folder / f"preset_{name}.safetensors"
    # One metadata entry only: the format leaves the order of several open.
    path.write_bytes(save(tensors, metadata={"config": json.dumps(config)}))
    told = "  ".join(f"{value:.1e}" for value in deviations)
    print(f"{name:20}{path.stat().st_size:8}  seed {seed:3}   {told}", flush=True)


def main():
    """Write the cases, and print what float32 would make of them."""
    torch.set_num_threads(1)
    assert_known_answers()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    print("case, bytes, seed; in float32, largest deviation of: gradient, reconstruction, penalty, final, running")
    for name in sys.argv[2:] or CASES:
        write(folder, name, CASES[name])


if __name__ == "__main__":
    main()
