// What a user writes against the types of both packages; the compiler checks it, nothing runs.
import init, { Device, Images, Trainer, type Slice } from "narrows";
import start, { close } from "narrows/node";
import { all, fold, matmul_tile, type Shader } from "narrows-shaders";

const entry: "product" | undefined = matmul_tile.entries.map(({ name }) => name).find(name => name === "product");
// @ts-expect-error: there is no such entry
const none: boolean = matmul_tile.entries[0]!.name === "produkt";
const shaders: Shader[] = all;
const groups: [number, number, number] = fold(100_000);

export async function train(pixels: Uint8Array): Promise<number[]> {
    await init();
    const images = Images.pictures(pixels, 28, 28, 1);
    const trainer = await Trainer.begin(await Device.open(), "vae", { train: { epochs: 2 } }, images);
    const slice: Slice = await trainer.advance(50);
    const trained = await trainer.trained();
    return [...await trained.decode(Float32Array.of(0, 0)), slice.epoch?.objective ?? 0, trained.info.latent, ...groups];
}

export { close, entry, none, shaders, start };
