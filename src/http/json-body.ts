import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Readable } from "node:stream";
import { costFault } from "../mcp/read-json.ts";
import { bodyText, routeLimits } from "./body-text.ts";
import { HttpError } from "./error-answer.ts";

/** A body's text as JSON, undefined when it is empty. Rejects with what is answered with 400. */
export type ReadJsonBody = (request: FastifyRequest, text: string) => Promise<unknown>;

/** What would cost too much, or forge a prototype, is refused. */
export function createJsonBody(app: FastifyInstance): ReadJsonBody {
  const parse = app.getDefaultJsonParser("error", "error");
  return (request, text) =>
    new Promise((resolve, reject) => {
      const fault = costFault(text);
      if (text === "") resolve(undefined);
      else if (fault !== undefined) reject(new HttpError(400, "usage", fault));
      else {
        void parse(request, text, (error, value) => {
          if (error) reject(error);
          else resolve(value);
        });
      }
    });
}

/** A body is JSON or refused with 415; an empty one, as `POST /auth/logout` may have, is none. */
export function acceptJsonOnly(app: FastifyInstance): void {
  const read = createJsonBody(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", async (request: FastifyRequest, payload: Readable) =>
    read(request, await bodyText(request, payload, routeLimits(request))),
  );
}
