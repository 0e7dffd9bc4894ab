"""Trains small models of every kind, exports them, and compares ONNX Runtime and PyTorch with narrows itself.

    check-export.py NARROWS FOLDER

NARROWS is the program, FOLDER an empty one for the data, runs and exports. Both programs must give narrows' own codes and
reconstructions to 1e-5 of their range. check-export.mjs does the same with ONNX Runtime's web build, on what this leaves
in FOLDER.
"""

import importlib.util
import json
import os
import subprocess
import sys

import numpy
import onnx
import onnxruntime
import torch

TOLERANCE = 1e-5
ITEMS = 61
# Of the data that a conditional model is told.
CLASSES = 3
LABELS = numpy.arange(ITEMS) % CLASSES

# Every layer kind; strides, kernels and paddings even and odd, alike and not alike in the two directions.
LAYERS = """
encoder = [
    { layer = "conv", filters = 3, kernel = 3, stride = 2, activation = "identity" },
    { layer = "batch-norm", epsilon = 1e-3, activation = "relu" },
    { layer = "conv", filters = 4, kernel = [2, 3], padding = "same" },
    { layer = "max-pool", size = 2, stride = 1 },
    { layer = "activation", activation = "tanh" },
    { layer = "crop-or-pad", size = [8, 3] },
    { layer = "conv", filters = 2, kernel = 3, padding = [1, 2], stride = [3, 2] },
    { layer = "dropout", rate = 0.1 },
    { layer = "flatten" },
    { layer = "dense", units = 9 },
    { layer = "batch-norm" },
]
decoder = [
    { layer = "dense", units = 24 },
    { layer = "reshape", shape = [3, 4, 2] },
    { layer = "upsample", factor = [2, 1] },
    { layer = "conv-transpose", filters = 3, kernel = 3, stride = 2 },
    { layer = "batch-norm", activation = "elu" },
    { layer = "conv-transpose", filters = 3, kernel = [4, 2], stride = 1, padding = "same" },
    { layer = "conv-transpose", filters = 2, kernel = 2, stride = 3, padding = "same" },
    { layer = "conv-transpose", filters = 2, kernel = 3, stride = 2, padding = 1, output_padding = 1 },
    { layer = "conv", filters = 2, kernel = [3, 4], stride = [2, 2], padding = "valid" },
    { layer = "conv-transpose", filters = 2, kernel = 1, padding = "valid" },
    { layer = "crop-or-pad", size = [13, 11] },
]
"""
ACTIVATIONS = "identity relu leaky_relu elu selu sigmoid tanh softplus gelu silu".split()
DENSE = ", ".join(f'{{ layer = "dense", units = {7 + at}, activation = "{name}" }}' for at, name in enumerate(ACTIVATIONS))
PLANES = ", ".join(
    f'{{ layer = "conv", filters = 2, kernel = 1, activation = "{name}" }}, {{ layer = "batch-norm", activation = "{name}" }}'
    for name in ACTIVATIONS
)
# Encoders and decoders without any operation.
COPIED = "mlp --latent 0 --likelihood squared-error --scale none --lr 1e-3".split()
SMALL = ["--hidden", "12", "--latent", "3"]


def like(kind):
    return ["mlp", *SMALL, "--likelihood", kind, "--optimizer", "adam", "--lr", "0.05"]


