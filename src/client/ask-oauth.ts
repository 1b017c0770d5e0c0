import { AppError } from "../core/errors.ts";
import { timeLimit } from "../core/time-limit.ts";
import type { AskServer } from "../oauth/oauth.ts";
import { UntrustedCertificate } from "./connection-failure.ts";
import { openAnswer, readBody } from "./http-json.ts";
import { proxyFor } from "./network.ts";

/** No metadata and no token answer is longer, in bytes. */
const maxAnswerBytes = 1024 * 1024;
/** How long one answer may take, in milliseconds, whatever the command's own deadline is. */
const answerMs = 15_000;

/**
 * Asks authorization servers by the same rules as every other question of ours. What helps there is another thing than
 * at a server that somebody chose.
 */
export const askOAuth: AskServer = async (request) => {
  try {
    return await ask(request);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "unreachable") throw error;
    // What is said of a certificate or of a proxy holds for every server.
    if (error instanceof UntrustedCertificate || proxyFor(new URL(request.url))) throw error;
    const { message, cause } = error;
    const hint = "Where to sign in is named by the server; its operator can put it right";
    throw new AppError("unreachable", message, { hint, cause });
  }
};

const ask: AskServer = async ({ signal, ...request }) => {
  const question = {
    ...request,
    signal: timeLimit(answerMs, signal),
  };
  const answer = await openAnswer(question);
  const { status, headers } = answer;
  return { status, headers, body: await readBody(answer, question, maxAnswerBytes) };
};
