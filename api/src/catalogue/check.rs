//! Says what is wrong with the values somebody wants to store, field by field.
//!
//! Must not know what is mandatory (`gate`), nor HTTP: a fault has a stable code and two messages,
//! and others decide what to answer.

use serde::Serialize;
use serde_json::Value;

use super::field::{Field, Visibility};
use super::model::{Catalogue, Home, Profile, Values};
use super::value;

/// Most faults named at once; a request with more is not helped by a longer list.
pub const FAULTS_MAX: usize = 100;
/// Most characters of an unknown path that are repeated in a fault.
const ECHO_CHARS_MAX: usize = 130;

/// One value that cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldFault {
    /// The path as given, cut when very long.
    pub path: String,
    /// What is wrong.
    pub code: FaultCode,
    /// Chinese message.
    pub message_zh: String,
    /// English message.
    pub message_en: String,
}

/// What can be wrong with a value. The names are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// The profile has no such field.
    UnknownField,
    /// The field is kept with another of enterprise, product, batch or unit.
    WrongHome,
    /// The field belongs to a record of its own.
    KeptElsewhere,
    /// Personal data is kept apart.
    PersonalData,
    /// Null, blank, or a list of nothing.
    Empty,
    /// Not of the field's data type; also any floating-point number.
    WrongType,
    /// More characters than allowed.
    TooLong,
    /// More entries than allowed.
    TooMany,
    /// Control characters, or characters that turn the direction of the text.
    HiddenCharacter,
    /// A code with space at its beginning or end.
    BadCode,
    /// Not a day as `YYYY-MM-DD`.
    BadDate,
    /// Not an instant as of RFC 3339.
    BadDatetime,
    /// Not a number with a unit.
    BadQuantity,
    /// Not a whole number or a decimal as text.
    BadNumber,
    /// Not a SHA-256 in lower-case hexadecimal.
    BadFileHash,
    /// The expiry date 保质期到期日 lies before the production date 生产日期.
    ExpiryBeforeProduction,
}

impl FaultCode {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            FaultCode::UnknownField => "unknown_field",
            FaultCode::WrongHome => "wrong_home",
            FaultCode::KeptElsewhere => "kept_elsewhere",
            FaultCode::PersonalData => "personal_data",
            FaultCode::Empty => "empty",
            FaultCode::WrongType => "wrong_type",
            FaultCode::TooLong => "too_long",
            FaultCode::TooMany => "too_many",
            FaultCode::HiddenCharacter => "hidden_character",
            FaultCode::BadCode => "bad_code",
            FaultCode::BadDate => "bad_date",
            FaultCode::BadDatetime => "bad_datetime",
            FaultCode::BadQuantity => "bad_quantity",
            FaultCode::BadNumber => "bad_number",
            FaultCode::BadFileHash => "bad_file_hash",
            FaultCode::ExpiryBeforeProduction => "expiry_before_production",
        }
    }

    /// What is wrong, in Chinese and English.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            FaultCode::UnknownField => ("没有这一字段", "there is no such field"),
            FaultCode::WrongHome => ("填报位置不对", "it is kept elsewhere"),
            FaultCode::KeptElsewhere => (
                "属于单独的记录，不在此填报",
                "it belongs to a record of its own and is not given here",
            ),
            FaultCode::PersonalData => (
                "属于个人信息，须分开保存",
                "it is personal data and is kept apart",
            ),
            FaultCode::Empty => (
                "内容为空，没有内容时请省略",
                "it is empty; leave it out instead",
            ),
            FaultCode::WrongType => ("数据类型不符", "it is not of the field's data type"),
            FaultCode::TooLong => ("内容过长", "it is too long"),
            FaultCode::TooMany => ("条目过多", "it has too many entries"),
            FaultCode::HiddenCharacter => (
                "含有控制字符或改变文字方向的字符",
                "it holds control characters or characters that turn the text",
            ),
            FaultCode::BadCode => ("首尾不得有空格", "it begins or ends with space"),
            FaultCode::BadDate => (
                "日期须为 YYYY-MM-DD 格式的有效日期",
                "it is not a day of the calendar written YYYY-MM-DD",
            ),
            FaultCode::BadDatetime => (
                "时间须为带时区的 RFC 3339 格式",
                "it is not a time with offset as of RFC 3339",
            ),
            FaultCode::BadQuantity => (
                "须为数值加单位，例如 400 g",
                "it is not a number with a unit, such as 400 g",
            ),
            FaultCode::BadNumber => (
                "须为整数或以文本表示的小数",
                "it is not a whole number or a decimal given as text",
            ),
            FaultCode::BadFileHash => (
                "须为已上传文件的小写十六进制 SHA-256",
                "it is not the SHA-256 of an uploaded file in lower-case hexadecimal",
            ),
            FaultCode::ExpiryBeforeProduction => (
                "保质期到期日早于生产日期",
                "the expiry date lies before the production date",
            ),
        }
    }
}

