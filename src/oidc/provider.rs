//! The issuers of a server: their keys, looked up again where that helps, and JWTs checked by them.
//!
//! However many JWTs come with keys that nobody knows, an issuer is asked once in a while. Where it does
//! not answer, the keys that it had last still count.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Client;

use super::claims::login;
use super::fetch::{self, FetchError};
use super::jws::Public;
use super::jwt::{JwtError, SKEW, Unchecked, check_claims};
use super::keys::Keys;
use super::spec::IssuerSpec;
use crate::api::report::{IssuerItem, ServerInfo};
use crate::api::{Error, ErrorKind, Vouched};

/// How long keys count without a look whether they still do.
const FRESH: Duration = Duration::from_secs(300);
/// The shortest time between two looks.
const BACK_OFF: Duration = Duration::from_secs(5);
/// The longest, while the issuer does not answer.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(40);

/// The issuers of a server.
#[derive(Debug)]
pub struct Issuers(Vec<Provider>);

/// One issuer, and what is known of it.
struct Provider {
    spec: IssuerSpec,
    client: Client,
    known: Mutex<Arc<Known>>,
    /// Held by whoever looks.
    looks: tokio::sync::Mutex<Looks>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Keys,
    at: Option<Instant>,
}

/// What came of looking.
#[derive(Debug, Default)]
struct Looks {
    last: Option<Instant>,
    /// How many in a row failed.
    failed: u32,
}

/// Nobody vouches for whoever showed this.
#[derive(Debug)]
pub struct NotVouched {
    /// What to answer. It says nothing but what whoever showed it knows.
    pub error: Error,
    /// What went wrong just now between the issuer and this machine, for its operator to know.
    pub trouble: Option<String>,
}

impl Issuers {
    /// These issuers, each with the authorities, in PEM, that its certificate is checked by, where it is not
    /// those of the system. Asks nobody yet.
    pub fn new(
        specs: impl IntoIterator<Item = (IssuerSpec, Option<Vec<u8>>)>,
    ) -> Result<Self, FetchError> {
        let providers = specs.into_iter().map(|(spec, authorities)| {
            Ok(Provider {
                client: fetch::client(authorities.as_deref())?,
                spec,
                known: Mutex::default(),
                looks: tokio::sync::Mutex::default(),
            })
        });
        providers.collect::<Result<_, _>>().map(Self)
    }

    /// What anybody may know of them.
    pub fn info(&self) -> ServerInfo {
        let issuers = self.0.iter().map(|provider| {
            let spec = &provider.spec;
            let people = spec.people.as_ref();
            IssuerItem {
                issuer: spec.issuer.to_string(),
                audience: spec.audience.as_str().to_owned(),
                client_id: people.map(|people| people.client_id.as_str().to_owned()),
                scopes: people.map_or_else(Vec::new, |people| people.scopes.clone()),
            }
        });
        ServerInfo::of(issuers.collect())
    }

    /// Whom this JWT is about, if one of them says so.
    pub async fn vouch(&self, text: &str, now: Timestamp) -> Result<Vouched, NotVouched> {
        let jwt = Unchecked::read(text)?;
        let issuer = jwt.issuer().ok_or(JwtError::Issuer)?;
        let mut providers = self.0.iter();
        let provider = providers.find(|provider| provider.spec.issuer.as_str() == issuer);
        let provider = provider.ok_or(JwtError::Issuer)?;
        let spec = &provider.spec;
        if !spec.algorithms.contains(&jwt.algorithm) {
            return Err(JwtError::Algorithm.into());
        }
        // Of what would not count anyway the issuer is not asked.
        let expires = check_claims(spec, &jwt.claims, now)?;
        let key = provider.key(&jwt).await?;
        if !key.signed(jwt.algorithm, jwt.signed.as_bytes(), &jwt.signature) {
            return Err(JwtError::Signature.into());
        }
        // Until then it counts, and as long again for the clocks of several servers.
        let until = expires.checked_add(SKEW * 2);
        Ok(Vouched {
            issuer: spec.issuer.to_string(),
            login: login(spec, &jwt.claims)?,
            shown: jwt.id(),
            until: until.unwrap_or(Timestamp::MAX),
            lasts: spec.lasts(),
        })
    }
}

