"""Tests measure.sh with programs that only pretend to train. Nothing is built or installed.

python3 scripts/test-measure.py
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEVICE = {
    "backend": "vulkan", "driver": "d", "driver_info": "1", "index": 0, "name": "Card", "select": "vulkan:0",
    "type": "DiscreteGpu", "usable": True,
}
NARROWS = """#!{python}
import json, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    print("narrows", *words[:2], file=log)
if words[0] == "devices":
    print('''[{device}]''')
elif words[0] == "--version":
    print("narrows 9.8.7")
elif words[0] == "presets":
    print("vae  one\\n     settings\\nmlp  another")
elif words[0] == "bench":
    open(words[words.index("--html") + 1], "w").write("<p>the page of bench</p>")
    open(words[words.index("--out") + 1], "w").write('{{"narrows_bench": 1}}')
elif words[0] == "eval":
    print('{{"elbo_nats_per_image": -{nelbo}, "importance_bound_nats_per_image": -240.0}}')
else:
    for epoch in range(int(words[words.index("--epochs") + 1])):
        slow = 9.0 if epoch == 0 else 0.25
        print(json.dumps({{"seconds": slow, "images_per_second": 64 / slow, "validation": None, "train": {{"objective": 5.0}}}}))
"""
PEER = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    print("peer", sys.argv[1], file=log)
if sys.argv[1] == "cnn":
    sys.exit("error: it has no pooling")
print("a remark of a library")
print(json.dumps({{"peer": "burn", "version": "1.2.3", "model": sys.argv[1], "device": "Card", "batch": 128,
                  "start_s": 1.0, "ms_per_step": [900.0, 1000.0, 1100.0], "loss": 6.0}}))
"""
failures = 0


def check(what, agrees, shown=""):
    global failures
    print(f"{'ok     ' if agrees else 'FAILED '} {what}{'' if agrees else f': {shown}'}")
    failures += not agrees


def program(path, text, **values):
    path.write_text(text.format(python=sys.executable, **values))
    path.chmod(0o755)
    return str(path)


def run(script, *arguments, **variables):
    command = [sys.executable, str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables})


def peers(place, narrows, log):
    burn = program(place / "burn", PEER, log=str(log))
    out, numbers = place / "table.md", place / "table.json"
    done = run(
        "measure-peers.py", "--narrows", narrows, "--program", f"burn={burn}", "--models", "mlp,cnn", "--peers",
        "burn,candle", "--rounds", "2", "--steps", "1", "--out", str(out), "--json", str(numbers),
    )
    check("a comparison ends well", done.returncode == 0, done.stderr)
    order = [line for line in log.read_text().splitlines() if "train" in line or "peer" in line]
    check("runs alternate", order == ["peer mlp", "narrows train mlp"] * 2 + ["peer cnn"], order)
    record = json.loads(numbers.read_text())
    # 64 images in 0.25 s are 500 ms a step of 128; the first epoch of 9 s is not counted.
    check("a ratio is of medians of one round", [pair["ratio"] for pair in record["pairs"]] == [2.0, 2.0], record)
    check("a peer that fails is left out, with its words", "burn on cnn: it has no pooling" in record["left_out"], record)
    check("a peer that is not there is named", any("candle" in line for line in record["left_out"]), record)
    check("the file is what was printed", out.read_text() == done.stdout, done.stdout)
    row = "| burn 1.2.3 | Card | 1000 (900 to 1100) | 500 (500 to 500) | 2.00 (2.00 to 2.00) |"
    check("the table has times and ratio", row in done.stdout, done.stdout)
    for wrong in (["--models", "none"], ["--rounds", "0"], ["--out", str(place / "no" / "x.md")]):
        done = run("measure-peers.py", "--check", *wrong)
        check(f"{wrong[0]} refuses what makes no sense", done.returncode == 2 and not done.stdout, done.stderr)


def images(place):
    sys.path.insert(0, str(ROOT / "scripts"))
    measure = __import__("measure-peers")
    for model, shape in ("vae", (28, 28)), ("vae-cnn", (64, 64, 3)):
        (place / model).mkdir()
        measure.write_images(place / model, model, 3)
        written = (place / model / "train.npy").read_bytes()
        length = 10 + struct.unpack("<H", written[8:10])[0]
        size = 3
        for extent in shape:
            size *= extent
        check(f"the images of {model} have its shape", str((3, *shape)).encode() in written[:length], written[:length])
        check(f"the images of {model} are all there", len(written) == length + size and length % 64 == 0, len(written))
    picture = measure.enlarge(bytes(range(256)) * 3 + bytes(16))
    pixel = (4 + 2 * 5) * 64 + 4 + 2 * 7
    value = (5 * 28 + 7) % 256
    inside = tuple(picture[3 * pixel : 3 * pixel + 3])
    check("an enlarged picture keeps its pixels", inside == (value, value * 3 // 4, value * 2 // 4), inside)


def gpu(place, narrows, far):
    done = run("measure-gpu.py", "--narrows", narrows, "--out", str(place / "out"), SUITE="0", EPOCHS="10")
    check("a device is measured", done.returncode == 0, done.stderr)
    record = json.loads((place / "out/measured.json").read_text())
    check("every preset has its epoch", [each["preset"] for each in record["presets"]] == ["vae", "mlp"], record)
    check("the figure agrees", record["figure"]["agrees"] is True, record)
    page = (place / "out/measured.html").read_text()
    check("the page holds that of bench", "&lt;p&gt;the page of bench" in page, page)
    done = run("measure-gpu.py", "--narrows", far, "--out", str(place / "out"), SUITE="0")
    check("another figure is an error", done.returncode == 1 and "expected 244.95" in done.stdout, done.stdout)
    done = run("measure-gpu.py", "nothere", "--narrows", narrows, "--out", str(place / "out"), SUITE="0")
    check("an unknown device is an error that names the known", done.returncode == 1 and "0 Card" in done.stderr, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        log, device = place / "log", json.dumps(DEVICE)
        narrows = program(place / "narrows", NARROWS, log=str(log), device=device, nelbo=244.9)
        far = program(place / "far", NARROWS, log=str(log), device=device, nelbo=260.0)
        peers(place, narrows, log)
        images(place)
        gpu(place, narrows, far)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
