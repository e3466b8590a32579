//! `POST /v1/decode`: the codes in a photo, for devices without a detector. Only read, not answered:
//! what the device makes of a code it knows by itself, as of one that was scanned.

use crate::{
    app::Internal,
    http::device::Carrier,
    photo::{handlers::read, readers::Readers, wire::PhotoForm},
    problem::{Problem, ProblemBody},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    post,
    web::{Data, Payload},
};
use serde::Serialize;
use suyuan_sync::{trace_code, unit::UnitKey, wire::V};

/// The codes of a photo.
#[derive(Debug, Serialize)]
struct DecodedOut {
    v: V<1>,
    codes: Vec<DecodedCode>,
    /// The newest anchor, for a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<String>,
}

/// A code as it was read.
#[derive(Debug, Serialize)]
struct DecodedCode {
    /// Its text: what an event says as `code`, with `camera` as input.
    text: String,
    /// The unit it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<UnitKey>,
    /// Why it is no trace code: the stable name of the fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
}

/// The codes in a photo, as the field `photo` of a form: each text once, at most 8, with the unit it
/// names in an event: a code of a scheme that only this installation's code profiles know names none, as at
/// every other call of staff and devices. Limits are those of `POST /q/photo`: PNG, JPEG or WebP, at most 4 MiB, 4096 pixels a side and
/// 4096 × 3072 in all, complete within 20 s; reading takes at most 4 s and 512 MiB in a process of
/// its own; two are read at once, 16 held, more are told to come again. The photo is not kept. The
/// caller is a device (signed as `GET /v1/sync/status` is) or somebody of an enterprise.
#[utoipa::path(tag = "handheld", operation_id = "decode_photo", security(("device" = []), ("bearer" = [])),
    request_body(content_type = "multipart/form-data", content = inline(PhotoForm)),
    responses((status = 200, body = Object, description = "`{v, codes[{text, unit?, fault?}], anchor?}`"),
    (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
    (status = 403, body = ProblemBody), (status = 408, body = ProblemBody),
    (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
    (status = 422, description = "No code in it, or a damaged picture.", body = ProblemBody),
    (status = 503, body = ProblemBody)))]
#[post("/v1/decode")]
pub async fn decode_photo(
    state: Data<Internal>,
    readers: Data<Readers>,
    carrier: Carrier,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let mut texts = read(&readers, &request, payload).await?;
    texts.dedup();
    let code = |text: String| match trace_code::parse(&text) {
        Ok(scanned) => DecodedCode {
            unit: UnitKey::of(&scanned.code),
            fault: None,
            text,
        },
        Err(error) => DecodedCode {
            unit: None,
            fault: Some(error.fault.code()),
            text,
        },
    };
    let anchor = match carrier {
        Carrier::Staff(_) => None,
        Carrier::Device(device) => {
            let (_, stamp) = state.log.head().await?;
            let (anchors, now) = (&state.handheld.anchors, state.log.now());
            Some(anchors.issue(device.device, device.epoch, stamp, now))
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(DecodedOut {
            v: V,
            codes: texts.into_iter().map(code).collect(),
            anchor,
        }))
}
