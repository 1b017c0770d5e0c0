import { describe, expect, test } from "vitest";
import { chooseProxy, proxySecrets } from "../../src/client/choose-proxy.ts";
import { readEnvironment } from "../../src/config/environment.ts";

const proxyOf = (
  target: string,
  variables: Readonly<Record<string, string>>,
): ReturnType<typeof chooseProxy> =>
  chooseProxy(new URL(target), readEnvironment(variables).proxies);

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

describe("which variable counts", () => {
  const https = "https://gw.example.com/mcp";
  const http = "http://gw.example.com/mcp";
  test.each([
    [https, {}, undefined],
    [https, { HTTPS_PROXY: "http://upper:1" }, "http://upper:1"],
    [https, { https_proxy: "http://lower:1", HTTPS_PROXY: "http://upper:1" }, "http://lower:1"],
    [https, { https_proxy: "", HTTPS_PROXY: "http://upper:1" }, "http://upper:1"],
    [https, { HTTP_PROXY: "http://upper:1" }, undefined],
    [https, { ALL_PROXY: "http://all:1" }, "http://all:1"],
    [https, { HTTPS_PROXY: "http://upper:1", all_proxy: "http://all:1" }, "http://upper:1"],
    [http, { HTTPS_PROXY: "http://upper:1" }, undefined],
    [http, { HTTP_PROXY: "http://upper:1" }, "http://upper:1"],
    [http, { http_proxy: "http://lower:1", HTTP_PROXY: "http://upper:1" }, "http://lower:1"],
    [http, { HTTP_PROXY: "http://attacker:1", REQUEST_METHOD: "GET" }, undefined],
    [http, { http_proxy: "http://lower:1", REQUEST_METHOD: "GET" }, "http://lower:1"],
    [https, { HTTPS_PROXY: "upper:1" }, "http://upper:1"],
    [https, { HTTPS_PROXY: "https://upper:1/path" }, "https://upper:1"],
    [https, { HTTPS_PROXY: "http://127.0.0.1:1" }, "http://127.0.0.1:1"],
  ])("%s with %j: %s", (target, variables, origin) => {
    expect(proxyOf(target, variables)?.origin).toBe(origin);
  });
});

describe("what goes without a proxy", () => {
  const proxies = { HTTPS_PROXY: "http://proxy:1", HTTP_PROXY: "http://proxy:1" };

  test.each([
    "http://localhost:3050",
    "https://localhost",
    "http://LOCALHOST.:1",
    "http://127.0.0.1:3050",
    "http://127.9.9.9",
    "http://[::1]:3050",
    "http://[::ffff:127.0.0.1]",
    "http://0.0.0.0:3050",
    "http://[::]:3050",
    "http://gw.localhost",
  ])("this machine, whatever the variables say: %s", (target) => {
    expect(proxyOf(target, proxies)).toBeUndefined();
    expect(proxyOf(target, { ...proxies, NO_PROXY: "other" })).toBeUndefined();
  });

  test.each([
    ["https://gw.example.com", "gw.example.com", true],
    ["https://GW.example.com.", "gw.EXAMPLE.com", true],
    ["https://gw.example.com", "example.com", true],
    ["https://gw.example.com", ".example.com", true],
    ["https://gw.example.com", "*.example.com", true],
    ["https://example.com", ".example.com", true],
    ["https://badexample.com", "example.com", false],
    ["https://example.com.evil.net", "example.com", false],
    ["https://gw.example.com", "*", true],
    ["https://gw.example.com", "other.net, gw.example.com", true],
    ["https://gw.example.com", "other.net  gw.example.com", true],
    ["https://gw.example.com", "gw.example.com:443", true],
    ["http://gw.example.com", "gw.example.com:443", false],
    ["https://gw.example.com:8443", "gw.example.com:443", false],
    ["https://gw.example.com:8443", "example.com:8443", true],
    ["https://10.1.2.3", "10.1.2.3", true],
    ["https://10.1.2.3:8443", "10.1.2.3:8443", true],
    ["https://10.1.2.3", "2.3", false],
    ["https://10.1.2.3", "10.0.0.0/8", true],
    ["https://11.1.2.3", "10.0.0.0/8", false],
    ["https://10.1.2.3", "10.0.0.0/33", false],
    ["https://10.1.2.3", "10.0.0.0/8/8", false],
    ["https://[fd00::1]", "fd00::1", true],
    ["https://[fd00::1]", "[fd00::1]", true],
    ["https://[fd00::1]", "fd00:0:0::1", true],
    ["https://[fd00::1]:8443", "[fd00::1]:8443", true],
    ["https://[fd00::1]:8443", "[fd00::1]:443", false],
    ["https://[fd00::1]", "fd00::/8", true],
    ["https://[fe80::1]", "fd00::/8", false],
    ["https://[fd00::1]", "10.0.0.0/8", false],
    ["https://gw.example.com", "10.0.0.0/8", false],
    ["https://gw.example.com", ", ,", false],
    ["https://gw.example.com", ".", false],
    ["https://gw.example.com", "*.", false],
    ["https://gw.example.com", "(", false],
  ])("%s with NO_PROXY=%s: %s", (target, list, direct) => {
    expect(proxyOf(target, { ...proxies, NO_PROXY: list }) === undefined).toBe(direct);
    expect(proxyOf(target, { ...proxies, no_proxy: list, NO_PROXY: "*" }) === undefined).toBe(
      direct,
    );
  });
});

