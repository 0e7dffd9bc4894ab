// The page: what is chosen, and what is shown of it.
import { call, on } from "./calls.js";
import { Codes } from "./codes.js";
import { Curves } from "./curves.js";
import { Paper } from "./draw.js";
import { read, sample } from "./files.js";
import { download, isRow, lay } from "./pictures.js";

const the = id => document.getElementById(id);

// Settings that have a field of their own, where the model has them.
const FIELDS = [
    ["model", "latent", "numbers of the code"], ["train", "epochs", "epochs"], ["train", "batch", "items a step"],
    ["train", "learning_rate", "learning rate"], ["model", "kl_weight", "weight of the KL"],
    ["model", "corruption_level", "corruption"], ["model", "sparsity_weight", "weight of the sparsity"],
    ["model", "contractive_weight", "weight of the contraction"], ["train", "seed", "seed"],
];

let presets = [];
let curves, codes, paper;
let loaded = null; // what the worker has as data, or soon will: its key, and a promise
let running = false;
let info = null;
let speed = "";
let pressed = 0; // when training was asked for

function trouble(error) {
    const alarm = the("trouble");
    alarm.hidden = !error;
    if (!error) return;
    alarm.textContent = error.message;
}

// What a person asks for, with its failure on the page.
const guarded = work => async (...given) => {
    try {
        trouble(null);
        await work(...given);
    } catch (error) {
        trouble(error);
    }
};

function buttons() {
    the("train").disabled = running || !presets.length;
    the("stop").disabled = !running;
    the("save").disabled = !info;
    the("go-on").disabled = running || !info;
}

const counted = epochs => `${epochs} ${epochs === 1 ? "epoch" : "epochs"}`;

function chosen() {
    return presets.find(({ name }) => name === the("preset").value);
}

function fields() {
    const { summary, settings } = chosen();
    the("summary").textContent = summary;
    the("settings").replaceChildren(...FIELDS.flatMap(([section, name, words]) => {
        const value = settings[section]?.[name];
        if (typeof value !== "number") return [];
        const label = document.createElement("label");
        // What is kept in 32 bits is shown as it was written.
        const shown = Number.isInteger(value) ? value : +value.toPrecision(6);
        const input = Object.assign(document.createElement("input"), { type: "number", step: "any", value: shown });
        Object.assign(input.dataset, { section, name, given: shown });
        label.append(`${words} `, input);
        return [label];
    }));
}

// Only what differs from the preset.
function settings() {
    const given = {};
    for (const input of the("settings").querySelectorAll("input")) {
        const { section, name } = input.dataset;
        if (input.value !== input.dataset.given) (given[section] ??= {})[name] = input.valueAsNumber;
    }
    return given;
}

function loadData(files) {
    const key = the("data").value === "own" ? files : "sample";
    if (loaded?.key === key) return loaded.done;
    const done = readData(key);
    loaded = { key, done };
    done.catch(() => { if (loaded?.done === done) loaded = null; });
    return done;
}

async function readData(key) {
    if (!key?.length) throw new Error("Choose your files first, or drop them on the page.");
    the("about-data").textContent = "Reading …";
    const { kind, parts, leftOut = [] } = key === "sample"
        ? await sample()
        : await read(key, Number(the("side").value), the("grey").checked);
    const { train, validation, test, height, width, channels, columns, remarks } = await call("images", { kind, parts });
    const item = columns.length ? `${columns.length} columns` : `${height} x ${width} x ${channels}`;
    const notes = [...remarks, ...(leftOut.length ? [`No pictures, and left out: ${leftOut.slice(0, 3).join(", ")}${leftOut.length > 3 ? ` and ${leftOut.length - 3} more` : ""}`] : [])];
    the("about-data").textContent = `${train} items to train on, ${validation} to validate with, ${test} put aside, each ${item}. ${notes.join(". ")}`;
}

function begun({ settings, notes }) {
    the("notes").textContent = notes.map(note => `${note}.`).join(" ");
    running = true;
    curves ??= new Curves(the("curves"));
    speed = "";
    the("progress").max = settings.train.epochs;
    buttons();
}

const start = guarded(async () => {
    the("train").disabled = true;
    pressed = performance.now();
    try {
        await loadData(the("files").files);
        the("state").textContent = "Compiling shaders …";
        const run = await call("train", { preset: chosen().name, settings: settings() });
        curves = null;
        begun(run);
    } finally {
        if (!running) the("state").textContent = "Nothing is trained.";
        buttons();
    }
});

