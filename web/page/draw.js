// Paper to draw on: what the model makes of a drawing, and how unusual it finds it.
import { call, latest } from "./calls.js";
import { lay } from "./pictures.js";

const NOISE = 0.2; // its standard deviation, where items are in [0, 1]

// A number of a standard normal, by Box and Muller.
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

export class Paper {
    #canvas = document.getElementById("paper");
    #values = new Float32Array();
    #shape = [0, 0, 0];
    #pen = [0, 0];
    #down = false;

    constructor() {
        const put = event => {
            const { left, top, width, height } = this.#canvas.getBoundingClientRect();
            const [rows, columns] = this.#shape;
            this.#dot((event.clientX - left) / width * columns, (event.clientY - top) / height * rows);
        };
        this.#canvas.addEventListener("pointerdown", event => {
            this.#canvas.setPointerCapture(event.pointerId);
            put(event);
        });
        this.#canvas.addEventListener("pointermove", event => event.buttons && put(event));
        this.#canvas.addEventListener("keydown", event => {
            const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], " ": [0, 0] }[event.key];
            if (!by) return;
            event.preventDefault();
            if (event.key === " ") this.#down = !this.#down;
            const [rows, columns] = this.#shape;
            this.#pen = [Math.min(columns - 1, Math.max(0, this.#pen[0] + by[0])), Math.min(rows - 1, Math.max(0, this.#pen[1] + by[1]))];
            if (this.#down) this.#dot(this.#pen[0] + 0.5, this.#pen[1] + 0.5);
            else this.#show();
        });
        document.getElementById("clear").addEventListener("click", () => {
            this.#values.fill(0);
            this.follow(this.#shape);
        });
        document.getElementById("take").addEventListener("click", async () => {
            this.#values = await call("item", { at: Math.floor(Math.random() * 100) });
            this.follow(this.#shape);
        });
        document.getElementById("spoil").addEventListener("click", () => {
            this.#values = this.#values.map(value => Math.min(1, Math.max(0, value + NOISE * normal())));
            this.follow(this.#shape);
        });
    }

    /** The model has changed: items are [height, width, channels]. */
    follow(shape) {
        const size = shape[0] * shape[1] * shape[2];
        if (this.#values.length !== size) {
            this.#values = new Float32Array(size);
            this.#pen = [Math.floor(shape[1] / 2), Math.floor(shape[0] / 2)];
        }
        this.#shape = shape;
        this.#show();
        this.#redraw();
    }

    // A soft round pen.
    #dot(x, y) {
        const [rows, columns, channels] = this.#shape;
        const reach = Math.max(1, columns / 20);
        const erases = document.getElementById("erase").checked;
        for (let row = Math.floor(y - 2 * reach); row <= y + 2 * reach; row++) {
            for (let column = Math.floor(x - 2 * reach); column <= x + 2 * reach; column++) {
                if (row < 0 || column < 0 || row >= rows || column >= columns) continue;
                const ink = Math.min(1, Math.max(0, 1.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y) / reach));
                for (let at = (row * columns + column) * channels, end = at + channels; at < end; at++) {
                    this.#values[at] = erases ? Math.min(this.#values[at], 1 - ink) : Math.max(this.#values[at], ink);
                }
            }
        }
        this.#show();
        this.#redraw();
    }

    #show() {
        lay(this.#canvas, [this.#values], this.#shape);
        if (document.activeElement !== this.#canvas) return;
        const context = this.#canvas.getContext("2d");
        context.fillStyle = this.#down ? "#d1495b" : "#1b6ca8";
        context.fillRect(...this.#pen, 1, 1);
    }

    #redraw = latest(async () => {
        const { redrawn, scores } = await call("drawn", { values: this.#values.slice() });
        lay(document.getElementById("redrawn"), [redrawn], this.#shape);
        const parts = scores.columns.map((name, at) => `${name.replaceAll("_", " ")} ${scores.rows[0][at].toPrecision(4)}`);
        document.getElementById("score").textContent = `How unusual it is: ${parts.join(", ")}. The score is the ${scores.by.replaceAll("_", " ")}.`;
    });
}