impl Provider {
    fn known(&self) -> MutexGuard<'_, Arc<Known>> {
        // What is in there is replaced as a whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_known(&self) -> Arc<Known> {
        Arc::clone(&self.known())
    }

    /// The key that `jwt` says it is signed with.
    async fn key(&self, jwt: &Unchecked<'_>) -> Result<Public, NotVouched> {
        let find = |known: &Known| {
            let kid = jwt.kid.as_deref();
            known.keys.find(kid, jwt.algorithm).cloned()
        };
        let known = self.now_known();
        let (found, is_fresh) = (
            find(&known),
            known.at.is_some_and(|at| at.elapsed() < FRESH),
        );
        if let (Some(key), true) = (&found, is_fresh) {
            return Ok(key.clone());
        }
        let looks = match found {
            // One look is enough, and nobody waits for that of another.
            Some(_) => self.looks.try_lock().ok(),
            None => Some(self.looks.lock().await),
        };
        let Some(mut looks) = looks else {
            return found.ok_or_else(|| JwtError::Key.into());
        };
        let looked = self.look(&mut looks).await;
        let is_silent = looks.failed > 0;
        drop(looks);
        match find(&self.now_known()) {
            Some(key) => Ok(key),
            None if is_silent => Err(self.silent(looked.err())),
            None => Err(JwtError::Key.into()),
        }
    }

    /// Asks the issuer for its keys, if it was not asked a moment ago.
    async fn look(&self, looks: &mut Looks) -> Result<(), FetchError> {
        let pause = BACK_OFF * 2_u32.saturating_pow(looks.failed.min(3));
        let pause = pause.min(LONGEST_BACK_OFF);
        if looks.last.is_some_and(|last| last.elapsed() < pause) {
            return Ok(());
        }
        let looked = self.fetch().await;
        looks.last = Some(Instant::now());
        match looked {
            Ok(keys) => {
                looks.failed = 0;
                let at = looks.last;
                *self.known() = Arc::new(Known { keys, at });
                Ok(())
            }
            Err(error) => {
                looks.failed = looks.failed.saturating_add(1);
                Err(error)
            }
        }
    }

    async fn fetch(&self) -> Result<Keys, FetchError> {
        let document = fetch::discovered(&self.client, &self.spec.issuer).await?;
        let place = fetch::named(&document, "jwks_uri")?;
        let (_, keys) = fetch::asked(self.client.get(place), true).await?;
        Keys::read(&keys).map_err(|error| FetchError::Answer(format!("its keys: {error}")))
    }

    fn silent(&self, why: Option<FetchError>) -> NotVouched {
        let issuer = &self.spec.issuer;
        let error = format!("the keys of `{issuer}` cannot be had at the moment");
        let error = Error::new(ErrorKind::Unavailable, error)
            .hint("try again in a minute; whoever is logged in stays so");
        NotVouched {
            error,
            trouble: why.map(|why| format!("`{issuer}` does not say its keys: {why}")),
        }
    }
}

impl From<JwtError> for NotVouched {
    fn from(why: JwtError) -> Self {
        let mut error = Error::new(ErrorKind::Denied, "the JWT does not count");
        error.causes.push(why.to_string());
        Self {
            error: match hint(why) {
                Some(hint) => error.hint(hint),
                None => error,
            },
            trouble: None,
        }
    }
}

/// What to do about it.
fn hint(why: JwtError) -> Option<&'static str> {
    Some(match why {
        JwtError::Issuer => {
            "`cfgctl serve --oidc` names the issuers; `/.well-known/cfgctl` shows them"
        }
        JwtError::Audience => "ask for one with the audience that `/.well-known/cfgctl` shows",
        JwtError::Algorithm => "`algorithms` of its issuer says which count",
        JwtError::Key => "if its issuer has changed its keys just now, try again in some seconds",
        JwtError::Expired => "get another one; is the clock of this machine right?",
        JwtError::Early | JwtError::Made => "is the clock of the server right?",
        JwtError::Event => {
            "log in from runs of `push`, `pull_request`, `schedule` or `workflow_dispatch` alone"
        }
        JwtError::Nameless | JwtError::Name => "`people.subject` of its issuer names the claim",
        JwtError::Unverified => {
            "let the issuer verify it, or name another claim in `people.subject`"
        }
        JwtError::Long
        | JwtError::Form
        | JwtError::Critical
        | JwtError::Type
        | JwtError::Signature
        | JwtError::Party
        | JwtError::Lasting
        | JwtError::Claim => return None,
    })
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = self.spec.issuer.as_str();
        f.debug_struct("Provider")
            .field("issuer", &issuer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
