import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { request as sendRequest } from "node:http";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { proofOf } from "../../src/runtime/local-proof.ts";
import { readRuntimeFile, writeRuntimeFile } from "../../src/runtime/runtime-file.ts";
import { sendJson } from "../client/support/fake-server.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { forwardTo, startRecordingServer } from "./support/recording-server.ts";
import type { Answer, RecordingServer } from "./support/recording-server.ts";
import { createStranger } from "./support/stranger.ts";

/** The gateway lives in `home`; whoever attacks it has `other`. */
let home: Home;
let other: Home;
let gateway: RunningGateway;
const standIns: RecordingServer[] = [];

beforeEach(async () => {
  home = createHome();
  other = createHome();
  gateway = await startGateway(home);
});
afterEach(async () => {
  await gateway.stop();
  for (const server of standIns.splice(0)) await server.close();
  home.remove();
  other.remove();
});

function agent(args: string, of: Home = home): Promise<AgentResult> {
  return runAgent(args.split(" "), { home: of });
}

async function standIn(answer: Answer, port?: number): Promise<RecordingServer> {
  const server = await startRecordingServer(answer, port);
  standIns.push(server);
  return server;
}

const file = (of: Home): string => join(of.stateDir, "server.json");
const portOf = (url: string): number => Number(new URL(url).port);

/** No way in, and nothing told. */
function expectRefused(result: AgentResult): void {
  expect(result.code).not.toBe(0);
  expect(result.stdout).toBe("");
  expect(result.stderr).not.toContain(gateway.record.secret);
  expect(result.stderr).not.toMatch(/od_[\w-]{20}/u);
}

/** Nor anything saved. */
async function expectNoToken(result: AgentResult, of: Home): Promise<void> {
  expectRefused(result);
  expect((await agent("auth token", of)).stdout).toBe("");
}

