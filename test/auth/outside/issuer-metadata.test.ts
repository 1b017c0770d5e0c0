import { beforeEach, describe, expect, test } from "vitest";
import { AuthServerUnavailable } from "../../../src/auth/outside/ask-auth-server.ts";
import type { AuthServerAnswer } from "../../../src/auth/outside/ask-auth-server.ts";
import { createIssuerMetadata, metadataUrls } from "../../../src/auth/outside/issuer-metadata.ts";

const issuer = "https://issuer.example/tenant";
const [oauthUrl = "", openidUrl = "", insertedUrl = ""] = metadataUrls(issuer);
const hour = 3_600_000;

let pages: Map<string, Partial<AuthServerAnswer> | AuthServerUnavailable>;
let asked: string[];
let nowMs: number;
beforeEach(() => {
  pages = new Map();
  asked = [];
  nowMs = 0;
});

const metadataOf = (of: string) =>
  createIssuerMetadata({
    issuer: of,
    now: () => nowMs,
    ask: async ({ url }) => {
      asked.push(url);
      await Promise.resolve();
      const page = pages.get(url);
      if (page instanceof AuthServerUnavailable) throw page;
      return { status: 404, headers: {}, body: "", ...page };
    },
  });
const json = (document: object, status = 200): Partial<AuthServerAnswer> => ({
  status,
  body: JSON.stringify(document),
});

test.each([
  [
    "https://issuer.example",
    [
      "https://issuer.example/.well-known/oauth-authorization-server",
      "https://issuer.example/.well-known/openid-configuration",
    ],
  ],
  [
    "https://issuer.example/",
    [
      "https://issuer.example/.well-known/oauth-authorization-server",
      "https://issuer.example/.well-known/openid-configuration",
    ],
  ],
  [
    "https://issuer.example:8443/a/b",
    [
      "https://issuer.example:8443/.well-known/oauth-authorization-server/a/b",
      "https://issuer.example:8443/a/b/.well-known/openid-configuration",
      "https://issuer.example:8443/.well-known/openid-configuration/a/b",
    ],
  ],
])("the metadata of %s is looked for where RFC 8414 and OpenID Connect say", (of, urls) => {
  expect(metadataUrls(of)).toStrictEqual(urls);
});

describe("an endpoint", () => {
  const good = json({ issuer, jwks_uri: "https://keys.example/k" });

  test.each([
    ["RFC 8414", oauthUrl],
    ["OpenID Connect", openidUrl],
    ["OpenID Connect below the well-known path", insertedUrl],
  ])("is found by %s", async (_what, url) => {
    pages.set(url, good);
    expect(await metadataOf(issuer).endpoint("jwks_uri")).toBe("https://keys.example/k");
    expect(asked.at(-1)).toBe(url);
  });

  test.each<[string, Partial<AuthServerAnswer> | AuthServerUnavailable]>([
    ["is another issuer's", json({ issuer: `${issuer}/`, jwks_uri: "https://bad.example" })],
    ["does not have it", json({ issuer })],
    ["is no object", json([])],
    ["is no JSON", { status: 200, body: "<html>" }],
    ["is an error", json({ issuer, jwks_uri: "https://bad.example" }, 500)],
    ["is somewhere else", new AuthServerUnavailable("A redirection")],
  ])("is found in the next document when one %s", async (_what, page) => {
    pages.set(oauthUrl, page);
    pages.set(openidUrl, good);
    expect(await metadataOf(issuer).endpoint("jwks_uri")).toBe("https://keys.example/k");
  });

  test.each([
    ["no URL", issuer, "keys"],
    ["a number", issuer, 7],
    ["plain http", issuer, "http://issuer.example/keys"],
    ["this machine", issuer, "http://127.0.0.1/keys"],
    ["a file", issuer, "file:///etc/passwd"],
    ["data", issuer, "data:application/json,{}"],
    ["one with credentials", issuer, "https://a:b@issuer.example/keys"],
    ["one with a fragment", issuer, "https://issuer.example/keys#a"],
    ["plain http beyond this machine", "http://localhost:9", "http://issuer.example/keys"],
  ])("is not taken when it is %s", async (_what, of, uri) => {
    for (const url of metadataUrls(of)) pages.set(url, json({ issuer: of, jwks_uri: uri }));
    await expect(metadataOf(of).endpoint("jwks_uri")).rejects.toThrow(
      new AuthServerUnavailable("The metadata of the issuer has no usable jwks_uri"),
    );
  });

  test("may be on this machine when the issuer is", async () => {
    const of = "http://localhost:9";
    const uri = "http://127.0.0.1:9/keys";
    for (const url of metadataUrls(of)) pages.set(url, json({ issuer: of, jwks_uri: uri }));
    expect(await metadataOf(of).endpoint("jwks_uri")).toBe(uri);
  });
});

