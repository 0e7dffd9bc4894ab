// Runs what check-export.py exported in ONNX Runtime's web build, under Node, and compares it with narrows.
//
//     node check-export.mjs MODULES FOLDER
//
// MODULES is a folder with node_modules/onnxruntime-web, FOLDER that of check-export.py.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [modules, folder] = process.argv.slice(2).map((path) => resolve(path));
const ort = createRequire(join(modules, "here.js"))("onnxruntime-web");
// One thread needs no worker.
ort.env.wasm.numThreads = 1;
const tolerance = 1e-5;

const floats = (path) => {
    const bytes = readFileSync(path);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

const range = (numbers) => {
    let [low, high] = [Infinity, -Infinity];
    for (const x of numbers) [low, high] = [Math.min(low, x), Math.max(high, x)];
    return Math.max(high - low, Math.abs(low) / 100, Math.abs(high) / 100);
};

// The range of all numbers, or that of each column.
const check = (what, got, expected, spans) => {
    if (got.length !== expected.length) throw Error(`${what}: expected ${expected.length} numbers, got ${got.length}`);
    let worst = 0;
    expected.forEach((x, at) => {
        const error = Math.abs(got[at] - x) / spans[at % spans.length];
        if (!(error <= tolerance)) throw Error(`${what}: expected ${x}, got ${got[at]} at ${at}`);
        worst = Math.max(worst, error);
    });
    return worst;
};

const run = async (place, part, input, given, shape, label) => {
    const session = await ort.InferenceSession.create(readFileSync(join(place, part)), { executionProviders: ["wasm"] });
    const inputs = { [input]: new ort.Tensor("float32", given, shape) };
    // Of a conditional model.
    if (label.length > 0) inputs.label = new ort.Tensor("int64", BigInt64Array.from(label, BigInt), [label.length]);
    const outputs = await session.run(inputs);
    await session.release();
    return outputs;
};

const exported = readdirSync(folder).filter((name) => name.endsWith("-onnx")).sort();
if (exported.length === 0) throw Error(`${folder}: expected exports of check-export.py, found none`);
for (const name of exported) {
    const place = join(folder, name);
    const known = JSON.parse(readFileSync(join(place, "shapes.json"), "utf8"));
    const [x, code, decoded] = ["x", "code", "reconstruction"].map((what) => floats(join(place, `${what}.bin`)));
    const encoded = await run(place, "encoder.onnx", "x", x, known.x, known.label);
    const errors = [check(`${name}: encoder`, encoded[known.first].data, code, [range(code)])];
    const { reconstruction } = await run(place, "decoder.onnx", "code", code, known.code, known.label);
    errors.push(check(`${name}: decoder`, reconstruction.data, decoded, known.span));
    const whole = await run(place, "autoencoder.onnx", "x", x, known.x, known.label);
    errors.push(check(`${name}: autoencoder`, whole.reconstruction.data, decoded, known.span));
    if (String(whole.reconstruction.dims) !== String(known.reconstruction)) {
        throw Error(`${name}: expected the shape ${known.reconstruction}, got ${whole.reconstruction.dims}`);
    }
    console.log(`${name}: off by ${Math.max(...errors).toExponential(1)} in the web build of ONNX Runtime`);
}
