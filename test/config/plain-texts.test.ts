import { expect, test } from "vitest";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { load } = useConfigurationFolder();

test("what agents and people are told is handed on as it is written, and nobody is asked for it", async () => {
  const told = "Pass ${secret:github/TOKEN} and ${NOT_SET}, or ${KEY:-none}.";
  const entry = {
    command: "x",
    args: ["${KEY}"],
    instructions: told,
    tags: [told],
    tools: { descriptions: { run: told } },
  };
  const asked: string[] = [];
  const readSecret = (name: string): Promise<string | undefined> => {
    asked.push(name);
    return Promise.resolve("shown-to-nobody");
  };
  const { servers } = await load({ mcpServers: { web: entry } }, { readSecret });
  expect(servers.get("web")).toMatchObject({
    args: ["k-1"],
    instructions: told,
    tags: [told],
    tools: { descriptions: { run: told } },
  });
  expect(asked).toEqual([]);
});

test("a variable of the gateway's own is told of where a server would be handed it", async () => {
  const doubts: string[] = [];
  await load(
    {
      auth: [
        {
          type: "token",
          options: { tokens: [{ name: "ci", token: "${ONEDOOR_CI:-tokentokentoken}" }] },
        },
      ],
      mcpServers: {
        web: {
          command: "x",
          args: ["${KEY}", "${ONEDOOR_LITERAL:-$}{KEY}", "--t=${ONEDOOR_CI:-}"],
          env: { B: "${onedoor_b:-}" },
          instructions: "${ONEDOOR_CI}",
        },
      },
    },
    { onDoubt: (sentence) => void doubts.push(sentence) },
  );
  const ofServers = doubts.filter((doubt) => doubt.includes("mcpServers"));
  expect(ofServers.map((doubt) => doubt.slice(doubt.indexOf("mcpServers")))).toEqual([
    "mcpServers.web.args[2]: hands ONEDOOR_CI, a variable of the gateway's own, to a server: keep the value under a name without ONEDOOR_",
    "mcpServers.web.env.B: hands onedoor_b, a variable of the gateway's own, to a server: keep the value under a name without ONEDOOR_",
  ]);
});