# A name, the data, arguments of `narrows train`, and settings of a model in TOML.
MODELS = [
    ("linear", "images", ["linear", "--latent", "3"], ""),
    ("mlp", "images", ["mlp", *SMALL], ""),
    ("cnn", "images", ["cnn"], ""),
    ("denoising", "images", ["denoising", *SMALL], ""),
    ("contractive", "images", ["contractive", *SMALL], ""),
    ("sparse", "images", ["sparse-kl", "--hidden", "12", "--latent", "9"], ""),
    ("vae", "images", ["vae", *SMALL], ""),
    ("vae-cnn", "images", ["vae-cnn", "--latent", "3"], ""),
    ("cvae", "labelled", ["cvae", *SMALL], ""),
    ("cvae-embedded", "labelled", ["cvae", *SMALL, "--condition", "embedded", "--embedding", "2"], ""),
    ("cvae-cnn", "labelled", ["cvae", "--stack", "strided", "--hidden", "", "--latent", "3"], ""),
    ("cvae-cnn-embedded", "labelled", ["cvae", "--stack", "pooled", "--hidden", "", "--latent", "3", "--condition", "embedded"], ""),
    ("iwae", "images", ["iwae", *SMALL], ""),
    ("adversarial", "images", ["adversarial", *SMALL, "--critic-hidden", "5"], ""),
    ("tied", "images", ["mlp", "--hidden", "12,7", "--latent", "3", "--tied", "true"], ""),
    ("tied-no-bias", "images", ["mlp", *SMALL, "--tied", "true", "--bias", "false"], ""),
    ("layers", "images", ["mlp", "--hidden", "", "--latent", "4"], LAYERS),
    ("no-bias", "images", ["mlp", "--hidden", "", "--latent", "4", "--bias", "false"], LAYERS),
    ("conv-code", "images", ["mlp", "--hidden", "", "--latent", "0", "--stack", "strided"], ""),
    ("dense-activations", "images", ["mlp", "--hidden", "", "--latent", "4"], f"encoder = [{DENSE}]"),
    ("plane-activations", "images", ["mlp", "--hidden", "", "--latent", "4"], f"encoder = [{PLANES}]"),
    ("bernoulli", "images", like("bernoulli"), ""),
    ("continuous-bernoulli", "images", like("continuous-bernoulli"), ""),
    ("gaussian", "images", like("gaussian"), ""),
    ("gaussian-learned", "images", like("gaussian-learned"), ""),
    ("squared-error", "images", like("squared-error"), ""),
    ("center", "images", [*like("gaussian"), "--center", "true"], ""),
    ("dark", "dark", ["mlp", *SMALL], ""),
    ("float-images", "floats", [*like("gaussian-learned"), "--scale", "standard", "--center", "true"], ""),
    ("float-columns", "floats", [*like("gaussian-learned"), "--scale", "unit", "--scale-over", "column"], ""),
    ("rows", "rows", ["vae", *SMALL], ""),
    ("table", "table", ["vae", *SMALL], ""),
    ("table-unit", "table", ["mlp", *SMALL, "--scale", "unit"], ""),
    ("copied-code", "rows", COPIED, 'encoder = [{ layer = "dropout", rate = 0.1 }]\ndecoder = [{ layer = "dense", units = 6 }]'),
    ("copied-row", "rows", COPIED, 'encoder = [{ layer = "dense", units = 6 }]\ndecoder = [{ layer = "dropout", rate = 0.1 }]'),
    ("rows-none", "rows", ["mlp", *SMALL, "--scale", "none"], ""),
    ("table-robust", "table", ["vae", *SMALL, "--scale", "robust"], ""),
    ("table-log1p", "table", ["vae", *SMALL, "--scale", "log1p"], ""),
]

# How many times as far out codes are decoded too: where logits are large, and the robust scale is a logarithm.
FAR = {"continuous-bernoulli": 20, "table-robust": 4}


def make_data():
    random = numpy.random.default_rng(7)
    light = random.random((ITEMS, 1, 1, 1)) * numpy.linspace(0, 1, 13)[:, None, None] * numpy.array([1, 0.6])
    images = light + 0.2 * random.random((ITEMS, 13, 11, 2))
    columns = random.standard_normal((ITEMS, 2)) @ random.standard_normal((2, 6)) + 0.1 * random.standard_normal((ITEMS, 6))
    scales = numpy.array([1, 1e3, 1e-3, 1, 50, 1])
    rows = (numpy.exp(0.5 * columns) * scales).astype("f4")
    # Beyond where the robust scale is straight.
    rows[5, 1] *= 300
    data = {
        "images": (170 * images).astype("u1"),
        "labelled": (170 * images).astype("u1"),
        "dark": (9 * images).astype("u1"),
        "floats": (30 * images - 12).astype("f4"),
        "rows": columns.astype("f4"),
        "table": rows,
    }
    for name, values in data.items():
        if name == "table":
            header = ",".join(f"column {at}" for at in range(values.shape[1]))
            numpy.savetxt("table.csv", values, fmt="%.9g", delimiter=",", header=header, comments="")
        else:
            numpy.save(f"{name}.npy", values)
    numpy.save("labelled-labels.npy", LABELS.astype("u1"))
    return {name: values.astype("f4") for name, values in data.items()}


