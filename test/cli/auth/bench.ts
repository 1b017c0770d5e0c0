import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { AuthenticationProbe, OfferedWay } from "../../../src/client/probe-authentication.ts";
import { createDeadline } from "../../../src/client/deadline.ts";
import { KnownSecrets } from "../../../src/cli/known-secrets.ts";
import { readEnvironment } from "../../../src/config/environment.ts";
import { AppError } from "../../../src/core/errors.ts";
import { parseServerUrl } from "../../../src/core/url.ts";
import type { CommandModule, GlobalOptions, ServerOptions } from "../../../src/cli/command.ts";
import type { Context } from "../../../src/cli/context.ts";
import type { AuthDependencies } from "../../../src/cli/sign-in/dependencies.ts";
import type { Revocation } from "../../../src/cli/sign-in/credential-keeping.ts";
import { openProfiles } from "../../../src/profiles/open-profiles.ts";
import type { Profile, ProfileDraft } from "../../../src/profiles/profile.ts";
import type { StoredCredential } from "../../../src/profiles/stored-credential.ts";
import type { RuntimeFileState } from "../../../src/runtime/runtime-file.ts";
import type { RuntimeRecord } from "../../../src/runtime/runtime-record.ts";
import { processStart } from "../../../src/runtime/process-start.ts";

/** A server that the commands believe to be there. */
export interface FakeDoor {
  /** Needs no sign-in. */
  open?: boolean;
  /** Tokens it takes, and who they are. */
  tokens?: Readonly<Record<string, string>>;
  /** It cannot be reached. */
  down?: boolean;
  /** What asking it fails with. */
  failure?: AppError;
  kind?: "onedoor" | "mcp";
  /** Ways to sign in; local and token unless said. */
  ways?: readonly (string | OfferedWay)[];
  /** What it says of whom it takes; an admin in no organisation unless said. */
  organization?: string;
  role?: string | null;
  scopes?: readonly string[];
  /** What it says of a token that it does not take. */
  words?: string;
  /** Answer to `POST /auth/logout`. */
  revocation?: Revocation;
}

export interface Seen {
  what: "probe" | "revoke" | "mint" | "refresh" | "revoke grant";
  endpoint: string;
  token?: string | undefined;
  /** Of a minted token. */
  purpose?: string | undefined;
}

export const runtimeRecord: RuntimeRecord = {
  pid: 1,
  url: "http://127.0.0.1:3050",
  instanceId: "instance-one",
  startedAtMs: 0,
  secret: "s".repeat(43),
};

const notOffered = (): Promise<never> => Promise.reject(new Error("This server does not offer it"));

