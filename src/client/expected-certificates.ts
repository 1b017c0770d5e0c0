import type { ExpectedCertificates } from "../runtime/pinned-agent.ts";

let source: ExpectedCertificates = () => Promise.resolve(undefined);

/**
 * Says, once and for the whole process, where a certificate of one's own is expected: on whichever way a question
 * goes there, it must not be able to go past this, just as it cannot go past Node's own trust.
 */
export function setExpectedCertificates(expected: ExpectedCertificates): void {
  source = expected;
}

export const expectedCertificates: ExpectedCertificates = (at) => source(at);
