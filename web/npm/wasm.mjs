// Makes the package narrows of what wasm-bindgen wrote: node wasm.mjs PAGE VERSION FOLDER
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [page, version, folder] = process.argv.slice(2);
const here = fileURLToPath(new URL("./", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const file of ["narrows.js", "narrows.d.ts", "narrows_bg.wasm"]) cpSync(`${page}/${file}`, `${folder}/${file}`);
// What the module imports lies beside it.
cpSync(`${page}/snippets`, `${folder}/snippets`, { recursive: true });
for (const file of ["README.md", "node.js", "node.d.ts"]) cpSync(here + file, `${folder}/${file}`);
for (const file of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(`${here}../../${file}`, `${folder}/${file}`);
writeFileSync(`${folder}/package.json`, JSON.stringify({
    name: "narrows", version, type: "module", license: "MIT OR Apache-2.0",
    description: "Autoencoders in handwritten WGSL, trained on any GPU, in a page or in Node",
    keywords: ["webgpu", "wgsl", "autoencoder", "vae", "training"],
    exports: {
        ".": { types: "./narrows.d.ts", default: "./narrows.js" },
        "./node": { types: "./node.d.ts", default: "./node.js" },
        "./narrows_bg.wasm": "./narrows_bg.wasm",
    },
    files: ["narrows.js", "narrows.d.ts", "narrows_bg.wasm", "snippets", "node.js", "node.d.ts", "LICENSE-MIT", "LICENSE-APACHE"],
    peerDependencies: { webgpu: ">=0.3" },
    peerDependenciesMeta: { webgpu: { optional: true } },
}, null, 2) + "\n");
