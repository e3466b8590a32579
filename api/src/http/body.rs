//! Request bodies: bounded, JSON, of exactly the shape asked for; and the idempotency key that
//! makes a create safe to send twice.

use super::{
    arriving::{BODY_WITHIN, PAUSE_MAX, was_too_slow},
    serde_words::in_chinese,
};
use crate::{
    app::Internal,
    log::IdempotencyKey,
    problem::{Problem, ProblemCode},
};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::header,
    web::{Bytes, BytesMut, Data},
};
use futures_util::{StreamExt, future::LocalBoxFuture};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use suyuan_sync::event::without_halves;
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

/// Largest ordinary JSON body, in bytes.
pub const JSON_MAX: usize = 256 * 1024;
/// Largest body that lists codes or carries a file, in bytes.
pub const LARGE_MAX: usize = 4 * 1024 * 1024;
/// Longest idempotency key.
const KEY_MAX: usize = 128;

/// A JSON body, no larger than `MAX` bytes, of a call that keeps no answer: no key is heard.
pub struct Json<T, const MAX: usize = JSON_MAX> {
    /// What was sent.
    pub value: T,
}

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Json<T, MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let (value, _) = json(&request, payload, MAX).await?;
            Ok(Json { value })
        })
    }
}

/// A JSON body of a device, read as its events are: half a character is U+FFFD. Names that are not known are
/// the reader's affair, and it passes over them: a device may be newer than its server.
pub struct DeviceJson<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for DeviceJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let bytes = object(&request, payload, JSON_MAX).await?;
            let value = match std::str::from_utf8(&bytes) {
                Ok(text) => serde_json::from_str(&without_halves(text)),
                // It says where the text goes wrong.
                Err(_) => serde_json::from_slice(&bytes),
            };
            Ok(DeviceJson(value.map_err(|error| malformed(&error))?))
        })
    }
}

/// A JSON body, no larger than `MAX` bytes, with the key it was sent under. Whoever takes this
/// gives its first answer again ([`crate::log::Log::begin`]) and documents [`KeyHeader`].
pub struct Keyed<T, const MAX: usize = JSON_MAX> {
    /// What was sent.
    pub value: T,
    /// `Idempotency-Key`, tied to this request.
    pub key: Option<IdempotencyKey>,
}

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Keyed<T, MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let (value, bytes) = json(&request, payload, MAX).await?;
            let key = idempotency_key(&request, &bytes)?;
            Ok(Keyed { value, key })
        })
    }
}

/// The key of a call without a body: it is tied to method and address.
pub struct Key(pub Option<IdempotencyKey>);

impl FromRequest for Key {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(idempotency_key(request, &[]).map(Key))
    }
}

/// The header of a call that gives its first answer again, for its documentation.
pub struct KeyHeader;

impl IntoParams for KeyHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let shape = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(KEY_MAX))
            .pattern(Some("^[!-~]+$"));
        let header = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "Sent again with the same request, the first answer is given again; with another \
                 request, 422. Kept for seven days.",
            ))
            .schema(Some(shape));
        vec![header.build()]
    }
}

/// A JSON body sent to the public listener by anyone, no larger than `MAX` bytes. Unknown fields
/// are the reader's affair; there is no idempotency key, since nothing is kept per caller.
pub struct PublicJson<T, const MAX: usize>(pub T);

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for PublicJson<T, MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let (value, _) = json(&request, payload, MAX).await?;
            Ok(PublicJson(value))
        })
    }
}

/// Reads a JSON object of at most `max` bytes; gives its bytes too.
pub async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
    max: usize,
) -> Result<(T, Bytes), Problem> {
    let bytes = object(request, payload, max).await?;
    let value = serde_json::from_slice(&bytes).map_err(|error| malformed(&error))?;
    Ok((value, bytes))
}

/// The bytes of what may be a JSON object.
async fn object(request: &HttpRequest, payload: Payload, max: usize) -> Result<Bytes, Problem> {
    let media = super::header_text(request, &header::CONTENT_TYPE);
    if !media
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .eq_ignore_ascii_case("application/json")
    {
        return Err(Problem::new(ProblemCode::UnsupportedMediaType)
            .detail("send application/json", "请使用 application/json"));
    }
    let bytes = read(payload, max).await?;
    // Serde would read a list as an object's values in order.
    if bytes.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Problem::new(ProblemCode::MalformedBody)
            .detail("send a JSON object", "请发送 JSON 对象"));
    }
    Ok(bytes)
}

/// Reads a body of at most `max` bytes.
pub async fn read(payload: Payload, max: usize) -> Result<Bytes, Problem> {
    read_within(payload, max, |_| Ok(())).await
}

/// The same, where somebody is asked before each piece is kept.
pub async fn read_within(
    mut payload: Payload,
    max: usize,
    mut may: impl FnMut(usize) -> Result<(), Problem>,
) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| unread(&error))?;
        if body.len() + chunk.len() > max {
            return Err(Problem::new(ProblemCode::TooLarge).detail(
                format!("this call takes at most {max} bytes"),
                format!("此接口最多接收 {max} 字节"),
            ));
        }
        may(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A body that did not arrive whole.
fn unread(error: &PayloadError) -> Problem {
    if !was_too_slow(error) {
        return Problem::new(ProblemCode::MalformedRequest)
            .detail("the body ends too early", "请求正文不完整");
    }
    let (within, pause) = (BODY_WITHIN.as_secs(), PAUSE_MAX.as_secs());
    Problem::new(ProblemCode::TooSlow).detail(
        format!("a body arrives within {within} s, without a pause of more than {pause} s"),
        format!("请求正文须在 {within} 秒内传完，中途停顿不得超过 {pause} 秒"),
    )
}

/// The key a create was sent under, bound to method, path and body.
pub fn idempotency_key(
    request: &HttpRequest,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| {
        (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
    });
    let Some(key) = key else {
        return Err(Problem::field(
            "Idempotency-Key",
            "malformed",
            "1 to 128 visible ASCII characters",
            "1 到 128 个可见 ASCII 字符",
        ));
    };
    let operation = format!("{} {}", request.method(), request.uri());
    let state = request.app_data::<Data<Internal>>();
    let state = state.ok_or_else(|| Problem::new(ProblemCode::Internal))?;
    Ok(Some(IdempotencyKey::new(
        &state.sealer,
        key,
        &operation,
        body,
    )))
}

fn malformed(error: &serde_json::Error) -> Problem {
    // serde's words name the field and place; they hold nothing of ours.
    let said = error.to_string();
    let zh = in_chinese(&said, "不是有效的 JSON");
    let zh = format!("第 {} 行第 {} 列：{zh}", error.line(), error.column());
    Problem::new(ProblemCode::MalformedBody).detail(said, zh)
}
