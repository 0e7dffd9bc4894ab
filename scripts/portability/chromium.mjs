// Runs the kept dispatches in headless Chromium: node chromium.mjs SHADERS.json CASES RESULT.json CHROMIUM
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { casesIn } from "./kept.mjs";

const [shadersPath, folder, result, executablePath] = process.argv.slice(2);
const require = createRequire(join(process.cwd(), "package.json"));
const { chromium } = (await import(pathToFileURL(require.resolve("playwright-core")))).default;
const shaders = JSON.parse(readFileSync(shadersPath, "utf8"));
const cases = casesIn(folder);

// A page may use WebGPU only where it comes from a server.
const server = createServer((request, response) => {
  const path = new URL(request.url, "http://127.0.0.1").pathname;
  const [, what, shader, entry] = path.split("/");
  const answers = {
    "": () => ["text/html", "<!doctype html><title>kept dispatches</title>"],
    "cases.mjs": () => ["text/javascript", readFileSync(new URL("cases.mjs", import.meta.url))],
    "shaders.json": () => ["application/json", JSON.stringify(shaders)],
    cases: () => ["application/json", JSON.stringify(cases({ name: shader }, { name: entry }))],
  };
  const [type, body] = answers[what]?.() ?? ["text/plain", null];
  response.writeHead(body === null ? 404 : 200, { "content-type": type }).end(body ?? "");
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
});
const page = await browser.newPage();
page.on("console", (message) => console.error(message.text()));
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const found = await page.evaluate(async () => {
  const { runAll } = await import("/cases.mjs");
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return { error: "Chromium found no adapter" };
  const shaders = await (await fetch("/shaders.json")).json();
  const casesOf = async (shader, entry) => (await fetch(`/cases/${shader.name}/${entry.name}`)).json();
  const records = await runAll(adapter, shaders, casesOf, (name) => console.log(name));
  const { vendor, architecture, device, description } = adapter.info;
  return { device: { vendor, architecture, device, description }, records };
});
const version = browser.version();
await browser.close();
server.close();
if (found.error) {
  console.error(`error: ${found.error}`);
  process.exit(1);
}
writeFileSync(result, JSON.stringify({ version, ...found }, null, 1));
