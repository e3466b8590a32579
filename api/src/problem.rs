//! What a caller is told when something is refused or fails: RFC 9457 problems. One table gives
//! each stable code its status and words; features choose a code, never a status.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

macro_rules! problem_codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $status:literal $en:literal $zh:literal;)*) => {
        /// Every problem this service can answer with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode { $($(#[$doc])* $variant,)* }

        impl ProblemCode {
            /// All of them, for the documentation and its test.
            pub const ALL: &'static [ProblemCode] = &[$(ProblemCode::$variant,)*];
            /// The stable name a program matches on.
            pub const fn code(self) -> &'static str { match self { $(ProblemCode::$variant => $code,)* } }
            /// The HTTP status it always has.
            pub fn status(self) -> StatusCode {
                let number = match self { $(ProblemCode::$variant => $status,)* };
                StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            /// What it is, in English.
            pub const fn title_en(self) -> &'static str { match self { $(ProblemCode::$variant => $en,)* } }
            /// What it is, in Chinese.
            pub const fn title_zh(self) -> &'static str { match self { $(ProblemCode::$variant => $zh,)* } }
        }
    };
}

problem_codes! {
    /// The code in the address cannot be read.
    MalformedCode "malformed-code" 400 "This is not a trace code we can read." "无法识别的追溯码。";
    /// The body is not JSON of the shape asked for.
    MalformedBody "malformed-body" 400 "The request body cannot be read." "请求内容无法解析。";
    /// A header or query parameter is wrong.
    MalformedRequest "malformed-request" 400 "The request cannot be read." "请求无法解析。";
    /// Plain HTTP where TLS is spoken.
    TlsNeeded "tls-needed" 400 "This address speaks TLS: begin it with https://." "该地址使用加密连接：请以 https:// 开头。";
    /// Fields are missing or wrong; each is listed.
    InvalidFields "invalid-fields" 422 "Some fields are missing or wrong." "部分字段缺失或有误。";
    /// The same key was used for another request.
    IdempotencyKeyReused "idempotency-key-reused" 422 "This idempotency key was used for a different request." "该幂等键已用于另一请求。";
    /// No or no valid credentials.
    NotSignedIn "not-signed-in" 401 "Sign in first." "请先登录。";
    /// Name or password is wrong, or the account is locked or disabled.
    WrongCredentials "wrong-credentials" 401 "The name or password is wrong, or the account is locked." "用户名或密码错误，或账号已锁定。";
    /// A refresh token was used a second time; its family has ended.
    RefreshReused "refresh-token-reused" 401 "This refresh token was already used; sign in again." "刷新令牌已被使用，请重新登录。";
    /// The one-time code of an enrolment is used, expired or wrong.
    EnrolmentCodeInvalid "enrolment-code-invalid" 401 "This enrolment code is used, expired or wrong." "注册码无效、已使用或已过期。";
    /// The device's signature, key or epoch is not one we know.
    DeviceNotKnown "device-not-known" 401 "The device's signature cannot be verified." "设备签名无法验证。";
    /// The anchor that came as nonce of a read is too old; the answer holds a fresh one.
    StaleAnchor "stale-anchor" 401 "This time anchor is too old; use the fresh one in this answer." "时间锚点已过期，请使用本次返回的新锚点。";
    /// The role does not carry this right.
    NotAllowed "not-allowed" 403 "Your role may not do this." "您的角色无权执行此操作。";
    /// Nothing here, or nothing you may know of.
    NotFound "not-found" 404 "Nothing is known here." "未找到相关内容。";
    /// Another method is meant.
    MethodNotAllowed "method-not-allowed" 405 "This address does not take that method." "该地址不支持此请求方法。";
    /// The answer exists in no form the caller accepts.
    NotAcceptable "not-acceptable" 406 "No form of this answer suits your Accept header." "没有符合要求的响应格式。";
    /// The body did not arrive in time.
    TooSlow "too-slow" 408 "The upload took too long." "上传超时。";
    /// Such a thing exists already.
    AlreadyExists "already-exists" 409 "This exists already." "该对象已存在。";
    /// This request was done before, and its answer is not readable any more.
    AnswerUnreadable "answer-unreadable" 409 "This was done before; its answer can no longer be read." "该请求此前已完成，但当时的答复已无法读取。";
    /// Codes are commissioned to another batch.
    CommissionConflict "commission-conflict" 409 "Some of these codes are commissioned to another batch." "部分追溯码已关联到其他批次。";
    /// A destroyed code cannot be used.
    CodeVoid "code-void" 409 "Some of these codes were destroyed and cannot be used." "部分追溯码已作废，不能使用。";
    /// A code in use cannot be destroyed as unqualified.
    CodeInUse "code-in-use" 409 "Some of these codes are in use." "部分追溯码已在使用。";
    /// Codes lie outside what was allocated.
    CodesNotAllocated "codes-not-allocated" 409 "Some of these codes were never allocated." "部分追溯码未曾分配。";
    /// The recall is closed.
    RecallAlreadyClosed "recall-already-closed" 409 "This recall is closed already." "该召回已关闭。";
    /// This step cannot follow the state it is in.
    WrongStep "wrong-step" 409 "This step cannot follow the present state." "当前状态下不能执行此步骤。";
    /// The personal part is gone.
    PersonalDataErased "personal-data-erased" 409 "The personal data was erased." "个人信息已删除。";
    /// The suspicion was cleared.
    AlreadyCleared "already-cleared" 409 "This suspicion is cleared already." "该疑点已排除。";
    /// The device's keys are revoked.
    DeviceRevoked "device-revoked" 409 "This device is revoked." "该设备已停用。";
    /// The event does not stand aside.
    NotAside "not-aside" 409 "This event is not in quarantine." "该记录不在隔离中。";
    /// The event is of a kind or version that this program does not know.
    KindUnknown "kind-unknown" 409 "This program does not know what the event says; update it first." "当前程序版本不认识该记录，请先升级程序。";
    /// Required public information is missing; each item is listed.
    NotPublishable "not-publishable" 409 "Public information is incomplete." "公开信息不完整，不能发布。";
    /// The cursor leads nowhere any more: begin with a snapshot.
    CursorGone "cursor-gone" 410 "This cursor cannot be followed any more; begin with a snapshot." "该同步位置已失效，请重新获取快照。";
    /// The body is larger than this call takes.
    TooLarge "too-large" 413 "The request is larger than this call takes." "请求内容过大。";
    /// The picture has more pixels than we look at.
    PictureTooLarge "picture-too-large" 413 "This picture is too large." "照片尺寸过大。";
    /// The address is longer than we read.
    UriTooLong "uri-too-long" 414 "The address is too long." "地址过长。";
    /// Another content type is meant.
    UnsupportedMediaType "unsupported-media-type" 415 "This content type is not taken here." "不支持该内容类型。";
    /// Neither PNG nor JPEG nor WebP.
    NotAPicture "not-a-picture" 415 "This is not a PNG, JPEG or WebP picture." "这不是 PNG、JPEG 或 WebP 格式的照片。";
    /// Begins like a picture, but cannot be decoded.
    PictureUnreadable "picture-unreadable" 422 "This picture cannot be opened." "照片无法打开。";
    /// No trace code was found in the picture.
    NoCodeFound "no-code-found" 422 "No trace code was found in this picture." "照片中没有找到追溯码。";
    /// Slow down.
    TooManyRequests "too-many-requests" 429 "Too many requests; try again later." "请求过于频繁，请稍后再试。";
    /// Ours to mend.
    Internal "internal" 500 "Something went wrong on our side." "系统内部错误。";
    /// The service cannot vouch for an answer now.
    CannotConfirm "cannot-confirm" 503 "We cannot confirm anything about this code right now." "目前无法确认该追溯码的信息。";
    /// The database takes no writes: it is being switched over, or was set aside.
    ReadOnly "read-only" 503 "Nothing can be written just now; reading goes on." "目前仅可查询，暂不能写入。";
    /// More is asked than can be answered.
    Overloaded "overloaded" 503 "Too many people are asking right now; try again shortly." "当前查询人数过多，请稍后再试。";
    /// The server's clock jumped; nothing is admitted until an operator confirms it.
    ClockJumped "clock-jumped" 503 "The server's clock jumped; nothing is written until an operator confirms it." "服务器时钟发生跳变，待管理员确认后恢复写入。";
    /// It is being made while nobody waits: ask again.
    SnapshotNotReady "snapshot-not-ready" 503 "The snapshot is still being made; ask again shortly." "快照仍在生成，请稍后再试。";
    /// Try again soon.
    Unavailable "unavailable" 503 "The service is briefly unavailable." "服务暂时不可用。";
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where: a JSON pointer or catalogue path.
    pub field: String,
    /// Stable name of the fault.
    pub code: String,
    /// What to do about it.
    pub message: String,
    /// The same in Chinese.
    pub message_zh: String,
}

