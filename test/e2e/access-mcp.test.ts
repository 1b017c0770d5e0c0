import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Refused } from "../soak/client.mjs";
import type { Client } from "../soak/client.mjs";
import { openLegacyClient } from "../soak/legacy-client.mjs";
import { createModernClient } from "../soak/modern-client.mjs";
import { askTable } from "./support/ask-table.ts";
import { startTeam } from "./support/team.ts";
import type { Person, Team } from "./support/team.ts";

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.stop());

const strays: string[] = [];
const opened = new Map<string, Promise<Client>>();

/** One client for each person and era, so that a legacy session serves all operations. */
function clientOf(person: Person, era: string): Promise<Client> {
  const key = `${era} ${person}`;
  const known = opened.get(key);
  if (known !== undefined) return known;
  const options = {
    url: team.gateway.url,
    token: team.tokens[person] ?? "nothing",
    name: key.replace(" ", "-"),
    onStray(text: string) {
      // Who is not let in is answered before anybody reads the message: without its id.
      if (!/auth_rejected|beyond this token's scopes/u.test(text)) strays.push(text);
    },
  };
  const client =
    era === "legacy"
      ? openLegacyClient({ ...options, listen: false })
      : Promise.resolve(createModernClient(options));
  opened.set(key, client);
  return client;
}

type Params = Record<string, unknown>;

/** What was refused at the door by its HTTP status, what was later by the code that REST would say, or MCP's own. */
async function outcomeOf(asked: Promise<string>): Promise<string> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401 || error.status === 403) return String(error.status);
    const { code }: { code?: string } = error.error?.["data"] ?? {};
    // A resource that no server has: -32002 in the legacy era, invalid params in the modern one.
    const isNoResource = [-32_002, -32_602].includes(error.error?.["code"]);
    return code ?? (isNoResource ? "not_found" : String(error.error?.["code"]));
  }
}

/** By the letters of servers, and of their tools: `oa` for open and acme. */
const initials = (names: readonly string[]): string =>
  [...new Set(names.map((name) => name.slice(0, 1)))].join("");
const toolsOf = (server: string, names: readonly string[]): string =>
  initials(
    names.filter((name) => name.startsWith(`${server}__`)).map((name) => name.split("__")[1] ?? ""),
  ) || "none";

const list =
  (kind: "tools" | "prompts" | "resources" | "resourceTemplates") =>
  async (client: Client): Promise<{ name: string; uri: string; uriTemplate: string }[]> => {
    const method = kind === "resourceTemplates" ? "resources/templates/list" : `${kind}/list`;
    return (await client.request(method))[kind];
  };
const done = async (client: Client, method: string, params: Params): Promise<string> => {
  await client.request(method, params);
  return "ok";
};
const call = (name: string) => (client: Client) =>
  done(client, "tools/call", { name, arguments: { text: "x" } });
const hosts = (uris: readonly string[]): string =>
  initials(uris.map((uri) => new URL(uri.replace("{id}", "x")).host));

/** What a client begins with, and is told the instructions by. */
const greeting = (era: string): [method: string, params: Params] =>
  era === "modern"
    ? ["server/discover", {}]
    : [
        "initialize",
        {
          protocolVersion: "2025-11-25",
          capabilities: {},
          clientInfo: { name: "x", version: "1" },
        },
      ];

