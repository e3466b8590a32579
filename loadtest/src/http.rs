//! HTTP/1.1 answers out of bytes, as they come. No I/O, so that every split of the bytes can be
//! tested; no copy of a body nobody looks at, so that the driver is not what is measured.
//!
//! Accepts what a correct server sends (a length, or chunks) and refuses the rest loudly: an
//! answer that is merely tolerated would be counted as a right one.

/// A status line and headers longer than this are refused.
pub const HEAD_MAX: usize = 16 * 1024;
/// A chunk-size or trailer line longer than this is refused.
const LINE_MAX: usize = 1024;

/// How the bytes broke HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The first line is not a status line.
    #[error("not an HTTP/1.1 status line")]
    StatusLine,
    /// A header without a colon, or a length that is no number or contradicts another.
    #[error("a broken header")]
    Header,
    /// More head than [`HEAD_MAX`], or more of a chunk line than is sensible.
    #[error("a line or head beyond the limit")]
    TooLong,
    /// Neither a length nor chunks: the end of the answer cannot be told.
    #[error("an answer with neither length nor chunks")]
    Unframed,
    /// A chunk that does not end where it said.
    #[error("a broken chunk")]
    Chunk,
    /// The connection ended inside an answer.
    #[error("the connection closed inside an answer")]
    Truncated,
    /// Bytes after the answer to the only request in flight.
    #[error("bytes after the end of the answer")]
    Surplus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Sized(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailer,
    Complete,
}

/// Whether the answer is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Call again with the unread bytes and more behind them.
    NeedMore,
    /// The answer has ended.
    Done,
}

/// Reads one answer.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    status: u16,
    close: bool,
    head: Option<Vec<u8>>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// For the hot path: the head is understood but not kept.
    pub fn new() -> Self {
        Self {
            state: State::Head,
            status: 0,
            close: false,
            head: None,
        }
    }

    /// Keeps the head, for [`Decoder::headers`].
    pub fn keeping_head() -> Self {
        Self {
            head: Some(Vec::new()),
            ..Self::new()
        }
    }

    /// The status, 0 before the head has been read.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The server will close the connection after this answer.
    pub fn closes(&self) -> bool {
        self.close
    }

    /// Names (lower case) and values, if the head was kept.
    pub fn headers(&self) -> Vec<(String, String)> {
        let head = self.head.as_deref().unwrap_or_default();
        String::from_utf8_lossy(head)
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect()
    }

    /// Reads on: how many bytes of `input` were used, and whether the answer has ended. The body
    /// goes to `body` part by part, without chunk framing.
    pub fn step(
        &mut self,
        input: &[u8],
        mut body: impl FnMut(&[u8]),
    ) -> Result<(usize, Progress), WireError> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            match self.state {
                State::Head => {
                    let Some(end) = end_of_head(rest) else {
                        return need_more(used, rest, HEAD_MAX);
                    };
                    self.read_head(&rest[..end])?;
                    used += end + 4;
                }
                State::Sized(0) | State::Complete => return Ok((used, Progress::Done)),
                State::Sized(left) | State::ChunkData(left) if left > 0 => {
                    if rest.is_empty() {
                        return Ok((used, Progress::NeedMore));
                    }
                    let part = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    body(&rest[..part]);
                    used += part;
                    let left = left - part as u64;
                    self.state = match self.state {
                        State::Sized(_) => State::Sized(left),
                        _ => State::ChunkData(left),
                    };
                }
                State::Sized(_) | State::ChunkData(_) => self.state = State::ChunkEnd,
                State::ChunkEnd => {
                    if rest.len() < 2 {
                        return Ok((used, Progress::NeedMore));
                    }
                    if &rest[..2] != b"\r\n" {
                        return Err(WireError::Chunk);
                    }
                    used += 2;
                    self.state = State::ChunkSize;
                }
                State::ChunkSize => {
                    let Some(end) = end_of_line(rest) else {
                        return need_more(used, rest, LINE_MAX);
                    };
                    let size = chunk_size(&rest[..end])?;
                    used += end + 2;
                    self.state = if size == 0 {
                        State::Trailer
                    } else {
                        State::ChunkData(size)
                    };
                }
                State::Trailer => {
                    let Some(end) = end_of_line(rest) else {
                        return need_more(used, rest, LINE_MAX);
                    };
                    used += end + 2;
                    if end == 0 {
                        self.state = State::Complete;
                    }
                }
            }
        }
    }

    fn read_head(&mut self, head: &[u8]) -> Result<(), WireError> {
        let mut lines = Lines(head);
        self.status = status_of(lines.next().unwrap_or_default())?;
        let (mut length, mut chunked) = (None, false);
        for line in lines {
            let colon = line
                .iter()
                .position(|byte| *byte == b':')
                .ok_or(WireError::Header)?;
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                let said = decimal(value).ok_or(WireError::Header)?;
                if length.is_some_and(|before| before != said) {
                    return Err(WireError::Header);
                }
                length = Some(said);
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                chunked = value.eq_ignore_ascii_case(b"chunked");
            } else if name.eq_ignore_ascii_case(b"connection") {
                self.close = value.eq_ignore_ascii_case(b"close");
            }
        }
        if (100..200).contains(&self.status) {
            return Ok(());
        }
        if let Some(kept) = &mut self.head {
            kept.extend_from_slice(head);
        }
        self.state = match (self.status, chunked, length) {
            (204 | 304, ..) => State::Complete,
            (_, true, _) => State::ChunkSize,
            (_, false, Some(length)) => State::Sized(length),
            (_, false, None) => return Err(WireError::Unframed),
        };
        Ok(())
    }
}

