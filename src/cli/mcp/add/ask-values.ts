import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Context } from "../../context.ts";
import { hasPerson } from "../../has-person.ts";
import { withHiddenInput } from "../../hidden-input.ts";
import { pipedLine } from "../../sign-in/read-secret-line.ts";
import { schemeOf } from "../secret-values.ts";
import type { PreparedServer, WantedSecret } from "./apply-options.ts";

const stdinLimitMs = 60_000;
const longestValue = 64 * 1024;

export interface AskedServers<Server> {
  servers: readonly Server[];
  /** What is to be kept, by the secret's name. */
  values: ReadonlyMap<string, string>;
}

/**
 * Finds out the values that are wanted: asks for each on a terminal, where it is not shown, else takes the first line
 * of stdin for the only one. Where a person has no value for a placeholder, that stays.
 * @throws AppError `usage`: there is no value; the reason of an abort
 */
export async function askValues<Server extends PreparedServer>(
  servers: readonly Server[],
  context: Context,
): Promise<AskedServers<Server>> {
  const wanted = servers.flatMap((server) => server.wanted.map((secret) => ({ server, secret })));
  const [first, ...more] = wanted;
  if (first === undefined) return { servers, values: new Map() };
  const values = new Map<string, string>();
  const given = (secret: WantedSecret, text: string | undefined): void => {
    const value = usable(secret, text ?? "", context);
    if (value !== undefined) values.set(secret.name, value);
  };
  if (hasPerson(context)) {
    await withHiddenInput(context, async (ask) => {
      for (const { server, secret } of wanted) {
        const orNothing = secret.instead === undefined ? "" : " (Enter: later)";
        given(secret, await ask(`${secret.key} of ${quoteForShell(server.name)}${orNothing}:`));
      }
    });
  } else if (more.length > 0) {
    const keys = wanted.map(({ secret }) => secret.key).join(", ");
    throw new AppError("usage", `stdin holds one value, and several are wanted: ${keys}`, {
      hint: "set all but one in the environment, or run it on a terminal, where each is asked for",
    });
  } else given(first.secret, await pipedLine("secret", stdinLimitMs, context));
  return { servers: servers.map((server) => withoutMissing(server, values)), values };
}

/** @returns undefined: a placeholder that stays */
function usable(
  { key, place, scheme, within, instead }: WantedSecret,
  text: string,
  { io, secrets }: Context,
): string | undefined {
  const value = text.trim();
  if (value === "") {
    if (instead !== undefined) {
      io.note(`${key} stays the placeholder that it is`);
      return undefined;
    }
    const option = place === "env" ? "--env" : "--header";
    throw new AppError("usage", `There is no value for ${key}; nothing was changed`, {
      hint: `set ${key} in the environment, type it when it is asked for, or pipe it in: … ${option} ${key} < file`,
    });
  }
  secrets.add(value);
  if (value.length > longestValue || /[\p{Cc}\u{fffd}]/u.test(value)) {
    throw new AppError(
      "usage",
      `The value for ${key} is too long, no UTF-8, or has control characters in it`,
    );
  }
  if (within !== undefined) {
    const before = schemeOf(within);
    return before !== "" && schemeOf(value) !== "" ? value.slice(schemeOf(value).length) : value;
  }
  if (place !== "headers" || !/^(?:proxy-)?authorization$/iu.test(key)) return scheme + value;
  if (/^[A-Za-z][\w-]*\s+\S/u.test(value)) return value;
  if (scheme === "") io.note(`${key} has no scheme, so Bearer is put before it`);
  const whole = `${scheme || "Bearer "}${value}`;
  secrets.add(whole);
  return whole;
}

/** Puts back what nobody had a value for. */
function withoutMissing<Server extends PreparedServer>(
  server: Server,
  values: ReadonlyMap<string, string>,
): Server {
  const entry: JsonObject = { ...server.entry };
  for (const { name, place, key, instead } of server.wanted) {
    const present = entry[place];
    if (instead === undefined || values.has(name) || !isJsonObject(present)) continue;
    entry[place] = { ...present, [key]: instead };
  }
  return { ...server, entry, wanted: server.wanted.filter(({ name }) => values.has(name)) };
}
