// What only short forms of an answer need, loaded for them alone.
export { cutText } from "../render/cut-text.ts";
export { shortResult } from "../render/short-result.ts";
