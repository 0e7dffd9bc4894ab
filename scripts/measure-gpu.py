"""Checks and measures one device, and writes one JSON file and one HTML page. Started by measure.sh --gpu.

The parts: every test, with all that the device offers and with WebGPU's default limits; `narrows bench`; an epoch of each
preset on the built-in sample; the VAE on the full Fashion-MNIST to the README's figure. A part that fails is a line in
both files, and the others go on; the exit code is then 1.
"""

import argparse
import datetime
import html
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The README's figure: negative ELBO on the 10,000 test images, nats per image, after 10 epochs on two CPU cores.
EXPECTED, NEAR, EPOCHS = 244.95, 1.0, 10


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


def write_whole(path, text):
    """Never leaves half a file."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def last_error(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if line.startswith("error")), lines[-1] if lines else "it said nothing")


class Measurement:
    """What is measured, and where."""

    def __init__(self, narrows, device, work):
        self.narrows, self.device, self.work = narrows, device, work
        self.flags = ["--device", device["select"]]

    def run(self, *arguments):
        """The standard output of a command of narrows, and its seconds."""
        began = time.perf_counter()
        done = subprocess.run([self.narrows, *arguments, *self.flags], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"narrows {arguments[0]}: {last_error(done.stderr)}")
        return done.stdout, time.perf_counter() - began

    def test(self, defaults):
        """Every test, or the device tests with WebGPU's default limits and no optional feature, as scripts/test.sh."""
        command = ["cargo", "test", "--quiet", "--release", "--locked", "--no-fail-fast"]
        command += ["--test", "*"] if defaults else ["--workspace"]
        # The tests open wgpu's default device, which these variables choose.
        chosen = {"WGPU_BACKEND": self.device["backend"], "WGPU_ADAPTER_NAME": self.device["name"]}
        if defaults:
            chosen["NARROWS_TEST_DEFAULTS"] = "1"
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **chosen})
        results = re.findall(r"test result: \w+\. (\d+) passed; (\d+) failed", done.stdout)
        failed = sorted(set(re.findall(r"^    (\S+)$", done.stdout, re.M)))
        if not results:
            raise RuntimeError(f"the tests did not start: {last_error(done.stderr)}")
        passed, wrong = (sum(int(result[place]) for result in results) for place in (0, 1))
        return {"passed": passed, "failed": wrong, "names_of_failed": failed, "seconds": time.perf_counter() - began}

    def bench(self, quick):
        page, numbers = self.work / "bench.html", self.work / "bench.json"
        shorter = ["--quick"] if quick else []
        _, seconds = self.run("bench", *shorter, "--html", str(page), "--out", str(numbers))
        return {"seconds": seconds, "record": json.loads(numbers.read_text()), "page": page.read_text()}

    def preset(self, name):
        """An epoch on the built-in sample: the whole process, and training alone."""
        out, seconds = self.run("train", name, "--epochs", "1", "--json", "--run", str(self.work / name))
        epoch = json.loads(out.splitlines()[-1])
        return {
            "preset": name, "process_seconds": seconds, "images_per_second": epoch["images_per_second"],
            "loss": (epoch["validation"] or epoch["train"])["objective"],
        }

    def figure(self, epochs):
        """The VAE of the README's first row."""
        run = str(self.work / "full")
        settings = ["--data", "fashion-mnist", "--validation", "0", "--epochs", str(epochs)]
        _, seconds = self.run("train", "vae", *settings, "--run", run)
        out, evaluation = self.run("eval", run, "--json")
        found = json.loads(out)
        nelbo = -found["elbo_nats_per_image"]
        return {
            "epochs": epochs, "seconds": seconds, "evaluation_seconds": evaluation, "negative_elbo": nelbo,
            "importance_bound": found["importance_bound_nats_per_image"], "expected": EXPECTED,
            "agrees": abs(nelbo - EXPECTED) <= NEAR if epochs == EPOCHS else None,
        }


def measure(measurement, options):
    """All parts, and what went wrong in them."""
    record, wrong = {}, []

    def part(name, title, work):
        say(title)
        began = time.perf_counter()
        try:
            record[name] = work()
        except RuntimeError as error:
            wrong.append(f"{title}: {error}")
            say(str(error))
        say(f"done in {time.perf_counter() - began:.0f} s")

    if options.suite:
        part("tests", "every test", lambda: measurement.test(defaults=False))
        part("tests_default_limits", "device tests with WebGPU's default limits", lambda: measurement.test(defaults=True))
    part("bench", "narrows bench", lambda: measurement.bench(options.quick))
    part("presets", "an epoch of each preset", lambda: [measurement.preset(name) for name in presets(measurement.narrows)])
    part("figure", "the VAE on the full Fashion-MNIST", lambda: measurement.figure(options.epochs))
    for name in "tests", "tests_default_limits":
        if record.get(name, {}).get("failed"):
            wrong.append(f"{record[name]['failed']} tests failed: {', '.join(record[name]['names_of_failed'])}")
    if record.get("figure", {}).get("agrees") is False:
        wrong.append(f"negative ELBO {record['figure']['negative_elbo']:.2f}: expected {EXPECTED} within {NEAR}")
    return record, wrong