/// A problem on its way to the caller. The outermost middleware adds the request id and chooses
/// JSON or a page; see `http::finish`.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which.
    pub code: ProblemCode,
    /// What happened here, in English; never holds internals.
    pub detail: String,
    /// The same in Chinese.
    pub detail_zh: String,
    /// Wrong fields, each by name.
    pub errors: Vec<FieldProblem>,
    /// Seconds after which trying again makes sense.
    pub retry_after_s: Option<u32>,
    /// Methods that would be taken.
    pub allow: Option<String>,
    /// A fresh time anchor, for a device whose own is too old. In a box: problems are moved about.
    pub anchor: Option<Box<String>>,
}

impl Problem {
    /// A problem whose title says it all.
    pub fn new(code: ProblemCode) -> Problem {
        Problem {
            code,
            detail: String::new(),
            detail_zh: String::new(),
            errors: Vec::new(),
            retry_after_s: (code.status() == StatusCode::SERVICE_UNAVAILABLE
                || code.status() == StatusCode::TOO_MANY_REQUESTS)
                .then_some(1),
            allow: None,
            anchor: None,
        }
    }

    /// Adds what happened, in both languages.
    #[must_use]
    pub fn detail(mut self, en: impl Into<String>, zh: impl Into<String>) -> Problem {
        self.detail = en.into();
        self.detail_zh = zh.into();
        self
    }

