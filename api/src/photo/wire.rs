//! The answer to a photo, for programs and for the documentation.

use crate::{
    problem::{FieldProblem, Problem},
    resolver::wire::ScanOut,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a browser or a device sends.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct PhotoForm {
    /// The picture.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    photo: String,
}

/// Every QR code of a photo, each told once, at most 8.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhotoOut {
    /// In the order in which they were read.
    pub codes: Vec<PhotoCodeOut>,
}

/// One code: `answer` where it is a trace code, `problem` where it is none.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PhotoCodeOut {
    /// What `GET` of the code's own address answers: 200, 404, or 400.
    pub status: u16,
    /// The answer, as for a scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ScanOut>)]
    pub answer: Option<serde_json::Value>,
    /// Why there is none. What the code says is not repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<PhotoProblemOut>,
}

/// Why a QR code was not answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhotoProblemOut {
    /// Stable name to match on, e.g. `malformed-code`.
    pub code: &'static str,
    /// What this code always means, in English.
    pub title: &'static str,
    /// The same in Chinese.
    pub title_zh: &'static str,
    /// What is wrong with the text, by the stable name of the fault.
    pub errors: Vec<FieldProblem>,
}

impl From<Problem> for PhotoCodeOut {
    fn from(problem: Problem) -> PhotoCodeOut {
        PhotoCodeOut {
            status: problem.code.status().as_u16(),
            answer: None,
            problem: Some(PhotoProblemOut {
                code: problem.code.code(),
                title: problem.code.title_en(),
                title_zh: problem.code.title_zh(),
                errors: problem.errors,
            }),
        }
    }
}
