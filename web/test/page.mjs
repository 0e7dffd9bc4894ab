// The page in headless Chromium: node page.mjs PAGE NARROWS CHROMIUM OUT. It runs in the folder of node_modules, and leaves
// screenshots and figures.json in OUT.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const [page, narrows, executablePath, out] = process.argv.slice(2);
const require = createRequire(join(process.cwd(), "package.json"));
const { chromium } = (await import(pathToFileURL(require.resolve("playwright-core")))).default;
const SWIFTSHADER = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
const CLOSE = 1e-4;
const figures = {};
mkdirSync(out, { recursive: true });

const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", wasm: "application/wasm", svg: "image/svg+xml" };
const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    try {
        const body = pathname === "/data.npy" ? data() : readFileSync(join(page, pathname === "/" ? "index.html" : pathname));
        response.writeHead(200, { "content-type": TYPES[pathname.split(".").at(-1)] ?? (pathname === "/" ? "text/html" : "application/octet-stream") }).end(body);
    } catch {
        response.writeHead(404).end();
    }
});
await new Promise(ready => server.listen(0, "127.0.0.1", ready));
const address = `http://127.0.0.1:${server.address().port}/`;

// The first 640 images of the sample as a .npy file.
function data() {
    const images = gunzipSync(readFileSync(join(page, "sample/train-images-idx3-ubyte.gz"))).subarray(16, 16 + 640 * 784);
    const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (640, 28, 28), }";
    const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
    const start = Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), Buffer.from(Uint16Array.of(length).buffer)]);
    return Buffer.concat([start, Buffer.from(header.padEnd(length - 1) + "\n"), images]);
}

async function opened(args = SWIFTSHADER, options = {}) {
    const browser = await chromium.launch({ executablePath, args });
    const tab = await browser.newPage({ viewport: { width: 1280, height: 1600 }, ...options });
    const said = [];
    tab.on("pageerror", error => said.push(error.message));
    tab.on("request", request => request.url().startsWith(address) || request.url().startsWith("blob:") || said.push(`asks for ${request.url()}`));
    await tab.addInitScript(() => {
        window.longest = 0;
        new PerformanceObserver(list => { for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration); })
            .observe({ type: "longtask", buffered: true });
    });
    await tab.goto(address);
    return { browser, tab, said };
}

async function test(name, work) {
    const began = Date.now();
    await work();
    console.log(`ok  ${name}  (${((Date.now() - began) / 1e3).toFixed(1)} s)`);
}

const ready = tab => tab.waitForFunction(() => !document.getElementById("train").disabled, null, { timeout: 60_000 });

