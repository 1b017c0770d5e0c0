import { existsSync } from "node:fs";
import { ConfigurationError, configurationError } from "../../config/configuration-problem.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { inLine } from "../render/foreign-text.ts";
import { readStartOptions, rememberStartOptions } from "./background-options.ts";
import { findGateway } from "./find-gateway.ts";
import type { GatewayState } from "./find-gateway.ts";
import { logFileOf, serveBackground } from "./serve-background.ts";
import type { StartOptions } from "./serve-options.ts";
import { stopGateway } from "./stop-gateway.ts";

interface Problem {
  message: string;
  /** What mends it. */
  hint: string | null;
}

/** `agent serve --background` */
export async function startInBackground(
  options: StartOptions & GlobalOptions,
  context: Context,
): Promise<void> {
  const { state } = context.directories;
  const running = await findGateway(state, context.deadline.signal);
  if (running.kind !== "absent") {
    throw new AppError(
      "config_invalid",
      `Another gateway owns ${state}: it is at ${running.record.url} (process ${running.record.pid})`,
      { hint: "agent serve --restart, or another place for this one with --config-dir" },
    );
  }
  const started = await serveBackground(options, context);
  await rememberStartOptions(state, options);
  await tellState(started, options, context);
}

/**
 * `agent serve --restart`: as it was started, or as this command line says.
 * @param saysHow whether the command line says anything about how to start it
 */
export async function restartInBackground(
  options: StartOptions & GlobalOptions,
  context: Context,
  saysHow: boolean,
): Promise<void> {
  const { state } = context.directories;
  const before = await readStartOptions(state);
  const stopped = await stopGateway(state, context.deadline);
  // A port that was free to choose is kept: profiles belong to the address.
  const portBefore =
    before.port === 0 && stopped.kind === "stopped"
      ? Number(new URL(stopped.record.url).port)
      : before.port;
  const now = saysHow ? options : { ...options, ...before, port: portBefore };
  context.io.note(
    stopped.kind === "none" ? "No gateway was running" : `Stopped process ${stopped.record.pid}`,
  );
  await startInBackground(now, context);
}

/** `agent serve --stop`; that none runs is no failure. */
export async function stopRunning(options: GlobalOptions, context: Context): Promise<void> {
  const { io, directories, deadline } = context;
  const spinner = io.spin("Stopping the gateway");
  const stopped = await stopGateway(directories.state, deadline).finally(() => {
    spinner.stop();
  });
  if (options.format === "json") {
    const answer =
      stopped.kind === "stopped"
        ? { stopped: true, pid: stopped.record.pid }
        : { stopped: false, reason: stopped.reason };
    await io.out(`${JSON.stringify(answer)}\n`);
  } else if (stopped.kind === "stopped") {
    const { url, pid } = stopped.record;
    await io.out(`Stopped the gateway at ${url} (process ${pid})\n`);
  } else {
    io.note(`No gateway runs; nothing to stop${aboutFile(stopped.reason)}`);
  }
}

/** Why a runtime file that is there does not count. */
function aboutFile(reason: string | undefined): string {
  return reason === undefined ? "" : ` (there is a runtime file, but ${reason})`;
}

/** `agent serve --status`: 0 when one runs and answers, else 3; with `--json` that is an error line as well. */
export async function showStatus(options: GlobalOptions, context: Context): Promise<number> {
  const { directories } = context;
  const state = await findGateway(directories.state, context.deadline.signal);
  const problem = state.kind === "running" ? await problemOf(state.record, context) : undefined;
  await tellState(state, options, context, problem);
  if (state.kind === "running") return 0;
  if (options.json) {
    const [message = ""] = stateAsText(state, logFileOf(directories.state)).split("\n");
    throw new AppError("unreachable", message, {
      hint: state.kind === "absent" ? "agent serve --background" : "agent serve --restart",
    });
  }
  return 3;
}

