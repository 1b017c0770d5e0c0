import type { Preset } from "../core/configuration.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { PendingChange } from "../core/tool-pin.ts";
import { isTool } from "../core/mcp.ts";
import type { Inventory, OtherCounts, PresetRow, ServerPage, ServerRow } from "./tool-server.ts";

// A gateway's answers as our types. What answers may be of another version, or not a gateway at all:
// nothing is believed, fields that are missing get their empty value.

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function rowOf(value: unknown): ServerRow | undefined {
  if (!isJsonObject(value) || typeof value["name"] !== "string") return undefined;
  const { state, toolCount } = value;
  const counts = countsOf(value["counts"]);
  return {
    name: value["name"],
    state: state === "ready" || state === "starting" ? state : "unavailable",
    reason: text(value["reason"]),
    toolCount: number(toolCount),
    ...(counts && { counts }),
    tags: strings(value["tags"]),
    ...(typeof value["withheld"] === "number" && { withheld: value["withheld"] }),
  };
}

/** Undefined where nobody counted. */
function countsOf(value: unknown): OtherCounts | undefined {
  if (!isJsonObject(value)) return undefined;
  const { prompts, resources, resourceTemplates } = value;
  return {
    prompts: number(prompts),
    resources: number(resources),
    resourceTemplates: number(resourceTemplates),
  };
}

/** Undefined when this is no inventory. */
export function inventoryOf(answer: JsonObject): Inventory | undefined {
  if (!Array.isArray(answer["servers"])) return undefined;
  return {
    servers: answer["servers"].flatMap((entry) => rowOf(entry) ?? []),
    collisions: strings(answer["collisions"]),
  };
}

/** Undefined when these are no presets. */
export function presetsOf(answer: JsonObject): PresetRow[] | undefined {
  const { presets } = answer;
  if (!Array.isArray(presets)) return undefined;
  return presets.flatMap((entry) => {
    if (!isJsonObject(entry) || typeof entry["name"] !== "string") return [];
    const { definition, missing } = entry;
    const gone = isJsonObject(missing) ? missing : {};
    return {
      name: entry["name"],
      definition: definitionOf(isJsonObject(definition) ? definition : {}),
      servers: strings(entry["servers"]),
      missing: { servers: strings(gone["servers"]), tags: strings(gone["tags"]) },
    };
  });
}

/** What of a preset is of the form that it should have. */
export function definitionOf({ servers, tags, filter }: JsonObject): Preset {
  return {
    ...(Array.isArray(servers) && { servers: strings(servers) }),
    ...(Array.isArray(tags) && { tags: strings(tags) }),
    ...(typeof filter === "string" && { filter }),
  };
}

/** Undefined when this is no change that waits for an approval. */
export function changeIn(value: unknown): PendingChange | undefined {
  if (!isJsonObject(value)) return undefined;
  const { server, tool, kind, hash, before, after, becameWrite, withheld } = value;
  const isNamed = typeof server === "string" && (typeof tool === "string" || tool === null);
  if (!isNamed || typeof hash !== "string" || !isJsonObject(after)) return undefined;
  return {
    server,
    tool,
    kind: kind === "new" ? "new" : "changed",
    hash,
    before: isJsonObject(before) ? before : null,
    after,
    becameWrite: becameWrite === true,
    withheld: withheld === true,
  };
}

/** Undefined when this is no page of a server. */
export function pageOf(answer: JsonObject): ServerPage | undefined {
  const row = rowOf(answer);
  if (row === undefined || !Array.isArray(answer["tools"])) return undefined;
  const info = answer["serverInfo"];
  return {
    ...row,
    tools: answer["tools"].filter((tool) => isTool(tool)),
    instructions: text(answer["instructions"]),
    stderrTail: strings(answer["stderrTail"]),
    ...(Array.isArray(answer["problems"]) && { problems: strings(answer["problems"]) }),
    ...(Array.isArray(answer["changes"]) && {
      changes: answer["changes"].flatMap((entry) => changeIn(entry) ?? []),
    }),
    serverInfo:
      isJsonObject(info) && typeof info["name"] === "string" && typeof info["version"] === "string"
        ? { name: info["name"], version: info["version"] }
        : undefined,
  };
}
