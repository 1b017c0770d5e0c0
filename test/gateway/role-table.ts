import { AppError } from "../../src/core/errors.ts";
import { InsufficientScope } from "../../src/core/insufficient-scope.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { Tool } from "../../src/core/mcp.ts";
import type { Principal } from "../../src/core/principal.ts";
import type { CallerContext, Gateway } from "../../src/gateway/gateway.ts";
import type { FakeUpstream } from "./fakes.ts";
import {
  ada,
  fakeUpstream,
  gatewayOf,
  legacyClient,
  modernClient,
  open,
  serverConfiguration,
} from "./fakes.ts";

// Role × operation × organisation, denials first. Names of servers are so far from each other that no hint
// names another one.
const organizationsOf = {
  everyone: [],
  alphabet: ["acme"],
  birthday: ["bolt"],
  together: ["acme", "bolt"],
} as const;
export const names = Object.keys(organizationsOf);
const tagsOf: Record<string, string[]> = {
  everyone: ["wide"],
  alphabet: ["small"],
  birthday: ["small"],
  together: ["wide", "small"],
};
/** Switched off, of acme. */
export const switchedOff = "disabled";
export const nobodys = "zzzzzzzz";

export const person = (organizationId: string | null, role: Principal["role"]): Principal => ({
  ...ada,
  userId: `${role} of ${organizationId}`,
  organizationId,
  role,
});
export const acme = ["everyone", "alphabet", "together"];
const bolt = ["everyone", "birthday", "together"];

interface Case {
  who: Principal;
  sees: readonly string[];
  mayWrite: boolean;
  /** Undefined: no administrator at all. */
  manages: readonly string[] | undefined;
}

const cases: Record<string, Case> = {
  "nobody in acme": {
    who: person("acme", null),
    sees: [],
    mayWrite: false,
    manages: undefined,
  },
  "nobody in no organisation": {
    who: person(null, null),
    sees: [],
    mayWrite: false,
    manages: undefined,
  },
  "an administrator's token for the metrics": {
    who: { ...person(null, "admin"), scopes: ["metrics"] },
    sees: [],
    mayWrite: false,
    manages: undefined,
  },
  "a viewer in no organisation": {
    who: person(null, "viewer"),
    sees: ["everyone"],
    mayWrite: false,
    manages: undefined,
  },
  "a viewer of acme": {
    who: person("acme", "viewer"),
    sees: acme,
    mayWrite: false,
    manages: undefined,
  },
  "a viewer of bolt": {
    who: person("bolt", "viewer"),
    sees: bolt,
    mayWrite: false,
    manages: undefined,
  },
  "an editor in no organisation": {
    who: person(null, "editor"),
    sees: ["everyone"],
    mayWrite: true,
    manages: undefined,
  },
  "an editor of acme": {
    who: person("acme", "editor"),
    sees: acme,
    mayWrite: true,
    manages: undefined,
  },
  "an editor of bolt": {
    who: person("bolt", "editor"),
    sees: bolt,
    mayWrite: true,
    manages: undefined,
  },
  "an administrator of acme": {
    who: person("acme", "admin"),
    sees: acme,
    mayWrite: true,
    manages: ["alphabet"],
  },
  "an administrator of bolt": {
    who: person("bolt", "admin"),
    sees: bolt,
    mayWrite: true,
    manages: ["birthday"],
  },
  "an administrator of an organisation without servers": {
    who: person("cole", "admin"),
    sees: ["everyone"],
    mayWrite: true,
    manages: [],
  },
  "the gateway's administrator": {
    who: person(null, "admin"),
    sees: names,
    mayWrite: true,
    manages: names,
  },
};
const all = Object.entries(cases);
export const withRole = all.filter(([, { sees }]) => sees.length > 0);
export const without = all.filter(([, { sees }]) => sees.length === 0);

const plain = { type: "object" };
const reads: Tool = { name: "look", inputSchema: plain, annotations: { readOnlyHint: true } };
const writes: Tool = { name: "mend", inputSchema: plain };

const { signal } = new AbortController();

export function start() {
  const upstreams = [...names, switchedOff].map((name) =>
    Object.assign(
      fakeUpstream(name, {
        tools: [reads, writes],
        prompts: [{ name: "ask" }],
        resources: [{ uri: `x-${name}:one`, name: "one" }],
        resourceTemplates: [{ uriTemplate: `x-${name}:{id}`, name: "t" }],
      }),
      { instructions: `words of ${name}`, stderrTail: [`last words of ${name}`] },
    ),
  );
  const configured = Object.entries(organizationsOf).map(([name, organizations]) =>
    serverConfiguration(name, {
      access: { ...open, organizations },
      tags: tagsOf[name] ?? [],
    }),
  );
  const off = serverConfiguration(switchedOff, {
    disabled: true,
    access: { ...open, organizations: ["acme"] },
  });
  return { upstreams, ...gatewayOf(upstreams, { servers: [...configured, off] }) };
}

type Operation = (gateway: Gateway, as: CallerContext, server: string) => unknown;

