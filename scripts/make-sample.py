#!/usr/bin/env python3
"""Makes the built-in sample, `src/data/sample/`, from the full Fashion-MNIST.

The sample has the first 8,000 training and the first 1,000 test images with their labels, as gzipped IDX files.
Needs only Python's standard library, with zlib 1.x.

    apt-get install dataset-fashion-mnist
    python3 scripts/make-sample.py            # writes the four files
    python3 scripts/make-sample.py --check    # compares them with what is there, byte for byte
"""

import argparse
import gzip
import pathlib
import sys
import zlib

# File name, header bytes, bytes per item, items kept, items in the full file.
PARTS = [
    ("train-images-idx3-ubyte.gz", 16, 28 * 28, 8_000, 60_000),
    ("train-labels-idx1-ubyte.gz", 8, 1, 8_000, 60_000),
    ("t10k-images-idx3-ubyte.gz", 16, 28 * 28, 1_000, 10_000),
    ("t10k-labels-idx1-ubyte.gz", 8, 1, 1_000, 10_000),
]
LIMIT = 4 * 1024 * 1024


def shorten(path, header, item, keep, whole):
    """The IDX file at `path` with only its first `keep` items."""
    with gzip.open(path) as file:
        content = file.read()
    count = int.from_bytes(content[4:8], "big")
    if count != whole or len(content) != header + item * whole:
        sys.exit(f"{path}: expected {whole} items of {item} bytes, found {count} in {len(content)} bytes")
    return content[:4] + keep.to_bytes(4, "big") + content[8 : header + item * keep]


def compress(content):
    """Gzip without name and time, so that the same content gives the same bytes."""
    stream = zlib.compressobj(level=9, wbits=31)
    return stream.compress(content) + stream.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    target = pathlib.Path(__file__).resolve().parent.parent / "src" / "data" / "sample"

    total = 0
    for name, *layout in PARTS:
        packed = compress(shorten(arguments.source / name, *layout))
        total += len(packed)
        if not arguments.check:
            (target / name).write_bytes(packed)
        elif (target / name).read_bytes() != packed:
            sys.exit(f"{target / name}: differs from the output of this script with zlib {zlib.ZLIB_RUNTIME_VERSION}")
        print(f"{len(packed):>9} {name}")
    print(f"{total:>9} bytes in total, at most {LIMIT} allowed")
    if total >= LIMIT:
        sys.exit("the sample is too large: keep fewer items in PARTS")


if __name__ == "__main__":
    main()
