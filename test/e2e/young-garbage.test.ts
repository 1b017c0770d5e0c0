// What a call makes is garbage when it is answered, and young collections, which are cheap, are to find it. V8 keeps
// some of what is written in JavaScript in old space from the beginning (the accessors of an object literal), or lets what
// died there point to what came later (a Set with constant coming and going): whole calls then survive, 8 kB each.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { authorization, everythingOn } from "../bench/gateway.mjs";
import { createHttpClient } from "../bench/http-client.mjs";
import { createEcho, openSession } from "../bench/mcp-clients.mjs";
import { manyAtOnce } from "../bench/pace.mjs";
import { plainTool, startPlainUpstream } from "../bench/plain-upstream.mjs";
import { mainFile } from "./support/agent.ts";
import { createHome } from "./support/home.ts";

const calls = 4_000;
/** Beyond the audit rows that wait to be written. */
const mostKeptOfCall = 2_500;

test("calls do not survive young collections", { timeout: 60_000 }, async () => {
  const home = createHome();
  const upstream = await startPlainUpstream();
  home.writeConfiguration({ ...everythingOn, mcpServers: upstream.mcpServers(1, 10) });
  const gateway = spawn(process.execPath, ["--trace-gc-nvp", mainFile, "serve", "--port", "0"], {
    env: home.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let collections = "";
  let log = "";
  gateway.stdout.setEncoding("utf8").on("data", (text: string) => (collections += text));
  gateway.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = once(gateway, "close");
  const said = async (what: RegExp): Promise<string> => {
    await expect.poll(() => log, { timeout: 20_000 }).toMatch(what);
    return what.exec(log)?.[1] ?? "";
  };
  try {
    const client = createHttpClient(Number(await said(/Listening on http:\/\/[\d.]+:(\d+)/u)));
    await said(/(Upstream ready)/u);
    const ask = await openSession(client, { authorization });
    const call = createEcho(ask, { ...plainTool, name: `plain0__${plainTool.name}` });
    // Until then code is compiled, and the room for young objects grows.
    await manyAtOnce(call, { count: calls, atOnce: 16 });
    collections = "";
    await manyAtOnce(call, { count: calls, atOnce: 16 });
    const promoted = [...collections.matchAll(/ gc=s .* promoted=(\d+)/gu)].map(([, bytes]) =>
      Number(bytes),
    );
    expect(promoted.length).toBeGreaterThan(3);
    expect(promoted.reduce((sum, bytes) => sum + bytes, 0) / calls).toBeLessThan(mostKeptOfCall);
    client.stop();
  } finally {
    gateway.kill("SIGTERM");
    await ended;
    await upstream.stop();
    home.remove();
  }
});
