//! Access tokens: signed by this installation, read by it alone. The algorithm is fixed, the key
//! is looked up among ours, nothing in a token chooses either.

use super::store;
use crate::{
    clock::Micros,
    db::Db,
    entities::signing_key,
    sealing::{SealError, Sealer},
};
use arc_swap::ArcSwap;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use thiserror::Error;
use uuid::Uuid;

/// `typ` of our access tokens; a token made for another purpose never passes as one.
const TYP: &str = "suyuan-access+jwt";
/// Clocks of servers may differ by this much.
const LEEWAY_S: i64 = 60;
/// Longest token read.
const TOKEN_BYTES_MAX: usize = 2048;

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The installation.
    pub iss: Uuid,
    /// `internal`
    pub aud: String,
    /// The account.
    pub sub: Uuid,
    /// Which generation of its tokens: a new password or a switch-off begins a new one.
    pub generation: i64,
    /// Seconds.
    pub iat: i64,
    /// Seconds.
    pub exp: i64,
    /// Unique.
    pub jti: Uuid,
}

/// Why tokens cannot be made.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The database's word.
    #[error("signing keys")]
    Db(#[from] DbErr),
    /// The key does not open.
    #[error("signing key")]
    Seal(#[from] SealError),
    /// The key is not a key, or signing failed.
    #[error("signing")]
    Signing,
}

/// Makes and reads access tokens.
pub struct Tokens {
    installation: Uuid,
    life_s: i64,
    kid: String,
    signing: EncodingKey,
    /// Keys of other processes may come later; see [`Tokens::look_again`].
    verifying: ArcSwap<HashMap<String, DecodingKey>>,
    looked: Mutex<Instant>,
}

/// A key nobody knows is looked for at most this often, however many tokens name one.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Tokens {
    /// Loads the installation's signing keys, making the first. Processes that start at the same
    /// time make one between them.
    pub async fn open(
        db: &Db,
        sealer: &Sealer,
        installation: Uuid,
        life_s: i64,
        now: Micros,
    ) -> Result<Tokens, TokenError> {
        let mut rows = store::signing_keys(db.reader()).await?;
        if rows.is_empty() {
            let tx = db.begin_alone_in("signing_key").await?;
            rows = store::signing_keys(&tx).await?;
            if rows.is_empty() {
                make(&tx, sealer, now).await?;
                rows = store::signing_keys(&tx).await?;
            }
            tx.commit().await?;
        }
        let newest = rows.last().ok_or(TokenError::Signing)?;
        let pkcs8 = sealer.unwrap(&context(&newest.kid), &newest.wrapped)?;
        Ok(Tokens {
            installation,
            life_s,
            kid: newest.kid.clone(),
            signing: EncodingKey::from_ed_der(&pkcs8),
            verifying: ArcSwap::from_pointee(verifying(&rows)),
            looked: Mutex::new(Instant::now()),
        })
    }

    /// Reads the keys again for a token that names one not known here. Does nothing for a token
    /// whose key is known, nor within five seconds of the last time. Says whether it read.
    pub async fn look_again(&self, db: &Db, token: &str) -> Result<bool, DbErr> {
        let header = jsonwebtoken::decode_header(token).ok();
        let Some(kid) = header.and_then(|header| header.kid) else {
            return Ok(false);
        };
        if self.verifying.load().contains_key(&kid) {
            return Ok(false);
        }
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.elapsed() < LOOK_EVERY {
                return Ok(false);
            }
            *looked = Instant::now();
        }
        self.verifying.store(Arc::new(verifying(
            &store::signing_keys(db.reader()).await?,
        )));
        Ok(true)
    }

    /// A token for `user`, and its life in seconds.
    pub fn issue(
        &self,
        user: Uuid,
        generation: i64,
        now: Micros,
    ) -> Result<(String, i64), TokenError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYP.into());
        header.kid = Some(self.kid.clone());
        let iat = now.div_euclid(1_000_000);
        let claims = Claims {
            iss: self.installation,
            aud: "internal".into(),
            sub: user,
            generation,
            iat,
            exp: iat + self.life_s,
            jti: Uuid::new_v4(),
        };
        let token = jsonwebtoken::encode(&header, &claims, &self.signing)
            .map_err(|_| TokenError::Signing)?;
        Ok((token, self.life_s))
    }

    /// What a token says, if it is one of ours and in force.
    pub fn verify(&self, token: &str, now: Micros) -> Option<Claims> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.typ.as_deref() != Some(TYP) {
            return None;
        }
        let keys = self.verifying.load();
        let key = keys.get(header.kid.as_deref()?)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&["internal"]);
        rules.set_issuer(&[self.installation.to_string()]);
        // Time is judged below, by the clock the rest of the program uses.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules)
            .ok()?
            .claims;
        let now = now.div_euclid(1_000_000);
        let in_force = claims.exp > now - LEEWAY_S && claims.iat <= now + LEEWAY_S;
        in_force.then_some(claims)
    }
}

fn context(kid: &str) -> String {
    format!("signing-key/{kid}")
}

fn verifying(rows: &[signing_key::Model]) -> HashMap<String, DecodingKey> {
    rows.iter()
        .map(|row| (row.kid.clone(), DecodingKey::from_ed_der(&row.public_key)))
        .collect()
}

async fn make(tx: &impl ConnectionTrait, sealer: &Sealer, now: Micros) -> Result<(), TokenError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| TokenError::Signing)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| TokenError::Signing)?;
    let kid = Uuid::now_v7().simple().to_string();
    let key = signing_key::Model {
        wrapped: sealer.wrap(&context(&kid), pkcs8.as_ref())?,
        kid,
        public_key: pair.public_key().as_ref().to_vec(),
        created_at: now,
        retired_at: None,
    };
    Ok(store::insert_signing_key(tx, key).await?)
}
