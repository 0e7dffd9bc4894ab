// narrows in Node, where WebGPU comes from the package `webgpu`.
import { readFile } from "node:fs/promises";
import start from "./narrows.js";

export * from "./narrows.js";

let awake;

export default async function init({ create, globals }, flags = []) {
    Object.assign(globalThis, globals);
    // The module looks for WebGPU where a page's worker has it.
    globalThis.WorkerGlobalScope ??= class WorkerGlobalScope {};
    // Dawn ends with the last that refers to it.
    const gpu = create(flags);
    const navigator = { gpu, userAgent: "Node" };
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    // Its promises alone do not keep Node running.
    awake ??= setInterval(() => {}, 20);
    await start({ module_or_path: await readFile(new URL("narrows_bg.wasm", import.meta.url)) });
}

export function close() {
    clearInterval(awake);
    awake = undefined;
    delete globalThis.navigator;
}
