import type { FastifyRequest } from "fastify";
import type { Administration } from "../../administration/administration.ts";
import type { Principal } from "../../core/principal.ts";
import { principalOf } from "../authenticate-request.ts";

export interface AdministrationRoutesOptions {
  administration: Administration;
}

/** Who is no administrator of anything learns only that. What one may administer, `Administration` decides. */
export const administrators = { needs: "admin", localProof: true } as const;

export const adminFolder = "/api/v1/admin";

/** Who acts. */
export function actorOf({ principal }: Pick<FastifyRequest, "principal">): Principal {
  // Without a principal no handler of a protected route runs; should one ever, it must not go on.
  return principal ?? principalOf({ kind: "absent" });
}
