import { chmodSync } from "node:fs";
import type * as promises from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { profileId } from "../../src/profiles/profile-id.ts";
import { configDir, draft, fileOf, modeOf, open, reports, save } from "./bench.ts";

/** What the system refuses, by the end of a path: a stand-in for files of somebody else's, which root may do all with. */
const refused = new Map<string, { doing: "open" | "chmod"; code: string }>();
afterEach(() => refused.clear());

function refuse(path: unknown, doing: string): void {
  for (const [end, { doing: what, code }] of refused) {
    if (what === doing && String(path).endsWith(end)) {
      throw Object.assign(new Error("refused"), { code });
    }
  }
}

vi.mock("node:fs/promises", async (actual) => {
  const real = await actual<typeof promises>();
  return {
    ...real,
    async chmod(path: string, mode: number): Promise<void> {
      refuse(path, "chmod");
      await real.chmod(path, mode);
    },
    async open(path: string, ...rest: [number | string, number?]): Promise<promises.FileHandle> {
      refuse(path, "open");
      const file = await real.open(path, ...rest);
      const chmod = file.chmod.bind(file);
      file.chmod = async (mode) => {
        refuse(path, "chmod");
        await chmod(mode);
      };
      return file;
    },
  };
});

const key = draft("https://gw.example.com");

test("a profile that cannot be closed to others is used, and that is said once", async () => {
  await save(open(), key);
  const secret = join(configDir, "secrets", profileId(key));
  for (const path of [fileOf(key), secret]) {
    chmodSync(path, 0o644);
    refused.set(path, { doing: "chmod", code: "EROFS" });
  }
  const profiles = open();
  const found = await profiles.find(key.url);
  expect(found && (await profiles.credentialOf(found))).toEqual({ token: "od_secret" });
  expect(await profiles.find(key.url, "default")).toEqual(found);
  expect(modeOf(secret)).toBe(0o644);
  expect(reports.toSorted()).toEqual(
    [fileOf(key), secret]
      .map((path) => `${path} is open to others and cannot be closed to them (EROFS)`)
      .toSorted(),
  );
});

test("a profile that cannot be read is not taken for absent where it is asked for", async () => {
  await save(open(), draft(key.url, "work"));
  await save(open(), key);
  await save(open(), draft("https://other.example.com"));
  refused.set(fileOf(key), { doing: "open", code: "EACCES" });
  const unreadable = {
    code: "store_unavailable",
    message: `Cannot read ${fileOf(key)}: permission denied (EACCES)`,
  };
  await expect(open().find(key.url)).rejects.toMatchObject(unreadable);
  await expect(open().find(key.url, "default")).rejects.toMatchObject(unreadable);
  // The others go on, and it is said that one is missing.
  expect((await open().find(key.url, "work"))?.name).toBe("work");
  reports.length = 0;
  expect((await open().list()).map(({ url, name }) => `${name} ${url}`)).toEqual([
    "work https://gw.example.com",
    "default https://other.example.com",
  ]);
  expect(reports).toEqual([unreadable.message]);
});
