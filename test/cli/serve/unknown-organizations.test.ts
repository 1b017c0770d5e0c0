import { expect, test } from "vitest";
import { unknownOrganizations } from "../../../src/cli/serve/unknown-organizations.ts";
import type { Configuration, ServerConfiguration } from "../../../src/core/configuration.ts";

function server(name: string, ...organizations: string[]): [string, ServerConfiguration] {
  return [
    name,
    {
      name,
      type: "http",
      url: "https://mcp.example.com/",
      headers: {},
      tags: [],
      disabled: false,
      prefix: name,
      timeoutMs: 1000,
      connection: "session",
      connectionWritten: false,
      tools: { allow: [], deny: [], descriptions: {} },
      pin: "off",
      access: { read: [], write: [], organizations, trustHints: false },
      forwardIdentity: false,
    },
  ];
}

const directory = {
  organization: (id: string) =>
    id === "acme" || id === "gone"
      ? { id, name: id, createdAtMs: 0, deletedAtMs: id === "gone" ? 1 : null }
      : undefined,
};

const token = (name: string, organizationId: string | null) =>
  ({ name, token: "sixteen characters", role: "viewer", organizationId }) as const;

test("organisations that are not there, or not any more, are named with their place", () => {
  const configuration: Pick<Configuration, "servers" | "auth"> = {
    servers: new Map([server("one", "acme", "acmee"), server("two", "gone"), server("three")]),
    auth: [
      { type: "local" },
      { type: "token", tokens: [token("ci", "beta"), token("ok", "acme"), token("free", null)] },
    ],
  };
  expect(unknownOrganizations(configuration, directory)).toEqual([
    'Server "one" is for an organisation, but there is no organisation "acmee" (agent org add acmee)',
    'Server "two" is for an organisation, but there is no organisation "gone" (agent org add gone)',
    'The static token "ci" is refused: there is no organisation "beta" (agent org add beta)',
  ]);
});

const mapping = (organizationId: string | null) => ({
  claims: { user: ["sub"], organization: ["org"] },
  organizationId,
  role: null,
  requiredScopes: [],
});

test("an organisation that all of an issuer act in is named with the type", () => {
  const asked = {
    kind: "supabase",
    url: "https://demo.supabase.co",
    anonKey: "k",
    cacheMs: 0,
  } as const;
  expect(
    unknownOrganizations(
      {
        servers: new Map(),
        auth: [
          { type: "simple", users: "own" },
          { type: "simple", users: "supabase", server: asked, mapping: mapping("acmee") },
          { type: "bearer", server: asked, mapping: mapping("acme") },
          { type: "bearer", server: asked, mapping: mapping(null) },
          { type: "bearer", server: asked, mapping: mapping("gone") },
        ],
      },
      directory,
    ),
  ).toEqual([
    'Whoever gets in by "simple" may do nothing: there is no organisation "acmee" (agent org add acmee)',
    'Whoever gets in by "bearer" may do nothing: there is no organisation "gone" (agent org add gone)',
  ]);
});
