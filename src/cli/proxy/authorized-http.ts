import { AppError } from "../../core/errors.ts";
import type { HttpAnswer, SendHttp } from "../../mcp-client/transport.ts";
import type { FollowedServer, ProxyServer } from "./follow-gateway.ts";
import type { ProxyCredentials } from "./proxy-credentials.ts";

/**
 * HTTP whose requests show the bearer of the moment. A request that is refused with 401 is sent once more
 * when there is another bearer by then; otherwise `onRefused` is told and the 401 goes on to who asked.
 * @param onTaken told of every answer that is no 401
 */
export function createAuthorizedHttp(
  send: SendHttp,
  credentials: ProxyCredentials,
  { onRefused, onTaken }: { onRefused: () => void; onTaken: () => void },
): SendHttp {
  const sendWith = async (
    request: Parameters<SendHttp>[0],
    bearer: string | undefined,
  ): Promise<HttpAnswer> => {
    const headers =
      bearer === undefined
        ? request.headers
        : { ...request.headers, authorization: `Bearer ${bearer}` };
    const answer = await send({ ...request, headers });
    if (answer.status !== 401) onTaken();
    return answer;
  };
  return async (request) => {
    const bearer = await credentials.bearer().catch((error: unknown) => {
      if (error instanceof AppError && error.code.startsWith("auth_")) onRefused();
      throw error;
    });
    const answer = await sendWith(request, bearer);
    if (answer.status !== 401) return answer;
    const other = await credentials.another(bearer).catch(() => undefined);
    if (other === undefined) {
      onRefused();
      return answer;
    }
    await leave(answer);
    const second = await sendWith(request, other);
    if (second.status === 401) onRefused();
    return second;
  };
}

/**
 * HTTP to a server that may come back at another address, each request with what is shown at the one it goes to.
 * @param authorized makes the HTTP of one address
 */
export function createFollowingHttp(
  server: FollowedServer,
  authorized: (server: ProxyServer) => SendHttp,
): SendHttp {
  const { origin: firstOrigin } = new URL(server.current.choice.endpoint);
  let made = { at: server.current, send: authorized(server.current) };
  return async (request) => {
    const at = await server.find();
    if (made.at !== at) made = { at, send: authorized(at) };
    const { send } = made;
    const { origin } = new URL(at.choice.endpoint);
    if (origin === firstOrigin || request.url.origin !== firstOrigin) return send(request);
    const { pathname, search } = request.url;
    return send({ ...request, url: new URL(`${origin}${pathname}${search}`) });
  };
}

/**
 * HTTP to an MCP endpoint that is at one of these addresses: the first that does not say that there is
 * nothing (404, 405) is kept. Requests to other addresses pass unchanged.
 */
export function atFirstThatAnswers(send: SendHttp, addresses: readonly URL[]): SendHttp {
  const [first, ...others] = addresses;
  let found: URL | undefined;
  return async (request) => {
    if (request.url.href !== first?.href) return send(request);
    if (found !== undefined) return send({ ...request, url: found });
    let answer = await send(request);
    let at = first;
    for (const url of others) {
      if (!isNothing(answer.status)) break;
      const next = await send({ ...request, url });
      if (isNothing(next.status)) {
        await leave(next);
        continue;
      }
      await leave(answer);
      answer = next;
      at = url;
    }
    if (!isNothing(answer.status) && answer.status < 500) found = at;
    return answer;
  };
}

function isNothing(status: number): boolean {
  return status === 404 || status === 405;
}

/** Lets go of an answer nobody reads, and so of its connection. */
async function leave({ body }: HttpAnswer): Promise<void> {
  try {
    await body[Symbol.asyncIterator]().return?.();
  } catch {
    // It broke off by itself.
  }
}
