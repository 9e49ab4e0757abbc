//! The server: the service over HTTP, for whoever shows a token.
//!
//! A handler decodes, calls one method of [`Service`], and encodes what it answers: there is no rule
//! in one. What is refused before a handler runs is refused here for every route alike: who shows no
//! token, what is too large, too slow or too much.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api::{Door, Service, Upkeep};
use crate::oidc::Issuers;
use crate::wire::NoteSigner;

mod addresses;
mod answer;
mod attempts;
mod audit;
mod condition;
mod connection;
mod counts;
mod decode;
mod denials;
mod descriptors;
mod feed;
mod guard;
mod health;
mod hooks;
mod idle;
mod journal;
mod keeper;
mod lifetime;
mod listen;
mod lock;
mod logins;
mod lookup;
mod metrics;
mod notary;
mod openapi;
mod parked;
mod patient;
mod rate;
mod refusal;
mod request;
mod room;
mod routes;
mod runs;
mod scrape;
mod shared;
mod snapshots;
mod table;
mod tag;
mod tls;
mod trace;
mod untold;
mod upkeep;
mod views;
mod vouchers;
mod who;

pub use notary::CheckpointKey;
pub use tls::{Certificate, CertificateError, Pem, Reader};
pub use who::{Token, TokenError};

/// How long it may take to write down at the end who was there.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A server that has an address and answers nobody yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    certificate: Option<Certificate>,
    signer: Option<NoteSigner>,
    issuers: Option<Issuers>,
    rate: NonZeroU32,
    drift: Option<Duration>,
    origins: views::cors::Origins,
}

/// How many requests a second each principal may send where nothing else is said.
pub const RATE: NonZeroU32 = NonZeroU32::new(500).unwrap();

impl Server {
    /// Takes `address`, where port 0 is any that is free; with a `certificate` it speaks TLS.
    pub async fn bind(
        address: SocketAddr,
        certificate: Option<Certificate>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            certificate,
            signer: None,
            issuers: None,
            rate: RATE,
            drift: None,
            origins: views::cors::Origins::default(),
        })
    }

    /// The same for at most `per_second` requests of each principal, on average.
    #[must_use]
    pub fn at_most(self, per_second: NonZeroU32) -> Self {
        Self {
            rate: per_second,
            ..self
        }
    }

    /// The same, which compares clusters with what they should hold once in so long.
    #[must_use]
    pub fn looking_for_drift(self, every: Option<Duration>) -> Self {
        Self {
            drift: every,
            ..self
        }
    }

    /// The same whose flags pages of these origins may ask for in browsers; `*` stands for all.
    #[must_use]
    pub fn open_to(self, origins: impl IntoIterator<Item = String>) -> Self {
        Self {
            origins: views::cors::Origins::of(origins),
            ..self
        }
    }

    /// The same, which signs what the log is with `key`, and says what checks its signatures.
    #[must_use]
    pub fn signing(self, key: CheckpointKey) -> Self {
        let signer = Some(key.0);
        Self { signer, ..self }
    }

    /// The same, where the JWTs of `issuers` are exchanged for tokens.
    #[must_use]
    pub fn trusting(self, issuers: Issuers) -> Self {
        let issuers = Some(issuers);
        Self { issuers, ..self }
    }

    /// Where clients find it: `http://127.0.0.1:8440`.
    pub fn location(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.address)
    }

    /// Answers for `service` to whoever shows a token that is known behind `door`, or that of the
    /// `owner`, and sees to it by `upkeep` that what alerts and timers decide arrives, until `stop` turns
    /// true: then what is begun is finished, and nothing new is begun.
    pub async fn serve(
        self,
        service: Arc<dyn Service>,
        (door, upkeep): (Arc<dyn Door>, Arc<dyn Upkeep>),
        owner: Option<Token>,
        stop: watch::Receiver<bool>,
    ) {
        let runs = Arc::new(runs::Runs::default());
        let notary = Arc::new(notary::Notary::new(Arc::clone(&door), self.signer));
        let feed = feed::Feed::start(Arc::clone(&service));
        let metrics = metrics::Metrics::start(Arc::clone(&door), routes::rows()).await;
        let (keeper, entries) = keeper::Keeper::new(door, owner);
        let watchers = (Arc::clone(&keeper), Arc::clone(&notary), feed.clone());
        let upkeep = Arc::new(upkeep::Keeping::new(upkeep));
        let upkeeping = tokio::spawn(Arc::clone(&upkeep).work());
        let looking = tokio::spawn(Arc::clone(&upkeep).look(self.drift));
        let busy = (Arc::clone(&runs), Arc::clone(&upkeep));
        let vouchers = vouchers::Vouchers::new(self.issuers);
        let counted = (self.rate, metrics);
        let origins = self.origins;
        let shared = shared::Shared::new(service, watchers, vouchers, busy, counted, origins);
        let router = routes::router(shared);
        let mut stopping = stop.clone();
        tokio::spawn(async move {
            // Whoever waits holds up nothing at the end.
            if stopping.wait_for(|stop| *stop).await.is_ok() {
                feed.end();
            }
        });
        let following = {
            let keeper = Arc::clone(&keeper);
            tokio::spawn(async move { keeper.follow().await })
        };
        let speaking = {
            let notary = Arc::clone(&notary);
            tokio::spawn(async move { notary.speak().await })
        };
        let (ended, end) = watch::channel(false);
        let writing = tokio::spawn(async move { entries.write(&keeper, end).await });
        listen::listen(self.listener, self.certificate, router, &runs, stop).await;
        upkeeping.abort();
        looking.abort();
        upkeep.end().await;
        following.abort();
        speaking.abort();
        ended.send_replace(true);
        // A store that does not answer keeps nobody from ending.
        _ = tokio::time::timeout(LAST_WORDS, writing).await;
        _ = tokio::time::timeout(LAST_WORDS, notary.say()).await;
    }
}
