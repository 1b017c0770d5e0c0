import { inProject, realSource, withServer } from "../calling/open-server.ts";
import type { ServerSource } from "../calling/open-server.ts";
import type { CommandModule } from "../command.ts";
import { selectionOptions } from "../options.ts";
import { jsonText } from "../render/json-text.ts";
import type { SelectionOptions } from "../selection/chosen-servers.ts";

export function createInstructions(source: ServerSource): CommandModule<SelectionOptions> {
  return {
    options: { ...selectionOptions },
    talksToServer: true,
    examples: [
      [
        "agent instructions",
        "what an AI agent needs to know to work with the servers behind the gateway",
      ],
      ["agent instructions --tags web,db", "of the servers that have one of these tags"],
      ["agent instructions --json | jq -r .instructions", "the same from a script"],
    ],
    /** Prints the text; with `--json`: `{instructions: string}`. */
    async run(options, context) {
      const { io } = context;
      const calling = await inProject(options, context, source);
      await withServer(calling, context, source, async (server) => {
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
