import type { Preset, Presets, ServerConfiguration } from "../core/configuration.ts";
import { isGatewayAdministrator, seesServer } from "../core/permissions.ts";
import { presetSummary } from "../core/preset-summary.ts";
import type { Principal } from "../core/principal.ts";
import type { PresetSummary } from "./gateway.ts";

/**
 * The presets as a principal may know them. A name of a server that it does not see may be another organisation's, and
 * one that is not configured may have been: such names are for who administers the gateway alone. So is which tags are
 * missing, by which one could tell those of servers that one does not see.
 */
export function summariesOf(
  presets: Presets,
  whose: { principal: Principal; configured: ReadonlyMap<string, ServerConfiguration> },
): PresetSummary[] {
  const { principal, configured } = whose;
  const seen = [...configured.values()].filter((server) => seesServer(principal, server));
  const names = new Set(seen.map(({ name }) => name));
  const knowsAll = isGatewayAdministrator(principal);
  return [...presets].map(([name, preset]) => {
    const { servers, missing } = presetSummary(preset, seen);
    const unknown = missing.servers.filter((server) => !configured.has(server));
    return {
      name,
      definition: knowsAll ? preset : within(preset, names),
      servers,
      missing: { servers: knowsAll ? unknown : [], tags: knowsAll ? missing.tags : [] },
    };
  });
}

function within(preset: Preset, names: ReadonlySet<string>): Preset {
  const { servers } = preset;
  return servers === undefined
    ? preset
    : { ...preset, servers: servers.filter((server) => names.has(server)) };
}
