import { expect, it } from "vitest";
import { createDescribedHttp } from "../../../src/cli/proxy/described-http.ts";
import type { ProxiedClient } from "../../../src/cli/proxy/described-http.ts";
import type { SendHttp } from "../../../src/mcp-client/transport.ts";

it("says of the client what is known at the moment, and nothing to who is no gateway", async () => {
  const sent: Readonly<Record<string, string>>[] = [];
  const send: SendHttp = ({ headers }) => {
    sent.push(headers);
    return Promise.reject(new Error("sent"));
  };
  let said: ProxiedClient | undefined = { projectId: "shop" };
  const described = createDescribedHttp(send, () => said);
  const ask = async (): Promise<void> => {
    const request = {
      method: "POST" as const,
      url: new URL("http://127.0.0.1:3050/mcp"),
      headers: { accept: "x" },
      signal: new AbortController().signal,
    };
    await expect(described(request)).rejects.toThrow("sent");
  };
  await ask();
  said = { ...said, clientName: "Claude\r\nX-Evil: 1", sessionId: "läuft" };
  await ask();
  said = undefined;
  await ask();
  expect(sent).toEqual([
    { accept: "x", "x-onedoor-project": "shop" },
    {
      accept: "x",
      "x-onedoor-project": "shop",
      "x-onedoor-client": "Claude??X-Evil: 1",
      "x-onedoor-session": "l?uft",
    },
    { accept: "x" },
  ]);
});
