"""Measures how training grows: with batch size, width, size of the pictures, channels, and rows. Started by growth.sh.

Each point is a run of `narrows train` on made-up data; its speed is that of the fastest epoch after the first, in which
kernels are compiled. Work is what `narrows plan` counts. Where GFLOP/s fall from one point to the next, time grows faster
than work. Memory is the most that the process ever had: on a software driver that is the device's too.
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

# Title, unit of the axis, and the points. A point has the data's shape and the flags of `narrows train`.
VAE = "vae --batch 128"
CONVOLUTIONS = "vae-cnn --batch 32"
ROWS = "mlp --hidden 64 --latent 8 --optimizer adam --learning-rate 0.001 --batch 512"
AXES = {
    "batch": ("VAE 784-400-20, by batch size", [(b, (max(2 * b, 1024), 28, 28), f"vae --batch {b}") for b in (8, 32, 128, 512, 1024, 4096)]),
    "width": ("VAE 784-width-20, batch 128, by width of the hidden layer", [(w, (512, 28, 28), f"{VAE} --hidden {w}") for w in (64, 128, 256, 512, 1024, 2048, 4096)]),
    "size": ("convolutional VAE, batch 32, by height and width of grey pictures", [(s, (96, s, s, 1), CONVOLUTIONS) for s in (28, 48, 64, 96, 128, 192, 256)]),
    "channels": ("convolutional VAE of 32 x 32, batch 32, by channels", [(c, (128, 32, 32, c), CONVOLUTIONS) for c in (1, 2, 3, 4)]),
    "rows": ("MLP 64-64-8-64-64, batch 512, by rows of the data", [(n, (n, 64), ROWS) for n in (1000, 10_000, 100_000, 1_000_000)]),
}
# A fall of GFLOP/s that is more than noise.
FALL = 0.8


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


def write_whole(path, text):
    """Never leaves half a file."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def write_data(path, shape):
    """Bytes of all values as a .npy file; the test part lies beside it."""
    source = random.Random(0)
    for part, count in ("train", shape[0]), ("test", 16):
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {(count, *shape[1:])}, }}"
        header += " " * (63 - (10 + len(header)) % 64) + "\n"
        with open(path / f"{part}.npy", "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
            for _ in range(count):
                file.write(source.randbytes(math.prod(shape[1:])))


def run(command):
    """Standard output of a command, and the most memory that it ever had, in MB."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for file in (out, errors):
            file.seek(0)
        if process.returncode:
            said = errors.read().strip().splitlines() or [f"exit code {process.returncode}"]
            raise RuntimeError(next((line for line in said if line.startswith("error")), said[-1]))
        return out.read(), usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def measure(options, shape, flags):
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "data"
        data.mkdir()
        write_data(data, shape)
        common = [*flags.split(), "--data", str(data), "--validation", "0"]
        common += ["--device", options.device] if options.device else []
        plan, _ = run([options.narrows, "plan", *common])
        count, unit = re.search(r"dispatches, ([\d.]+) ([kMGT]?)FLOP", plan).groups()
        planned = re.search(r"([\d.]+) ([kMGT]?)B in \d+ buffers", plan).groups()
        factors = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
        flops = float(count) * factors[unit]
        epochs = ["--epochs", str(options.epochs + 1), "--json", "--run", f"{folder}/run"]
        out, memory = run([options.narrows, "train", *common, *epochs])
    rate = max(json.loads(line)["images_per_second"] for line in out.splitlines()[1:])
    batch = int(re.search(r"--batch (\d+)", flags)[1])
    return {
        "rate": rate, "step_ms": 1e3 * batch / rate, "flops": flops, "flops_per_second": flops * rate / batch,
        "planned_mb": float(planned[0]) * factors[planned[1]] / 1e6, "memory_mb": memory,
    }


def digits(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def section(name, points):
    lines = [f"## By {name}", "", f"{AXES[name][0]}.", "", f"| {name} | items a second | a step, ms | work of a step, GFLOP | GFLOP/s | buffers of the plan, MB | memory of the process, MB |", "|---|---|---|---|---|---|---|"]
    bends = []
    for before, point in zip([None, *points], points):
        if "error" in point:
            lines.append(f"| {point['at']:,} | {point['error']} | | | | | |")
            continue
        lines.append(
            f"| {point['at']:,} | {digits(point['rate'])} | {digits(point['step_ms'])} | {digits(point['flops'] / 1e9)} "
            f"| {digits(point['flops_per_second'] / 1e9)} | {digits(point['planned_mb'])} | {digits(point['memory_mb'])} |"
        )
        if before and "error" not in before and point["flops_per_second"] < FALL * before["flops_per_second"]:
            bends.append(f"{point['at']:,}")
    verdict = f"Time grows faster than work at {', '.join(bends)}." if bends else "Time grows no faster than work."
    return "\n".join([*lines, "", verdict, ""])


def main():
    parser = argparse.ArgumentParser(prog="scripts/growth.sh", description="Measures how training grows.")
    parser.add_argument("--axes", default=",".join(AXES), help="as batch,width; by default all")
    parser.add_argument("--most", type=int, help="leave out points above this")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of a point, after the first [default: 3]")
    parser.add_argument("--device", help="as for `narrows train`")
    parser.add_argument("--out", default="growth", help="folder for growth.md and growth.json [default: growth]")
    parser.add_argument("--narrows", default="narrows", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    axes = options.axes.split(",")
    if not set(axes) <= set(AXES):
        parser.error(f"--axes: expected {', '.join(AXES)}, got {options.axes}")
    if options.epochs < 1:
        parser.error(f"--epochs: expected 1 or more, got {options.epochs}")
    if options.check:
        return
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    record = {"date": datetime.date.today().isoformat(), "cores": os.cpu_count(), "axes": {}}
    for name in axes:
        points = record["axes"][name] = []
        for at, shape, flags in AXES[name][1]:
            if options.most and at > options.most:
                continue
            say(f"{name} {at:,}")
            try:
                points.append({"at": at, **measure(options, shape, flags)})
            except RuntimeError as error:
                points.append({"at": at, "error": str(error)})
    heading = f"# How training grows\n\nMeasured on {record['date']} by `scripts/growth.sh`.\n\n"
    text = heading + "\n".join(section(name, points) for name, points in record["axes"].items())
    write_whole(out / "growth.json", json.dumps(record, indent=1) + "\n")
    write_whole(out / "growth.md", text)
    print(text, end="")


if __name__ == "__main__":
    main()
