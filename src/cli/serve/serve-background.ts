import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError, errorCodes } from "../../core/errors.ts";
import type { ErrorBody } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { oneLine } from "../../core/terminal-text.ts";
import type { GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { findGateway } from "./find-gateway.ts";
import type { GatewayState } from "./find-gateway.ts";
import type { StartOptions } from "./serve-options.ts";
import { makeStateDirectory } from "./state-directory.ts";

/** What a gateway in the background tells the command that started it, once. */
export type Announcement = { ready: true; troubles: readonly string[] } | ErrorBody;

/** A gateway whose start is broken off has no calls to wait for. */
const longestEndMs = 10_000;
const longestLogBytes = 5 * 1024 * 1024;

export function logFileOf(stateDir: string): string {
  return join(stateDir, "gateway.log");
}

/**
 * Starts the gateway as a process of its own and waits until it answers. What keeps it from starting is
 * thrown here as it was there; the log has the rest.
 * @throws AppError
 */
export async function serveBackground(
  options: StartOptions & GlobalOptions,
  context: Context,
): Promise<GatewayState & { kind: "running" }> {
  const { directories } = context;
  const limit = context.deadline.signal;
  const log = await openLog(directories.state);
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, childArguments(options), {
      detached: true,
      env: childEnvironment(context.environment.all),
      windowsHide: true,
      stdio: ["ignore", log.fd, log.fd, "ipc"],
    });
  } finally {
    await log.close();
  }
  const spinner = context.io.spin("Starting the gateway");
  try {
    const said = await announcementOf(child, limit, directories.state);
    if ("error" in said) throw toError(said);
    for (const trouble of said.troubles) {
      context.io.note(`The gateway says: ${oneLine(trouble, 1_000)}`, { always: true });
    }
    const state = await findGateway(directories.state, limit);
    if (state.kind === "running") return state;
    throw new AppError("unreachable", "The gateway started, but does not answer", {
      hint: `its log is ${logFileOf(directories.state)}`,
    });
  } catch (error) {
    // Ctrl-C, or it took too long: nothing half started stays behind.
    await endOf(child);
    throw error;
  } finally {
    spinner.stop();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** Ends a child as gently as there is time for. */
async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), longestEndMs);
  await ended.finally(() => {
    clearTimeout(patience);
  });
}

/**
 * What the gateway inherits: all but the caller's own bearer, which signs in to servers and which a gateway has no
 * use for, while its environment can be read for as long as it runs.
 */
export function childEnvironment(
  all: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const { ONEDOOR_TOKEN: _token, ...rest } = all;
  return rest;
}

/** The same program with the same options. */
function childArguments(options: StartOptions & GlobalOptions): string[] {
  const values: readonly (readonly [string, string | undefined])[] = [
    ["--config-dir", options.configDir && resolve(options.configDir)],
    ["--config", options.config && resolve(options.config)],
    ["--host", options.host],
    ["--port", options.port?.toString()],
    ["--auth", options.auth],
    ["--external-url", options.externalUrl],
  ];
  const switches: readonly (readonly [string, boolean])[] = [
    ["--insecure-http", options.insecureHttp],
    // Not --quiet, which is about what this command says: the log is a file.
    ["--debug", options.debug],
  ];
  return [
    ...process.execArgv,
    process.argv[1] ?? "",
    "serve",
    "--announce",
    // A log of one JSON object a line, the last words too.
    "--json",
    ...values.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`])),
    ...switches.flatMap(([flag, on]) => (on ? [flag] : [])),
  ];
}

/** Appends; private, and not through a link that somebody laid there. A long one is put aside once. */
async function openLog(stateDir: string): Promise<FileHandle> {
  await makeStateDirectory(stateDir);
  const { size } = await stat(logFileOf(stateDir)).catch(() => ({ size: 0 }));
  if (size > longestLogBytes) await rename(logFileOf(stateDir), `${logFileOf(stateDir)}.1`);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const handle = await open(logFileOf(stateDir), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  await handle.chmod(0o600);
  return handle;
}

function announcementOf(
  child: ChildProcess,
  limit: AbortSignal,
  stateDir: string,
): Promise<Announcement> {
  return new Promise((resolvePromise, reject) => {
    const onAbort = (): void => {
      reject(limit.reason);
    };
    limit.addEventListener("abort", onAbort, { once: true });
    if (limit.aborted) onAbort();
    child.once("error", reject);
    child.once("message", (message: unknown) => {
      limit.removeEventListener("abort", onAbort);
      resolvePromise(isAnnouncement(message) ? message : unexplained("it said something else"));
    });
    child.once("exit", (code, signal) => {
      limit.removeEventListener("abort", onAbort);
      resolvePromise(unexplained(signal ?? `exit code ${code}`));
    });
  });

  function unexplained(how: string): ErrorBody {
    return {
      error: {
        code: "internal",
        message: `The gateway ended at its start (${how})`,
        hint: `its log is ${logFileOf(stateDir)}`,
      },
    };
  }
}

function isAnnouncement(message: unknown): message is Announcement {
  if (!isJsonObject(message)) return false;
  const { ready, troubles, error } = message;
  return (
    (ready === true &&
      Array.isArray(troubles) &&
      troubles.every((trouble) => typeof trouble === "string")) ||
    (isJsonObject(error) &&
      typeof error["message"] === "string" &&
      errorCodes.some((code) => code === error["code"]))
  );
}

function toError({ error: { code, message, hint } }: ErrorBody): AppError {
  return new AppError(code, message, { hint });
}
