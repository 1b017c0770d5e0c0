import type { Shown } from "./doorways.ts";

/** A bearer as every client shows it, in the header or where the doorway takes it. */
export function bearer(token: string): Shown {
  return { authorization: [`Bearer ${token}`], token };
}

export const nothing: Shown = { authorization: [] };

/** Whatever the type, these are 401: what is no bearer, or not one (RFC 6750 §2.1, §3.1). */
export const faults: Readonly<Record<string, Shown>> = {
  "two headers": { authorization: ["Bearer one", "Bearer two"], token: "one,two" },
  "another scheme": { authorization: ["Basic b3BlbjpzZXNhbWU="], token: "Basic b3BlbjpzZXNhbWU=" },
  "an empty bearer": { authorization: ["Bearer "], token: " " },
  "spaces within": { authorization: ["Bearer one two"], token: "one two" },
  "characters that no token has": { authorization: ['Bearer "quoted"'], token: '"quoted"' },
  "an unknown word": bearer("who-knows-this"),
  "a minted token of nobody": bearer(`od_${"A".repeat(43)}`),
  "an unsigned JWT of nobody": bearer(
    `${segment({ alg: "none" })}.${segment({ sub: "ada", iss: "https://nobody.example" })}.`,
  ),
  "more than 16 KiB": bearer("x".repeat(20_000)),
};

/** One part of a compact JWS (RFC 7515 §7.1). */
export function segment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
