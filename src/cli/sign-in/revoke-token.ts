import { askJson } from "../../client/http-json.ts";
import { baseOf } from "../../client/server-address.ts";
import { AppError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Revocation } from "./credential-keeping.ts";

/** Asks a OneDoor gateway to forget a token (`POST /auth/logout`). */
export async function revokeToken(
  endpoint: string,
  token: string,
  signal: AbortSignal,
): Promise<Revocation> {
  try {
    const answer = await askJson(
      {
        url: `${baseOf(endpoint)}/auth/logout`,
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: "{}",
        signal,
      },
      { maxBytes: 64 * 1024 },
    );
    if (answer.status === 401) return "invalid";
    if (answer.status >= 500) return "unreachable";
    return isJsonObject(answer.json) && answer.json["revoked"] === true ? "revoked" : "kept";
  } catch (error) {
    if (error instanceof AppError && (error.code === "unreachable" || error.code === "timeout")) {
      return "unreachable";
    }
    throw error;
  }
}
