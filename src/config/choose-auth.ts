import { AppError } from "../core/errors.ts";
import type { ReadAuth } from "./auth-configuration.ts";
import { authExample, authenticationTypeOf } from "./auth-example.ts";

/**
 * `--auth <type>`: that type alone, with its options from the file; without it all that the file lists.
 * @throws AppError `config_invalid` for no type, and for one that needs options which the file does not have
 */
export function chooseAuth(
  name: string | undefined,
  fromFile: readonly ReadAuth[],
): readonly ReadAuth[] {
  if (name === undefined) return fromFile;
  const type = authenticationTypeOf(name);
  if (type === undefined) {
    throw new AppError(
      "config_invalid",
      `--auth: ${JSON.stringify(name)} is not a type to choose`,
      { hint: "choose local, token, simple, bearer, jwt, oauth or none" },
    );
  }
  const found = fromFile.find(({ entry }) => entry.type === type);
  if (found !== undefined) return [found];
  if (type === "local" || type === "none") return [{ entry: { type }, doubts: [] }];
  if (type === "simple") return [{ entry: { type, users: "own" }, doubts: [] }];
  const hint = `add "auth": ${authExample(type)} to the file`;
  throw new AppError("config_invalid", `--auth ${type}: the configuration has none`, { hint });
}