    /// Adds the fields that are wrong.
    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldProblem>) -> Problem {
        self.errors = errors;
        self
    }

    /// Adds the methods that would be taken.
    #[must_use]
    pub fn allow(mut self, methods: impl Into<String>) -> Problem {
        self.allow = Some(methods.into());
        self
    }

    /// Adds a fresh time anchor.
    #[must_use]
    pub fn anchor(mut self, anchor: String) -> Problem {
        self.anchor = Some(Box::new(anchor));
        self
    }

    /// One wrong field.
    pub fn field(field: &str, code: &str, en: &str, zh: &str) -> Problem {
        Problem::from(FieldProblem {
            field: field.into(),
            code: code.into(),
            message: en.into(),
            message_zh: zh.into(),
        })
    }

    /// A failure of ours: the cause goes to the log, not to the caller.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Problem {
        let chain = crate::telemetry::in_full(cause);
        tracing::error!(cause = %chain, "request failed");
        Problem::new(ProblemCode::Internal)
    }
}

impl From<FieldProblem> for Problem {
    fn from(fault: FieldProblem) -> Problem {
        Problem::new(ProblemCode::InvalidFields).errors(vec![fault])
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.code(), self.code.title_en())?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        for field in &self.errors {
            write!(f, "; {}: {}", field.field, field.message)?;
        }
        Ok(())
    }
}

