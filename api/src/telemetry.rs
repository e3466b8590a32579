//! Log lines and metrics. Answers on the hot path are counted, never logged one by one.

use crate::config::{Log, LogFormat};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use thiserror::Error;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::Context, prelude::*};

/// `log.level` is not a filter.
#[derive(Debug, Error)]
#[error("log.level {0:?}: {1}")]
pub struct FilterError(String, String);

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts log lines on standard error. Does nothing when called again; a filter that cannot be
/// read is an error.
pub fn start_logging(settings: &Log) -> Result<(), FilterError> {
    let filter = EnvFilter::try_new(&settings.level)
        .map_err(|error| FilterError(settings.level.clone(), error.to_string()))?;
    let registry = tracing_subscriber::registry().with(filter).with(Strangers);
    let started = match settings.format {
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .json()
                    .with_span_list(false)
                    .with_writer(std::io::stderr),
            )
            .try_init(),
        LogFormat::Text => registry
            .with(fmt::layer().with_writer(std::io::stderr))
            .try_init(),
    };
    drop(started); // already started: keep the first
    Ok(())
}

/// What the HTTP library complains of when a connection brings no request that can be read, as errors.
/// Any stranger can bring it about as often as they like, by a head that is too long or is none: it is
/// counted, not written.
struct Strangers;

impl<S: Subscriber> Layer<S> for Strangers {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        if event.metadata().target() != "actix_http::h1::dispatcher" {
            return true;
        }
        let mut said = Said(String::new());
        event.record(&mut said);
        let by_a_stranger = said.0.starts_with("stream error");
        if by_a_stranger {
            metrics::counter!("suyuan_streams_unread_total").increment(1);
        }
        !by_a_stranger
    }
}

/// The words of an event.
struct Said(String);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Starts metrics, once a process.
pub fn start_metrics() -> &'static PrometheusHandle {
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&[
                0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
            ])
            .unwrap_or_else(|_| PrometheusBuilder::new())
            .build_recorder();
        let handle = recorder.handle();
        drop(metrics::set_global_recorder(recorder)); // only this line sets one
        // Told from the start, so that "none" can be told from "not measured".
        for kind in ["database", "redis"] {
            metrics::counter!("suyuan_resolver_io_total", "kind" => kind).absolute(0);
        }
        metrics::counter!("suyuan_queries_dropped_total").absolute(0);
        metrics::counter!("suyuan_streams_unread_total").absolute(0);
        handle
    })
}

/// An error with all its causes, for a line in a log.
pub fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        // A wrapper may have told its cause's words already.
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        next = cause.source();
    }
    text
}
