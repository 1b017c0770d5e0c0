import { describe, expect, it } from "vitest";
import type { Caller, ClientPort } from "../../src/core/client-port.ts";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Listing } from "../../src/core/mcp.ts";
import type { Principal } from "../../src/core/principal.ts";
import { httpServer } from "../upstream/support/pool.ts";
import {
  ada,
  callerWith,
  echoTool,
  fakeUpstream,
  gatewayOf,
  legacyClient,
  modernClient,
  serverConfiguration,
} from "./fakes.ts";

// One principal with one sight, whom a server may yet tell apart by what it is told of the caller.

const asked = { sampling: {} };
const principal: Principal = { ...ada, organizationId: "acme" };
const first: Caller = { principal, projectId: "p1" };
const others: [string, Caller][] = [
  ["project", { principal, projectId: "p2" }],
  ["name", { principal: { ...principal, displayName: "Augusta" }, projectId: "p1" }],
  ["role", { principal: { ...principal, role: "editor" }, projectId: "p1" }],
];

/** What the server lists to this caller alone. */
const own = ({ caller }: ClientPort): Listing => ({
  ...emptyListing,
  tools: [
    {
      ...echoTool,
      name: `${caller?.principal.displayName}-${caller?.principal.role}-${caller?.projectId}`,
    },
  ],
});

/** Two servers, of which the second is told who asks where `forwardIdentity` says so. */
function open(forwardIdentity: boolean) {
  const upstream = fakeUpstream("web");
  upstream.listFor = own;
  const told = { ...httpServer("web", "https://web.example/mcp"), forwardIdentity };
  const { gateway } = gatewayOf([fakeUpstream("one"), upstream], {
    servers: [serverConfiguration("one"), told],
  });
  const toolOf = (client: ClientPort): string => `web__${own(client).tools[0]?.name}`;
  const list = async (client: ClientPort): Promise<string[]> => {
    const tools = await gateway.list(callerWith(client, client.caller?.principal), "tools");
    return tools.map(({ name }) => name);
  };
  /** By what was listed before, without asking the server. */
  const knows = (client: ClientPort, name: string): boolean =>
    gateway.exposedTool(callerWith(client, client.caller?.principal), name) !== undefined;
  return { list, knows, toolOf };
}

const clientOf = (caller: Caller): ClientPort => ({ ...modernClient(asked), caller });

describe("callers that declared the same", () => {
  it.each(others)(
    "see their own where a server is told who asks: another %s",
    async (_, caller) => {
      const { list, knows, toolOf } = open(true);
      const [one, other] = [clientOf(first), clientOf(caller)];
      expect(await list(one)).toEqual(["one__echo", toolOf(one)]);
      expect(knows(other, toolOf(one))).toBe(false);
      expect(await list(other)).toEqual(["one__echo", toolOf(other)]);
      expect([one, other].map((client) => knows(client, toolOf(one)))).toEqual([true, false]);
      expect([one, other].map((client) => knows(client, toolOf(other)))).toEqual([false, true]);
    },
  );

  it.each(others)("share one view where none is told: another %s", async (_, caller) => {
    const { list, knows, toolOf } = open(false);
    const [one, other] = [clientOf(first), clientOf(caller)];
    await list(one);
    expect([one, other].map((client) => knows(client, toolOf(one)))).toEqual([true, true]);
  });
});

describe("a session whose caller changed", () => {
  it.each<[string, boolean]>([
    ["is listed anew where a server is told who asks", true],
    ["keeps its view where none is told", false],
  ])("%s", async (_, forwardIdentity) => {
    const { list, knows, toolOf } = open(forwardIdentity);
    const client = Object.assign(legacyClient("a", asked), { caller: first });
    await list(client);
    const before = toolOf(client);
    expect(knows(client, before)).toBe(true);
    client.caller = { principal: { ...principal, displayName: "Augusta" }, projectId: "p1" };
    expect(knows(client, before)).toBe(!forwardIdentity);
    await list(client);
    expect([before, toolOf(client)].map((name) => knows(client, name))).toEqual([false, true]);
  });
});
