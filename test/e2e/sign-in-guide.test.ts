import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runAgent } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import {
  browserProgram,
  startProtectedMcpServer,
  startSignInServer,
} from "./support/oauth-servers.ts";

const page = readFileSync(new URL("../../docs/guides/sign-in.md", import.meta.url), "utf8");

test("the client id metadata document of the guide signs people in", async () => {
  const [, text = ""] = /^```json\n(.*?)^```$/msu.exec(page) ?? [];
  const document: { client_id: string } = JSON.parse(text);
  expect(page).toContain(`stands at \`${document.client_id}\``);
  const home = createHome();
  const provider = await startSignInServer({
    people: { registration: false, metadataDocuments: { [document.client_id]: document } },
  });
  const server = await startProtectedMcpServer(provider.issuer);
  const browser = browserProgram(join(home.folder, "browser"));
  const args = ["auth", "login", "--url", server.url, "--web", "--client-id", document.client_id];
  const result = await runAgent(args, { home, env: browser.env });
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toContain("renewed by itself");
  expect(browser.visits().join()).toContain(encodeURIComponent(document.client_id));
  await server.close();
  await provider.stop();
  home.remove();
});

function optionsIn(text: string): Set<string> {
  return new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/gu)].map(([option]) => option));
}

test("every option of the guide is one of the program", async () => {
  const home = createHome();
  const help = await Promise.all(
    ["auth login", "auth status", "auth whoami", "auth switch", "auth logout", "auth refresh"].map(
      async (command) => (await runAgent([...command.split(" "), "--help"], { home })).stdout,
    ),
  );
  const known = optionsIn(help.join("\n"));
  expect([...optionsIn(page)].filter((option) => !known.has(option))).toEqual([]);
  expect(known).not.toContain("--client");
  home.remove();
});
