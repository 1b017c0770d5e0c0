import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Refused } from "../soak/client.mjs";
import { openLegacyClient } from "../soak/legacy-client.mjs";
import { createModernClient } from "../soak/modern-client.mjs";
import { runAgent } from "./support/agent.ts";
import { startTeam } from "./support/team.ts";
import type { Person, Team } from "./support/team.ts";

// Somebody of acme names what belongs to beta, and then what nobody has. The names are as far from acme's, so
// that no "did you mean" tells one from the other; what is answered must be equal but for the name itself.

let team: Team;
beforeAll(async () => {
  team = await startTeam();
  // Something is there to be found.
  const call = { server: "beta", tool: "read", arguments: {} };
  for (const person of ["beta-viewer", "beta-admin"] as const) {
    await team.as(person)("POST", "/api/v1/tools/call", call);
  }
});
afterAll(() => team.stop());

const admin = "/api/v1/admin";
const acme = ["acme-viewer", "acme-editor", "acme-admin"] as const;

/** What is answered, without the time, its length, and with one word for either name. */
function shape(
  { status, headers, text }: { status: number; headers: Headers; text: string },
  ...names: readonly string[]
): object {
  const hide = (words: string): string => {
    let hidden = words;
    for (const name of names) hidden = hidden.replaceAll(name, "<name>");
    return hidden;
  };
  const shown = [...headers].filter(
    ([name]) => !["date", "content-length", "x-request-id"].includes(name),
  );
  return {
    status,
    headers: Object.fromEntries(shown.map(([name, value]) => [name, hide(value)])),
    text: hide(text),
  };
}

type Request = readonly [method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object];

const requests: Record<string, (name: string) => Request> = {
  "a server": (name) => ["GET", `/api/v1/inspect?server=${name}`],
  "its tool": (name) => ["GET", `/api/v1/inspect?server=${name}&tool=read`],
  "a call of a read tool": (name) => [
    "POST",
    "/api/v1/tools/call",
    { server: name, tool: "read", arguments: {} },
  ],
  "a call of a write tool": (name) => [
    "POST",
    "/api/v1/tools/call",
    { server: name, tool: "write", arguments: {} },
  ],
  "a call with wrong arguments": (name) => [
    "POST",
    "/api/v1/tools/call",
    { server: name, tool: "read", arguments: { text: 1 } },
  ],
  "a server's state": (name) => ["GET", `/servers/${name}`],
  "a server's restart": (name) => ["POST", `/servers/${name}/restart`],
  "a server's earlier entry": (name) => ["POST", `${admin}/servers/${name}/restore`],
  "an organisation's end": (name) => ["DELETE", `${admin}/organizations/${name}`],
  "an organisation's members": (name) => ["GET", `${admin}/members?organization=${name}`],
  "a member of it": (name) => [
    "PUT",
    `${admin}/organizations/${name}/members/acme-viewer`,
    { role: "viewer" },
  ],
  "a member's end": (name) => ["DELETE", `${admin}/organizations/${name}/members/${name}-viewer`],
  "a stranger in the own one": (name) => [
    "PUT",
    `${admin}/organizations/acme/members/${name}-viewer`,
    { role: "viewer" },
  ],
  "a stranger's end in the own one": (name) => [
    "DELETE",
    `${admin}/organizations/acme/members/${name}-viewer`,
  ],
  "a user's memberships": (name) => ["GET", `${admin}/members?user=${name}-viewer`],
  "a user's tokens": (name) => ["GET", `${admin}/tokens?user=${name}-viewer`],
  "a user's end": (name) => ["DELETE", `${admin}/users/${name}-viewer`],
  "a token in it": (name) => [
    "POST",
    `${admin}/tokens`,
    { name: "t", user: `${name}-viewer`, organization: name },
  ],
  "a token for a stranger": (name) => [
    "POST",
    `${admin}/tokens`,
    { name: "t", user: `${name}-viewer`, organization: "acme" },
  ],
  "its audit": (name) => ["GET", `/api/v1/audit?organization=${name}`],
  "a user's audit": (name) => ["GET", `/api/v1/audit?user=${name}-viewer`],
  "a tool's audit": (name) => ["GET", `/api/v1/audit?tool=*read&organization=${name}`],
  "its history": (name) => ["GET", `${admin}/history?entity=organization&id=${name}`],
  "a member's history": (name) => [
    "GET",
    `${admin}/history?entity=member&id=${name}%2F${name}-viewer`,
  ],
  "a server's history": (name) => ["GET", `${admin}/history?entity=server&id=${name}`],
};

test("nothing of beta stands in anything acme's administrator reads", async () => {
  const rest = team.as("acme-admin");
  for (const path of [
    "/api/v1/inspect",
    "/api/v1/inspect?server=open",
    "/api/v1/instructions",
    "/servers",
    "/api/v1/audit?limit=1000",
    `${admin}/organizations`,
    `${admin}/organizations?deleted=true`,
    `${admin}/users`,
    `${admin}/users?deleted=true`,
    `${admin}/members`,
    `${admin}/tokens`,
    `${admin}/history?limit=1000`,
  ]) {
    const { status, text } = await rest("GET", path);
    expect([path, status]).toEqual([path, 200]);
    expect([path, text]).toEqual([path, expect.not.stringMatching(/beta/iu)]);
  }
});

