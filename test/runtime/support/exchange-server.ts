import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import type { CliTokenExchange } from "../../../src/auth/cli-token-exchange.ts";
import { AppError } from "../../../src/core/errors.ts";
import { isJsonObject } from "../../../src/core/json.ts";
import { dialledAddress } from "../../../src/runtime/local-proof.ts";
import { listen } from "./listen.ts";
import type { Listening } from "./listen.ts";

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const statuses: Record<string, number> = { forbidden: 403, rate_limited: 429, usage: 400 };

/** `POST /auth/cli-token` and nothing else, on a real exchange: the honest gateway of these tests. */
export function startExchangeServer(
  exchange: CliTokenExchange,
  host = "127.0.0.1",
): Promise<Listening> {
  const answer = async (body: unknown, address: string): Promise<[number, object]> => {
    const asked = isJsonObject(body) ? body : {};
    const clientNonce = text(asked["clientNonce"]);
    try {
      if (asked["serverNonce"] === undefined) {
        return [200, exchange.challenge({ clientNonce, address })];
      }
      const [serverNonce, proof] = [text(asked["serverNonce"]), text(asked["proof"])];
      const purpose = asked["purpose"] === "administration" ? asked["purpose"] : undefined;
      const minted = await exchange.redeem({ clientNonce, serverNonce, proof, address, purpose });
      const { token, tokenId, expiresAtMs, userId, role } = minted;
      return [
        200,
        {
          access_token: token,
          token_type: "Bearer",
          expires_in: Math.round((expiresAtMs - Date.now()) / 1000),
          token_id: tokenId,
          user: { id: userId, name: userId },
          role,
        },
      ];
    } catch (error) {
      const known = error instanceof AppError ? error : new AppError("internal", "failed");
      return [statuses[known.code] ?? 500, known.toBody()];
    }
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { localAddress = "", localPort = 0 } = request.socket;
    const [status, reply] = await answer(
      await json(request),
      dialledAddress(localAddress, localPort),
    );
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(reply));
  };
  const server = createServer((request, response) => void serve(request, response));
  return listen(server, host);
}
