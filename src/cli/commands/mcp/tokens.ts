import { realSource, withServer } from "../../calling/open-server.ts";
import type { ServerSource } from "../../calling/open-server.ts";
import type { CommandModule } from "../../command.ts";
import { globalOptions } from "../../options.ts";

export function createTokens(source: ServerSource): CommandModule<object> {
  return {
    talksToServer: true,
    options: {
      format: { ...globalOptions.format, choices: ["text", "json", "toon"] },
    },
    about: [
      "Counts what a language model reads before it does anything: each tool as its server lists it, as JSON without white space, and each server's instructions, the most costly first; of a OneDoor gateway also the three tools of /mcp?mode=discover, and what agent instructions prints, which stand in place of the whole list.",
      "Counted with the tokenizer o200k_base; other models count differently.",
    ],
    examples: [
      ["agent mcp tokens", "what each server costs a model"],
      ["agent mcp tokens --json | jq .total", "the sum, for a script"],
    ],
    /**
     * With `--json`: `{tokenizer, total, discover: number|null, instructions: number|null, servers: [{name, state,
     * tokens: {tools, instructions, total}, tools: [{name, tokens}]}]}`, servers and tools by cost; null of another
     * server than a OneDoor gateway.
     */
    async run(options, context) {
      await withServer(options, context, source, async (server) => {
        const { askCosts } = await import("../../tokens/costs.ts");
        const { servers } = await server.inventory();
        const costs = await askCosts(
          server,
          servers.map(({ name }) => name),
          context.deadline.signal,
        );
        const { showAllCosts } = await import("../../tokens/show-all-costs.ts");
        const instructions = server.kind === "onedoor" ? await server.instructions() : undefined;
        await showAllCosts(costs, instructions, options.format, context);
      });
    },
  };
}

export const tokens = createTokens(realSource);
