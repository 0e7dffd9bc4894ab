"""Opens checkpoints as another program would, with the package safetensors, and checks shapes against names.

    check-checkpoint.py FILE...

In a dense layer `NAME.weight` is [out, in] and `NAME.bias` is [out]. An optimizer's moments have the shape of the
parameter whose name is at the end of theirs.
"""

import sys

import numpy
from safetensors import safe_open


def check(path):
    with safe_open(path, framework="numpy") as file:
        slots = {name: file.get_tensor(name) for name in file.keys()}
    layers = moments = 0
    state = slots.pop("state")
    assert state.dtype == numpy.uint32, f"{path}: state: expected uint32, got {state.dtype}"
    for name, values in slots.items():
        assert values.dtype == numpy.float32, f"{path}: {name}: expected float32, got {values.dtype}"
        assert numpy.isfinite(values).all(), f"{path}: {name}: expected finite numbers"
        parameter = next((name[at + 1 :] for at, dot in enumerate(name) if dot == "." and name[at + 1 :] in slots), None)
        if parameter:
            assert values.shape == slots[parameter].shape, f"{path}: {name}: expected the shape of {parameter}"
            moments += 1
        bias = slots.get(name.removesuffix("weight") + "bias") if name.endswith(".weight") else None
        if bias is not None and values.ndim == 2:
            assert bias.shape == values.shape[:1], f"{path}: {name} is {values.shape}, its bias {bias.shape}"
            layers += 1
    assert layers and moments, f"{path}: expected dense layers and moments, got {sorted(slots)}"
    print(f"{path}: {len(slots)} tensors, with {layers} dense layers and {moments} moments")


for path in sys.argv[1:]:
    check(path)
