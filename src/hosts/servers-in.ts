import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { fitName, freeName } from "./fit-name.ts";
import type { FoundServer, FoundServers, HostId, SkippedServer } from "./host.ts";
import { looksLikeEntry, readEntry } from "./read-entry.ts";

export interface ServersInOptions {
  /** What a single entry is called that does not say so itself. */
  name?: string | undefined;
  /** Whose conventions hold for what stands in `${…}`; absent: those of snippets, where `${NAME}` is a variable. */
  host?: HostId | undefined;
  /** The project that it belongs to: what `${workspaceFolder}` is. */
  folder?: string | undefined;
  /** Whether programs start in `folder`; `if-relative`: that counts only where something in the entry looks relative. */
  startsInFolder?: boolean | "if-relative" | undefined;
  /** What `${userHome}` is; absent: `${HOME}`. */
  home?: string | undefined;
  platform?: NodeJS.Platform | undefined;
  /** Whether only what stands under one of the known keys counts, as in a file of settings of all kinds. */
  onlyWrapped?: boolean | undefined;
}

export const mostServers = 500;
const mostBytes = 1024 * 1024;
const mostNesting = 4;

/** Under which keys servers stand: of most clients, VS Code, Zed, Codex, and older VS Code settings. */
const wrappers = ["mcpServers", "servers", "context_servers", "mcp_servers", "mcp", "mcp.servers"];

/** What stands beside servers and is none. */
const notServers = new Set([...wrappers, "inputs", "$schema", "version"]);

/**
 * The servers in any of the forms people paste and clients keep: `mcpServers`, `servers`, `mcp.servers`,
 * `context_servers`, `mcp_servers`, a bare map, a list of entries that have a `name`, one entry. Each becomes an entry
 * of our configuration that it would take, or is skipped with a reason. At most 500, and 1 MiB of them.
 */
export function serversIn(value: Json, options: ServersInOptions = {}): FoundServers {
  const found: FoundServer[] = [];
  const skipped: SkippedServer[] = [];
  const taken = new Set<string>();
  let bytes = 0;
  let left = 0;
  for (const { name, written, inputs } of candidates(value, options)) {
    if (found.length + skipped.length >= mostServers) {
      left += 1;
      continue;
    }
    if (name === undefined) {
      skipped.push({ name: "", reason: "it has no name" });
      continue;
    }
    if (name === "__proto__") {
      skipped.push({ name, reason: "this name cannot be used" });
      continue;
    }
    const fitting = freeName(fitName(name), (other) => taken.has(other));
    const read = readEntry(fitting, written, {
      host: options.host,
      folder: options.folder,
      startsInFolder: options.startsInFolder ?? false,
      home: options.home,
      platform: options.platform ?? process.platform,
      inputs,
    });
    if (read.kind === "unreadable") {
      skipped.push({ name: fitting, reason: read.reason });
      continue;
    }
    bytes += Buffer.byteLength(JSON.stringify(read.found.entry));
    if (bytes > mostBytes) {
      skipped.push({ name: fitting, reason: "the servers before it fill 1 MiB already" });
      continue;
    }
    taken.add(fitting);
    const renamed = fitting === name ? [] : ["its name was made fit for the configuration"];
    found.push({ ...read.found, notes: [...renamed, ...read.found.notes] });
  }
  if (left > 0) skipped.push({ name: `${left} more`, reason: `only ${mostServers} are read` });
  return { servers: found, skipped };
}

interface Candidate {
  name: string | undefined;
  written: Json;
  inputs: ReadonlyMap<string, string>;
}

function candidates(value: Json, { name, onlyWrapped = false }: ServersInOptions): Candidate[] {
  const all: Candidate[] = [];
  const walk = (
    current: Json,
    inputs: ReadonlyMap<string, string>,
    depth: number,
    isWrapped: boolean,
  ): void => {
    if (depth > mostNesting) return;
    if (Array.isArray(current)) {
      for (const item of current as readonly Json[]) {
        if (looksLikeEntry(item)) all.push({ name: nameIn(item) ?? name, written: item, inputs });
        else if (isJsonObject(item)) walk(item, inputs, depth + 1, isWrapped);
      }
      return;
    }
    if (!isJsonObject(current)) return;
    if (looksLikeEntry(current)) {
      if (isWrapped || !onlyWrapped)
        all.push({ name: name ?? nameIn(current), written: current, inputs });
      return;
    }
    const here = inputsOf(current, inputs);
    for (const key of wrappers) {
      const inner = Object.hasOwn(current, key) ? current[key] : undefined;
      // A server may be called like one of these keys.
      if (inner !== undefined && !looksLikeEntry(inner)) walk(inner, here, depth + 1, true);
    }
    const isOuter = wrappers.some((key) => isWrapper(current, key));
    if (!isWrapped && (onlyWrapped || isOuter)) return;
    for (const [key, written] of Object.entries<Json>(current)) {
      if (isWrapper(current, key)) continue;
      // What stands beside a key that servers stand under is one only if it looks like it.
      if ((isOuter || notServers.has(key)) && !looksLikeEntry(written)) continue;
      all.push({ name: key, written, inputs: here });
    }
  };
  walk(value, new Map(), 0, false);
  return all;
}

function isWrapper(object: JsonObject, key: string): boolean {
  if (!wrappers.includes(key) || !Object.hasOwn(object, key)) return false;
  const value = object[key];
  return (isJsonObject(value) || Array.isArray(value)) && !looksLikeEntry(value);
}

function nameIn(entry: JsonObject): string | undefined {
  const { name } = entry;
  return typeof name === "string" && name.trim() !== "" ? name : undefined;
}

/** VS Code: what is asked for, by id, in the words it is asked with. */
function inputsOf(
  object: JsonObject,
  outer: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const { inputs } = object;
  if (!Array.isArray(inputs)) return outer;
  const all = new Map(outer);
  for (const input of inputs.slice(0, mostServers)) {
    if (!isJsonObject(input) || typeof input["id"] !== "string") continue;
    const { description } = input;
    if (typeof description === "string") all.set(input["id"], description.slice(0, 200));
  }
  return all;
}
