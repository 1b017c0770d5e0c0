import { expect } from "vitest";
import { isJsonObject } from "../../src/core/json.ts";
import { credentialRole } from "../../src/core/permissions.ts";
import type { Principal } from "../../src/core/principal.ts";
import { ada, fakeUpstream } from "../gateway/fakes.ts";
import type { FakeUpstream } from "../gateway/fakes.ts";

/** An editor of acme, by a token that is limited as its name says. */
export const holder = (named: string): Principal => {
  const ed = { ...ada, userId: "ed", organizationId: "acme", method: "local" } as const;
  if (named === "made-as-viewer") {
    return { ...ed, scopes: [], ...credentialRole("editor", { scopes: [], limit: "viewer" }) };
  }
  if (named === "demoted") {
    return { ...ed, scopes: [], ...credentialRole("viewer", { scopes: [] }) };
  }
  const scopes = named.split(",").flatMap((scope) => (scope === "all" ? [] : [scope]));
  return { ...ed, ...credentialRole("editor", { scopes }), scopes };
};

/** The answer that says that these scopes are lacking, in the head and in the body. */
export function insufficient(scope: string): object {
  const told = expect.objectContaining({ code: "forbidden", scopes: scope.split(" ") });
  return expect.objectContaining({
    status: 403,
    headers: expect.objectContaining({
      "content-type": expect.stringContaining("application/json"),
      "www-authenticate": expect.stringContaining(
        `Bearer realm="onedoor", error="insufficient_scope", scope="${scope}", error_description="`,
      ),
    }),
    json: expect.toSatisfy((json: unknown) => {
      const error = isJsonObject(json) ? json["error"] : undefined;
      const ours = isJsonObject(error) ? (error["data"] ?? error) : undefined;
      return told.asymmetricMatch(ours);
    }),
  });
}

const plain = { type: "object" };

/** One that offers a tool that reads, one that writes, a prompt and a resource. */
export function upstream(name: string): FakeUpstream {
  return fakeUpstream(name, {
    tools: [
      { name: "look", inputSchema: plain, annotations: { readOnlyHint: true } },
      { name: "mend", inputSchema: plain },
    ],
    prompts: [{ name: "ask" }],
    resources: [{ uri: `x-${name}:one`, name: "one" }],
  });
}
