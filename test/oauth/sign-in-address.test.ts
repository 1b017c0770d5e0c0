import { expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { checkAddress } from "../../src/oauth/sign-in-address.ts";

const remote = "https://login.example/";

test.each([
  "https://127.0.0.1:9/x",
  "https://localhost.:9/x",
  "https://a.localhost:9/x",
  "https://0.0.0.0:9/x",
  "https://[::]:9/x",
  "https://[::1]:9/x",
  "https://[::127.0.0.1]:9/x",
  "https://[::ffff:127.0.0.1]:9/x",
  "https://[::ffff:0:0]:9/x",
  "https://0x7f.1/x",
])("%s is this machine, which nobody elsewhere may name", (address) => {
  expect(() => checkAddress(address, "token endpoint", remote)).toThrow(AppError);
  expect(() => checkAddress(address, "token endpoint", remote)).toThrow(/is on this machine$/u);
  expect(checkAddress(address, "token endpoint", "https://127.0.0.1:3050/")).toBe(address);
});

test.each(["https://login.example/x", "https://[2001:db8::1]/x", "https://[::ffff:192.0.2.1]/x"])(
  "%s is another machine",
  (address) => {
    expect(checkAddress(address, "token endpoint", remote)).toBe(address);
  },
);

test.each(["http://[::ffff:127.0.0.1]/", "http://a.localhost/", "http://0.0.0.0/"])(
  "%s is not safe without TLS, whoever names it",
  (address) => {
    expect(() => checkAddress(address, "token endpoint", "http://127.0.0.1/")).toThrow(
      /neither https nor on this machine$/u,
    );
  },
);