/** Everything a command of `agent auth` touches, in a folder and in memory. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "onedoor-auth-"));
  readonly notes: string[] = [];
  stdout = "";
  readonly seen: Seen[] = [];
  /** By endpoint, without a trailing slash. */
  readonly doors: Record<string, FakeDoor> = {};
  variables: Record<string, string> = {};
  runtime: RuntimeFileState = { kind: "absent" };
  stdin: Context["io"]["stdin"] | undefined;
  stdinIsTerminal = false;
  /** Whether stderr is one. */
  terminal = false;
  nowMs = Date.parse("2026-11-21T10:00:00Z");
  /** Of the terminal; undefined stands for a pipe. */
  columns: number | undefined;
  timeoutMs = 30_000;
  minted = 0;
  /** What the authorization server says to a refresh, in place of a new token. */
  refusal: Error | undefined;
  /** How long a renewed token is good, in milliseconds. */
  renewedForMs = 3_600_000;
  renewed = 0;
  grantRevocation: Revocation = "revoked";
  readonly secrets = new KnownSecrets();
  readonly #abort = new AbortController();

  get context(): Context {
    const openStdin = (): Context["io"]["stdin"] => {
      if (this.stdin) return this.stdin;
      throw new Error("stdin was touched");
    };
    return {
      io: {
        get stdin() {
          return openStdin();
        },
        stdinIsTerminal: this.stdinIsTerminal,
        stdoutIsTerminal: this.columns !== undefined,
        stderrIsTerminal: this.terminal,
        spinners: false,
        columns: this.columns ?? 80,
        out: (text) => {
          this.stdout += typeof text === "string" ? text : Buffer.from(text).toString("utf8");
          return Promise.resolve();
        },
        note: (line, { always = false } = {}) => {
          if (always || !this.notes.includes(line)) this.notes.push(line);
        },
        spin: () => ({ update: () => undefined, stop: () => undefined }),
        foreign: (text) => text,
      },
      environment: readEnvironment(this.variables),
      directories: { config: join(this.folder, "config"), state: join(this.folder, "state") },
      now: () => this.nowMs,
      secrets: this.secrets,
      signal: this.#abort.signal,
      interrupt: () => this.#abort.abort(new Error("interrupted")),
      onForcedEnd: () => undefined,
      deadline: createDeadline(this.timeoutMs, this.#abort.signal),
      renewals: new Map(),
    };
  }

  readonly dependencies: AuthDependencies = {
    openProfiles: (context) =>
      openProfiles({
        startOf: processStart,
        configDir: context.directories.config,
        now: context.now,
        report: (line) => context.io.note(line),
        learn: (secret) => context.secrets.add(secret),
        sessionBus: undefined,
      }),
    readRuntimeFile: () => Promise.resolve(this.runtime),
    mintLocalToken: (record, _signal, purpose) => {
      this.seen.push({ what: "mint", endpoint: record.url, ...(purpose && { purpose }) });
      this.minted += 1;
      return Promise.resolve({
        token: `od_minted_${this.minted}`,
        tokenId: `id-${this.minted}`,
        expiresAtMs: this.nowMs + 86_400_000,
        userId: "alice",
        role: "admin",
      });
    },
    probeAuthentication: (endpoint, bearer) => this.#probe(endpoint, bearer),
    waysIn: {
      find: () => Promise.resolve(undefined),
      web: notOffered,
      device: notOffered,
      clientCredentials: notOffered,
      password: notOffered,
    },
    keeping: {
      renewGrant: (grant) => {
        const { accessToken, refreshToken, expiresAtMs } = this.#renew(
          grant.tokenEndpoint,
          grant.refreshToken,
        );
        return Promise.resolve({ accessToken, expiresAtMs, grant: { ...grant, refreshToken } });
      },
      end: ({ token, oauth: grant }, endpoint) => {
        if (grant !== undefined) {
          this.seen.push({ what: "revoke grant", endpoint: grant.revocationEndpoint ?? "", token });
          return Promise.resolve(this.grantRevocation);
        }
        if (endpoint === undefined) return Promise.resolve("not asked");
        this.seen.push({ what: "revoke", endpoint, token });
        const door = this.#door(endpoint);
        const answer = door?.down === true ? "unreachable" : door?.revocation;
        return Promise.resolve(answer ?? "revoked");
      },
      refreshSession: (endpoint, shown) => {
        const { accessToken, refreshToken, expiresAtMs } = this.#renew(endpoint, shown);
        const credential = { token: accessToken, session: { refreshToken } };
        return Promise.resolve({ credential, expiresAtMs });
      },
    },
  };

  #renew(
    endpoint: string,
    shown: string | undefined,
  ): { accessToken: string; refreshToken: string; expiresAtMs: number } {
    this.seen.push({ what: "refresh", endpoint, token: shown });
    if (this.refusal !== undefined) throw this.refusal;
    this.renewed += 1;
    return {
      accessToken: `renewed_${this.renewed}`,
      refreshToken: `refresh_${this.renewed}`,
      expiresAtMs: this.nowMs + this.renewedForMs,
    };
  }

  #door(endpoint: string): FakeDoor | undefined {
    return this.doors[endpoint.replace(/\/$/u, "")];
  }

  #probe(endpoint: string, bearer: string | undefined): Promise<AuthenticationProbe> {
    this.seen.push({ what: "probe", endpoint, token: bearer });
    const door = this.#door(endpoint);
    if (door?.failure) return Promise.reject(door.failure);
    if (!door || door.down === true) {
      return Promise.reject(new AppError("unreachable", `Cannot reach ${endpoint}`));
    }
    const server = door.kind ?? "onedoor";
    if (door.open === true) return Promise.resolve({ kind: "open", server });
    if (bearer === undefined) {
      const ways = (door.ways ?? ["local", "token"]).map((way) =>
        typeof way === "string" ? { type: way, description: "" } : way,
      );
      return Promise.resolve({ kind: "required", server, ways, endpoint });
    }
    const who = door.tokens?.[bearer];
    const minted = bearer.startsWith("od_minted_") && endpoint.startsWith(runtimeRecord.url);
    if (who === undefined && !minted) {
      return Promise.resolve({ kind: "rejected", server, words: door.words });
    }
    return Promise.resolve({
      kind: "accepted",
      server,
      who: who ?? "alice",
      organization: door.organization,
      role: door.role === undefined ? "admin" : door.role,
      scopes: door.scopes,
      ...(minted && { expiresAtMs: this.nowMs + 86_400_000 }),
    });
  }

  runGateway(record: Partial<RuntimeRecord> = {}): RuntimeRecord {
    const full = { ...runtimeRecord, ...record };
    this.runtime = { kind: "running", record: full };
    this.doors[full.url] ??= {};
    return full;
  }

  /** Puts text into a pipe that is then closed. */
  pipe(text: string): void {
    const stream = new PassThrough();
    stream.end(text);
    this.stdin = stream;
  }

  async save(
    url: string,
    more: Partial<ProfileDraft> = {},
    secret: string | StoredCredential = "od_saved",
  ): Promise<Profile> {
    const { canonical, endpoint } = parseServerUrl(url, { insecureHttp: true });
    const profiles = this.dependencies.openProfiles(this.context);
    const draft: ProfileDraft = {
      url: canonical,
      name: "default",
      endpoint,
      source: "option",
      server: "onedoor",
      ...more,
    };
    const { store } = await profiles.storeFor(draft, "file");
    return profiles.save(draft, typeof secret === "string" ? { token: secret } : secret, store);
  }

  saved(): Promise<Profile[]> {
    return this.dependencies.openProfiles(this.context).list();
  }

  async secretOf(profile: Profile | undefined): Promise<string | undefined> {
    if (profile === undefined) return undefined;
    return (await this.dependencies.openProfiles(this.context).credentialOf(profile))?.token;
  }

  /** Runs a command as the frame does, options as the parser would fill them in. */
  run<Options extends object>(
    command: CommandModule<Options>,
    options: Options & Partial<GlobalOptions> & ServerOptions,
  ): Promise<number | void> {
    this.timeoutMs = options.timeoutMs ?? 30_000;
    return command.run(
      { format: "text", json: false, quiet: false, debug: false, ...options },
      this.context,
    );
  }

  remove(): void {
    this.#abort.abort(new Error("the test is over"));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
