"""Makes one table of what the compilers and devices said: python3 table.py FOLDER [--quick | --write]. For portability.sh.

A cell is how many entry points of a shader are right there. It fails where one is not, unless it is excused below.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = ROOT / "shaders" / "README.md"
BEGIN, END = "<!-- portability: scripts/portability.sh --write -->\n", "<!-- portability ends -->\n"
# Column, and the file that lists what a compiler takes.
COMPILERS = [("SPIR-V", "spv"), ("HLSL", "hlsl"), ("GLSL ES", "comp")]
NATIVE = ["lavapipe", "swiftshader", "llvmpipe"]
DAWN = [("Dawn", "dawn"), ("Chromium", "chromium")]


def taken(place, language):
    """Of each entry, how many of its two sets of constants."""
    counts = {}
    for line in (place / f"{language}.taken").read_text().splitlines():
        key = tuple(line.split(".")[:2])
        counts[key] = counts.get(key, 0) + 1
    return counts


def kept(place, stack):
    """The entries that passed a test there, and the device's name."""
    files = sorted((place / f"cases-{stack}").glob("*.json"))
    names = {json.loads(file.read_text())["device"] for file in files[:1]}
    return {tuple(file.name.split(".")[:2]) for file in files}, ", ".join(" ".join(name.split()) for name in names)


def records(place, stack):
    found = json.loads((place / f"{stack}.json").read_text())
    return {(record["shader"], record["entry"]): record for record in found["records"]}, found


def columns(place, shaders, quick):
    """Of each column its title, and a function from a shader and an entry to `right`, `compiled`, or what is wrong."""
    tint, _ = records(place, "dawn-null")

    def compiler(language):
        counts = taken(place, language)
        return lambda shader, entry: "right" if counts.get((shader["name"], entry)) == 2 else "refused"

    def compiles(shader, entry):
        record = tint[shader["name"], entry]
        return "right" if record["state"] in ("compiled", "untested") else record["remark"]

    yield "Tint", compiles
    for title, language in COMPILERS[:1] if quick else COMPILERS:
        if language == "comp":
            # GLSL ES has no subgroups.
            of = compiler(language)
            yield title, lambda shader, entry, of=of: "compiled" if shader["subgroups"] else of(shader, entry)
        else:
            yield title, compiler(language)
    if quick:
        return
    for stack in NATIVE:
        entries, _ = kept(place, stack)

        def ran(shader, entry, entries=entries, stack=stack):
            if (shader["name"], entry) in entries:
                return "right"
            # Only lavapipe has the subgroups of eight that shuffles want.
            return "compiled" if shader["subgroups"] and stack != "lavapipe" else "not run"

        yield stack, ran
    for title, stack in DAWN:
        found, _ = records(place, stack)
        yield title, lambda shader, entry, found=found: (
            found[shader["name"], entry]["state"] if found[shader["name"], entry]["state"] in ("right", "compiled")
            else f"{found[shader['name'], entry]['state']}: {found[shader['name'], entry]['remark']}"
        )


def version(*command):
    said = subprocess.run(command, capture_output=True, text=True).stdout
    return re.search(r"\S*\d+\.\d[\w.]*", said)[0]


def heading(place):
    dawn, chromium = (records(place, stack)[1] for stack in ("dawn", "chromium"))
    package = json.loads((place / "node_modules/webgpu/package.json").read_text())["version"]
    spirv, glslang = version("spirv-val", "--version"), version("glslangValidator", "--version")
    lines = [
        f"SPIR-V, HLSL and GLSL ES 3.1: what naga writes, by spirv-val {spirv}, DXC 3.7 and glslang {glslang}",
        f"Tint: as in Dawn of the npm package webgpu {package}",
        *(f"{stack}: {kept(place, stack)[1]}" for stack in NATIVE),
        f"Dawn: the same package on {dawn['device']['description']}",
        f"Chromium: {chromium['version']} on {chromium['device']['architecture']}",
    ]
    return "\n".join(f"- {line}" for line in lines)


def main():
    place, flags = pathlib.Path(sys.argv[1]), sys.argv[2:]
    shaders = json.loads((place / "code" / "shaders.json").read_text())
    found = list(columns(place, shaders, "--quick" in flags))
    rows, wrong = [], []
    for shader in shaders:
        cells = []
        for title, of in found:
            states = {entry["name"]: of(shader, entry["name"]) for entry in shader["entries"]}
            right = sum(state == "right" for state in states.values())
            compiled = sum(state == "compiled" for state in states.values())
            cells.append("–" if compiled == len(states) else f"{right}")
            wrong += [
                f"{title}: {shader['name']}::{entry}: {state}" for entry, state in states.items()
                if state not in ("right", "compiled")
            ]
        rows.append([f"`{shader['name']}`", str(len(shader["entries"])), *cells])
    titles = ["shader", "entries", *(title for title, _ in found)]
    sums = ["all", *(str(sum(int(row[at]) for row in rows if row[at] != "–")) for at in range(1, len(titles)))]
    lines = [titles, ["---"] * len(titles), *rows, sums]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    print(table)
    if "--write" in flags:
        text = README.read_text()
        before, rest = text.split(BEGIN)
        README.write_text(f"{before}{BEGIN}\n{heading(place)}\n\n{table}\n{END}{rest.split(END)[1]}")
    if wrong:
        sys.exit("\n".join(["error: not every entry point is right:", *wrong]))


if __name__ == "__main__":
    main()
