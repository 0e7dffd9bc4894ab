// Reads the dispatches that the tests kept in a folder.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

// Of each entry, so many are run again: pipelines compile slowly where there is no GPU.
const MOST = 4;

/** A function from a shader and its entry to some of its cases; of the folder "none", to none. */
export function casesIn(folder) {
  if (folder === "none") return () => [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
  return (shader, entry) => {
    const found = names.filter((name) => name.startsWith(`${shader.name}.${entry.name}.`));
    const every = Math.max(1, found.length / MOST);
    const chosen = found.filter((_, at) => Math.floor(at / every) > Math.floor((at - 1) / every));
    return chosen.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  };
}
