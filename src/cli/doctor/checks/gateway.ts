import { connect } from "node:net";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { version } from "../../../core/version.ts";
import { readRuntimeFile, runtimeFilePath } from "../../../runtime/runtime-file.ts";
import type { Check, Finding } from "../check.ts";
import type { Ground } from "../ground.ts";

const defaultPort = 3050;
const connectMs = 2_000;

/** The runtime file, who owns the state directory, the gateway and its version, and who has its port. */
export const gatewayCheck: Check = {
  name: "gateway",
  async look(ground, signal) {
    const name = "gateway";
    const runtimeFile = await lookAtRuntimeFile(ground);
    const state = await ground.gateway();
    if (state.kind === "silent") {
      const message = `Process ${state.record.pid} is at ${state.record.url} and does not answer: ${state.reason}`;
      return [runtimeFile, { name, state: "fail", message, mend: startAnew(state.record.pid) }];
    }
    if (state.kind === "running") {
      const { url, pid } = state.record;
      const message = `${state.version} at ${url} (process ${pid})`;
      if (state.version === version) return [runtimeFile, { name, state: "ok", message }];
      const old = `${message}, and this program is ${version}`;
      return [runtimeFile, { name, state: "warn", message: old, mend: "agent serve --restart" }];
    }
    const owner = await lockOwner(ground.context.directories.state);
    if (owner !== undefined) {
      const message = `Process ${owner} holds the state directory, and nothing says where it listens`;
      return [runtimeFile, { name, state: "fail", message, mend: `kill ${owner}` }];
    }
    return [runtimeFile, await absent(ground, signal)];
  },
};

/** Asked to end, one that does not answer hardly does; that the process is the gateway is known by when it started. */
export function startAnew(pid: number): string {
  const kill = process.platform === "win32" ? `taskkill /F /PID ${pid}` : `kill -KILL ${pid}`;
  return `${kill}; agent serve --background`;
}

async function absent(ground: Ground, signal: AbortSignal): Promise<Finding> {
  const name = "gateway";
  const configuration = await ground.configuration().catch(() => undefined);
  const port = configuration?.port ?? defaultPort;
  const wanted = (configuration?.servers.size ?? 0) > 0 || ground.survey.profiles.length === 0;
  if (wanted && port !== 0 && (await isTaken(port, signal))) {
    return {
      name,
      state: "warn",
      message: `None runs, and something else listens on its port ${port}`,
      mend: "agent serve --background --port 0",
    };
  }
  return wanted
    ? { name, state: "warn", message: "None runs", mend: "agent serve --background" }
    : { name, state: "ok", message: "None runs; the profiles are of servers elsewhere" };
}

async function lookAtRuntimeFile({ context, shellPath }: Ground): Promise<Finding> {
  const name = "runtime file";
  const { state } = context.directories;
  const found = await readRuntimeFile(state);
  const path = shellPath(runtimeFilePath(state));
  switch (found.kind) {
    case "absent":
      return { name, state: "ok", message: `${path} is not there: no gateway runs` };
    case "running":
      return { name, state: "ok", message: path };
    case "stale":
      return {
        name,
        state: "warn",
        message: `${path} is of a gateway that is gone (${found.reason}); it is ignored`,
        mend: `rm ${path}`,
      };
    case "untrusted":
      return {
        name,
        state: "fail",
        message: `${path} ${found.reason}; it is ignored`,
        mend: `rm ${path}`,
      };
  }
}

/** Linux says who holds which lock (proc_locks(5)); elsewhere nobody is found. */
async function lockOwner(stateDir: string): Promise<number | undefined> {
  try {
    const { ino } = await stat(join(stateDir, "gateway.lock"));
    for (const line of (await readFile("/proc/locks", "utf8")).split("\n")) {
      const [, pid, inode] = /\bWRITE\s+(\d+)\s+\w+:\w+:(\d+)\s/u.exec(line) ?? [];
      if (inode === String(ino)) return Number(pid);
    }
  } catch {
    // No lock file, or no such table.
  }
  return undefined;
}

function isTaken(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: connectMs });
    const end = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    signal.addEventListener("abort", () => end(false), { once: true });
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}
