// The GS1 application identifiers as data: format, separator, and place in a Digital Link.
//
// The same rows as `sync/src/trace_code/ai_table.rs`, sorted; a test holds them together. Nothing
// but data belongs into this file.

import { n, nTo, x, xTo, yTo, zTo } from "./format.js";

/** @typedef {import("./format.js").Part} Part */

/**
 * The qualifiers of a primary key: alternatives, each in the order of a path, and whether the key
 * names nothing without one.
 * @typedef {{ alternatives: readonly (readonly string[])[], required: boolean }} Qualifiers
 */

/** @param {readonly (readonly string[])[]} alternatives @param {boolean} [required] */
const qualifiers = (alternatives, required = false) => ({ alternatives, required });

const NONE = qualifiers([]);
const GTIN = qualifiers([["22", "10", "21"], ["235"]]);
const PIECE = qualifiers([["22", "10", "21"]]);
const LOCATION = qualifiers([["254"], ["7040"]]);
const IMPORTER = qualifiers([["7040"]]);
const COMPONENT = qualifiers([["8011"]]);
const SERVICE = qualifiers([["8019"]]);
const PAYMENT = qualifiers([["8020"]], true);

const COUNTRIES = [n(3), n(3).optional(), n(3).optional(), n(3).optional(), n(3).optional()];

/** One application identifier, or a run of them with the same format. */
export class Ai {
  /**
   * @param {string} first
   * @param {readonly Part[]} parts
   * @param {boolean} isAttribute whether it may stand in the query of a Digital Link
   * @param {Qualifiers | null} qualifiers of a primary key; null when it is none
   */
  constructor(first, parts, isAttribute, qualifiers) {
    this.first = first;
    this.last = first;
    this.parts = parts;
    this.isAttribute = isAttribute;
    this.qualifiers = qualifiers;
    /** Its length is predefined, so that no separator follows it in an element string. */
    this.isPredefined = false;
  }

  /** @param {string} last the row is for all identifiers up to this */
  to(last) {
    this.last = last;
    return this;
  }

  predefined() {
    this.isPredefined = true;
    return this;
  }
}

/** @param {string} ai @param {readonly Part[]} parts @param {Qualifiers} of */
const key = (ai, parts, of) => new Ai(ai, parts, true, of);
/** @param {string} ai @param {readonly Part[]} parts */
const attribute = (ai, parts) => new Ai(ai, parts, true, null);
/** @param {string} ai @param {readonly Part[]} parts */
const excluded = (ai, parts) => new Ai(ai, parts, false, null);

