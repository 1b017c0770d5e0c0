import type { StorageTransaction } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
import { pinKey } from "./content.ts";
import type { Content } from "./content.ts";

export function createPinTable(draft: Content): StorageTransaction["toolPins"] {
  return {
    async all() {
      return [...draft.toolPins]
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([, pin]) => structuredClone(pin));
    },
    async putAll(pins) {
      for (const given of pins) {
        // The name of a tool is kept as JSON, which escapes whatever is no text.
        const pin = { ...structuredClone(given), server: storableText(given.server) };
        draft.toolPins.set(pinKey(pin), pin);
      }
    },
    async removeAll(owners) {
      for (const { server, identity } of owners) {
        const name = storableText(server);
        for (const [key, pin] of draft.toolPins) {
          if (pin.server === name && pin.identity === identity) draft.toolPins.delete(key);
        }
      }
    },
  };
}
