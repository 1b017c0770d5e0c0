import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Readable } from "node:stream";
import { z } from "zod";
import type { Configuration } from "../../core/configuration.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { CallerContext, Gateway } from "../../gateway/gateway.ts";
import { answerToolCall, restCallerOf } from "../answer-tool-call.ts";
import { knowsArgument, takeArgumentToken, tokenArgument } from "../argument-token.ts";
import { checkedBearer, principalOf, printable } from "../authenticate-request.ts";
import { clientAddress } from "../client-address.ts";
import { HttpError } from "../error-answer.ts";
import type { InFlight } from "../in-flight.ts";
import { createJsonBody } from "../json-body.ts";
import type { OpenAnswers } from "../open-answers.ts";
import { createPlaces } from "../places.ts";
import { readBody } from "../read-body.ts";
import { readText } from "../read-text.ts";
import type { RefusedCalls } from "../refused-calls.ts";

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

/** What is taken in of somebody who is still a stranger, in bytes, and from how many of them at once. */
const mostOfStranger = 1024 * 1024;
const strangers = { inTotal: 64, ofOne: 8 };

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

  /** @throws AppError `auth_required`, `auth_rejected`, …; its audit row is written */
  const letIn = async (request: FastifyRequest, body?: unknown): Promise<void> => {
    const token = takeArgumentToken(body);
    try {
      if (token !== undefined && typeof token !== "string") {
        throw new HttpError(400, "usage", `arguments.${tokenArgument}: expected a text`);
      }
      if (token !== undefined) checkedBearer(token, `The token in ${tokenArgument}`);
      request.principal = principalOf(await gateway.authenticate({ bearer: token }));
      request.bearerInBody = token ?? null;
    } catch (error) {
      refusedCalls.notLetIn(request, error, toolNameOf(body, token));
      throw error;
    }
  };

  void app.register((scope, _options, done) => {
    const readJson = createJsonBody(scope);

    /** The body of somebody who has shown nothing yet: bounded, and not even parsed where no token can be in it. */
    const fromStranger = async (request: FastifyRequest, payload: Readable): Promise<unknown> => {
      const release = places.take(clientAddress(request.raw, trustedProxies));
      if (release === undefined) {
        throw new HttpError(503, "rate_limited", "Too many requests without a header are open", {
          hint: "Show the token in the Authorization header",
          headers: { "retry-after": "1" },
        });
      }
      try {
        const text = await textOf(request, payload, Math.min(mostOfStranger, maxBodyBytes));
        const mayShow = text.includes(`"${tokenArgument}"`);
        if (!mayShow) await letIn(request);
        const body = await readJson(request, text);
        if (mayShow) await letIn(request, body);
        return body;
      } finally {
        release();
      }
    };

    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      "application/json",
      async (request: FastifyRequest, payload: Readable) =>
        request.principal === null
          ? fromStranger(request, payload)
          : readJson(request, await textOf(request, payload, maxBodyBytes)),
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
      const caller = restCallerOf(request);
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

/** @throws HttpError 413 */
async function textOf(request: FastifyRequest, payload: Readable, most: number): Promise<string> {
  const declared = Number(request.headers["content-length"] ?? 0);
  const text = declared > most ? undefined : await readText(payload, most);
  if (text !== undefined) return text;
  throw new HttpError(413, "usage", `The request's body is larger than ${most} bytes`, {
    ...(request.principal === null ? { hint: "Show the token in the Authorization header" } : {}),
    headers: { connection: "close" },
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
