//! Trace codes out of a photo (拍照查询): `POST /q/photo`, for a phone whose scanner is not at
//! hand or not good enough.
//!
//! A picture from a stranger goes through two decoders of pictures and two of QR codes, which were
//! written for speed, not for hostile input: some panic, and a picture of ten thousand finder
//! patterns keeps one busy for hours. No thread can be stopped, so each picture is read by a
//! process of its own, which takes no more memory and time than it was given and is killed when
//! it tries. In reading order: `picture` refuses what is no photo and turns the rest into grey
//! levels; `grey` holds the few ways to make a bad picture better; `cascade` tries the decoders
//! on it, cheapest first; `worker` is the process; `readers` starts it and lets in no more than
//! fit; `address` is where an answer stands; `handlers` speaks HTTP.

mod address;
pub mod cascade;
pub mod grey;
pub mod handlers;
pub mod picture;
pub mod readers;
pub mod wire;
pub mod worker;

/// Most bytes of a picture.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most codes read in one picture.
pub const CODES_MAX: usize = 8;
