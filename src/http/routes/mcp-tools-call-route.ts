import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Readable } from "node:stream";
import * as z from "zod";
import { addressGroup } from "../../auth/passwords/address-group.ts";
import type { Configuration } from "../../core/configuration.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { CallerContext, Gateway } from "../../gateway/gateway.ts";
import { answerToolCall, restCallerOf } from "../answer-tool-call.ts";
import { knowsArgument, takeArgumentToken, tokenArgument } from "../argument-token.ts";
import { checkedBearer, principalOf, printable } from "../authenticate-request.ts";
import { bodyText, routeLimits, strangersBodyMs } from "../body-text.ts";
import { clientAddress } from "../client-address.ts";
import { HttpError } from "../error-answer.ts";
import type { InFlight } from "../in-flight.ts";
import { createJsonBody } from "../json-body.ts";
import type { OpenAnswers } from "../open-answers.ts";
import { createPlaces, type Places } from "../places.ts";
import { readBody } from "../read-body.ts";
import type { RefusedCalls } from "../refused-calls.ts";
import { selectionOfRequest } from "../selection-of-request.ts";

export interface McpToolsCallRouteOptions {
  gateway: Gateway;
  inFlight: InFlight;
  answers: Pick<OpenAnswers, "belongsTo">;
  refusedCalls: Pick<RefusedCalls, "notLetIn">;
  configuration: Pick<Configuration, "maxBodyBytes" | "trustedProxies">;
}

const path = "/api/mcp/tools/call";
const callBody = z.strictObject({
  tool: z.string().min(1, "must not be empty").max(1000),
  arguments: z.custom<JsonObject>(isJsonObject, "expected an object").optional(),
});

/** What is taken in of somebody who is still a stranger, in bytes, and from how many of them at once; one is a group. */
const mostOfStranger = 1024 * 1024;
const strangers = { inTotal: 64, ofOne: 8 };
/** What all these bodies together may hold, in bytes: four of the largest of one group, and of eight such groups. */
const strangersBytes = { inTotal: 32 * mostOfStranger, ofOne: 4 * mostOfStranger };

/**
 * `POST /api/mcp/tools/call`: a call by the name that MCP clients see. Here alone the bearer may stand in the body, as
 * the argument `auth_token`, where the head shows none; it is taken out before anything else sees the arguments.
 */
