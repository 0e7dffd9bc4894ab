// Files that people bring: pictures of any kind the browser reads, tables, arrays. Nothing of them leaves the page.

/** What the worker makes of files: kind and parts of its `images` call. */
export async function read(files, side, grey) {
    const named = ending => [...files].find(file => file.name.toLowerCase().endsWith(ending));
    const bytes = async file => new Uint8Array(await file.arrayBuffer());
    const array = named(".npy");
    if (array) return { kind: "npy", parts: [await bytes(array)] };
    const rows = named(".csv") ?? named(".tsv");
    if (rows) return { kind: "table", parts: [await bytes(rows)] };
    return pictures([...files], side, grey);
}

// The middle square of each, at the same size. What is no picture is left out, and said.
async function pictures(files, side, grey) {
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const channels = grey ? 1 : 3;
    const pixels = new Uint8Array(files.length * side * side * channels);
    const leftOut = [];
    let count = 0;
    for (const file of files) {
        const picture = await createImageBitmap(file).catch(() => null);
        if (!picture) {
            leftOut.push(file.name);
            continue;
        }
        const square = Math.min(picture.width, picture.height);
        context.fillStyle = "white";
        context.fillRect(0, 0, side, side);
        context.drawImage(picture, (picture.width - square) / 2, (picture.height - square) / 2, square, square, 0, 0, side, side);
        picture.close();
        const { data } = context.getImageData(0, 0, side, side);
        let at = count * side * side * channels;
        for (let from = 0; from < data.length; from += 4) {
            const [red, green, blue] = data.subarray(from, from + 3);
            // ITU-R BT.601, as the command line has it.
            if (grey) pixels[at++] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
            else { pixels[at++] = red; pixels[at++] = green; pixels[at++] = blue; }
        }
        count++;
    }
    if (count < 10) throw new Error(`At least 10 pictures are needed, and ${count} of ${files.length} files could be read.`);
    return { kind: "pictures", parts: [pixels.slice(0, count * side * side * channels), side, side, channels], leftOut };
}

// The files of the sample, fetched from beside this page and unpacked here.
async function unpacked(name) {
    const answer = await fetch(new URL(`sample/${name}`, import.meta.url));
    if (!answer.ok) throw new Error(`the sample's file ${name} could not be fetched: ${answer.status}`);
    const stream = answer.body.pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The built-in sample of the command line, with its parts. */
export async function sample() {
    const names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
    return { kind: "idx", parts: await Promise.all(names.map(name => unpacked(`${name}-ubyte.gz`))) };
}
