import type { FastifyRequest } from "fastify";
import type { Gateway } from "../gateway/gateway.ts";
import { selfDescription } from "./authenticate-request.ts";
import { errorAnswerOf } from "./error-answer.ts";

/** Writes audit rows of tool calls that come to no gateway: who makes them is not let in, or their body is not read. */
export interface RefusedCalls {
  /** Of a request that failed on its way in: with 401 or 403 it is one, where its route calls tools. */
  notLetIn(request: FastifyRequest, error: unknown, toolName?: string): void;
  /** Of a request that was answered: with 413 or 415 it is one, where its route calls tools. */
  notRead(request: FastifyRequest, status: number): void;
}

export function createRefusedCalls(gateway: Pick<Gateway, "recordRefusal">): RefusedCalls {
  const record = ({ raw, routeOptions, principal }: FastifyRequest, known?: string): void => {
    const toolName = known ?? routeOptions.config.toolCalled?.(raw);
    if (toolName === undefined) return;
    gateway.recordRefusal(toolName, { ...selfDescription(raw), principal: principal ?? undefined });
  };
  return {
    notLetIn(request, error, toolName) {
      const { status } = errorAnswerOf(error);
      if (status === 401 || status === 403) record(request, toolName);
    },
    notRead(request, status) {
      if (status === 413 || status === 415) record(request);
    },
  };
}
