import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, createServer as createSocketServer } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAdministrationTokens } from "../../src/auth/administration-tokens.ts";
import type { AdministrationTokens } from "../../src/auth/administration-tokens.ts";
import { createCliTokenExchange } from "../../src/auth/cli-token-exchange.ts";
import { openDirectory } from "../../src/auth/directory.ts";
import { createTokenMint } from "../../src/auth/token-mint.ts";
import { isJsonObject } from "../../src/core/json.ts";
import { proofOf } from "../../src/runtime/local-proof.ts";
import { mintLocalToken } from "../../src/runtime/mint-local-token.ts";
import type { RuntimeRecord } from "../../src/runtime/runtime-record.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { startExchangeServer } from "./support/exchange-server.ts";
import { listen } from "./support/listen.ts";
import type { Listening } from "./support/listen.ts";

const secret = randomBytes(32).toString("base64url");
const instanceId = randomUUID();
const never = new AbortController().signal;

let minted: string[];
let servers: Listening[];
let administrationTokens: AdministrationTokens;

beforeEach(() => {
  minted = [];
  servers = [];
  administrationTokens = createAdministrationTokens({
    now: Date.now,
    newId: randomUUID,
    randomBytes,
    owner: "ada",
  });
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

const running = async (starting: Promise<Listening>): Promise<Listening> => {
  const server = await starting;
  servers.push(server);
  return server;
};

async function gateway(host?: string): Promise<Listening> {
  const storage = createMemoryStorage(instanceId);
  const mint = createTokenMint({
    directory: await openDirectory({ storage, now: Date.now, newId: randomUUID }),
    now: Date.now,
    newId: randomUUID,
    randomBytes,
    report: ({ tokenId }) => minted.push(tokenId),
  });
  const exchange = createCliTokenExchange({
    secret,
    instanceId,
    mint,
    mintsCliTokens: () => true,
    administrationTokens,
    now: Date.now,
    random: randomBytes,
    owner: "ada",
  });
  return running(startExchangeServer(exchange, host));
}

/** Somebody else on the port: answers each request with what `answer` does. */
function standIn(
  answer: (clientNonce: string, response: ServerResponse) => void,
  at?: number,
): Promise<Listening> {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    answer(textOf(await json(request), "clientNonce"), response);
  const server = createServer((request, response) => void serve(request, response));
  return running(listen(server, "127.0.0.1", at));
}

const textOf = (body: unknown, key: string): string => {
  const value = isJsonObject(body) ? body[key] : undefined;
  return typeof value === "string" ? value : "";
};

const recordOf = ({ url }: Pick<Listening, "url">): RuntimeRecord => ({
  pid: process.pid,
  url,
  instanceId,
  startedAtMs: 0,
  secret,
});

/** What a stand-in must never have heard: the secret in any spelling, or a second message. */
function expectNothingLearned({ received }: Listening): void {
  const heard = received();
  const key = Buffer.from(secret, "base64url");
  for (const spelling of [
    secret,
    key.toString("base64"),
    key.toString("hex"),
    key.toString("latin1"),
  ]) {
    expect(heard).not.toContain(spelling);
  }
  expect(heard).not.toContain("proof");
  expect(heard.split("POST ").length - 1).toBeLessThanOrEqual(1);
}

describe("with the user's own gateway", () => {
  test.each(["127.0.0.1", "::1"])(
    "a token is minted on %s, and no secret is sent",
    async (host) => {
      const server = await gateway(host);
      const token = await mintLocalToken(recordOf(server), never);
      expect(token).toStrictEqual({
        token: expect.stringMatching(/^od_[\w-]{43}$/),
        tokenId: minted[0],
        expiresAtMs: expect.closeTo(Date.now() + 24 * 3600 * 1000, -5),
        userId: "ada",
        role: "admin",
      });
      const heard = server.received();
      expect(heard).not.toContain(secret);
      expect(heard.toLowerCase()).not.toMatch(/origin:|sec-fetch|forwarded|authorization|cookie/);
      expect(heard).toContain(`Host: ${server.url.slice("http://".length)}`);
    },
  );

  test("a token for the administration is one, by a proof for just that", async () => {
    const server = await gateway();
    const token = await mintLocalToken(recordOf(server), never, "administration");
    expect(token).toMatchObject({ userId: "ada", role: "admin" });
    expect(administrationTokens.principalOf(token.token)).toMatchObject({ userId: "ada" });
    expect(minted).toStrictEqual([]);
    // Said in both steps, and no secret.
    expect(server.received().split('"purpose":"administration"')).toHaveLength(3);
    expect(server.received()).not.toContain(secret);
  });

  test("a client that does not know the secret gets none", async () => {
    const server = await gateway();
    const clientNonce = randomBytes(32).toString("base64url");
    const post = async (body: object) => {
      const response = await fetch(`${server.url}/auth/cli-token`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      return { status: response.status, answer: await response.json() };
    };
    const { answer } = await post({ clientNonce });
    const serverNonce = textOf(answer, "serverNonce");
    // Its own proof handed back, and one made with a wrong key.
    const address = `127.0.0.1:${server.port}`;
    const wrong = proofOf(randomBytes(32).toString("base64url"), {
      role: "client",
      clientNonce,
      serverNonce,
      instanceId,
      address,
    });
    for (const proof of [textOf(answer, "proof"), wrong, ""]) {
      const { status } = await post({ clientNonce, serverNonce, proof });
      expect(status).toBe(403);
    }
    expect(minted).toStrictEqual([]);
  });

  test("its limit is told with the time to wait", async () => {
    const server = await gateway();
    for (let count = 0; count < 30; count += 1) {
      await mintLocalToken(recordOf(server), never);
    }
    await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterSeconds: expect.closeTo(60, -1),
    });
    expect(minted).toHaveLength(30);
  });
});

describe("with a stand-in on the port", () => {
  const refused = { code: "auth_rejected", message: expect.stringContaining("did not prove") };

  test("that answers rubbish", async () => {
    const nonce = "n".repeat(43);
    const rubbish: ((response: ServerResponse) => void)[] = [
      (response) => response.end("hello"),
      (response) => response.end("{}"),
      (response) => response.end("null"),
      (response) => response.end(JSON.stringify({ serverNonce: nonce, instanceId, proof: "" })),
      (response) => response.end(JSON.stringify({ serverNonce: nonce, instanceId, proof: 5 })),
      (response) => response.end(JSON.stringify({ access_token: `od_${nonce}`, proof: nonce })),
      (response) => response.writeHead(204).end(),
      (response) => response.writeHead(404).end("{}"),
      (response) => response.writeHead(500).end("{}"),
      (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    ];
    for (const answer of rubbish) {
      const server = await standIn((_nonce, response) => answer(response));
      await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject(refused);
      expectNothingLearned(server);
    }
  });

  test("that knows everything but the secret", async () => {
    const server = await standIn((clientNonce, response) => {
      const claims = {
        role: "gateway",
        clientNonce,
        serverNonce: "n".repeat(43),
        instanceId,
        address: recordOf(server).url.slice("http://".length),
      } as const;
      const proof = proofOf(randomBytes(32).toString("base64url"), claims);
      response.end(JSON.stringify({ serverNonce: claims.serverNonce, instanceId, proof }));
    });
    await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject(refused);
    expectNothingLearned(server);
  });

  test("that hands back the client's own kind of proof", async () => {
    // What a client would send next, were it tricked into making it: the role tells the two apart.
    const server = await standIn((clientNonce, response) => {
      const serverNonce = "n".repeat(43);
      const proof = proofOf(secret, {
        role: "client",
        clientNonce,
        serverNonce,
        instanceId,
        address: recordOf(server).url.slice("http://".length),
      });
      response.end(JSON.stringify({ serverNonce, instanceId, proof }));
    });
    await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject(refused);
    expectNothingLearned(server);
  });

  test("that replays an earlier exchange on the same port", async () => {
    const real = await gateway();
    const response = await fetch(`${real.url}/auth/cli-token`, {
      method: "POST",
      body: JSON.stringify({ clientNonce: randomBytes(32).toString("base64url") }),
    });
    const earlier = await response.text();
    expect(textOf(JSON.parse(earlier), "proof")).toHaveLength(43);
    servers = [];
    await real.close();
    const server = await standIn((_nonce, reply) => reply.end(earlier), real.port);
    await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject(refused);
    expectNothingLearned(server);
  });

  test("that relays to the real gateway from another port", async () => {
    const real = await gateway();
    const relay = await running(
      listen(
        createSocketServer((client) => {
          const upstream = connect(real.port, "127.0.0.1");
          client.pipe(upstream).pipe(client);
          client.on("close", () => upstream.destroy());
          upstream.on("error", () => client.destroy());
        }),
      ),
    );
    await expect(mintLocalToken(recordOf(relay), never)).rejects.toMatchObject(refused);
    expectNothingLearned(relay);
    expect(minted).toStrictEqual([]);
  });

  test("that belongs to another instance", async () => {
    const server = await gateway();
    const record = { ...recordOf(server), instanceId: randomUUID() };
    await expect(mintLocalToken(record, never)).rejects.toMatchObject(refused);
    expect(minted).toStrictEqual([]);
  });

  test("that never stops talking", async () => {
    const server = await standIn((_nonce, response) => {
      const write = (): void => {
        if (!response.destroyed) {
          response.write("x".repeat(4096), write);
        }
      };
      write();
    });
    await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject({
      code: "auth_rejected",
    });
    expectNothingLearned(server);
  });

  test("that says it is busy", async () => {
    const body = { error: { code: "rate_limited", message: "\u001B[2J", retryAfterSeconds: 1e9 } };
    const server = await standIn((_nonce, response) =>
      response.writeHead(429).end(JSON.stringify(body)),
    );
    await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterSeconds: 60,
      message: expect.not.stringContaining("\u001B"),
    });
  });
});

describe("with nobody, or somebody mute", () => {
  test("a closed port is unreachable", async () => {
    const server = await standIn(() => undefined);
    await server.close();
    servers = [];
    await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject({
      code: "unreachable",
      message: `The gateway at ${server.url} cannot be reached (ECONNREFUSED)`,
    });
  });

  test("a connection that ends without an answer is unreachable", async () => {
    const server = await running(listen(createSocketServer((socket) => socket.destroy())));
    await expect(mintLocalToken(recordOf(server), never)).rejects.toMatchObject({
      code: "unreachable",
    });
  });

  test("the caller's deadline holds, and is a timeout", async () => {
    const deadline = new AbortController();
    const server = await standIn(() =>
      deadline.abort(new DOMException("The operation timed out", "TimeoutError")),
    );
    await expect(mintLocalToken(recordOf(server), deadline.signal)).rejects.toMatchObject({
      code: "timeout",
    });
    expectNothingLearned(server);
  });

  test("what the caller aborted with comes back as it is", async () => {
    const reason = new Error("interrupted");
    const interrupt = new AbortController();
    const server = await standIn(() => interrupt.abort(reason));
    await expect(mintLocalToken(recordOf(server), interrupt.signal)).rejects.toBe(reason);
  });
});
