export * from "./narrows.js";

/**
 * Starts narrows on the package `webgpu`: `await init(await import("webgpu"), ["backend=vulkan"])`.
 * `flags` are Dawn's. Node then runs until `close`.
 */
export default function init(webgpu: { create(flags: string[]): unknown; globals: object }, flags?: string[]): Promise<void>;

/** Lets Node end. */
export function close(): void;
