import type { IncomingMessage } from "node:http";
import type { Principal, Role } from "../core/principal.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /**
     * `public`: the route answers without a sign-in; every other asks for one. `bearer in body`: one that shows
     * nothing in its head is judged by the route itself, while it takes in the body.
     */
    access?: "public" | "bearer in body";
    /** Whether the bearer may be the query's `token` (clients of HTTP+SSE). */
    tokenInQuery?: true;
    /** The role without which a request comes to nothing else, not even to the reading of its body. */
    needs?: Role;
    /** Whether a token that the local proof gave for administration is good here. */
    localProof?: true;
    /** The tool that a request to this route calls, by its head alone: for the audit of who is not let in. */
    toolCalled?: (request: IncomingMessage) => string | undefined;
  }
  interface FastifyRequest {
    /** Set before the handler of every route that is not public. */
    principal: Principal | null;
    /** The bearer that was shown in the head, once the request is let in; null where none was. */
    bearer: string | null;
    /** The bearer that was shown in the body, which it was removed from; null where none was. */
    bearerInBody: string | null;
  }
}
