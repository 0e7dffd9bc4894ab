// Makes the package narrows-shaders of shaders.json, which shaders/portability writes: node shaders.mjs SHADERS.json VERSION FOLDER
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [tables, version, folder] = process.argv.slice(2);
const shaders = JSON.parse(readFileSync(tables, "utf8"));
const crate = fileURLToPath(new URL("../../shaders/", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const file of ["README.md", "LICENSE-MIT", "LICENSE-APACHE"]) cpSync(crate + file, `${folder}/${file}`);

const write = (file, text) => writeFileSync(`${folder}/${file}`, text);
write("package.json", JSON.stringify({
    name: "narrows-shaders", version, type: "module", license: "MIT OR Apache-2.0", sideEffects: false,
    description: "The handwritten WGSL compute shaders of narrows, with binding tables, for any WebGPU implementation",
    keywords: ["wgsl", "webgpu", "shader", "gemm", "autoencoder"],
    exports: { ".": { types: "./index.d.ts", default: "./index.js" }, "./wgsl/*": "./wgsl/*" },
    files: ["index.js", "index.d.ts", "wgsl", "LICENSE-MIT", "LICENSE-APACHE"],
}, null, 2) + "\n");

// Each shader is a constant, so that a bundler keeps those alone that are used.
write("index.js", `// Made by scripts/npm.sh. Each shader is complete WGSL as the standard wants it, with its tables.

const MAX_WORKGROUPS = 65535;

/** Spreads workgroups over x and y, at most 65,535 each. Every shader ignores the numbers past its own count, which this can add. */
export function fold(workgroups) {
    if (workgroups === 0) return [0, 0, 0];
    const down = Math.ceil(workgroups / MAX_WORKGROUPS);
    return [Math.ceil(workgroups / down), down, 1];
}

${shaders.map(shader => `export const ${shader.name} = ${JSON.stringify(shader)};`).join("\n")}

/** All of them. */
export const all = [${shaders.map(({ name }) => name).join(", ")}];
`);

const one = names => names.map(name => JSON.stringify(name)).join(" | ") || "never";
write("index.d.ts", `/** A buffer that an entry point binds, in group 0. */
export interface Binding {
    slot: number;
    name: string;
    /** \`uniform\`, \`read\` or \`read_write\` storage. */
    access: "uniform" | "read" | "read_write";
}

/** An entry point: the buffers that it binds. */
export interface Entry<Name extends string = string> {
    name: Name;
    bindings: Binding[];
}

/** A shader: complete WGSL, its override constants, its entry points. */
export interface Shader<Entries extends string = string, Overrides extends string = string> {
    name: string;
    source: string;
    /** Whether it needs WebGPU's feature \`subgroups\`, which its source enables. */
    subgroups: boolean;
    overrides: Overrides[];
    entries: Entry<Entries>[];
}

/** Spreads workgroups over x and y, at most 65,535 each, for \`dispatchWorkgroups(...fold(workgroups))\`. */
export function fold(workgroups: number): [number, number, number];

${shaders.map(({ name, entries, overrides }) => `export const ${name}: Shader<${one(entries.map(({ name }) => name))}, ${one(overrides)}>;`).join("\n")}

/** All of them. */
export const all: Shader[];
`);
mkdirSync(`${folder}/wgsl`, { recursive: true });
for (const { name, source } of shaders) write(`wgsl/${name}.wgsl`, source);
