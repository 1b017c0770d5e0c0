import { realSource, withServer } from "../calling/open-server.ts";
import type { ServerSource } from "../calling/open-server.ts";
import type { CommandModule } from "../command.ts";
import { jsonText } from "../render/json-text.ts";

export function createInstructions(source: ServerSource): CommandModule {
  return {
    options: {},
    talksToServer: true,
    examples: [
      [
        "agent instructions",
        "what an AI agent needs to know to work with the servers behind the gateway",
      ],
      ["agent instructions --json | jq -r .instructions", "the same from a script"],
    ],
    /** Prints the text; with `--json`: `{instructions: string}`. */
    async run(options, context) {
      const { io } = context;
      await withServer(options, context, source, async (server) => {
        const text = await server.instructions();
        await io.out(
          options.format === "json"
            ? jsonText({ instructions: text }, io)
            : io.foreign(text.endsWith("\n") ? text : `${text}\n`),
        );
      });
    },
  };
}

export const command = createInstructions(realSource);
