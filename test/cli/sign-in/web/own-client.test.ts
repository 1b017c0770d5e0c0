import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { oauthDependencies } from "../../../../src/cli/sign-in/oauth-dependencies.ts";
import { ownClient } from "../../../../src/cli/sign-in/web/own-client.ts";
import type { OAuthClient } from "../../../../src/oauth/oauth.ts";
import { Terminal } from "./support/terminal.ts";
import { targetOf } from "./support/target-of.ts";

const issuer = "https://id.example.com";
const redirectUri = "http://127.0.0.1:4321/callback";
const kept: OAuthClient = { id: "kept", authentication: "none" };

/** At a server that registers nobody. */
function choose(
  terminal: Terminal,
  choice: Parameters<typeof ownClient>[1] = {},
): Promise<OAuthClient> {
  const target = targetOf(issuer);
  const { context } = terminal;
  return ownClient(
    { ...target, server: { ...target.server, registrationEndpoint: undefined } },
    choice,
    { redirectUri, grantTypes: ["authorization_code"] },
    context,
    oauthDependencies(context),
  );
}

/** Keys, and whether they were shown when they were typed. */
function typing(keys: string, variables: Record<string, string> = {}) {
  const terminal = new Terminal({ variables });
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    setRawMode: (mode: boolean): void => void modes.push(mode),
  });
  stdin.write(keys);
  Object.assign(terminal.context.io, { stdin });
  return { terminal, modes };
}

describe("where a server registers nobody and no client was given, the person", () => {
  it("is told the redirect URI and names the client", async () => {
    const { terminal } = typing("mine\n\r");
    expect(await choose(terminal)).toEqual({ id: "mine", authentication: "none" });
    expect(terminal.notes).toEqual([
      `id.example.com registers no clients by itself: it wants one that was registered there by hand. Its redirect URI: ${redirectUri} (--callback-port keeps the port)`,
      "Client id:",
      "Client secret (Enter for none):",
    ]);
  });

  it("types its secret unseen", async () => {
    const { terminal, modes } = typing("mine\nthe-client-secret\r");
    expect(await choose(terminal)).toMatchObject({ id: "mine", secret: "the-client-secret" });
    expect(modes).toEqual([true, false]);
    expect(terminal.secrets.mask("the-client-secret")).toBe("****");
  });

  it.each(["\n", "\u0004"])("may know of none: %j", async (keys) => {
    const { terminal } = typing(keys);
    await expect(choose(terminal)).rejects.toMatchObject({
      code: "usage",
      hint: expect.stringContaining("--client-id"),
    });
  });

  it("is not asked where there is one, or nobody sits", async () => {
    const known = typing("mine\n\r");
    expect(await choose(known.terminal, { given: kept })).toMatchObject({ id: "kept" });
    expect(await choose(known.terminal, { kept: { issuer, client: kept } })).toEqual(kept);
    expect(known.terminal.notes).toEqual([]);
    const { terminal } = typing("mine\n\r", { CI: "1" });
    await expect(choose(terminal)).rejects.toMatchObject({ code: "usage" });
    expect(terminal.notes).toEqual([]);
  });
});