def presets(narrows):
    out = subprocess.run([narrows, "presets"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^(\S+)", out, re.M)


def rows(heads, lines):
    cells = lambda tag, values: "".join(f"<{tag}>{html.escape(str(value))}</{tag}>" for value in values)
    body = "".join(f"<tr>{cells('td', line)}</tr>" for line in lines)
    return f"<table><tr>{cells('th', heads)}</tr>{body}</table>"


def page(record, bench):
    """One page that needs no other file; the page of `narrows bench` is a frame in it."""
    device, parts = record["device"], []
    outcome = "All parts agree." if not record["wrong"] else "Wrong: " + "; ".join(record["wrong"]) + "."
    for name, title in ("tests", "every test"), ("tests_default_limits", "WebGPU's default limits"):
        if name in record:
            tests = record[name]
            parts.append((title, tests["passed"], tests["failed"], f"{tests['seconds']:.0f} s"))
    tests = rows(["tests", "passed", "failed", "time"], parts) if parts else "<p>The tests were not run.</p>"
    epochs = rows(
        ["preset", "whole process", "images/s", "loss after it"],
        [(p["preset"], f"{p['process_seconds']:.2f} s", f"{p['images_per_second']:,.0f}", f"{p['loss']:.4g}") for p in record.get("presets", [])],
    )
    figure = "<p>It was not measured.</p>"
    if "figure" in record:
        found = record["figure"]
        compared = f"{EXPECTED} after {EPOCHS} epochs on two CPU cores"
        figure = rows(
            ["epochs", "negative ELBO, nats per image", "expected", "bound of 64 samples", "training", "evaluation"],
            [(found["epochs"], f"{found['negative_elbo']:.2f}", compared, f"{found['importance_bound']:.2f}",
              f"{found['seconds']:.1f} s", f"{found['evaluation_seconds']:.1f} s")],
        )
    frame = f"<iframe title='narrows bench' srcdoc=\"{html.escape(bench)}\"></iframe>" if bench else "<p>It was not measured.</p>"
    described = f"{device['name']}, {device['driver']} {device['driver_info']}, {device['backend']}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>narrows on {html.escape(device['name'])}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; }} td, th {{ padding: .2rem .8rem; border-bottom: 1px solid #ccc; text-align: left; }}
iframe {{ width: 100%; height: 80vh; border: 1px solid #ccc; }}
</style></head><body>
<h1>narrows {html.escape(record['narrows'])} on {html.escape(device['name'])}</h1>
<p>{html.escape(described)}; {html.escape(record['machine'])}. {record['date']}, {record['seconds']:.0f} s in all, by
<code>scripts/measure.sh --gpu</code>.</p>
<p><strong>{html.escape(outcome)}</strong></p>
<h2>Tests</h2>{tests}
<h2>An epoch of each preset on the built-in sample</h2>{epochs}
<h2>VAE 784-400-20 on the full Fashion-MNIST</h2>{figure}
<h2>narrows bench</h2>{frame}
</body></html>
"""


def find_device(narrows, wanted):
    devices = json.loads(subprocess.run([narrows, "devices", "--json"], capture_output=True, text=True, check=True).stdout)
    usable = [device for device in devices if device["usable"]]
    text = (wanted or "").lower()
    found = [device for device in usable if text in (str(device["index"]), device["select"]) or text in device["name"].lower()]
    if not found:
        names = "; ".join(f"{device['index']} {device['name']}" for device in usable) or "none"
        sys.exit(f"error: no device is called {wanted}. Usable devices: {names}. `narrows devices` says why others are not")
    # A GPU before a software driver, as narrows itself.
    order = ["DiscreteGpu", "IntegratedGpu"]
    return min(found, key=lambda device: order.index(device["type"]) if device["type"] in order else len(order))


def variable(name, default):
    text = os.environ.get(name, str(default))
    if not text.isdecimal():
        sys.exit(f"error: {name}: expected a whole number, got {text}")
    return int(text)


def main():
    parser = argparse.ArgumentParser(prog="scripts/measure.sh --gpu", description="Checks and measures one device.")
    parser.add_argument("device", nargs="?", help="INDEX, BACKEND:INDEX or part of a NAME from `narrows devices`")
    parser.add_argument("--out", default="measured", help="folder for measured.json and measured.html [default: measured]")
    parser.add_argument("--quick", action="store_true", help="`narrows bench --quick`: for slow devices")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--narrows", default="narrows", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.epochs, options.suite = variable("EPOCHS", EPOCHS), variable("SUITE", 1)
    if not options.epochs:
        sys.exit("error: EPOCHS: expected 1 or more, got 0")
    if options.check:
        return
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    device = find_device(options.narrows, options.device)
    if options.suite:
        say("building the tests (the first time takes minutes)")
        if subprocess.run(["cargo", "test", "--quiet", "--release", "--locked", "--workspace", "--no-run"], cwd=ROOT).returncode:
            sys.exit("error: the tests could not be built")
    version = subprocess.run([options.narrows, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    say(f"measuring {device['name']}")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        parts, wrong = measure(Measurement(options.narrows, device, pathlib.Path(work)), options)
    bench = parts.get("bench", {}).pop("page", "")
    record = {
        "narrows_measured": 1, "date": datetime.date.today().isoformat(), "narrows": f"{version} {commit}".strip(),
        "device": device, "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "seconds": time.perf_counter() - began, "wrong": wrong, **parts,
    }
    write_whole(out / "measured.json", json.dumps(record, indent=1) + "\n")
    write_whole(out / "measured.html", page(record, bench))
    say(f"{out / 'measured.html'} and {out / 'measured.json'}, after {record['seconds']:.0f} s")
    for line in wrong:
        print(f"wrong: {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
