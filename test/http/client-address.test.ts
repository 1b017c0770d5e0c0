import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { clientAddress } from "../../src/http/client-address.ts";

function addressOf(
  peer: string | undefined,
  headersDistinct: IncomingMessage["headersDistinct"],
  trustedProxies: readonly string[],
): string {
  const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: peer });
  return clientAddress({ socket, headersDistinct }, trustedProxies);
}

const xff = (...values: string[]) => ({ "x-forwarded-for": values });
const forwarded = (...values: string[]) => ({ forwarded: values });
const both = (first: string, second: string) => ({ ...xff(first), ...forwarded(second) });
const proxies = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];

describe("of a peer that is no trusted proxy", () => {
  it.each<[string | undefined, string]>([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    [undefined, "unknown"],
  ])("%s is %s, whatever it says", (peer, address) => {
    for (const headers of [{}, xff("198.51.100.7"), forwarded("for=198.51.100.7")]) {
      expect(addressOf(peer, headers, proxies)).toBe(address);
      expect(addressOf(peer, headers, [])).toBe(address);
    }
  });
});

describe("behind trusted proxies", () => {
  it.each<[string, IncomingMessage["headersDistinct"], string]>([
    ["nothing is said", {}, "127.0.0.1"],
    ["one address", xff("198.51.100.7"), "198.51.100.7"],
    ["what the client made up, before it", xff("1.1.1.1, 198.51.100.7"), "198.51.100.7"],
    ["several headers", xff("1.1.1.1", "198.51.100.7", "10.1.2.3"), "198.51.100.7"],
    ["trusted proxies only", xff("10.0.0.9, 10.1.2.3"), "10.0.0.9"],
    ["a trusted one before a stranger", xff("10.0.0.9, 198.51.100.7"), "198.51.100.7"],
    ["a port", xff("198.51.100.7:8080"), "198.51.100.7"],
    ["IPv6", xff("2001:DB8::7"), "2001:db8::7"],
    ["IPv6 with a port", xff("[2001:db8::7]:443"), "2001:db8::7"],
    ["a trusted IPv6 proxy", xff("198.51.100.7, fd12::1"), "198.51.100.7"],
    ["mapped IPv4 of a trusted network", xff("198.51.100.7, ::ffff:10.0.0.1"), "198.51.100.7"],
    ["what is no address", xff("198.51.100.7, evil"), "127.0.0.1"],
    ["no address before a proxy", xff("evil, 10.1.2.3"), "10.1.2.3"],
    ["nothing in the list", xff(""), "127.0.0.1"],
    ["Forwarded", forwarded("for=198.51.100.7;proto=https;by=10.0.0.1"), "198.51.100.7"],
    ["Forwarded with a list", forwarded("for=1.1.1.1, For=198.51.100.7"), "198.51.100.7"],
    ["Forwarded, quoted", forwarded('proto=http; for="[2001:db8::7]:4711"'), "2001:db8::7"],
    ["a comma between quotes", forwarded('for="x, for=1.1.1.1", for=198.51.100.7'), "198.51.100.7"],
    ["a quote that never ends", forwarded('for="1.1.1.1, for=198.51.100.7'), "127.0.0.1"],
    ["a quote that ends in the next one's", forwarded('for="x, for="[::5]"'), "127.0.0.1"],
    ["an end that cannot be read", forwarded('for=1.1.1.1, for="x'), "127.0.0.1"],
    ["Forwarded without for", forwarded("for=198.51.100.7, proto=https"), "127.0.0.1"],
    ["an obfuscated name", forwarded("for=198.51.100.7, for=_hidden"), "127.0.0.1"],
    ["both, of one client", both("198.51.100.7", "for=1.1.1.1, for=198.51.100.7"), "198.51.100.7"],
    ["both, of two", both("198.51.100.7", "for=1.1.1.1"), "127.0.0.1"],
    ["both, one of nobody", both("198.51.100.7", "for=_hidden"), "127.0.0.1"],
    ["both, the other of nobody", both("", "for=1.1.1.1"), "127.0.0.1"],
  ])("%s", (_name, headers, address) => {
    expect(addressOf("127.0.0.1", headers, proxies)).toBe(address);
    expect(addressOf("::ffff:127.0.0.1", headers, proxies)).toBe(address);
  });

  it("a network may be written as mapped IPv4", () => {
    const trusted = ["::ffff:10.0.0.0/104"];
    expect(addressOf("10.9.9.9", xff("198.51.100.7"), trusted)).toBe("198.51.100.7");
    expect(addressOf("11.9.9.9", xff("198.51.100.7"), trusted)).toBe("11.9.9.9");
  });

  it("of a long list is found in no time", () => {
    const long = '"'.repeat(30_000);
    const startedMs = performance.now();
    expect(addressOf("127.0.0.1", forwarded(`${long}for="`), proxies)).toBe("127.0.0.1");
    expect(addressOf("127.0.0.1", forwarded(`for=${" ".repeat(30_000)}x`), proxies)).toBe(
      "127.0.0.1",
    );
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