def told(data, some=slice(None)):
    """What a conditional model is given beside x or code."""
    return {"label": LABELS[some]} if data == "labelled" else {}


def narrows(*arguments):
    outcome = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    if outcome.returncode:
        raise SystemExit(f"narrows {' '.join(arguments)}: {outcome.stderr}")
    return outcome.stdout


def close(what, got, expected, span=None):
    """Compares to TOLERANCE of a span, or of each column's, by default that of what is expected; NaN is never close."""
    got = numpy.asarray(got)
    assert got.shape == expected.shape, f"{what}: expected {expected.shape}, got {got.shape}"
    if span is None:
        span = max(float(numpy.ptp(expected)), float(abs(expected).max()) / 100)
    error = float((abs(got.astype("f8") - expected) / span).max())
    assert error <= TOLERANCE, f"{what}: off by {error:.2e} of the range {span}"
    return error


def check_onnx(folder, data, x, codes, decoded, span):
    sessions = {}
    for part in ["encoder", "decoder", "autoencoder"]:
        path = f"{folder}/{part}.onnx"
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert model.doc_string and model.producer_name == "narrows", path
        assert not [node for node in model.graph.node if "Random" in node.op_type or node.op_type == "Dropout"], path
        for value in [*model.graph.input, *model.graph.output]:
            assert value.doc_string, f"{path}: {value.name} has no description"
            dims = value.type.tensor_type.shape.dim
            assert dims[0].dim_param == "batch" and all(dim.dim_value > 0 for dim in dims[1:]), f"{path}: {value}"
        told_names = {value.name for value in model.graph.input} - {"x", "code"}
        assert told_names == set(told(data)), f"{path}: inputs {told_names}"
        sessions[part] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in sessions["encoder"].get_outputs()]
    assert names in (["code"], ["mean", "logvar"]), names
    code = sessions["encoder"].run(None, {"x": x, **told(data)})
    errors = [
        close("encoder.onnx", code[0], codes),
        close("decoder.onnx", sessions["decoder"].run(["reconstruction"], {"code": codes, **told(data)})[0], decoded, span),
    ]
    outputs = sessions["autoencoder"].run(["reconstruction", names[0]], {"x": x, **told(data)})
    errors += [close("autoencoder.onnx", outputs[0], decoded, span), close("its code", outputs[1], codes)]
    for start, batch in [(0, 1), (1, 7), (8, 2)]:
        some = slice(start, start + batch)
        got = sessions["autoencoder"].run(["reconstruction"], {"x": x[some], **told(data, some)})[0]
        close(f"a batch of {batch}", got, decoded[some], span)
    return max(errors), code


