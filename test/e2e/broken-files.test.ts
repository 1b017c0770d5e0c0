import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAgent } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
let gateway: RunningGateway | undefined;

beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  home.remove();
});

describe("a database that is none", () => {
  it("is reported and set aside with its content; the gateway starts and mints", async () => {
    mkdirSync(home.stateDir, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.stateDir, "onedoor.db"), "this is no database\n".repeat(500), {
      mode: 0o600,
    });
    gateway = await startGateway(home);
    const aside = readdirSync(home.stateDir).find((name) => name.includes(".corrupt-")) ?? "";
    expect(gateway.agent.stderr).toContain(aside);
    expect(readFileSync(join(home.stateDir, aside), "utf8")).toContain("this is no database");
    expect(statSync(join(home.stateDir, aside)).mode & 0o777).toBe(0o600);
    expect(await runAgent(["auth", "login"], { home })).toMatchObject({ code: 0 });
    expect(await runAgent(["auth", "status"], { home })).toMatchObject({ code: 0 });
  });

  it("is found inside a file that only begins like one", async () => {
    gateway = await startGateway(home);
    await runAgent(["auth", "login"], { home });
    await gateway.stop();
    const file = join(home.stateDir, "onedoor.db");
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 512);
    writeFileSync(file, bytes);
    gateway = await startGateway(home);
    expect(gateway.agent.stderr).toMatch(/onedoor\.db\.corrupt-/u);
    expect(await runAgent(["auth", "login"], { home })).toMatchObject({ code: 0 });
  });
});

describe("a configuration that others may write", () => {
  it.each([
    ["its group", 0o620],
    ["others", 0o602],
    ["anybody", 0o666],
  ])("%s: refused, exit 2, nothing starts", async (_, mode) => {
    const file = home.writeConfiguration({});
    chmodSync(file, mode);
    const { code, stdout, stderr } = await runAgent(["serve", "--port", "0"], { home });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(file);
    expect(stderr).toContain("chmod");
    expect(readdirSync(home.folder)).not.toContain(".local");
  });
});
