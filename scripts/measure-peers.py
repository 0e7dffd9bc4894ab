"""Trains the same models in narrows and its peers by turns, and prints one table. Started by measure.sh.

Every program trains the same models from first values of its own, on the same images, in 32-bit floats, with Adam
(1e-3, 0.9, 0.999, 1e-8) and the same loss: Bernoulli from logits, and for a variational autoencoder the KL. Peers take
the batches in the order of the file. narrows shuffles them, which costs it a little: it has no switch for that.

A sample is the time of an epoch by its steps: whole steps, from images in memory to changed parameters. The first epoch,
in which kernels are compiled and tuned, is not among them: `start` is what it took longer than the shortest of the others, from the start
of the process. narrows is its command line, `narrows train`; validation, pictures and checkpoints are not counted.

After every run of a peer comes one of narrows. A ratio is the peer's median of a run by narrows' of the next: a slower
moment of the machine slows both.
"""

import argparse
import datetime
import gzip
import json
import os
import pathlib
import platform
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ["pytorch", "burn", "meganeura", "candle"]
# Title, batch size, and the flags of `narrows train`.
MODELS = {
    "mlp": (
        "MLP 784-256-30-256-784, relu", 128,
        "mlp --hidden 256 --latent 30 --activation relu --code-activation relu --optimizer adam --learning-rate 0.001 "
        "--reduction image",
    ),
    "cnn": (
        "CNN 16-32-64, max pooling, selu", 128,
        "cnn --optimizer adam --learning-rate 0.001 --reduction image",
    ),
    "vae": ("VAE 784-400-20-400-784, relu", 128, "vae"),
    "vae-cnn": ("convolutional VAE of 64x64x3, 32-64-128-256, relu", 32, "vae-cnn"),
}


class LeftOut(Exception):
    """A program that cannot do what it was asked."""


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


