import type { Tool } from "../../src/core/mcp.ts";
import type { SelectionRequest } from "../../src/core/selection.ts";
import type { CallerContext, Gateway } from "../../src/gateway/gateway.ts";
import {
  callerWith,
  echoTool,
  fakeUpstream,
  gatewayOf,
  modernClient,
  serverConfiguration,
} from "./fakes.ts";

const { signal } = new AbortController();
export const call = { params: { arguments: { message: "x" } }, signal };
const looks: Tool = { ...echoTool, name: "look", annotations: { readOnlyHint: true } };
const resourceOf = (name: string) => ({ uri: `${name}://it`, name: "it" });

export const everything = (name: string) => ({
  tools: [echoTool, looks],
  prompts: [{ name: "greet" }],
  resources: [resourceOf(name), { uri: "shared://it", name: "shared" }],
  resourceTemplates: [{ uriTemplate: `${name}://{id}`, name: "any" }],
});

/** Three servers: `files` (local), `git` (local, slow) and `shop` (web). */
export function shop() {
  const upstreams = ["files", "git", "shop"].map((name) => fakeUpstream(name, everything(name)));
  const servers = [
    serverConfiguration("files", { tags: ["local"] }),
    serverConfiguration("git", { tags: ["local", "slow"] }),
    serverConfiguration("shop", { tags: ["web"], prefix: "s" }),
  ];
  const presets = { dev: { filter: "local and not slow" }, web: { tags: ["web"] } };
  return { ...gatewayOf(upstreams, { servers, presets }), upstreams, servers };
}

export const choose = (
  gateway: Gateway,
  request: SelectionRequest,
  caller: CallerContext = callerWith(modernClient()),
): CallerContext => ({ ...caller, selection: gateway.selectionOf(request) });
