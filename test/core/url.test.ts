import { describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { covers, isLoopbackHost, parseServerUrl } from "../../src/core/url.ts";

function refusal(text: string): AppError {
  try {
    parseServerUrl(text);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`${text} was not refused`);
}

describe("canonical URL", () => {
  test.each([
    // Scheme and host in lower case, the path as it is.
    ["HTTPS://GW.Example.COM/Team", "https://gw.example.com/Team"],
    // IDN as punycode, no trailing dot.
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["https://gw.example.com./a", "https://gw.example.com/a"],
    // Default ports.
    ["https://gw.example.com:443", "https://gw.example.com"],
    ["http://localhost:80", "http://127.0.0.1"],
    ["https://gw.example.com:8443", "https://gw.example.com:8443"],
    // Trailing slash, /mcp, /sse, query, fragment.
    ["https://gw.example.com/", "https://gw.example.com"],
    ["https://gw.example.com/mcp", "https://gw.example.com"],
    ["https://gw.example.com/mcp/", "https://gw.example.com"],
    ["https://gw.example.com/sse", "https://gw.example.com"],
    ["https://gw.example.com/mcp/mcp", "https://gw.example.com"],
    ["https://gw.example.com/mcp?workspace=blue#top", "https://gw.example.com"],
    // Only whole segments, only at the end.
    ["https://gw.example.com/xmcp", "https://gw.example.com/xmcp"],
    ["https://gw.example.com/mcp/tools", "https://gw.example.com/mcp/tools"],
    ["https://gw.example.com/MCP", "https://gw.example.com/MCP"],
    // Path prefix kept.
    ["https://gw.example.com/team-a/mcp", "https://gw.example.com/team-a"],
    ["https://gw.example.com/a/b//", "https://gw.example.com/a/b"],
    ["https://gw.example.com/a/../b", "https://gw.example.com/b"],
    ["https://gw.example.com/%7euser/%c3%bc", "https://gw.example.com/~user/%C3%BC"],
    ["https://gw.example.com/ü", "https://gw.example.com/%C3%BC"],
    // One name for the loopback interface, each scheme and port for itself.
    ["http://localhost:3050", "http://127.0.0.1:3050"],
    ["http://LOCALHOST.:3050/mcp", "http://127.0.0.1:3050"],
    ["http://127.0.0.1:3050", "http://127.0.0.1:3050"],
    ["http://127.0.0.1.:3050", "http://127.0.0.1:3050"],
    ["http://[::1]:3050/", "http://127.0.0.1:3050"],
    ["http://[0:0:0:0:0:0:0:1]:3050/", "http://127.0.0.1:3050"],
    ["http://2130706433:3050/", "http://127.0.0.1:3050"],
    ["https://localhost:3050", "https://127.0.0.1:3050"],
    // Another loopback address is another listener.
    ["http://127.0.0.2:3050", "http://127.0.0.2:3050"],
    ["  https://gw.example.com \n", "https://gw.example.com"],
  ])("%s is %s", (given, canonical) => {
    const parsed = parseServerUrl(given);
    expect(parsed.canonical).toBe(canonical);
    // The key of a key is the key.
    expect(parseServerUrl(parsed.canonical).canonical).toBe(canonical);
  });

  test.each([
    ["http://localhost:3050/mcp?a=1#b", "http://localhost:3050/mcp?a=1", true],
    ["http://[::1]:3050", "http://[::1]:3050/", true],
    ["https://gw.example.com/team/mcp", "https://gw.example.com/team/mcp", false],
  ])("keeps the endpoint of %s", (given, endpoint, loopback) => {
    expect(parseServerUrl(given)).toMatchObject({ endpoint, loopback });
  });
});

describe("refused, exit 2, with a correction", () => {
  test.each([
    ["", /empty/u, undefined],
    ["localhost:3050", /no scheme/u, "http://localhost:3050"],
    ["127.0.0.1:3050/mcp", /no scheme/u, "http://127.0.0.1:3050/mcp"],
    ["[::1]:3050", /no scheme/u, "http://[::1]:3050"],
    ["gw.example.com/team", /no scheme/u, "https://gw.example.com/team"],
    ["//gw.example.com", /no scheme/u, "https://gw.example.com"],
    ["http:localhost:3050", /no scheme/u, "http://localhost:3050"],
    ["https:gw.example.com", /no scheme/u, "https://gw.example.com"],
    ["ws://gw.example.com/mcp", /ws:\/\/ is not spoken/u, "https://gw.example.com/mcp"],
    ["file:///etc/passwd", /file:\/\/ is not spoken/u, "https://etc/passwd"],
    ["http://0.0.0.0:3050/mcp", /listen/u, "http://127.0.0.1:3050/mcp"],
    ["http://0:3050", /listen/u, "http://127.0.0.1:3050"],
    ["http://[::]:3050", /listen/u, "http://[::1]:3050"],
    ["http://[::ffff:127.0.0.1]:3050", /IPv4/u, "http://127.0.0.1:3050"],
    ["http://[::ffff:7f00:1]:3050", /IPv4/u, "http://127.0.0.1:3050"],
    ["http://[::ffff:0:7f00:1]", /IPv4/u, "http://127.0.0.1"],
    ["http://[::10.0.0.1]", /IPv4/u, "http://10.0.0.1"],
    ["https://gw.example.com/a%2Fb", /encoded slash/u, "https://gw.example.com/a/b"],
    ["https://gw.example.com/a%5cb", /encoded slash/u, "https://gw.example.com/a/b"],
    ["http://gw.example.com", /unencrypted/u, "https://gw.example.com"],
    ["http://gw.example.com:8080/x", /unencrypted/u, "https://gw.example.com:8080/x"],
    ["https://gw..example.com", /empty part/u, undefined],
    ["https://gw.example.com..", /empty part/u, undefined],
    ["https://gw.example.com:99999", /not a valid URL/u, undefined],
    ["https://", /not a valid URL/u, undefined],
    ["https://gw.example.com/a b", /white space/u, undefined],
    ["https://gw.example.com\\@evil.example", /backslash/u, undefined],
    ["https://gw.example.com/\u202ea", /control/u, undefined],
  ])("%s", (given, message, correction) => {
    const error = refusal(given);
    expect(error.code).toBe("usage");
    expect(error.message).toMatch(message);
    expect(error.hint?.replace(" (or add --insecure-http)", "")).toBe(
      correction && `Did you mean ${correction}`,
    );
  });

  test.each([
    "https://user:hunter2@gw.example.com/mcp",
    "https://hunter2@gw.example.com/mcp",
    "https://gw.example.com/mcp?token=hunter2",
    "https://gw.example.com/mcp?x=1&access_token=hunter2",
    "https://gw.example.com/mcp?api-key=hunter2",
    "https://gw.example.com/mcp?API_KEY=hunter2",
    "https://gw.example.com/mcp?key=hunter2",
    "https://gw.example.com/mcp?session=od_hunter2",
    "https://gw.example.com/mcp?v=eyJhbGciOi.hunter2",
    "https://gw.example.com/mcp#access_token=hunter2",
    "user:hunter2@gw.example.com",
    "gw.example.com?token=hunter2",
    "https://user:hunter2@[bad",
    "ws://user:hunter2@gw.example.com/mcp",
    "https://user:hunter2@gw.example.com/a b",
  ])("a credential in the URL is not repeated: %s", (given) => {
    const error = refusal(given);
    expect(error.code).toBe("usage");
    expect(JSON.stringify(error.toBody())).not.toContain("hunter2");
  });

  test("http beyond this machine is taken when asked for, loopback always", () => {
    expect(parseServerUrl("http://gw.example.com", { insecureHttp: true }).canonical).toBe(
      "http://gw.example.com",
    );
    expect(parseServerUrl("http://127.9.9.9").loopback).toBe(true);
  });

  test("an innocent query stays in the endpoint", () => {
    expect(parseServerUrl("https://gw.example.com/mcp?tenant=7&keyboard=de").endpoint).toContain(
      "tenant=7",
    );
  });
});

describe("where a bearer may go", () => {
  test.each([
    ["https://gw.example.com", "https://gw.example.com/mcp", true],
    ["https://gw.example.com", "https://gw.example.com", true],
    ["https://gw.example.com/a", "https://gw.example.com/a", true],
    ["https://gw.example.com/a", "https://gw.example.com/a/mcp", true],
    ["http://localhost:3050", "http://[::1]:3050/api/v1/inspect", true],
    ["https://gw.example.com/~u", "https://gw.example.com/%7Eu/mcp", true],
    ["https://gw.example.com/a", "https://gw.example.com/ab", false],
    ["https://gw.example.com/a", "https://gw.example.com/", false],
    ["https://gw.example.com/a", "https://gw.example.com/a/../b", false],
    ["https://gw.example.com/a", "https://gw.example.com/a/%2e%2e/b", false],
    ["https://gw.example.com/a", "https://gw.example.com/a/..%2fb", false],
    ["https://gw.example.com/a", "https://gw.example.com/A/mcp", false],
    ["https://gw.example.com", "http://gw.example.com/mcp", false],
    ["https://gw.example.com", "https://gw.example.com:8443/mcp", false],
    ["https://gw.example.com", "https://gw.example.com.evil.example/mcp", false],
    ["https://gw.example.com", "https://evil.example/gw.example.com", false],
    ["https://gw.example.com", "https://gw.example.com@evil.example/", false],
    ["http://localhost:3050", "http://localhost:3051/", false],
    ["https://gw.example.com", "not a url", false],
  ])("%s covers %s: %s", (profile, request, expected) => {
    const { canonical } = parseServerUrl(profile);
    expect(covers(canonical, request)).toBe(expected);
  });
});

test.each([
  ["localhost", true],
  ["LOCALHOST.", true],
  ["127.0.0.1", true],
  ["127.255.255.254", true],
  ["::1", true],
  ["[::1]", true],
  ["127.0.0.1.evil.example", false],
  ["127.0.0.256", false],
  ["localhost.evil.example", false],
  ["evil.localhost", false],
  ["::ffff:127.0.0.1", false],
  ["0.0.0.0", false],
  ["", false],
])("isLoopbackHost(%s) is %s", (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
});