const open = guarded(async event => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    const checkpoint = new Uint8Array(await file.arrayBuffer());
    // What is no checkpoint disturbs nothing.
    await call("read", { checkpoint });
    await loadData(the("files").files);
    if (running) await call("stop");
    info = await call("load", { checkpoint });
    curves = null;
    the("curves").replaceChildren();
    the("state").textContent = `Opened ${file.name}: trained for ${counted(info.epoch)} of ${info.settings.train.epochs}.`;
});

// To the end of the run, or for further epochs where that is reached.
const goOn = guarded(async () => {
    info = await call("info");
    const { epoch, settings: { train } } = info;
    const more = the("settings").querySelector('[data-name="epochs"]').valueAsNumber;
    begun(await call("resume", { epochs: epoch < train.epochs ? train.epochs : epoch + more }));
});

async function use() {
    const shape = [info.height, info.width, info.channels];
    for (const id of ["pictures", "codes"]) the(id).hidden = false;
    the("draw").hidden = isRow(shape); // nobody draws a row of a table
    buttons();
    await codes.follow(info);
    if (!isRow(shape)) paper.follow(shape);
}

on("slice", ({ progress, epoch, rewound, recovered }) => {
    if (recovered) the("state").textContent = `The device was lost (${recovered}); training goes on from the state that was kept.`;
    if (rewound) the("state").textContent = "A step was not finite: training went back.";
    if (progress) {
        // What the page is measured by.
        document.body.dataset.firstStep ??= performance.now() - pressed;
        const done = progress.runStep / progress.runSteps;
        the("progress").value = done * the("progress").max;
        curves.add(progress.runStep, progress.terms);
        if (!epoch) the("state").textContent = `Epoch ${progress.epoch}, step ${progress.step} of ${progress.steps}`;
    }
    if (epoch) {
        if (epoch.validation) curves.add(epoch.step, epoch.validation, true);
        speed = `: ${Math.round(epoch.imagesPerSecond).toLocaleString("en")} items a second`;
        the("state").textContent = `Epoch ${epoch.epoch} took ${epoch.seconds.toFixed(1)} s${speed}`;
    }
});

on("pictures", async ({ shape, originals, reconstructions, samples }) => {
    const across = matchMedia("(max-width: 40rem)").matches ? 8 : 16;
    lay(the("reconstructions"), [originals, reconstructions], shape, across);
    // One thing at a time, so that a finger in between is answered.
    await new Promise(done => setTimeout(done));
    the("sampled").hidden = !samples.length;
    if (samples.length) lay(the("samples"), [samples], shape, across);
    info = await call("info");
    await use();
});

on("stopped", ({ done, epochs }) => {
    running = false;
    the("state").textContent = done
        ? `Trained for ${counted(epochs)}${speed}`
        : `Stopped after ${counted(epochs)}. “Go on” trains to the end.`;
    if (done) the("progress").value = the("progress").max;
    buttons();
});
on("trouble", error => { running = false; buttons(); trouble(error); });
addEventListener("unhandledrejection", event => trouble(event.reason));

the("set-up").addEventListener("submit", event => { event.preventDefault(); start(); });
the("stop").addEventListener("click", guarded(() => call("stop")));
the("save").addEventListener("click", guarded(async () => download("model.safetensors", await call("checkpoint"))));
the("go-on").addEventListener("click", goOn);
the("open").addEventListener("change", open);
the("preset").addEventListener("change", fields);
the("data").addEventListener("change", () => { the("drop").hidden = the("data").value !== "own"; });
for (const id of ["side", "grey"]) the(id).addEventListener("change", () => { loaded = null; });
for (const button of document.querySelectorAll("[data-download]")) {
    button.addEventListener("click", () => download(`${button.dataset.download}.png`, the(button.dataset.download)));
}
addEventListener("dragover", event => { event.preventDefault(); document.body.classList.add("dropping"); });
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", guarded(async event => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    the("data").value = "own";
    the("drop").hidden = false;
    the("files").files = event.dataTransfer.files;
    loaded = null;
    await loadData(the("files").files);
}));

await guarded(async () => {
    const opened = await call("open");
    presets = opened.presets;
    const { name, kind, kernels } = opened.device;
    const software = kind === "Cpu" ? ", a software driver and no GPU: slow, but right" : "";
    the("device").textContent = `Trains on ${name || "your GPU"}${software}. Kernels of matrix products: ${kernels.replace(/^rule /, "by the rule for ")}.`;
    the("preset").replaceChildren(...presets.map(({ name }) => new Option(name, name, name === "vae", name === "vae")));
    [codes, paper] = [new Codes(), new Paper()];
    fields();
    buttons();
    await loadData();
})();
