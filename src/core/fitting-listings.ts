import { createShared } from "./create-shared.ts";
import type { Shared } from "./create-shared.ts";
import { legacyTool } from "./legacy-output.ts";
import { listingFault } from "./listing-fault.ts";
import type { Listing, ListKind, ProtocolEra } from "./mcp.ts";
import { quotedName } from "./terminal-text.ts";

/** Entries as clients would see them, each with the server it is from and its own name or URI there. */
export type ShownEntries = {
  [Kind in ListKind]: readonly { server: string; own: string; shown: Listing[Kind][number] }[];
};

export interface FittingListings {
  listings: Record<ProtocolEra, Listing>;
  /** By server: one sentence for each entry that is left out, for everybody or for one era. */
  withheld: ReadonlyMap<string, readonly string[]>;
}

/** At most so many sentences for each server; what is wrong with one entry is often wrong with all. */
const mostSentences = 20;

/**
 * What clients of each era can be listed: without the entries for which one that checks what it reads would
 * refuse the whole list.
 * @param options.check false: everything is listed as it is
 */
export function fittingListings(
  entries: ShownEntries,
  options: { check: boolean },
): FittingListings {
  const withheld = new Map<string, string[]>();

  const fit = <Kind extends ListKind>(
    kind: Kind,
    asLegacy: (entry: Listing[Kind][number]) => Listing[Kind][number] = (entry) => entry,
  ): Record<ProtocolEra, Listing[Kind][number][]> => {
    const shownEntries: ShownEntries[Kind] = entries[kind];
    const judge: Judgements[Kind] = judgements[kind];
    if (!options.check) {
      const all = shownEntries.map(({ shown }) => shown);
      return { legacy: all, modern: all };
    }
    const lists: Record<ProtocolEra, Listing[Kind][number][]> = { legacy: [], modern: [] };
    let isAlike = true;
    for (const { server, own, shown } of shownEntries) {
      const { legacyShown, modernFault, legacyFault } = judge(shown, "", () => {
        const asSeen = asLegacy(shown);
        return {
          legacyShown: asSeen,
          modernFault: listingFault(kind, shown, "modern"),
          legacyFault: listingFault(kind, asSeen, "legacy"),
        };
      });
      if (modernFault === undefined) lists.modern.push(shown);
      if (legacyFault === undefined) lists.legacy.push(legacyShown);
      const fault = modernFault ?? legacyFault;
      isAlike &&= fault === undefined && legacyShown === shown;
      if (fault === undefined) continue;
      const whom = modernFault === undefined ? " to clients of the legacy era" : "";
      const sentence = `${kindNames[kind]} ${quotedName(own)} is not listed${whom}: ${fault}`;
      const said = withheld.get(server) ?? [];
      if (said.length < mostSentences) said.push(sentence);
      withheld.set(server, said);
    }
    if (isAlike) return { legacy: lists.modern, modern: lists.modern };
    return lists;
  };

  const tools = fit("tools", legacyTool);
  const prompts = fit("prompts");
  const resources = fit("resources");
  const resourceTemplates = fit("resourceTemplates");
  const of = (era: ProtocolEra): Listing => ({
    tools: tools[era],
    prompts: prompts[era],
    resources: resources[era],
    resourceTemplates: resourceTemplates[era],
  });
  return { listings: { legacy: of("legacy"), modern: of("modern") }, withheld };
}

interface Judgement<Entry> {
  legacyShown: Entry;
  modernFault: string | undefined;
  legacyFault: string | undefined;
}
type Judgements = {
  [Kind in ListKind]: Shared<Listing[Kind][number], Judgement<Listing[Kind][number]>>;
};

/** An entry is looked at once, however many lists it is in; so is the form that the legacy era is shown made. */
const judgements: Judgements = {
  tools: createShared(),
  prompts: createShared(),
  resources: createShared(),
  resourceTemplates: createShared(),
};

const kindNames: Record<ListKind, string> = {
  tools: "Tool",
  prompts: "Prompt",
  resources: "Resource",
  resourceTemplates: "Resource template",
};
