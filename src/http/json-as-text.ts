import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Readable } from "node:stream";
import { bodyText, routeLimits } from "./body-text.ts";

/** Leaves a JSON body as it came: a fault in it is JSON-RPC's to answer. Other types of bodies are refused. */
export function takeJsonAsText(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("application/json", (request: FastifyRequest, payload: Readable) =>
    bodyText(request, payload, routeLimits(request)),
  );
}
