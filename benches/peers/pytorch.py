"""The models in PyTorch: on an NVIDIA GPU where there is one, else on all cores of the CPU.

    python3 pytorch.py MODEL IMAGES.npy BATCH EPOCHS [cpu|cuda]

It trains one epoch to warm up and then EPOCHS more, and prints a line of JSON, as peer-common says.
"""

import ast
import json
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

CODE = 20


def read(path):
    """The bytes of a .npy file as a tensor [count, channels, height, width]; NumPy need not be there."""
    with open(path, "rb") as file:
        start = file.read(10)
        header = ast.literal_eval(file.read(int.from_bytes(start[8:10], "little")).decode())
        bytes_ = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
    images = bytes_.reshape(header["shape"])
    return (images[:, None] if images.dim() == 3 else images.permute(0, 3, 1, 2)).contiguous()


def dense(*widths):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers[:-1]


def up(*channels, activation, from_three=False):
    layers = []
    for number, (inputs, outputs) in enumerate(zip(channels, channels[1:])):
        edge = 0 if from_three and number == 0 else 1
        layers += [nn.ConvTranspose2d(inputs, outputs, 3, 2, edge, edge), activation()]
    return layers[:-1]


class Autoencoder(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.variational = name in ("vae", "vae-cnn")
        if name == "mlp":
            self.encoder = nn.Sequential(nn.Flatten(), *dense(784, 256, 30), nn.ReLU())
            self.decoder = nn.Sequential(*dense(30, 256, 784))
        elif name == "vae":
            self.encoder = nn.Sequential(nn.Flatten(), *dense(784, 400, 2 * CODE))
            self.decoder = nn.Sequential(*dense(CODE, 400, 784))
        elif name == "cnn":
            down = [(nn.Conv2d(a, b, 3, padding=1), nn.SELU(), nn.MaxPool2d(2)) for a, b in ((1, 16), (16, 32), (32, 64))]
            self.encoder = nn.Sequential(*(layer for group in down for layer in group))
            self.decoder = nn.Sequential(*up(64, 32, 16, 1, activation=nn.SELU, from_three=True))
        elif name == "vae-cnn":
            sizes = (3, 32, 64, 128, 256)
            down = [(nn.Conv2d(a, b, 3, 2, 1), nn.ReLU()) for a, b in zip(sizes, sizes[1:])]
            self.encoder = nn.Sequential(*(layer for group in down for layer in group), nn.Flatten(), nn.Linear(4096, 2 * CODE))
            self.decoder = nn.Sequential(
                nn.Linear(CODE, 4096), nn.ReLU(), nn.Unflatten(1, (256, 4, 4)), *up(*sizes[::-1], activation=nn.ReLU)
            )
        else:
            sys.exit(f"error: expected mlp, cnn, vae or vae-cnn, got {name}")

    def forward(self, images):
        """The loss in nats per image."""
        code, kl = self.encoder(images), 0
        if self.variational:
            mu, logvar = code.chunk(2, 1)
            code = mu + (0.5 * logvar).exp() * torch.randn_like(mu)
            kl = 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum()
        logits = self.decoder(code)
        nll = F.binary_cross_entropy_with_logits(logits, images.reshape(logits.shape), reduction="sum")
        return (nll + kl) / len(images)


def main():
    began = time.perf_counter()
    name, path, batch, epochs, *device = sys.argv[1:]
    batch, epochs = int(batch), int(epochs)
    torch.manual_seed(0)
    device = torch.device(device[0] if device else "cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    # f32 as the others: without TF32.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    images = read(path).to(device)
    model = Autoencoder(name).to(device)
    fused = {"fused": True} if device.type == "cuda" else {}
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-8, **fused)
    steps = len(images) // batch

    def epoch():
        total = torch.zeros((), device=device)
        for step in range(steps):
            adam.zero_grad(set_to_none=True)
            loss = model(images[step * batch : (step + 1) * batch].float() / 255)
            loss.backward()
            adam.step()
            total += loss.detach()
        return total.item() / steps

    epoch()
    first = time.perf_counter() - began
    samples, loss = [], None
    for _ in range(epochs):
        began = time.perf_counter()
        loss = epoch()
        samples.append(1e3 * (time.perf_counter() - began) / steps)
    label = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    start = max(0.0, first - min(samples) * steps / 1e3)
    print(json.dumps({
        "peer": "pytorch", "version": torch.__version__, "model": name, "device": label, "batch": batch,
        "start_s": round(start, 3), "ms_per_step": samples, "loss": loss,
    }))


if __name__ == "__main__":
    main()
