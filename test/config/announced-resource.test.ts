import { expect, test } from "vitest";
import type { LoadOptions } from "../../src/config/load-configuration.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { paths, load } = useConfigurationFolder();

const issuer = "https://id.example.com";
const oauth = (audience: string | string[]): object => ({
  type: "oauth",
  options: { issuer, audience, role: "viewer" },
});

async function doubtsOf(
  written: object,
  overrides: LoadOptions["overrides"] = {},
): Promise<string[]> {
  const doubts: string[] = [];
  await load(written, { overrides, onDoubt: (doubt) => doubts.push(doubt) });
  return doubts.map((doubt) => doubt.replace(paths.file, "FILE"));
}

const refused = (line: number, place: string, resource: string): string =>
  `FILE:${line}: ${place}.options.audience: clients are told to ask for tokens for ${resource}, which would be refused: write it into audience, unless the issuer names another`;

test("an audience without the announced resource is doubted", async () => {
  const externalUrl = "https://gate.example.com";
  expect(await doubtsOf({ externalUrl, auth: oauth("onedoor") })).toEqual([
    refused(7, "auth", "https://gate.example.com/mcp"),
  ]);
});

test("also where it is asked for each token, in a list, below a folder, from the command line", async () => {
  const introspection = { clientId: "gate", clientSecret: "of-the-gateway" };
  const options = {
    issuer,
    audience: ["https://gate.example.com/mcp"],
    role: "viewer",
    introspection,
  };
  const written = { auth: [{ type: "local" }, { type: "oauth", options }] };
  const overrides = { externalUrl: "https://GATE.example.com/one/" };
  expect(await doubtsOf(written, overrides)).toEqual([
    refused(10, "auth[1]", "https://gate.example.com/one/mcp"),
  ]);
});

test.each<[written: object]>([
  [{ externalUrl: "https://gate.example.com/", auth: oauth("https://gate.example.com/mcp") }],
  [{ externalUrl: "https://gate.example.com", auth: oauth(["x", "https://gate.example.com/mcp"]) }],
  // What it is reached under is not known.
  [{ auth: oauth("onedoor") }],
  // Nobody is sent anywhere.
  [
    {
      externalUrl: "https://gate.example.com",
      auth: { type: "jwt", options: { issuer, audience: "onedoor", role: "viewer" } },
    },
  ],
])("%j is not", async (written) => {
  expect(await doubtsOf(written)).toEqual([]);
});
