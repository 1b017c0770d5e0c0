import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a file loads before anything is asked of it, itself or through what it imports. */
async function loadedBy(file: string): Promise<{ files: string[]; packages: string[] }> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: target, kind, external } of metafile.inputs[path]?.imports ?? []) {
      if (kind !== "import-statement") continue;
      if (external === true) packages.add(target);
      else visit(target);
    }
  };
  visit(file);
  return {
    files: [...seen],
    packages: [...packages].filter((name) => !name.startsWith("node:")),
  };
}

async function eagerPackages(file: string): Promise<string[]> {
  return (await loadedBy(file)).packages;
}

test("the way to a gateway loads nothing but Node itself; the way to an MCP server is lazy", async () => {
  expect(await eagerPackages("src/client/connect-tool-server.ts")).toEqual([]);
  expect(await eagerPackages("src/client/probe-authentication.ts")).toEqual([]);
  // The check can fail: what is lazy there does load packages. Neither an SDK nor undici is one of them.
  expect((await eagerPackages("src/client/mcp-tool-server.ts")).toSorted()).toEqual([
    "ajv",
    "ajv/dist/2020.js",
    "eventsource-parser",
  ]);
});

test("what speaks to proxies is loaded for a question that goes through one", async () => {
  expect(await eagerPackages("src/client/http-json.ts")).toEqual([]);
  expect(await eagerPackages("src/cli/choose-network.ts")).toEqual([]);
  expect(await eagerPackages("src/client/proxied-http.ts")).toEqual(["undici"]);
});

test.each(["inspect", "run", "instructions", "wait", "org", "token", "audit", "history"])(
  "agent %s loads no package eagerly",
  async (name) => {
    expect(await eagerPackages(`src/cli/commands/${name}.ts`)).toEqual([]);
  },
);

/** What only a sign-in needs, or who goes through proxies and trusts others: OAuth but its types and its challenge. */
const ofFew =
  /^src\/(?:oauth\/(?!oauth\.ts|bearer-challenge\.ts)|cli\/sign-in\/(?:web|password)\/|client\/(?:proxied-http|authorities|ask-oauth|session-login|mcp-connection)\.ts)/u;

test.each(["login", "logout", "refresh", "status", "switch", "token", "whoami"])(
  "agent auth %s loads no package eagerly, and nothing of a way to sign in",
  async (name) => {
    const { files, packages } = await loadedBy(`src/cli/commands/auth/${name}.ts`);
    expect(packages).toEqual([]);
    expect(files.filter((file) => ofFew.test(file))).toEqual([]);
  },
);

test("what belongs to a way to sign in is recognised", async () => {
  const { files, packages } = await loadedBy("src/cli/sign-in/web/sign-in-by-web.ts");
  expect(packages).toContain("oauth4webapi");
  expect(files.filter((file) => ofFew.test(file))).toEqual(
    expect.arrayContaining([
      "src/cli/sign-in/web/callback-listener.ts",
      "src/cli/sign-in/web/open-browser.ts",
      "src/oauth/choose-client.ts",
    ]),
  );
});
