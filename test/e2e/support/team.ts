import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { runAgent } from "./agent.ts";
import type { AgentOptions, AgentResult } from "./agent.ts";
import { startGateway } from "./gateway.ts";
import type { RunningGateway } from "./gateway.ts";
import { createHome } from "./home.ts";
import type { Home } from "./home.ts";
import { restClient } from "./rest.ts";
import type { Rest } from "./rest.ts";

/** Two organisations, in each one user for each role; and those who are in none. */
export const members = [
  "acme-viewer",
  "acme-editor",
  "acme-admin",
  "beta-viewer",
  "beta-editor",
  "beta-admin",
] as const;
export const people = [
  /** Shows no token. */
  "nobody",
  /** Shows a token that nobody has. */
  "stranger",
  /** Shows a token with the scope `metrics` alone. */
  "scraper",
  ...members,
  /** The gateway's administrator. */
  "owner",
] as const;
export type Person = (typeof people)[number];

/** test/fixtures/echo-server.mjs under a name of its own. */
export function echoServer(name: string, more: object = {}): object {
  const file = fileURLToPath(new URL("../../fixtures/echo-server.mjs", import.meta.url));
  return { command: process.execPath, args: [file, name], ...more };
}

/** One server for all, one for each organisation. */
export const teamServers = {
  open: echoServer("open"),
  acme: echoServer("acme", { access: { organizations: ["acme"] } }),
  beta: echoServer("beta", { access: { organizations: ["beta"] } }),
};

export interface Team {
  readonly home: Home;
  readonly gateway: RunningGateway;
  readonly tokens: Readonly<Partial<Record<Person, string>>>;
  /** Ids of the tokens of members. */
  readonly tokenIds: Readonly<Record<string, string>>;
  as(person: Person): Rest;
  /** The program as this person uses it, in the home of somebody who is not signed in anywhere. */
  agent(
    person: Person,
    args: readonly string[],
    more?: Partial<AgentOptions>,
  ): Promise<AgentResult>;
  stop(): Promise<void>;
}

/** Starts a gateway with `teamServers` and makes everybody of `people` over HTTP. */
export async function startTeam(
  configuration: object = { rateLimit: { rpm: 0 }, mcpServers: teamServers },
): Promise<Team> {
  const home = createHome();
  const elsewhere = createHome();
  const gateway = await startGateway(home, configuration);
  const owner = await ownerToken(home);
  const asOwner = restClient(gateway.url, owner);
  const made = async (path: string, body: object): Promise<unknown> => {
    const answer = await asOwner("POST", `/api/v1/admin/${path}`, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
    return answer.body;
  };
  const tokens: Partial<Record<Person, string>> = { owner, stranger: "od_nobody-has-this-token" };
  const tokenIds: Record<string, string> = {};
  const mint = async (person: Person, body: object): Promise<void> => {
    const minted: unknown = await made("tokens", { name: `token of ${person}`, ...body });
    expect(minted).toMatchObject({
      token: expect.any(String),
      details: { id: expect.any(String) },
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the line before says
    const { token, details } = minted as { token: string; details: { id: string } };
    tokens[person] = token;
    tokenIds[person] = details.id;
  };
  for (const id of ["acme", "beta"]) await made("organizations", { id, name: `${id} Ltd` });
  for (const person of members) {
    const [organization = "", role] = person.split("-");
    await made("users", { id: person });
    const path = `/api/v1/admin/organizations/${organization}/members/${person}`;
    expect(await asOwner("PUT", path, { role })).toMatchObject({ status: 200 });
    await mint(person, { user: person, organization });
  }
  await mint("scraper", { scopes: ["metrics"] });
  expect(await runAgent(["wait"], { home })).toMatchObject({ code: 0 });
  return {
    home,
    gateway,
    tokens,
    tokenIds,
    as: (person) => restClient(gateway.url, tokens[person]),
    agent(person, args, more = {}) {
      const token = tokens[person];
      const env = { ONEDOOR_URL: gateway.url, ...(token && { ONEDOOR_TOKEN: token }), ...more.env };
      return runAgent(args, { home: elsewhere, ...more, env });
    },
    async stop() {
      await gateway.stop();
      home.remove();
      elsewhere.remove();
    },
  };
}

/** A token of the gateway's owner, as `agent auth login` gets it. */
export async function ownerToken(home: Home): Promise<string> {
  expect(await runAgent(["auth", "login"], { home })).toMatchObject({ code: 0 });
  const { stdout } = await runAgent(["auth", "token"], { home });
  return stdout.trim();
}
