// Trains with the packages in Node, and runs a shader by itself: node train.mjs FOLDER_OF_THE_SAMPLE
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import * as webgpu from "webgpu";
import init, { close, Device, Images, Trained, Trainer } from "narrows/node";
import { fold, hadamard } from "narrows-shaders";

const [sample] = process.argv.slice(2);
await init(webgpu, ["backend=vulkan"]);
const pixels = gunzipSync(readFileSync(`${sample}/train-images-idx3-ubyte.gz`)).subarray(16, 16 + 640 * 784);
const images = Images.pictures(pixels, 28, 28, 1);
const device = await Device.open();
const trainer = await Trainer.begin(device, "vae", { train: { epochs: 3, batch: 64 } }, images);
const objectives = [];
for (let done = false; !done;) {
    const slice = await trainer.advance(1000);
    if (slice.epoch) objectives.push(slice.epoch.objective);
    done = slice.done;
}
assert.equal(objectives.length, 3);
assert.ok(objectives[2] < objectives[0], `${objectives} nats per image`);

const bytes = await trainer.checkpoint();
const trained = Trained.load(device, bytes);
assert.deepEqual(trained.checkpoint(), bytes);
const samples = await trained.sample(1, 3);
assert.equal(samples.length, 3 * 784);
assert.ok(samples.every(value => value >= 0 && value <= 1));
await assert.rejects(Trainer.begin(device, "vea", {}, images), { name: "NarrowsError", message: /vae/ });

// A shader by itself: 1,000 numbers times 10 x 10, whose rows repeat.
const [rows, columns, repeat] = [10, 10, 10];
const p = Float32Array.from({ length: 1000 }, (_, at) => at % 17 - 8);
const s = Float32Array.from({ length: 100 }, (_, at) => at % 5);
const gpu = await (await navigator.gpu.requestAdapter()).requestDevice();
const entry = hadamard.entries.find(({ name }) => name === "multiply");
const contents = { params: Uint32Array.of(rows, columns, repeat), p, s, y: new Float32Array(1000) };
const uses = { uniform: GPUBufferUsage.UNIFORM, read: GPUBufferUsage.STORAGE, read_write: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC };
const bound = entry.bindings.map(({ slot, name, access }) => {
    const buffer = gpu.createBuffer({ size: Math.max(16, contents[name].byteLength), usage: uses[access] | GPUBufferUsage.COPY_DST });
    gpu.queue.writeBuffer(buffer, 0, contents[name]);
    return { binding: slot, resource: { buffer } };
});
const module = gpu.createShaderModule({ code: hadamard.source });
const pipeline = await gpu.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: entry.name } });
const got = gpu.createBuffer({ size: 4000, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
const encoder = gpu.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: bound }));
pass.dispatchWorkgroups(...fold(Math.ceil(1000 / 64)));
pass.end();
encoder.copyBufferToBuffer(bound.at(-1).resource.buffer, 0, got, 0, 4000);
gpu.queue.submit([encoder.finish()]);
await got.mapAsync(GPUMapMode.READ);
const wanted = p.map((value, at) => value * s[Math.floor(at / columns / repeat) * columns + at % columns]);
assert.deepEqual(new Float32Array(got.getMappedRange().slice(0)), wanted);
assert.deepEqual(fold(65_536), [32_768, 2, 1]);
console.log(`ok  3 epochs in Node: ${objectives.map(value => value.toFixed(1)).join(", ")} nats per image`);
close();
process.exit(0);