const call =
  (address: (server: string) => Parameters<Gateway["callTool"]>[1]["address"]): Operation =>
  (gateway, as, server) =>
    gateway.callTool(as, { address: address(server), params: { arguments: {} }, signal });

/** What only reads. */
export const reading: Record<string, Operation> = {
  "call a reading tool as MCP does": call((server) => ({ exposedName: `${server}__look` })),
  "call a reading tool as REST does": call((server) => ({ server, tool: "look" })),
  "inspect a server": (gateway, as, server) => gateway.inspectServer(as, server),
  "inspect a reading tool": (gateway, as, server) => gateway.inspectTool(as, server, "look"),
  "inspect a writing tool": (gateway, as, server) => gateway.inspectTool(as, server, "mend"),
  "get a prompt": (gateway, as, server) =>
    gateway.getPrompt(as, { params: { name: `${server}__ask` }, signal }),
  "read a resource": (gateway, as, server) =>
    gateway.readResource(as, { params: { uri: `x-${server}:one` }, signal }),
  "read what fits a template": (gateway, as, server) =>
    gateway.readResource(as, { params: { uri: `x-${server}:else` }, signal }),
  "read by a qualified URI": (gateway, as, server) =>
    gateway.readResource(as, { params: { uri: `onedoor:${server}:any:thing` }, signal }),
  "complete a prompt": (gateway, as, server) =>
    gateway.complete(as, {
      params: { ref: { type: "ref/prompt", name: `${server}__ask` } },
      signal,
    }),
  "complete a template": (gateway, as, server) =>
    gateway.complete(as, {
      params: { ref: { type: "ref/resource", uri: `x-${server}:{id}` } },
      signal,
    }),
  "complete by a qualified URI": (gateway, as, server) =>
    gateway.complete(as, {
      params: { ref: { type: "ref/resource", uri: `onedoor:${server}:x:{id}` } },
      signal,
    }),
  "subscribe to a resource": (gateway, as, server) =>
    gateway.subscribeResource(as, `x-${server}:one`, () => undefined),
  "subscribe by a qualified URI": (gateway, as, server) =>
    gateway.subscribeResource(as, `onedoor:${server}:x:one`, () => undefined),
};
export const writing: Record<string, Operation> = {
  "call a writing tool as MCP does": call((server) => ({ exposedName: `${server}__mend` })),
  "call a writing tool as REST does": call((server) => ({ server, tool: "mend" })),
};
export const managing: Record<string, Operation> = {
  "restart a server": (gateway, as, server) => gateway.restartServer(as, server),
};
export const unknownTools: Record<string, Operation> = {
  "call a tool that is not there, as MCP does": call((server) => ({
    exposedName: `${server}__xxxxxxxx`,
  })),
  "call a tool that is not there, as REST does": call((server) => ({ server, tool: "xxxxxxxx" })),
  "inspect a tool that is not there": (gateway, as, server) =>
    gateway.inspectTool(as, server, "xxxxxxxx"),
};
export const ofServers = { ...reading, ...writing, ...managing, ...unknownTools };

export const lists: Record<string, (gateway: Gateway, as: CallerContext) => unknown> = {
  "list tools": (gateway, as) => gateway.list(as, "tools"),
  "list prompts": (gateway, as) => gateway.list(as, "prompts"),
  "list resources": (gateway, as) => gateway.list(as, "resources"),
  "list templates": (gateway, as) => gateway.list(as, "resourceTemplates"),
  "list servers": (gateway, as) => gateway.listServers(as),
  "read the instructions": (gateway, as) => gateway.instructions(as, "shell"),
};
export const alsoRefused: Record<string, (gateway: Gateway, as: CallerContext) => unknown> = {
  "see collisions": (gateway, as) => gateway.collisions(as),
  "see where servers stand": (gateway, as) => gateway.serverStatus(as),
  "set the log level": (gateway, as) => gateway.setLogLevel(as, "debug"),
};

export const clients = { legacy: () => legacyClient("s"), modern: () => modernClient() };
type Era = keyof typeof clients;
export const eras: readonly Era[] = ["legacy", "modern"];

/** What came of it: undefined for no error. */
export async function refusal(work: () => unknown): Promise<object | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) {
      const { code, message, hint, retryAfterSeconds } = error;
      const scopes = error instanceof InsufficientScope ? { scopes: error.scopes } : {};
      return { code, message, hint, retryAfterSeconds, ...scopes };
    }
    if (!(error instanceof RpcFault)) throw error;
    const { code, message, data } = error;
    return { code, message, data };
  }
}

/** The refusal with the name that was asked for taken out, as text. */
export const nameless = (refused: object | undefined, server: string): string =>
  JSON.stringify(refused ?? "none").replaceAll(server, "<server>");

/** What reached servers: nothing of it may be there after a refusal. */
export function reached(upstreams: readonly FakeUpstream[]): unknown[] {
  return upstreams.map(({ requests, told }) => [requests, told]).flat(2);
}
