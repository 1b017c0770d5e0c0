import { AppError } from "../core/errors.ts";
import { InsufficientScope } from "../core/insufficient-scope.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { rpcCodes, RpcFault } from "../core/json-rpc.ts";
import { asItsUser, hidesServers, requireRole, seesServer } from "../core/permissions.ts";
import type { Principal, Role } from "../core/principal.ts";
import { isGatewayUri, parseQualifiedUri, schemeOf } from "../core/resource-names.ts";
import { oneLine } from "../core/terminal-text.ts";
import { exposedPrefix, exposedToolName } from "../core/tool-name.ts";
import { serversFitting } from "../core/uri-template.ts";
import { neededFor } from "./call-decisions.ts";
import type { ToolAddress } from "./gateway.ts";
import type { LiveServer, SeenCatalog } from "./live-catalog.ts";
import { RequestFault } from "./request-fault.ts";

/** What somebody named, as its user sees it. */
interface Named {
  /** Whose it may be, the likeliest first. */
  servers: readonly LiveServer[];
  /** The role that it needs, as far as that is known. */
  role: Role;
  /** What was tried, as the subject of a sentence. */
  what: string;
}

/** Finds it without asking any server: what the credential does not cover hears nothing of it. */
export type FindNamed = (seen: SeenCatalog) => Named;

/**
 * What a credential does not cover is in none of its views. Who names it all the same, and whose user sees it, is not
 * told that there is nothing, but with which scopes it would be there; what the user does not see stays unknown.
 */
export interface BeyondScopes {
  /** @throws InsufficientScope in place of what `work` throws where it says that nothing of the name is there */
  explain<T>(principal: Principal, find: FindNamed, work: () => Promise<T>): Promise<T>;
  /** The same at once. */
  explainNow<T>(principal: Principal, find: FindNamed, work: () => T): T;
}

export function createBeyondScopes(seenBy: (principal: Principal) => SeenCatalog): BeyondScopes {
  const reasonOf = (principal: Principal, find: FindNamed, thrown: unknown): unknown => {
    if (!saysNothingThere(thrown)) return thrown;
    const { servers, role, what } = find(seenBy(asItsUser(principal)));
    const [first] = servers;
    const isCovered = servers.some(({ configuration }) => seesServer(principal, configuration));
    if (first === undefined || isCovered) return thrown;
    try {
      requireRole(principal, role, what, first.configuration);
      return thrown;
    } catch (refusal) {
      return refusal;
    }
  };
  const explained: BeyondScopes["explain"] = async (principal, find, work) => {
    try {
      return await work();
    } catch (error) {
      throw reasonOf(principal, find, error);
    }
  };
  return {
    // Nearly all calls are of those who see all: they wait for nothing more.
    explain: (principal, find, work) =>
      hidesServers(principal) ? explained(principal, find, work) : work(),
    explainNow(principal, find, work) {
      if (!hidesServers(principal)) return work();
      try {
        return work();
      } catch (error) {
        throw reasonOf(principal, find, error);
      }
    },
  };
}

/** One that is refused altogether did not get so far as to be told that there is nothing. */
function saysNothingThere(thrown: unknown): boolean {
  if (thrown instanceof InsufficientScope) return true;
  if (thrown instanceof AppError) {
    return thrown.code === "not_found" || thrown.code === "upstream_unavailable";
  }
  // In the words of either era.
  return (
    thrown instanceof RpcFault &&
    !(thrown instanceof RequestFault) &&
    (thrown.code === rpcCodes.resourceNotFound || thrown.code === rpcCodes.invalidParams)
  );
}

export function serverNamed(name: string): FindNamed {
  return (seen) => ({
    servers: listOf(seen.server(name)),
    role: "viewer",
    what: `Server ${shown(name)}`,
  });
}

/** @param options.calls whether it is to be called, and not only looked at */
export function toolNamed(address: ToolAddress, { calls }: { calls: boolean }): FindNamed {
  return (seen) => {
    const { server, entry, exposedName } = toolOf(seen, address);
    const servers = listOf(server);
    // What a tool does that is listed to nobody in particular is not known: then the least is asked for.
    if (!calls || server === undefined || entry === undefined) {
      return { servers, role: "viewer", what: `Tool ${shown(exposedName)}` };
    }
    return { servers, ...neededFor({ exposedName, server: server.configuration, entry }) };
  };
}

function toolOf(seen: SeenCatalog, address: ToolAddress) {
  if ("exposedName" in address) {
    const { exposedName } = address;
    const found = seen.common().tools.get(exposedName);
    const server = found === undefined ? prefixed(seen, exposedName) : seen.server(found.server);
    return { server, entry: found?.entry, exposedName };
  }
  const server = seen.server(address.server);
  const listing = server?.upstream?.listing;
  const entry = listing && seen.ownTool(listing, address.tool);
  const prefix = server?.configuration.prefix ?? address.server;
  return { server, entry, exposedName: exposedToolName(prefix, address.tool) };
}

export function promptNamed(exposedName: unknown): FindNamed {
  return (seen) => {
    const name = typeof exposedName === "string" ? exposedName : "";
    const found = seen.common().prompts.get(name);
    const server = found === undefined ? prefixed(seen, name) : seen.server(found.server);
    return { servers: listOf(server), role: "viewer", what: `Prompt ${shown(name)}` };
  };
}

export function resourceNamed(uri: unknown): FindNamed {
  return (seen) => {
    const text = typeof uri === "string" ? uri : "";
    const view = seen.common();
    const sure = view.resources.get(text) ?? view.templates.get(text) ?? parseQualifiedUri(text);
    const names = sure === undefined ? likely(view, text) : [sure.server];
    return {
      servers: names.flatMap((name) => seen.server(name) ?? []),
      role: "viewer",
      what: `Resource ${shown(text)}`,
    };
  };
}

/** Those who would be asked for a URI that none of them lists. */
function likely(view: ReturnType<SeenCatalog["common"]>, uri: string): string[] {
  if (isGatewayUri(uri)) return [];
  const scheme = schemeOf(uri);
  const sameScheme = (scheme !== undefined && view.schemes.get(scheme)) || [];
  return [...serversFitting(uri, view.templates.values()), ...sameScheme];
}

export function completionNamed(ref: Json | undefined): FindNamed {
  const { type, name, uri } = isJsonObject(ref) ? ref : {};
  return type === "ref/prompt" ? promptNamed(name) : resourceNamed(uri);
}

/** Whose prefix an exposed name has: the longest, where one is the beginning of another. */
function prefixed(seen: SeenCatalog, exposedName: string): LiveServer | undefined {
  const lengthOf = ({ configuration }: LiveServer): number => {
    const prefix = exposedPrefix(configuration.prefix);
    return exposedName.startsWith(prefix) ? prefix.length : 0;
  };
  return seen
    .servers()
    .filter((server) => lengthOf(server) > 0)
    .toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];
}

function listOf(server: LiveServer | undefined): readonly LiveServer[] {
  return server === undefined ? [] : [server];
}

function shown(name: string): string {
  return JSON.stringify(oneLine(name, 120));
}
