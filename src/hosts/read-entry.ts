import { isAbsolute } from "node:path";
import { isOwnVariable } from "../config/child-environment.ts";
import { faultOfEntry } from "../config/entry-problems.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { FoundServer } from "./host.ts";
import { foreignReferenceFault } from "./foreign-references.ts";
import { keptKeys, silentKeys } from "./host-keys.ts";
import { readReferences } from "./references.ts";
import type { ReferenceContext } from "./references.ts";

export type EntryContext = Omit<ReferenceContext, "server" | "own"> & {
  /** Whether `folder` is where the host starts its programs. */
  startsInFolder: boolean | "if-relative";
};

export type ReadEntry =
  | { kind: "read"; found: FoundServer }
  | { kind: "unreadable"; reason: string };

/** What cannot be taken, said as a sentence without values. Never leaves this file. */
class Unreadable extends Error {}

const urlKeys = ["url", "serverUrl", "httpUrl", "uri", "endpoint"] as const;

/** Whether a value is a server's entry, of any host: it has a program or an address. */
export function looksLikeEntry(value: Json | undefined): value is JsonObject {
  if (!isJsonObject(value)) return false;
  const { command } = value;
  if (typeof command === "string" || Array.isArray(command)) return true;
  if (isJsonObject(command) && typeof command["path"] === "string") return true;
  return urlKeys.some((key) => typeof value[key] === "string");
}

/** One entry as a host writes it, in the form of our configuration; nothing of it is changed but what `notes` say. */
export function readEntry(name: string, written: Json, context: EntryContext): ReadEntry {
  try {
    const entry = typeof written === "string" ? { url: written } : written;
    if (!isJsonObject(entry)) throw new Unreadable("it is no object");
    const found = new EntryReader(name, entry, context).read();
    const asked = foreignReferenceFault(name, found.entry);
    if (asked !== undefined) throw new Unreadable(`it ${asked}`);
    const fault = faultOfEntry(name, found.entry);
    if (fault !== undefined) throw new Unreadable(fault.reason);
    return { kind: "read", found };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: "unreadable", reason: error.message };
    throw error;
  }
}

/** `.`, `./x`, `..\x`, or a script without a folder before it: `build/index.js`. */
const relativePath =
  /^\.{1,2}(?:[\\/].*)?$|^[\w.-]+(?:[\\/][\w. -]+)*\.(?:[cm]?[jt]s|py|sh|rb|jar|exe)$/su;

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/u;

type Transport = "stdio" | "http" | "sse";

class EntryReader {
  readonly #name: string;
  readonly #raw: JsonObject;
  readonly #context: EntryContext;
  readonly #references: ReferenceContext;
  readonly #notes: string[] = [];

