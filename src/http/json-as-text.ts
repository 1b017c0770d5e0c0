import type { FastifyInstance } from "fastify";

/** Leaves a JSON body as it came: a fault in it is JSON-RPC's to answer. Other types of bodies are refused. */
export function takeJsonAsText(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, next) => {
    next(null, body);
  });
}
