//! Why a text is not a code: the place, the reason, and a sentence a person can act on.
//!
//! Faults name what is wrong with the text and never what HTTP makes of it. Their [`code`] is
//! part of the contract with clients and never changes.
//!
//! [`code`]: CodeFault::code

use std::fmt;

/// A refusal: what is wrong and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{fault} (at byte {position})")]
pub struct CodeError {
    /// Byte offset, in the text that was given, of the part that is wrong. For a request target
    /// read by [`parse_path`](super::parse_path) path and query count as joined by one `?`.
    pub position: usize,
    /// What is wrong there.
    pub fault: CodeFault,
}

impl CodeError {
    pub(super) const fn new(position: usize, fault: CodeFault) -> Self {
        Self { position, fault }
    }

    /// The same refusal in a text where this one starts at `offset`.
    pub(super) const fn shifted(self, offset: usize) -> Self {
        Self {
            position: self.position + offset,
            fault: self.fault,
        }
    }
}

/// Declares the faults once: variant, documentation, stable code, English, Chinese.
macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident, $code:literal, $en:literal, $zh:literal;)+) => {
        /// What is wrong with a text that was to be read as a trace code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CodeFault {
            $($(#[doc = $doc])+ $name,)+
        }

        impl CodeFault {
            /// Every fault there is, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable, machine-readable name, in kebab-case.
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What to tell an English-speaking person.
            pub const fn en(&self) -> &'static str {
                match self { $(Self::$name => $en,)+ }
            }

            /// What to tell a Chinese-speaking person.
            pub const fn zh(&self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }
        }
    };
}

