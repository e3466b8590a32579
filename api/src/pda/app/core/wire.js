// What goes over the wire: the door to `wire/`. It must not know HTTP, storage or keys.

export { readFrame } from "./wire/frame.js";
export * as messages from "./wire/messages.js";
export { contains } from "./wire/ranges.js";
export { badgeHash, follow, listContent, listCurrentText, recallListText, receiptText, snapshotText, trustKeyText } from "./wire/sign.js";
export { TYP_PUSH, TYP_READ, base64Url, fromBase64Url, pushClaims, readClaims, token } from "./wire/token.js";