// Natively: the epochs' lines of JSON.
function natively(preset, file) {
    const flags = ["train", preset, "--data", file, "--epochs", "4", "--json", "--run", join(out, `run-${preset}`)];
    return execFileSync(narrows, flags, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
        .split("\n").filter(line => line.startsWith("{")).map(JSON.parse);
}

const { browser, tab, said } = await opened();
await ready(tab);
figures.device = await tab.textContent("#device");
figures.browser = browser.version();
const presets = await tab.locator("#preset option").allTextContents();

await test("every preset has the losses of the command line", async () => {
    const file = join(out, "data.npy");
    writeFileSync(file, data());
    figures.losses = {};
    for (const preset of presets) {
        let native;
        try {
            native = natively(preset, file);
        } catch {
            console.log(`    ${preset} does not train on such images`);
            continue;
        }
        const trained = await tab.evaluate(async preset => {
            const { default: init, Device, Images, Trainer } = await import("/narrows.js");
            await init();
            const bytes = new Uint8Array(await (await fetch("/data.npy")).arrayBuffer());
            const images = Images.npy(bytes);
            const trainer = await Trainer.begin(await Device.open(), preset, { train: { epochs: 4 } }, images);
            const epochs = [];
            while (epochs.length < 4) {
                const { epoch } = await trainer.advance(100);
                if (epoch) epochs.push(epoch);
            }
            return epochs;
        }, preset);
        let worst = 0;
        trained.forEach((epoch, at) => {
            for (const { name, mean } of epoch.train) {
                const wanted = native[at].train[name];
                const apart = Math.abs(mean - wanted) / Math.max(Math.abs(wanted), 1e-6);
                worst = Math.max(worst, apart);
                assert.ok(apart < CLOSE, `${preset}, epoch ${at + 1}, ${name}: ${mean} in the page, ${wanted} natively`);
            }
        });
        figures.losses[preset] = { steps: trained.at(-1).step, apart: worst };
    }
});

await test("a checkpoint of the command line is opened, and written again to the last bit", async () => {
    const bytes = readFileSync(join(out, "run-vae/last.safetensors"));
    const same = await tab.evaluate(async bytes => {
        const { Device, Trained } = await import("/narrows.js");
        const wanted = Uint8Array.from(bytes);
        const written = Trained.load(await Device.open(), wanted).checkpoint();
        return written.length === wanted.length && written.every((byte, at) => byte === wanted[at]);
    }, [...bytes]);
    assert.ok(same);
});

await test("a model is trained, dragged, drawn for, saved, and opened in the command line", async () => {
    await tab.fill('[data-name="latent"]', "2");
    await tab.fill('[data-name="epochs"]', "1");
    await tab.click("#train");
    await tab.waitForFunction(() => document.body.dataset.firstStep, null, { timeout: 60_000 });
    figures.firstStep = Number(await tab.evaluate(() => document.body.dataset.firstStep));
    await tab.waitForFunction(() => document.getElementById("stop").disabled, null, { timeout: 240_000 });
    const before = await tab.evaluate(() => document.getElementById("decoded").toDataURL());
    const { x, y, width, height } = await tab.locator("#plane").boundingBox();
    await tab.mouse.move(x + width / 2, y + height / 2);
    await tab.mouse.down();
    await tab.mouse.move(x + width / 5, y + height / 5, { steps: 5 });
    await tab.mouse.up();
    await tab.waitForFunction(before => document.getElementById("decoded").toDataURL() !== before, before);
    await tab.locator("#paper").scrollIntoViewIfNeeded();
    const paper = await tab.locator("#paper").boundingBox();
    await tab.mouse.move(paper.x + paper.width / 4, paper.y + paper.height / 4);
    await tab.mouse.down();
    await tab.mouse.move(paper.x + paper.width * 3 / 4, paper.y + paper.height * 3 / 4, { steps: 8 });
    await tab.mouse.up();
    await tab.waitForFunction(() => /squared error [0-9]/.test(document.getElementById("score").textContent));
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.click("#save")]);
    await download.saveAs(join(out, "model.safetensors"));
    const told = execFileSync(narrows, ["sample", join(out, "model.safetensors"), "--out", join(out, "samples.png")], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    console.log(`    narrows sample: ${told.trim().split("\n")[0]}`);
    await tab.screenshot({ path: join(out, "desktop.png"), fullPage: true });
    await tab.emulateMedia({ colorScheme: "dark" });
    await tab.setViewportSize({ width: 390, height: 844 });
    await tab.screenshot({ path: join(out, "phone-dark.png"), fullPage: true });
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `the page is ${wide} wide on a phone`);
    figures.longestTask = await tab.evaluate(() => window.longest);
});

await test("a lost device is opened anew, and training goes on", async () => {
    await tab.fill('[data-name="epochs"]', "3");
    await tab.click("#train");
    await tab.waitForFunction(() => /step [1-9]/.test(document.getElementById("state").textContent), null, { timeout: 60_000 });
    await tab.evaluate(async () => (await import("/calls.js")).call("lose"));
    await tab.waitForFunction(() => /was lost/.test(document.getElementById("state").textContent), null, { timeout: 60_000 });
    await tab.waitForFunction(() => /Epoch/.test(document.getElementById("state").textContent), null, { timeout: 60_000 });
    await tab.click("#stop");
    assert.ok(await tab.locator("#trouble").isHidden(), await tab.textContent("#trouble"));
});
assert.deepEqual(said, [], "faults on the page, or requests beyond it");
await browser.close();

await test("without WebGPU the page says what is missing", async () => {
    const { browser, tab } = await opened(["--no-sandbox", "--disable-features=WebGPU"]);
    await tab.waitForFunction(() => !document.getElementById("trouble").hidden);
    assert.match(await tab.textContent("#trouble"), /needs WebGPU/);
    await browser.close();
});

writeFileSync(join(out, "figures.json"), JSON.stringify(figures, null, 1));
console.log(JSON.stringify(figures, null, 1));
server.close();
