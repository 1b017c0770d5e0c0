import { createDeadline } from "../client/deadline.ts";
import type { Deadline } from "../client/deadline.ts";
import { setExpectedCertificates } from "../client/expected-certificates.ts";
import { resolveDirectories } from "../config/directories.ts";
import { readEnvironment } from "../config/environment.ts";
import { AppError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/terminal-text.ts";
import { version } from "../core/version.ts";
import { chooseNetwork } from "./choose-network.ts";
import type { Context } from "./context.ts";
import { exitCodeOf, exitCodeOfSignal } from "./exit-code.ts";
import type { EndingSignal } from "./exit-code.ts";
import { formatFailure } from "./failure.ts";
import type { FailureForm } from "./failure.ts";
import { createProcessIo } from "./io.ts";
import type { ProcessIo } from "./io.ts";
import { KnownSecrets } from "./known-secrets.ts";
import { ownCertificates } from "./own-certificates.ts";
import { parseCommandLine } from "./parse.ts";
import { givenFolder } from "./same-folder.ts";
import { commandGroups, commandTable } from "./table.ts";

/** Where neither `--timeout` nor the command says more. */
const defaultTimeoutMs = 30_000;

/** Ends a command early, without a message: the reason of its signal. */
class Ending extends Error {
  override readonly name = "AbortError";
  readonly exitCode: number;
  constructor(what: string, exitCode: number) {
    super(what);
    this.exitCode = exitCode;
  }
}

/**
 * Runs one command line and tells its exit code, once or, after an unexpected late failure, again.
 * Nothing is thrown; every failure is on stderr.
 */
export async function runCommandLine(
  process: NodeJS.Process,
  tell: (exitCode: number) => void,
): Promise<void> {
  const argv = process.argv.slice(2);
  const environment = readEnvironment(process.env);
  // Errors have their form from the first one on, before there are options.
  const given = new Set(argv.slice(0, argv.includes("--") ? argv.indexOf("--") : argv.length));
  const secrets = new KnownSecrets();
  if (environment.token !== undefined) secrets.add(environment.token.trim());
  const form: FailureForm = { json: given.has("--json"), debug: given.has("--debug"), secrets };
  const controller = new AbortController();
  let finished = false;
  let io: ProcessIo | undefined;
  let deadline: Deadline | undefined;

  const fail = (error: unknown): void => {
    const text = formatFailure(error, form);
    process.stderr.write(
      `${process.stderr.isTTY ? escapeForTerminal(text, { lines: true }) : text}\n`,
    );
    tell(exitCodeOf(error instanceof AppError ? error.code : "internal"));
  };
  const onUncaught = (error: unknown): void => {
    // A broken pipe has been dealt with; whatever else comes here is a bug, and the command ends.
    if (controller.signal.reason instanceof Ending) return;
    fail(error);
    finished = true;
    controller.abort(new Ending("failed", exitCodeOf("internal")));
  };
  process.on("uncaughtException", onUncaught);
  process.on("beforeExit", () => {
    if (!finished) onUncaught(new Error("the command ended without a result"));
  });
  const lastBreath: (() => void)[] = [];
  endOnSignals(process, controller, () => {
    for (const work of lastBreath) work();
  });
  endOnClosedOutput(process, controller);

  try {
    const invocation = await parseCommandLine(argv, commandTable, environment.all);
    if (invocation.kind !== "run") {
      const columns = Math.min(process.stdout.columns || 80, 110);
      io = createProcessIo(process, { quiet: false, plainOutput: true, secrets });
      await io.out(
        invocation.kind === "version" ? `${version}\n` : await helpPage(invocation.path, columns),
      );
      tell(0);
      return;
    }
    const { module, options } = invocation;
    if (options.token !== undefined) secrets.add(options.token.trim());
    form.folder = givenFolder(options, environment);
    io = createProcessIo(process, {
      // Beside one JSON line for a failure, stderr has room for nothing that can be left out.
      quiet: options.quiet || options.json,
      plainOutput: environment.plainOutput,
      json: options.format === "json" || options.format === "jsonl",
      secrets,
      folder: form.folder,
    });
    deadline = createDeadline(
      options.timeoutMs ?? module.defaultTimeoutMs?.(options) ?? defaultTimeoutMs,
      controller.signal,
    );
    const directories = resolveDirectories(options.configDir, environment);
    setExpectedCertificates(ownCertificates(directories.state));
    await chooseNetwork(options, module, { environment, secrets });
    const context: Context = {
      io,
      secrets,
      environment,
      directories,
      now: Date.now,
      signal: controller.signal,
      interrupt: () => void process.emit("SIGINT", "SIGINT"),
      onForcedEnd: (work) => {
        lastBreath.push(work);
      },
      deadline,
      renewals: new Map(),
    };
    const exitCode = (await module.run(options, context)) ?? 0;
    if (!finished) tell(exitCode);
  } catch (error) {
    if (finished) return;
    const { reason } = controller.signal;
    if (reason instanceof Ending) tell(reason.exitCode);
    else fail(error);
  } finally {
    finished = true;
    deadline?.close();
    io?.close();
  }
}

async function helpPage(path: readonly string[], columns: number): Promise<string> {
  const { commandHelp, groupHelp } = await import("./help.ts");
  const entry = commandTable.find(({ path: own }) => own.join(" ") === path.join(" "));
  return entry === undefined
    ? groupHelp(path, commandTable, commandGroups, columns)
    : commandHelp(entry, await entry.load(), columns);
}

/**
 * The first signal ends the command in its own time; a second one ends the process, after `lastBreath`.
 * The listeners stay until then: the terminal's libraries end the process at a signal that they alone hear.
 */
function endOnSignals(
  process: NodeJS.Process,
  controller: AbortController,
  lastBreath: () => void,
): void {
  const signals: readonly EndingSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  let heard = false;
  for (const signal of signals) {
    process.on(signal, () => {
      if (!heard) {
        heard = true;
        controller.abort(new Ending(signal, exitCodeOfSignal(signal)));
        return;
      }
      lastBreath();
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  }
}

/** What nobody reads any more needs not be found out either. */
function endOnClosedOutput(process: NodeJS.Process, controller: AbortController): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") controller.abort(new Ending("stdout was closed", 0));
  });
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
