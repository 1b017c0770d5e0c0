import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfigurationFile } from "../../src/config/configuration-file.ts";
import { openConfigurationFile, writeServerEntry } from "../../src/config/edit-configuration.ts";
import { textFingerprint } from "../../src/config/text-fingerprint.ts";
import { fingerprint } from "../../src/config/watch-configuration.ts";
import { AppError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { paths, load } = useConfigurationFolder();
const one = { command: "one", args: ["${HOME}"] };

const put = (text: string, mode = 0o600): void => {
  writeFileSync(paths.file, text);
  chmodSync(paths.file, mode);
};
const content = (): string => readFileSync(paths.file, "utf8");
const written = (): string | undefined =>
  existsSync(paths.file) && lstatSync(paths.file).isFile() ? content() : undefined;
/** Why it was refused; the file must be as it was, and nothing beside it. */
async function refusal(name = "a", entry: JsonObject = one): Promise<string> {
  const before = written();
  const beside = readdirSync(paths.folder);
  const error: unknown = await writeServerEntry(paths.file, name, entry).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error("it was written", { cause: error });
  expect(error.code).toBe("config_invalid");
  expect(readdirSync(paths.folder)).toEqual(beside);
  expect(written()).toBe(before);
  return error.message.replace(paths.file, "FILE");
}

describe("an entry of a server", () => {
  test("is put beside the others, everything else as it was", async () => {
    const text =
      '\u{feff}// mine\r\n{\r\n\t"port": 5,\r\n\t"mcpServers": {\r\n\t\t"b": {"command": "two"}, // b\r\n\t},\r\n}\r\n';
    put(text);
    await writeServerEntry(paths.file, "a", one);
    expect(content()).toBe(
      text.replace(
        "// b\r\n",
        () =>
          '// b\r\n\t\t"a": {\r\n\t\t\t"command": "one",\r\n\t\t\t"args": ["${HOME}"]\r\n\t\t},\r\n',
      ),
    );
    const { servers } = await load(undefined);
    expect([...servers.keys()]).toEqual(["b", "a"]);
  });

  test("takes the place of the one of its name", async () => {
    put('{"mcpServers": {"a": {"command": "x", "args": ["${HOME}"]}, "b": {"command": "two"}}}');
    await writeServerEntry(paths.file, "a", one);
    expect(content()).toBe(
      '{"mcpServers": {"a": {"command": "one", "args": ["${HOME}"]}, "b": {"command": "two"}}}',
    );
  });

  test("makes mcpServers where it is missing, and the file, for its owner alone", async () => {
    put('{"port": 5}');
    await writeServerEntry(paths.file, "a b", { url: "https://x" });
    expect(content()).toBe('{"port": 5, "mcpServers": { "a b": { "url": "https://x" } }}');

    const file = join(paths.folder, "new", "mcp.json");
    await writeServerEntry(file, "a", { url: "https://x" });
    expect(readFileSync(file, "utf8")).toBe(
      '{\n  "mcpServers": {\n    "a": {\n      "url": "https://x"\n    }\n  }\n}\n',
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(paths.folder, "new")).mode & 0o777).toBe(0o700);
    await expect(load(undefined, { file })).resolves.toMatchObject({ file });
  });

  test.each([0o600, 0o644, 0o400])(
    "leaves the mode %o as it is, and nothing beside it",
    async (mode) => {
      put("{}", mode);
      await writeServerEntry(paths.file, "a", one);
      expect(statSync(paths.file).mode & 0o777).toBe(mode);
      expect(readdirSync(paths.folder)).toEqual([basename(paths.file)]);
    },
  );

  test("that is there already changes nothing, not even the file", async () => {
    put(`{"mcpServers": {"a": ${JSON.stringify(one)}}}`);
    const before = fingerprint(paths.file);
    await writeServerEntry(paths.file, "a", one);
    expect(fingerprint(paths.file)).toBe(before);
  });

  test("may hold references where a word of a list has to stand", async () => {
    put("{}");
    const entry = { command: "x", type: "${TYPE}", access: { organizations: ["${ORG}"] } };
    await writeServerEntry(paths.file, "a", entry);
    expect(JSON.parse(content())).toEqual({ mcpServers: { a: entry } });
  });
});

