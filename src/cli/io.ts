import type { Ora } from "ora";
import { escapeForTerminal } from "../core/terminal-text.ts";
import type { Io, Spinner } from "./context.ts";
import type { KnownSecrets } from "./known-secrets.ts";
import { withFolder } from "./same-folder.ts";

/** What `createProcessIo` needs of the process. */
export interface ProcessStreams {
  readonly stdin: NodeJS.ReadStream & { fd: 0 };
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface ProcessIo extends Io {
  /** Lets go of stdin, which would otherwise keep the process until its other end is closed. */
  close(): void;
}

/** What came before a spinner's text is worth showing only when it takes longer than this. */
const spinnerDelayMs = 150;

/**
 * The process as commands see it. Streams are opened when they are first used.
 * @param plainOutput whether the environment asks for no colour and no movement
 */
export function createProcessIo(
  streams: ProcessStreams,
  options: {
    quiet: boolean;
    plainOutput: boolean;
    /** Whether results are JSON. */
    json?: boolean | undefined;
    /** What is masked in all that is said. */
    secrets: KnownSecrets;
    /** `--config-dir` as it was given, for the commands that notes suggest. */
    folder?: string | undefined;
  },
): ProcessIo {
  let stdinOpened = false;
  let active: LazySpinner | undefined;
  const noted = new Set<string>();
  const stderrIsTerminal = isTerminal(streams.stderr);
  // A terminal that does not know its width has nowhere to move: ora would clear lines for ever.
  const spinners =
    stderrIsTerminal && streams.stderr.columns > 0 && !options.plainOutput && !options.quiet;
  const stdoutIsTerminal = isTerminal(streams.stdout);
  const maskedResult = (text: string): string =>
    options.json === true ? options.secrets.maskJson(text) : options.secrets.mask(text);
  const shownText = (text: string): string => escapeForTerminal(options.secrets.mask(text));
  return {
    get stdin() {
      stdinOpened = true;
      return streams.stdin;
    },
    get stdinIsTerminal() {
      stdinOpened = true;
      return isTerminal(streams.stdin);
    },
    stdoutIsTerminal,
    stderrIsTerminal,
    spinners,
    columns: streams.stdout.columns || 80,
    out: (text, { exact = false } = {}) =>
      writeAll(streams.stdout, exact || typeof text !== "string" ? text : maskedResult(text)),
    note(line, { always = false } = {}) {
      if (!always) {
        if (options.quiet || noted.has(line)) return;
        noted.add(line);
      }
      const text = options.secrets.mask(withFolder(line, options.folder));
      const write = (): void => {
        streams.stderr.write(`${stderrIsTerminal ? escapeForTerminal(text) : text}\n`);
      };
      if (active === undefined) write();
      else active.above(write);
    },
    spin(text) {
      if (!spinners) return { update: () => undefined, stop: () => undefined };
      active?.stop();
      const spinner = createLazySpinner(streams.stderr, shownText(text));
      active = spinner;
      return {
        update(next) {
          spinner.update(shownText(next));
        },
        stop() {
          spinner.stop();
          if (active === spinner) active = undefined;
        },
      };
    },
    foreign: (text) => (stdoutIsTerminal ? escapeForTerminal(text, { lines: true }) : text),
    close() {
      active?.stop();
      if (stdinOpened) streams.stdin.destroy();
    },
  };
}

/** Of anything but a terminal the property is missing, whatever its type says. */
function isTerminal(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY ?? false;
}

/** Resolves when the stream took the text; a closed pipe is the edge's business, not the command's. */
function writeAll(stream: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

interface LazySpinner extends Spinner {
  /** Writes something without the spinner's line getting into it. */
  above(write: () => void): void;
}

/** A spinner whose library is loaded only when there is something to wait for. */
function createLazySpinner(stream: NodeJS.WriteStream, firstText: string): LazySpinner {
  let text = firstText;
  let stopped = false;
  let shown: Ora | undefined;
  const show = async (): Promise<void> => {
    const { createSpinner } = await import("./spinner.ts");
    if (!stopped) shown = createSpinner(stream, text).start();
  };
  const timer = setTimeout(() => void show(), spinnerDelayMs);
  timer.unref();
  return {
    update(next) {
      text = next;
      if (shown !== undefined) shown.text = next;
    },
    above(write) {
      shown?.clear();
      write();
      shown?.render();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      shown?.stop();
    },
  };
}
