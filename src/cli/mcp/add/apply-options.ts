import { resolve } from "node:path";
import { AppError } from "../../../core/errors.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import { secretName, secretReference, secretsIn } from "../../../core/secret-reference.ts";
import type { FoundServer } from "../../../hosts/host.ts";
import type { AddOptions } from "./add-options.ts";
import type { GivenValue } from "./given-values.ts";
import { readGivenValues } from "./given-values.ts";

/** A value that is not known yet, and of which the entry has `${secret:NAME}`. */
export interface WantedSecret {
  name: string;
  key: string;
  place: "env" | "headers";
  /** The words before it in the entry as it was pasted, which the value has not: `Bearer `. */
  scheme: string;
  /** The text of the entry that the secret is only a part of: it stays as it is. */
  within?: string | undefined;
  /** What stands in the entry where nobody says the value. */
  instead?: string | undefined;
}

export interface PreparedServer {
  name: string;
  entry: JsonObject;
  wanted: readonly WantedSecret[];
  notes: readonly string[];
}

const variableName = /^[A-Za-z_]\w*$/u;

/**
 * Puts what the options say into the entries.
 * @param variables the environment: what stands there goes in as a reference
 * @throws AppError `usage`
 */
export function applyOptions(
  servers: readonly FoundServer[],
  options: AddOptions,
  {
    variables,
    folder,
  }: { variables: Readonly<Record<string, string | undefined>>; folder: string },
): PreparedServer[] {
  const env = readGivenValues("env", options.env);
  const headers = readGivenValues("header", options.header);
  const single = (["env", "header", "type", "cwd"] as const).find(
    (key) => (options[key]?.length ?? 0) > 0,
  );
  if (servers.length > 1 && single !== undefined) {
    throw new AppError(
      "usage",
      `--${single} is for one server, and the snippet has ${servers.length}`,
      {
        hint: "leave it out, or paste one server at a time",
      },
    );
  }
  return servers.map(({ name, entry: found, notes }) => {
    const wanted: WantedSecret[] = [];
    const said: string[] = [...notes];
    const entry: JsonObject = { ...found };
    const put = (place: "env" | "headers", values: readonly GivenValue[]): void => {
      if (values.length === 0) return;
      const present = isJsonObject(entry[place]) ? entry[place] : {};
      const isSame = (one: string, other: string): boolean =>
        place === "env" ? one === other : one.toLowerCase() === other.toLowerCase();
      const isGiven = ([key]: [string, Json]): boolean =>
        values.some((value) => isSame(value.key, key));
      const replaced = Object.entries(present).filter(isGiven);
      const kept = Object.entries(present).filter((each) => !isGiven(each));
      const added = values.flatMap(({ key, value }): [string, Json][] => {
        if (value !== undefined) return [[key, value]];
        const secret = secretName(name, key);
        const text = replaced.find(([other]) => isSame(other, key))?.[1];
        if (secretsIn(found).includes(secret) && text !== secretReference(secret)) {
          // The entry has its place for it already: in a longer text, or elsewhere.
          const within = typeof text === "string" ? text : "";
          wanted.push({ name: secret, key, place, scheme: "", within });
          return text === undefined ? [] : [[key, text]];
        }
        if (variableName.test(key) && variables[key]) {
          return [[key, `\${${key}}`]];
        }
        wanted.push({ name: secret, key, place, scheme: "" });
        return [[key, secretReference(secret)]];
      });
      const all = [...kept, ...added];
      if (all.length > 0) entry[place] = Object.fromEntries(all);
    };
    put("env", env);
    put("headers", headers);
    if (options.type !== undefined) entry["type"] = options.type;
    if (options.cwd !== undefined) entry["cwd"] = resolve(folder, options.cwd);
    const { tags } = entry;
    const known = Array.isArray(tags) ? tags : [];
    const more = options.tag.filter((tag) => !known.includes(tag));
    if (more.length > 0) entry["tags"] = [...known, ...new Set(more)];
    if (options.disabled) entry["disabled"] = true;
    return { name, entry, wanted, notes: said };
  });
}