/** Why the configuration on disk is not in effect; in the gateway's own words, where it says them. */
async function problemOf(record: RuntimeRecord, context: Context): Promise<Problem | undefined> {
  try {
    const { askConfigurationOf } = await import("../configuration/gateway-configuration.ts");
    const ask = askConfigurationOf(record, context, context.deadline.signal);
    const { problem } = await ask();
    if (problem !== null) return problem;
  } catch (error) {
    context.signal.throwIfAborted();
    // It is of another version, or was asked too often.
    if (!(error instanceof AppError)) throw error;
  }
  // It may not have looked yet.
  const message = await problemOnDisk(record, context);
  return message === undefined ? undefined : { message, hint: null };
}

/**
 * What is wrong with the file that a gateway was started with, and that it therefore has not taken over.
 * What the gateway's own command line and environment decide is not known here, and not complained about.
 */
async function problemOnDisk(
  { configurationFile }: RuntimeRecord,
  { environment }: Context,
): Promise<string | undefined> {
  if (configurationFile === undefined || !existsSync(configurationFile)) return undefined;
  // The schema library behind it is slow to load.
  const { loadConfiguration } = await import("../../config/load-configuration.ts");
  try {
    await loadConfiguration({
      file: configurationFile,
      environment,
      overrides: { insecureHttp: true },
    });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) return toAppError(error).message;
    const [first, ...more] = error.problems.filter(
      ({ unsetVariable }) => unsetVariable === undefined,
    );
    return first && configurationError(error.file, [first, ...more]).message;
  }
  return undefined;
}

async function tellState(
  state: GatewayState,
  { format }: GlobalOptions,
  { io, directories }: Context,
  problem?: Problem,
): Promise<void> {
  const log = logFileOf(directories.state);
  if (format === "json") {
    const answer = {
      ...stateAsJson(state, log),
      ...(problem === undefined
        ? {}
        : { configurationProblem: problem.message, configurationHint: problem.hint }),
    };
    await io.out(`${JSON.stringify(answer)}\n`);
    return;
  }
  await io.out(`${stateAsText(state, log, problem !== undefined)}\n`);
  if (problem !== undefined) {
    const { message, hint } = problem;
    const said = inLine(message, io, 500);
    io.note(`configuration on disk is wrong: ${said}; the one before stays in effect`, {
      always: true,
    });
    if (hint !== null) io.note(`hint: ${inLine(hint, io, 500)}`, { always: true });
  }
}

function stateAsJson(state: GatewayState, log: string): object {
  if (state.kind === "absent") {
    return { running: false, ...(state.reason === undefined ? {} : { reason: state.reason }) };
  }
  const { url, pid, instanceId, startedAtMs, configurationFile } = state.record;
  return {
    running: state.kind === "running",
    url,
    pid,
    instanceId,
    startedAt: new Date(startedAtMs).toISOString(),
    configuration: configurationFile ?? null,
    log,
    ...(state.kind === "running"
      ? { version: state.version, upstreams: state.upstreams }
      : { reason: state.reason }),
  };
}

function stateAsText(state: GatewayState, log: string, isOutdated = false): string {
  if (state.kind === "absent") {
    return `No gateway runs${aboutFile(state.reason)}`;
  }
  const { url, pid, startedAtMs, configurationFile } = state.record;
  if (state.kind === "silent") {
    return `The gateway (process ${pid}) does not answer: ${state.reason}`;
  }
  const since = new Date(startedAtMs).toISOString().replace(/\.\d+Z$/u, "Z");
  return [
    `OneDoor ${state.version} runs at ${url} (process ${pid}, since ${since})`,
    state.upstreams["total"] === 0 && configurationFile !== undefined
      ? `No servers yet: name them under "mcpServers" in ${configurationFile}; saving it is enough`
      : `Servers: ${countsAsText(state.upstreams)}`,
    ...(configurationFile === undefined
      ? []
      : [`Configuration: ${configurationFile}${isOutdated ? " (an older one is in effect)" : ""}`]),
    `Log: ${log}`,
  ].join("\n");
}

function countsAsText(upstreams: Readonly<Record<string, number>>): string {
  const counts = Object.entries(upstreams).filter(([name]) => name !== "total");
  return counts.map(([name, count]) => `${count} ${name}`).join(", ");
}
