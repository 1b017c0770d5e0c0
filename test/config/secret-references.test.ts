import { describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { configuredSecrets } from "../../src/core/configured-secrets.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { load, problem } = useConfigurationFolder();

/** A key ring of the test, and what it was asked. */
function ring(kept: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const readSecret = (name: string): Promise<string | undefined> => {
    asked.push(name);
    return Promise.resolve(kept[name]);
  };
  return { asked, readSecret };
}

const written = {
  mcpServers: {
    github: {
      command: "x",
      args: ["--key=${secret:github/KEY}"],
      env: { TOKEN: "${secret:github/TOKEN}", MODE: "${KEY}" },
    },
    web: {
      url: "https://example.com/mcp?key=${secret:web/KEY}",
      headers: { Authorization: "Bearer ${secret:github/TOKEN}" },
    },
    plain: { command: "x" },
  },
};
const kept = { "github/TOKEN": "tok ${KEY} $&", "github/KEY": "key-12345", "web/KEY": "web-12345" };

test("fills each reference, asks once for each name, and searches nothing that was filled in", async () => {
  const { asked, readSecret } = ring(kept);
  const { servers, writtenServers } = await load(written, { readSecret });
  expect(servers.get("github")).toMatchObject({
    args: ["--key=key-12345"],
    env: { TOKEN: "tok ${KEY} $&", MODE: "k-1" },
  });
  expect(servers.get("web")).toMatchObject({
    url: "https://example.com/mcp?key=web-12345",
    headers: { Authorization: "Bearer tok ${KEY} $&" },
  });
  expect(asked).toEqual(["github/KEY", "github/TOKEN", "web/KEY"]);
  expect(writtenServers.get("github")).toEqual(written.mcpServers.github);
});

test("what was filled in counts as a secret of its server, wherever it stands", async () => {
  const { servers } = await load(written, { readSecret: ring(kept).readSecret });
  const of = (name: string) =>
    configuredSecrets([...servers.values()].filter((s) => s.name === name));
  expect(of("github")).toEqual(["tok ${KEY} $&", "key-12345"]);
  expect(of("web")).toEqual(expect.arrayContaining(["web-12345", "tok ${KEY} $&"]));
  expect(servers.get("plain")).not.toHaveProperty("secrets");
});

test("asks nobody where nothing is named", async () => {
  const { asked, readSecret } = ring({});
  const entry = { command: "x", args: ["${KEY}", "$secret", "{secret:a}"] };
  await load({ mcpServers: { a: entry } }, { readSecret });
  expect(asked).toEqual([]);
});

test("a disabled server lacks nothing, and nobody is asked for it", async () => {
  const { asked, readSecret } = ring({});
  const { servers } = await load(
    {
      mcpServers: {
        off: { command: "x", env: { A: "${NOT_SET}", B: "${secret:off/B}" }, disabled: true },
        far: { url: "${NOT_SET}/sse", headers: { A: "${KEY}" }, disabled: true },
      },
    },
    { readSecret },
  );
  expect(servers.get("off")).toMatchObject({
    disabled: true,
    env: { A: "${NOT_SET}", B: "${secret:off/B}" },
  });
  expect(servers.get("far")).toMatchObject({ url: "${NOT_SET}/sse", headers: { A: "k-1" } });
  expect(asked).toEqual([]);
});

test("a disabled server whose entry is wrong is still a problem, and so is what lacks beside it", async () => {
  const { readSecret } = ring({});
  await expect(
    load({ mcpServers: { far: { url: "nowhere", disabled: true } } }, { readSecret }),
  ).rejects.toMatchObject({ code: "config_invalid" });
  await expect(
    load(
      { mcpServers: { off: { command: "x", disabled: true }, on: { command: "${NOT_SET}" } } },
      { readSecret },
    ),
  ).rejects.toMatchObject({ problems: [{ unsetVariable: "NOT_SET" }] });
});

const one = (value: string) => ({
  mcpServers: { github: { command: "x", env: { TOKEN: value } } },
});

describe("a problem", () => {
  test("a secret that is not there: its key, and the command that keeps it", async () => {
    const { readSecret } = ring({});
    expect(await problem(one("${secret:github/TOKEN}"), { readSecret })).toEqual([
      "FILE:6: mcpServers.github.env.TOKEN: the secret github/TOKEN is not kept on this machine",
      "agent mcp add github --env TOKEN --replace",
    ]);
  });

  test.each(["${secret:}", "${secret:a b}", "${secret:/a}", "${secret:a:-default}"])(
    "%s is no name, and nobody is asked for it",
    async (value) => {
      const { asked, readSecret } = ring({});
      const [message] = await problem(one(value), { readSecret });
      expect(message).toBe("FILE:6: mcpServers.github.env.TOKEN: ${secret:…} names no secret");
      expect(asked).toEqual([]);
    },
  );

  test("a key ring that cannot be read is told with the place, as what it is", async () => {
    const failure = new AppError("store_unavailable", "The secret x cannot be read: it is locked", {
      hint: "unlock it",
    });
    const readSecret = () => Promise.reject(failure);
    await expect(load(one("${secret:github/TOKEN}"), { readSecret })).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringMatching(
        /mcp\.json:6: mcpServers\.github\.env\.TOKEN: The secret x cannot be read: it is locked$/u,
      ),
      hint: "unlock it",
    });
  });

  test("without a key ring at hand it is as with a variable that is set elsewhere", async () => {
    await expect(load(one("${secret:github/TOKEN}"))).rejects.toMatchObject({
      code: "config_invalid",
      problems: [{ unsetVariable: "secret:github/TOKEN" }],
    });
  });
});
