import { isJsonObject } from "../../core/json.ts";
import type { Json } from "../../core/json.ts";
import { redactServerEntry } from "../../core/redact-server-entry.ts";
import { quoteForShell } from "../../core/shell-quote.ts";

/** What an entry of `mcpServers` says of a server, without what is secret in it. */
export interface ShownServer {
  name: string;
  /** As the file has it, else what follows from the rest; null where nothing does. */
  type: string | null;
  /** The command line, or the URL; null where there is neither. */
  target: string | null;
  state: "on" | "off";
  tags: readonly string[];
  pin: string;
}

export function shownServer(name: string, written: Json): ShownServer {
  const entry = isJsonObject(written) ? redactServerEntry(written) : {};
  const { command, url, args, tags, type, disabled, pin } = entry;
  const words = [command, ...(Array.isArray(args) ? args : [])];
  let target: string | null = null;
  if (typeof command === "string") target = words.map(shownArgument).join(" ");
  else if (typeof url === "string") target = url;
  return {
    name,
    type: typeof type === "string" ? type : typeOf(entry),
    target,
    state: disabled === true ? "off" : "on",
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [],
    pin: typeof pin === "string" ? pin : "off",
  };
}

function typeOf({ command, url }: Readonly<Record<string, Json>>): string | null {
  if (command !== undefined) return "stdio";
  return url === undefined ? null : "http";
}

/** References and what was hidden stay readable: quotes would not make them a command that runs. */
function shownArgument(word: Json | undefined): string {
  const text = typeof word === "string" ? word : JSON.stringify(word ?? null);
  return /^[\w@%+:,./=${}[\]-]+$/u.test(text) ? text : quoteForShell(text);
}
