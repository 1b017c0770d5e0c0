import { AppError } from "../core/errors.ts";
import { InsufficientScope } from "../core/insufficient-scope.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { rpcCodes, RpcFault } from "../core/json-rpc.ts";
import { asItsUser, hidesServers, requireRole, seesServer } from "../core/permissions.ts";
import type { Principal, Role } from "../core/principal.ts";
import { isGatewayUri, parseQualifiedUri, schemeOf } from "../core/resource-names.ts";
import type { Selection } from "../core/selection.ts";
import { quotedName } from "../core/terminal-text.ts";
import { exposedPrefix, exposedToolName } from "../core/tool-name.ts";
import { serversFitting } from "../core/uri-template.ts";
import { neededFor } from "./call-decisions.ts";
import type { CallerContext, ToolAddress } from "./gateway.ts";
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
  /** What was named, as one. */
  name: string;
}

/** Finds it without asking any server: what the credential does not cover hears nothing of it. */
export type FindNamed = (seen: SeenCatalog) => Named;

/** Who names it. */
type Naming = Pick<CallerContext, "principal" | "selection">;

/**
 * What a credential does not cover, or its caller did not choose, is in none of its views. Who names it all the same is
 * not told that there is nothing: of what it sees and did not choose, what it chose; of what its user sees, with which
 * scopes it would be there. What the user does not see stays unknown.
 */
export interface BeyondScopes {
  /**
   * @throws AppError `not_found`, or InsufficientScope, in place of what `work` throws where it says that nothing of the
   *   name is there
   */
  explain<T>(caller: Naming, find: FindNamed, work: () => Promise<T>): Promise<T>;
  /** The same at once. */
  explainNow<T>(caller: Naming, find: FindNamed, work: () => T): T;
}

export function createBeyondScopes(
  seenBy: (principal: Principal, selection: Selection | undefined) => SeenCatalog,
): BeyondScopes {
  const reasonOf = (caller: Naming, find: FindNamed, thrown: unknown): unknown =>
    saysNothingThere(thrown) ? (unchosen(caller, find) ?? lacking(caller, find) ?? thrown) : thrown;

  const unchosen = ({ principal, selection }: Naming, find: FindNamed): AppError | undefined => {
    if (selection === undefined) return undefined;
    const { servers, name } = find(seenBy(principal, undefined));
    const chosen = seenBy(principal, selection);
    const isThere = ({ configuration }: LiveServer): boolean =>
      chosen.server(configuration.name) !== undefined;
    if (servers.length === 0 || servers.some(isThere)) return undefined;
    return new AppError("not_found", `${name} is not among what was chosen`, {
      hint: `Chosen is ${selection.says}; ask without that`,
    });
  };

  const lacking = ({ principal, selection }: Naming, find: FindNamed): unknown => {
    if (!hidesServers(principal)) return undefined;
    const { servers, role, what } = find(seenBy(asItsUser(principal), selection));
    const [first] = servers;
    const isCovered = servers.some(({ configuration }) => seesServer(principal, configuration));
    if (first === undefined || isCovered) return undefined;
    try {
      requireRole(principal, role, what, first.configuration);
      return undefined;
    } catch (refusal) {
      return refusal;
    }
  };
  const explained: BeyondScopes["explain"] = async (caller, find, work) => {
    try {
      return await work();
    } catch (error) {
      throw reasonOf(caller, find, error);
    }
  };
  return {
    // Nearly all calls are of those who see all: they wait for nothing more.
    explain: (caller, find, work) => (hidesSome(caller) ? explained(caller, find, work) : work()),
    explainNow(caller, find, work) {
      if (!hidesSome(caller)) return work();
      try {
        return work();
      } catch (error) {
        throw reasonOf(caller, find, error);
      }
    },
  };
}

function hidesSome({ principal, selection }: Naming): boolean {
  return selection !== undefined || hidesServers(principal);
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

export function serverNamed(server: string): FindNamed {
  const name = `Server ${quotedName(server)}`;
  return (seen) => ({ servers: listOf(seen.server(server)), role: "viewer", what: name, name });
}

/** @param options.calls whether it is to be called, and not only looked at */
export function toolNamed(address: ToolAddress, { calls }: { calls: boolean }): FindNamed {
  return (seen) => {
    const { server, entry, exposedName } = toolOf(seen, address);
    const servers = listOf(server);
    const name = `Tool ${quotedName(exposedName)}`;
    // What a tool does that is listed to nobody in particular is not known: then the least is asked for.
    if (!calls || server === undefined || entry === undefined) {
      return { servers, role: "viewer", what: name, name };
    }
    return { servers, name, ...neededFor({ exposedName, server: server.configuration, entry }) };
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
  const entry = server && seen.ownTool(seen.offered(server).listing, address.tool);
  const prefix = server?.configuration.prefix ?? address.server;
  return { server, entry, exposedName: exposedToolName(prefix, address.tool) };
}

export function promptNamed(exposedName: unknown): FindNamed {
  return (seen) => {
    const name = typeof exposedName === "string" ? exposedName : "";
    const found = seen.common().prompts.get(name);
    const server = found === undefined ? prefixed(seen, name) : seen.server(found.server);
    const what = `Prompt ${quotedName(name)}`;
    return { servers: listOf(server), role: "viewer", what, name: what };
  };
}

export function resourceNamed(uri: unknown): FindNamed {
  return (seen) => {
    const text = typeof uri === "string" ? uri : "";
    const view = seen.common();
    const sure = view.resources.get(text) ?? view.templates.get(text) ?? parseQualifiedUri(text);
    const names = sure === undefined ? likely(view, text) : [sure.server];
    const what = `Resource ${quotedName(text)}`;
    return {
      servers: names.flatMap((name) => seen.server(name) ?? []),
      role: "viewer",
      what,
      name: what,
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
