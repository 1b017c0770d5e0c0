import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { readAuthorities } from "../../src/client/authorities.ts";
import { askJson } from "../../src/client/http-json.ts";
import { setNetwork } from "../../src/client/network.ts";
import { makeCertificate } from "../fixtures/make-certificate.ts";

const folder = mkdtempSync(join(tmpdir(), "onedoor-authorities-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => setNetwork({ proxies: {} }));

const one = makeCertificate();
const other = makeCertificate();

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function statusOf(shown: typeof one): Promise<number | string> {
  const server = createServer({ cert: shown.cert, key: shown.key }, (_asked, response) => {
    response.end("{}");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `https://localhost:${typeof address === "object" ? address?.port : ""}`;
  try {
    return (await askJson({ url, signal: AbortSignal.timeout(20_000) })).status;
  } catch (error) {
    return String(error);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("several in one file, with text around them, and those of NODE_EXTRA_CA_CERTS", async () => {
  const third = makeCertificate();
  const path = file("both.pem", `# ours\r\n${one.cert.replaceAll("\n", "\r\n")}\n${other.cert}`);
  const authorities = await readAuthorities({ path, from: "--cacert" }, third.certFile);
  setNetwork({ proxies: {}, authorities });
  expect(await statusOf(one)).toBe(200);
  expect(await statusOf(other)).toBe(200);
  expect(await statusOf(third)).toBe(200);
  expect(await statusOf(makeCertificate())).toContain("not trusted");
});

test("a NODE_EXTRA_CA_CERTS that cannot be read is left out, as Node does", async () => {
  const authorities = await readAuthorities(
    { path: one.certFile, from: "--cacert" },
    join(folder, "missing.pem"),
  );
  setNetwork({ proxies: {}, authorities });
  expect(await statusOf(one)).toBe(200);
});

const large = file("large.pem", one.cert);
truncateSync(large, 4 * 1024 * 1024 + 1);

test.each([
  [join(folder, "missing.pem"), "cannot be read (ENOENT)"],
  [folder, "is no file"],
  ["/dev/zero", "is no file"],
  [large, "is larger than 4 MiB"],
  [file("empty.pem", ""), "holds no certificate"],
  [one.keyFile, "holds no certificate"],
  [
    file("broken.pem", `${one.cert}\n${other.cert.replaceAll(/^M/gmu, "N")}`),
    "holds what is no certificate (number 2)",
  ],
])("%s is refused: %s", async (path, what) => {
  for (const from of ["--cacert", "ONEDOOR_CACERT"] as const) {
    await expect(readAuthorities({ path, from }, undefined)).rejects.toMatchObject({
      code: "usage",
      message: `${from}: ${path} ${what}`,
      hint: expect.stringContaining("PEM"),
    });
  }
});
