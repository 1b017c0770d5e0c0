/**
 * The names MCP clients see: `server__tool`, `server__prompt`. LLM APIs take at most 64 characters of `[A-Za-z0-9_-]` as a
 * tool's name, so other characters become `_` and longer names end in a hash of the whole.
 */
const maxLength = 64;
const separator = "__";
const hashLength = 10;

export interface NamedServer<Named extends { name: string } = { name: string }> {
  /** The configured name. */
  name: string;
  /** What goes before `__`; empty: the entries keep their own names. */
  prefix: string;
  entries: readonly Named[];
}

/** An entry under the name that clients see, and whose it is. */
export interface ExposedName<Named> {
  name: string;
  holder: { server: string; entry: Named };
}

/** How the entries of a server are exposed. */
export type Exposing<Named> = (
  server: Pick<NamedServer, "name" | "prefix">,
) => (entry: Named) => ExposedName<Named>;

export interface ExposedNames<Named extends { name: string }> {
  /** From the exposed name to the entry and its server, in the order of the configuration. */
  exposed: Map<string, ExposedName<Named>["holder"]>;
  /** One sentence for each entry that could not be offered because its name was taken. */
  collisions: string[];
}

/**
 * Names for all tools, or all prompts, of all servers. The first configured one wins a name that several
 * want; the others are reported. A tool stays callable as `server/tool` over REST.
 * @param exposing by `exposedToolName`, or otherwise
 */
export function exposedNames<Named extends { name: string }>(
  kind: "tool" | "prompt",
  servers: readonly NamedServer<Named>[],
  exposing: Exposing<Named> = asPrefixed,
): ExposedNames<Named> {
  const exposed: ExposedNames<Named>["exposed"] = new Map();
  const collisions: string[] = [];
  const what = kind === "tool" ? "" : "Prompt ";
  for (const { name: server, prefix, entries } of servers) {
    const expose = exposing({ name: server, prefix });
    for (const entry of entries) {
      const { name, holder: own } = expose(entry);
      const holder = exposed.get(name);
      if (holder === undefined) {
        exposed.set(name, own);
      } else {
        collisions.push(
          `${what}${JSON.stringify(entry.name)} of ${JSON.stringify(server)} is not offered as ${name}: ` +
            `${JSON.stringify(holder.entry.name)} of ${JSON.stringify(holder.server)} has that name`,
        );
      }
    }
  }
  return { exposed, collisions };
}

function asPrefixed<Named extends { name: string }>({
  name: server,
  prefix,
}: Pick<NamedServer, "name" | "prefix">): (entry: Named) => ExposedName<Named> {
  return (entry) => ({ name: exposedToolName(prefix, entry.name), holder: { server, entry } });
}

/** What every exposed name of this prefix begins with, as long as it is not shortened. */
export function exposedPrefix(prefix: string): string {
  return prefix === "" ? "" : plain(prefix) + separator;
}

/** The name of one tool or prompt, when nobody else wants it. */
export function exposedToolName(prefix: string, tool: string): string {
  const name = exposedPrefix(prefix) + plain(tool);
  if (name.length === 0) return "_";
  if (name.length <= maxLength) return name;
  // The hash is of the names as they were given, with a separator no name can hold: what `plain` makes
  // equal stays apart.
  const hash = hashOf(`${prefix}\u0000${tool}`);
  return `${name.slice(0, maxLength - hashLength - 1)}_${hash}`;
}

function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/gu, "_");
}

/**
 * Ten characters of base 36 from a 53-bit hash (cyrb53, two multiply-xorshift lanes over UTF-16 units).
 * Not cryptographic, and need not be: two names that meet are reported as a collision.
 */
function hashOf(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  const hash = 4294967296 * (2097151 & low) + (high >>> 0);
  return hash.toString(36).padStart(hashLength, "0").slice(-hashLength);
}
