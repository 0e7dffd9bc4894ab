// The page in headless Chromium: node page.mjs PAGE NARROWS CHROMIUM OUT [WORDS]. It runs in the folder of node_modules, and
// leaves screenshots and figures.json in OUT. Words leave out the tests that have them not in their name.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const [page, narrows, executablePath, out, words = ""] = process.argv.slice(2);
const require = createRequire(join(process.cwd(), "package.json"));
const { chromium } = (await import(pathToFileURL(require.resolve("playwright-core")))).default;
const SWIFTSHADER = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
// Apart relatively, at most.
const CLOSE = 1e-4;
const CHECKPOINT = join(out, "run-vae/last.safetensors");
// Of 8 steps each.
const EPOCHS = 3;
const figures = {};
mkdirSync(out, { recursive: true });

// Files of data, and the bytes of an item in each.
const DATA = { "/train-images-idx3-ubyte": 784, "/train-labels-idx1-ubyte": 1, "/t10k-images-idx3-ubyte": 784, "/t10k-labels-idx1-ubyte": 1 };
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", wasm: "application/wasm", svg: "image/svg+xml" };
const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    try {
        const body = pathname in DATA ? data(pathname.slice(1), DATA[pathname])
            : readFileSync(pathname === "/checkpoint" ? CHECKPOINT : join(page, pathname === "/" ? "index.html" : pathname));
        response.writeHead(200, { "content-type": TYPES[pathname.split(".").at(-1)] ?? (pathname === "/" ? "text/html" : "application/octet-stream") }).end(body);
    } catch {
        response.writeHead(404).end();
    }
});
await new Promise(ready => server.listen(0, "127.0.0.1", ready));
const address = `http://127.0.0.1:${server.address().port}/`;

// The first 640 items of a file of the sample: 0x803 images or 0x801 labels, of so many bytes each.
function data(name, size) {
    const file = gunzipSync(readFileSync(join(page, `sample/${name}.gz`)));
    const head = size === 1 ? 8 : 16;
    const some = file.subarray(0, head + 640 * size);
    some.writeUInt32BE(640, 4);
    return some;
}

// The tensors of a safetensors file, each as its bytes.
function tensors(file) {
    const length = Number(file.readBigUInt64LE());
    const header = JSON.parse(file.subarray(8, 8 + length));
    delete header.__metadata__;
    return new Map(Object.entries(header).map(([name, { data_offsets: [from, to] }]) => [name, file.subarray(8 + length + from, 8 + length + to)]));
}

async function opened(args = SWIFTSHADER, options = {}) {
    const browser = await chromium.launch({ executablePath, args });
    const tab = await browser.newPage({ viewport: { width: 1280, height: 1600 }, ...options });
    const said = [];
    tab.on("pageerror", error => said.push(error.message));
    tab.on("request", request => request.url().startsWith(address) || request.url().startsWith("blob:") || said.push(`asks for ${request.url()}`));
    await tab.goto(address);
    return { browser, tab, said };
}

// Milliseconds of the longest task of a page's main thread.
function longestTask(trace) {
    const { traceEvents } = JSON.parse(trace);
    const main = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`));
    const tasks = traceEvents.filter(({ name, pid, tid }) => name.endsWith("RunTask") && main.has(`${pid} ${tid}`));
    assert.ok(tasks.length, "the trace has no tasks");
    return Math.max(...tasks.map(({ dur }) => dur ?? 0)) / 1e3;
}

async function test(name, work) {
    if (!name.includes(words)) return;
    const began = Date.now();
    await work();
    console.log(`ok  ${name}  (${((Date.now() - began) / 1e3).toFixed(1)} s)`);
}

const ready = tab => tab.waitForFunction(() => !document.getElementById("train").disabled, null, { timeout: 60_000 });

// Natively: the epochs' lines of JSON.
function natively(preset) {
    const flags = ["train", preset, "--data", join(out, "data"), "--epochs", `${EPOCHS}`, "--json", "--run", join(out, `run-${preset}`)];
    return execFileSync(narrows, flags, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
        .split("\n").filter(line => line.startsWith("{")).map(JSON.parse);
}

// The engine alone, in the thread of a page.
const bare = await opened();
await ready(bare.tab);
figures.device = await bare.tab.textContent("#device");
figures.browser = bare.browser.version();
const presets = await bare.tab.locator("#preset option").allTextContents();

await test("every preset has the losses of the command line", async () => {
    mkdirSync(join(out, "data"));
    for (const path in DATA) writeFileSync(join(out, "data", path), data(path.slice(1), DATA[path]));
    figures.losses = {};
    for (const preset of presets) {
        const native = natively(preset);
        const trained = await bare.tab.evaluate(async ([preset, count, paths]) => {
            const { default: init, Device, Images, Trainer } = await import("/narrows.js");
            await init();
            const files = paths.map(async path => new Uint8Array(await (await fetch(path)).arrayBuffer()));
            const images = Images.idx(...await Promise.all(files));
            const trainer = await Trainer.begin(await Device.open(), preset, { train: { epochs: count } }, images);
            const epochs = [];
            while (epochs.length < count) {
                const { epoch } = await trainer.advance(100);
                if (epoch) epochs.push(epoch);
            }
            return epochs;
        }, [preset, EPOCHS, Object.keys(DATA)]);
        let worst = 0;
        // Two that play against each other make rounding grow: so do two native drivers.
        trained.slice(0, preset === "adversarial" ? 1 : EPOCHS).forEach((epoch, at) => {
            for (const { name, mean } of epoch.train) {
                const wanted = native[at].train.terms[name];
                const apart = Math.abs(mean - wanted) / Math.max(Math.abs(wanted), 1e-6);
                worst = Math.max(worst, apart);
                assert.ok(apart < CLOSE, `${preset}, epoch ${at + 1}, ${name}: ${mean} in the page, ${wanted} natively`);
            }
        });
        figures.losses[preset] = { steps: trained.at(-1).step, apart: worst };
    }
});

await test("a checkpoint of the command line is opened, and written again to the last bit", async () => {
    const same = await bare.tab.evaluate(async () => {
        const { default: init, Device, Trained } = await import("/narrows.js");
        await init();
        const wanted = new Uint8Array(await (await fetch("/checkpoint")).arrayBuffer());
        const written = Trained.load(await Device.open(), wanted).checkpoint();
        return written.length === wanted.length && written.every((byte, at) => byte === wanted[at]);
    });
    assert.ok(same);
});
assert.deepEqual(bare.said, [], "faults of the engine, or requests beyond the page");
await bare.browser.close();

const { browser, tab, said } = await opened();
await ready(tab);

await test("a model is trained, dragged, drawn for, saved, and opened in the command line", async () => {
    await browser.startTracing(tab, { categories: ["toplevel"] });
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
    figures.longestTask = longestTask(await browser.stopTracing());
});

await test("a saved model is opened again, as it is and as the state dict of the command line", async () => {
    const saved = join(out, "model.safetensors");
    execFileSync(narrows, ["export", saved, "--format", "safetensors", "--out", join(out, "state-dict.safetensors")], { stdio: "ignore" });
    const [mine, theirs] = [tensors(readFileSync(saved)), tensors(readFileSync(join(out, "state-dict.safetensors")))];
    const same = [...theirs].filter(([name, bytes]) => [...mine].some(([key, own]) => key.endsWith(name) && own.equals(bytes)));
    assert.equal(same.length, theirs.size, `of ${[...theirs.keys()]} only ${same.map(([name]) => name)} are in the page's file`);
    await tab.setInputFiles("#open", saved);
    await tab.waitForFunction(() => /^Opened model.safetensors: trained for 1 epoch of 1/.test(document.getElementById("state").textContent), null, { timeout: 60_000 });
    const [again] = await Promise.all([tab.waitForEvent("download"), tab.click("#save")]);
    assert.ok(readFileSync(await again.path()).equals(readFileSync(saved)));
    await tab.click("#go-on");
    await tab.waitForFunction(() => /^Trained for 2 epochs/.test(document.getElementById("state").textContent), null, { timeout: 240_000 });
});

