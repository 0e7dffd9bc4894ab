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

# Title, the points, and what the axis counts. A point has the data's shape and the flags of `narrows train`.
VAE = "vae --batch 128"
CONVOLUTIONS = "vae-cnn --batch 16"
ROWS = "mlp --hidden 64 --latent 8 --optimizer adam --learning-rate 0.001 --batch 512"
AXES = {
    "batch": ("VAE 784-400-20, by batch size", [(b, (max(2 * b, 1024), 28, 28), f"vae --batch {b}") for b in (8, 32, 128, 512, 1024, 4096)], "items of a batch"),
    "width": ("VAE 784-width-20, batch 128, by width of the hidden layer", [(w, (512, 28, 28), f"{VAE} --hidden {w}") for w in (64, 128, 256, 512, 1024, 2048, 4096)], "units of the hidden layer"),
    "size": ("convolutional VAE, batch 16, by height and width of grey pictures", [(s, (96, s, s, 1), CONVOLUTIONS) for s in (28, 48, 64, 96, 128, 192, 256)], "pixels of height and width"),
    "channels": ("convolutional VAE of 32 x 32, batch 16, by channels", [(c, (128, 32, 32, c), CONVOLUTIONS) for c in (1, 2, 3, 4)], "channels"),
    "rows": ("MLP 64-64-8-64-64, batch 512, by rows of the data", [(n, (n, 64), ROWS) for n in (1000, 10_000, 100_000, 1_000_000)], "rows"),
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
        flops = float(count) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[unit]
        planned, _ = run([options.narrows, "plan", *common, "--memory"])
        epochs = ["--epochs", str(options.epochs + 1), "--json", "--run", f"{folder}/run"]
        out, memory = run([options.narrows, "train", *common, *epochs])
    rate = max(json.loads(line)["images_per_second"] for line in out.splitlines()[1:])
    batch = int(re.search(r"--batch (\d+)", flags)[1])
    return {
        "rate": rate, "step_ms": 1e3 * batch / rate, "flops": flops, "flops_per_second": flops * rate / batch,
        "planned_mb": float(re.findall(r"([\d.]+) MB in", planned)[-1]), "memory_mb": memory,
    }


def digits(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def section(name, points):
    lines = [f"## By {name}", "", f"{AXES[name][0]}.", "", f"| {name} | items a second | a step, ms | work of a step, GFLOP | GFLOP/s | predicted by `plan --memory`, MB | memory of the process, MB |", "|---|---|---|---|---|---|---|"]
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


# Colours that the colour-blind tell apart: https://jfly.uni-koeln.de/color/
BLUE, ORANGE = "#0072b2", "#d55e00"


def draw(record, path):
    """For each axis the time of a step and its memory, each beside what is predicted."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10})
    axes = {name: [point for point in points if "error" not in point] for name, points in record["axes"].items()}
    figure, plots = pyplot.subplots(2, len(axes), figsize=(3.2 * len(axes), 5.6), squeeze=False, sharex="col", layout="constrained")
    for (name, points), above, below in zip(axes.items(), *plots):
        at = [point["at"] for point in points]
        fastest = max(point["flops_per_second"] for point in points)
        above.plot(at, [point["step_ms"] for point in points], "o-", color=BLUE, markersize=4, label="measured")
        above.plot(at, [1e3 * point["flops"] / fastest for point in points], "--", color=ORANGE, label="its work at the best speed")
        below.plot(at, [point["memory_mb"] for point in points], "o-", color=BLUE, markersize=4, label="the whole process")
        below.plot(at, [point["planned_mb"] for point in points], "--", color=ORANGE, label="by plan --memory")
        above.set_title(f"by {name}")
        below.set_xlabel(AXES[name][2])
        for plot in above, below:
            plot.set_xscale("log")
            least, most = plot.get_ylim()
            if most > 10 * least:
                plot.set_yscale("log")
            else:
                plot.set_ylim(0, most)
            plot.set_xticks(at, [f"{value:,}" for value in at], rotation=45)
            plot.minorticks_off()
            plot.grid(alpha=0.25)
    for plot, label in zip(plots[:, 0], ("a step, ms", "memory, MB")):
        plot.set_ylabel(label)
        plot.legend(frameon=False)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".png", delete=False) as file:
        figure.savefig(file, dpi=120)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def main():
    parser = argparse.ArgumentParser(prog="scripts/growth.sh", description="Measures how training grows.")
    parser.add_argument("--axes", default=",".join(AXES), help="as batch,width; by default all")
    parser.add_argument("--most", type=int, help="leave out points above this")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of a point, after the first [default: 3]")
    parser.add_argument("--device", help="as for `narrows train`")
    parser.add_argument("--out", default="growth", help="folder for growth.md, growth.png and growth.json [default: growth]")
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
    draw(record, out / "growth.png")
    print(text, end="")


if __name__ == "__main__":
    main()