/** Every application identifier we know, sorted. */
export const TABLE = Object.freeze([
  key("00", [n(18).rule("CheckDigit")], NONE).predefined(), // SSCC 系列货运包装箱代码
  key("01", [n(14).rule("CheckDigit")], GTIN).predefined(), // GTIN 全球贸易项目代码
  attribute("02", [n(14).rule("CheckDigit")]).predefined(), // GTIN of contained items
  excluded("03", [n(14).rule("CheckDigit")]).predefined(), // GTIN of a made-to-order item
  attribute("10", [xTo(20)]), // lot 批号
  attribute("11", [n(6).rule("DateOrMonth")]).predefined(), // production date 生产日期
  attribute("12", [n(6).rule("DateOrMonth")]).predefined(), // due date
  attribute("13", [n(6).rule("DateOrMonth")]).predefined(), // packaging date
  attribute("15", [n(6).rule("DateOrMonth")]).predefined(), // best before 保质期
  attribute("16", [n(6).rule("DateOrMonth")]).predefined(), // sell by
  attribute("17", [n(6).rule("DateOrMonth")]).predefined(), // expiry 有效期
  attribute("20", [n(2)]).predefined(), // internal variant
  excluded("21", [xTo(20)]), // serial 系列号
  excluded("22", [xTo(20)]), // consumer product variant
  excluded("235", [xTo(28)]), // third-party controlled serial (UPUI)
  attribute("240", [xTo(30)]), // additional product identification
  attribute("241", [xTo(30)]), // customer part number
  attribute("242", [nTo(6)]), // made-to-order variation
  attribute("243", [xTo(20)]), // packaging component number
  attribute("250", [xTo(30)]), // secondary serial
  attribute("251", [xTo(30)]), // reference to source entity
  // GDTI.
  key("253", [n(13).rule("CheckDigit"), xTo(17).optional()], NONE),
  excluded("254", [xTo(20)]), // GLN extension
  // GCN.
  key("255", [n(13).rule("CheckDigit"), nTo(12).optional()], NONE),
  attribute("30", [nTo(8)]), // variable count
  // Measures of a trade item or a logistic unit; the last digit places the decimal point.
  attribute("3100", [n(6)]).to("3105").predefined(),
  attribute("3110", [n(6)]).to("3115").predefined(),
  attribute("3120", [n(6)]).to("3125").predefined(),
  attribute("3130", [n(6)]).to("3135").predefined(),
  attribute("3140", [n(6)]).to("3145").predefined(),
  attribute("3150", [n(6)]).to("3155").predefined(),
  attribute("3160", [n(6)]).to("3165").predefined(),
  attribute("3200", [n(6)]).to("3205").predefined(),
  attribute("3210", [n(6)]).to("3215").predefined(),
  attribute("3220", [n(6)]).to("3225").predefined(),
  attribute("3230", [n(6)]).to("3235").predefined(),
  attribute("3240", [n(6)]).to("3245").predefined(),
  attribute("3250", [n(6)]).to("3255").predefined(),
  attribute("3260", [n(6)]).to("3265").predefined(),
  attribute("3270", [n(6)]).to("3275").predefined(),
  attribute("3280", [n(6)]).to("3285").predefined(),
  attribute("3290", [n(6)]).to("3295").predefined(),
  attribute("3300", [n(6)]).to("3305").predefined(),
  attribute("3310", [n(6)]).to("3315").predefined(),
  attribute("3320", [n(6)]).to("3325").predefined(),
  attribute("3330", [n(6)]).to("3335").predefined(),
  attribute("3340", [n(6)]).to("3345").predefined(),
  attribute("3350", [n(6)]).to("3355").predefined(),
  attribute("3360", [n(6)]).to("3365").predefined(),
  attribute("3370", [n(6)]).to("3375").predefined(),
  attribute("3400", [n(6)]).to("3405").predefined(),
  attribute("3410", [n(6)]).to("3415").predefined(),
  attribute("3420", [n(6)]).to("3425").predefined(),
  attribute("3430", [n(6)]).to("3435").predefined(),
  attribute("3440", [n(6)]).to("3445").predefined(),
  attribute("3450", [n(6)]).to("3455").predefined(),
  attribute("3460", [n(6)]).to("3465").predefined(),
  attribute("3470", [n(6)]).to("3475").predefined(),
  attribute("3480", [n(6)]).to("3485").predefined(),
  attribute("3490", [n(6)]).to("3495").predefined(),
  attribute("3500", [n(6)]).to("3505").predefined(),
  attribute("3510", [n(6)]).to("3515").predefined(),
  attribute("3520", [n(6)]).to("3525").predefined(),
  attribute("3530", [n(6)]).to("3535").predefined(),
  attribute("3540", [n(6)]).to("3545").predefined(),
  attribute("3550", [n(6)]).to("3555").predefined(),
  attribute("3560", [n(6)]).to("3565").predefined(),
  attribute("3570", [n(6)]).to("3575").predefined(),
  attribute("3600", [n(6)]).to("3605").predefined(),
  attribute("3610", [n(6)]).to("3615").predefined(),
  attribute("3620", [n(6)]).to("3625").predefined(),
  attribute("3630", [n(6)]).to("3635").predefined(),
  attribute("3640", [n(6)]).to("3645").predefined(),
  attribute("3650", [n(6)]).to("3655").predefined(),
  attribute("3660", [n(6)]).to("3665").predefined(),
  attribute("3670", [n(6)]).to("3675").predefined(),
  attribute("3680", [n(6)]).to("3685").predefined(),
  attribute("3690", [n(6)]).to("3695").predefined(),
  attribute("37", [nTo(8)]), // count of contained items
  attribute("3900", [nTo(15)]).to("3909"), // amount payable
  attribute("3910", [n(3), nTo(15)]).to("3919"), // amount payable with currency
  attribute("3920", [nTo(15)]).to("3929"), // price
  attribute("3930", [n(3), nTo(15)]).to("3939"), // price with currency
  attribute("3940", [n(4)]).to("3943"), // percentage off
  attribute("3950", [n(6)]).to("3955"), // price per unit of measure
  attribute("400", [xTo(30)]), // customer order number
  key("401", [xTo(30).rule("CompanyPrefix")], NONE), // GINC
  key("402", [n(17).rule("CheckDigit")], NONE), // GSIN
  attribute("403", [xTo(30)]), // route
  // GLN: ship to, bill to, purchased from, ship for.
  attribute("410", [n(13).rule("CheckDigit")]).to("413").predefined(),
  // GLN of a location 全球位置码.
  key("414", [n(13).rule("CheckDigit")], LOCATION).predefined(),
  // GLN of the invoicing party.
  key("415", [n(13).rule("CheckDigit")], PAYMENT).predefined(),
  attribute("416", [n(13).rule("CheckDigit")]).predefined(), // GLN of production or service
  key("417", [n(13).rule("CheckDigit")], IMPORTER).predefined(), // GLN of a party
  attribute("420", [xTo(20)]), // ship to postal code
  attribute("421", [n(3), xTo(9)]), // ship to postal code with country
  attribute("422", [n(3)]), // country of origin
  attribute("423", COUNTRIES), // countries of initial processing
  attribute("424", [n(3)]), // country of processing
  attribute("425", COUNTRIES), // countries of disassembly
  attribute("426", [n(3)]), // country of full processing
  attribute("427", [xTo(3)]), // origin subdivision
  attribute("4300", [xTo(35)]).to("4301"), // ship to company, contact
  attribute("4302", [xTo(70)]).to("4306"), // ship to address
  attribute("4307", [x(2)]), // ship to country
  attribute("4308", [xTo(30)]), // ship to phone
  attribute("4309", [n(20)]), // ship to latitude and longitude
  attribute("4310", [xTo(35)]).to("4311"), // return to company, contact
  attribute("4312", [xTo(70)]).to("4316"), // return to address
  attribute("4317", [x(2)]), // return to country
  attribute("4318", [xTo(20)]), // return to postal code
  attribute("4319", [xTo(30)]), // return to phone
  attribute("4320", [xTo(35)]), // service description
  // Dangerous goods, authority to leave, signature required.
  attribute("4321", [n(1).rule("YesNo")]).to("4323"),
  // Delivery not before, not after.
  attribute("4324", [n(6).rule("DateOrMonth"), n(4).rule("HourMinute")]).to("4325"),
  attribute("4326", [n(6).rule("Date")]), // release date
  attribute("4330", [n(6), x(1).rule("Hyphen").optional()]).to("4333"), // temperatures
  attribute("7001", [n(13)]), // NATO stock number
  attribute("7002", [xTo(30)]), // meat cut
  attribute("7003", [n(6).rule("Date"), n(4).rule("HourMinute")]), // expiry date and time
  attribute("7004", [nTo(4)]), // active potency
  attribute("7005", [xTo(12)]), // catch area
  attribute("7006", [n(6).rule("Date")]), // first freeze date
  // Harvest date.
  attribute("7007", [n(6).rule("Date"), n(6).rule("Date").optional()]),
  attribute("7008", [xTo(3)]), // aquatic species
  attribute("7009", [xTo(10)]), // fishing gear type
  attribute("7010", [xTo(2)]), // production method
  // Test by date.
  attribute("7011", [n(6).rule("Date"), n(4).rule("HourMinute").optional()]),
  attribute("7020", [xTo(20)]).to("7022"), // refurbishment lot, functional status, revision
  attribute("7023", [xTo(30).rule("CompanyPrefix")]), // GIAI of an assembly
  attribute("7030", [n(3), xTo(27)]).to("7039"), // processor with country
  // Unique identification code with importer index.
  excluded("7040", [n(1), x(2), x(1).rule("ImporterIndex")]),
  excluded("7041", [xTo(4)]), // freight unit type
  attribute("710", [xTo(20)]).to("716"), // national health reimbursement number
  attribute("7230", [x(2), xTo(28)]).to("7239"), // certification reference
  attribute("7240", [xTo(20)]), // protocol
  attribute("7241", [n(2)]), // AIDC media type
  attribute("7242", [xTo(25)]), // version control number
  attribute("7250", [n(8).rule("LongDate")]), // date of birth
  // Date and time of birth.
  attribute("7251", [n(8).rule("LongDate"), n(4).rule("HourMinute")]),
  attribute("7252", [n(1)]), // biological sex
  attribute("7253", [xTo(40)]).to("7254"), // family name, given name
  attribute("7255", [xTo(10)]), // name suffix
  attribute("7256", [xTo(90)]), // full name
  attribute("7257", [xTo(70)]), // person address
  attribute("7258", [x(3)]), // birth sequence
  attribute("7259", [xTo(40)]), // baby of family name
  // Roll dimensions.
  attribute("8001", [n(4).rule("NonZero"), n(5).rule("NonZero"), n(3).rule("NonZero"), n(2)]),
  attribute("8002", [xTo(20)]), // cellular telephone identifier
  // GRAI.
  key("8003", [n(1).rule("Zero"), n(13).rule("CheckDigit"), xTo(16).optional()], NONE),
  key("8004", [xTo(30).rule("CompanyPrefix")], IMPORTER), // GIAI
  attribute("8005", [n(6)]), // price per unit
  // ITIP: one piece of a trade item.
  key("8006", [n(14).rule("CheckDigit"), n(4).rule("PieceOfTotal")], PIECE),
  attribute("8007", [xTo(34)]), // IBAN
  // Production date and time.
  attribute("8008", [n(6).rule("Date"), n(2).rule("Hour"), n(2).rule("Sixty").optional(), n(2).rule("Sixty").optional()]),
  attribute("8009", [xTo(50)]), // optically readable sensor
  key("8010", [yTo(30).rule("CompanyPrefix")], COMPONENT), // CPID
  excluded("8011", [nTo(12).rule("NoLeadingZero")]), // CPID serial
  attribute("8012", [xTo(20)]), // software version
  key("8013", [xTo(25).rule("CheckPair")], NONE), // GMN
  // Highly individualised device registration.
  excluded("8014", [xTo(25).rule("CheckPair")]),
  key("8017", [n(18).rule("CheckDigit")], SERVICE), // GSRN of a provider
  key("8018", [n(18).rule("CheckDigit")], SERVICE), // GSRN of a recipient
  excluded("8019", [nTo(10)]), // service relation instance
  excluded("8020", [xTo(25)]), // payment slip reference
  // ITIP of contained items.
  attribute("8026", [n(14).rule("CheckDigit"), n(4).rule("PieceOfTotal")]),
  attribute("8030", [zTo(90)]), // digital signature
  attribute("8110", [xTo(70)]), // coupon code
  attribute("8111", [n(4)]), // loyalty points
  attribute("8112", [xTo(70)]), // positive offer file coupon
  excluded("8200", [xTo(70)]), // product address
  attribute("90", [xTo(30)]), // agreed between partners
  attribute("91", [xTo(90)]).to("99"), // internal
]);