describe("is refused, and nothing is changed:", () => {
  test.each<[what: string, text: string, message: string]>([
    ["a broken file", '{\n"port" 1}', "FILE:2: not valid JSON: colon expected"],
    ["an empty file", "", "FILE:1: the file is empty"],
    ["a list", "[]", "FILE:1: expected an object"],
    ["a key twice", '{"port": 1,\n"port": 1}', "FILE:2: port: stands here twice"],
    ["servers as a list", '{"mcpServers": []}', "FILE: mcpServers: expected an object of servers"],
    ["servers as null", '{"mcpServers": null}', "FILE: mcpServers: expected an object of servers"],
    ["too much text", `{}${" ".repeat(1024 * 1024 - 10)}`, "FILE: would be larger than 1 MiB"],
  ])("%s", async (_what, text, message) => {
    put(text);
    await expect(refusal()).resolves.toBe(message);
  });

  test.each<[what: string, name: string, entry: JsonObject, message: string]>([
    [
      "an unknown key",
      "a",
      { comand: "x" },
      "FILE: mcpServers.a.comand: unknown key; did you mean command?",
    ],
    ["a wrong value", "a", { command: 5 }, "FILE: mcpServers.a.command: expected a string"],
    [
      "no organisation",
      "a",
      { command: "x", access: { organizations: [] } },
      "FILE: mcpServers.a.access.organizations: name at least one, or leave it out",
    ],
    [
      "a name of no server",
      "__proto__",
      one,
      "FILE:3: mcpServers.__proto__: this name cannot be used",
    ],
  ])("%s in the entry", async (_what, name, entry, message) => {
    put("{}");
    await expect(refusal(name, entry)).resolves.toBe(message);
  });

  test("a file that others may write, and a folder of the name", async () => {
    put("{}", 0o666);
    await expect(refusal()).resolves.toMatch(/^FILE: group or others may write it/u);
    mkdirSync(join(paths.folder, "folder"));
    await expect(writeServerEntry(join(paths.folder, "folder"), "a", one)).rejects.toMatchObject({
      code: "config_invalid",
    });
  });

  test.each([true, false])("a link, whether there is a file behind it: %s", async (there) => {
    const target = join(paths.folder, "target.json");
    if (there) writeFileSync(target, "{}", { mode: 0o600 });
    symlinkSync(target, paths.file);
    await expect(refusal()).resolves.toBe("FILE: is a link, and nothing is written through one");
    expect(lstatSync(paths.file).isSymbolicLink()).toBe(true);
    expect(existsSync(target)).toBe(there);
  });
});

describe("a file that somebody else saves meanwhile", () => {
  const saved = '{"port": 7}';
  test.each<
    [what: string, before: string | undefined, save: () => void, after: string | undefined]
  >([
    ["changed", "{}", () => put(saved), saved],
    ["made", undefined, () => put(saved), saved],
    ["removed", "{}", () => rmSync(paths.file), undefined],
  ])("is left as it is: %s", async (_what, before, save, after) => {
    if (before !== undefined) put(before);
    let reads = 0;
    const writing = writeServerEntry(paths.file, "a", one, async (file) => {
      const found = await readConfigurationFile(file);
      reads += 1;
      if (reads === 1) save();
      return found;
    });
    await expect(writing).rejects.toMatchObject({
      code: "config_invalid",
      message: `${paths.file}: was changed meanwhile, so nothing was written`,
      hint: "try again",
    });
    expect(existsSync(paths.file) ? content() : undefined).toBe(after);
    expect(readdirSync(paths.folder)).toEqual(after === undefined ? [] : [basename(paths.file)]);
  });

  test("and turns into a link is not written through", async () => {
    const target = join(paths.folder, "target.json");
    put("{}");
    const writing = writeServerEntry(paths.file, "a", one, async (file) => {
      const found = await readConfigurationFile(file);
      rmSync(paths.file);
      writeFileSync(target, "{}", { mode: 0o600 });
      symlinkSync(target, paths.file);
      return found;
    });
    await expect(writing).rejects.toThrow("is a link");
    expect(readFileSync(target, "utf8")).toBe("{}");
    expect(lstatSync(paths.file).isSymbolicLink()).toBe(true);
  });
});

test("several that write at once lose nothing of what was said to be written", async () => {
  put("{}");
  const names = Array.from({ length: 12 }, (_, index) => `s${index}`);
  const saved = await Promise.all(
    names.map((name) =>
      writeServerEntry(paths.file, name, one).then(
        () => [name],
        (error: unknown) => {
          expect(String(error)).toContain("was changed meanwhile");
          return [];
        },
      ),
    ),
  );
  const { servers } = await load(undefined);
  expect([...servers.keys()].toSorted()).toEqual(saved.flat().toSorted());
  expect(servers.size).toBeGreaterThan(0);
  expect(readdirSync(paths.folder)).toEqual([basename(paths.file)]);
});

test("one that ended in the middle of its turn does not keep the others out", async () => {
  put("{}");
  const lock = join(paths.folder, `.${basename(paths.file)}.lock`);
  writeFileSync(lock, "");
  utimesSync(lock, new Date(0), new Date(0));
  await writeServerEntry(paths.file, "a", one);
  expect(content()).toContain('"a"');
  // Of a process that lives: this one's parent.
  symlinkSync(`${process.ppid} 00`, lock);
  await expect(refusal("b")).resolves.toBe("FILE: is being changed by another program");
});

test("what the system refuses is told with the file and the reason", async () => {
  put("{}");
  await expect(writeServerEntry(join(paths.file, "mcp.json"), "a", one)).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringMatching(/mcp\.json\/mcp\.json: cannot be (?:read|written) \([A-Z]+\)$/u),
  });
  expect(content()).toBe("{}");
});

