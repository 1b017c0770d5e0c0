import { askJson } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { readRuntimeFile } from "../../runtime/runtime-file.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";

/** What `agent serve --status` knows. */
export type GatewayState =
  | {
      kind: "running";
      record: RuntimeRecord;
      version: string;
      /** How many there are in each state, and in all (`total`). */
      upstreams: Readonly<Record<string, number>>;
    }
  /** Its process lives, but does not answer as it should. */
  | { kind: "silent"; record: RuntimeRecord; reason: string }
  /** `reason` says what is wrong with the runtime file that was found. */
  | { kind: "absent"; reason?: string };

const maxStatusBytes = 256 * 1024;

/** Looks for this user's gateway on a state directory, and asks it. */
export async function findGateway(stateDir: string, signal: AbortSignal): Promise<GatewayState> {
  const found = await readRuntimeFile(stateDir);
  if (found.kind === "absent") return { kind: "absent" };
  if (found.kind === "stale") return { kind: "absent", reason: found.reason };
  if (found.kind === "untrusted") return { kind: "absent", reason: `it ${found.reason}` };
  const { record } = found;
  try {
    const { json } = await askJson(
      { url: `${record.url}/status`, signal },
      { maxBytes: maxStatusBytes },
    );
    if (!isJsonObject(json) || json["instanceId"] !== record.instanceId) {
      return { kind: "silent", record, reason: `something else answers at ${record.url}` };
    }
    const { version, upstreams } = json;
    return {
      kind: "running",
      record,
      version: typeof version === "string" ? version : "of an unknown version",
      upstreams: countsOf(upstreams),
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: "silent", record, reason: error.message };
  }
}

function countsOf(upstreams: unknown): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, count] of Object.entries(isJsonObject(upstreams) ? upstreams : {})) {
    if (typeof count === "number") counts[name] = count;
  }
  return counts;
}