/// The lines of a head, without their ends.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = match end_of_line(self.0) {
            Some(end) => (&self.0[..end], &self.0[end + 2..]),
            None => (self.0, &self.0[self.0.len()..]),
        };
        self.0 = rest;
        Some(line)
    }
}

fn need_more(used: usize, rest: &[u8], limit: usize) -> Result<(usize, Progress), WireError> {
    if rest.len() >= limit {
        return Err(WireError::TooLong);
    }
    Ok((used, Progress::NeedMore))
}

fn end_of_line(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == b'\r') {
        if bytes.get(from + at + 1) == Some(&b'\n') {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = end_of_line(&bytes[from..]) {
        let end = from + at;
        if bytes.get(end + 2..end + 4) == Some(b"\r\n") {
            return Some(end);
        }
        from = end + 2;
    }
    None
}

fn status_of(line: &[u8]) -> Result<u16, WireError> {
    let rest = line
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.0 "))
        .ok_or(WireError::StatusLine)?;
    let digits = rest.get(..3).ok_or(WireError::StatusLine)?;
    if !matches!(rest.get(3), None | Some(b' ')) {
        return Err(WireError::StatusLine);
    }
    let status = decimal(digits).ok_or(WireError::StatusLine)?;
    u16::try_from(status)
        .ok()
        .filter(|status| *status >= 100)
        .ok_or(WireError::StatusLine)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u64::from(byte - b'0'))
    })
}

