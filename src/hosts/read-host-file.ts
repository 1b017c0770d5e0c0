import { lstat, realpath } from "node:fs/promises";
import { parseJsonDocument } from "../config/json-document.ts";
import { readRegularFile } from "../config/read-regular-file.ts";
import { isJsonObject, parseJson } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { sameJson } from "../core/same-json.ts";
import { freeName } from "./fit-name.ts";
import type { FoundServer, FoundServers, Machine, SkippedServer } from "./host.ts";
import type { NamedFile } from "./host-files.ts";
import { mostServers, serversIn } from "./servers-in.ts";
import type { ServersInOptions } from "./servers-in.ts";

/** `~/.claude.json` holds histories too. */
const mostBytes = 4 * 1024 * 1024;
const mostProjects = 1000;

export type HostContent =
  | { kind: "absent" }
  /** A sentence that follows the file's name, without values. */
  | { kind: "unreadable"; reason: string }
  | {
      kind: "read";
      found: FoundServers;
      /** Where a link led. */
      linkedTo?: string | undefined;
    };

/**
 * Reads a file in which a host keeps servers: at most 4 MiB, JSON with comments or TOML. A link is followed, and said;
 * a pipe or a device is not waited for. Never throws for what the file is or holds.
 */
export async function readHostFile(file: NamedFile, machine: Machine): Promise<HostContent> {
  const read = await readText(file.path);
  if (read.kind !== "text") return read;
  const parsed = await parseText(read.text, file);
  if (parsed.kind === "broken") return { kind: "unreadable", reason: parsed.reason };
  const found = serversOf(parsed.value, file, machine);
  return { kind: "read", found, linkedTo: read.linkedTo };
}

type TextOf =
  | { kind: "text"; text: string; linkedTo: string | undefined }
  | Exclude<HostContent, { kind: "read" }>;

async function readText(path: string): Promise<TextOf> {
  const linked = await isLink(path);
  const linkedTo = linked ? await realpath(path).catch(() => undefined) : undefined;
  const found = await readRegularFile(path, { mostBytes });
  switch (found.kind) {
    case "read":
      return { kind: "text", text: found.text.replace(/^\u{feff}/u, ""), linkedTo };
    case "absent":
      return linked ? unreadable("is a link to nothing") : { kind: "absent" };
    case "irregular":
      return unreadable("is no file");
    case "too-large":
      return unreadable("is larger than 4 MiB");
    case "no-text":
      return unreadable("is not UTF-8 text");
    case "unreadable":
      return unreadable(`cannot be read (${found.code})`);
  }
}

function unreadable(reason: string): HostContent & { kind: "unreadable" } {
  return { kind: "unreadable", reason };
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (status) => status.isSymbolicLink(),
    () => false,
  );
}

type Parsed = { kind: "parsed"; value: Json } | { kind: "broken"; reason: string };

async function parseText(text: string, { path, host }: NamedFile): Promise<Parsed> {
  if (text.trim() === "") return { kind: "parsed", value: {} };
  if (path.endsWith(".toml") || (host === "codex" && !path.endsWith(".json"))) {
    const { parseCodexToml } = await import("./codex-toml.ts");
    return parseCodexToml(text);
  }
  try {
    // Much faster than the reader that knows comments, for a file of megabytes.
    return { kind: "parsed", value: parseJson(text) };
  } catch {
    const result = parseJsonDocument(text);
    if (result.kind === "parsed") return { kind: "parsed", value: result.document.value };
    const [{ line, reason }] = result.problems;
    const place = line === undefined ? "" : ` (line ${line})`;
    return { kind: "broken", reason: `cannot be read: ${reason}${place}` };
  }
}

function serversOf(value: Json, file: NamedFile, { home, platform }: Machine): FoundServers {
  const { host, scope, folder } = file;
  const common: ServersInOptions = { host, home, platform };
  const isSettings = host === "claude-code" && scope === "user";
  if (isSettings) return claudeCodeServers(value, common);
  const startsInFolder = scope === "project" && folder !== undefined;
  return serversIn(value, {
    ...common,
    folder,
    startsInFolder,
    onlyWrapped: host !== undefined && scope === "user",
  });
}

/** Of the user, and of each project (local scope), where Claude Code puts them when it is told nothing else. */
function claudeCodeServers(value: Json, common: ServersInOptions): FoundServers {
  if (!isJsonObject(value)) return { servers: [], skipped: [] };
  const servers: FoundServer[] = [];
  const skipped: SkippedServer[] = [];
  const add = (found: FoundServers, note: string | undefined): void => {
    for (const server of found.servers) {
      const isThere = servers.some(
        ({ name, entry }) => name === server.name && sameJson(entry, server.entry),
      );
      if (isThere) continue;
      if (servers.length >= mostServers) {
        skipped.push({ name: server.name, reason: `only ${mostServers} are read` });
        continue;
      }
      const name = freeName(server.name, (other) => servers.some((each) => each.name === other));
      servers.push({
        ...server,
        name,
        notes: [...(note === undefined ? [] : [note]), ...server.notes],
      });
    }
    skipped.push(...found.skipped);
  };
  const wrapped = { mcpServers: value["mcpServers"] ?? {} };
  add(serversIn(wrapped, { ...common, onlyWrapped: true }), undefined);
  const projects = Object.entries(isJsonObject(value["projects"]) ? value["projects"] : {});
  for (const [folder, project] of projects.slice(0, mostProjects)) {
    const own = isJsonObject(project) ? project["mcpServers"] : undefined;
    if (!isJsonObject(own)) continue;
    const options = {
      ...common,
      folder,
      startsInFolder: "if-relative",
      onlyWrapped: true,
    } as const;
    add(serversIn({ mcpServers: own }, options), `of the project ${folder.slice(0, 200)}`);
  }
  return { servers, skipped: skipped.slice(0, mostServers) };
}
