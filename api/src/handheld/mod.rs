//! The service side of sync (sync.md): devices and their keys, what they push, what they may read.
//!
//! The agreement itself is the pure crate `suyuan_sync`; here are its database, its clock and its
//! HTTP. An event is an entry of the log with a row of its own: see [`push`].

pub mod anchor;
pub mod aside;
pub mod decisions;
pub mod devices;
pub mod down;
pub mod failing;
pub mod inflate;
pub mod keys;
pub mod lots;
pub mod patrol;
pub mod push;
pub mod replay;
pub mod schema;
pub mod token;
pub mod turns;
pub mod units;
pub mod verify;
pub mod world;

use crate::{
    clock::Clock,
    config,
    db::Db,
    http::serde_words::in_chinese,
    log::Log,
    problem::{Problem, ProblemCode},
    sealing::Sealer,
};
use anchor::Anchors;
use down::{listed::RecallLists, snapshot::Snapshots};
use keys::{KeyError, ListKeys};
use push::{act::Engine, gather::Gathering, ingest::Ingest, memory::Memory};
use std::time::Duration;
use suyuan_sync::{
    bugs::{self, Bug},
    wire::FrameFault,
};
use tokio::task::JoinHandle;
use units::read::Reading;
use world::Source;

/// What the calls of devices work with.
pub struct Handheld {
    /// Makes and reads anchors.
    pub anchors: Anchors,
    /// Signs receipts and lists.
    pub keys: ListKeys,
    /// Makes recall lists.
    pub lists: RecallLists,
    /// Makes snapshots.
    pub snapshots: Snapshots,
    /// Admits pushes.
    pub ingest: Ingest,
    /// What pushes on their way may take.
    pub memory: Memory,
    /// Folds for people who look.
    pub reading: Reading,
}

impl Handheld {
    /// Opens keys, starts admitting.
    pub async fn open(
        settings: &config::Handheld,
        db: &Db,
        log: &Log,
        sealer: &Sealer,
        clock: &Clock,
    ) -> Result<(Handheld, JoinHandle<()>), KeyError> {
        let anchors = Anchors::new(sealer, log.installation());
        let engine = Engine::new(
            db.clone(),
            log.clone(),
            anchors.clone(),
            Source::new(sealer.clone()),
        );
        if bugs::on(Bug::ParkedForgotten) {
            push::store::forget_waiting(db.writer()).await?;
        }
        let gathering = Gathering {
            wait: Duration::from_millis(settings.gather_ms),
            events: settings.gather_events,
            waiting: settings.waiting,
        };
        let (ingest, task) = Ingest::start(engine, gathering);
        let keys = ListKeys::open(db, sealer, clock.now()).await?;
        let lists = RecallLists::new(db, log, sealer, &keys);
        let handheld = Handheld {
            snapshots: Snapshots::new(db, log, sealer, &lists),
            lists,
            keys,
            anchors,
            ingest,
            memory: Memory::default(),
            reading: Reading::new(sealer.clone()),
        };
        Ok((handheld, task))
    }
}

/// A message that cannot be taken as a whole; it fills no sequence number.
pub fn frame_problem(fault: &FrameFault) -> Problem {
    let code = if fault.is_size() {
        ProblemCode::TooLarge
    } else {
        ProblemCode::MalformedBody
    };
    let zh = match fault {
        FrameFault::TooLong { bytes, max } => {
            let has = bytes.map_or_else(|| "超过此数".into(), |n| format!("为 {n} 字节"));
            format!("消息解压后最多 {max} 字节，本次{has}；请拆成较小的批次重发")
        }
        FrameFault::WindowTooLarge { window, max } => {
            format!(
                "zstd 帧的窗口最多 {max} 字节，本次要求 {window} 字节；请用较小的窗口压缩，或拆成较小的批次重发"
            )
        }
        FrameFault::TooManyEvents { max } => {
            format!("每次最多上传 {max} 条事件；请拆成较小的批次重发")
        }
        FrameFault::EventTooLong { seq, bytes, max } => {
            format!("每条事件的文本最多 {max} 字节，第 {seq} 号事件为 {bytes} 字节")
        }
        FrameFault::Unreadable { why } => {
            let why = in_chinese(why, "不是本接口约定的 JSON");
            format!("消息无法解析：{why}；请改正后重发")
        }
        FrameFault::BadSeq => "事件序号须在 1 到 2^53 - 1 之间".into(),
        FrameFault::TooManyGaps { max } => {
            format!("每个代次最多保留 {max} 段不相连的序号；请先补传缺失的事件")
        }
    };
    let name = fault.name();
    Problem::new(code).detail(format!("{name}: {fault}"), format!("{name}：{zh}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_smaller_part_helps_is_to_be_split() {
        let faults = [
            FrameFault::TooLong {
                bytes: None,
                max: 8,
            },
            FrameFault::WindowTooLarge { window: 9, max: 8 },
            FrameFault::TooManyEvents { max: 8 },
            FrameFault::EventTooLong {
                seq: 3,
                bytes: 9,
                max: 8,
            },
            FrameFault::Unreadable {
                why: "missing field `v` at line 1 column 2".into(),
            },
            FrameFault::BadSeq,
            FrameFault::TooManyGaps { max: 8 },
        ];
        let mut told = std::collections::BTreeSet::new();
        for fault in &faults {
            let problem = frame_problem(fault);
            assert_eq!(
                problem.detail_zh.contains("拆"),
                fault.is_to_be_split(),
                "{fault:?}"
            );
            let text = problem
                .detail_zh
                .split_once('：')
                .map(|(_, text)| text.to_owned());
            assert!(told.insert(text), "{fault:?} says what another says");
        }
        assert!(frame_problem(&faults[4]).detail_zh.contains("缺少字段 v"));
    }
}
