import type { OpenConfiguration } from "../../config/edit-configuration.ts";
import type { JsonObject } from "../../core/json.ts";
import type { StoreKind } from "../../profiles/profile.ts";
import type { KeptSecret } from "../../profiles/server-secrets.ts";
import type { Context } from "../context.ts";
import type { McpDependencies } from "./mcp-dependencies.ts";

/**
 * Keeps the secrets, then saves the file: a gateway that reads it finds them. Where one of it fails, the secrets are as
 * they were; of one that is not, it is said.
 * @param values by the secret's name
 * @param store where to keep them, if that was said
 * @throws AppError `store_unavailable`; what `save` throws
 */
export async function keepAndSave(
  opened: OpenConfiguration,
  servers: readonly { name: string; entry: JsonObject }[],
  { values, store }: { values: ReadonlyMap<string, string>; store: StoreKind | undefined },
  context: Context,
  dependencies: Pick<McpDependencies, "openSecrets">,
): Promise<void> {
  const done: { name: string; kept: KeptSecret }[] = [];
  try {
    if (values.size > 0) {
      const secrets = await dependencies.openSecrets(context);
      for (const [name, value] of values) {
        // A locked keychain is opened by a person.
        const kept = await context.deadline.outside(() => secrets.set(name, value, store));
        done.push({ name, kept });
        const { description } = kept.store;
        const { keychainAbsence: absence } = kept;
        if (absence === undefined) context.io.note(`Kept ${name} in ${description}`);
        else {
          const note = `No keychain here (${absence}); kept ${name} in ${description}`;
          context.io.note(note, { always: true });
        }
      }
    }
    await opened.save(
      servers.map(({ name, entry }) => ({ path: ["mcpServers", name], value: entry })),
    );
  } catch (error) {
    for (const { name, kept } of done.toReversed()) {
      try {
        await context.deadline.outside(() => kept.restore());
      } catch (failure) {
        const why = failure instanceof Error ? failure.message : String(failure);
        context.io.note(`The secret ${name} is the new one now, since ${why}`, { always: true });
      }
    }
    throw error;
  }
}
