import { startAgent } from "./agent.ts";
import type { RunningAgent } from "./agent.ts";
import type { Home } from "./home.ts";

export interface Message {
  id?: string | number | null;
  method?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever a test reads of it
  params?: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  result?: any;
  error?: { code: number; message: string; data?: unknown };
}

/** A client that speaks MCP to `agent proxy` line by line. */
export interface McpLines {
  readonly agent: RunningAgent;
  /** All that came, in order. */
  messages: () => Message[];
  send: (message: object) => void;
  /** Sends a request and resolves with its answer. */
  ask: (method: string, params?: object) => Promise<Message>;
  /** Resolves with the first message after the `from`th that is like this. */
  waitFor: (isIt: (message: Message) => boolean, from?: number) => Promise<Message>;
  /** `initialize`, and its answer. */
  begin: (capabilities?: object) => Promise<Message>;
}

export function startProxy(
  home: Home,
  args: readonly string[] = [],
  env: Readonly<Record<string, string | undefined>> = {},
): McpLines {
  const agent = startAgent(["proxy", ...args], { home, env, stdin: "open" });
  agent.process.stdin?.on("error", () => undefined);
  let ids = 0;
  const messages = (): Message[] =>
    agent.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  const send = (message: object): void => {
    agent.process.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  };
  const waitFor = (isIt: (message: Message) => boolean, from = 0): Promise<Message> =>
    new Promise((resolve, reject) => {
      const look = (): boolean => {
        const found = messages().slice(from).find(isIt);
        if (found !== undefined) resolve(found);
        return found !== undefined;
      };
      if (look()) return;
      agent.process.stdout?.setMaxListeners(0).on("data", look);
      const giveUp = async (): Promise<void> => {
        const { stdout, stderr } = await agent.ended;
        if (!look()) reject(new Error(`ended without it:\n${stdout}${stderr}`));
      };
      giveUp().catch(reject);
    });
  const ask = (method: string, params: object = {}): Promise<Message> => {
    const id = (ids += 1);
    send({ id, method, params });
    return waitFor((message) => message.id === id && message.method === undefined);
  };
  return {
    agent,
    messages,
    send,
    ask,
    waitFor,
    async begin(capabilities = {}) {
      const clientInfo = { name: "desk", version: "1" };
      const params = { protocolVersion: "2025-11-25", capabilities, clientInfo };
      const answer = await ask("initialize", params);
      send({ method: "notifications/initialized" });
      return answer;
    },
  };
}