const operations: Record<string, (client: Client) => Promise<string>> = {
  instructions: async (client) => {
    const { instructions = "" } = await client.request(...greeting(client.era));
    return initials(["acme", "beta"].filter((name) => instructions.includes(name))) || "none";
  },
  "tools of whom": async (client) =>
    initials((await list("tools")(client)).map(({ name }) => name)),
  "tools of open": async (client) =>
    toolsOf(
      "open",
      (await list("tools")(client)).map(({ name }) => name),
    ),
  "tools of acme": async (client) =>
    toolsOf(
      "acme",
      (await list("tools")(client)).map(({ name }) => name),
    ),
  "call open__write": call("open__write"),
  "call acme__write": call("acme__write"),
  "call beta__write": call("beta__write"),
  "call open__plain": call("open__plain"),
  "call open__read": call("open__read"),
  "call acme__read": call("acme__read"),
  "call beta__read": call("beta__read"),
  "call zeta__read": call("zeta__read"),
  prompts: async (client) => initials((await list("prompts")(client)).map(({ name }) => name)),
  "prompt of acme": (client) => done(client, "prompts/get", { name: "acme__greet", arguments: {} }),
  "prompt of beta": (client) => done(client, "prompts/get", { name: "beta__greet", arguments: {} }),
  resources: async (client) => hosts((await list("resources")(client)).map(({ uri }) => uri)),
  templates: async (client) =>
    hosts((await list("resourceTemplates")(client)).map(({ uriTemplate }) => uriTemplate)),
  "resource of acme": (client) => done(client, "resources/read", { uri: "echo://acme/one" }),
  "resource of beta": (client) => done(client, "resources/read", { uri: "echo://beta/one" }),
  "by its full name": (client) =>
    done(client, "resources/read", { uri: "onedoor:acme:echo://acme/one" }),
  "completion of acme": (client) =>
    done(client, "completion/complete", {
      ref: { type: "ref/prompt", name: "acme__greet" },
      argument: { name: "who", value: "" },
    }),
};

const table = `
                     stranger  scraper    acme-viewer  acme-editor  acme-admin  beta-viewer  beta-editor  beta-admin  owner
instructions       | 401       403        a            a            a           b            b            b           ab
tools of whom      | 401       403        oa           oa           oa          ob           ob           ob          oab
tools of open      | 401       403        r            rwp          rwp         r            rwp          rwp         rwp
tools of acme      | 401       403        r            rwp          rwp         none         none         none        rwp
call open__write   | 401       403        forbidden    ok           ok          forbidden    ok           ok          ok
call acme__write   | 401       403        forbidden    ok           ok          not_found    not_found    not_found   ok
call beta__write   | 401       403        not_found    not_found    not_found   forbidden    ok           ok          ok
call open__plain   | 401       403        forbidden    ok           ok          forbidden    ok           ok          ok
call open__read    | 401       403        ok           ok           ok          ok           ok           ok          ok
call acme__read    | 401       403        ok           ok           ok          not_found    not_found    not_found   ok
call beta__read    | 401       403        not_found    not_found    not_found   ok           ok           ok          ok
call zeta__read    | 401       403        not_found    not_found    not_found   not_found    not_found    not_found   not_found
prompts            | 401       403        oa           oa           oa          ob           ob           ob          oab
prompt of acme     | 401       403        ok           ok           ok          not_found    not_found    not_found   ok
prompt of beta     | 401       403        not_found    not_found    not_found   ok           ok           ok          ok
resources          | 401       403        oa           oa           oa          ob           ob           ob          oab
templates          | 401       403        oa           oa           oa          ob           ob           ob          oab
resource of acme   | 401       403        ok           ok           ok          not_found    not_found    not_found   ok
resource of beta   | 401       403        not_found    not_found    not_found   ok           ok           ok          ok
by its full name   | 401       403        ok           ok           ok          not_found    not_found    not_found   ok
completion of acme | 401       403        ok           ok           ok          not_found    not_found    not_found   ok
`;

describe.each(["legacy", "modern"])("over MCP, %s", (era) => {
  test("what is listed, called, read and completed", async () => {
    const { found, expected } = await askTable(table, (person, operation) =>
      outcomeOf(
        clientOf(person, era).then((client) => {
          const ask = operations[operation];
          if (ask === undefined) throw new Error(`No operation ${operation}`);
          return ask(client);
        }),
      ),
    );
    expect(found).toEqual(expected);
    expect(strays).toEqual([]);
  });

  test("the refusal of a write tool says which role it needs, and who can grant it", async () => {
    const client = await clientOf("acme-viewer", era);
    const refused = client.request("tools/call", { name: "acme__write", arguments: {} });
    const error: unknown = await refused.catch((reason: unknown) => reason);
    if (!(error instanceof Refused)) throw new Error("was not refused");
    expect(error.error).toMatchObject({
      code: -32006,
      message: expect.stringMatching(
        /write.*needs the role editor; yours in acme is viewer \(an administrator of acme can grant it\)/u,
      ),
      data: {
        code: "forbidden",
        hint: expect.stringContaining("agent member set acme-viewer acme editor"),
      },
    });
  });
});
