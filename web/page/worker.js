// What runs beside the page: the wasm module, the device, the data and the model. One thing at a time; between slices of
// training, whatever the page asks.
import init, { Device, Images, Trained, Trainer, presets } from "./narrows.js";

const SLICE = 100; // milliseconds
const SHOWN = 16; // items in a row
const REFRESH = 1500; // milliseconds between pictures

let device, images, trainer, trained;
let training = false;
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
        if (trained) trained = Trained.load(device, trained.checkpoint());
        return work();
    }
}

async function show() {
    const { height, width, channels } = trained.info;
    const originals = images.values("validation", 0, SHOWN);
    const { images: reconstructions } = await trained.reconstruct(images, "validation", 0, SHOWN, false);
    const samples = trained.info.latent ? await trained.sample(1, SHOWN) : new Float32Array();
    tell("pictures", { shape: [height, width, channels], originals, reconstructions, samples });
}

async function refresh() {
    trained?.free();
    trained = await trainer.trained();
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
    loop().catch(error => { training = false; tell("trouble", plain(error)); });
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
        const made = Images[kind](...parts);
        images?.free();
        images = made;
        return images.info;
    },
    async train({ preset, settings }) {
        const began = await Trainer.begin(device, preset, settings, images);
        trainer?.free();
        trainer = began;
        start();
        return { settings: trainer.settings, notes: trainer.notes };
    },
    async resume({ checkpoint }) {
        const resumed = await Trainer.resume(device, checkpoint, images);
        trainer?.free();
        trainer = resumed;
        start();
        return { settings: trainer.settings, notes: [] };
    },
    async load({ checkpoint }) {
        const loaded = Trained.load(device, checkpoint);
        trained?.free();
        trained = loaded;
        return trained.info;
    },
    async checkpoint() { return trainer ? trainer.checkpoint() : trained.checkpoint(); },
    async info() { return trained.info; },
    async codes({ count }) {
        const encoded = await trained.reconstruct(images, "validation", 0, count, false);
        return { codes: encoded.codes, labels: images.labels("validation")?.slice(0, count) };
    },
    async decode({ codes }) { return trained.decode(codes); },
    async way({ from, to, count, spherical }) {
        const code = async at => (await trained.reconstruct(images, "validation", at, 1, false)).codes;
        return trained.decode(trained.interpolate(await code(from), await code(to), count, spherical));
    },
    async item({ at }) { return images.values("validation", at, 1); },
    async drawn({ values }) {
        const { images: redrawn } = await trained.reconstructValues(values);
        return { redrawn, scores: await trained.score(values) };
    },
    async lose() { device.destroy(); },
};

onmessage = ({ data: { id, call, content } }) => {
    if (call === "stop") training = false;
    const answer = call === "stop" ? Promise.resolve() : inTurn(() => surviving(() => calls[call](content ?? {})));
    answer.then(result => postMessage({ id, result }), error => postMessage({ id, error: plain(error) }));
};

// A fault of the module ends its promise without an answer.
addEventListener("error", event => { training = false; tell("trouble", plain(event.error ?? event)); });
addEventListener("unhandledrejection", event => { training = false; tell("trouble", plain(event.reason)); });
