import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askTable } from "./support/ask-table.ts";
import type { Outcomes } from "./support/ask-table.ts";
import type { Rest, RestAnswer } from "./support/rest.ts";
import { members, startTeam } from "./support/team.ts";
import type { Person, Team } from "./support/team.ts";

let team: Team;
beforeAll(async () => {
  team = await startTeam();
  // Somebody whom the tables may remove, and rows of both organisations in the audit.
  for (const person of members) {
    const call = { server: "open", tool: "read", arguments: { text: person } };
    const { status: code, text } = await team.as(person)("POST", "/api/v1/tools/call", call);
    if (code !== 200) throw new Error(text);
  }
});
afterAll(() => team.stop());

const admin = "/api/v1/admin";

type Operation = (rest: Rest, person: Person) => Promise<string>;

/** The status where it was refused, else what `found` says of the answer. */
function outcome(
  found: (body: RestAnswer["body"]) => readonly string[],
): (answer: RestAnswer) => string {
  return ({ status, body }) => {
    if (status !== 200) return String(status);
    // By first letters: `oa` for the servers open and acme, `-ab` for those of no organisation, acme and beta.
    const letters = new Set(found(body).map((name) => name.slice(0, 1)));
    return letters.size === 0 ? "none" : [...letters].join("");
  };
}
const get =
  (path: string, found: (body: RestAnswer["body"]) => readonly string[]): Operation =>
  async (rest) =>
    outcome(found)(await rest("GET", path));
const status =
  (method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object): Operation =>
  async (rest) =>
    String((await rest(method, path, body)).status);
const names = (list: { name: string }[]): string[] => list.map(({ name }) => name);
const call = (server: string, tool: string): Operation =>
  status("POST", "/api/v1/tools/call", { server, tool, arguments: { text: "x" } });
/** `acme` of `acme-viewer` and of `acme`; who is in no organisation as `-`. */
const organisationsOf = (list: (string | null)[]): string[] =>
  [...new Set(list.map((id) => id?.split("-")[0] ?? "-"))].toSorted();

/** Before the operation, in the same words for whoever asks: a member and a token to take away. */
async function withMember(organization: string): Promise<{ user: string; tokenId: string }> {
  const owner = team.as("owner");
  const user = `${organization}-guest`;
  await owner("POST", `${admin}/users`, { id: user });
  await owner("PUT", `${admin}/organizations/${organization}/members/${user}`, { role: "viewer" });
  const body = { name: "t", user, organization };
  const minted = await owner("POST", `${admin}/tokens`, body);
  if (minted.status !== 201) throw new Error(minted.text);
  return { user, tokenId: minted.body.details.id };
}

const onMember =
  (
    organization: string,
    act: (rest: Rest, member: { user: string; tokenId: string }) => Promise<RestAnswer>,
  ): Operation =>
  async (rest) => {
    const answer = await act(rest, await withMember(organization));
    return String(answer.status);
  };
const tokenFor = (user: string, organization: string): object => ({
  name: "t",
  user,
  organization,
});
const removeMember = (organization: string): Operation =>
  onMember(organization, (rest, { user }) =>
    rest("DELETE", `${admin}/organizations/${organization}/members/${user}`),
  );
const rotate = (organization: string): Operation =>
  onMember(organization, (rest, { tokenId }) => rest("POST", `${admin}/tokens/${tokenId}/rotate`));
const revoke = (organization: string): Operation =>
  onMember(organization, (rest, { tokenId }) => rest("DELETE", `${admin}/tokens/${tokenId}`));

function play(
  table: string,
  operations: Readonly<Record<string, Operation>>,
): Promise<{ found: Outcomes; expected: Outcomes }> {
  return askTable(table, async (person, operation) => {
    const ask = operations[operation];
    if (ask === undefined) throw new Error(`No operation ${operation}`);
    return await ask(team.as(person), person);
  });
}

