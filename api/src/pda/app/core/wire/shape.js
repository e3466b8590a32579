// Readers of JSON values: each takes a value and gives what it stands for, or says where it is
// wrong. Names that are not known are passed over, so that app and server may be of different age.

/** A value that is not what it should be. */
export class ShapeFault extends Error {
  /** @param {string} path @param {string} why */
  constructor(path, why) {
    super(`${path || "it"} ${why}`);
    this.path = path;
  }
}

/**
 * @template T
 * @typedef {(value: unknown, path: string) => T} Reader
 */

/**
 * A value that passes a test.
 * @template T
 * @param {(value: unknown) => value is T} is
 * @param {string} what
 * @returns {Reader<T>}
 */
export const checked = (is, what) => (value, path) => {
  if (!is(value)) throw new ShapeFault(path, `is not ${what}`);
  return value;
};

/** @param {number} least @param {number} most @returns {Reader<number>} */
export const integer = (least, most) =>
  checked(
    /** @returns {value is number} */ (/** @type {unknown} */ value) =>
      typeof value === "number" && Number.isInteger(value) && value >= least && value <= most,
    `a whole number from ${least} to ${most}`,
  );

export const text = checked(
  /** @returns {value is string} */ (/** @type {unknown} */ value) => typeof value === "string",
  "a text",
);

export const flag = checked(
  /** @returns {value is boolean} */ (/** @type {unknown} */ value) => typeof value === "boolean",
  "true or false",
);

/** Anything at all. @type {Reader<unknown>} */
export const anything = (value) => value;

/**
 * One of these texts or numbers.
 * @template {string | number} T
 * @param {readonly T[]} values
 * @returns {Reader<T>}
 */
export const oneOf = (values) =>
  checked(
    /** @returns {value is T} */ (/** @type {unknown} */ value) => values.some((known) => known === value),
    `one of ${values.join(", ")}`,
  );

/**
 * What may be absent; null counts as absent.
 * @template T
 * @param {Reader<T>} reader
 * @returns {Reader<T | undefined>}
 */
export const optional = (reader) => (value, path) =>
  value === undefined || value === null ? undefined : reader(value, path);

/**
 * What may be null.
 * @template T
 * @param {Reader<T>} reader
 * @returns {Reader<T | null>}
 */
export const nullable = (reader) => (value, path) => (value === undefined || value === null ? null : reader(value, path));

/**
 * What counts as this when it is absent.
 * @template T
 * @param {Reader<T>} reader
 * @param {T} otherwise
 * @returns {Reader<T>}
 */
export const defaulted = (reader, otherwise) => (value, path) => (value === undefined ? otherwise : reader(value, path));

/**
 * @template T
 * @param {Reader<T>} reader
 * @param {number} [max]
 * @returns {Reader<T[]>}
 */
export const list = (reader, max = Infinity) => (value, path) => {
  if (!Array.isArray(value)) throw new ShapeFault(path, "is no list");
  if (value.length > max) throw new ShapeFault(path, `has more than ${max} entries`);
  return value.map((entry, at) => reader(entry, `${path}[${at}]`));
};

/**
 * An object with these fields.
 * @template {Record<string, Reader<any>>} S
 * @param {S} shape
 * @returns {Reader<{ [K in keyof S]: ReturnType<S[K]> }>}
 */
export const object = (shape) => (value, path) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ShapeFault(path, "is no object");
  /** @type {Record<string, unknown>} */
  const read = {};
  for (const [name, reader] of Object.entries(shape)) {
    const given = Object.hasOwn(value, name) ? /** @type {Record<string, unknown>} */ (value)[name] : undefined;
    const field = reader(given, path ? `${path}.${name}` : name);
    if (field !== undefined) read[name] = field;
  }
  return /** @type {{ [K in keyof S]: ReturnType<S[K]> }} */ (read);
};