describe.each(acme)("%s asks for what is beta's", (person) => {
  test.each(Object.entries(requests))("%s: as if nobody had it", async (_what, ask) => {
    const rest = team.as(person);
    const theirs = await rest(...ask("beta"));
    const nobodys = await rest(...ask("zeta"));
    expect(shape(theirs, "beta", "zeta")).toEqual(shape(nobodys, "beta", "zeta"));
  });

  test("a token, by its id", async () => {
    const rest = team.as(person);
    const id = team.tokenIds["beta-viewer"] ?? "";
    const none = randomUUID();
    for (const [method, more] of [
      ["DELETE", ""],
      ["POST", "/rotate"],
    ] as const) {
      const theirs = await rest(method, `${admin}/tokens/${id}${more}`);
      const nobodys = await rest(method, `${admin}/tokens/${none}${more}`);
      expect(shape(theirs, id)).toEqual(shape(nobodys, none));
    }
    expect(await team.as("beta-viewer")("GET", "/api/v1/inspect")).toMatchObject({ status: 200 });
  });

  test("a session, by its id", async () => {
    const strays: string[] = [];
    const theirs = await openLegacyClient({
      ...clientOptions("beta-editor", strays),
      listen: false,
    });
    for (const method of ["POST", "GET", "DELETE"] as const) {
      const ask = (session: string): ReturnType<typeof fetch> =>
        fetch(`${team.gateway.url}/mcp`, {
          method,
          headers: {
            authorization: `Bearer ${team.tokens[person]}`,
            accept: method === "GET" ? "text/event-stream" : "application/json, text/event-stream",
            "content-type": "application/json",
            "mcp-session-id": session,
            "mcp-protocol-version": "2025-11-25",
          },
          ...(method === "POST" && { body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }),
        });
      const [one, other] = [await ask(theirs.sessionId), await ask(randomUUID())];
      const [text, otherText] = [await one.text(), await other.text()];
      expect(shape({ ...head(one), text })).toEqual(shape({ ...head(other), text: otherText }));
      expect(one.status).toBe(404);
    }
    expect(await theirs.request("tools/list")).toHaveProperty("tools");
    expect(strays).toEqual([]);
  });

  test.each(["legacy", "modern"])("its names over MCP, %s", async (era) => {
    const strays: string[] = [];
    const options = clientOptions(person, strays);
    const client =
      era === "legacy"
        ? await openLegacyClient({ ...options, listen: false })
        : createModernClient(options);
    const asked: [string, (name: string) => Record<string, unknown>][] = [
      ["tools/call", (name) => ({ name: `${name}__read`, arguments: {} })],
      ["tools/call", (name) => ({ name: `${name}__write`, arguments: {} })],
      ["prompts/get", (name) => ({ name: `${name}__greet`, arguments: {} })],
      ["resources/read", (name) => ({ uri: `echo://${name}/one` })],
      ["resources/read", (name) => ({ uri: `onedoor:${name}:echo://${name}/one` })],
      [
        "completion/complete",
        (name) => ({
          ref: { type: "ref/prompt", name: `${name}__greet` },
          argument: { name: "who", value: "" },
        }),
      ],
      ...(era === "legacy"
        ? ([["resources/subscribe", (name) => ({ uri: `echo://${name}/one` })]] satisfies [
            string,
            (name: string) => Record<string, unknown>,
          ][])
        : []),
    ];
    for (const [method, paramsOf] of asked) {
      const refusal = async (name: string): Promise<string> => {
        const error: unknown = await client
          .request(method, paramsOf(name))
          .catch((reason: unknown) => reason);
        if (!(error instanceof Refused)) throw new Error(`${method} of ${name} was not refused`);
        return JSON.stringify([error.status, error.error]).replaceAll(name, "<name>");
      };
      expect([method, await refusal("beta")]).toEqual([method, await refusal("zeta")]);
    }
    expect(strays).toEqual([]);
  });

  test("its names on the command line", async () => {
    for (const args of [
      ["inspect", "<name>"],
      ["inspect", "<name>/read"],
      ["run", "<name>/read", "text=x"],
      ["run", "<name>/write", "text=x"],
    ]) {
      const asked = await Promise.all(
        ["beta", "zeta"].map(async (name) => {
          const result = await team.agent(
            person,
            args.map((word) => word.replace("<name>", name)),
          );
          return JSON.stringify(result).replaceAll(name, "<name>");
        }),
      );
      expect(asked[0]).toBe(asked[1]);
      expect(asked[0]).toContain('"code":2');
    }
  });
});

test("the command line of acme's offers none of beta's names", async () => {
  // `beat` is nearer to `beta` than to anything that is there.
  const { stderr } = await team.agent("acme-editor", ["inspect", "beat"]);
  expect(stderr).not.toContain("beta");
  const owner = await runAgent(["inspect", "beat"], { home: team.home });
  expect(owner.stderr).toContain("beta");
});

function clientOptions(
  person: Person,
  strays: string[],
): { url: string; token: string; name: string; onStray: (text: string) => void } {
  return {
    url: team.gateway.url,
    token: team.tokens[person] ?? "",
    name: person,
    onStray: (text) => void strays.push(text),
  };
}

function head({ status, headers }: Response): { status: number; headers: Headers } {
  return { status, headers };
}
