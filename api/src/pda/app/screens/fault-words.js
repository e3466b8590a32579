// What a person is told about a code that cannot be read: the sentences of `sync::trace_code`, which a
// test compares.

/** @type {Readonly<Record<import("../core/trace-code.js").Fault, { en: string, zh: string }>>} */
export const FAULT_WORDS = {
  empty: {
    en: "There is no code here; scan or type the code.",
    zh: "没有内容，请扫描或输入追溯码。",
  },
  "too-long": {
    en: "The text is too long to be a code; scan one code at a time.",
    zh: "内容过长，不是追溯码，请一次只扫描一个码。",
  },
  "not-a-code": {
    en: "This is not a trace code; look for the QR code or the number under the barcode.",
    zh: "这不是追溯码，请扫描包装上的二维码或输入条码下方的数字。",
  },
  "no-key": {
    en: "The code says nothing that identifies the product; scan the code that holds the GTIN or SSCC.",
    zh: "该码不含能标识产品的内容，请扫描含有商品条码（GTIN）或物流单元代码（SSCC）的码。",
  },
  "unknown-key": {
    en: "There is no GS1 application identifier of this number; check what stands here.",
    zh: "此处的 GS1 应用标识符不存在，请核对。",
  },
  "extra-segment": {
    en: "The address has a part too many here; remove it or scan the code again.",
    zh: "网址在此处多出一段，请删除或重新扫描。",
  },
  "missing-value": {
    en: "A value is missing here; the code may have been cut off, scan it again.",
    zh: "此处缺少内容，追溯码可能不完整，请重新扫描。",
  },
  "missing-qualifier": {
    en: "This key means nothing without the qualifier that belongs to it; scan the whole code.",
    zh: "该标识缺少必需的限定内容，请扫描完整的码。",
  },
  "qualifier-order": {
    en: "The parts of the address are in the wrong order; the issuer must correct the printed address.",
    zh: "网址各段的顺序不对，需由发码企业更正。",
  },
  "not-a-qualifier": {
    en: "This part does not belong to the key before it; the issuer must correct the printed address.",
    zh: "此段不能限定前面的标识，需由发码企业更正。",
  },
  "duplicate-key": {
    en: "The same application identifier stands here a second time; scan one code at a time.",
    zh: "同一应用标识符出现了两次，请一次只扫描一个码。",
  },
  "conflicting-keys": {
    en: "The code names two different things; scan the code of one of them alone.",
    zh: "该码同时标识了两个不同对象，请只扫描其中一个的码。",
  },
  "attribute-in-path": {
    en: "This information belongs after the question mark of the address, not into its path; the issuer must correct it.",
    zh: "此项信息应放在网址的问号之后，需由发码企业更正。",
  },
  "not-an-attribute": {
    en: "This information belongs into the path of the address, not after the question mark; the issuer must correct it.",
    zh: "此项信息不能放在网址的问号之后，需由发码企业更正。",
  },
  "bad-length": {
    en: "This number has too few or too many characters; compare it with the package.",
    zh: "此处位数不对，请与包装上的号码核对。",
  },
  "bad-digit": {
    en: "A digit must stand here; compare with the package.",
    zh: "此处应为数字，请与包装上的号码核对。",
  },
  "bad-character": {
    en: "This character cannot occur in a code; compare with the package.",
    zh: "此处的字符不能出现在追溯码中，请与包装上的号码核对。",
  },
  "dot-segment": {
    en: "A single or double dot cannot be part of a code; scan the code again.",
    zh: "追溯码不能含有单独的“.”或“..”，请重新扫描。",
  },
  "bad-check-digit": {
    en: "The number was mistyped or misread: its check digit does not fit; compare it with the package.",
    zh: "号码有误：校验码不符，请与包装上的号码逐位核对。",
  },
  "bad-check-character": {
    en: "The code was mistyped or misread: its check character does not fit; compare it with the package.",
    zh: "追溯码有误：校验字符不符，请与包装上的号码逐位核对。",
  },
  "bad-date": {
    en: "There is no such date or time; the code is misprinted or was misread.",
    zh: "日期或时间不存在，追溯码可能印刷有误或识读有误。",
  },
  "bad-value": {
    en: "This value is not allowed here; the code is misprinted or was misread.",
    zh: "此处的取值不允许，追溯码可能印刷有误或识读有误。",
  },
  "bad-percent-encoding": {
    en: "The address is damaged: a percent sign must be followed by two hexadecimal digits.",
    zh: "网址已损坏：“%”之后应为两位十六进制数。",
  },
  "unknown-epc": {
    en: "This RFID tag holds no product, logistic unit or place we can read; scan the printed code instead.",
    zh: "该 RFID 标签的编码类型无法识别，请改扫包装上的二维码。",
  },
  "bad-partition": {
    en: "The RFID tag is written wrongly: it does not tell where the company prefix ends.",
    zh: "RFID 标签写入有误：厂商识别代码的分区值不存在。",
  },
  "bad-padding": {
    en: "The RFID tag is written wrongly or was misread: only zeros may stand here.",
    zh: "RFID 标签写入有误或识读有误：此处只能为零。",
  },
  "mixed-scheme": {
    en: "Write http or https all in small or all in capital letters.",
    zh: "网址开头的 http 或 https 须全部小写或全部大写。",
  },
};
