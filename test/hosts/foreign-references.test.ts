import * as fc from "fast-check";
import { expect, it } from "vitest";
import { fillVariables } from "../../src/config/fill-variables.ts";
import { secretReferences } from "../../src/core/secret-reference.ts";
import { hostIds } from "../../src/hosts/host.ts";
import { serversIn } from "../../src/hosts/servers-in.ts";

const pieces = fc.constantFrom(
  "${",
  "}",
  "$",
  "{",
  "/",
  ":-",
  "secret:",
  "github",
  "KEY",
  "github/KEY",
  "${secret:github${/}KEY}",
  "${secret:one/KEY}",
  "${/}",
  "${pathSeparator}",
  "${workspaceFolderBasename}",
  "${userHome}",
  "${A:-",
  "env:",
  "input:",
  "ONEDOOR_",
  "TOKEN",
  "x",
);
const text = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(""));
const texts = fc.array(text, { maxLength: 2 });
const shared = { tags: texts, prefix: text, tools: fc.record({ allow: texts, deny: texts }) };
const entries = fc.oneof(
  fc.record(
    { command: text, args: texts, cwd: text, env: fc.dictionary(text, text), ...shared },
    { requiredKeys: ["command"] },
  ),
  fc.record(
    {
      url: text.map((path) => `https://a.example/${path}`),
      headers: fc.dictionary(fc.constant("A"), text),
      ...shared,
    },
    { requiredKeys: ["url"] },
  ),
);

it("no server of a foreign text refers to what is another's", () => {
  const kept = new Map([
    ["github/KEY", "their-secret"],
    ["one/KEY", "own-secret"],
  ]);
  const environment = { ONEDOOR_TOKEN: "token-of-ours", ONEDOOR_KEY: "key-of-ours" };
  let taken = 0;
  fc.assert(
    fc.property(
      entries,
      fc.option(fc.constantFrom(...hostIds), { nil: undefined }),
      fc.constantFrom("/srv/github", "/srv/KEY", "/srv/}", undefined),
      (entry, host, folder) => {
        const { servers } = serversIn(
          { mcpServers: { one: entry } },
          { host, folder, platform: "linux" },
        );
        for (const server of servers) {
          taken += 1;
          for (const { name } of secretReferences(server.entry)) expect(name).toMatch(/^one\//u);
          const { value } = fillVariables({ mcpServers: { one: server.entry } }, environment, kept);
          expect(JSON.stringify(value)).not.toMatch(/their-secret|of-ours/u);
        }
      },
    ),
    { numRuns: 8_000 },
  );
  expect(taken).toBeGreaterThan(100);
});
