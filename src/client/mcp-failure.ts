import { AppError } from "../core/errors.ts";
import { RpcFault } from "../core/json-rpc.ts";
import { oneLine } from "../core/terminal-text.ts";
import { AnswerFault, OpenFault } from "../mcp-client/mcp-connection.ts";
import { HttpStatusError } from "../mcp-client/transport.ts";
import { errorOfAnswer, errorOfGateway, faultOfAnswer } from "./answer-error.ts";
import { abortReason, cutOff, jsonOrUndefined, shownAddress } from "./http-json.ts";

const hint = "Check that the address is that of an MCP server: most end in /mcp";

export interface Asked {
  url: string;
  /** Whether the question carried a bearer. */
  bearer: boolean;
  signal: AbortSignal;
}

/**
 * What went wrong between us and an MCP server, as an error of ours. Answers that mean the same under any
 * protocol (401, 403, 429, 5xx) mean here what they mean everywhere.
 */
export function mcpFailure(error: unknown, asked: Asked): unknown {
  const { url, signal } = asked;
  if (signal.aborted) return abortReason(signal);
  const where = shownAddress(url);
  const opening = error instanceof OpenFault;
  const cause = opening ? error.cause : error;
  if (cause instanceof AppError) return cause;
  if (cause instanceof HttpStatusError) return refusal(cause, asked);
  if (cause instanceof RpcFault) {
    return new AppError("tool_error", `${where} answered: ${oneLine(cause.message, 1000)}`, {
      cause,
    });
  }
  if (cause instanceof AnswerFault && cause.kind === "ended") {
    if (!opening) return cutOff(url, cause);
    const message = `${where} closed the connection before its answer`;
    return new AppError("unreachable", message, { hint, cause });
  }
  if (!(cause instanceof Error)) return cause;
  const message = `${where} does not answer as an MCP server: ${oneLine(cause.message)}`;
  return new AppError("unreachable", message, { hint, cause });
}

function refusal(cause: HttpStatusError, { url, bearer }: Asked): AppError {
  const { status, headers, body } = cause;
  const answer = { status, headers, json: jsonOrUndefined(body) };
  if (status >= 500) return faultOfAnswer(url, answer);
  if (status === 401 || status === 403 || status === 429) return errorOfAnswer(url, answer, bearer);
  // A gateway says why it does not answer; that there is nothing at this path, our own hint says better.
  const told = errorOfGateway(answer);
  if (told !== undefined && told.code !== "not_found") return told;
  return new AppError("unreachable", `${shownAddress(url)} answered with HTTP ${status}`, {
    hint,
    cause,
  });
}

/** The HTTP status that a failure came with; undefined when there was no answer. */
export function httpStatusOf(error: unknown): number | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; depth++) {
    if (at instanceof HttpStatusError) return at.status;
    at = at.cause;
  }
  return undefined;
}
