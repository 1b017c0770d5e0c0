import { expect, test } from "vitest";
import { whoGetsIn } from "../../../src/cli/serve/who-gets-in.ts";
import type { StaticToken } from "../../../src/core/configuration.ts";
import type { Role } from "../../../src/core/principal.ts";

function sentence(...tokens: [role: Role, organizationId: string | null][]): string {
  const named = tokens.map(([role, organizationId], index): StaticToken => ({
    name: `n${index}`,
    token: `secret-${index}`,
    role,
    organizationId,
  }));
  return whoGetsIn(
    { auth: [{ type: "local" }, { type: "token", tokens: named }] },
    { owner: "ann", loopback: true },
  );
}

const before =
  'Who gets in: the user ann on this machine, with a token from "agent auth login", and whoever shows a token from "agent token create"; every program on this machine with';

test.each<[tokens: [role: Role, organizationId: string | null][], rest: string]>([
  [[["admin", null]], "the token of the configuration"],
  [
    [
      ["admin", null],
      ["admin", null],
    ],
    "one of the 2 tokens of the configuration",
  ],
  [[["viewer", null]], "the token of the configuration (as viewer)"],
  [[["admin", "acme"]], "the token of the configuration (as admin in acme)"],
  [
    [
      ["viewer", "acme"],
      ["admin", null],
      ["viewer", "acme"],
    ],
    "one of the 3 tokens of the configuration (2 as viewer in acme, 1 as admin)",
  ],
])("tokens %j are told with what they may, and never themselves", (tokens, rest) => {
  expect(sentence(...tokens)).toBe(`${before} ${rest}`);
});

test("many kinds of tokens are not told each", () => {
  const tokens = Array.from({ length: 9 }, (_, index): [Role, string] => ["editor", `o${index}`]);
  expect(sentence(...tokens)).toMatch(/1 as editor in o4, and 4 kinds more\)$/u);
});
