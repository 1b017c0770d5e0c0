import { doorwayNames } from "./doorways.ts";
import type { Outcome, Shown } from "./doorways.ts";

/** What somebody is who shows a credential. */
export type Standing =
  /** Shows nothing. */
  | "nobody"
  /** Shows what is good for nobody. */
  | "rejected"
  /** Known, and without a role. */
  | "no role"
  /** Known, with a token for less than anything here. */
  | "insufficient"
  | "viewer"
  /** An administrator of an organisation, by a token that is limited to reading. */
  | "limited to viewer"
  | "editor"
  /** An administrator of the gateway. */
  | "admin"
  /** Nobody can tell now. */
  | "unavailable";

/** What is shown, and what who shows it may. */
export type Cells = Record<string, readonly [shown: Shown, standing: Standing]>;

const forAdministrators = new Set(["GET /servers", "GET /api/v1/audit", "GET /metrics"]);
const writing = new Set([
  "POST /api/v1/tools/call",
  "POST /api/mcp/tools/call",
  "POST /api/mcp/tools/call auth_token",
]);

/** What the contract says of each doorway (§4 "Endpoints", "Roles"; RFC 6750 §3). */
export function expectedOutcomes(standing: Standing): Record<string, Outcome> {
  return Object.fromEntries(doorwayNames.map((name) => [name, expectedOf(standing, name)]));
}

function expectedOf(standing: Standing, name: string): Outcome {
  switch (standing) {
    case "nobody":
      return name === "GET /auth/status" ? "200" : "401 no error";
    case "rejected":
      return "401 invalid_token";
    case "insufficient":
      return "403 insufficient_scope";
    case "unavailable":
      return "503";
    case "no role":
      if (name === "GET /auth/status") return "200";
      return name === "GET /nowhere" ? "404" : "403";
    case "viewer":
      return writing.has(name) || forAdministrators.has(name) ? "403" : signedIn(name);
    case "limited to viewer":
      // The gateway's own numbers are nobody's who acts in an organisation.
      if (name === "GET /metrics") return "403";
      return writing.has(name) || forAdministrators.has(name) || name === "modern MCP tools/call"
        ? "403 insufficient_scope"
        : signedIn(name);
    case "editor":
      return forAdministrators.has(name) ? "403" : signedIn(name);
    case "admin":
      return signedIn(name);
  }
}

function signedIn(name: string): Outcome {
  return name === "GET /nowhere" ? "404" : "200";
}
