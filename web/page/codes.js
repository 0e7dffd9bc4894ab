// The space of codes: a plane to drag in where there are two numbers, else a slider for each, and ways between items.
import { call, latest } from "./calls.js";
import { lay } from "./pictures.js";

const REACH = 3.5; // of a standard normal, nearly all
const STEPS = 9;
const COLOURS = ["#1b6ca8", "#d1495b", "#66a182", "#edae49", "#7d5ba6", "#00798c", "#8d6b48", "#c77dba", "#808c96", "#9fb132"];

export class Codes {
    #plane = document.getElementById("plane");
    #sliders = document.getElementById("sliders");
    #decoded = document.getElementById("decoded");
    #text = document.getElementById("code");
    #code = [0, 0];
    #points = { codes: [], labels: null };
    #shape = [1, 1, 1];
    #reach = REACH;

    constructor() {
        const move = event => {
            const { left, top, width, height } = this.#plane.getBoundingClientRect();
            const along = (at, length) => (2 * at / length - 1) * this.#reach;
            this.#choose([along(event.clientX - left, width), -along(event.clientY - top, height)]);
        };
        this.#plane.addEventListener("pointerdown", event => {
            this.#plane.setPointerCapture(event.pointerId);
            move(event);
        });
        this.#plane.addEventListener("pointermove", event => event.buttons && move(event));
        this.#plane.addEventListener("keydown", event => {
            const step = this.#reach / (event.shiftKey ? 5 : 25);
            const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
            if (!by) return;
            event.preventDefault();
            this.#choose(this.#code.map((value, at) => value + by[at]));
        });
        for (const id of ["from", "to", "spherical"]) {
            document.getElementById(id).addEventListener("change", () => this.way());
        }
    }

    /** The model has changed: its points, its picture of the chosen code, the way. */
    async follow({ height, width, channels, latent }) {
        this.#shape = [height, width, channels];
        if (this.#code.length !== latent) {
            this.#code = new Array(latent).fill(0);
            this.#makeSliders(latent);
        }
        this.#plane.hidden = latent !== 2;
        this.#sliders.hidden = latent === 2;
        if (latent === 2) {
            this.#points = await call("codes", { count: 800 });
            const far = this.#points.codes.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
            this.#reach = Math.max(REACH, far);
        }
        this.#drawPlane();
        this.#show();
        await this.way();
    }

    async way() {
        const number = id => Math.max(0, Math.floor(document.getElementById(id).valueAsNumber || 0));
        const spherical = document.getElementById("spherical").checked;
        const images = await call("way", { from: number("from"), to: number("to"), count: STEPS, spherical });
        lay(document.getElementById("way"), [images], this.#shape, STEPS);
    }

    #makeSliders(latent) {
        this.#sliders.replaceChildren();
        for (let at = 0; at < latent; at++) {
            const label = document.createElement("label");
            const slider = Object.assign(document.createElement("input"), { type: "range", min: -REACH, max: REACH, step: 0.05, value: 0 });
            const value = document.createElement("output");
            value.textContent = "0";
            slider.addEventListener("input", () => {
                this.#code[at] = slider.valueAsNumber;
                value.textContent = slider.value;
                this.#show();
            });
            label.append(`z${at + 1}`, slider, value);
            this.#sliders.append(label);
        }
    }

    #choose(code) {
        this.#code = code.map(value => Math.min(this.#reach, Math.max(-this.#reach, value)));
        this.#drawPlane();
        this.#show();
    }

    #drawPlane() {
        const [context, side] = [this.#plane.getContext("2d"), this.#plane.width];
        const at = value => (value / this.#reach + 1) * side / 2;
        context.clearRect(0, 0, side, side);
        const { codes, labels } = this.#points;
        for (let item = 0; item < codes.length / 2; item++) {
            context.fillStyle = COLOURS[(labels?.[item] ?? 0) % COLOURS.length];
            context.fillRect(at(codes[2 * item]) - 1.5, at(-codes[2 * item + 1]) - 1.5, 3, 3);
        }
        context.strokeStyle = context.fillStyle = getComputedStyle(this.#plane).color;
        context.lineWidth = 2;
        context.beginPath();
        context.arc(at(this.#code[0]), at(-this.#code[1]), 7, 0, 2 * Math.PI);
        context.stroke();
    }

    // The newest code follows as soon as its picture is there.
    #show = latest(async () => {
        const images = await call("decode", { codes: Float32Array.from(this.#code) });
        lay(this.#decoded, [images], this.#shape);
        const shown = this.#code.slice(0, 8).map(value => value.toFixed(2)).join(", ");
        this.#text.textContent = `Decoded code (${shown}${this.#code.length > 8 ? ", …" : ""})`;
    });
}
