import { expect, test } from "vitest";
import { loginHint } from "../../src/cli/login-hint.ts";

const url = "https://mcp.example.com";

test.each([
  [{ url }, {}, `--url ${url}`],
  [{ url, name: "default" }, {}, `--url ${url}`],
  [{ url, name: "work" }, {}, `--url ${url} --profile work`],
  [{ url, endpoint: `${url}/mcp` }, {}, `--url ${url}/mcp`],
  [{ url: `${url}/mcp?key=abc` }, {}, `--url ${url}/mcp`],
  [
    { url, name: "work" },
    { cacert: "our ca.pem", insecure: true },
    `--url ${url} --profile work --cacert 'our ca.pem' --insecure`,
  ],
  [{ url: "http://gw.example.com/" }, {}, "--url http://gw.example.com --insecure-http"],
  [{ url: "http://127.0.0.1:3050" }, {}, "--url http://127.0.0.1:3050"],
])("%j reached with %j: agent auth login %s", (key, options, rest) => {
  expect(loginHint(key, options)).toBe(`agent auth login ${rest}`);
});