def loaded(folder):
    spec = importlib.util.spec_from_file_location("model", f"{folder}/model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def check_pytorch(folder, data, x, codes, decoded, span, logvar):
    model = loaded(folder)
    label = [torch.from_numpy(label) for label in told(data).values()]
    with torch.no_grad():
        code = model.encode(torch.from_numpy(x), *label)
        errors = []
        if logvar is not None:
            errors.append(close("model.py's log variance", code[1], logvar))
            code = code[0]
        errors += [
            close("model.py's code", code, codes),
            close("model.py's decoded code", model.decode(torch.from_numpy(codes), *label), decoded, span),
            close("model.py", model(torch.from_numpy(x), *label), decoded, span),
            close("model.py of 1", model(torch.from_numpy(x[:1]), *[some[:1] for some in label]), decoded[:1], span),
        ]
    return max(errors)


def check_far(name, codes, span):
    """Codes far out."""
    numpy.save(f"{name}-far.npy", codes)
    narrows("decode", name, f"{name}-far.npy", "--out", f"{name}-far-decoded.npy")
    decoded = numpy.load(f"{name}-far-decoded.npy")
    span = numpy.maximum(span, numpy.ptp(decoded, axis=0) if decoded.ndim == 2 else 0)
    session = onnxruntime.InferenceSession(f"{name}-onnx/decoder.onnx", providers=["CPUExecutionProvider"])
    close("decoder.onnx, far out", session.run(None, {"code": codes})[0], decoded, span)
    with torch.no_grad():
        close("model.py, far out", loaded(f"{name}-pytorch").decode(torch.from_numpy(codes)), decoded, span)


def fails(what, words, run):
    """Calls what must fail, with such words."""
    try:
        run()
    except Exception as error:
        assert words in str(error), f"{what}: {error}"
    else:
        raise AssertionError(f"{what} is taken")


def check_labels(name, x, codes):
    """Labels that no class has are refused."""
    model = loaded(f"{name}-pytorch")
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4
    for part, given, values, call in [
        ("encoder", "x", x[:3], model.encode),
        ("decoder", "code", codes[:3], model.decode),
        ("autoencoder", "x", x[:3], model),
    ]:
        session = onnxruntime.InferenceSession(f"{name}-onnx/{part}.onnx", quiet, providers=["CPUExecutionProvider"])

        def by_onnx(label):
            session.run(None, {given: values, "label": numpy.array([0, label, 1])})

        def by_torch(label):
            call(torch.from_numpy(values), torch.tensor([0, label, 1]))

        by_onnx(CLASSES - 1)
        by_torch(CLASSES - 1)
        for label in [-1, -CLASSES, CLASSES, CLASSES + 90]:
            fails(f"{part}.onnx: the label {label}", "out of data bounds", lambda: by_onnx(label))
            fails(f"{part} of model.py: the label {label}", "Class values must be", lambda: by_torch(label))


def check_init(name, train):
    """A state dict begins a run of the same model whole, in PyTorch's layouts."""
    narrows("export", name, "--format", "safetensors", "--out", f"{name}.safetensors")
    again = [*train, "--run", f"{name}-again", "--init", f"{name}.safetensors"]
    said = narrows("train", *again)
    told = next(line for line in said.splitlines() if "begun with the parameters" in line)
    taken, _, of = told.rpartition(": ")[2].split()[:3]
    assert taken == of, told


def check(name, data, arguments, layers, arrays):
    place = "table.csv" if data == "table" else f"{data}.npy"
    train = [arguments[0], "--data", place, "--epochs", "1", "--batch", "8", *arguments[1:]]
    if layers:
        with open(f"{name}.toml", "w") as file:
            file.write(f"[model]\n{layers}")
        train += ["--config", f"{name}.toml"]
    narrows("train", *train, "--run", name)
    x = arrays[data]
    for format in ["onnx", "pytorch"]:
        narrows("export", name, "--format", format)
    narrows("encode", name, "--part", "all", "--out", f"{name}-codes.npy")
    narrows("reconstruct", name, "--part", "all", "--count", str(len(x)), "--out", f"{name}-decoded.npy")
    codes, decoded = numpy.load(f"{name}-codes.npy"), numpy.load(f"{name}-decoded.npy")
    # A column of a table has a range of its own.
    span = numpy.ptp(x, axis=0) if x.ndim == 2 else numpy.ptp(x)
    by_onnx, code = check_onnx(f"{name}-onnx", data, x, codes, decoded, span)
    by_torch = check_pytorch(f"{name}-pytorch", data, x, codes, decoded, span, code[1] if len(code) == 2 else None)
    if name in FAR:
        check_far(name, FAR[name] * codes, span)
    if told(data):
        check_labels(name, x, codes)
    check_init(name, train)
    # For check-export.mjs.
    for what, values in [("x", x), ("code", codes), ("reconstruction", decoded)]:
        values.astype("<f4").tofile(f"{name}-onnx/{what}.bin")
    shapes = {what: list(values.shape) for what, values in [("x", x), ("code", codes), ("reconstruction", decoded)]}
    with open(f"{name}-onnx/shapes.json", "w") as file:
        json.dump({**shapes, "label": [int(label) for label in told(data).get("label", [])], "first": "mean" if len(code) == 2 else "code", "span": numpy.atleast_1d(span).tolist()}, file)
    print(f"{name}: off by {by_onnx:.1e} in ONNX Runtime, {by_torch:.1e} in PyTorch", flush=True)


PROGRAM = os.path.abspath(sys.argv[1])
os.chdir(sys.argv[2])
arrays = make_data()
for model in MODELS:
    check(*model, arrays)
print(f"{len(MODELS)} models agree to {TOLERANCE:g}")
