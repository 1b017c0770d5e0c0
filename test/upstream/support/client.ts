import { RpcFault } from "../../../src/core/json-rpc.ts";
import type { ClientPort, ClientSession } from "../../../src/core/client-port.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { LogLevel } from "../../../src/core/mcp.ts";

/** What a fake client was asked and told, in order. */
export interface Heard {
  readonly asked: { method: string; params: JsonObject }[];
  readonly told: { method: string; params: JsonObject }[];
}

export interface FakeSession extends ClientSession, Heard {
  logLevel: LogLevel | undefined;
  end(): void;
  /** A request of this session's client. */
  readonly port: ClientPort & Heard;
}

type Answer = (method: string, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;

function listener(name: string, answer: Answer | undefined) {
  const asked: Heard["asked"] = [];
  const told: Heard["told"] = [];
  return {
    asked,
    told,
    request(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonObject> {
      asked.push({ method, params });
      if (answer !== undefined) return answer(method, params, signal);
      if (method === "unknown") {
        return Promise.reject(new RpcFault({ code: -32_601, message: "Method not found" }));
      }
      return Promise.resolve({ by: name });
    },
    notify(method: string, params: JsonObject): void {
      told.push({ method, params });
    },
  };
}

/** A legacy client with an MCP session; it answers what it is asked with its name, or as `answer` says. */
export function fakeSession(
  name: string,
  capabilities: JsonObject = { elicitation: {}, roots: {} },
  answer?: Answer,
  owner = "somebody",
): FakeSession {
  const ended = new AbortController();
  const session: Omit<FakeSession, "port"> = {
    id: name,
    capabilities,
    logLevel: undefined,
    ended: ended.signal,
    end: () => ended.abort(),
    ...listener(name, answer),
  };
  const port: FakeSession["port"] = {
    era: "legacy",
    owner,
    capabilities,
    get session() {
      return full;
    },
    get logLevel() {
      return full.logLevel;
    },
    ...listener(name, answer),
  };
  const full: FakeSession = Object.assign(session, { port });
  return full;
}

/** A modern client, which has no session. */
export function fakeModernClient(
  owner: string,
  capabilities: JsonObject = { elicitation: {} },
  answer?: Answer,
): ClientPort & Heard {
  return {
    era: "modern",
    owner,
    capabilities,
    session: undefined,
    logLevel: undefined,
    ...listener(owner, answer),
  };
}
