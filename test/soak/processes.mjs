import { readdirSync, readFileSync, readlinkSync } from "node:fs";

// Looks at processes through /proc: who carries a mark in the environment, what one holds open.

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}

/**
 * Every living process whose environment at its start held `text`.
 * @param {string} text
 * @returns {{pid: number, parent: number, command: string, environment: string}[]}
 */
export function processesMarked(text) {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/u.test(name)) return [];
    const environment = read(`/proc/${name}/environ`);
    if (!environment.includes(text)) return [];
    const command = read(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim();
    const [, parent] = /^PPid:\t(\d+)$/mu.exec(read(`/proc/${name}/status`)) ?? [];
    return [{ pid: Number(name), parent: Number(parent), command, environment }];
  });
}

/** Children of a process that have ended and were not fetched. @param {number} parent */
export function zombiesOf(parent) {
  return readdirSync("/proc").filter((name) => {
    const status = /^\d+$/u.test(name) ? read(`/proc/${name}/status`) : "";
    return status.includes(`\nPPid:\t${parent}\n`) && /^State:\tZ/mu.test(status);
  }).length;
}

/** Open sockets (pipes to children are some too), files and everything else. @param {number} pid */
export function openDescriptors(pid) {
  let sockets = 0;
  let all = 0;
  let names;
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return { sockets: 0, all: 0 };
  }
  for (const name of names) {
    all++;
    try {
      if (readlinkSync(`/proc/${pid}/fd/${name}`).startsWith("socket:")) sockets++;
    } catch {
      // Closed meanwhile.
    }
  }
  return { sockets, all };
}

/** @param {number} pid */
export function isAlive(pid) {
  return read(`/proc/${pid}/status`) !== "" && !/^State:\tZ/mu.test(read(`/proc/${pid}/status`));
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Looks every 50 ms until it is so.
 * @param {() => boolean | Promise<boolean>} isSo
 * @param {number} withinMs
 * @returns {Promise<boolean>} false when it never was
 */
export async function within(withinMs, isSo) {
  const end = Date.now() + withinMs;
  for (;;) {
    if (await isSo()) return true;
    if (Date.now() > end) return false;
    await pause(50);
  }
}
