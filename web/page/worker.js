// What runs beside the page: the wasm module, the device, the data and the model. One thing at a time; between slices of
// training, whatever the page asks.
import init, { Device, Images, Trained, Trainer, presets } from "./narrows.js";

const SLICE = 100; // milliseconds
const SHOWN = 16; // items in a row
const REFRESH = 1500; // milliseconds between pictures

let device, images, trainer, trained;
let trainedOn, used; // the data of the trainer and of the model; others may have been read since
let training = false;
let looping = Promise.resolve();
let last = Promise.resolve();

// In the order that they were asked for: the module answers one call at a time.
function inTurn(work) {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
}

const plain = error => ({ name: error?.name ?? "Error", message: error?.message ?? String(error) });
const tell = (kind, content, transfer = []) => postMessage({ kind, content }, transfer);

// Work on a device that may have been lost since: it is opened anew, and the model, which is in memory too, goes there.
async function surviving(work) {
    try {
        return await work();
    } catch (error) {
        if (error?.name !== "DeviceLost") throw error;
        device = await Device.open();
        if (trained) replaceTrained(Trained.load(device, trained.checkpoint()));
        return work();
    }
}

function replaceTrained(model, data = used) {
    trained?.free();
    [trained, used] = [model, data];
}

// Data are freed when nothing refers to them any more.
function replaceTrainer(model, data) {
    trainer?.free();
    [trainer, trainedOn] = [model, data];
}

async function show() {
    const { height, width, channels } = trained.info;
    const originals = used.values("validation", 0, SHOWN);
    const { images: reconstructions } = await trained.reconstruct(used, "validation", 0, SHOWN, false);
    const samples = trained.info.prior ? await trained.sample(1, SHOWN) : new Float32Array();
    tell("pictures", { shape: [height, width, channels], originals, reconstructions, samples });
}

async function refresh() {
    replaceTrained(await trainer.trained(), trainedOn);
    await surviving(show);
}

// Slices until the run is done or stopped. What waits gets its turn in between.
async function loop() {
    let shown = 0;
    while (training) {
        // The first has one step, after which the page comes alive.
        const slice = await inTurn(() => trainer.advance(shown ? SLICE : 0));
        tell("slice", slice);
        if (slice.epoch || slice.recovered || performance.now() - shown > REFRESH) {
            await inTurn(refresh);
            shown = performance.now();
        }
        training &&= !slice.done;
    }
    await inTurn(refresh);
    tell("stopped", { done: trainer.done, epochs: trained.info.epoch });
}

function start() {
    training = true;
    looping = loop().catch(error => { training = false; tell("trouble", plain(error)); });
}

const calls = {
    async open() {
        await init();
        device = await Device.open();
        // The module sees no name of the GPU in a browser, the worker does.
        const { vendor, architecture, description } = (await navigator.gpu.requestAdapter())?.info ?? {};
        const name = description || [vendor, architecture].filter(Boolean).join(" ");
        return { device: { ...device.info, name }, presets: presets() };
    },
    async images({ kind, parts }) {
        images = Images[kind](...parts);
        return images.info;
    },
    async train({ preset, settings }) {
        replaceTrainer(await Trainer.begin(device, preset, settings, images), images);
        start();
        return { settings: trainer.settings, notes: trainer.notes };
    },
    async resume({ epochs }) {
        replaceTrainer(await Trainer.resume(device, trained.checkpoint(), used, epochs), used);
        start();
        return { settings: trainer.settings, notes: [] };
    },
    async read({ checkpoint }) { Trained.load(device, checkpoint).free(); },
    async load({ checkpoint }) {
        replaceTrained(Trained.load(device, checkpoint), images);
        replaceTrainer(undefined);
        await show();
        return trained.info;
    },
    async checkpoint() { return trainer ? trainer.checkpoint() : trained.checkpoint(); },
    async info() { return trained.info; },
    async codes({ count }) {
        const encoded = await trained.reconstruct(used, "validation", 0, count, false);
        return { codes: encoded.codes, labels: used.labels("validation")?.slice(0, count) };
    },
    async decode({ codes }) { return trained.decode(codes); },
    async way({ from, to, count, spherical }) {
        const code = async at => (await trained.reconstruct(used, "validation", at, 1, false)).codes;
        return trained.decode(trained.interpolate(await code(from), await code(to), count, spherical));
    },
    async item({ at }) { return used.values("validation", at, 1); },
    async drawn({ values }) {
        const { images: redrawn } = await trained.reconstructValues(values);
        return { redrawn, scores: await trained.score(values) };
    },
    async lose() { device.destroy(); },
};

onmessage = ({ data: { id, call, content } }) => {
    // Training ends with turns of its own.
    if (call === "stop") training = false;
    const answer = call === "stop" ? looping : inTurn(() => surviving(() => calls[call](content ?? {})));
    answer.then(result => postMessage({ id, result }), error => postMessage({ id, error: plain(error) }));
};

// A fault of the module ends its promise without an answer.
addEventListener("error", event => { training = false; tell("trouble", plain(event.error ?? event)); });
addEventListener("unhandledrejection", event => { training = false; tell("trouble", plain(event.reason)); });
