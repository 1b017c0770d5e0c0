import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Refused } from "../soak/client.mjs";
import type { Client } from "../soak/client.mjs";
import { openLegacyClient } from "../soak/legacy-client.mjs";
import { createModernClient } from "../soak/modern-client.mjs";
import { restClient } from "./support/rest.ts";
import type { Rest } from "./support/rest.ts";
import { echoServer, startTeam, teamServers } from "./support/team.ts";
import type { Person, Team } from "./support/team.ts";

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.stop());

const admin = "/api/v1/admin";
const strays: string[] = [];

function options(person: Person): {
  url: string;
  token: string;
  name: string;
  onStray: (text: string) => void;
} {
  return {
    url: team.gateway.url,
    token: team.tokens[person] ?? "",
    name: person,
    onStray: (text) => void strays.push(text),
  };
}

async function refusalOf(asked: Promise<unknown>): Promise<Refused> {
  const error: unknown = await asked.catch((reason: unknown) => reason);
  if (error instanceof Refused) return error;
  throw new Error("was not refused");
}

async function setRole(person: Person, role: string): Promise<void> {
  const [organization = ""] = person.split("-");
  const path = `${admin}/organizations/${organization}/members/${person}`;
  expect(await team.as("owner")("PUT", path, { role })).toMatchObject({ status: 200 });
}

describe("a role that is changed", () => {
  afterEach(() => setRole("acme-editor", "editor"));

  const eras: [era: string, open: (person: Person) => Promise<Client>][] = [
    ["legacy", (person) => openLegacyClient({ ...options(person), listen: false })],
    ["modern", (person) => Promise.resolve(createModernClient(options(person)))],
  ];
  test.each(eras)(
    "counts from the next call on in the middle of a session, %s",
    async (_era, open) => {
      const client = await open("acme-editor");
      const write = (): Promise<unknown> =>
        client.request("tools/call", { name: "acme__write", arguments: { text: "x" } });
      const names = async (): Promise<string[]> =>
        (await client.request("tools/list"))["tools"].map(({ name }: { name: string }) => name);
      await write();
      await setRole("acme-editor", "viewer");
      const { error } = await refusalOf(write());
      expect(error).toMatchObject({ data: { code: "forbidden" } });
      expect(await names()).not.toContain("acme__write");
      await client.request("tools/call", { name: "acme__read", arguments: {} });
      await setRole("acme-editor", "editor");
      await write();
      expect(await names()).toContain("acme__write");
      expect(strays).toEqual([]);
    },
  );

  test("counts at once over REST, up and down, but lifts no token above what it was made for", async () => {
    const rest = team.as("acme-editor");
    const body = { name: "limited", user: "acme-editor", organization: "acme", role: "editor" };
    const call = { server: "acme", tool: "write", arguments: {} };
    const write = async (as: Rest): Promise<number> =>
      (await as("POST", "/api/v1/tools/call", call)).status;
    const { token } = (await team.as("owner")("POST", `${admin}/tokens`, body)).body;
    const limited = restClient(team.gateway.url, token);
    await setRole("acme-editor", "admin");
    expect(await rest("GET", "/servers")).toMatchObject({ status: 200 });
    expect(await limited("GET", "/servers")).toMatchObject({ status: 403 });
    for (const as of [rest, limited]) expect(await write(as)).toBe(200);
    await setRole("acme-editor", "viewer");
    for (const as of [rest, limited]) {
      expect(await write(as)).toBe(403);
      expect(await as("GET", "/servers")).toMatchObject({ status: 403 });
    }
    const tooMuch = await team.as("acme-admin")("POST", `${admin}/tokens`, {
      ...body,
      role: "admin",
    });
    expect(tooMuch.status).toBe(403);
  });
});

const whoami = (person: Person): Promise<number> =>
  team
    .as(person)("GET", "/auth/status")
    .then(({ status }) => status);

describe("a token is dead at once, and what it holds open ends", () => {
  test.each([
    [
      "when its user is removed",
      "beta-viewer",
      () => team.as("owner")("DELETE", `${admin}/users/beta-viewer`),
    ],
    [
      "when its user is a member no more",
      "beta-editor",
      () => team.as("beta-admin")("DELETE", `${admin}/organizations/beta/members/beta-editor`),
    ],
    [
      "when it is taken back",
      "acme-viewer",
      () => team.as("acme-admin")("DELETE", `${admin}/tokens/${team.tokenIds["acme-viewer"]}`),
    ],
    [
      "when it is replaced",
      "acme-editor",
      () => team.as("acme-admin")("POST", `${admin}/tokens/${team.tokenIds["acme-editor"]}/rotate`),
    ],
    [
      "when its organisation is removed",
      "beta-admin",
      () => team.as("owner")("DELETE", `${admin}/organizations/beta`),
    ],
  ] as const)("%s", async (_when, person, end) => {
    const ended: string[] = [];
    const client = await openLegacyClient({
      ...options(person),
      onStray: (text) => void ended.push(text),
    });
    await client.request("tools/list");
    expect(ended).toEqual([]);
    expect(await end()).toMatchObject({ status: 200 });
    expect(await refusalOf(client.request("tools/list"))).toMatchObject({ status: 401 });
    expect(await whoami(person)).toBe(401);
    await expect.poll(() => ended.join()).toMatch(/common stream ended/u);
  });

  test("a user who is restored has none of the old tokens", async () => {
    const owner = team.as("owner");
    expect(await owner("POST", `${admin}/users/beta-viewer/restore`)).toMatchObject({
      status: 200,
    });
    expect(await owner("POST", `${admin}/organizations/beta/restore`)).toMatchObject({
      status: 200,
    });
    expect(await whoami("beta-viewer")).toBe(401);
    const body = { name: "new", user: "beta-viewer", organization: "beta" };
    expect(await owner("POST", `${admin}/tokens`, body)).toMatchObject({ status: 201 });
  });
});

