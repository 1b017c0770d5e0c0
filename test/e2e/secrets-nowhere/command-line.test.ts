import { expect, test } from "vitest";
import { sendJson, startFakeServer } from "../../client/support/fake-server.ts";
import { startAgent } from "../support/agent.ts";
import { createHome } from "../support/home.ts";
import { commandLineOf } from "./watch-processes.ts";

const token = "given-token-of-the-tests-22222222";

test("--token is gone from the command line before the first request", async () => {
  const home = createHome();
  const pids: number[] = [];
  const seen: string[] = [];
  const server = await startFakeServer((_, response) => {
    for (const pid of pids) seen.push(commandLineOf(pid)?.toString("latin1") ?? "gone");
    sendJson(response, 401, {});
  });
  for (const form of [["--token", token], [`--token=${token}`], ["-t", token]]) {
    const running = startAgent(["auth", "whoami", "--url", server.url, ...form], { home });
    pids.push(running.pid);
    await running.ended;
    pids.pop();
  }
  await server.close();
  home.remove();
  expect(seen.length).toBeGreaterThanOrEqual(3);
  expect(seen.filter((line) => line.includes(token))).toEqual([]);
});
