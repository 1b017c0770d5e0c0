import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfigurationFile } from "../../src/config/configuration-file.ts";

const me = process.getuid?.() ?? 0;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-file-"));
  file = join(folder, "mcp.json");
  writeFileSync(file, "{}", { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Reads as somebody whose path this is not: root gives it away, anybody else is taken for another. */
function readAsAnother(path: string) {
  if (me !== 0) return readConfigurationFile(file, me + 1);
  chownSync(path, 12_345, 12_345);
  return readConfigurationFile(file);
}

const refused = (reason: string) => ({
  kind: "refused",
  problem: { reason: expect.stringContaining(reason) },
});

describe("a configuration file", () => {
  test("of one's own is read", async () => {
    expect(await readConfigurationFile(file)).toEqual({ kind: "read", text: "{}" });
  });

  test("of another user is refused, also when it was read before", async () => {
    await readConfigurationFile(file);
    const answer = await readAsAnother(file);
    expect(answer).toMatchObject(refused("belongs to another user"));
  });

  test("in a folder of another user is refused", async () => {
    const shown = me === 0 ? `its folder ${folder} belongs to another` : "belongs to another";
    expect(await readAsAnother(folder)).toMatchObject(refused(shown));
  });

  test.each([0o720, 0o702, 0o777])("in a folder of mode %o is refused", async (mode) => {
    chmodSync(folder, mode);
    const shown = `may write its folder ${folder} (mode 0${mode.toString(8)})`;
    expect(await readConfigurationFile(file)).toMatchObject(refused(shown));
  });

  test("in a sticky folder is read: nobody moves what is another's there", async () => {
    chmodSync(folder, 0o1777);
    expect(await readConfigurationFile(file)).toMatchObject({ kind: "read" });
  });

  test("where users have no numbers is read as it is", async () => {
    chmodSync(folder, 0o777);
    const { getuid } = process;
    Reflect.deleteProperty(process, "getuid");
    try {
      expect(await readConfigurationFile(file)).toMatchObject({ kind: "read" });
    } finally {
      Object.assign(process, { getuid });
    }
  });
});

describe("a link to a configuration file", () => {
  let open: string;
  beforeEach(() => {
    open = join(folder, "open");
    mkdirSync(open);
  });

  test("is followed", async () => {
    symlinkSync("../mcp.json", join(open, "link.json"));
    expect(await readConfigurationFile(join(open, "link.json"))).toMatchObject({ kind: "read" });
  });

  test("is refused where others could replace the link, the file or a link between", async () => {
    const inner = join(open, "mcp.json");
    writeFileSync(inner, "{}", { mode: 0o600 });
    symlinkSync("../mcp.json", join(open, "out.json"));
    symlinkSync("open/mcp.json", join(folder, "in.json"));
    symlinkSync("open/out.json", join(folder, "through.json"));
    chmodSync(open, 0o777);
    for (const link of [join(open, "out.json"), "in.json", "through.json"]) {
      const path = link.startsWith("/") ? link : join(folder, link);
      expect(await readConfigurationFile(path)).toMatchObject(
        refused(`may write its folder ${open}`),
      );
    }
  });
});
