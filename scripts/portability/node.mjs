// Runs the kept dispatches on Dawn in Node: node node.mjs SHADERS.json CASES RESULT.json [flags of Dawn, as backend=vulkan]
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { runAll } from "./cases.mjs";
import { casesIn } from "./kept.mjs";

const [shadersPath, folder, result, ...flags] = process.argv.slice(2);
const require = createRequire(join(process.cwd(), "package.json"));
const { create, globals } = await import(pathToFileURL(require.resolve("webgpu")));
Object.assign(globalThis, globals);
// Dawn's promises alone do not keep Node running.
const awake = setInterval(() => {}, 50);
// It must outlive what comes of it, and only this keeps it.
globalThis.dawn = create(flags);
const adapter = await globalThis.dawn.requestAdapter();
if (!adapter) {
  console.error("error: Dawn found no adapter");
  process.exit(1);
}
const shaders = JSON.parse(readFileSync(shadersPath, "utf8"));
const cases = casesIn(folder);
const records = await runAll(adapter, shaders, cases, (name) => console.error(name));
const { vendor, architecture, device, description } = adapter.info;
writeFileSync(result, JSON.stringify({ device: { vendor, architecture, device, description }, records }, null, 1));
clearInterval(awake);
process.exit(0);
