import { withValueAt, withoutValueAt } from "../config/edit-json.ts";
import { parseJsonDocument } from "../config/json-document.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { sameJson } from "../core/same-json.ts";
import { pastMark, setupProblem } from "./setup-editor.ts";
import type { SetupEditor } from "./setup-editor.ts";
import { startsOurProxy, strangeMembers } from "./setup-entry.ts";

/**
 * Our entry in a client's JSON file, with or without comments: all else stays as it was written.
 * @param path for messages
 */
export function jsonEntryEditor(
  path: string,
  key: string,
  name: string,
  entry: JsonObject,
): SetupEditor {
  const read = (text: string): JsonObject => readObject(path, text);
  const serversIn = (text: string): JsonObject | undefined => {
    const servers = read(text)[key];
    if (servers === undefined) return undefined;
    if (isJsonObject(servers)) return servers;
    throw setupProblem(path, `has something else than an object at "${key}"`);
  };
  const existing = (text: string): Json | undefined => {
    const servers = serversIn(text) ?? {};
    return Object.hasOwn(servers, name) ? servers[name] : undefined;
  };
  /** The edited text, once it is sure that it says what was meant and nothing else. */
  const checked = (edited: string, wanted: JsonObject): string => {
    if (sameJson(readObject(path, edited), wanted)) return edited;
    throw setupProblem(path, `cannot be edited at ${key}.${name}`, "edit it by hand");
  };
  return {
    find(text) {
      const found = existing(text);
      if (found === undefined) return "none";
      return isJsonObject(found) && startsOurProxy(found) ? "ours" : "foreign";
    },
    strange(text) {
      const found = existing(text);
      return isJsonObject(found) ? strangeMembers(found) : {};
    },
    put(text) {
      const wanted = { ...entry };
      const servers = { ...serversIn(text), [name]: wanted };
      const edited = edit(text, (rest) => withValueAt(rest, [key, name], wanted));
      return checked(edited, { ...read(text), [key]: servers });
    },
    remove(text, container) {
      const { [key]: _servers, ...others } = read(text);
      const { [name]: _entry, ...left } = serversIn(text) ?? {};
      const isBare = container && Object.keys(left).length === 0;
      const edited = edit(text, (rest) => withoutValueAt(rest, isBare ? [key] : [key, name]));
      return checked(edited, isBare ? others : { ...others, [key]: left });
    },
    lacksContainer: (text) => serversIn(text) === undefined,
    isEmpty: (text) => /^(?:\{\s*\})?$/u.test(pastMark(text)[1].trim()),
  };
}

/** Edits what stands behind the byte order mark; a file without a word is edited as `{}`. */
function edit(text: string, change: (rest: string) => string): string {
  const [mark, rest] = pastMark(text);
  return mark + change(rest.trim() === "" ? "{}\n" : rest);
}

/** Of a file without a word it is `{}`, as clients take it. */
function readObject(path: string, text: string): JsonObject {
  if (pastMark(text)[1].trim() === "") return {};
  const result = parseJsonDocument(text);
  if (result.kind === "broken") {
    const [{ line, reason }] = result.problems;
    const where = line === undefined ? "" : ` in line ${line}`;
    throw setupProblem(path, `cannot be read${where}: ${reason}`, "mend it by hand first");
  }
  const { value } = result.document;
  if (isJsonObject(value)) return value;
  throw setupProblem(path, "holds no JSON object");
}
