import { readFileSync, readdirSync } from "node:fs";
import type { Trace } from "./secret-hunt.ts";

/** Command line of a process as everybody on the machine sees it; undefined when it is gone. */
export function commandLineOf(pid: number): Buffer | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`);
  } catch {
    return undefined;
  }
}

/** Looks at the command lines of a process and of all that it starts, as often as there is time, until `over`. */
export function watchProcesses(pid: number, over: Promise<unknown>): Promise<Trace[]> {
  const seen = new Map<string, Trace>();
  let watching = true;
  const look = (): void => {
    for (const id of [pid, ...descendantsOf(pid)]) {
      const text = commandLineOf(id);
      if (text === undefined) continue;
      const key = text.toString("latin1");
      if (!seen.has(key)) seen.set(key, { place: `/proc/${id}/cmdline`, text });
    }
    if (watching) setTimeout(look, 2);
  };
  look();
  return over.then(() => {
    watching = false;
    return [...seen.values()];
  });
}

function descendantsOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1")
        .split(" ")
        .filter((id) => id !== "")
        .map(Number),
    );
    return children.concat(children.flatMap(descendantsOf));
  } catch {
    return [];
  }
}
