import type { FastifyRequest } from "fastify";
import type { Gateway } from "../gateway/gateway.ts";
import { selfDescription } from "./authenticate-request.ts";

/**
 * Writes audit rows of tool calls that come to no gateway: who makes them is not let in, for whatever reason, or their
 * body is not read.
 */
export interface RefusedCalls {
  /**
   * Of a request that failed on its way in, where its route calls tools: for its sender or its place of origin, for
   * showing tokens in ways that contradict each other, or because nobody can say now who sends it.
   */
  notLetIn(request: FastifyRequest, toolName?: string): void;
  /**
   * Of a request whose answer ended: with 413 or 415 it is one, where its route calls tools.
   * @param status undefined when no answer was begun
   */
  notRead(request: FastifyRequest, status: number | undefined): void;
}

export function createRefusedCalls(gateway: Pick<Gateway, "recordRefusal">): RefusedCalls {
  const record = (
    { raw, routeOptions, principal, bearerInBody }: FastifyRequest,
    known?: string,
  ): void => {
    const toolName = known ?? routeOptions.config.toolCalled?.(raw);
    if (toolName === undefined) return;
    gateway.recordRefusal(toolName, {
      ...selfDescription(raw),
      principal: principal ?? undefined,
      credential: bearerInBody ?? undefined,
    });
  };
  return {
    notLetIn: (request, toolName) => record(request, toolName),
    notRead(request, status) {
      if (status === 413 || status === 415) record(request);
    },
  };
}