impl Catalogue {
    /// What is wrong with the values of an enterprise, which may make products of several
    /// profiles: each path is judged by a profile that keeps it with the enterprise.
    pub fn check_enterprise(&self, values: &Values) -> Vec<FieldFault> {
        let judge = |path: &str| {
            let at_home = |profile: &&Profile| profile.home(path) == Some(Home::Enterprise);
            let knows = |profile: &&Profile| profile.field(path).is_some();
            let keeper = self.profiles().find(at_home);
            keeper.or_else(|| self.profiles().find(knows))
        };
        values
            .iter()
            .filter_map(|(path, value)| match judge(path) {
                Some(profile) => profile.fault(Home::Enterprise, path, value),
                None => Some(fault(path, None, FaultCode::UnknownField)),
            })
            .take(FAULTS_MAX)
            .collect()
    }
}

impl Profile {
    /// What is wrong with `values` as those of `home`: at most one fault for a path, in the order
    /// of the paths. Whether something is missing is not asked here.
    pub fn check(&self, home: Home, values: &Values) -> Vec<FieldFault> {
        let mut faults: Vec<FieldFault> = values
            .iter()
            .filter_map(|(path, value)| self.fault(home, path, value))
            .take(FAULTS_MAX)
            .collect();
        faults.extend(values.keys().filter_map(|path| {
            let record = path.strip_suffix(".expiry_date")?;
            let day =
                |field: &str| value::date(values.get(&format!("{record}.{field}"))?.as_str()?);
            let wrong = day("expiry_date")? < day("production_date")?;
            let (_, _, field) = self.entry(path)?;
            wrong.then(|| fault(path, Some(field), FaultCode::ExpiryBeforeProduction))
        }));
        faults.truncate(FAULTS_MAX);
        faults
    }

    fn fault(&self, home: Home, path: &str, value: &Value) -> Option<FieldFault> {
        let Some((slot, record, field)) = self.entry(path) else {
            return Some(fault(path, None, FaultCode::UnknownField));
        };
        let code = match slot.home {
            None if field.visibility == Visibility::RestrictedPersonal => {
                Some(FaultCode::PersonalData)
            }
            None => Some(FaultCode::KeptElsewhere),
            Some(right) if right != home && !(slot.either && home == Home::Batch) => {
                return Some(wrong_home(path, field, right));
            }
            Some(_) => value::problem(field.kind, record.repeats, value),
        };
        code.map(|code| fault(path, Some(field), code))
    }
}

fn fault(path: &str, field: Option<&Field>, code: FaultCode) -> FieldFault {
    let (zh, en) = code.words();
    let path: String = path.chars().take(ECHO_CHARS_MAX).collect();
    let (title_zh, title_en) = field.map_or((path.as_str(), path.as_str()), |field| {
        (field.title_zh.as_str(), field.title_en.as_str())
    });
    FieldFault {
        message_zh: format!("{title_zh}：{zh}"),
        message_en: format!("{title_en}: {en}"),
        code,
        path,
    }
}

fn wrong_home(path: &str, field: &Field, right: Home) -> FieldFault {
    let (zh, en) = match right {
        Home::Enterprise => ("企业", "the enterprise"),
        Home::Product => ("品类", "the product"),
        Home::Batch => ("批次", "the batch"),
        Home::Unit => ("单品", "the unit"),
    };
    FieldFault {
        message_zh: format!("{}：应在{zh}一级填报", field.title_zh),
        message_en: format!("{}: it is kept with {en}", field.title_en),
        ..fault(path, Some(field), FaultCode::WrongHome)
    }
}
