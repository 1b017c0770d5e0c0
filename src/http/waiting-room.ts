import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError } from "../core/errors.ts";
import { alive, asksIfAlive } from "./alive.ts";
import type { Answerer } from "./answerer.ts";
import { errorAnswerOf } from "./error-answer.ts";
import { stoppingError } from "./in-flight.ts";
import type { RequestGuard } from "./request-guard.ts";

/** Answers while what answers for good is still being made. */
export interface WaitingRoom extends Answerer {
  /** Hands on whoever waits, in the order in which they came. */
  empty(next: Answerer): void;
}

interface Waiting {
  request: IncomingMessage;
  response: ServerResponse;
}

/** For less than a second. What is not read yet waits in the connection: a head and a piece of the body in memory each. */
const mostWaiting = 500;

/**
 * Says that the process lives, as the app will, and has everything else wait: who gets in, what a path is and what
 * the audit and the metrics note is the app's alone to know.
 * @param guard the one that the app has
 * @param most requests that may wait; beyond it they are answered 503
 */
export function createWaitingRoom(guard: RequestGuard, most = mostWaiting): WaitingRoom {
  const waiting = new Set<Waiting>();

  /** @param failure to be answered with, instead of that it lives */
  const answerNow = ({ request, response }: Waiting, failure?: AppError): void => {
    try {
      guard.admit(request, response);
      if (failure !== undefined) throw failure;
      send(response, 200, {}, alive);
    } catch (thrown) {
      const { status, headers, error } = errorAnswerOf(thrown);
      send(response, status, headers, error.toBody());
    }
  };

  return {
    answer(request, response) {
      const arrived: Waiting = { request, response };
      if (asksIfAlive(request)) {
        answerNow(arrived);
      } else if (waiting.size >= most) {
        answerNow(arrived, startingError());
      } else {
        waiting.add(arrived);
        // Of one with a body that nobody reads yet it is not known: Node reads its connection no further.
        response.once("close", () => waiting.delete(arrived));
      }
    },
    empty(next) {
      const all = [...waiting];
      waiting.clear();
      for (const { request, response } of all) next.answer(request, response);
    },
    // Nobody will come for them any more.
    endStreams() {
      for (const each of waiting) answerNow(each, stoppingError());
      waiting.clear();
    },
    cancelAll: () => undefined,
    close: () => Promise.resolve(),
  };
}

function startingError(): AppError {
  return new AppError("upstream_unavailable", "The gateway is starting, and too many wait for it", {
    hint: "Try again in a second",
    retryAfterSeconds: 1,
  });
}

/** The app's form of an answer. */
function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: object,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