faults! {
    /// Nothing but white space.
    Empty, "empty",
        "There is no code here; scan or type the code.",
        "没有内容，请扫描或输入追溯码。";
    /// More than [`MAX_TEXT`](super::MAX_TEXT) bytes, or too many segments or elements.
    TooLong, "too-long",
        "The text is too long to be a code; scan one code at a time.",
        "内容过长，不是追溯码，请一次只扫描一个码。";
    /// The text has no form we know.
    NotACode, "not-a-code",
        "This is not a trace code; look for the QR code or the number under the barcode.",
        "这不是追溯码，请扫描包装上的二维码或输入条码下方的数字。";
    /// Application identifiers, but none that names a thing.
    NoKey, "no-key",
        "The code says nothing that identifies the product; scan the code that holds the GTIN or SSCC.",
        "该码不含能标识产品的内容，请扫描含有商品条码（GTIN）或物流单元代码（SSCC）的码。";
    /// An application identifier that is not assigned.
    UnknownKey, "unknown-key",
        "There is no GS1 application identifier of this number; check what stands here.",
        "此处的 GS1 应用标识符不存在，请核对。";
    /// A path segment too many.
    ExtraSegment, "extra-segment",
        "The address has a part too many here; remove it or scan the code again.",
        "网址在此处多出一段，请删除或重新扫描。";
    /// A key, qualifier or attribute without a value.
    MissingValue, "missing-value",
        "A value is missing here; the code may have been cut off, scan it again.",
        "此处缺少内容，追溯码可能不完整，请重新扫描。";
    /// A key that names nothing without its qualifier (415 without 8020).
    MissingQualifier, "missing-qualifier",
        "This key means nothing without the qualifier that belongs to it; scan the whole code.",
        "该标识缺少必需的限定内容，请扫描完整的码。";
    /// Qualifiers of the key, in the wrong order.
    QualifierOrder, "qualifier-order",
        "The parts of the address are in the wrong order; the issuer must correct the printed address.",
        "网址各段的顺序不对，需由发码企业更正。";
    /// An application identifier that does not qualify this key.
    NotAQualifier, "not-a-qualifier",
        "This part does not belong to the key before it; the issuer must correct the printed address.",
        "此段不能限定前面的标识，需由发码企业更正。";
    /// The same application identifier twice.
    DuplicateKey, "duplicate-key",
        "The same application identifier stands here a second time; scan one code at a time.",
        "同一应用标识符出现了两次，请一次只扫描一个码。";
    /// Application identifiers that exclude one another.
    ConflictingKeys, "conflicting-keys",
        "The code names two different things; scan the code of one of them alone.",
        "该码同时标识了两个不同对象，请只扫描其中一个的码。";
    /// A data attribute where only key and qualifiers may stand.
    AttributeInPath, "attribute-in-path",
        "This information belongs after the question mark of the address, not into its path; the issuer must correct it.",
        "此项信息应放在网址的问号之后，需由发码企业更正。";
    /// An application identifier that may not be a data attribute of a Digital Link.
    NotAnAttribute, "not-an-attribute",
        "This information belongs into the path of the address, not after the question mark; the issuer must correct it.",
        "此项信息不能放在网址的问号之后，需由发码企业更正。";
    /// A value shorter or longer than its format allows.
    BadLength, "bad-length",
        "This number has too few or too many characters; compare it with the package.",
        "此处位数不对，请与包装上的号码核对。";
    /// Something else where a digit must stand.
    BadDigit, "bad-digit",
        "A digit must stand here; compare with the package.",
        "此处应为数字，请与包装上的号码核对。";
    /// A character that no value of this kind may hold.
    BadCharacter, "bad-character",
        "This character cannot occur in a code; compare with the package.",
        "此处的字符不能出现在追溯码中，请与包装上的号码核对。";
    /// A value or segment that is `.` or `..`.
    DotSegment, "dot-segment",
        "A single or double dot cannot be part of a code; scan the code again.",
        "追溯码不能含有单独的“.”或“..”，请重新扫描。";
    /// The check digit (校验码) does not fit the digits before it.
    BadCheckDigit, "bad-check-digit",
        "The number was mistyped or misread: its check digit does not fit; compare it with the package.",
        "号码有误：校验码不符，请与包装上的号码逐位核对。";
    /// The check characters do not fit the characters before them.
    BadCheckCharacter, "bad-check-character",
        "The code was mistyped or misread: its check character does not fit; compare it with the package.",
        "追溯码有误：校验字符不符，请与包装上的号码逐位核对。";
    /// A date or time that does not exist.
    BadDate, "bad-date",
        "There is no such date or time; the code is misprinted or was misread.",
        "日期或时间不存在，追溯码可能印刷有误或识读有误。";
    /// A value outside what its application identifier allows.
    BadValue, "bad-value",
        "This value is not allowed here; the code is misprinted or was misread.",
        "此处的取值不允许，追溯码可能印刷有误或识读有误。";
    /// A `%` that is not followed by two hexadecimal digits.
    BadPercentEncoding, "bad-percent-encoding",
        "The address is damaged: a percent sign must be followed by two hexadecimal digits.",
        "网址已损坏：“%”之后应为两位十六进制数。";
    /// An EPC of a header or scheme that is not read.
    UnknownEpc, "unknown-epc",
        "This RFID tag holds no product, logistic unit or place we can read; scan the printed code instead.",
        "该 RFID 标签的编码类型无法识别，请改扫包装上的二维码。";
    /// The partition of a binary EPC is 7, which no table has.
    BadPartition, "bad-partition",
        "The RFID tag is written wrongly: it does not tell where the company prefix ends.",
        "RFID 标签写入有误：厂商识别代码的分区值不存在。";
    /// Bits other than zero where a binary EPC has nothing to say.
    BadPadding, "bad-padding",
        "The RFID tag is written wrongly or was misread: only zeros may stand here.",
        "RFID 标签写入有误或识读有误：此处只能为零。";
    /// `Http://` or the like: the scheme must be all lower or all upper case.
    MixedScheme, "mixed-scheme",
        "Write http or https all in small or all in capital letters.",
        "网址开头的 http 或 https 须全部小写或全部大写。";
}

impl fmt::Display for CodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.en())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_fault_has_its_own_kebab_case_code_and_two_sentences() {
        let codes: HashSet<_> = CodeFault::ALL.iter().map(CodeFault::code).collect();
        assert_eq!(codes.len(), CodeFault::ALL.len());
        for fault in CodeFault::ALL {
            assert!(
                fault
                    .code()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-')
            );
            assert!(fault.en().ends_with('.'), "{fault:?}");
            assert!(fault.zh().ends_with('。'), "{fault:?}");
        }
    }
}
