//! One file out of a form a browser sends (`multipart/form-data`): bounded in bytes, fields and
//! time. A sender who is told that a file is too large must have been listened to, so what is too
//! much is read to its end and dropped, up to a bound of its own.

use crate::problem::{Problem, ProblemCode};
use actix_multipart::{Multipart, MultipartError};
use actix_web::{
    HttpRequest,
    error::PayloadError,
    web::{Bytes, Payload},
};
use futures_util::{StreamExt, TryStreamExt};
use std::time::Duration;

/// A request longer than so many times its file's bound is not listened to.
const LISTENED_TO: usize = 4;

/// The file in the field `name`, of at most `max` bytes, complete within `within`. A field sent
/// empty is as good as absent: a browser sends those nobody chose a file for. Other fields and a
/// second file are refused.
pub async fn file(
    request: &HttpRequest,
    payload: Payload,
    name: &str,
    max: usize,
    within: Duration,
) -> Result<Bytes, Problem> {
    let mut listened = 0;
    let bounded = payload.into_inner().map(move |chunk| {
        listened += chunk.as_ref().map_or(0, Bytes::len);
        if listened > max * LISTENED_TO {
            return Err(PayloadError::Overflow);
        }
        chunk
    });
    let form = Multipart::new(request.headers(), bounded);
    let read = tokio::time::timeout(within, only_file(form, name, max));
    read.await.map_err(|_| Problem::new(ProblemCode::TooSlow))?
}

async fn only_file(mut form: Multipart, name: &str, max: usize) -> Result<Bytes, Problem> {
    let mut file: Option<Bytes> = None;
    while let Some(mut field) = form.try_next().await.map_err(|e| refused(&e, max))? {
        if field.name() != Some(name) {
            return Err(Problem::new(ProblemCode::MalformedBody).detail(
                format!("send the file as the only field, `{name}`"),
                format!("表单只能有一个字段 {name}"),
            ));
        }
        let bytes = field.bytes(max).await.map_err(|_| too_large(max))?;
        let bytes = bytes.map_err(|e| refused(&e, max))?;
        if bytes.is_empty() {
            continue;
        }
        if file.replace(bytes).is_some() {
            return Err(Problem::new(ProblemCode::MalformedBody)
                .detail("send one file at a time", "一次只能发送一个文件"));
        }
    }
    file.ok_or_else(|| {
        Problem::new(ProblemCode::MalformedBody).detail("choose a file first", "请先选择一个文件")
    })
}

fn too_large(max: usize) -> Problem {
    Problem::new(ProblemCode::TooLarge).detail(
        format!("at most {} MB", max / (1024 * 1024)),
        format!("不超过 {} MB", max / (1024 * 1024)),
    )
}

fn refused(error: &MultipartError, max: usize) -> Problem {
    use MultipartError as E;
    match error {
        E::ContentTypeMissing | E::ContentTypeParse | E::ContentTypeIncompatible => {
            Problem::new(ProblemCode::UnsupportedMediaType)
                .detail("send multipart/form-data", "请使用 multipart/form-data")
        }
        E::Payload(PayloadError::Overflow) => too_large(max),
        _ => Problem::new(ProblemCode::MalformedBody)
            .detail("the form cannot be read", "表单无法解析"),
    }
}