describe("over HTTP", () => {
  test("what is seen of servers", async () => {
    const tools = (server: string): Operation =>
      get(`/api/v1/inspect?server=${server}`, (body) => names(body.tools));
    const { found, expected } = await play(
      `
                nobody  stranger  scraper  acme-viewer  acme-editor  acme-admin  beta-viewer  beta-editor  beta-admin  owner
list servers  | 401     401       403      oa           oa           oa          ob           ob           ob          oab
tools of open | 401     401       403      r            rwp          rwp         r            rwp          rwp         rwp
tools of acme | 401     401       403      r            rwp          rwp         404          404          404         rwp
tools of beta | 401     401       403      404          404          404         r            rwp          rwp         rwp
one of acme   | 401     401       403      200          200          200         404          404          404         200
write of acme | 401     401       403      200          200          200         404          404          404         200
MCP           | 401     401       403      200          200          200         200          200          200         200
instructions  | 401     401       403      oa           oa           oa          ob           ob           ob          oab
`,
      {
        "list servers": get("/api/v1/inspect", ({ servers }) => names(servers)),
        "tools of open": tools("open"),
        "tools of acme": tools("acme"),
        "tools of beta": tools("beta"),
        "one of acme": status("GET", "/api/v1/inspect?server=acme&tool=read"),
        "write of acme": status("GET", "/api/v1/inspect?server=acme&tool=write"),
        MCP: async (rest) => {
          const body = { jsonrpc: "2.0", id: 1, method: "ping" };
          const accept = "application/json, text/event-stream";
          return String((await rest("POST", "/mcp", body, { accept })).status);
        },
        instructions: async (rest) => {
          const { status: code, text } = await rest("GET", "/api/v1/instructions");
          if (code !== 200) return String(code);
          return ["open", "acme", "beta"]
            .filter((name) => text.includes(`${name}/`))
            .map((name) => name.slice(0, 1))
            .join("");
        },
      },
    );
    expect(found).toEqual(expected);
  });

  test("which tools are called", async () => {
    const { found, expected } = await play(
      `
                  nobody  stranger  scraper  acme-viewer  acme-editor  acme-admin  beta-viewer  beta-editor  beta-admin  owner
write of acme   | 401     401       403      403          200          200         404          404          404         200
write of beta   | 401     401       403      404          404          404         403          200          200         200
write of open   | 401     401       403      403          200          200         403          200          200         200
unsaid of open  | 401     401       403      403          200          200         403          200          200         200
read of acme    | 401     401       403      200          200          200         404          404          404         200
read of beta    | 401     401       403      404          404          404         200          200          200         200
read of open    | 401     401       403      200          200          200         200          200          200         200
nothing of open | 401     401       403      404          404          404         404          404          404         404
read of nothing | 401     401       403      404          404          404         404          404          404         404
`,
      {
        "write of acme": call("acme", "write"),
        "write of beta": call("beta", "write"),
        "write of open": call("open", "write"),
        "unsaid of open": call("open", "plain"),
        "read of acme": call("acme", "read"),
        "read of beta": call("beta", "read"),
        "read of open": call("open", "read"),
        "nothing of open": call("open", "nothing"),
        "read of nothing": call("nothing", "read"),
      },
    );
    expect(found).toEqual(expected);
  });

  test("how servers are watched and restarted", async () => {
    const { found, expected } = await play(
      `
                  nobody  stranger  scraper  acme-viewer  acme-editor  acme-admin  beta-viewer  beta-editor  beta-admin  owner
list servers    | 401     401       403      403          403          oa          403          403          ob          oab
look at acme    | 401     401       403      403          403          200         403          403          404         200
restart nothing | 401     401       403      403          403          404         403          403          404         404
restart open    | 401     401       403      403          403          403         403          403          403         202
restart beta    | 401     401       403      403          403          404         403          403          202         202
metrics         | 401     401       200      403          403          403         403          403          403         200
`,
      {
        "list servers": get("/servers", ({ servers }) => names(servers)),
        "look at acme": status("GET", "/servers/acme"),
        "restart nothing": status("POST", "/servers/nothing/restart"),
        "restart open": status("POST", "/servers/open/restart"),
        "restart beta": status("POST", "/servers/beta/restart"),
        metrics: status("GET", "/metrics"),
      },
    );
    expect(found).toEqual(expected);
  });

  test("what is read of people, and of what they did", async () => {
    const { found, expected } = await play(
      `
                nobody  stranger  scraper  acme-viewer  acme-editor  acme-admin  beta-viewer  beta-editor  beta-admin  owner
organisations | 401     401       403      403          403          a           403          403          b           ab
users         | 401     401       403      403          403          a           403          403          b           ab
members       | 401     401       403      403          403          a           403          403          b           ab
tokens        | 401     401       403      403          403          a           403          403          b           -ab
audit         | 401     401       403      403          403          a           403          403          b           -ab
history       | 401     401       403      403          403          a           403          403          b           -ab
`,
      {
        organisations: get(`${admin}/organizations`, ({ organizations }) =>
          organizations.map(({ id }: { id: string }) => id),
        ),
        users: get(`${admin}/users`, ({ users }) =>
          organisationsOf(users.map(({ id }: { id: string }) => id)),
        ),
        members: get(`${admin}/members`, (body) =>
          organisationsOf(body.members.map((each: { organization: string }) => each.organization)),
        ),
        tokens: get(`${admin}/tokens`, (body) =>
          organisationsOf(body.tokens.map((each: { organization: string }) => each.organization)),
        ),
        audit: get("/api/v1/audit?limit=1000", ({ rows }) =>
          organisationsOf(rows.map((row: { organization_id: string }) => row.organization_id)),
        ),
        history: get(`${admin}/history?limit=1000`, ({ changes }) =>
          organisationsOf(changes.map((row: { organization_id: string }) => row.organization_id)),
        ),
      },
    );
    expect(found).toEqual(expected);
  });

  test("what is changed about people", async () => {
    const member = (person: string): string =>
      `${admin}/organizations/${person.split("-")[0]}/members/${person}`;
    const { found, expected } = await play(
      `
                         nobody  stranger  scraper  acme-viewer  acme-editor  acme-admin  beta-viewer  beta-editor  beta-admin  owner
make an organisation   | 401     401       403      403          403          403         403          403          403         201
make a user            | 401     401       403      403          403          403         403          403          403         201
remove a user          | 401     401       403      403          403          403         403          403          403         200
remove an organisation | 401     401       403      403          403          403         403          403          403         200
a role in acme         | 401     401       403      403          403          200         403          403          404         200
a role in beta         | 401     401       403      403          403          404         403          403          200         200
a token for acme       | 401     401       403      403          403          201         403          403          404         201
a token for beta       | 401     401       403      403          403          404         403          403          201         201
rotate one of acme     | 401     401       403      403          403          200         403          403          404         200
revoke one of acme     | 401     401       403      403          403          200         403          403          404         200
revoke one of beta     | 401     401       403      403          403          404         403          403          200         200
remove one from acme   | 401     401       403      403          403          200         403          403          404         200
purge                  | 401     401       403      403          403          403         403          403          403         200
restore a server       | 401     401       403      403          403          403         403          403          403         404
`,
      {
        "make an organisation": status("POST", `${admin}/organizations`, { id: "gamma" }),
        "make a user": status("POST", `${admin}/users`, { id: "gamma-viewer" }),
        "remove a user": status("DELETE", `${admin}/users/gamma-viewer`),
        "remove an organisation": status("DELETE", `${admin}/organizations/gamma`),
        "a role in acme": status("PUT", member("acme-viewer"), { role: "viewer" }),
        "a role in beta": status("PUT", member("beta-viewer"), { role: "viewer" }),
        "a token for acme": status("POST", `${admin}/tokens`, tokenFor("acme-viewer", "acme")),
        "a token for beta": status("POST", `${admin}/tokens`, tokenFor("beta-viewer", "beta")),
        "rotate one of acme": rotate("acme"),
        "revoke one of acme": revoke("acme"),
        "revoke one of beta": revoke("beta"),
        "remove one from acme": removeMember("acme"),
        purge: status("POST", `${admin}/purge`, { before: "1990-01-01T00:00:00.000Z" }),
        "restore a server": status("POST", `${admin}/servers/acme/restore`),
      },
    );
    expect(found).toEqual(expected);
  });
});

describe("a refusal", () => {
  test("of a write tool says what it is, which role it needs and who can grant it", async () => {
    const body = { server: "acme", tool: "write", arguments: {} };
    const answer = await team.as("acme-viewer")("POST", "/api/v1/tools/call", body);
    expect(answer).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
    const { message, hint } = answer.body.error;
    expect(message).toMatch(
      /write.*needs the role editor; yours in acme is viewer \(an administrator of acme can grant it\)$/u,
    );
    expect(hint).toContain("agent member set acme-viewer acme editor");
  });
});
