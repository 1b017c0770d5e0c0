import { missingCapability } from "../core/asked-capability.ts";
import type { ClientPort } from "../core/client-port.ts";
import { AppError, asError } from "../core/errors.ts";
import { rpcCodes, RpcFault } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { mostInputRequests } from "./input-required.ts";
import { RequestFault } from "./request-fault.ts";
import { invalidState } from "./request-state.ts";
import type { StopSignal } from "../core/stop-signal.ts";

/** One request of a client: what a call serves until it is answered or parked. */
export interface Attendance {
  client: ClientPort;
  signal: StopSignal;
  onProgress?: ((params: JsonObject) => void) | undefined;
}

export type Turn =
  | { kind: "done"; result: JsonObject }
  /** The server asks the client; whoever brings the answers names this turn. */
  | { kind: "asks"; turn: string; inputRequests: JsonObject };

/** Sends the request to the upstream server, which may ask the client meanwhile. */
export type SendCall = (attendance: Attendance) => Promise<JsonObject>;

/**
 * Calls of servers that ask while they work (the legacy era), for clients that cannot be asked but answer
 * when they come again (the modern era). What the server asks ends the client's request; the call stays
 * alive, parked, until the client comes back with answers, for a limited time.
 */
export interface ParkedCalls {
  /** @throws what `send` throws; AppError `rate_limited` when too many calls wait for answers */
  start(principal: string, attendance: Attendance, send: SendCall): Promise<Turn>;
  /**
   * Goes on with a parked call. What is not answered is asked again.
   * @throws as `start`; RequestFault when there is no such turn (any more), or what came are no answers
   */
  resume(turn: string, inputResponses: Json | undefined, attendance: Attendance): Promise<Turn>;
  /** Ends all calls that are parked. */
  close(): void;
}

export interface ParkedCallsOptions {
  newTurn: () => string;
  /** How long a call stays parked, in milliseconds. */
  limitMs: number;
  mostPerPrincipal: number;
  mostInAll: number;
}

/** Servers that ask several things at once need not do so in one breath; milliseconds. */
const gatherMs = 10;

interface Question {
  method: string;
  params: JsonObject;
  answer: (result: JsonObject) => void;
  fail: (reason: unknown) => void;
}

interface Call {
  attend(attendance: Attendance, inputResponses?: JsonObject): Promise<Turn>;
  abort(reason: unknown): void;
  /** What waits for an answer, by key. */
  questions: ReadonlyMap<string, Question>;
}

export function createParkedCalls(options: ParkedCallsOptions): ParkedCalls {
  const { newTurn, limitMs, mostPerPrincipal, mostInAll } = options;
  const parked = new Map<string, { call: Call; expiry: NodeJS.Timeout }>();
  const places = createPlaces(mostPerPrincipal, mostInAll);

  const park = (call: Call): string => {
    const turn = newTurn();
    const expiry = setTimeout(() => {
      parked.delete(turn);
      call.abort(
        new AppError("timeout", `Nobody answered what the server asked within ${limitMs / 1000} s`),
      );
    }, limitMs);
    expiry.unref();
    parked.set(turn, { call, expiry });
    return turn;
  };

  return {
    start: (principal, attendance, send) =>
      createCall(attendance.client, send, park, places.of(principal)).attend(attendance),
    async resume(turn, inputResponses, attendance) {
      const found = parked.get(turn);
      if (found === undefined) throw invalidState("has expired or was used before");
      const { call, expiry } = found;
      const answers = answersOf(inputResponses, call.questions);
      parked.delete(turn);
      clearTimeout(expiry);
      return call.attend(attendance, answers);
    },
    close() {
      const reason = new AppError("upstream_unavailable", "The gateway is stopping");
      for (const { call, expiry } of parked.values()) {
        clearTimeout(expiry);
        call.abort(reason);
      }
      parked.clear();
    },
  };
}

