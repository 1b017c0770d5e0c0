import { afterEach, beforeEach, expect, test } from "vitest";
import { documentedResults } from "../../../scripts/docs-results.mjs";
import { createLogin } from "../../../src/cli/commands/auth/login.ts";
import { createLogout } from "../../../src/cli/commands/auth/logout.ts";
import { createRefresh } from "../../../src/cli/commands/auth/refresh.ts";
import { createStatus } from "../../../src/cli/commands/auth/status.ts";
import { createSwitch } from "../../../src/cli/commands/auth/switch.ts";
import { createToken } from "../../../src/cli/commands/auth/token.ts";
import { createWhoami } from "../../../src/cli/commands/auth/whoami.ts";
import type { Revocation } from "../../../src/cli/sign-in/credential-keeping.ts";
import type { ProfileResult } from "../../../src/cli/sign-in/profile-row.ts";
import { commandTable } from "../../../src/cli/table.ts";
import { isJsonObject } from "../../../src/core/json.ts";
import { profileSources } from "../../../src/profiles/profile.ts";
import { Bench } from "./bench.ts";

const url = "https://gw.example.com";
const openUrl = "https://open.example.com";
const json = { format: "json", json: true } as const;
const all = { ...json, url, all: false };

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.doors[url] = { tokens: { od_saved: "alice" } };
  bench.doors[openUrl] = { open: true };
});
afterEach(() => {
  bench.remove();
});

const login = (at: string): Promise<unknown> =>
  bench.run(createLogin(bench.dependencies), {
    ...json,
    url: at,
    token: "od_saved",
    local: false,
    web: false,
    device: false,
    clientCredentials: false,
    stdinTimeout: 60,
    noVerify: false,
    store: "file",
  });
const whoami = (at: string): Promise<unknown> =>
  bench.run(createWhoami(bench.dependencies), { ...json, url: at });
const token = (header: boolean): Promise<unknown> =>
  bench.run(createToken(bench.dependencies), { ...json, url, header });

/** Each command in every form of its result. */
const runs: Readonly<Record<string, readonly (() => Promise<unknown>)[]>> = {
  "auth-login": [() => login(url), () => login(openUrl)],
  "auth-status": [() => bench.run(createStatus(bench.dependencies), all)],
  "auth-whoami": [() => whoami(url), () => whoami(openUrl)],
  "auth-token": [() => token(false), () => token(true)],
  "auth-refresh": [() => bench.run(createRefresh(bench.dependencies), { ...json, url })],
  "auth-switch": [() => bench.run(createSwitch(bench.dependencies), { ...json, url })],
  "auth-logout": [() => bench.run(createLogout(bench.dependencies), all)],
};

/** The fields of a result, objects and lists of them by their paths. */
function pathsIn(value: unknown, path = ""): string[] {
  if (Array.isArray(value) && value.some((item) => isJsonObject(item))) {
    return value.flatMap((item) => pathsIn(item, path === "" ? "" : `${path}[]`));
  }
  if (!isJsonObject(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    pathsIn(inner, path === "" ? key : `${path}.${key}`),
  );
}

test.each(Object.entries(runs))(
  "the page of %s names the fields of its result",
  async (page, forms) => {
    const credential = { token: "od_saved", session: { refreshToken: "refresh_0" } };
    await bench.save(url, { source: "password" }, credential);
    const printed = new Set<string>();
    for (const form of forms) {
      bench.stdout = "";
      await form();
      for (const path of pathsIn(JSON.parse(bench.stdout))) printed.add(path);
    }
    const documented = documentedResults[page]?.fields.map(([path]) => path);
    expect(documented?.toSorted()).toEqual([...printed].toSorted());
  },
);

test("every command of agent auth has its result described", () => {
  const pages = commandTable.filter(({ path: [group] }) => group === "auth");
  const described = Object.keys(documentedResults).filter((name) => name.startsWith("auth-"));
  expect(described.toSorted()).toEqual(pages.map(({ path }) => path.join("-")).toSorted());
});

// The compiler holds these to the types, and the test the pages to these.
const results: Record<ProfileResult, true> = {
  ok: true,
  "needs no sign-in": true,
  rejected: true,
  expired: true,
  missing: true,
  unreachable: true,
  "store unavailable": true,
  "rate limited": true,
  failed: true,
};
const revocations: Record<Revocation, true> = {
  revoked: true,
  "refresh token": true,
  invalid: true,
  kept: true,
  unreachable: true,
  "not asked": true,
};

test.each([
  ["auth-login", "source", profileSources],
  ["auth-status", "result", Object.keys(results)],
  ["auth-logout", "profiles[].revocation", Object.keys(revocations)],
])("the page of %s names every word that %s can be", (page, field, words) => {
  const text = documentedResults[page]?.fields.find(([path]) => path === field)?.[1];
  for (const word of words) expect(text).toContain(`\`${word}\``);
});
