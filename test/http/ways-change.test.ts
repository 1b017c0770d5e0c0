import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf, goodToken } from "../gateway/fakes.ts";
import { doorWith, tokenWay } from "./doors.ts";
import { ask, good, startTestServer } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

const localWay = { type: "local", description: "On this machine" } as const;

describe("POST /auth/cli-token", () => {
  it("gives tokens for everything while local is on, whatever was on at the start", async () => {
    const door = doorWith(tokenWay);
    const { gateway } = gatewayOf([fakeUpstream("one")], { door });
    const challenge = { serverNonce: "nonce", instanceId: "instance-1", proof: "proof" };
    server = await startTestServer({
      gateway,
      exchange: { challenge: () => challenge, redeem: () => Promise.reject(new Error("no")) },
    });
    const status = async (body: object) =>
      (await ask(server.port, "/auth/cli-token", { body })).status;
    const body = { clientNonce: "x" };
    const administration = { ...body, purpose: "administration" };
    expect([await status(body), await status(administration)]).toEqual([403, 200]);
    door.ways = [localWay, tokenWay];
    expect([await status(body), await status(administration)]).toEqual([200, 200]);
    door.ways = [tokenWay];
    expect([await status(body), await status(administration)]).toEqual([403, 200]);
  });
});

/** A gateway that makes no tokens itself, and who is asked to end those of others. */
async function start(revoke: (bearer: string) => Promise<boolean>) {
  const asked: string[] = [];
  /** By which answers of the door it is known who that is. */
  const answers: string[] = [];
  const { gateway } = gatewayOf([fakeUpstream("one")], { door: doorWith(tokenWay) });
  server = await startTestServer({
    gateway,
    mint: {
      mintCliToken: () => Promise.reject(new Error("not in this test")),
      revokeByBearer: () => Promise.resolve(false),
    },
    door: {
      revoke: (bearer, { kind }) => {
        asked.push(bearer);
        answers.push(kind);
        return revoke(bearer);
      },
    },
  });
  const logout = (headers: Record<string, string>) =>
    ask(server.port, "/auth/logout", { method: "POST", headers });
  return { asked, answers, logout };
}

describe("POST /auth/logout of a token that was made elsewhere", () => {
  it.each([true, false])("ends it there, or says that it cannot: %s", async (isEnded) => {
    const { asked, answers, logout } = await start(() => Promise.resolve(isEnded));
    const answer = await logout(good);
    expect([answer.status, answer.json]).toEqual([200, { revoked: isEnded }]);
    expect(asked).toEqual([goodToken]);
    expect(answers).toEqual(["accepted"]);
  });

  it("also of one that is good for too little", async () => {
    const { asked, logout } = await start(() => Promise.resolve(true));
    const answer = await logout({ authorization: "Bearer narrow-token" });
    expect([answer.status, answer.json]).toEqual([200, { revoked: true }]);
    expect(asked).toEqual(["narrow-token"]);
  });

  it.each<[string, Record<string, string>, number]>([
    ["none", {}, 401],
    ["one that is not good", { authorization: "Bearer wrong-token" }, 401],
    ["one that cannot be judged", { authorization: "Bearer down-token" }, 503],
  ])("asks nobody for %s", async (_name, headers, status) => {
    const { asked, logout } = await start(() => Promise.resolve(true));
    expect((await logout(headers)).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it("is 503 while who made it does not answer", async () => {
    const { logout } = await start(() =>
      Promise.reject(new AppError("unreachable", "The auth server does not answer")),
    );
    expect((await logout(good)).status).toBe(503);
  });
});

it("GET /auth/status tells the email address, where it is known", async () => {
  const door = doorWith(tokenWay);
  const authenticate = door.authenticate.bind(door);
  door.authenticate = async (credentials) => {
    const answer = await authenticate(credentials);
    if (answer.kind !== "accepted") return answer;
    return { kind: "accepted", principal: { ...answer.principal, email: "ada@example.com" } };
  };
  server = await startTestServer({ gateway: gatewayOf([fakeUpstream("one")], { door }).gateway });
  const answer = await ask(server.port, "/auth/status", { headers: good });
  expect(answer.json).toMatchObject({
    authenticated: true,
    user: { id: "ada", name: "Ada", email: "ada@example.com" },
  });
});
