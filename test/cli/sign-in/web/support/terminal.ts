import { PassThrough } from "node:stream";
import type { Context } from "../../../../../src/cli/context.ts";
import { KnownSecrets } from "../../../../../src/cli/known-secrets.ts";
import { createDeadline } from "../../../../../src/client/deadline.ts";
import { readEnvironment } from "../../../../../src/config/environment.ts";

/** A person's terminal around a sign-in, without a screen unless `variables` name one. */
export class Terminal {
  readonly notes: string[] = [];
  readonly spinners: string[] = [];
  readonly secrets = new KnownSecrets();
  readonly #interrupted = new AbortController();
  readonly #changed = new Set<() => void>();
  readonly context: Context;

  constructor(
    options: {
      typed?: string;
      quiet?: boolean;
      variables?: Readonly<Record<string, string>>;
      timeoutMs?: number;
    } = {},
  ) {
    const { typed, quiet = false, variables = {}, timeoutMs = 30_000 } = options;
    const stdin = new PassThrough();
    if (typed !== undefined) stdin.end(typed);
    this.context = {
      io: {
        stdin,
        stdinIsTerminal: true,
        stdoutIsTerminal: true,
        stderrIsTerminal: true,
        spinners: false,
        columns: 80,
        out: () => Promise.reject(new Error("nothing belongs on stdout")),
        note: (line, { always = false } = {}) => {
          if (quiet && !always) return;
          this.notes.push(this.secrets.mask(line));
          for (const look of this.#changed) look();
        },
        spin: (text) => {
          this.spinners.push(text);
          return { update: () => undefined, stop: () => void this.spinners.pop() };
        },
        foreign: (text) => text,
      },
      environment: readEnvironment({ PATH: process.env["PATH"], ...variables }),
      directories: { config: "/nowhere", state: "/nowhere" },
      now: Date.now,
      secrets: this.secrets,
      signal: this.#interrupted.signal,
      interrupt: () => this.interrupt(),
      onForcedEnd: () => undefined,
      deadline: createDeadline(timeoutMs, this.#interrupted.signal),
      renewals: new Map(),
    };
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#interrupted.abort(new Error("interrupted"));
  }

  /**
   * The first line that fits, when it is there.
   * @throws Error when the sign-in ends before that
   */
  async waitFor(pattern: RegExp, done: Promise<unknown>): Promise<string> {
    const fits = (): string | undefined => this.notes.find((note) => pattern.test(note));
    const said = new Promise<string>((resolve) => {
      const look = (): void => {
        const line = fits();
        if (line === undefined) return;
        this.#changed.delete(look);
        resolve(line.trim());
      };
      this.#changed.add(look);
      look();
    });
    const ended = done.then(
      () => Promise.reject(new Error(`ended without ${String(pattern)}`)),
      (error: unknown) => Promise.reject(error),
    );
    return Promise.race([said, ended]);
  }
}
