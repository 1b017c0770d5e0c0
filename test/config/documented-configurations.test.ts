import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readEnvironment } from "../../src/config/environment.ts";
import { authenticationTypes } from "../../src/core/principal.ts";
import { commandTable } from "../../src/cli/table.ts";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import type { MadeCertificate } from "../fixtures/make-certificate.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { paths, load } = useConfigurationFolder();

let made: MadeCertificate;
beforeAll(() => {
  made = makeCertificate();
});
afterAll(() => rmSync(dirname(made.certFile), { recursive: true }));

/** What the environment of a reader would hold. */
const values: Readonly<Record<string, string>> = {
  SUPABASE_ANON_KEY: "sb_publishable_abcdefghijklmnop",
};

function read(page: string): string {
  return readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
}

/** The blocks of one kind, each with the line it begins at. */
function blocks(page: string, kind: string): [line: number, block: string][] {
  const text = read(page);
  return [...text.matchAll(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\`$`, "gmsu"))].map((match) => [
    text.slice(0, match.index).split("\n").length + 1,
    match[1] ?? "",
  ]);
}

const documented = ["authentication.md", "configuration.md"].flatMap((page) =>
  blocks(page, "jsonc").map(([line, block]): [string, number, string] => [page, line, block]),
);

test("there is one for each way to sign in", () => {
  const types = blocks("authentication.md", "jsonc").flatMap(([, block]) =>
    [...block.matchAll(/"type": "(\w+)"/gu)].map(([, type]) => type),
  );
  expect(new Set(types)).toEqual(new Set(authenticationTypes));
});

test.each(documented)(
  "%s:%i is a good configuration, without a doubt",
  async (_page, _line, block) => {
    mkdirSync(join(paths.folder, "tls"));
    writeFileSync(join(paths.folder, "tls", "cert.pem"), made.cert);
    writeFileSync(join(paths.folder, "tls", "key.pem"), made.key, { mode: 0o600 });
    const names = [...block.matchAll(/\$\{(\w+)\}/gu)].flatMap(([, name = ""]) => name);
    const environment = readEnvironment(
      Object.fromEntries(
        names.map((name) => [name, values[name] ?? `value-of-${name}`.padEnd(32, "x")]),
      ),
    );
    const doubts: string[] = [];
    await load(block, { environment, onDoubt: (doubt) => doubts.push(doubt) });
    expect(doubts).toEqual([]);
  },
);

describe("the commands that go with them", () => {
  const commands = blocks("authentication.md", "console").flatMap(([, block]) =>
    [...block.matchAll(/^\$ .*?\bagent ((?:[a-z]+ ?)+)/gmu)].map(([, words = ""]) => words.trim()),
  );

  test("are some", () => {
    expect(commands.length).toBeGreaterThan(10);
  });

  test.each(commands)("agent %s is one", (words) => {
    const known = commandTable.map(({ path }) => path.join(" "));
    expect(known.filter((path) => `${words} `.startsWith(`${path} `))).not.toEqual([]);
  });
});
