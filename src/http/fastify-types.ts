import type { Principal } from "../core/principal.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether a route answers without a sign-in; every other route asks for one. */
    access?: "public";
  }
  interface FastifyRequest {
    /** Set before the handler of every route that is not public. */
    principal: Principal | null;
  }
}
