//! Request bodies: bounded, JSON, of exactly the shape asked for; and the idempotency key that
//! makes a create safe to send twice.

use crate::{
    app::Internal,
    log::IdempotencyKey,
    problem::{Problem, ProblemCode},
};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header,
    web::{Bytes, BytesMut, Data},
};
use futures_util::{StreamExt, future::LocalBoxFuture};
use serde::de::DeserializeOwned;

/// Largest ordinary JSON body, in bytes.
pub const JSON_MAX: usize = 256 * 1024;
/// Largest body that lists codes or carries a file, in bytes.
pub const LARGE_MAX: usize = 4 * 1024 * 1024;
/// Longest idempotency key.
const KEY_MAX: usize = 128;

/// A JSON body, no larger than `MAX` bytes, with the key it was sent under.
pub struct Json<T, const MAX: usize = JSON_MAX> {
    /// What was sent.
    pub value: T,
    /// `Idempotency-Key`, tied to this request.
    pub key: Option<IdempotencyKey>,
}

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Json<T, MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let (value, bytes) = json(&request, payload, MAX).await?;
            let key = idempotency_key(&request, &bytes)?;
            Ok(Json { value, key })
        })
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
    let value = serde_json::from_slice(&bytes).map_err(|error| malformed(&error))?;
    Ok((value, bytes))
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
        let chunk = chunk.map_err(|_| Problem::new(ProblemCode::MalformedRequest))?;
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
    let place_zh = format!("第 {} 行第 {} 列", error.line(), error.column());
    Problem::new(ProblemCode::MalformedBody).detail(error.to_string(), place_zh)
}
