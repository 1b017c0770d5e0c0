import { expect, test } from "vitest";
import { whyNotReached } from "../../../src/auth/outside/why-not-reached.ts";

const withCode = (code: string): Error => Object.assign(new Error("with s3cret"), { code });

test.each([
  ["ECONNREFUSED", "the connection is refused"],
  ["ECONNRESET", "the connection is reset"],
  ["UND_ERR_SOCKET", "the connection is closed"],
  ["ENOTFOUND", "its name is not found"],
  ["EAI_AGAIN", "its name cannot be looked up now"],
  ["UND_ERR_CONNECT_TIMEOUT", "the connection is not made in time"],
  ["UND_ERR_HEADERS_TIMEOUT", "it does not answer in time"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name"],
  ["CERT_REVOKED", "its certificate is not good"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "TLS does not come about"],
  ["HPE_INVALID_CONSTANT", "it does not speak HTTP"],
  ["EMFILE", "EMFILE"],
  ["UND_ERR_OF_TOMORROW", undefined],
  ["toString", undefined],
])("%s", (code, words) => {
  expect(whyNotReached(withCode(code))).toBe(words);
});

test.each([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
])("%s says what helps", (code) => {
  expect(whyNotReached(withCode(code))).toMatch(/certificate is not trusted: NODE_EXTRA_CA_CERTS/u);
});

test("without a code there is nothing to say", () => {
  expect(whyNotReached(new Error("with s3cret"))).toBeUndefined();
  expect(whyNotReached("s3cret")).toBeUndefined();
});