describe("who asks the proxy", () => {
  test.each([
    ["http://proxy:1", undefined],
    ["http://joe:s3cret-word@proxy:1", basic("joe:s3cret-word")],
    ["joe:s3cret-word@proxy:1", basic("joe:s3cret-word")],
    ["http://joe:p%40ss%3Aword@proxy:1", basic("joe:p@ss:word")],
    ["http://joe:p@ss:word@proxy:1", basic("joe:p@ss:word")],
    ["http://joe:100%25@proxy:1", basic("joe:100%")],
    ["http://joe:100%@proxy:1", basic("joe:100%")],
    ["http://joe@proxy:1", basic("joe:")],
    ["http://grüße:wörter@proxy:1", basic("grüße:wörter")],
  ])("%s", (value, authorization) => {
    const found = proxyOf("https://gw.example.com", { HTTPS_PROXY: value });
    expect(found).toEqual({
      origin: "http://proxy:1",
      variable: "HTTPS_PROXY",
      ...(authorization !== undefined && { authorization }),
    });
  });

  test("what stands before the last @ is a secret, whatever it is", () => {
    const { proxies } = readEnvironment({ HTTPS_PROXY: "http://joe:12/s3cret-word@proxy:1" });
    expect(proxySecrets(proxies)).toEqual(expect.arrayContaining(["12/s3cret-word"]));
  });

  test("every form of it is a secret", () => {
    const { proxies } = readEnvironment({
      HTTPS_PROXY: "http://joe:p%40ss-word@proxy:1",
      http_proxy: "jim:other-word@proxy:2",
      NO_PROXY: "x",
    });
    expect(proxySecrets(proxies)).toEqual(
      expect.arrayContaining([
        "joe:p%40ss-word",
        "p%40ss-word",
        "p@ss-word",
        Buffer.from("joe:p@ss-word").toString("base64"),
        "other-word",
      ]),
    );
  });
});

test.each([
  [
    "socks5://joe:s3cret-word@proxy:1",
    "HTTPS_PROXY names a proxy of another kind (socks5://) than HTTP",
  ],
  ["http://joe:s3cret-word@proxy:port", "HTTPS_PROXY holds no address of a proxy"],
  ["http://", "HTTPS_PROXY holds no address of a proxy"],
  ["http://joe:12/s3cret-word@proxy:1", "HTTPS_PROXY holds an @ behind its host"],
  ["http://joe:12#s3cret-word@proxy:1", "HTTPS_PROXY holds an @ behind its host"],
  ["joe:12?s3cret-word@proxy:1", "HTTPS_PROXY holds an @ behind its host"],
  ["http://joe:12\\s3cret-word@proxy:1", "HTTPS_PROXY holds an @ behind its host"],
  ["http://joe:s3cret-word/@proxy:1", "HTTPS_PROXY holds an @ behind its host"],
  ["s3cret-word with spaces", "HTTPS_PROXY holds no address of a proxy"],
])("what is no proxy is said only where it counts, and not shown: %s", (value, message) => {
  const variables = { HTTPS_PROXY: value };
  let failure: unknown;
  try {
    proxyOf("https://gw.example.com", variables);
  } catch (error) {
    failure = error;
  }
  expect(failure).toMatchObject({ code: "usage", message });
  expect(JSON.stringify([failure, String(failure)])).not.toContain("s3cret");
  expect(proxyOf("http://gw.example.com", variables)).toBeUndefined();
  expect(proxyOf("https://localhost", variables)).toBeUndefined();
  expect(proxyOf("https://gw.example.com", { ...variables, NO_PROXY: "*" })).toBeUndefined();
});
