import { readFileSync } from "node:fs";
import { request } from "node:https";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

// Contract §4: the proof of the local owner is always enough on the gateway's own machine.

const bob = "bob@example.com";
const phrase = "correct horse battery";

/** One of this machine's addresses that others reach, or all of them. */
const ownAddress =
  Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry !== undefined && !entry.internal && entry.family === "IPv4")?.address ??
  "::";

let home: Home;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await agent(["serve", "--stop"]);
  home.remove();
});

function agent(args: readonly string[], text?: string): Promise<AgentResult> {
  return runAgent(args, { home, ...(text === undefined ? {} : { stdin: { text } }) });
}
/** @throws when it fails */
async function done(...args: readonly string[]): Promise<string> {
  const result = await agent(args);
  expect({ args, ...result }).toMatchObject({ code: 0 });
  return result.stdout;
}
const log = (): string => readFileSync(join(home.stateDir, "gateway.log"), "utf8");

/** `POST /auth/login`, to an address under a name that the gateway is called by. */
function login(url: string, ca: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const headers = { host: "localhost", "content-type": "application/json" };
    const options = { method: "POST", ca, checkServerIdentity: anyName, headers, agent: false };
    request(`${url}/auth/login`, options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
    })
      .on("error", reject)
      .end(JSON.stringify({ email: bob, password: phrase }));
  });
}
const anyName = (): undefined => undefined;

it.each([...new Set(["0.0.0.0", "::", ownAddress])])(
  "with tls on %s, the owner makes the first user, who signs in from elsewhere",
  async (host) => {
    const { certFile, keyFile, cert } = makeCertificate({ folder: home.folder });
    home.writeConfiguration({
      host,
      tls: { cert: certFile, key: keyFile },
      auth: [{ type: "simple" }],
    });
    await done("serve", "--background", "--port", "0");
    const status = JSON.parse(await done("serve", "--status", "--json"));
    expect(status).toMatchObject({ running: true });
    expect(status.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/u);
    await done("org", "add", "acme");
    await done("user", "add", bob);
    await done("member", "set", bob, "acme", "editor");
    const passwd = await agent(["user", "passwd", bob], `${phrase}\n`);
    expect(passwd).toMatchObject({ code: 0 });
    const { port } = new URL(status.url);
    const outside = ownAddress.includes(":") ? `[::1]` : ownAddress;
    const answer = await login(`https://${outside}:${port}`, cert);
    expect(answer).toMatchObject({ status: 200, body: { token_type: "bearer" } });
    const shown = host.includes(":") ? `[${host}]` : host;
    expect(log()).toContain(
      `Listening on https://${shown}:${port} and, for the commands of this machine, ${status.url}`,
    );
    await done("serve", "--stop");
    expect((await agent(["serve", "--status"])).code).toBe(3);
  },
);

it.each([...new Set(["0.0.0.0", ownAddress])])(
  "without tls on %s, every command of the machine finds the gateway",
  async (host) => {
    home.writeConfiguration({ host, auth: [{ type: "local" }] });
    await done("serve", "--background", "--port", "0", "--insecure-http");
    const { url } = JSON.parse(await done("serve", "--status", "--json"));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u);
    await done("auth", "login", "--local");
    await done("auth", "status");
    await done("token", "create", "--name", "ci");
    await done("user", "add", bob);
  },
);
