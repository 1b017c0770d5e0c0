import { describe, expect, it } from "vitest";
import type { CommandModule, OptionSpec } from "../../src/cli/command.ts";
import { commandHelp, groupHelp } from "../../src/cli/help.ts";
import { flagOf, globalOptions, serverOptions } from "../../src/cli/options.ts";
import { commandGroups, commandTable } from "../../src/cli/table.ts";

/** The contract's list of environment twins; nothing else may have one. */
const twins = new Set(
  "URL PROFILE CONFIG_DIR STORE TIMEOUT FORMAT CACERT CONFIG HOST PORT EXTERNAL_URL AUTH RATE_LIMIT_RPM CLIENT_NAME SESSION_ID"
    .split(" ")
    .map((name) => `ONEDOOR_${name}`),
);

describe.each(commandTable.map((entry) => [entry.path.join(" "), entry] as const))(
  "agent %s",
  (name, entry) => {
    it("has options that do not get in each other's way", async () => {
      const module: CommandModule = await entry.load();
      const specs: Record<string, OptionSpec> = {
        ...globalOptions,
        ...(module.talksToServer ? serverOptions : {}),
        ...module.options,
      };
      const written = Object.entries(specs)
        .flatMap(([key, { alias }]) => [flagOf(key), alias])
        .filter((flag) => flag !== undefined);
      expect(written).toEqual([...new Set(written)]);
      for (const [key, { env }] of Object.entries(module.options)) {
        const mayHaveOne = !/^(?:all$|noVerify|insecure)/u.test(key);
        expect(env === undefined || (mayHaveOne && twins.has(env)) ? "" : key).toBe("");
      }
      const positionals = (module.positionals ?? []).map((positional) => positional.name);
      expect(positionals.filter((positional) => positional in specs)).toEqual([]);
    });

    it("has help with its usage, its options and an example of itself", async () => {
      const module: CommandModule = await entry.load();
      const help = commandHelp(entry, module, 80);
      expect(help).toContain(`Usage: agent ${name}`);
      expect(help).toContain(entry.summary);
      for (const [key, { hidden }] of Object.entries(module.options)) {
        expect([key, help.includes(`--${flagOf(key)}`)]).toEqual([key, hidden !== true]);
      }
      const serverFlags = Object.keys(serverOptions).filter((key) => !(key in module.options));
      for (const key of serverFlags) {
        const line = new RegExp(`^ .*--${flagOf(key)}(?![\\w-])`, "mu");
        expect([key, line.test(help)]).toEqual([key, module.talksToServer]);
      }
      expect(module.examples.length).toBeGreaterThan(0);
      for (const [command] of module.examples) expect(command).toMatch(/\bagent\b/u);
      const long = help.split("\n").filter((line) => line.length > 80);
      expect(long.filter((line) => !module.examples.some(([text]) => line.includes(text)))).toEqual(
        [],
      );
    });
  },
);

function helpOf(group: string): string {
  return groupHelp([group], commandTable, commandGroups, 80);
}

it("lists groups and their commands", () => {
  const top = groupHelp([], commandTable, commandGroups, 80);
  for (const { path } of commandTable) {
    const [first = "", second] = path;
    const help = second === undefined ? top : helpOf(first);
    expect(help).toContain(`  ${path.at(-1)} `);
    expect([first, top.includes(`  ${first} `)]).toEqual([first, true]);
  }
  for (const summary of Object.values(commandGroups)) expect(top).toContain(summary);
  expect(helpOf("auth")).not.toContain("  serve ");
});