/// The body of a problem, `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody<'a> {
    /// `urn:suyuan:problem:{code}`
    #[serde(rename = "type")]
    pub kind: String,
    /// What this code always means, in English.
    pub title: &'a str,
    /// The same in Chinese.
    pub title_zh: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Stable name to match on.
    pub code: &'a str,
    /// What happened here.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub detail: &'a str,
    /// The same in Chinese.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub detail_zh: &'a str,
    /// Wrong fields.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub errors: &'a [FieldProblem],
    /// A fresh time anchor, for a device whose own is too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<&'a str>,
    /// Quote this when asking for help; absent where a problem stands inside an answer, whose
    /// header carries it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub request_id: &'a str,
}

impl Problem {
    /// The body as it goes out.
    pub fn body<'a>(&'a self, request_id: &'a str) -> ProblemBody<'a> {
        ProblemBody {
            kind: format!("urn:suyuan:problem:{}", self.code.code()),
            title: self.code.title_en(),
            title_zh: self.code.title_zh(),
            status: self.code.status().as_u16(),
            code: self.code.code(),
            detail: &self.detail,
            detail_zh: &self.detail_zh,
            errors: &self.errors,
            anchor: self.anchor.as_deref().map(String::as_str),
            request_id,
        }
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// Carries the problem itself; `http::finish` writes the body once the request is known.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<sea_orm::DbErr> for Problem {
    fn from(error: sea_orm::DbErr) -> Problem {
        if is_read_only(&error) {
            tracing::warn!(%error, "database takes no writes");
            return Problem::new(ProblemCode::ReadOnly);
        }
        if is_outage(&error) {
            tracing::warn!(%error, "database unavailable");
            return Problem::new(ProblemCode::Unavailable);
        }
        Problem::internal(&error)
    }
}

/// PostgreSQL: `read_only_sql_transaction`, as a standby or a fenced primary answers.
fn is_read_only(error: &sea_orm::DbErr) -> bool {
    use sea_orm::{DbErr, RuntimeErr};
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) =
        error
    else {
        return false;
    };
    let code = cause
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "25006")
}

/// Is this a database that is away or busy, so that the same request may be sent again?
pub fn is_outage(error: &sea_orm::DbErr) -> bool {
    use sea_orm::{DbErr, RuntimeErr};
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return matches!(error, DbErr::ConnectionAcquire(_));
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return matches!(error, DbErr::Conn(_));
    };
    match cause.as_ref() {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing(&code)),
        _ => matches!(error, DbErr::Conn(_)),
    }
}

/// Does an error with this code pass by itself, or once somebody made room, so that it says nothing
/// about what was written?
fn is_passing(code: &str) -> bool {
    // SQLite: busy, locked, input or output failed, full; each with its extended codes. They are
    // numbers without leading zeros, PostgreSQL's have five characters.
    let sqlite = code.parse().ok().filter(|_: &u32| code.len() < 5);
    if let Some(code) = sqlite {
        return matches!(code & 0xff, 5 | 6 | 10 | 13);
    }
    // PostgreSQL: lock time-out, cancelled, idle too long, serialisation, deadlock; disk, memory or
    // connections used up; shutting down; the system failed it.
    ["55P03", "57014", "25P03", "40001", "40P01"].contains(&code)
        || ["53", "57P0", "58"]
            .iter()
            .any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn what_passes_is_told_from_what_is_wrong() {
        for passing in [
            "5", "6", "13", "261", "517", "778", "1034", "53100", "57P01", "58030", "40P01",
        ] {
            assert!(is_passing(passing), "{passing}");
        }
        for wrong in [
            "1", "19", "787", "1555", "1811", "23505", "P0001", "22P02", "XX000",
        ] {
            assert!(!is_passing(wrong), "{wrong}");
        }
    }

    #[test]
    fn codes_are_unique_kebab_case_and_worded_in_both_languages() {
        let mut seen = HashSet::new();
        for code in ProblemCode::ALL {
            assert!(seen.insert(code.code()), "{} stands twice", code.code());
            assert!(
                code.code()
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '-'),
                "{}",
                code.code()
            );
            assert!(code.status().as_u16() >= 400);
            assert!(code.title_en().ends_with('.') && code.title_zh().ends_with('。'));
        }
    }
}
