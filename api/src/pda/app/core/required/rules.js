// The mandatory items as this program knows them, for a device that was not told any yet, and the
// reader of those a server tells: rows of `sync::event::required::RULES` that can be missing.

import { list, nullable, object, text } from "../wire/shape.js";

/** @typedef {import("../required.js").Rule} Rule */
/** @typedef {import("../required.js").Said} Said */

/** Rules as they are kept, with the version they are of. @typedef {{ version: string, rules: unknown }} Told */

/** @type {readonly [profile: string | null, kind: string, ...rows: (readonly [item: string, said: Said])[]][]} */
const ROWS = [
  [null, "commission", ["actor", "actor"], ["location", "location"], ["units", "goods"]],
  [null, "pack", ["actor", "actor"], ["location", "location"], ["parent", "parent"], ["children", "goods"]],
  [null, "unpack", ["actor", "actor"], ["location", "location"], ["parent", "parent"]],
  [null, "inbound", ["actor", "actor"], ["location", "location"], ["units", "goods"]],
  [null, "outbound", ["actor", "actor"], ["location", "location"], ["units", "goods"]],
  [null, "sale", ["actor", "actor"], ["location", "location"], ["units", "goods"]],
  [null, "return", ["actor", "actor"], ["location", "location"], ["units", "goods"]],
  [null, "inspect", ["actor", "actor"], ["location", "location"], ["units", "goods"], ["disposition", "disposition"]],
  [null, "collect", ["actor", "actor"], ["location", "location"], ["units", "goods"]],
  [null, "destroy", ["actor", "actor"], ["location", "location"], ["units", "goods"]],
  [null, "count", ["actor", "actor"], ["location", "location"], ["units", "seen"]],
  [null, "retract", ["actor", "actor"], ["target", "target"]],
  [
    "infant-formula",
    "inbound",
    ["scan_event.traceability_code", "goods"],
    ["scan_event.location", "location"],
    ["scan_event.operator", "actor"],
    ["finished_goods_warehousing.product_name", "goods"],
    ["finished_goods_warehousing.batch_no", "lots"],
  ],
  [
    "infant-formula",
    "outbound",
    ["scan_event.traceability_code", "goods"],
    ["scan_event.location", "location"],
    ["scan_event.operator", "actor"],
    ["finished_goods_warehousing.product_name", "goods"],
    ["finished_goods_warehousing.batch_no", "lots"],
    ["enterprise_dispatch.purchaser", "counterpart"],
    ["enterprise_dispatch.goods_information", "goods"],
    ["enterprise_dispatch.dispatch_place", "location"],
    ["logistics.logistics_company", "body"],
    ["logistics.goods_information", "goods"],
    ["logistics.place_of_departure", "location"],
    ["logistics.place_of_arrival", "counterpart_place"],
    ["logistics.receiver_name", "counterpart"],
  ],
  [
    "infant-formula",
    "sale",
    ["scan_event.traceability_code", "goods"],
    ["scan_event.location", "location"],
    ["scan_event.operator", "actor"],
    ["store_sale.store_basic_information", "location"],
    ["store_sale.sales_information", "goods"],
  ],
  ["maternal-baby", "inbound", ["inbound.inbound_document_no", "document"], ["inbound.product_name", "goods"]],
  [
    "maternal-baby",
    "outbound",
    ["outbound_scan.traceability_code", "goods"],
    ["outbound_scan.operator", "actor"],
    ["outbound.outbound_document_no", "document"],
    ["outbound.traceability_code", "goods"],
  ],
  ["maternal-baby-care", "inbound", ["inbound.quantity", "goods"], ["inbound.batch_no", "lots"]],
  [
    "maternal-baby-care",
    "count",
    ["inventory.storage_temperature", "temperature"],
    ["inventory.storage_humidity", "humidity"],
  ],
  [
    "maternal-baby-care",
    "outbound",
    ["outbound.counterparty_type", "counterpart"],
    ["outbound.counterparty_name", "counterpart"],
    ["outbound.product_name", "goods"],
    ["outbound.batch_no", "lots"],
    ["outbound.quantity", "goods"],
    ["transport.place_of_departure", "location"],
    ["transport.place_of_arrival", "counterpart_place"],
    ["transport.receiver_name", "counterpart"],
  ],
];

/** @type {readonly Rule[]} */
export const BUILT_IN = ROWS.flatMap(([profile, kind, ...rows]) => rows.map(([item, said]) => ({ profile, kind, item, said })));

/** @type {readonly string[]} */
const SAID = [
  ...["always", "actor", "location", "goods", "seen", "lots", "document", "counterpart", "counterpart_place", "temperature"],
  ...["humidity", "target", "parent", "disposition", "body", "on_record"],
];

const told = object({ rules: list(object({ profile: nullable(text), kind: text, item: text, said: text })) });

/**
 * The rules a server told, as far as they are known here; those of this program where it told none.
 * @param {unknown} record a `Told`
 * @returns {readonly Rule[]}
 */
export function rulesOf(record) {
  try {
    return told(record, "").rules.flatMap(({ profile, kind, item, said }) =>
      SAID.includes(said) ? [{ profile, kind, item, said: /** @type {Said} */ (said) }] : [],
    );
  } catch {
    return BUILT_IN;
  }
}
