import { canonicalJson } from "../core/canonical-json.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import { sha256 } from "./pinned-definition.ts";

/**
 * What a server is, as a hash: its command and arguments, or its URL. As the file has them, where it does: a variable
 * that is filled in otherwise makes no other server, and no secret is hashed that does not stand in the file.
 * @param written the server's entry of the file
 */
export function serverIdentity(
  server: ServerConfiguration,
  written: JsonObject | undefined,
): string {
  const { command = null, args = null, url = null } = written ?? {};
  const said =
    command === null && url === null
      ? server.type === "stdio"
        ? { command: server.command, args: [...server.args], url }
        : { command, args, url: server.url }
      : { command, args, url };
  return sha256(canonicalJson(said).text);
}
