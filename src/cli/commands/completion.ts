import type { CommandModule } from "../command.ts";
import type { CompletedCommand } from "../completion/completion-model.ts";

export interface CompletionOptions {
  shell: "bash" | "zsh" | "fish";
}

export const command: CommandModule<CompletionOptions> = {
  talksToServer: false,
  options: {},
  positionals: [
    {
      name: "shell",
      describe: "bash, zsh or fish",
      required: true,
      choices: ["bash", "zsh", "fish"],
    },
  ],
  examples: [
    ['eval "$(agent completion bash)"', "in ~/.bashrc"],
    ['eval "$(agent completion zsh)"', "in ~/.zshrc, after compinit"],
    ["agent completion fish > ~/.config/fish/completions/agent.fish", "once"],
  ],
  async run({ shell }, { io }) {
    const { completionModel } = await import("../completion/completion-model.ts");
    const { commandGroups, commandTable } = await import("../table.ts");
    const commands = await completionModel(commandTable, commandGroups);
    await io.out(await scriptFor(shell, commands));
  },
};

async function scriptFor(
  shell: CompletionOptions["shell"],
  commands: readonly CompletedCommand[],
): Promise<string> {
  switch (shell) {
    case "bash":
      return (await import("../completion/bash-completion.ts")).bashCompletion(commands);
    case "zsh":
      return (await import("../completion/zsh-completion.ts")).zshCompletion(commands);
    case "fish":
      return (await import("../completion/fish-completion.ts")).fishCompletion(commands);
  }
}