def write_whole(path, text):
    """Never leaves half a file."""
    path = pathlib.Path(path)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def write_npy(path, shape, images):
    """An array of bytes: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        for image in images:
            file.write(image)


def enlarge(image):
    """A picture of 28x28 as one of 64x64x3: doubled, in the middle, each channel of another brightness."""
    channels = [bytes(byte * share // 4 for byte in range(256)) for share in (4, 3, 2)]
    rows = [bytearray(64 * 3) for _ in range(64)]
    for y in range(56):
        line = image[y // 2 * 28 : y // 2 * 28 + 28]
        for channel, table in enumerate(channels):
            for half in (0, 3):
                rows[y + 4][12 + channel + half : 12 + 56 * 3 : 6] = line.translate(table)
    return b"".join(rows)


def write_images(folder, model, count):
    """The first pictures of the built-in sample, again from the start where they do not suffice."""
    with gzip.open(ROOT / "src/data/sample/train-images-idx3-ubyte.gz") as file:
        pixels = file.read()[16:]
    images = [pixels[at : at + 784] for at in range(0, len(pixels), 784)]
    shape = (28, 28)
    if model == "vae-cnn":
        images, shape = [enlarge(image) for image in images[:2000]], (64, 64, 3)
    for part, number in ("train", count), ("test", 10):
        chosen = (images[index % len(images)] for index in range(number))
        write_npy(folder / f"{part}.npy", (number, *shape), chosen)


def run_peer(command, limit):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise LeftOut(f"it took more than {limit} s") from None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if "error" in line.lower() or "panicked" in line] or said[-1:]
        raise LeftOut((errors or [f"exit code {done.returncode}"])[0].removeprefix("error: "))
    return json.loads(lines[-1])


def run_narrows(options, model, data, batch, device):
    with tempfile.TemporaryDirectory() as folder:
        command = [options.narrows, "train", *MODELS[model][2].split(), "--data", str(data), "--validation", "0"]
        command += ["--batch", str(batch), "--epochs", str(options.epochs + 1), "--json", "--run", f"{folder}/run"]
        command += ["--device", options.device] if options.device else []
        began = time.perf_counter()
        first, epochs = None, []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                first = first or time.perf_counter() - began
                epochs.append(json.loads(line))
            said = process.stderr.read()
        if process.returncode:
            sys.exit(f"error: narrows could not train {model}:\n{said}")
    samples = [1e3 * batch / epoch["images_per_second"] for epoch in epochs[1:]]
    seconds = min(epoch["seconds"] for epoch in epochs[1:])
    return {
        "peer": "narrows", "version": options.version, "model": model, "device": device, "batch": batch,
        "start_s": round(max(0.0, first - seconds), 3), "ms_per_step": samples, "loss": epochs[-1]["train"]["objective"],
    }


def find_device(options):
    """Name, driver and type of the device that narrows will take."""
    plan = [options.narrows, "devices", "--json"]
    devices = json.loads(subprocess.run(plan, capture_output=True, text=True, check=True).stdout)
    usable = [device for device in devices if device["usable"]]
    if options.device:
        wanted = options.device.lower()
        usable = [
            device for device in usable
            if wanted in (str(device["index"]), device["select"]) or wanted in device["name"].lower()
        ]
    if not usable:
        sys.exit(f"error: no usable device {options.device or ''}: see `narrows devices`")
    # narrows prefers a GPU to a software driver.
    order = ["DiscreteGpu", "IntegratedGpu"]
    return min(usable, key=lambda device: order.index(device["type"]) if device["type"] in order else len(order))


def machine():
    try:
        name = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        name = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {name}, {platform.system()}"


def spread(values, form):
    return f"{form(statistics.median(values))} ({form(min(values))} to {form(max(values))})"


def three_digits(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def table(record):
    lines = [
        f"Measured on {record['date']} by `scripts/measure.sh`: {record['device']}; {record['machine']}. "
        f"narrows {record['narrows']}, {record['rounds']} rounds of {record['epochs']} epochs of {record['steps']} steps, "
        "f32, Adam. A ratio is the peer's time by narrows' in the same round: above 1, narrows is faster.",
        "",
        "| model, batch | program | where it runs | ms a step: median (least to most) | narrows, beside it | ratio | start, s | loss |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for model, (title, batch, _) in MODELS.items():
        for peer in PEERS:
            pairs = [pair for pair in record["pairs"] if pair["peer"]["peer"] == peer and pair["peer"]["model"] == model]
            if not pairs:
                continue
            theirs, ours = ([sample for pair in pairs for sample in pair[who]["ms_per_step"]] for who in ("peer", "narrows"))
            ratios = [pair["ratio"] for pair in pairs]
            start, own_start = (statistics.median(pair[who]["start_s"] for pair in pairs) for who in ("peer", "narrows"))
            last = pairs[-1]
            lines.append(
                f"| {title}, {batch} | {peer} {last['peer']['version']} | {last['peer']['device']} "
                f"| {spread(theirs, three_digits)} | {spread(ours, three_digits)} | {spread(ratios, lambda value: f'{value:.2f}')} "
                f"| {start:.1f}; narrows {own_start:.1f} | {last['peer']['loss']:.1f}; narrows {last['narrows']['loss']:.1f} |"
            )
    lines += [""] + [f"Left out: {remark}." for remark in record["left_out"]]
    if record["remark"]:
        lines += [record["remark"]]
    return "\n".join(lines).rstrip() + "\n"


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/measure.sh", description="Measures narrows beside its peers.")

    def names(known):
        def read(text):
            found = text.split(",")
            if not set(found) <= set(known):
                raise argparse.ArgumentTypeError(f"expected {', '.join(known)}, got {text}")
            return [name for name in known if name in found]

        return read

    parser.add_argument("--models", type=names(list(MODELS)), default=list(MODELS), help="as mlp,vae; by default all")
    parser.add_argument("--peers", type=names(PEERS), default=PEERS, help="as pytorch,burn; by default all")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program [default: 3]")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of a run, after one to warm up [default: 3]")
    parser.add_argument("--steps", type=int, help="steps of an epoch [default: 500 on a GPU, else 12]")
    parser.add_argument("--limit", type=int, default=600, help="seconds after which a peer is left out [default: 600]")
    parser.add_argument("--device", help="narrows' device, as for `narrows train`; peers take their default")
    parser.add_argument("--out", help="write the table to this file too")
    parser.add_argument("--json", help="write every sample to this file")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--narrows", default="narrows", help=argparse.SUPPRESS)
    parser.add_argument("--torch", help=argparse.SUPPRESS)
    parser.add_argument("--program", action="append", default=[], help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in "rounds", "epochs", "limit", "steps":
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name}: expected 1 or more, got {getattr(options, name)}")
    for path in filter(None, (options.out, options.json)):
        if not pathlib.Path(path).absolute().parent.is_dir():
            parser.error(f"{path}: its folder does not exist")
    return options


def main():
    options = arguments()
    if options.check:
        print(" ".join(options.peers))
        return
    options.version = subprocess.run([options.narrows, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    device = find_device(options)
    label = f"{device['name']}, {device['driver']} {device['driver_info']}".strip()
    programs = dict(program.split("=", 1) for program in options.program)
    commands = {name: [path] for name, path in programs.items()}
    if options.torch:
        commands["pytorch"] = [options.torch, str(ROOT / "benches/peers/pytorch.py")]
    record = {
        "date": datetime.date.today().isoformat(), "device": label, "machine": machine(), "narrows": options.version,
        "rounds": options.rounds, "epochs": options.epochs,
        "steps": options.steps or (12 if device["type"] == "Cpu" else 500), "pairs": [], "remark": "",
        "left_out": [f"{peer}, which is not there" for peer in options.peers if peer not in commands],
    }
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > 0.5:
        record["remark"] = f"The machine was busy with other work at the start (load {load:.1f}): the times are too long."
        say(record["remark"])
    with tempfile.TemporaryDirectory() as folder:
        for model in options.models:
            data, batch = pathlib.Path(folder) / model, MODELS[model][1]
            data.mkdir()
            write_images(data, model, record["steps"] * batch)
            measure_model(options, record, commands, model, data, label)
    text = table(record)
    print(text, end="")
    if options.out:
        write_whole(options.out, text)
    if options.json:
        write_whole(options.json, json.dumps(record, indent=1) + "\n")
    if not record["pairs"]:
        sys.exit("error: no peer could be measured")


def measure_model(options, record, commands, model, data, label):
    batch, left_out = MODELS[model][1], set()
    for number in range(options.rounds):
        for peer in options.peers:
            if peer not in commands or peer in left_out:
                continue
            say(f"{model}, round {number + 1} of {options.rounds}: {peer}, then narrows")
            command = [*commands[peer], model, str(data / "train.npy"), str(batch), str(options.epochs)]
            try:
                theirs = run_peer(command, options.limit)
            except LeftOut as reason:
                left_out.add(peer)
                record["left_out"].append(f"{peer} on {model}: {reason}")
                say(f"{peer} is left out of {model}: {reason}")
                continue
            ours = run_narrows(options, model, data, batch, label)
            ratio = statistics.median(theirs["ms_per_step"]) / statistics.median(ours["ms_per_step"])
            record["pairs"].append({"round": number + 1, "ratio": ratio, "peer": theirs, "narrows": ours})


if __name__ == "__main__":
    main()