describe("the rate limit", () => {
  let limited: Team;
  beforeAll(async () => {
    limited = await startTeam({
      rateLimit: { rpm: 5, roles: { viewer: 3 }, tools: { "slow__*": 1 } },
      mcpServers: { ...teamServers, slow: echoServer("slow") },
    });
  });
  afterAll(() => limited.stop());

  const call = (
    person: Person,
    tool = "read",
    server = "open",
  ): ReturnType<ReturnType<Team["as"]>> =>
    limited.as(person)("POST", "/api/v1/tools/call", { server, tool, arguments: {} });

  const statuses = async (person: Person, count: number): Promise<number[]> => {
    const found: number[] = [];
    for (let left = count; left > 0; left--) found.push((await call(person)).status);
    return found;
  };
  const run = (tool: string): ReturnType<Team["agent"]> =>
    limited.agent("acme-viewer", ["run", `open/${tool}`, "text=x", "--json"]);
  const auditOf = async (person: Person): Promise<string[]> => {
    const answer = await limited.as("owner")("GET", `/api/v1/audit?user=${person}&order=oldest`);
    return answer.body.rows.map(({ status }: { status: string }) => status);
  };

  test("counts every attempt of a user, exactly, whatever comes at once", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => call("acme-editor")));
    const codes = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(codes).toEqual([...Array<number>(5).fill(200), ...Array<number>(35).fill(429)]);
    const refused = answers.find(({ status }) => status === 429);
    const seconds = Number(refused?.headers.get("retry-after"));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused?.body.error).toMatchObject({ code: "rate_limited" });
    expect(refused?.body.error.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(refused?.body.error.retryAfterSeconds).toBeLessThanOrEqual(60);
  });

  test("MCP says the same, in both eras, and lists are not counted", async () => {
    for (const era of ["legacy", "modern"] as const) {
      const own = {
        url: limited.gateway.url,
        token: limited.tokens["acme-editor"] ?? "",
        name: era,
        onStray: () => undefined,
      };
      const client =
        era === "legacy"
          ? await openLegacyClient({ ...own, listen: false })
          : createModernClient(own);
      const { error } = await refusalOf(
        client.request("tools/call", { name: "open__read", arguments: {} }),
      );
      expect(error).toMatchObject({ data: { code: "rate_limited" } });
      expect(error?.["data"].retryAfterSeconds).toBeGreaterThanOrEqual(1);
      expect(error?.["data"].retryAfterSeconds).toBeLessThanOrEqual(60);
      expect(await client.request("tools/list")).toHaveProperty("tools");
    }
  });

  test("is each user's own, and the role's where the configuration says so", async () => {
    expect(await statuses("beta-viewer", 4)).toEqual([200, 200, 200, 429]);
    expect(await statuses("beta-editor", 6)).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test("counts what is refused, and a tool's own limit beside it", async () => {
    expect((await call("acme-admin", "read", "slow")).status).toBe(200);
    expect((await call("acme-admin", "read", "slow")).status).toBe(429);
    expect((await call("acme-admin", "nothing")).status).toBe(404);
    expect((await call("acme-admin", "read", "beta")).status).toBe(404);
    expect((await call("acme-admin")).status).toBe(200);
    expect((await call("acme-admin")).status).toBe(429);
  });

  test("does not count the owner's own calls", async () => {
    for (let left = 12; left > 0; left--) expect((await call("owner")).status).toBe(200);
  });

  test("the command ends with 6 and says how long to wait; a refused role with 4", async () => {
    const forbidden = await run("write");
    expect(forbidden).toMatchObject({ code: 4, stdout: "" });
    expect(JSON.parse(forbidden.stderr)).toMatchObject({ error: { code: "forbidden" } });
    expect(await run("read")).toMatchObject({ code: 0 });
    expect(await run("read")).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await run("read");
    expect([code, stdout]).toEqual([6, ""]);
    const { error } = JSON.parse(stderr);
    expect(error.code).toBe("rate_limited");
    expect(error.retryAfterSeconds).toBeGreaterThanOrEqual(1);
  });

  test("refused calls are rows of the audit, denied", async () => {
    await expect
      .poll(() => auditOf("beta-viewer"))
      .toEqual(["success", "success", "success", "denied"]);
  });
});
