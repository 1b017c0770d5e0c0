import { AppError } from "../../core/errors.ts";
import type { GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { readStartOptions, rememberStartOptions } from "./background-options.ts";
import { findGateway } from "./find-gateway.ts";
import type { GatewayState } from "./find-gateway.ts";
import { logFileOf, serveBackground } from "./serve-background.ts";
import type { StartOptions } from "./serve-options.ts";
import { stopGateway } from "./stop-gateway.ts";

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
      `A gateway runs already at ${running.record.url} (process ${running.record.pid})`,
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
): Promise<void> {
  const { state } = context.directories;
  saysHow: boolean,
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

/** `agent serve --status`: 0 when one runs and answers, else 3. */
export async function showStatus(options: GlobalOptions, context: Context): Promise<number> {
  const { directories } = context;
  const state = await findGateway(directories.state, context.deadline(options, 5_000));
  await tellState(state, options, context);
  return state.kind === "running" ? 0 : 3;
}

async function tellState(
  state: GatewayState,
  { format }: GlobalOptions,
  { io, directories }: Context,
): Promise<void> {
  const log = logFileOf(directories.state);
  if (format === "json") {
    await io.out(`${JSON.stringify(stateAsJson(state, log))}\n`);
    return;
  }
  await io.out(`${stateAsText(state, log)}\n`);
}

function stateAsJson(state: GatewayState, log: string): object {
  if (state.kind === "absent") {
    return { running: false, ...(state.reason === undefined ? {} : { reason: state.reason }) };
  }
  const { url, pid, instanceId, startedAtMs } = state.record;
  return {
    running: state.kind === "running",
    url,
    pid,
    instanceId,
    startedAt: new Date(startedAtMs).toISOString(),
    log,
    ...(state.kind === "running"
      ? { version: state.version, upstreams: state.upstreams }
      : { reason: state.reason }),
  };
}

function stateAsText(state: GatewayState, log: string): string {
  if (state.kind === "absent") {
    return `No gateway runs${aboutFile(state.reason)}`;
  }
  const { url, pid, startedAtMs } = state.record;
  if (state.kind === "silent") {
    return `The gateway (process ${pid}) does not answer: ${state.reason}`;
  }
  const since = new Date(startedAtMs).toISOString().replace(/\.\d+Z$/u, "Z");
  return [
    `OneDoor ${state.version} runs at ${url} (process ${pid}, since ${since})`,
    `Servers: ${countsAsText(state.upstreams)}`,
    `Log: ${log}`,
  ].join("\n");
}

function countsAsText(upstreams: Readonly<Record<string, number>>): string {
  const counts = Object.entries(upstreams).filter(([name]) => name !== "total");
  return counts.map(([name, count]) => `${count} ${name}`).join(", ");
}