function createCall(
  client: ClientPort,
  send: SendCall,
  park: (call: Call) => string,
  place: Place,
): Call {
  const upstreamCall = new AbortController();
  const questions = new Map<string, Question>();
  let asked = 0;
  let attended:
    | { attendance: Attendance; settle: (turn: Promise<Turn> | Turn) => void }
    | undefined;
  let outcome: Promise<Turn> | undefined;
  let gathering: NodeJS.Timeout | undefined;
  const detach = (): typeof attended => {
    clearTimeout(gathering);
    gathering = undefined;
    const last = attended;
    attended = undefined;
    last?.attendance.signal.removeEventListener("abort", onGone);
    return last;
  };

  /** The client went away while its request was served: nobody will ever come back for this call. */
  const onGone = (): void => {
    const last = detach();
    const reason: unknown = last?.attendance.signal.reason;
    upstreamCall.abort(reason);
    place.release();
    last?.settle(Promise.reject(asError(reason)));
  };

  const deliver = (end: Promise<Turn>): void => {
    place.release();
    detach()?.settle(end);
  };

  const askNow = (): void => {
    const last = questions.size > 0 ? detach() : undefined;
    last?.settle({ kind: "asks", turn: park(call), inputRequests: asInputRequests(questions) });
  };

  const askSoon = (): void => {
    if (attended !== undefined) gathering ??= setTimeout(askNow, gatherMs);
  };

  const port: ClientPort & { caller: ClientPort["caller"] } = {
    era: client.era,
    owner: client.owner,
    // Of who came for it last: between two requests of a client its token may have been replaced.
    caller: client.caller,
    capabilities: client.capabilities,
    session: client.session,
    logLevel: client.logLevel,
    // What it says goes to the newest request; while there is none, nobody hears it.
    notify: (method, params) => attended?.attendance.client.notify(method, params),
    async request(method, params, signal) {
      const missing = missingCapability(method, params, client.capabilities);
      if (missing !== undefined) {
        const names = Object.keys(missing).join(", ");
        throw new RpcFault({
          code: rpcCodes.methodNotFound,
          message: `The client did not declare: ${names}`,
        });
      }
      if (questions.size >= mostInputRequests) {
        throw new RpcFault({
          code: rpcCodes.internalError,
          message: `The client is asked ${mostInputRequests} things already`,
        });
      }
      if (!place.take()) {
        upstreamCall.abort(
          new AppError("rate_limited", "Too many calls wait for answers of their clients", {
            hint: "Answer or cancel those first",
          }),
        );
      }
      upstreamCall.signal.throwIfAborted();
      signal.throwIfAborted();
      asked += 1;
      const key = `input-${asked}`;
      return new Promise<JsonObject>((resolve, reject) => {
        const done = (): void => {
          questions.delete(key);
          signal.removeEventListener("abort", onAbort);
        };
        const fail = (reason: unknown): void => {
          done();
          reject(asError(reason));
        };
        const onAbort = (): void => {
          fail(signal.reason);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        const answer = (result: JsonObject): void => {
          done();
          resolve(result);
        };
        questions.set(key, { method, params, answer, fail });
        askSoon();
      });
    },
  };

  const run = async (): Promise<Turn> => {
    try {
      const result = await send({
        client: port,
        signal: upstreamCall.signal,
        onProgress: (params) => attended?.attendance.onProgress?.(params),
      });
      return { kind: "done", result };
    } finally {
      const gone = new Error("The call is over");
      for (const question of questions.values()) question.fail(gone);
    }
  };

  const call: Call = {
    questions,
    abort(reason) {
      upstreamCall.abort(reason);
      place.release();
    },
    attend(attendance, inputResponses = {}) {
      if (attendance.signal.aborted) {
        upstreamCall.abort(attendance.signal.reason);
        return Promise.reject(asError(attendance.signal.reason));
      }
      return new Promise<Turn>((resolve) => {
        attended = { attendance, settle: resolve };
        port.caller = attendance.client.caller;
        attendance.signal.addEventListener("abort", onGone, { once: true });
        for (const [key, { answer }] of questions) {
          const given = Object.hasOwn(inputResponses, key) ? inputResponses[key] : undefined;
          if (isJsonObject(given)) answer(given);
        }
        if (outcome !== undefined) {
          deliver(outcome);
          return;
        }
        if (asked > 0) {
          askNow();
          return;
        }
        const running = run();
        const settle = (): void => {
          outcome = running;
          if (attended !== undefined) deliver(running);
        };
        running.then(settle, settle);
      });
    },
  };
  return call;
}

function asInputRequests(questions: ReadonlyMap<string, Question>): JsonObject {
  return Object.fromEntries(
    Array.from(questions, ([key, { method, params }]) => [key, { method, params }]),
  );
}

/** @throws RequestFault for what are no answers; those that nobody asked for are nobody's business */
function answersOf(
  inputResponses: Json | undefined,
  questions: ReadonlyMap<string, Question>,
): JsonObject {
  const answers = inputResponses ?? {};
  if (!isJsonObject(answers) || inputResponses === null) throw noObject("inputResponses");
  for (const key of questions.keys()) {
    if (Object.hasOwn(answers, key) && !isJsonObject(answers[key])) {
      throw noObject(`inputResponses.${key}`);
    }
  }
  return answers;
}

function noObject(what: string): RequestFault {
  return new RequestFault(`${what} must be an object`);
}

/** A call's place among those that may wait; it has one from its first question until its client has its end. */
interface Place {
  /** False when there is none left. */
  take(): boolean;
  release(): void;
}

function createPlaces(
  mostPerPrincipal: number,
  mostInAll: number,
): { of: (principal: string) => Place } {
  const taken = new Map<string, number>();
  let inAll = 0;
  const change = (principal: string, by: 1 | -1): void => {
    const count = (taken.get(principal) ?? 0) + by;
    inAll += by;
    if (count === 0) taken.delete(principal);
    else taken.set(principal, count);
  };
  return {
    of(principal) {
      let has = false;
      return {
        take() {
          if (has) return true;
          has = (taken.get(principal) ?? 0) < mostPerPrincipal && inAll < mostInAll;
          if (has) change(principal, 1);
          return has;
        },
        release() {
          if (has) change(principal, -1);
          has = false;
        },
      };
    },
  };
}