function expectNothingSecret(server: RecordingServer, ...tokens: readonly string[]): void {
  const received = server.received();
  for (const secret of [gateway.record.secret, ...tokens]) {
    expect(received).not.toContain(secret);
    expect(received).not.toContain(Buffer.from(secret, "base64url").toString("hex"));
    expect(received).not.toContain(Buffer.from(secret, "base64url").toString("latin1"));
  }
  expect(received).not.toMatch(/authorization:/iu);
  // By chance the nonce may hold the prefix.
  expect(received.replaceAll(/"clientNonce":"[^"]*"/gu, "")).not.toContain("od_");
  expect(received).not.toContain('"proof"');
}

const mintedLine = /local token was minted/iu;
describe("another user of this machine", () => {
  it("finds everything closed", async () => {
    await agent("auth login");
    for (const folder of [home.configDir, home.stateDir]) {
      const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
      for (const name of ["", ...names]) {
        const { mode } = statSync(join(folder, name));
        expect({ name, open: mode & 0o077 }).toEqual({ name, open: 0 });
      }
    }
  });

  it("gets no token, neither from the owner's folder nor with a copy of the file", async () => {
    // Only root can be somebody else; for anyone, to another than its owner the file is nobody's.
    const asOther = await readRuntimeFile(home.stateDir, { uid: (process.getuid?.() ?? 0) + 1 });
    expect(asOther).toMatchObject({ kind: "untrusted", reason: "belongs to another user" });
    if (process.getuid?.() === 0) await expectStrangerRefused();
  });
});

describe("a runtime file that is not the gateway's own", () => {
  const ways: [name: string, plant: () => void, said: string][] = [
    ["a symbolic link to it", () => symlinkSync(file(home), file(other)), "is a symbolic link"],
    ["a hard link to it", () => linkSync(file(home), file(other)), "hard link"],
    ["a copy of it", () => copyFileSync(file(home), file(other)), "is a copy"],
    [
      "moved away, a link in its place",
      () => {
        renameSync(file(home), join(other.folder, "moved.json"));
        symlinkSync(join(other.folder, "moved.json"), file(home));
      },
      "is a symbolic link",
    ],
    ["readable by others", () => chmodSync(file(home), 0o604), "open to group or others"],
    ["writable by its group", () => chmodSync(file(home), 0o620), "open to group or others"],
    [
      "in a folder that others may write",
      () => chmodSync(home.stateDir, 0o777),
      "directory that others can write",
    ],
  ];
  it.each(ways)("%s: ignored, said, no token", async (_, plant, said) => {
    mkdirSync(other.stateDir, { recursive: true, mode: 0o700 });
    plant();
    const who = readdirSync(other.stateDir).length > 0 ? other : home;
    const result = await agent("auth login", who);
    expect(result.stderr).toContain(said);
    await expectNoToken(result, who);
    await expectNoToken(await agent(`auth login --local --url ${gateway.url}`, who), who);
    expect(gateway.agent.stderr).not.toMatch(mintedLine);
  });
});

/** Says what a gateway says, and accepts whatever it is shown. */
const accepting: Answer = ({ path }, response) => {
  if (path === "/status") sendJson(response, 200, { name: "onedoor", version: "0.1.0" });
  else if (path === "/auth") {
    sendJson(response, 200, { required: true, ways: [{ type: "local", description: "" }] });
  } else if (path === "/auth/cli-token") {
    sendJson(response, 200, {
      serverNonce: "n".repeat(43),
      instanceId: gateway.record.instanceId,
      proof: "p".repeat(43),
      access_token: `od_${"a".repeat(43)}`,
      token_type: "Bearer",
      expires_in: 86_400,
      token_id: "t",
      user: { id: "u", name: "u" },
      role: "admin",
    });
  } else if (path === "/auth/status") sendJson(response, 401, { authenticated: false });
  else sendJson(response, 200, { servers: [], collisions: [] });
};

async function killGateway(): Promise<void> {
  gateway.agent.process.kill("SIGKILL");
  await gateway.agent.ended;
  expect(statSync(file(home)).mode & 0o777).toBe(0o600);
}

/** The runtime file of the killed gateway as if its process lived, with this place as its address. */
function reviveRecord(url: string): Promise<void> {
  const startedAtMs = Date.now();
  return writeRuntimeFile(home.stateDir, { ...gateway.record, startedAtMs, url, pid: process.pid });
}

describe("a stand-in on the port of a gateway that was killed", () => {
  it("is not asked at all, and not with --url either", async () => {
    await killGateway();
    const server = await standIn(accepting, portOf(gateway.url));
    await expectNoToken(await agent("auth login"), home);
    expect(server.requests).toEqual([]);
    await expectNoToken(await agent(`auth login --url ${gateway.url}`), home);
    await expectNoToken(await agent(`auth login --local --url ${gateway.url}`), home);
    expectNothingSecret(server);
  });

  it("gets no bearer of a saved profile, no arguments, and no say in an answer", async () => {
    await agent("auth login");
    const token = (await agent("auth token")).stdout.trim();
    expect(token).toMatch(/^od_/u);
    await killGateway();
    const server = await standIn(accepting, portOf(gateway.url));
    for (const args of ["inspect", "run a/b", "auth status", "auth whoami", "instructions"]) {
      for (const url of ["", ` --url ${gateway.url}`]) {
        const { code, stderr } = await agent(args + url);
        expect({ args, code }).toEqual({ args, code: 3 });
        expect(stderr).not.toContain(token);
      }
    }
    expect(server.requests).toEqual([]);
    await agent("auth logout --all");
    expectNothingSecret(server, token);
  });

  // Should its number have gone to another process: what answers must prove itself first.
  describe("whose process lives", () => {
    it("sees one nonce, and no proof", async () => {
      await killGateway();
      const server = await standIn(accepting, portOf(gateway.url));
      await reviveRecord(gateway.url);
      const result = await agent("auth login");
      expect(result.stderr).toContain("did not prove that it is your gateway");
      await expectNoToken(result, home);
      expect(server.requests).toContain("POST /auth/cli-token");
      expectNothingSecret(server);
    });

    it("cannot replay an exchange that it has seen whole", async () => {
      const { challenge, token } = await wholeExchange();
      await killGateway();
      const server = await standIn((request, response) => {
        if (request.path === "/auth/cli-token") sendJson(response, 200, { ...challenge, ...token });
        else return accepting(request, response);
      }, portOf(gateway.url));
      await reviveRecord(gateway.url);
      const result = await agent("auth login");
      expect(result.stderr).toContain("did not prove that it is your gateway");
      await expectNoToken(result, home);
      expectNothingSecret(server);
    });

    it("cannot hand the exchange on to the real gateway", async () => {
      const server = await standIn(forwardTo(gateway.url));
      await reviveRecord(server.url);
      const result = await agent("auth login");
      expect(result.stderr).toContain("did not prove that it is your gateway");
      await expectNoToken(result, home);
      expectNothingSecret(server);
      expect(gateway.agent.stderr).not.toMatch(mintedLine);
    });
  });
});

describe("the real gateway", () => {
  it("takes a proof once", async () => {
    const { redeemed } = await wholeExchange();
    // So that "not minted" below and above means something.
    await expect.poll(() => gateway.agent.stderr).toMatch(mintedLine);
    expect((await post(redeemed)).status).toBe(403);
    expect((await post({ ...redeemed, clientNonce: nonce() })).status).toBe(403);
  });

  it("takes no proof made for the other side, another nonce or another address", async () => {
    const { secret, instanceId } = gateway.record;
    const address = new URL(gateway.url).host;
    for (const change of [
      { role: "gateway" },
      { address: "127.0.0.1:1" },
      { instanceId: "other" },
      { serverNonce: nonce() },
    ] as const) {
      const clientNonce = nonce();
      const { body } = await post({ clientNonce });
      const serverNonce = String(body["serverNonce"]);
      const claims = { role: "client", clientNonce, serverNonce, instanceId, address } as const;
      const proof = proofOf(secret, { ...claims, ...change });
      expect((await post({ clientNonce, serverNonce, proof })).status).toBe(403);
    }
    expect(gateway.agent.stderr).not.toMatch(mintedLine);
  });

  it.each([
    ["Origin", "http://localhost:3000"],
    ["Origin", "https://evil.example"],
    ["Origin", "null"],
    ["Sec-Fetch-Site", "same-origin"],
    ["Sec-Fetch-Mode", "no-cors"],
    ["Sec-Fetch-Dest", "empty"],
    ["Host", "evil.example"],
    ["Host", "localhost.evil.example:3050"],
    ["Forwarded", "for=127.0.0.1"],
    ["X-Forwarded-For", "127.0.0.1"],
    ["X-Forwarded-Host", "localhost"],
    ["X-Forwarded-Proto", "http"],
  ])("begins no exchange with %s: %s", async (name, value) => {
    expect((await post({ clientNonce: nonce() })).status).toBe(200);
    const { status, body } = await post({ clientNonce: nonce() }, { [name]: value });
    expect(status).toBe(403);
    expect(JSON.stringify(body)).not.toMatch(/nonce|proof/iu);
  });
});

describe("a reverse proxy on the same host", () => {
  it.each([
    ["that says so", { "x-forwarded-for": "203.0.113.7" }],
    ["that says so in the words of RFC 7239", { forwarded: "for=203.0.113.7" }],
    ["that says nothing", {}],
    ["that asks in its own name", { host: "127.0.0.1:3050" }],
  ])("%s: no token through it", async (_, headers) => {
    const proxy = await standIn(forwardTo(gateway.url, headers));
    for (const who of [home, other]) {
      for (const more of ["", " --local"]) {
        await expectNoToken(await agent(`auth login --url ${proxy.url}${more}`, who), who);
      }
    }
    expect(proxy.requests.length).toBeGreaterThan(0);
    expectNothingSecret(proxy);
    expect(gateway.agent.stderr).not.toMatch(mintedLine);
  });
});

/** A real other user runs the program, on the owner's folder and on a copy. Needs to be root. */
async function expectStrangerRefused(): Promise<void> {
  const stranger = createStranger();
  try {
    // The door of the folder is open; the file in it is not.
    for (const folder of parentsWithin(home)) chmodSync(folder, 0o755);
    expect(await stranger.agent("--version")).toMatchObject({ code: 0 });
    const state = { XDG_STATE_HOME: dirname(home.stateDir) };
    const closed = await stranger.agent("auth login", state);
    expect(closed.stderr).toContain("cannot be opened (EACCES)");
    expectRefused(closed);
    expectRefused(await stranger.agent(`auth login --url ${gateway.url}`, state));

    // Even when the owner was careless, what another user wrote does not count.
    chmodSync(file(home), 0o644);
    const careless = await stranger.agent("auth login", state);
    expect(careless.stderr).toContain("belongs to another user");
    expectRefused(careless);

    copyFileSync(file(home), join(stranger.folder, "server.json"));
    chmodSync(join(stranger.folder, "server.json"), 0o600);
    mkdirSync(join(stranger.folder, "onedoor"), { mode: 0o700 });
    renameSync(
      join(stranger.folder, "server.json"),
      join(stranger.folder, "onedoor", "server.json"),
    );
    stranger.own();
    const copied = await stranger.agent("auth login", { XDG_STATE_HOME: stranger.folder });
    expect(copied.stderr).toContain("is a copy of a runtime file");
    expectRefused(copied);
    expect((await stranger.agent("auth token")).stdout).toBe("");
    expect(gateway.agent.stderr).not.toMatch(mintedLine);
  } finally {
    stranger.remove();
  }
}

function nonce(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}

interface PostAnswer {
  status: number;
  body: Record<string, unknown>;
}

/** One step of the exchange, by `node:http`, which sends any header as it is told. */
function post(body: object, headers: Readonly<Record<string, string>> = {}): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const sent = sendRequest(
      `${gateway.url}/auth/cli-token`,
      { method: "POST", headers: { "content-type": "application/json", ...headers } },
      (answer) => {
        const read = async (): Promise<PostAnswer> => ({
          status: answer.statusCode ?? 0,
          body: JSON.parse(await text(answer)),
        });
        read().then(resolve, reject);
      },
    );
    sent.once("error", reject);
    sent.end(JSON.stringify(body));
  });
}

/** The exchange as the owner's CLI makes it, with all that an eavesdropper could have seen. */
async function wholeExchange(): Promise<{
  challenge: object;
  redeemed: { clientNonce: string; serverNonce: string; proof: string };
  token: object;
}> {
  const { secret, instanceId } = gateway.record;
  const clientNonce = nonce();
  const challenge = await post({ clientNonce });
  const serverNonce = String(challenge.body["serverNonce"]);
  const address = new URL(gateway.url).host;
  const proof = proofOf(secret, { role: "client", clientNonce, serverNonce, instanceId, address });
  const redeemed = { clientNonce, serverNonce, proof };
  const token = await post(redeemed);
  expect(token).toMatchObject({ status: 200, body: { token_type: "Bearer" } });
  expect(JSON.stringify([challenge, token])).not.toContain(secret);
  return { challenge: challenge.body, redeemed, token: token.body };
}

/** The folders from a home down to the ones the program keeps. */
function parentsWithin({ folder, configDir, stateDir }: Home): string[] {
  const found = new Set([folder]);
  for (const end of [configDir, stateDir]) {
    for (let at = end; at !== folder; at = dirname(at)) found.add(at);
  }
  return [...found];
}