export function addMcpToolsCallRoute(
  app: FastifyInstance,
  options: McpToolsCallRouteOptions,
): void {
  const { gateway, inFlight, answers, refusedCalls, configuration } = options;
  const { maxBodyBytes, trustedProxies } = configuration;
  const places = createPlaces(strangers);
  const room = createPlaces(strangersBytes);
  const hintForMore = `With the token in the Authorization header it may be of ${maxBodyBytes} bytes`;

  /** @throws AppError `auth_required`, `auth_rejected`, …; its audit row is written */
  const letIn = async (request: FastifyRequest, body?: unknown): Promise<void> => {
    const token = takeArgumentToken(body);
    try {
      if (token !== undefined && typeof token !== "string") {
        throw new HttpError(400, "usage", `arguments.${tokenArgument}: expected a text`);
      }
      if (token !== undefined) checkedBearer(token, `The token in ${tokenArgument}`);
      // Also of who is refused: it must not stand in the row about that.
      request.bearerInBody = token ?? null;
      request.principal = principalOf(await gateway.authenticate({ bearer: token }));
    } catch (error) {
      refusedCalls.notLetIn(request, toolNameOf(body, token));
      throw error;
    }
  };

  /** @throws HttpError for a body that is not taken in; the audit row of it is written, or will be with the answer */
  const textOfStranger = async (
    request: FastifyRequest,
    payload: Readable,
    take: (from: Places, count: number) => boolean,
  ): Promise<string> => {
    try {
      if (!take(places, 1)) throw tooManyOpen();
      return await bodyText(request, payload, {
        ...(maxBodyBytes <= mostOfStranger
          ? { mostBytes: maxBodyBytes }
          : { mostBytes: mostOfStranger, hint: hintForMore }),
        mostMs: strangersBodyMs,
        mayHold: (moreBytes) => take(room, moreBytes),
      });
    } catch (error) {
      if (error instanceof HttpError && (error.status === 408 || error.status === 503)) {
        refusedCalls.notLetIn(request);
      }
      throw error;
    }
  };

  void app.register((scope, _options, done) => {
    const readJson = createJsonBody(scope);

    /** The body of somebody who has shown nothing yet: bounded, and not even parsed where no token can be in it. */
    const fromStranger = async (request: FastifyRequest, payload: Readable): Promise<unknown> => {
      const group = addressGroup(clientAddress(request.raw, trustedProxies));
      const releases: (() => void)[] = [];
      try {
        const text = await textOfStranger(request, payload, (from, count) => {
          const release = from.take(group, count);
          if (release !== undefined) releases.push(release);
          return release !== undefined;
        });
        const mayShow = text.includes(`"${tokenArgument}"`);
        if (!mayShow) await letIn(request);
        const body = await readJson(request, text);
        if (mayShow) await letIn(request, body);
        return body;
      } finally {
        for (const release of releases) release();
      }
    };

    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      "application/json",
      async (request: FastifyRequest, payload: Readable) =>
        request.principal === null
          ? fromStranger(request, payload)
          : readJson(request, await bodyText(request, payload, routeLimits(request))),
    );
    scope.addContentTypeParser("*", async (request: FastifyRequest) => {
      if (request.principal === null) await letIn(request);
      throw new HttpError(415, "usage", "The request's Content-Type must be application/json");
    });

    const config = { access: "bearer in body", toolCalled: () => "unknown" } as const;
    scope.post(path, { config }, async (request, reply) => {
      const signal = inFlight.begin(reply.raw);
      // Without a body nothing was asked of it yet.
      if (request.principal === null) await letIn(request);
      const selection = selectionOfRequest(gateway, request.raw);
      const caller: CallerContext = { ...restCallerOf(request), selection };
      answers.belongsTo(reply.raw, caller.principal);
      const { tool, arguments: given } = readBody(callBody, request.body);
      await dropForeignToken(gateway, caller, { tool, given });
      const params: JsonObject = given === undefined ? {} : { arguments: given };
      const call = { address: { exposedName: tool }, params, signal };
      return answerToolCall(reply, { gateway, caller, call });
    });
    done();
  });
}

function tooManyOpen(): HttpError {
  return new HttpError(503, "rate_limited", "Too many requests without a header are open", {
    hint: "Show the token in the Authorization header",
    headers: { "retry-after": "1" },
  });
}

/**
 * Takes `auth_token` out of the arguments of who has shown a token elsewhere, unless it is an argument of the tool's
 * own: another text, and one that its schema knows.
 */
async function dropForeignToken(
  gateway: Gateway,
  caller: CallerContext,
  { tool, given }: { tool: string; given: JsonObject | undefined },
): Promise<void> {
  if (given === undefined || !Object.hasOwn(given, tokenArgument)) return;
  const { credential } = caller;
  const knows = (): boolean =>
    knowsArgument(gateway.exposedTool(caller, tool)?.inputSchema, tokenArgument);
  if (credential !== undefined && given[tokenArgument] !== credential) {
    if (knows()) return;
    // Of a server that is still starting nothing is known yet.
    await gateway.started;
    if (knows()) return;
  }
  delete given[tokenArgument];
}

/** The tool that a refused call is for, as its caller says; undefined where that says nothing, or the token too. */
function toolNameOf(body: unknown, token: Json | undefined): string | undefined {
  const tool = isJsonObject(body) ? body["tool"] : undefined;
  if (typeof tool !== "string") return undefined;
  if (typeof token === "string" && token !== "" && tool.includes(token)) return undefined;
  return printable(tool);
}
