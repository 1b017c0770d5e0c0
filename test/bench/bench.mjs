import { benchAuditHang } from "./audit-hang.mjs";

/**
 * @typedef {object} Outcome
 * @property {[what: string, figure: string][]} figures
 * @property {string[]} missed one sentence for each target that was not met
 */
/** @typedef {(options: {progress: (text: string) => void}) => Promise<Outcome>} Bench rejects when a call fails */

/** Everything that is measured, by the name `--only` knows it by. @type {Readonly<Record<string, Bench>>} */
export const benches = { "audit-hang": benchAuditHang };
