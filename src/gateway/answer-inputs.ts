import type { ClientPort } from "../core/client-port.ts";
import { AppError, asError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { isInputRequired } from "../core/mcp.ts";
import { abortSignalOf } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { quotedName } from "../core/terminal-text.ts";
import { inputRequestsOf, undeclared } from "./input-required.ts";
import type { InputRequest } from "./input-required.ts";

/** A server that asks again and again would never be done. */
const mostRounds = 10;
/** Before a server is asked again that asked for nothing but that; milliseconds. */
const pauseMs = 250;

/**
 * Calls a server of the modern era for a client of the legacy one: what the server asks for in its result is
 * asked of the client as a request, and the server is called again with the answers.
 * @param first what the server answered
 * @param send sends the request again with what is added to its params
 * @throws AppError `tool_error` when the server asks for something incomprehensible, or for ever; RpcFault
 *   -32021 when it asks for what the client did not declare; the client's RpcFault when that does not answer
 */
export async function answerInputs(
  server: string,
  client: ClientPort,
  signal: StopSignal,
  first: JsonObject,
  send: (retry: JsonObject) => Promise<JsonObject>,
): Promise<JsonObject> {
  let result = first;
  for (let round = 0; isInputRequired(result); round += 1) {
    if (round === mostRounds) {
      const name = quotedName(server);
      throw new AppError("tool_error", `Server ${name} asked ${mostRounds} times for more input`);
    }
    result = await send(await answersTo(result, server, client, signal));
  }
  return result;
}

async function answersTo(
  result: JsonObject,
  server: string,
  client: ClientPort,
  signal: StopSignal,
): Promise<JsonObject> {
  const requests = inputRequestsOf(result, server);
  const fault = undeclared(requests, client.capabilities);
  if (fault !== undefined) throw fault;
  if (requests.length === 0) await pause(signal);
  const answers = await askAll(requests, client, signal);
  const { requestState } = result;
  return {
    ...(answers.length > 0 && { inputResponses: Object.fromEntries(answers) }),
    ...(requestState !== undefined && { requestState }),
  };
}

/** All at once; when one is not answered, the others are not waited for. */
async function askAll(
  requests: readonly InputRequest[],
  client: ClientPort,
  signal: StopSignal,
): Promise<[string, Json][]> {
  const others = new AbortController();
  const bothSignals = AbortSignal.any([abortSignalOf(signal), others.signal]);
  try {
    return await Promise.all(
      requests.map(async ({ key, method, params }): Promise<[string, Json]> => [
        key,
        await client.request(method, params, bothSignals),
      ]),
    );
  } catch (error) {
    others.abort();
    throw error;
  }
}

async function pause(signal: StopSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(asError(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, pauseMs);
    signal.addEventListener("abort", stop, { once: true });
  });
}
