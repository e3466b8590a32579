// What a device was told, as it stands on the storage: cards, verdicts, and the recall list.

/** @typedef {import("../../core/wire/messages.js").Item} Item */

/** The record of the recall list that is held. */
export const LIST = "recall_list";

/**
 * One thing the device was told; it replaces what was told of it before.
 * @param {IDBTransaction} tx
 * @param {Item} item
 */
export function putItem(tx, item) {
  const put = (/** @type {string} */ store) => tx.objectStore(store).put(item);
  switch (item.type) {
    case "product":
      put("products");
      break;
    case "partner":
      put("partners");
      break;
    case "unit":
      put("units");
      break;
    case "verdict":
      put("verdicts");
      break;
    case "recall_list":
      putList(tx, item);
      break;
    case "removed": {
      const stores = /** @type {const} */ ({ product: "products", partner: "partners", unit: "units" });
      tx.objectStore(stores[item.of]).delete(item.id);
      break;
    }
  }
}

/** The list, and none of the chunks that only an older one had. @param {IDBTransaction} tx @param {Extract<Item, { type: "recall_list" }>} list */
function putList(tx, list) {
  tx.objectStore("device").put(list, LIST);
  const kept = new Set(list.chunks.map(({ hash }) => hash));
  const chunks = tx.objectStore("chunks");
  const request = chunks.getAllKeys();
  request.onsuccess = () => {
    for (const hash of request.result) if (!kept.has(String(hash))) chunks.delete(hash);
  };
}
