import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "libsql";
import { beforeEach, describe, expect, test } from "vitest";
import type { MintedToken } from "../../src/core/identities.ts";
import type { Storage } from "../../src/core/storage.ts";
import { openSqliteStorage } from "./support/open-sqlite-storage.ts";
import { startStorageThread } from "../../src/storage/sqlite/storage-worker.ts";
import { event, token as tokenRow } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";
import type { StoragePlace } from "./support/storage-place.ts";

const place = useStoragePlace();
let bundle: StoragePlace["bundle"];
let state: string;
let file: string;
let lockFile: string;
let logger: StoragePlace["logger"];
beforeEach(() => {
  ({ bundle, state, file, lockFile, logger } = place);
});
const open = (): Promise<Storage> => place.open();

const token = tokenRow();
const insert = (storage: Storage): Promise<void> =>
  within(storage, (tx) => tx.tokens.insert(token));
const find = async (storage: Storage): Promise<MintedToken | undefined> => {
  const tokens = await within(storage, (tx) => tx.tokens.all());
  return tokens.find(({ id }) => id === token.id);
};
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
const owned = {
  code: "config_invalid",
  message: expect.stringMatching(/^Another gateway owns .*state$/),
  hint: "agent serve --status",
};

describe("the files", () => {
  test("are 0600 in a 0700 directory, the write-ahead log included, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      await insert(await open());
      const names = await readdir(state);
      expect(names).toContain("onedoor.db-wal");
      for (const name of names) {
        expect([name, await modeOf(join(state, name))]).toStrictEqual([name, 0o600]);
      }
      expect(await modeOf(state)).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  test("are made private when they were not", async () => {
    await mkdir(state);
    await chmod(state, 0o777);
    await writeFile(file, "");
    await chmod(file, 0o666);
    await open();
    expect(await modeOf(file)).toBe(0o600);
    expect(await modeOf(state)).toBe(0o700);
  });

  test.each(["onedoor.db", "owner.lock"])("%s may not be a link", async (name) => {
    const precious = join(state, "..", "precious");
    await mkdir(state, { mode: 0o700 });
    await writeFile(precious, "");
    await symlink(precious, join(state, name));
    await expect(open()).rejects.toMatchObject({
      code: "store_unavailable",
      message: `The database ${file} cannot be opened`,
    });
    expect(await readFile(precious, "utf8")).toBe("");
  });

  test("that cannot be made are an error that can be understood", async () => {
    await writeFile(state, "a file where the directory should be");
    await expect(open()).rejects.toMatchObject({ code: "store_unavailable" });
  });

  test("a worker that is not there is an error too", async () => {
    const thread = startStorageThread(new URL("./nothing.js", bundle.url));
    await expect(
      openSqliteStorage({ file, lockFile, now: Date.now, newId: randomUUID, logger, thread }),
    ).rejects.toMatchObject({ code: "store_unavailable" });
  });
});

/** A worker that opens, and does `onMessage` at the first request. */
const dyingWorker = (onMessage: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.once("message", () => {
      parentPort.on("message", () => { ${onMessage} });
      parentPort.postMessage({ kind: "opened", instanceId: "x" });
    });
  `)}`,
  );

describe("the worker thread", () => {
  test.each(['throw new Error("crash")', "process.exit()"])(
    "that dies (%s) fails what waits and what comes, and is said once",
    async (onMessage) => {
      const storage = await openSqliteStorage({
        file,
        lockFile,
        now: Date.now,
        newId: randomUUID,
        logger,
        thread: startStorageThread(dyingWorker(onMessage)),
      });
      const refused = { code: "store_unavailable" };
      const waiting = await Promise.allSettled([find(storage), find(storage)]);
      expect(waiting).toMatchObject([{ reason: refused }, { reason: refused }]);
      await expect(find(storage)).rejects.toMatchObject(refused);
      expect(logger.errors).toStrictEqual(["The storage thread has ended; restart the gateway"]);
      await storage.close();
    },
  );
});

describe("a second start", () => {
  test("finds what the first one left, and is the same instance", async () => {
    const first = await open();
    await insert(first);
    await first.close();
    const second = await open();
    expect(second.instanceId).toBe(first.instanceId);
    expect(await find(second)).toStrictEqual(token);
    expect(logger.errors).toStrictEqual([]);
  });

  test("is refused while the first one runs, and does it no harm", async () => {
    const first = await open();
    await insert(first);
    await expect(open()).rejects.toMatchObject(owned);
    await expect(open()).rejects.toMatchObject(owned);
    expect(await find(first)).toStrictEqual(token);
  });

  test("is refused while another process runs, until that is killed", async () => {
    await mkdir(state, { mode: 0o700 });
    const other = spawn(process.execPath, [bundle.ownerScript, bundle.url.href, file, lockFile], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [said] = await once(other.stdout, "data");
      expect(String(said)).toBe("opened\n");
      await expect(open()).rejects.toMatchObject(owned);
    } finally {
      other.kill("SIGKILL");
      await once(other, "exit");
    }
    const next = await open();
    expect(next.instanceId).toBe("the other process");
  });
});

describe("a database", () => {
  test.each([
    { name: "of rubbish", content: Buffer.alloc(8192, "rubbish ") },
    { name: "too short to be one", content: Buffer.from("SQLite") },
    {
      name: "with a good header only",
      content: Buffer.from(`SQLite format 3\0${"\u0010\0".repeat(500)}`),
    },
  ])("$name is set aside whole, said so, and begun anew", async ({ content }) => {
    await mkdir(state, { mode: 0o700 });
    await writeFile(file, content);
    const storage = await open();
    await insert(storage);
    expect(await find(storage)).toStrictEqual(token);
    expect(await readFile(`${file}.corrupt-20261121T093000Z`)).toStrictEqual(content);
    expect(logger.errors).toStrictEqual([
      "The database was corrupt; it was set aside and a new one begun",
    ]);
  });

  test("of rubbish takes its write-ahead log with it", async () => {
    await mkdir(state, { mode: 0o700 });
    await writeFile(file, Buffer.alloc(8192, "rubbish "));
    await writeFile(`${file}-wal`, "what was written last");
    await open();
    const aside = `${file}.corrupt-20261121T093000Z`;
    expect(await readFile(`${aside}-wal`, "utf8")).toBe("what was written last");
  });

  test("with a damaged page is set aside; one set aside before stays", async () => {
    const first = await open();
    await insert(first);
    await first.close();
    const database = new Database(file);
    const [page] = database
      .prepare("SELECT rootpage FROM sqlite_master WHERE name = 'minted_tokens'")
      .pluck(true)
      .all();
    database.close();
    const content = await readFile(file);
    content.fill(0xff, (Number(page) - 1) * 4096, Number(page) * 4096);
    await writeFile(file, content);
    const earlier = `${file}.corrupt-20261121T093000Z`;
    await writeFile(earlier, "earlier");
    const second = await open();
    expect(second.instanceId).not.toBe(first.instanceId);
    expect(await readFile(earlier, "utf8")).toBe("earlier");
    expect(await readFile(`${earlier}-2`)).toStrictEqual(content);
  });

  test("of a newer program is refused and left as it is", async () => {
    await (await open()).close();
    const database = new Database(file);
    database.exec("INSERT INTO schema_migrations VALUES (999, 'from the future', 0)");
    database.close();
    const before = await readFile(file);
    await expect(open()).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringMatching(/newer version .*schema 999, this one knows \d+/),
    });
    expect(await readFile(file)).toStrictEqual(before);
    expect((await readdir(state)).filter((name) => name.includes("corrupt"))).toStrictEqual([]);
  });

  test("has the audit table under the names the contract gives", async () => {
    const storage = await open();
    await within(storage, (tx) =>
      tx.audit.appendAll([
        event({ timeMs: 1_764_000_000_000, params: { message: "hi" }, userId: "ada" }),
      ]),
    );
    await storage.close();
    const database = new Database(file);
    const [row] = database.prepare("SELECT * FROM mcp_audit_log").all();
    database.close();
    expect(row).toMatchObject({
      tool_name: "everything__echo",
      params: '{"message":"hi"}',
      status: "success",
      duration_ms: 12.5,
      user_id: "ada",
      organization_id: null,
      project_id: null,
      session_id: null,
      client_name: "unknown",
      created_at: 1_764_000_000_000,
    });
  });

  test("that another program holds is an error, not a stall, and works again afterwards", async () => {
    const storage = await open();
    const other = new Database(file);
    other.exec("BEGIN IMMEDIATE");
    await expect(insert(storage)).rejects.toMatchObject({
      code: "store_unavailable",
      message: "The gateway's database is locked by another program",
    });
    other.exec("ROLLBACK");
    other.close();
    await insert(storage);
    expect(await find(storage)).toStrictEqual(token);
  });
});

test("closing lets the transactions before it finish", async () => {
  const storage = await open();
  const written = insert(storage);
  await storage.close();
  await written;
  expect(await find(await open())).toStrictEqual(token);
});
