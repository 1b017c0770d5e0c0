import type { Dispatcher } from "undici";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AskAuthServer, AuthServerAnswer, AuthServerRequest } from "./ask-auth-server.ts";
import { createPlaces } from "./places.ts";
import { whyNotReached } from "./why-not-reached.ts";

export interface UndiciAsk {
  ask: AskAuthServer;
  /** Ends every connection, and what is under way on them; never rejects. */
  close: () => Promise<void>;
}

export interface AskLimits {
  /** From the call to the answer's end, the wait for a place included. */
  timeoutMs: number;
  maxBodyBytes: number;
  atOnce: number;
  /** Of these how many are kept for requests that are not unproven. */
  kept: number;
  /** How many of each kind may wait for a place. */
  waiting: number;
}

const defaultLimits: AskLimits = {
  timeoutMs: 5000,
  maxBodyBytes: 64 * 1024,
  atOnce: 32,
  kept: 8,
  waiting: 256,
};

/**
 * Asks over connections that are kept and used again. One for each auth server: one that hangs takes no place from
 * another. What is sent goes to nobody else: no redirection is followed, no proxy of the environment used.
 */
export function createUndiciAsk(limits: Partial<AskLimits> = {}): UndiciAsk {
  const { timeoutMs, maxBodyBytes, ...numbers } = { ...defaultLimits, ...limits };
  const places = createPlaces(numbers);
  let opened: Promise<Dispatcher> | undefined;
  // Loaded with the first request: undici takes longer to load than most of the program.
  const open = (): Promise<Dispatcher> =>
    (opened ??= import("./undici-agent.ts").then(({ createAgent }) =>
      createAgent({ connections: numbers.atOnce, timeoutMs }),
    ));

  return {
    async ask(request) {
      const dispatcher = await open();
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const taken = await places.take(
          () => askOnce(dispatcher, request, request.maxBodyBytes ?? maxBodyBytes, signal),
          { isUnproven: request.isUnproven ?? false, signal },
        );
        if (taken !== undefined) return taken.result;
        throw new AuthServerUnavailable("Too many requests wait for the auth server");
      } catch (error) {
        throw asUnavailable(error, signal);
      }
    },
    close: async () => {
      await opened?.then((dispatcher) => dispatcher.destroy()).catch(() => undefined);
    },
  };
}

async function askOnce(
  dispatcher: Dispatcher,
  { method, url, headers, body }: AuthServerRequest,
  maxBodyBytes: number,
  signal: AbortSignal,
): Promise<AuthServerAnswer> {
  const { origin, pathname, search } = new URL(url);
  const answer = await dispatcher.request({
    origin,
    path: `${pathname}${search}`,
    method,
    headers: { accept: "application/json", ...headers },
    body: body ?? null,
    signal,
  });
  const { statusCode: status } = answer;
  if (status >= 300 && status < 400) {
    // What ends it is told there as an error, which nobody else listens for.
    answer.body.on("error", () => undefined).destroy();
    throw new AuthServerUnavailable(
      "The auth server answers with a redirection, which is not followed",
    );
  }
  return { status, headers: singleHeaders(answer.headers), body: await read(answer, maxBodyBytes) };
}

async function read({ body }: Dispatcher.ResponseData, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    // Leaving the loop destroys the body, and its connection with it.
    if (length > maxBytes) throw new AuthServerUnavailable("The auth server's answer is too large");
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new AuthServerUnavailable("The auth server's answer is not text");
  }
}

/** In words of our own, for what undici says may hold what was sent. */
function asUnavailable(error: unknown, signal: AbortSignal): AuthServerUnavailable {
  if (error instanceof AuthServerUnavailable) return error;
  if (signal.aborted) return new AuthServerUnavailable("The auth server does not answer in time");
  const why = whyNotReached(error);
  return new AuthServerUnavailable(
    `The auth server is not reached${why === undefined ? "" : `: ${why}`}`,
  );
}

function singleHeaders(
  headers: Dispatcher.ResponseData["headers"],
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
