import { createServer as createTlsServer } from "node:https";
import type { RequestListener } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { authoritiesIn } from "../../src/client/authorities.ts";
import { createConnections } from "../../src/client/direct-http.ts";
import { askJson, openAnswer } from "../../src/client/http-json.ts";
import { leaveUnchecked, setNetwork } from "../../src/client/network.ts";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import { startProxyStandIn } from "../fixtures/proxy-stand-in.ts";
import type { ProxyStandIn } from "../fixtures/proxy-stand-in.ts";
import { sendJson, startFakeServer } from "./support/fake-server.ts";

const target = makeCertificate({ names: "DNS:target.test" });
const patient = (): AbortSignal => AbortSignal.timeout(20_000);
const ends: (() => unknown)[] = [];
let heard: string[];
beforeEach(() => {
  heard = [];
});
afterEach(async () => {
  setNetwork({ proxies: {} });
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A server with and one without TLS, at names that only the proxy knows. */
async function servers(
  listener: RequestListener = (question, response) => {
    heard.push(JSON.stringify(question.headers));
    sendJson(response, 200, {});
  },
): Promise<{ https: string; http: string }> {
  const server = createTlsServer({ cert: target.cert, key: target.key }, listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const plain = await startFakeServer(({ headers }, response) => {
    heard.push(JSON.stringify(headers));
    sendJson(response, 200, {});
  });
  ends.push(() => plain.close());
  const address = server.address();
  return {
    https: `https://target.test:${typeof address === "object" ? address?.port : ""}`,
    http: plain.url.replace("127.0.0.1", "target.test"),
  };
}

async function proxied(
  options: Parameters<typeof startProxyStandIn>[0] = {},
  { credentials = "", trusts = target } = {},
): Promise<ProxyStandIn> {
  const proxy = await startProxyStandIn(options);
  ends.push(() => proxy.close());
  const value = proxy.url.replace("://", `://${credentials}`);
  const authorities = authoritiesIn(trusts.cert, { path: "ca.pem", from: "--cacert" }, target.cert);
  const variable = { name: "HTTPS_PROXY", value };
  setNetwork({ proxies: { http: variable, https: variable }, authorities });
  return proxy;
}

test("a tunnel to https, the whole question for http; the proxy alone sees who asks it", async () => {
  const { https, http } = await servers();
  const proxy = await proxied({}, { credentials: "joe:s3cret-word@" });
  const headers = { authorization: "Bearer for-the-server" };
  expect((await askJson({ url: `${https}/a?b`, headers, signal: patient() })).status).toBe(200);
  expect((await askJson({ url: `${http}/a?b`, headers, signal: patient() })).status).toBe(200);
  expect(proxy.asked).toEqual([`CONNECT ${new URL(https).host}`, `GET ${http}/a?b`]);
  const shown = `Basic ${Buffer.from("joe:s3cret-word").toString("base64")}`;
  expect(proxy.headers.map((sent) => sent["proxy-authorization"])).toEqual([shown, shown]);
  expect(proxy.headers[0]).not.toHaveProperty("authorization");
  expect(heard[0]).not.toContain(shown);
});

test.each([
  [
    407,
    "joe:s3cret-word@",
    "The proxy <> (HTTPS_PROXY) refuses the name and the password that it was given (407)",
  ],
  [407, "", "The proxy <> (HTTPS_PROXY) wants a name and a password (407)"],
])("a proxy that answers %s to %s", async (refusal, credentials, message) => {
  const { https, http } = await servers();
  const { url: proxy } = await proxied({ refusal }, { credentials });
  for (const url of [https, http]) {
    const failure: unknown = await askJson({ url, signal: patient() }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: "unreachable",
      message: message.replace("<>", proxy),
      hint: `HTTPS_PROXY=${proxy.replace("//", "//<name>:<password>@")}`,
    });
    expect(JSON.stringify(failure)).not.toContain("s3cret");
  }
  expect(heard).toEqual([]);
});

test.each([
  [403, "The proxy <> (HTTPS_PROXY) makes no connection to {} (403)"],
  [502, "The proxy <> (HTTPS_PROXY) makes no connection to {} (502)"],
  [
    "hang up",
    "Cannot reach the proxy <> (HTTPS_PROXY): the connection was closed before the answer",
  ],
] as const)("a proxy that makes no tunnel: %s", async (refusal, message) => {
  const { https } = await servers();
  const { url: proxy } = await proxied({ refusal });
  await expect(askJson({ url: https, signal: patient() })).rejects.toMatchObject({
    code: "unreachable",
    message: message.replace("<>", proxy).replace("{}", https),
    hint: "If it is reached without a proxy: NO_PROXY=target.test",
  });
});

test("a proxy that is not there", async () => {
  const { https, http } = await servers();
  const proxy = await proxied();
  await proxy.close();
  for (const url of [https, http]) {
    await expect(askJson({ url, signal: patient() })).rejects.toMatchObject({
      code: "unreachable",
      message: `Cannot reach the proxy ${proxy.url} (HTTPS_PROXY): connection refused`,
    });
  }
});

test("a proxy that never answers ends with the deadline, which names it", async () => {
  const { https, http } = await servers();
  const proxy = await proxied({ refusal: "hang" });
  for (const url of [https, http]) {
    const connections = createConnections(url);
    for (const shared of [undefined, connections]) {
      const signal = AbortSignal.timeout(50);
      await expect(askJson({ url, signal, connections: shared })).rejects.toMatchObject({
        code: "timeout",
        message: `No answer in time through the proxy ${proxy.url}`,
      });
    }
    connections.destroy();
  }
});

test("a proxy with TLS of its own is judged, also where the server is not", async () => {
  const { https, http } = await servers();
  const certificate = makeCertificate({ names: "IP:127.0.0.1" });
  const proxy = await proxied({ certificate }, { trusts: certificate });
  for (const url of [https, http]) {
    expect((await askJson({ url, signal: patient() })).status).toBe(200);
  }
  expect(proxy.asked).toEqual([https, http].map((url) => `CONNECT ${new URL(url).host}`));

  for (const [shown, trusts, code] of [
    [certificate, target, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    [target, target, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ] as const) {
    const { url: strange } = await proxied({ certificate: shown }, { trusts });
    leaveUnchecked(https);
    leaveUnchecked(http);
    for (const url of [https, http]) {
      await expect(askJson({ url, signal: patient() })).rejects.toMatchObject({
        code: "unreachable",
        message: `Cannot reach the proxy ${strange} (HTTPS_PROXY): its TLS certificate is not trusted (${code})`,
      });
    }
  }
});

test("questions that share connections share tunnels, which end with them", async () => {
  let hungUp: Promise<unknown> = Promise.resolve();
  const { https: url } = await servers((_question, response) => {
    hungUp = new Promise((resolve) => void response.once("close", resolve));
    response.write("{}");
    if (_question.url === "/once") response.end();
  });
  const proxy = await proxied();
  const connections = createConnections(url);
  const question = { signal: patient(), connections };
  for (let times = 0; times < 5; times++) await askJson({ ...question, url: `${url}/once` });
  const stream = await openAnswer({ ...question, url: `${url}/stream` });
  connections.destroy();
  await hungUp;
  await expect(
    (async () => {
      for await (const chunk of stream.body) expect(String(chunk)).toBe("{}");
    })(),
  ).rejects.toThrow(/destroyed|closed|aborted/u);
  expect(proxy.asked.length).toBeLessThan(6);
});
