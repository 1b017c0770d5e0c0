import { createServer } from "node:https";
import { afterEach, expect, test } from "vitest";
import { authoritiesIn } from "../../src/client/authorities.ts";
import { askJson } from "../../src/client/http-json.ts";
import { setNetwork } from "../../src/client/network.ts";
import { makeCertificate } from "../fixtures/make-certificate.ts";

afterEach(() => setNetwork({ proxies: {} }));

const named = { path: "ca.pem", from: "--cacert" } as const;
const one = makeCertificate();
const other = makeCertificate();

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

test("several in one text, with more around them, and those of NODE_EXTRA_CA_CERTS", async () => {
  const third = makeCertificate();
  const text = `# ours\r\n${one.cert.replaceAll("\n", "\r\n")}\n${other.cert}`;
  setNetwork({ proxies: {}, authorities: authoritiesIn(text, named, `${third.cert}\nrubbish`) });
  expect(await statusOf(one)).toBe(200);
  expect(await statusOf(other)).toBe(200);
  expect(await statusOf(third)).toBe(200);
  expect(await statusOf(makeCertificate())).toContain("not trusted");
});

test.each([
  ["nothing", "", "holds no certificate"],
  ["a key", one.key, "holds no certificate"],
  [
    "a broken one behind a good one",
    `${one.cert}\n${other.cert.replaceAll(/^M/gmu, "N")}`,
    "holds what is no certificate (number 2)",
  ],
])("%s is refused", (_what, text, what) => {
  expect(() => authoritiesIn(text, named)).toThrow(
    expect.objectContaining({
      code: "usage",
      message: `ca.pem ${what}`,
      hint: expect.stringMatching(/^--cacert names .*PEM/u),
    }),
  );
});
