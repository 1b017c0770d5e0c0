import { describe, expect, test } from "vitest";
import { chosenWay } from "../../../src/cli/sign-in/chosen-way.ts";
import { checkClientOptions } from "../../../src/cli/sign-in/given-client.ts";

const nothing = { local: false, web: false, device: false, clientCredentials: false };

describe("the way that the command line asks for", () => {
  test.each([
    [{}, "any"],
    [{ token: "" }, "token"],
    [{ local: true }, "local"],
    [{ web: true }, "web"],
    [{ device: true }, "device"],
    [{ clientCredentials: true }, "client"],
    [{ email: "" }, "password"],
  ] as const)("%j is %s", (options, way) => {
    expect(chosenWay({ ...nothing, ...options })).toBe(way);
  });

  const ways = [
    { token: "t" },
    { local: true },
    { web: true },
    { device: true },
    { clientCredentials: true },
    { email: "a@b" },
  ];
  test.each(
    ways.flatMap((one, index) =>
      ways.slice(index + 1).map((other) => Object.assign({}, one, other)),
    ),
  )("two of them are refused: %j", (options) => {
    expect(() => chosenWay({ ...nothing, ...options })).toThrow(/ are two ways; take one$/u);
  });
});

describe("options of the OAuth client", () => {
  test.each([
    ["any", {}],
    ["any", { clientId: "one", callbackPort: 8080, scope: "a b" }],
    ["web", { clientId: "one", clientSecretFile: "f" }],
    ["web", { callbackPort: 65_535 }],
    ["device", { scope: "openid" }],
    ["client", { clientId: "one" }],
    ["client", { clientId: "one", clientKey: "key.pem" }],
  ] as const)("%s takes %j", (way, options) => {
    expect(() => checkClientOptions(options, way)).not.toThrow();
  });

  test.each([
    ["local", { clientId: "one" }, "--client-id is for --web, --device and --client-credentials"],
    ["password", { scope: "a" }, "--scope is for --web"],
    ["token", { issuer: "https://id.example.com" }, "--issuer is for --web"],
    ["token", { clientKey: "k" }, "--client-key is for --web"],
    ["device", { callbackPort: 80 }, "--callback-port is for --web"],
    ["web", { callbackPort: 0 }, "--callback-port must be a port"],
    ["web", { callbackPort: 1.5 }, "--callback-port must be a port"],
    ["web", { callbackPort: 65_536 }, "--callback-port must be a port"],
    ["web", { callbackPort: Number.NaN }, "--callback-port must be a port"],
    ["client", {}, "--client-credentials needs --client-id"],
    ["web", { clientSecretFile: "f" }, "--client-secret-file goes with --client-id"],
    ["web", { clientKey: "f" }, "--client-key goes with --client-id"],
    ["client", { clientId: "c", clientKey: "k", clientSecretFile: "f" }, "are two ways; take one"],
    ["web", { scope: "" }, "--scope takes scopes"],
    ["web", { scope: " a" }, "--scope takes scopes"],
    ["web", { scope: "a  b" }, "--scope takes scopes"],
    ["web", { scope: 'a"b' }, "--scope takes scopes"],
    ["web", { scope: "a\nb" }, "--scope takes scopes"],
  ] as const)("%s refuses %j", (way, options, message) => {
    expect(() => checkClientOptions(options, way)).toThrow(message);
  });
});
