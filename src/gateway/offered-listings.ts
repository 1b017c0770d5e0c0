import type { OfferedTools, ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { Listing, Tool } from "../core/mcp.ts";
import { matchesGlob } from "../core/name-glob.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { oneLine, quotedName } from "../core/terminal-text.ts";
import { mostPins } from "./pin-memory.ts";
import type { ToolPins } from "./tool-pins.ts";

/** What of a server's listing is offered to anybody. */
export interface OfferedListing {
  /** The server's own object where nothing of it is left out or said otherwise. */
  readonly listing: Listing;
  /** Own names of tools that the configuration leaves out (`tools.allow`, `tools.deny`). */
  readonly denied: ReadonlySet<string>;
  /** Own names of tools that wait for an approval. */
  readonly withheld: ReadonlySet<string>;
  /** Those of them that cannot be approved, since the server has had more names than are remembered. */
  readonly beyond: ReadonlySet<string>;
}

/**
 * The one place where a server's listing becomes what is offered of it: without the tools that the configuration leaves
 * out or a pin withholds, and with the descriptions that the configuration gives. Whoever reads a listing reads it here.
 */
export interface OfferedListings {
  /** The same object as long as listing, configuration and pins are the same. */
  of(server: ServerConfiguration, listing: Listing): OfferedListing;
  /** Whether what the server says of itself may be handed on. */
  offersInstructions(server: ServerConfiguration, instructions: string): boolean;
}

interface Known {
  configuration: ServerConfiguration;
  pinsVersion: number | undefined;
  /** Of what it was made beside the listing. */
  key: string;
  offered: OfferedListing;
}

const none: ReadonlySet<string> = new Set();

/** @param pins undefined: nothing is withheld */
export function createOfferedListings(pins?: ToolPins): OfferedListings {
  const known = new WeakMap<Listing, Known>();
  /** Of listings without tools, which may be one for many servers. */
  const whole = new WeakMap<Listing, OfferedListing>();
  return {
    of(configuration, listing) {
      if (listing.tools.length === 0) {
        const offered = whole.get(listing) ?? {
          listing,
          denied: none,
          withheld: none,
          beyond: none,
        };
        whole.set(listing, offered);
        return offered;
      }
      const before = known.get(listing);
      const pinsVersion = pins?.version;
      if (before?.configuration === configuration && before.pinsVersion === pinsVersion) {
        // What is in use can be approved: the pins hold what waits of it, for some time.
        if (before.offered.withheld.size > 0) pins?.withheld(configuration, listing);
        return before.offered;
      }
      const withheld = pins?.withheld(configuration, listing) ?? none;
      const beyond = pins?.beyond(configuration, listing) ?? none;
      const { name, tools } = configuration;
      const key = JSON.stringify([name, tools, [...withheld].toSorted(), [...beyond].toSorted()]);
      const offered =
        before?.key === key ? before.offered : offeredOf(listing, tools, { withheld, beyond });
      known.set(listing, { configuration, pinsVersion, key, offered });
      return offered;
    },
    offersInstructions: (configuration, instructions) =>
      pins?.withholdsInstructions(configuration, instructions) !== true,
  };
}

function offeredOf(
  listing: Listing,
  rules: OfferedTools,
  pinned: Pick<OfferedListing, "withheld" | "beyond">,
): OfferedListing {
  const denied = new Set<string>();
  const withheld = new Set<string>();
  let isChanged = false;
  const tools: Tool[] = [];
  for (const tool of listing.tools) {
    const { name } = tool;
    if (isLeftOut(rules, name)) denied.add(name);
    else if (pinned.withheld.has(name)) withheld.add(name);
    else if (Object.hasOwn(rules.descriptions, name)) {
      isChanged = true;
      tools.push({ ...tool, description: rules.descriptions[name] ?? "" });
    } else {
      tools.push(tool);
    }
  }
  const isWhole = !isChanged && tools.length === listing.tools.length;
  return {
    listing: isWhole ? listing : { ...listing, tools },
    denied,
    withheld,
    beyond: new Set([...pinned.beyond].filter((name) => withheld.has(name))),
  };
}

/** Whether the configuration offers no tool of this own name to anybody. */
export function isLeftOut({ allow, deny }: OfferedTools, name: string): boolean {
  const fits = (pattern: string): boolean => matchesGlob(pattern, name);
  return deny.some(fits) || (allow.length > 0 && !allow.some(fits));
}

/** @returns what to throw in place of "unknown": `not_found` or `forbidden`; undefined: it is neither */
export function notOffered(
  { name: server }: Pick<ServerConfiguration, "name">,
  { denied, withheld, beyond }: Pick<OfferedListing, "denied" | "withheld" | "beyond">,
  tool: string,
): AppError | undefined {
  if (denied.has(tool)) return deniedTool(server, tool);
  if (!withheld.has(tool)) return undefined;
  if (beyond.has(tool)) {
    const message = `${toolOf(server, tool)} is withheld: the server has had more tools than are remembered`;
    return new AppError("forbidden", message, { hint: `agent inspect ${quoteForShell(server)}` });
  }
  return new AppError("forbidden", `${toolOf(server, tool)} is withheld until it is approved`, {
    hint: `agent mcp approve ${quoteForShell(`${server}/${tool}`)}`,
  });
}

export function deniedTool(server: string, tool: string): AppError {
  return new AppError(
    "not_found",
    `${toolOf(server, tool)} is left out by the configuration (tools)`,
    { hint: `agent inspect ${quoteForShell(server)}` },
  );
}

function toolOf(server: string, tool: string): string {
  return `Tool ${quotedName(tool)} of ${quotedName(server)}`;
}

/** Names in one sentence; of more, how many there are. */
const mostNames = 5;

/** One line for each kind of thing that is not offered as the server has it, for who manages the server. */
export function offerProblems(
  { name: server, tools }: ServerConfiguration,
  listing: Listing,
  { denied, withheld, beyond }: OfferedListing,
): string[] {
  const problems: string[] = [];
  if (denied.size > 0) {
    problems.push(`${countOf(denied)} left out by the configuration (tools): ${namesOf(denied)}`);
  }
  const waiting = new Set([...withheld].filter((name) => !beyond.has(name)));
  if (waiting.size > 0) {
    problems.push(
      `${countOf(waiting)} withheld until approved (agent mcp approve ${quoteForShell(oneLine(server, 120))}): ${namesOf(waiting)}`,
    );
  }
  if (beyond.size > 0) {
    problems.push(
      `${countOf(beyond)} withheld, since it has had more than the ${mostPins} that are remembered: ${namesOf(beyond)}`,
    );
  }
  const own = listing.tools.map(({ name }) => name);
  for (const key of ["allow", "deny"] as const) {
    const idle = tools[key].filter((pattern) => !own.some((name) => matchesGlob(pattern, name)));
    if (idle.length > 0) {
      problems.push(`tools.${key} fits no tool that it lists: ${namesOf(new Set(idle))}`);
    }
  }
  const known = new Set(own);
  const unknown = Object.keys(tools.descriptions).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    problems.push(`tools.descriptions names what it does not list: ${namesOf(new Set(unknown))}`);
  }
  return problems;
}

function countOf({ size }: ReadonlySet<string>): string {
  return size === 1 ? "1 tool is" : `${size} tools are`;
}

function namesOf(names: ReadonlySet<string>): string {
  const first = [...names].slice(0, mostNames).map((name) => oneLine(name, 80));
  return names.size > mostNames ? `${first.join(", ")}, …` : first.join(", ");
}
