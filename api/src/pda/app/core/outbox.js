// The device's outbox, without I/O: commands go in, actions come out. The door to `outbox/`.
//
// `captured → durable → sent → receipted → settled | needs attention`, kept apart: an event is
// durable when its transaction is committed, and only then may the device say so; sent means nothing;
// receipted is what an answer to a push that held it brought a receipt for. The second implementation
// of `sync::outbox`, held to it by `sync/tests/golden/outbox_traces.json`. One `Outbox` is the one
// writer of a device; whoever drives it owns storage, network, timers, keys and randomness.

export { Disk, keptAnchor } from "./outbox/disk.js";
export { fateOfFindings, fateOfResult } from "./outbox/fate.js";
export { compareKeys, nameOf } from "./outbox/keys.js";
export { Outbox, prepare } from "./outbox/machine.js";
export { FLIGHT_MS } from "./outbox/pace.js";