describe("what was found", () => {
  const found = json({ issuer, jwks_uri: "https://keys.example/1" });

  test("is used for an hour, and for a day when there is no newer", async () => {
    pages.set(oauthUrl, found);
    const metadata = metadataOf(issuer);
    await metadata.endpoint("jwks_uri");
    nowMs = hour - 1;
    await metadata.endpoint("jwks_uri");
    expect(asked).toHaveLength(1);
    nowMs = hour;
    pages.set(oauthUrl, json({ issuer, jwks_uri: "https://keys.example/2" }));
    expect(await metadata.endpoint("jwks_uri")).toBe("https://keys.example/2");
    pages.set(oauthUrl, new AuthServerUnavailable("It is down"));
    nowMs += 24 * hour - 1;
    expect(await metadata.endpoint("jwks_uri")).toBe("https://keys.example/2");
    nowMs += hour;
    await expect(metadata.endpoint("jwks_uri")).rejects.toThrow("It is down");
  });

  test("is looked for anew where the clock was put back, and what was not found too", async () => {
    pages.set(oauthUrl, found);
    const metadata = metadataOf(issuer);
    nowMs = 10 * hour;
    await expect(metadata.endpoint("introspection_endpoint")).rejects.toThrow("no usable");
    await metadata.endpoint("jwks_uri");
    nowMs = hour;
    pages.set(
      oauthUrl,
      json({ issuer, jwks_uri: "https://keys.example/2", introspection_endpoint: issuer }),
    );
    expect(await metadata.endpoint("jwks_uri")).toBe("https://keys.example/2");
    expect(await metadata.endpoint("introspection_endpoint")).toBe(issuer);
  });

  test("is asked for once by all who wait", async () => {
    pages.set(oauthUrl, found);
    const metadata = metadataOf(issuer);
    await Promise.all(Array.from({ length: 20 }, async () => metadata.endpoint("jwks_uri")));
    expect(asked).toStrictEqual([oauthUrl]);
  });

  test("is not asked for again at once when nothing was", async () => {
    const metadata = metadataOf(issuer);
    const none = "No metadata of the issuer was found";
    await expect(metadata.endpoint("jwks_uri")).rejects.toThrow(none);
    nowMs = 4999;
    await expect(metadata.endpoint("jwks_uri")).rejects.toThrow(none);
    expect(asked).toHaveLength(3);
    nowMs = 5000;
    pages.set(oauthUrl, found);
    expect(await metadata.endpoint("jwks_uri")).toBe("https://keys.example/1");
  });

  test("of one endpoint says nothing of another", async () => {
    pages.set(oauthUrl, found);
    pages.set(openidUrl, json({ issuer, introspection_endpoint: "https://issuer.example/i" }));
    const metadata = metadataOf(issuer);
    expect(await metadata.endpoint("jwks_uri")).toBe("https://keys.example/1");
    expect(await metadata.endpoint("introspection_endpoint")).toBe("https://issuer.example/i");
    await expect(metadata.endpoint("revocation_endpoint")).rejects.toThrow(AuthServerUnavailable);
  });

  test("is not waited for longer than callers wait", async () => {
    const slow = createIssuerMetadata({
      issuer,
      now: () => nowMs,
      ask: async ({ url }) => {
        asked.push(url);
        nowMs += 5000;
        await Promise.resolve();
        throw new AuthServerUnavailable("It took too long");
      },
    });
    await expect(slow.endpoint("jwks_uri")).rejects.toThrow("It took too long");
    expect(asked).toStrictEqual([oauthUrl]);
  });
});