describe("a file that was opened", () => {
  test("says what it says, and whether it is there", async () => {
    await expect(openConfigurationFile(paths.file)).resolves.toMatchObject({
      file: paths.file,
      exists: false,
      value: {},
    });
    put('{"port": "${PORT}"} // mine');
    const opened = await openConfigurationFile(paths.file);
    expect(opened).toMatchObject({ exists: true, value: { port: "${PORT}" } });
    await expect(openConfigurationFile(paths.folder)).rejects.toThrow("is not a regular file");
  });

  test("takes several changes at once, in their order, or none of them", async () => {
    const text =
      '{\n  // one\n  "mcpServers": {\n    "a": { "command": "x" }, // a\n    "b": { "command": "y" } // b\n  }\n}\n';
    put(text);
    const opened = await openConfigurationFile(paths.file);
    const wrong = opened.save([
      { path: ["mcpServers", "a"], value: undefined },
      { path: ["mcpServers", "c"], value: { comand: "x" } },
    ]);
    await expect(wrong).rejects.toThrow("mcpServers.c.comand: unknown key; did you mean command?");
    expect(content()).toBe(text);
    await opened.save([
      { path: ["mcpServers", "a"], value: undefined },
      { path: ["mcpServers", "b", "disabled"], value: true },
      { path: ["presets", "dev"], value: { tags: ["t"] } },
    ]);
    expect(content()).toBe(
      '{\n  // one\n  "mcpServers": {\n    "b": { "command": "y", "disabled": true } // b\n  },\n  "presets": {\n    "dev": {\n      "tags": ["t"]\n    }\n  }\n}\n',
    );
    // It goes on from what it saved.
    expect(opened.value).toEqual({
      mcpServers: { b: { command: "y", disabled: true } },
      presets: { dev: { tags: ["t"] } },
    });
    await opened.save([{ path: ["presets", "dev"], value: undefined }]);
    expect(opened.value["presets"]).toEqual({});
  });

  test("is not made for nothing", async () => {
    const opened = await openConfigurationFile(join(paths.folder, "new", "mcp.json"));
    await opened.save([{ path: ["mcpServers", "a"], value: undefined }]);
    await opened.save([]);
    expect(opened.exists).toBe(false);
    expect(existsSync(join(paths.folder, "new"))).toBe(false);
  });

  test.each<[what: string, path: [string, ...string[]], value: JsonObject, reason: string]>([
    ["a preset of another shape", ["presets", "p"], { tag: ["a"] }, "presets.p.tag: unknown key"],
    ["presets of another shape", ["presets"], { p: { tags: "a" } }, "presets.p.tags: expected"],
    ["a server without anything", ["mcpServers", "a"], {}, "needs command (a program to start)"],
    ["a name with a slash", ["mcpServers", "a/b"], one, "must not hold a /"],
    [
      "both kinds of server",
      ["mcpServers", "a"],
      { command: "x", url: "https://x" },
      "mcpServers.a.url: stands beside command",
    ],
    [
      "a text for an object",
      ["mcpServers", "s", "env", "A"],
      {},
      "mcpServers.s.env: expected an object",
    ],
  ])("refuses %s", async (_what, path, value, reason) => {
    const text = '{"mcpServers": {"s": {"command": "x", "env": "text"}}}';
    put(text);
    const opened = await openConfigurationFile(paths.file);
    await expect(opened.save([{ path, value }])).rejects.toThrow(reason);
    expect(content()).toBe(text);
  });

  test("is not saved where it is wrong elsewhere, and what is wrong can be taken out one by one", async () => {
    const text =
      '{\n"mcpServers": {\n"wrong": {"comand": 1},\n"a": {"command": "x"}},\n"prot": 1}\n';
    put(text);
    const opened = await openConfigurationFile(paths.file);
    await expect(
      opened.save([{ path: ["mcpServers", "a", "disabled"], value: true }]),
    ).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringMatching(/:3: mcpServers\.wrong\.comand: unknown key; did you mean/u),
    });
    expect(content()).toBe(text);
    // Another wrong thing in its place is none less.
    await expect(
      opened.save([{ path: ["mcpServers", "wrong"], value: { cmd: 1 } }]),
    ).rejects.toMatchObject({ code: "config_invalid" });
    await opened.save([{ path: ["mcpServers", "wrong"], value: undefined }]);
    await opened.save([{ path: ["prot"], value: undefined }]);
    await opened.save([{ path: ["mcpServers", "a", "disabled"], value: true }]);
    expect(content()).toContain('"disabled": true');
    expect(opened.fingerprint).toBe(textFingerprint(content()));
  });

  test("may hold what a variable decides", async () => {
    put('{"port": "${PORT}", "mcpServers": {"a": {"url": "${URL}"}}}');
    const opened = await openConfigurationFile(paths.file);
    await opened.save([{ path: ["mcpServers", "b"], value: one }]);
    expect(content()).toContain('"b"');
  });
});
