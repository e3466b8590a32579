//! Tokens that devices sign (JWT, ES256). A device's clock is not trusted, so no time in them is
//! judged. The algorithm is fixed and the key is that of the device and epoch they name; nothing
//! in a token chooses either.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, de::DeserializeOwned};
use suyuan_sync::{
    ids::{DeviceId, Epoch},
    limits::TOKEN_BYTES_MAX,
};

/// Who a token says it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Says {
    /// The device.
    pub device: DeviceId,
    /// Its epoch.
    pub epoch: Epoch,
}

/// Who a token says it is of: to look its key up, and for nothing else.
pub fn says(token: &str) -> Option<Says> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let claims = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// What a token claims, if this key signed it for this purpose and installation.
pub fn verified<C: DeserializeOwned>(
    token: &str,
    typ: &str,
    installation: &str,
    public_key: &[u8],
) -> Option<C> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    // Whatever the header says must be understood is not (RFC 7515, 4.1.11).
    if header.typ.as_deref() != Some(typ) || header.crit.is_some() {
        return None;
    }
    let (x, y) = public_key.get(1..)?.split_at_checked(32)?;
    let encode = |side: &[u8]| URL_SAFE_NO_PAD.encode(side);
    let key = DecodingKey::from_ec_components(&encode(x), &encode(y)).ok()?;
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_required_spec_claims(&["aud"]);
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.set_audience(&[installation]);
    Some(jsonwebtoken::decode(token, &key, &rules).ok()?.claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn token(pair: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn pair() -> (EcdsaKeyPair, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = pair.public_key().as_ref().to_vec();
        (pair, public)
    }

    #[test]
    fn the_clock_of_the_device_is_not_judged() {
        let (pair, public) = pair();
        let header = json!({"alg": "ES256", "typ": "t"});
        for (iat, exp) in [(0, 60), (4_070_908_800_i64, 4_070_908_860_i64)] {
            let claims = json!({"aud": "here", "iat": iat, "exp": exp, "nbf": iat});
            let token = token(&pair, &header, &claims);
            assert!(verified::<Value>(&token, "t", "here", &public).is_some());
        }
        let token = token(&pair, &header, &json!({"aud": "here"}));
        assert!(verified::<Value>(&token, "t", "here", &public).is_some());
    }

    #[test]
    fn other_keys_purposes_places_and_algorithms_are_refused() {
        let (own, public) = pair();
        let claims = json!({"aud": "here"});
        let es = json!({"alg": "ES256", "typ": "t"});
        let good = token(&own, &es, &claims);
        let passes = |token: &str| verified::<Value>(token, "t", "here", &public).is_some();
        assert!(passes(&good));
        assert!(!passes(&token(&pair().0, &es, &claims)));
        assert!(!passes(&token(
            &own,
            &json!({"alg": "ES256", "typ": "u"}),
            &claims
        )));
        assert!(!passes(&token(&own, &json!({"alg": "ES256"}), &claims)));
        let more = json!({"alg": "ES256", "typ": "t", "crit": ["x"], "x": 1});
        assert!(!passes(&token(&own, &more, &claims)));
        assert!(!passes(&token(&own, &es, &json!({"aud": "there"}))));
        assert!(!passes(&token(&own, &es, &json!({}))));
        for alg in ["none", "HS256", "RS256", "ES384"] {
            assert!(!passes(&token(
                &own,
                &json!({"alg": alg, "typ": "t"}),
                &claims
            )));
        }
        for at in 0..good.len() - 1 {
            let mut bent = good.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            assert!(!passes(&String::from_utf8_lossy(&bent)), "{at}");
        }
        assert!(!passes(&"x".repeat(TOKEN_BYTES_MAX + 1)));
    }

    #[test]
    fn who_a_token_is_of_can_be_read_without_a_key() {
        let (pair, _) = pair();
        let device = Uuid::new_v4();
        let claims = json!({"device": device, "epoch": 3, "aud": "x"});
        let token = token(&pair, &json!({"alg": "ES256"}), &claims);
        let expected = Says {
            device: DeviceId(device),
            epoch: 3,
        };
        assert_eq!(says(&token), Some(expected));
        for text in ["", "a.b.c", "..", "a.e30.c"] {
            assert_eq!(says(text), None);
        }
    }
}
