import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createProxyCredentials } from "../../../src/cli/proxy/proxy-credentials.ts";
import type { ProxyCredentials } from "../../../src/cli/proxy/proxy-credentials.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { OAuthGrant } from "../../../src/oauth/oauth.ts";
import type { ServerOptions } from "../../../src/cli/command.ts";
import { chooseServer } from "../../../src/cli/server-choice.ts";
import { Bench, runtimeRecord } from "../auth/bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.remove();
});

async function start(options: ServerOptions = {}): Promise<ProxyCredentials> {
  const { context, dependencies } = bench;
  const choice = await chooseServer(options, context, dependencies);
  return createProxyCredentials(choice, options, context, dependencies);
}

const elsewhere = "https://mcp.example.com/mcp";
const refreshes = (): (string | undefined)[] =>
  bench.seen.flatMap(({ what, token }) => (what === "refresh" ? [token] : []));

describe("a saved token", () => {
  it("is shown, and read again when it is refused", async () => {
    await bench.save(elsewhere, {}, "od_old");
    const credentials = await start({ url: elsewhere });
    expect(await credentials.bearer()).toBe("od_old");
    await bench.save(elsewhere, {}, "od_new");
    expect(await credentials.another("od_old")).toBe("od_new");
    expect(await credentials.bearer()).toBe("od_new");
  });

  it("that is the same as the refused one is none", async () => {
    await bench.save(elsewhere, {}, "od_old");
    const credentials = await start({ url: elsewhere });
    expect(await credentials.another("od_old")).toBeUndefined();
    expect(credentials.refusal()).toMatchObject({
      code: "auth_rejected",
      hint: "agent auth login --url https://mcp.example.com/mcp",
    });
  });

  it("may come after the start", async () => {
    const credentials = await start({ url: elsewhere });
    expect(await credentials.bearer()).toBeUndefined();
    expect(await credentials.another(undefined)).toBeUndefined();
    expect(credentials.refusal()).toMatchObject({
      code: "auth_required",
      hint: expect.stringContaining("agent auth login --url"),
    });
    await bench.save(elsewhere, {}, "od_new");
    expect(await credentials.another(undefined)).toBe("od_new");
  });

  it("stays that of the server it began with, whatever becomes the default", async () => {
    await bench.save(elsewhere, {}, "od_old");
    const credentials = await start();
    const other = await bench.save("https://other.example.com", {}, "od_other");
    await bench.dependencies.openProfiles(bench.context).choose(other);
    expect(await credentials.another("od_old")).toBeUndefined();
    expect(await credentials.bearer()).toBe("od_old");
  });
});

describe("a token that renews itself", () => {
  const grant: OAuthGrant = {
    type: "authorization_code",
    issuer: "https://auth.example.com",
    tokenEndpoint: "https://auth.example.com/token",
    resource: elsewhere,
    scope: "a",
    client: { id: "c", authentication: "none" },
    refreshToken: "refresh_0",
  };
  const hourMs = 3_600_000;
  const startWith = async (leftMs: number): Promise<ProxyCredentials> => {
    const more = { source: "web", renews: true, expiresAtMs: bench.nowMs + leftMs } as const;
    await bench.save(elsewhere, more, { token: "access_0", oauth: grant });
    return start({ url: elsewhere });
  };

  it("is renewed before a request when it is about to end, each time, and once for many", async () => {
    const credentials = await startWith(hourMs);
    expect(await credentials.bearer()).toBe("access_0");
    bench.nowMs += hourMs - 59_000;
    const both = [credentials.bearer(), credentials.bearer()];
    expect(await Promise.all(both)).toEqual(["renewed_1", "renewed_1"]);
    bench.nowMs += bench.renewedForMs;
    expect(await credentials.bearer()).toBe("renewed_2");
    expect(refreshes()).toEqual(["refresh_0", "refresh_1"]);
  });

  it("is renewed when it is refused, each time that it is", async () => {
    const credentials = await startWith(hourMs);
    expect(await credentials.another("access_0")).toBe("renewed_1");
    bench.nowMs += 1;
    expect(await credentials.another("renewed_1")).toBe("renewed_2");
    expect(await credentials.bearer()).toBe("renewed_2");
    expect(refreshes()).toEqual(["refresh_0", "refresh_1"]);
  });

  it("that cannot be renewed is shown while it is good, and asked for again after a while", async () => {
    const credentials = await startWith(hourMs);
    bench.refusal = new AppError("unreachable", "No");
    bench.nowMs += hourMs - 30_000;
    expect(await credentials.bearer()).toBe("access_0");
    expect(await credentials.bearer()).toBe("access_0");
    expect(refreshes()).toHaveLength(1);
    bench.nowMs += 10_000;
    expect(await credentials.bearer()).toBe("access_0");
    expect(refreshes()).toHaveLength(2);
    bench.nowMs += 20_000;
    await expect(credentials.bearer()).rejects.toMatchObject({ code: "unreachable" });
    bench.refusal = undefined;
    expect(await credentials.bearer()).toBe("renewed_1");
  });

  it("whose sign-in is over says so", async () => {
    const credentials = await startWith(hourMs);
    bench.refusal = new AppError("auth_rejected", "The sign-in is over");
    await expect(credentials.another("access_0")).rejects.toMatchObject({ code: "auth_rejected" });
    expect(credentials.refusal()).toMatchObject({
      code: "auth_rejected",
      message: expect.stringContaining("The sign-in is over"),
      hint: "agent auth login --url https://mcp.example.com/mcp",
    });
  });
});

describe("a token of the command line", () => {
  it("has no other", async () => {
    await bench.save(elsewhere, {}, "od_saved");
    const credentials = await start({ url: elsewhere, token: "od_given" });
    expect(await credentials.another("od_given")).toBeUndefined();
    expect(credentials.refusal().hint).toContain("--token");
  });
});

describe("a local token", () => {
  const local = {
    source: "local",
    instanceId: runtimeRecord.instanceId,
    tokenId: "id-0",
    expiresAtMs: Date.parse("2026-11-22T10:00:00Z"),
  } as const;

  it("is minted again when it is refused, once for all who hear it at once", async () => {
    bench.runGateway();
    await bench.save(runtimeRecord.url, local, "od_local");
    const credentials = await start();
    const both = [credentials.another("od_local"), credentials.another("od_local")];
    expect(await Promise.all(both)).toEqual(["od_minted_1", "od_minted_1"]);
    expect(bench.minted).toBe(1);
    // Who comes late takes what is there.
    expect(await credentials.another("od_local")).toBe("od_minted_1");
    expect(bench.minted).toBe(1);
  });

  it("is looked up later when its gateway does not run at the start", async () => {
    await bench.save(runtimeRecord.url, local, "od_local");
    const credentials = await start();
    await expect(credentials.bearer()).rejects.toMatchObject({ code: "unreachable" });
    bench.runGateway();
    expect(await credentials.bearer()).toBe("od_local");
  });

  it("goes nowhere while its gateway does not run, and again when that is back", async () => {
    bench.runGateway();
    await bench.save(runtimeRecord.url, local, "od_local");
    const credentials = await start();
    bench.runtime = { kind: "absent" };
    await expect(credentials.bearer()).rejects.toMatchObject({
      code: "unreachable",
      hint: "agent serve --background",
    });
    bench.runGateway({ instanceId: "instance-two" });
    await expect(credentials.bearer()).rejects.toMatchObject({ code: "unreachable" });
    bench.runGateway();
    expect(await credentials.bearer()).toBe("od_local");
  });
});
