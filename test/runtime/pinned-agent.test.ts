import { createServer, request as secureRequest } from "node:https";
import type { Server } from "node:https";
import { createServer as createPlainServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { mintLocalToken } from "../../src/runtime/mint-local-token.ts";
import { createPinnedAgent } from "../../src/runtime/pinned-agent.ts";
import type { ExpectedCertificates } from "../../src/runtime/pinned-agent.ts";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import type { MadeCertificate } from "../fixtures/make-certificate.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const ours = makeCertificate({ names: "DNS:somewhere.else" });
const theirs = makeCertificate();

/** Answers everything, and counts what came to be asked. */
const listen = async (shown: MadeCertificate): Promise<{ url: string; asked: () => number }> => {
  let asked = 0;
  const server: Server = createServer(
    { cert: shown.cert, key: shown.key },
    (_request, response) => {
      asked += 1;
      response.end("hello");
    },
  );
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${portOf(server.address())}`, asked: () => asked };
};

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === "object" && address !== null ? address.port : 0;

const ask = (
  url: string,
  expected: ExpectedCertificates,
  abandoned?: AbortSignal,
): Promise<number> =>
  new Promise((resolve, reject) => {
    const agent = createPinnedAgent({ keepAlive: true }, expected);
    ends.push(() => {
      agent.destroy();
    });
    const options = { agent, method: "POST", headers: { authorization: "Bearer s" }, abandoned };
    const sent = secureRequest(url, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end();
  });

describe("an agent with expected certificates", () => {
  test("takes exactly that one, whatever name stands in it and whoever signed it", async () => {
    const { url, asked } = await listen(ours);
    const places: unknown[] = [];
    const status = await ask(url, (at) => {
      places.push(at);
      return Promise.resolve([ours.fingerprint]);
    });
    expect([status, asked()]).toEqual([200, 1]);
    expect(places).toEqual([{ hostname: "127.0.0.1", port: Number(new URL(url).port) }]);
  });

  test("sends nothing to who shows another one, though its name be right", async () => {
    const { url, asked } = await listen(theirs);
    await expect(ask(url, () => Promise.resolve([ours.fingerprint]))).rejects.toMatchObject({
      code: "ERR_OTHER_CERTIFICATE",
    });
    await expect(ask(url, () => Promise.resolve([]))).rejects.toMatchObject({
      code: "ERR_OTHER_CERTIFICATE",
    });
    expect(asked()).toBe(0);
  });

  test("asks once more what is expected when another is shown: it may just have been renewed", async () => {
    const { url } = await listen(theirs);
    const answers = [[ours.fingerprint], [theirs.fingerprint]];
    expect(await ask(url, () => Promise.resolve(answers.shift()))).toBe(200);
  });

  test("leaves a server of which nothing is expected to Node's own trust", async () => {
    const { url, asked } = await listen(theirs);
    await expect(ask(url, () => Promise.resolve(undefined))).rejects.toMatchObject({
      code: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
    expect(asked()).toBe(0);
  });

  test("gives up a handshake that does not come to its end with the request", async () => {
    const silent = createPlainServer(() => undefined);
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    ends.push(() => {
      silent.close();
    });
    const controller = new AbortController();
    const asked = ask(
      `https://127.0.0.1:${portOf(silent.address())}`,
      () => {
        setImmediate(() => {
          controller.abort();
        });
        return Promise.resolve([ours.fingerprint]);
      },
      controller.signal,
    );
    await expect(asked).rejects.toThrow("The request was given up");
  });

  test("says that it was no TLS at all", async () => {
    const plain = createPlainServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => {
      plain.listen(0, "127.0.0.1", resolve);
    });
    ends.push(() => {
      plain.close();
    });
    const url = `https://127.0.0.1:${portOf(plain.address())}`;
    await expect(ask(url, () => Promise.resolve([ours.fingerprint]))).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:EPROTO|ERR_SSL_.*|ECONNRESET)$/u),
    });
  });
});

describe("the local proof over TLS", () => {
  test("asks nothing of who shows another certificate than the runtime file says", async () => {
    const { url, asked } = await listen(theirs);
    const record = {
      pid: process.pid,
      url,
      instanceId: "instance",
      startedAtMs: 0,
      secret: "s".repeat(43),
      certificates: [ours.fingerprint],
    };
    await expect(mintLocalToken(record, new AbortController().signal)).rejects.toMatchObject({
      code: "auth_rejected",
      message: `What answers at ${url} shows another TLS certificate than your gateway does; nothing was sent to it`,
    });
    expect(asked()).toBe(0);
  });
});
