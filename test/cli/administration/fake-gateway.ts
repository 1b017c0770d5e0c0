import type { CommandModule, GlobalOptions, ServerOptions } from "../../../src/cli/command.ts";
import { AppError } from "../../../src/core/errors.ts";
import { sendJson, startFakeServer } from "../../client/support/fake-server.ts";
import type { FakeServer, SeenRequest } from "../../client/support/fake-server.ts";
import { Bench } from "../auth/bench.ts";

/** What the gateway answers: a status and a body, or a text that is no JSON. */
export type Answer = readonly [status: number, body: unknown];

/** The running gateway of this user, over real HTTP, that answers as a test says. */
export class AdministrationBench extends Bench {
  /** Asked for each request. */
  answer: (request: SeenRequest) => Answer = () => [404, {}];
  #server: FakeServer | undefined;

  static async start(): Promise<AdministrationBench> {
    const bench = new AdministrationBench();
    await bench.listen();
    return bench;
  }

  /** Starts the gateway, at another port after the first time. */
  async listen(): Promise<string> {
    this.#server = await startFakeServer((request, response) => {
      const [status, body] = this.answer(request);
      if (typeof body === "string") {
        response.writeHead(status, { "content-type": "text/html" });
        response.end(body);
      } else sendJson(response, status, body);
    });
    this.runGateway({ url: this.#server.url, instanceId: this.#server.url });
    return this.#server.url;
  }

  async goAway(): Promise<void> {
    this.runtime = { kind: "absent" };
    await this.#server?.close();
  }

  get url(): string {
    return this.#server?.url ?? "";
  }

  /** `METHOD /path?query body` of each request since the gateway's start. */
  get asked(): string[] {
    return (this.#server?.requests ?? []).map(({ method, path, body }) =>
      `${method} ${decodeURIComponent(path)} ${body}`.trim(),
    );
  }

  get bearers(): (string | undefined)[] {
    return (this.#server?.requests ?? []).map(({ headers }) => headers.authorization);
  }

  /** How a command fails. */
  async failure<Options extends object>(
    command: CommandModule<Options>,
    options: Options & Partial<GlobalOptions> & ServerOptions,
  ): Promise<Pick<AppError, "code" | "message" | "hint">> {
    const error: unknown = await this.run(command, options).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof AppError)) throw new Error("It did not fail as it should");
    return error;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.remove();
  }
}

export const acme = {
  id: "acme",
  name: "Acme",
  createdAt: "2026-11-01T00:00:00.000Z",
  deletedAt: null,
};

export const bob = {
  organization: "acme",
  user: "bob",
  role: "editor",
  createdAt: "2026-11-01T00:00:00.000Z",
  deletedAt: null,
};

export const tokenRow = {
  id: "5d1f0f0e",
  kind: "personal",
  name: "ci",
  user: "bob",
  organization: "acme",
  role: "viewer",
  scopes: [],
  createdAt: "2026-11-01T00:00:00.000Z",
  expiresAt: "2027-02-01T00:00:00.000Z",
  revokedAt: null,
};

export const change = {
  sequence: 7,
  id: "c7",
  time: "2026-11-02T10:00:00.000Z",
  actor: "user",
  user_id: "alice",
  organization_id: "acme",
  entity: "member",
  entity_id: "acme/bob",
  action: "changed",
  before: { ...bob, role: "viewer" },
  after: bob,
};

export const auditRow = {
  sequence: 1,
  id: "a1",
  time: "2026-11-21T09:00:00.123Z",
  tool_name: "files__read",
  params: { path: "a" },
  status: "success",
  duration_ms: 12,
  user_id: "alice",
  organization_id: null,
  project_id: null,
  session_id: null,
  client_name: "claude",
};

/** Says a refusal as a gateway does. */
export function refusal(status: number, code: string, message = "no"): Answer {
  return [status, { error: { code, message } }];
}
