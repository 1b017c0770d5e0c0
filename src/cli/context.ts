import type { Readable } from "node:stream";
import type { Deadline } from "../client/deadline.ts";
import type { Directories } from "../config/directories.ts";
import type { Environment } from "../config/environment.ts";
import type { Renewals } from "./bearer.ts";
import type { KnownSecrets } from "./known-secrets.ts";

/** The terminal or pipe around a command. Only `createProcessIo` knows `process`. */
export interface Io {
  /** A terminal's has `setRawMode`. */
  readonly stdin: Readable & { fd?: number; setRawMode?(mode: boolean): unknown };
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Whether `spin` shows anything: stderr is a terminal, and no CI, NO_COLOR, TERM=dumb. */
  readonly spinners: boolean;
  readonly columns: number;
  /**
   * Writes a result to stdout; resolves when it is handed over (back-pressure). Bearers that the command
   * knows are masked in text, because a server may repeat one in whatever it says of itself. Not with
   * `exact`, for what must not be altered: a tool's own answer is data that somebody asked for, in which a
   * token that the tool was given or made has its place, and the result of `auth token` is the token.
   */
  out(text: string | Uint8Array, options?: { exact?: boolean }): Promise<void>;
  /**
   * Writes one line for people to stderr. Silent with `--quiet`, and when this command has said the same
   * before (one that tries again goes the same way again), unless `always`.
   */
  note(line: string, options?: { always?: boolean }): void;
  /** A spinner on a terminal, nothing elsewhere. */
  spin(text: string): Spinner;
  /** Foreign text for this stdout: escaped on a terminal, as it is in a pipe. */
  foreign(text: string): string;
}

export interface Spinner {
  update(text: string): void;
  stop(): void;
}

/** What a command may use. Built once in `main`; a test hands in its own. */
export interface Context {
  readonly io: Io;
  /** Every bearer that the command comes to know belongs in here; all that is printed passes through it. */
  readonly secrets: KnownSecrets;
  readonly environment: Environment;
  readonly directories: Directories;
  readonly now: () => number;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Does what Ctrl-C does, for who reads keys of a terminal that sends it as one of them. */
  interrupt(): void;
  /** Runs `work`, which must be synchronous, when a second signal ends the process at once. */
  onForcedEnd(work: () => void): void;
  /** The one deadline of this command: `--timeout`, else the command's own default. Below `signal`. */
  readonly deadline: Deadline;
  /** What this command has renewed, or tried to. */
  readonly renewals: Renewals;
}
