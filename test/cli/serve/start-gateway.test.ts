import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { startGateway } from "../../../src/cli/serve/start-gateway.ts";
import type { GatewayProcess } from "../../../src/cli/serve/start-gateway.ts";
import type { Configuration } from "../../../src/core/configuration.ts";
import { AppError } from "../../../src/core/errors.ts";
import { isProcessAlive } from "../../../src/runtime/process-start.ts";
import { startStorageThread } from "../../../src/storage/sqlite/storage-worker.ts";
import type { StorageThread } from "../../../src/storage/sqlite/storage-worker.ts";
import { createDeferred } from "../../../src/upstream/deferred.ts";
import { serverConfiguration, silentLogger } from "../../gateway/fakes.ts";
import { ask, testConfiguration } from "../../http/support.ts";
import { useStoragePlace } from "../../storage/support/storage-place.ts";

const place = useStoragePlace();
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A port that nobody held a moment ago, or one that is held until the test ends. */
const somePort = async ({ held }: { held: boolean }): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
  const { port } = server.address() as AddressInfo;
  const release = (): Promise<unknown> => new Promise((resolve) => void server.close(resolve));
  if (held) ends.push(release);
  else await release();
  return port;
};

/** Writes the file as soon as it runs, and runs until its standard input is closed. */
const leavesTrace = (file: string): Configuration["servers"] => {
  const script = `require("fs").writeFileSync(${JSON.stringify(file)}, String(process.pid)); process.stdin.resume()`;
  const server = serverConfiguration("trace", { command: process.execPath, args: ["-e", script] });
  return new Map([["trace", server]]);
};

const start = (
  configuration: Partial<Configuration>,
  thread: StorageThread = startStorageThread(place.bundle.url),
): Promise<GatewayProcess> =>
  startGateway({
    configuration: { ...testConfiguration, ...configuration },
    file: join(place.state, "mcp.json"),
    stateDir: place.state,
    development: false,
    logger: silentLogger,
    thread,
    configurationStatus: () => {
      throw new Error("not in this test");
    },
    keptSecrets: () => Promise.resolve([]),
  });

/** Opens the database, and then reads nothing from it until it is told how to go on. */
const slowThread = (goOn: Promise<"it works" | "it fails">): StorageThread => {
  const thread = startStorageThread(place.bundle.url);
  return {
    async open(...how) {
      const worker = await thread.open(...how);
      return {
        ...worker,
        async begin() {
          if ((await goOn) === "it works") return worker.begin();
          throw new AppError("store_unavailable", "The disk is gone");
        },
      };
    },
  };
};

it("listens and starts its servers before the rest is there: that it lives is told, all else waits", async () => {
  const port = await somePort({ held: false });
  const trace = join(place.state, "trace");
  const goOn = createDeferred<"it works">();
  const starting = start({ port, servers: leavesTrace(trace) }, slowThread(goOn.promise));
  await expect.poll(() => existsSync(trace), { timeout: 10_000 }).toBe(true);
  expect((await ask(port, "/health")).json).toEqual({ status: "ok" });
  let status: number | undefined;
  const answer = ask(port, "/status").then((told) => (status = told.status));
  for (let time = 0; time < 3; time++) await ask(port, "/health/live");
  expect([status, existsSync(join(place.state, "server.json"))]).toEqual([undefined, false]);
  goOn.resolve("it works");
  const gateway = await starting;
  expect(await answer).toBe(200);
  await gateway.close();
  await expect(ask(port, "/health")).rejects.toThrow("ECONNREFUSED");
});

it("leaves nothing when a part of it fails: who waits is told, port, servers and directory are given back", async () => {
  const port = await somePort({ held: false });
  const trace = join(place.state, "trace");
  const goOn = createDeferred<"it fails">();
  const starting = start({ port, servers: leavesTrace(trace) }, slowThread(goOn.promise));
  const failure = starting.catch((error: unknown) => error);
  await expect.poll(() => existsSync(trace), { timeout: 10_000 }).toBe(true);
  const pid = Number(readFileSync(trace, "utf8"));
  const answer = ask(port, "/status");
  await ask(port, "/health");
  goOn.resolve("it fails");
  expect(await failure).toMatchObject({ code: "store_unavailable" });
  expect(await answer).toMatchObject({
    status: 503,
    json: { error: { message: "The gateway is stopping" } },
  });
  await expect(ask(port, "/health")).rejects.toThrow("ECONNREFUSED");
  await expect.poll(() => isProcessAlive(pid)).toBe(false);
  await (await start({ port })).close();
});

it("leaves nothing either when a file of its own cannot be loaded, as while it is installed anew", async () => {
  const port = await somePort({ held: false });
  const trace = join(place.state, "trace");
  vi.doMock("../../../src/cli/serve/compose-gateway.ts", () => {
    throw new Error("there is no such file");
  });
  ends.push(() => vi.doUnmock("../../../src/cli/serve/compose-gateway.ts"));
  await expect(start({ port, servers: leavesTrace(trace) })).rejects.toThrow("mocking a module");
  await expect(ask(port, "/health")).rejects.toThrow("ECONNREFUSED");
  const isLeft = (): boolean =>
    existsSync(trace) && isProcessAlive(Number(readFileSync(trace, "utf8")));
  await expect.poll(isLeft).toBe(false);
  vi.doUnmock("../../../src/cli/serve/compose-gateway.ts");
  await (await start({ port })).close();
});

it("starts no server when the port is taken, and gives the directory back", async () => {
  const port = await somePort({ held: true });
  const trace = join(place.state, "trace");
  await expect(start({ port, servers: leavesTrace(trace) })).rejects.toMatchObject({
    code: "config_invalid",
    message: `Port ${port} is in use`,
  });
  await (await start({})).close();
  expect(existsSync(trace)).toBe(false);
});

it("says that another gateway runs before it says that its port is taken", async () => {
  const port = await somePort({ held: false });
  const gateway = await start({ port });
  await expect(start({ port })).rejects.toMatchObject({
    code: "config_invalid",
    message: `Another gateway owns ${place.state}`,
  });
  expect((await ask(port, "/health")).status).toBe(200);
  await gateway.close();
});
