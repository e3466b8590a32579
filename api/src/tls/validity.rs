//! From when until when a certificate holds: the two instants in its DER (RFC 5280 4.1.2.5).

use simple_asn1::ASN1Block;

/// Both ends, microseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) since: i64,
    pub(super) until: i64,
}

impl Validity {
    /// What a certificate says; `None` where it is none.
    pub(super) fn of(der: &[u8]) -> Option<Validity> {
        let blocks = simple_asn1::from_der(der).ok()?;
        let [ASN1Block::Sequence(_, certificate)] = blocks.as_slice() else {
            return None;
        };
        let Some(ASN1Block::Sequence(_, signed)) = certificate.first() else {
            return None;
        };
        // The only sequence of two instants in what is signed.
        signed.iter().find_map(|block| match block {
            ASN1Block::Sequence(_, pair) => match pair.as_slice() {
                [since, until] => Some(Validity {
                    since: instant(since)?,
                    until: instant(until)?,
                }),
                _ => None,
            },
            _ => None,
        })
    }
}

fn instant(block: &ASN1Block) -> Option<i64> {
    let (ASN1Block::UTCTime(_, at) | ASN1Block::GeneralizedTime(_, at)) = block else {
        return None;
    };
    at.assume_utc().unix_timestamp().checked_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_holds_at_no_time() {
        for text in [
            &b""[..],
            b"\x30\x00",
            b"no certificate",
            &[0x30, 0x82, 0xff, 0xff],
        ] {
            assert_eq!(Validity::of(text), None);
        }
    }
}
