// A curve for each term, as it comes: training in a line, validation dashed.

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [320, 160, 52, 18];
const NAMESPACE = "http://www.w3.org/2000/svg";

function make(name, attributes, parent, text) {
    const element = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
}

const short = value => Math.abs(value) >= 1e4 || Math.abs(value) < 1e-2 && value !== 0 ? value.toExponential(1) : String(+value.toPrecision(3));

/** All curves of a run, in `parent`. */
export class Curves {
    #parent;
    #terms = new Map();

    constructor(parent) {
        this.#parent = parent;
        parent.replaceChildren();
    }

    /** Adds the means of terms at a step; of the validation part where `validation`. */
    add(step, terms, validation = false) {
        for (const term of terms) {
            const curve = this.#terms.get(term.name) ?? this.#begin(term);
            curve[validation ? "validation" : "training"].push([step, term.mean]);
            this.#draw(curve);
        }
    }

    #begin({ name, unit, over }) {
        const figure = document.createElement("figure");
        const caption = document.createElement("figcaption");
        const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, figure);
        figure.append(caption);
        this.#parent.append(figure);
        const curve = { name, unit, over, svg, caption, training: [], validation: [] };
        this.#terms.set(name, curve);
        return curve;
    }

    #draw({ name, unit, over, svg, caption, training, validation }) {
        const points = [...training, ...validation].filter(([, value]) => Number.isFinite(value));
        if (!points.length) return;
        const values = points.map(([, value]) => value);
        const [low, high] = [Math.min(...values), Math.max(...values)];
        const most = Math.max(...points.map(([step]) => step), 1);
        const x = step => LEFT + (WIDTH - LEFT) * step / most;
        const y = value => (HEIGHT - BOTTOM) * (1 - (value - low) / (high - low || 1)) || 0;
        const path = curve => curve.map(([step, value], at) => `${at ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
        svg.replaceChildren();
        make("line", { x1: LEFT, y1: HEIGHT - BOTTOM, x2: WIDTH, y2: HEIGHT - BOTTOM }, svg);
        make("text", { x: LEFT - 6, y: 10, "text-anchor": "end" }, svg, short(high));
        make("text", { x: LEFT - 6, y: HEIGHT - BOTTOM, "text-anchor": "end" }, svg, short(low));
        make("text", { x: WIDTH, y: HEIGHT - 3, "text-anchor": "end" }, svg, `${most} steps`);
        make("path", { d: path(training) }, svg);
        make("path", { d: path(validation), class: "validation" }, svg);
        for (const [step, value] of validation) make("circle", { cx: x(step), cy: y(value), r: 3 }, svg);
        const now = training.at(-1)?.[1];
        const held = validation.at(-1)?.[1];
        caption.textContent = `${name.replaceAll("_", " ")}: ${short(now ?? held)} ${unit} an item, over ${over}`
            + (held === undefined ? "" : `; validation, dashed with dots, ${short(held)}`);
        svg.setAttribute("aria-label", caption.textContent);
    }
}