fn chunk_size(line: &[u8]) -> Result<u64, WireError> {
    let digits = line
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(WireError::Chunk);
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or(WireError::Chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVary: Accept\r\n\r\nhello";
    const CHUNKED: &[u8] = b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n\
        4;x=1\r\nabcd\r\nA\r\n0123456789\r\n0\r\nDigest: x\r\n\r\n";

    /// Feeds `bytes` in pieces of the given lengths, as a socket would deliver them.
    fn decode(bytes: &[u8], cuts: &[usize]) -> Result<(u16, Vec<u8>, Progress), WireError> {
        let mut decoder = Decoder::new();
        let (mut body, mut held) = (Vec::new(), Vec::new());
        let mut progress = Progress::NeedMore;
        let mut from = 0;
        for to in cuts.iter().copied().chain([bytes.len()]) {
            held.extend_from_slice(&bytes[from..to]);
            from = to;
            let (used, now) = decoder.step(&held, |part| body.extend_from_slice(part))?;
            held.drain(..used);
            progress = now;
        }
        assert!(progress == Progress::NeedMore || held.is_empty());
        Ok((decoder.status(), body, progress))
    }

    #[test]
    fn every_split_of_an_answer_reads_the_same() {
        for (bytes, status, body) in [
            (SIZED, 200, &b"hello"[..]),
            (CHUNKED, 404, &b"abcd0123456789"[..]),
        ] {
            let right = Ok((status, body.to_vec(), Progress::Done));
            assert_eq!(decode(bytes, &[]), right);
            for first in 0..bytes.len() {
                assert_eq!(decode(bytes, &[first]), right, "cut at {first}");
                for second in first..bytes.len() {
                    assert_eq!(decode(bytes, &[first, second]), right);
                }
            }
            let every: Vec<usize> = (0..bytes.len()).collect();
            assert_eq!(decode(bytes, &every), right, "byte by byte");
        }
    }

    #[test]
    fn an_answer_cut_short_is_not_done() {
        for bytes in [SIZED, CHUNKED] {
            for end in 0..bytes.len() {
                let (.., progress) = decode(&bytes[..end], &[]).unwrap();
                assert_eq!(progress, Progress::NeedMore, "ends at {end}");
            }
        }
    }

    #[test]
    fn what_follows_the_answer_is_left_unread() {
        let mut bytes = SIZED.to_vec();
        bytes.extend_from_slice(b"HTTP/1.1 500");
        let (used, progress) = Decoder::new().step(&bytes, |_| ()).unwrap();
        assert_eq!((used, progress), (SIZED.len(), Progress::Done));
    }

    #[test]
    fn answers_without_a_body_end_at_the_head() {
        for bytes in [
            &b"HTTP/1.1 204 No Content\r\n\r\n"[..],
            b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        ] {
            assert_eq!(decode(bytes, &[]).unwrap().2, Progress::Done);
        }
    }

    #[test]
    fn interim_answers_are_skipped() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx";
        assert_eq!(decode(bytes, &[]), Ok((200, b"x".to_vec(), Progress::Done)));
    }

    #[test]
    fn broken_answers_are_refused() {
        for (bytes, error) in [
            (&b"HTTQ/1.1 200 OK\r\n\r\n"[..], WireError::StatusLine),
            (b"HTTP/1.1 20 OK\r\n\r\n", WireError::StatusLine),
            (b"HTTP/1.1 2000 OK\r\n\r\n", WireError::StatusLine),
            (b"HTTP/1.1 099 OK\r\n\r\n", WireError::StatusLine),
            (b"\r\n\r\n\r\n", WireError::StatusLine),
            (b"HTTP/1.1 200 OK\r\n\r\n", WireError::Unframed),
            (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", WireError::Header),
            (
                b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
                WireError::Header,
            ),
            (
                b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
                WireError::Header,
            ),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
                WireError::Chunk,
            ),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
                WireError::Chunk,
            ),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
                WireError::Unframed,
            ),
        ] {
            assert_eq!(
                decode(bytes, &[]),
                Err(error),
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
        assert_eq!(decode(&[b'x'; HEAD_MAX], &[]), Err(WireError::TooLong));
    }

    #[test]
    fn kept_headers_and_the_wish_to_close_are_reported() {
        let bytes =
            b"HTTP/1.1 200 OK\r\nETag: \"a:b\"\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n";
        let mut decoder = Decoder::keeping_head();
        decoder.step(bytes, |_| ()).unwrap();
        assert!(decoder.closes());
        assert!(
            decoder
                .headers()
                .contains(&("etag".into(), "\"a:b\"".into()))
        );
    }
}
