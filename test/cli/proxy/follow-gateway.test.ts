import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFollowingHttp } from "../../../src/cli/proxy/authorized-http.ts";
import { followGateway } from "../../../src/cli/proxy/follow-gateway.ts";
import type { FollowedServer } from "../../../src/cli/proxy/follow-gateway.ts";
import type { ServerOptions } from "../../../src/cli/command.ts";
import { chooseServer } from "../../../src/cli/server-choice.ts";
import type { SendHttp } from "../../../src/mcp-client/transport.ts";
import { Bench, runtimeRecord } from "../auth/bench.ts";

let bench: Bench;
let moved: string[];
beforeEach(() => {
  bench = new Bench();
  moved = [];
});
afterEach(() => {
  bench.remove();
});

async function start(options: ServerOptions = {}): Promise<FollowedServer> {
  const { context, dependencies } = bench;
  const first = await chooseServer(options, context, dependencies);
  return followGateway(first, options, context, dependencies, (choice) => {
    moved.push(originOf(choice));
  });
}

const elsewhere = "http://127.0.0.1:4060";
/** As it is shown, without the path. */
const originOf = ({ endpoint }: { endpoint: string }): string => new URL(endpoint).origin;
const local = {
  source: "local",
  instanceId: runtimeRecord.instanceId,
  tokenId: "id-0",
  expiresAtMs: Date.parse("2026-11-22T10:00:00Z"),
} as const;

/** What each request through it shows, and where it goes. */
function sending(followed: FollowedServer): (url: string) => Promise<string[]> {
  const seen: string[] = [];
  const send = createFollowingHttp(followed, ({ credentials }): SendHttp => async (request) => {
    seen.push(`${request.url.href} ${(await credentials.bearer()) ?? "-"}`);
    return { status: 200, headers: {}, body: (async function* () {})() };
  });
  return async (url) => {
    const { signal } = new AbortController();
    await send({ method: "POST", url: new URL(url), headers: {}, body: "{}", signal });
    return seen;
  };
}

describe("the running gateway", () => {
  it("is found anew at another port, and told once for all who ask", async () => {
    bench.runGateway();
    const followed = await start();
    bench.runGateway({ url: elsewhere });
    const found = await Promise.all([followed.find(), followed.find()]);
    expect(found.map(({ choice }) => originOf(choice))).toEqual([elsewhere, elsewhere]);
    expect(moved).toEqual([elsewhere]);
    expect(originOf(followed.current.choice)).toBe(elsewhere);
  });

  it("stays where it was while none runs", async () => {
    bench.runGateway();
    const followed = await start();
    bench.runtime = { kind: "absent" };
    expect(originOf((await followed.find()).choice)).toBe(runtimeRecord.url);
    expect(moved).toEqual([]);
  });

  it("gets at its new address what is saved for that one, never the token of the old", async () => {
    bench.runGateway();
    await bench.save(runtimeRecord.url, local, "od_old");
    const followed = await start();
    const request = sending(followed);
    bench.runGateway({ url: elsewhere });
    await request(`${runtimeRecord.url}/mcp?a=1`);
    await bench.save(elsewhere, local, "od_new");
    await followed.current.credentials.another(undefined);
    expect(await request(`${runtimeRecord.url}/mcp`)).toEqual([
      `${elsewhere}/mcp?a=1 -`,
      `${elsewhere}/mcp od_new`,
    ]);
  });

  it("that was away at the start and is known by its saved profile is followed too", async () => {
    await bench.save(runtimeRecord.url, local, "od_old");
    const followed = await start();
    bench.runGateway({ url: elsewhere });
    await followed.find();
    expect(moved).toEqual([elsewhere]);
  });
});

describe("a server that was named", () => {
  it.each(["--url", "ONEDOOR_URL"])("by %s stays where it is", async (how) => {
    bench.runGateway();
    if (how === "ONEDOOR_URL") bench.variables = { ONEDOOR_URL: runtimeRecord.url };
    const followed = await start(how === "--url" ? { url: runtimeRecord.url } : {});
    const request = sending(followed);
    bench.runGateway({ url: elsewhere });
    expect(await request(`${runtimeRecord.url}/mcp`)).toEqual([`${runtimeRecord.url}/mcp -`]);
    expect(moved).toEqual([]);
  });

  it("elsewhere, by its profile, is not this user's gateway", async () => {
    await bench.save("https://mcp.example.com", {}, "od_there");
    const followed = await start();
    bench.runGateway();
    const { choice } = await followed.find();
    expect(choice.endpoint).toBe("https://mcp.example.com/");
  });
});
