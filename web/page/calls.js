// The page's side of worker.js: a call is a promise, what the worker tells by itself is an event.

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const waiting = new Map();
const listeners = new Map();
let number = 0;

worker.onmessage = ({ data: { id, result, error, kind, content } }) => {
    if (kind) return listeners.get(kind)?.(content);
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(Object.assign(new Error(error.message), { name: error.name }));
    else resolve(result);
};
worker.onerror = event => listeners.get("trouble")?.({ name: "Error", message: event.message ?? "the worker did not start" });

/** Calls the worker: the promise of its answer. */
export function call(name, content) {
    return new Promise((resolve, reject) => {
        waiting.set(++number, { resolve, reject });
        worker.postMessage({ id: number, call: name, content });
    });
}

/** Work that is asked for more often than it can be done: one at a time, and once more behind the last asking. */
export function latest(work) {
    let wanted = false, busy = false;
    return async () => {
        wanted = true;
        if (busy) return;
        busy = true;
        try {
            while (wanted) {
                wanted = false;
                await work();
            }
        } finally {
            busy = false;
        }
    };
}

/** Listens to what the worker tells by itself. */
export const on = (kind, listener) => listeners.set(kind, listener);