await test("dropped pictures and a dropped table are trained on", async () => {
    const finished = () => tab.waitForFunction(() => /^Trained for/.test(document.getElementById("state").textContent), null, { timeout: 240_000 });
    await tab.evaluate(async () => {
        const files = new DataTransfer();
        const canvas = new OffscreenCanvas(40, 30);
        const context = canvas.getContext("2d");
        for (let at = 0; at < 36; at++) {
            context.fillStyle = `hsl(${10 * at} 80% 50%)`;
            context.fillRect(0, 0, 40, 30);
            context.clearRect(at % 30, 5, 10, 20);
            files.items.add(new File([await canvas.convertToBlob()], `picture-${at}.png`, { type: "image/png" }));
        }
        files.items.add(new File(["no picture"], "notes.txt"));
        dispatchEvent(new DragEvent("drop", { dataTransfer: files }));
    });
    await tab.waitForFunction(() => /each 32 x 32 x 3.*left out: notes\.txt/.test(document.getElementById("about-data").textContent));
    await tab.fill('[data-name="epochs"]', "2");
    await tab.fill('[data-name="batch"]', "8");
    await tab.click("#train");
    await finished();
    await tab.locator("#pictures").screenshot({ path: join(out, "own-pictures.png") });
    await tab.evaluate(() => {
        const rows = Array.from({ length: 60 }, (_, at) => `${at},${at * 2 % 7},${at * at % 11}`);
        const files = new DataTransfer();
        files.items.add(new File([["size,price,rooms", ...rows].join("\n")], "houses.csv"));
        dispatchEvent(new DragEvent("drop", { dataTransfer: files }));
    });
    await tab.waitForFunction(() => /3 columns/.test(document.getElementById("about-data").textContent));
    await tab.click("#train");
    await finished();
    await tab.locator("#pictures").screenshot({ path: join(out, "own-table.png") });
    assert.ok(await tab.locator("#trouble").isHidden(), await tab.textContent("#trouble"));
    await tab.selectOption("#data", "sample");
});

await test("a mistake is answered with a sentence, and the page goes on", async () => {
    await tab.fill('[data-name="batch"]', "0");
    await tab.click("#train");
    await tab.waitForFunction(() => /batch/.test(document.getElementById("trouble").textContent));
    await tab.fill('[data-name="batch"]', "128");
    await tab.fill('[data-name="epochs"]', "3");
    await tab.click("#train");
    const training = () => tab.waitForFunction(() => /step [1-9]/.test(document.getElementById("state").textContent), null, { timeout: 60_000 });
    await training();
    await tab.setInputFiles("#open", { name: "x.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from("no checkpoint") });
    await tab.waitForFunction(() => /checkpoint/.test(document.getElementById("trouble").textContent));
    assert.ok(await tab.locator("#stop").isEnabled(), "what is no checkpoint stopped the run");
    await tab.click("#stop");
    await tab.waitForFunction(() => /^Stopped after/.test(document.getElementById("state").textContent), null, { timeout: 60_000 });
    await tab.click("#go-on");
    await training();
    await tab.click("#stop");
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
