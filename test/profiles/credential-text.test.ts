import { describe, expect, test } from "vitest";
import { decodeCredential, encodeCredential } from "../../src/profiles/credential-text.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import type { ProfileDraft } from "../../src/profiles/profile.ts";
import type { StoredCredential } from "../../src/profiles/stored-credential.ts";
import { draft, fakeKeychain, learned, open, reports } from "./bench.ts";

const grant = {
  type: "authorization_code",
  issuer: "https://id.example.com",
  tokenEndpoint: "https://id.example.com/token",
  revocationEndpoint: "https://id.example.com/revoke",
  resource: "https://mcp.example.com/mcp",
  scope: "tools offline_access",
  client: { id: "agent", authentication: "client_secret_basic", secret: "client secret" },
  refreshToken: "refresh-token",
} as const;

const full: [string, StoredCredential][] = [
  ["a bearer", { token: "od_plain" }],
  ["a bearer that looks like the mark", { token: "od1" }],
  ["an OAuth token", { token: "access", oauth: grant }],
  ["a session", { token: "access", session: { refreshToken: "refresh" } }],
];
test.each(full)("%s is read as it was written", (_, credential) => {
  const owner = "https://gw.example.com default";
  expect(decodeCredential(encodeCredential(credential, owner))).toEqual({ credential, owner });
});

test("what is kept can be no bearer; a plain one is read, and is anybody's", () => {
  expect(encodeCredential({ token: "od_plain" }, "me")).toMatch(/^od1 \{/u);
  expect(decodeCredential("od_plain")).toEqual({ credential: { token: "od_plain" } });
});

const present = () => fakeKeychain({ kind: "present", locked: false });
const renewed = () => Promise.resolve({ credential: { token: "od_renewed" } });

describe("a secret is shown to nobody but whom it was kept for", () => {
  const url = "https://gw.example.com";
  const elsewhere: [string, ProfileDraft, ProfileDraft][] = [
    ["another server's", draft(url), draft("https://other.example.com")],
    ["another name's", draft(url), draft(url, "work")],
    [
      "a local token's, whose profile was edited to be of another source",
      draft(url, "default", { source: "local", instanceId: "one" }),
      draft(url, "default", { source: "option", instanceId: "one" }),
    ],
    [
      "a local token's, whose profile was edited to be of another gateway",
      draft(url, "default", { source: "local", instanceId: "one" }),
      draft(url, "default", { source: "local", instanceId: "two" }),
    ],
  ];
  test.each(elsewhere)("not in %s place", async (_, mine, other) => {
    const profiles = open(present());
    const profile = await profiles.save(mine, { token: "od_mine" }, present());
    expect(await profiles.credentialOf(profile)).toEqual({ token: "od_mine" });
    const text = (await present().get(profileId(mine))) ?? "";
    const moved = { ...profile, ...other };
    await present().set(profileId(moved), text);
    learned.clear();
    expect(await profiles.credentialOf(moved)).toBeUndefined();
    expect(reports).toEqual([
      `What the system keychain keeps for ${moved.url} was kept for something else; it is not used`,
    ]);
    expect([...learned]).toEqual(["od_mine"]);
  });

  test("renewed, it still is, by whatever gets it", async () => {
    const profiles = open(present());
    const mine = draft(url, "default", { source: "local", instanceId: "one" });
    const profile = await profiles.save(mine, { token: "od_mine" }, present());
    await profiles.renew(profile, () => false, renewed, new AbortController().signal);
    expect(await profiles.credentialOf(profile)).toEqual({ token: "od_renewed" });
    expect(await profiles.credentialOf({ ...profile, instanceId: "two" })).toBeUndefined();
  });
});

const whole = encodeCredential({ token: "access", oauth: grant }, "me");
const withGrant = (changes: object): string =>
  `od1 ${JSON.stringify({ token: "t", oauth: { ...grant, ...changes } })}`;
test.each([
  ["nothing", ""],
  ["a torn text", whole.slice(0, -20)],
  ["two texts in one", `${whole}${whole}`],
  ["another version", whole.replace("od1 ", "od2 ")],
  ["two lines", "od_plain\nod_other"],
  ["no object", "od1 []"],
  ["no token", "od1 {}"],
  ["an empty token", 'od1 {"token":""}'],
  ["a token that is none", 'od1 {"token":7}'],
  ["one for nobody that can be named", 'od1 {"token":"t","for":7}'],
  ["a session without a refresh token", 'od1 {"token":"t","session":{}}'],
  ["a grant that is none", 'od1 {"token":"t","oauth":"x"}'],
  ["a grant of an unknown type", withGrant({ type: "implicit" })],
  ["a grant without a token endpoint", withGrant({ tokenEndpoint: undefined })],
  ["a grant without a client", withGrant({ client: undefined })],
  ["a client without an id", withGrant({ client: { authentication: "none" } })],
  ["a client that shows itself in no known way", withGrant({ client: { id: "a" } })],
  ["a refresh token that is none", withGrant({ refreshToken: 7 })],
])("%s is no credential: it is reported and never a token", async (_, text) => {
  expect(decodeCredential(text)).toBeUndefined();
  const key = draft("https://gw.example.com");
  const keychain = fakeKeychain({ kind: "present", locked: false });
  const profiles = open(keychain);
  const profile = await profiles.save(key, { token: "od_first" }, keychain);
  await keychain.set(profileId(key), text);
  expect(await profiles.credentialOf(profile)).toBeUndefined();
  expect(reports).toEqual([
    "What the system keychain keeps for https://gw.example.com is no token; it is not used",
  ]);
});

test("every secret within is learned when it is saved, and when it is read", async () => {
  const key = draft("https://gw.example.com");
  const keychain = fakeKeychain({ kind: "present", locked: false });
  const credential = { token: "access", oauth: grant, session: { refreshToken: "other-refresh" } };
  const secrets = ["access", "refresh-token", "client secret", "other-refresh"];
  const profile = await open(keychain).save(key, credential, keychain);
  expect([...learned]).toEqual(secrets);
  learned.clear();
  await open(keychain).credentialOf(profile);
  expect([...learned]).toEqual(secrets);
});