  constructor(name: string, raw: JsonObject, context: EntryContext) {
    this.#name = name;
    // Zed has written the variables beside the program's path.
    const inner = isJsonObject(raw["command"]) ? raw["command"]["env"] : undefined;
    this.#raw = raw["env"] === undefined && inner !== undefined ? { ...raw, env: inner } : raw;
    this.#context = context;
    const own = isJsonObject(this.#raw["env"]) ? Object.keys(this.#raw["env"]) : [];
    this.#references = { ...context, server: name, own: new Set(own) };
  }

  read(): FoundServer {
    const raw = this.#raw;
    const address = urlKeys.find((key) => raw[key] !== undefined && raw[key] !== null);
    const hasCommand = raw["command"] !== undefined && raw["command"] !== null;
    if (hasCommand && address !== undefined) {
      throw new Unreadable("it has both a command and a URL; a server has one of them");
    }
    if (!hasCommand && address === undefined) {
      throw new Unreadable("it has neither a command nor a URL");
    }
    const type = this.#transport();
    const entry = hasCommand ? this.#program(type) : this.#remote(address ?? "url", type);
    Object.assign(entry, this.#common());
    this.#nameTheRest();
    return { name: this.#name, entry, notes: [...new Set(this.#notes)] };
  }

  #transport(): Transport | undefined {
    const written = this.#raw["type"] ?? this.#raw["transport"];
    if (written === undefined || written === null) return undefined;
    if (typeof written !== "string") {
      this.#notes.push("its type is not read, and was left out");
      return undefined;
    }
    const word = written.toLowerCase().replaceAll(/[^a-z]/gu, "");
    if (word === "stdio" || word === "local" || word === "command") return "stdio";
    if (word === "sse") return "sse";
    if (/^(?:streamable|http|streamablehttp|httpstream)$/u.test(word)) return "http";
    if (word === "remote") return undefined;
    if (/^(?:ws|websocket|sdk)$/u.test(word)) {
      throw new Unreadable("it is reached in a way that no gateway speaks (see its type)");
    }
    this.#notes.push("its type is not known here, and was left out");
    return undefined;
  }

  #program(type: Transport | undefined): JsonObject {
    if (type === "http" || type === "sse") {
      throw new Unreadable("it has a command, and a type that needs a URL");
    }
    const [command = "", ...first] = this.#commandWords();
    const args = [...first, ...this.#args()];
    const entry: JsonObject = { command: this.#text(command) };
    if (args.length > 0) entry["args"] = args.map((word) => this.#text(word));
    const cwd = this.#raw["cwd"] ?? this.#raw["workingDirectory"];
    const { folder, startsInFolder } = this.#context;
    if (typeof cwd === "string" && cwd !== "") entry["cwd"] = this.#folder(this.#text(cwd));
    else if (folder !== undefined) {
      const isRelative = [command, ...args].some((word) => relativePath.test(word));
      if (startsInFolder === true || (startsInFolder === "if-relative" && isRelative)) {
        entry["cwd"] = folder;
      }
    }
    const env = this.#texts("env", this.#raw["env"]);
    for (const key of Object.keys(env).filter(isOwnVariable)) {
      delete env[key];
      this.#notes.push(`env.${key} was left out: the gateway's own variables go to no server`);
    }
    if (Object.keys(env).length > 0) entry["env"] = env;
    const inherited = this.#inherited();
    if (inherited.length > 0) entry["inheritEnv"] = inherited;
    return entry;
  }

  #remote(key: (typeof urlKeys)[number], type: Transport | undefined): JsonObject {
    const raw = this.#raw;
    if (type === "stdio") throw new Unreadable("it has a URL, and a type that needs a command");
    const written = raw[key];
    if (typeof written !== "string") throw new Unreadable("its URL is no text");
    const url = this.#text(written.trim());
    const isStream = /\/sse\/?(?:[?#]|$)/u.test(url);
    const entry: JsonObject = { url };
    if (type === "sse" || (type === undefined && key !== "httpUrl" && isStream)) {
      entry["type"] = "sse";
    } else if (isStream) entry["type"] = "http";
    const headers = {
      ...this.#texts("headers", raw["headers"]),
      ...this.#texts("headers", raw["http_headers"]),
    };
    for (const [header, variable] of Object.entries(
      this.#texts("headers", raw["env_http_headers"]),
    )) {
      headers[header] = this.#variable(variable);
    }
    const bearer = raw["bearer_token_env_var"];
    if (typeof bearer === "string") headers["Authorization"] = `Bearer ${this.#variable(bearer)}`;
    if (Object.keys(headers).length > 0) entry["headers"] = headers;
    return entry;
  }

  #common(): JsonObject {
    const raw = this.#raw;
    const entry: JsonObject = {};
    const tools = this.#tools();
    if (Object.keys(tools).length > 0) entry["tools"] = tools;
    for (const key of keptKeys) {
      const value = raw[key];
      if (value !== undefined) entry[key] = value;
    }
    if (raw["disabled"] === true || raw["enabled"] === false) entry["disabled"] = true;
    return entry;
  }

  /** `["npx", "-y"]`, `{path, args, env}` (Zed), or a whole command line where only a program belongs. */
  #commandWords(): string[] {
    const { command } = this.#raw;
    if (Array.isArray(command)) return this.#words("command", command);
    if (isJsonObject(command)) {
      const { path, args } = command;
      if (typeof path !== "string") throw new Unreadable("its command is no text");
      return [path, ...(Array.isArray(args) ? this.#words("args", args) : [])];
    }
    if (typeof command !== "string" || command.trim() === "") {
      throw new Unreadable("its command is no text");
    }
    const words = command.trim().split(/\s+/u);
    const [program = ""] = words;
    const isLine =
      words.length > 1 &&
      !/["'\\$]/u.test(command) &&
      /^(?:npx|npm|pnpm|yarn|bunx|bun|deno|node|uvx|uv|pipx|python3?|docker|podman)$/u.test(
        program,
      );
    if (!isLine) return [command];
    this.#notes.push("its command is a whole line, and was split into words");
    return words;
  }

  #args(): string[] {
    const { args } = this.#raw;
    if (args === undefined || args === null) return [];
    if (!Array.isArray(args)) throw new Unreadable("its args are no list");
    return this.#words("args", args);
  }

  #words(key: string, values: readonly Json[]): string[] {
    return values.map((value) => {
      if (typeof value === "string") return value;
      if (typeof value === "number" || typeof value === "boolean") return String(value);
      throw new Unreadable(`its ${key} hold something that is no text`);
    });
  }

  #texts(key: "env" | "headers", value: Json | undefined): Record<string, string> {
    if (value === undefined || value === null) return {};
    if (!isJsonObject(value)) throw new Unreadable(`its ${key} are no object`);
    const texts: [string, string][] = [];
    for (const [name, inner] of Object.entries(value)) {
      if (inner === null) continue;
      if (typeof inner === "object") {
        throw new Unreadable(`its ${key} hold something that is no text`);
      }
      texts.push([name, this.#text(String(inner), name, key === "env")]);
    }
    return Object.fromEntries(texts);
  }

  /**
   * Codex: variables that the program inherits, by name or as `{name, source}`. From the files of a host only, whose
   * servers are shown before they are taken: in a snippet nobody looks for what it would be handed unasked.
   */
  #inherited(): string[] {
    const names: string[] = [];
    for (const key of ["env_vars", "inheritEnv"]) {
      const value = this.#raw[key];
      if (value === undefined || value === null) continue;
      if (this.#context.host === undefined || !Array.isArray(value)) {
        this.#notes.push(`left out: ${key} (what it inherits is for you to say, in inheritEnv)`);
        continue;
      }
      for (const item of value) {
        const name = isJsonObject(item) && item["source"] !== "remote" ? item["name"] : item;
        if (typeof name === "string" && variableName.test(name) && !isOwnVariable(name)) {
          names.push(name);
        } else this.#notes.push(`something in ${key} was left out`);
      }
    }
    return names;
  }

  #tools(): JsonObject {
    const raw = this.#raw;
    const own = isJsonObject(raw["tools"]) ? raw["tools"] : {};
    const lists: readonly (readonly ["allow" | "deny", Json | undefined])[] = [
      ["allow", own["allow"]],
      ["deny", own["deny"]],
      ["allow", raw["enabled_tools"] ?? raw["includeTools"]],
      ["deny", raw["disabled_tools"] ?? raw["disabledTools"] ?? raw["excludeTools"]],
    ];
    const tools: JsonObject = {};
    for (const [list, value] of lists) {
      if (!Array.isArray(value) || value.length === 0) continue;
      // A host's names hold no patterns; ours would take these for some.
      if (value.every((item) => typeof item === "string" && item !== "")) tools[list] = value;
      else throw new Unreadable("its lists of tools hold something that is no name");
    }
    // What models are told of a server is for whoever runs the gateway to say.
    if (own["descriptions"] !== undefined) this.#notes.push("left out: tools.descriptions");
    return tools;
  }

  #variable(name: string): string {
    if (variableName.test(name)) return `\${${name}}`;
    throw new Unreadable("it names an environment variable in a way that is not read here");
  }

  #folder(path: string): string {
    const { folder } = this.#context;
    if (isAbsolute(path) || /^[A-Za-z]:[\\/]|^\\\\|^\$\{/u.test(path)) return path;
    if (folder === undefined)
      throw new Unreadable("its cwd is relative, to a folder that is not known");
    return `${folder}/${path}`;
  }

  #text(text: string, key?: string, isOwnEnvironment = false): string {
    const { own, ...rest } = this.#references;
    // In its own `env` a name means the host's variable, not itself.
    const read = readReferences(text, key, { ...rest, own: isOwnEnvironment ? new Set() : own });
    if (read.kind === "unknown") throw new Unreadable(`it ${read.reason}`);
    this.#notes.push(...read.notes);
    return read.text;
  }

  #nameTheRest(): void {
    const { host } = this.#context;
    const left = Object.keys(this.#raw).filter((key) => !silentKeys.has(key));
    const known = left.filter((key) => key.length <= 64).slice(0, 20);
    if (known.length > 0) this.#notes.push(`left out: ${known.join(", ")}`);
    if (this.#raw["envFile"] !== undefined) {
      this.#notes.push("its variables from envFile are not taken over");
    }
    if (host === "vscode" && this.#raw["sandboxEnabled"] === true) {
      this.#notes.push("VS Code runs it in a sandbox, the gateway does not");
    }
  }
}
