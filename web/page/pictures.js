// Numbers as pictures on canvases.

const GAP = 1;
const WIDEST = 160; // of several items, each: pixels on the page

/** Paints item `at` of `values` [items, height, width, channels] in [0, 1] at x, y. */
function paint(image, values, [height, width, channels], at, left, top) {
    const veiled = channels === 2 || channels === 4;
    const colours = channels - (veiled ? 1 : 0);
    for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
            const from = ((at * height + y) * width + x) * channels;
            const to = ((top + y) * image.width + left + x) * 4;
            const opacity = veiled ? values[from + colours] : 1;
            for (let c = 0; c < 3; c++) {
                const value = values[from + Math.min(c, colours - 1)];
                image.data[to + c] = 255 * (value * opacity + 1 - opacity);
            }
            image.data[to + 3] = 255;
        }
    }
}

// Rows of a table are bars from the middle: negative ones go down.
function bars(values, shape) {
    const [, width] = shape;
    const height = 24;
    // So that few columns are no wider than tall.
    const wide = Math.max(1, Math.round(height / width));
    const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    const items = values.length / width;
    const drawn = new Float32Array(items * height * width * wide).fill(1);
    for (let item = 0; item < items; item++) {
        for (let x = 0; x < width; x++) {
            const value = values[item * width + x] / most;
            const [low, high] = [Math.min(0, value), Math.max(0, value)].map(end => Math.round((1 - end) * (height - 1) / 2));
            for (let y = high; y <= low; y++) {
                const from = ((item * height + y) * width + x) * wide;
                drawn.fill(0.25, from, from + Math.max(1, wide - 1));
            }
        }
    }
    return [drawn, [height, width * wide, 1]];
}

/** Whether items of [height, width, channels] are rows of a table. */
export const isRow = ([height, width, channels]) => channels === 1 && (height === 1 || width === 1);

/** Lays sets of as many items in rows, each set below the one before. */
export function lay(canvas, sets, shape, columns = 16) {
    const laid = sets.map(values => isRow(shape) ? bars(values, [1, shape[0] * shape[1], 1]) : [values, shape]);
    const [height, width, channels] = laid[0][1];
    const count = laid[0][0].length / (height * width * channels);
    const across = Math.min(columns, count);
    const rows = Math.ceil(count / across);
    canvas.style.maxWidth = count > 1 ? `${across * WIDEST}px` : "";
    canvas.width = across * (width + GAP) - GAP;
    canvas.height = rows * sets.length * (height + GAP) - GAP;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let at = 0; at < count; at++) {
        laid.forEach(([values, form], set) => {
            const row = Math.floor(at / across) * sets.length + set;
            paint(image, values, form, at, at % across * (width + GAP), row * (height + GAP));
        });
    }
    context.putImageData(image, 0, 0);
}

/** Saves bytes, or a canvas as PNG. */
export async function download(name, content) {
    const blob = content instanceof HTMLCanvasElement
        ? await new Promise(resolve => content.toBlob(resolve))
        : new Blob([content], { type: "application/octet-stream" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
