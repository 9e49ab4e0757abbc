//! The connection of a command to the service, and of the service to clusters.
//!
//! The only file of the command line that knows what lies behind [`Service`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::files;
use super::keyring::Keyring;
use super::session::Session;
use super::token;
use crate::api::{Caller, Door, Error, Outbox, Service, Upkeep};
use crate::app::Local;
use crate::client::Remote;
use crate::engine::Connect;
use crate::import::ForeignKey;
use crate::model::text::{place, scheme};
use crate::model::{self, Cluster, ClusterName, Connection, Key};
use crate::store::memory::Memory;
use crate::store::{self, Missing, Store, StoreError};
use crate::target::consul::{Consul, KeptTokens, Listed, Patience};
use crate::target::directory::Directory;
use crate::target::{self, Target, TargetError};

pub(crate) use crate::app::AllowedPlaces;
pub(crate) use crate::target::consul::{AclToken, Recognised};

/// The mark of the keys that cfgctl wrote, in a Consul.
pub(crate) const MARK: u64 = target::consul::FLAGS;
/// How long to wait for a connection: a cluster on the other side of the world answers within
/// half of it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a request is tried in all.
const ATTEMPTS: u32 = 3;

/// The service that a command asks, and who asks.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) by: Caller,
}

/// Connects to the service over the store that the session names. There must be one.
pub(crate) async fn connect(session: &Session) -> Result<Connected, Failure> {
    open(session, Missing::Refuse).await
}

/// The same for what may be the first commit: where there is no store, an empty one that the commit
/// makes.
pub(crate) async fn connect_to_be(session: &Session) -> Result<Connected, Failure> {
    open(session, Missing::Create).await
}

/// Connects to the service for what is asked of files alone: whether there is a store, and whether
/// it can be opened, makes no difference.
pub(crate) fn without_store(session: &Session) -> Connected {
    over(session, Arc::new(Memory::default()))
}

async fn open(session: &Session, missing: Missing) -> Result<Connected, Failure> {
    let (location, why) = session.store_location()?;
    if is_server(&location) {
        let address = server_address(&location)?;
        let token = token::for_server(&session.environment, &address).await?;
        return to_server(session, &address, token.as_deref());
    }
    let store = store_at(&location, &why, missing).await?;
    Ok(over(session, store))
}

/// A store for callers elsewhere too.
pub(crate) struct Offered {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) door: Arc<dyn Door>,
    pub(crate) upkeep: Arc<dyn Upkeep>,
    pub(crate) outbox: Arc<dyn Outbox>,
    /// Whether there is one already; otherwise the first commit makes it.
    pub(crate) is_there: bool,
}

/// The service over the store that the session names, and its door, for callers elsewhere too, who may
/// name these `places` of this machine.
pub(crate) async fn for_others(
    session: &Session,
    places: AllowedPlaces,
) -> Result<Offered, Failure> {
    let (location, why) = session.store_location()?;
    if is_server(&location) {
        let error = format!("`{}` is a server itself", place(&location));
        return Err(
            Failure::usage(error).hint("name a store with `--store`: a path, or `sqlite:PATH`")
        );
    }
    let store = store_at(&location, &why, Missing::Create).await?;
    let is_there = store.exists();
    let local = Arc::new(local(session, store).allowing(places));
    Ok(Offered {
        service: Arc::clone(&local) as _,
        upkeep: Arc::clone(&local) as _,
        outbox: Arc::clone(&local) as _,
        door: local,
        is_there,
    })
}

/// Whether a store is behind a server.
pub(crate) fn is_server(location: &str) -> bool {
    matches!(scheme(location), Some("http" | "https"))
}

/// Fails unless `location` is where a store or a server can be.
pub(crate) fn is_location(location: &str) -> Result<(), Failure> {
    if is_server(location) {
        server_address(location)?;
    } else {
        store::path_of(location).map_err(Error::from)?;
    }
    Ok(())
}

/// The address of a server in the one form that it has.
pub(crate) fn server_address(location: &str) -> Result<String, Failure> {
    let remote = Remote::new(location, None);
    let remote = remote.map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(remote.location())
}

/// The service at a server. Who asks there is who the token says.
pub(crate) fn to_server(
    session: &Session,
    address: &str,
    token: Option<&str>,
) -> Result<Connected, Failure> {
    let identity = identity(&session.environment)?;
    let remote = Remote::presenting(address, token, identity.as_deref());
    let remote = remote.map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(Connected {
        service: Arc::new(remote),
        by: Caller::local(session.environment.actor()),
    })
}

/// A server to which nobody says yet who asks.
pub(crate) fn unknown_to(session: &Session, address: &str) -> Result<Remote, Failure> {
    let identity = identity(&session.environment)?;
    let remote = Remote::presenting(address, None, identity.as_deref());
    remote.map_err(|error| Failure::new(Exit::Usage, error))
}

/// The certificate and key that a server may want to see, from the files that two variables name.
fn identity(environment: &Environment) -> Result<Option<Vec<u8>>, Failure> {
    let names = ["CFGCTL_CLIENT_CERT", "CFGCTL_CLIENT_KEY"];
    let files = names.map(|name| environment.variable(name));
    let files = match files {
        [None, None] => return Ok(None),
        [Some(chain), Some(key)] => [chain, key],
        _ => {
            let error = format!("`{}` and `{}` go together", names[0], names[1]);
            return Err(Failure::usage(error).hint("name a certificate and its private key"));
        }
    };
    let mut identity = Vec::new();
    for file in files {
        let file = environment.directory.join(file);
        identity.extend(files::read_small(&file)?);
        identity.push(b'\n');
    }
    Ok(Some(identity))
}

async fn store_at(location: &str, why: &str, missing: Missing) -> Result<Arc<dyn Store>, Failure> {
    let store = store::open(location, missing).await.map_err(|error| {
        let is_absent = matches!(error, StoreError::Absent { .. });
        let mut error = Error::from(error);
        if is_absent {
            error.hints = vec![format!(
                "{why}; name another one, or make one there with `cfgctl apply -f`"
            )];
        }
        error
    })?;
    Ok(store)
}

fn over(session: &Session, store: Arc<dyn Store>) -> Connected {
    Connected {
        service: Arc::new(local(session, store)),
        by: Caller::local(session.environment.actor()),
    }
}

fn local(session: &Session, store: Arc<dyn Store>) -> Local {
    let connector = Arc::new(Connector::new(&session.environment));
    Local::new(store, connector, Environment::time)
}

/// How long a cluster is waited for that has this long for one thing.
pub(crate) fn patience(timeout: Duration) -> Patience {
    Patience {
        connect: CONNECT_TIMEOUT.min(timeout),
        request: timeout,
        attempts: ATTEMPTS,
    }
}

/// A Consul whose keys are read, and that is no cluster of the store.
#[derive(Debug)]
pub(crate) struct Foreign(Consul);

/// What lies below a prefix.
#[derive(Debug)]
pub(crate) struct ForeignKeys {
    pub(crate) pairs: Vec<ForeignKey>,
    /// Whether some may be missing because the token may not read them.
    pub(crate) filtered: bool,
}

/// A Consul that is no cluster of the store.
pub(crate) fn consul(
    session: &Session,
    spec: &model::ConsulSpec,
    timeout: Duration,
) -> Result<Foreign, Failure> {
    let variables = session.environment.variables();
    let consul = Consul::connect_as("the Consul", spec, variables, &patience(timeout));
    Ok(Foreign(consul.map_err(Error::from)?))
}

impl Foreign {
    /// Everything below `prefix`.
    pub(crate) async fn list(&self, prefix: &Key) -> Result<ForeignKeys, Failure> {
        let listing = self.0.list(prefix).await.map_err(Error::from)?;
        Ok(ForeignKeys {
            pairs: listing.keys.into_iter().map(pair).collect(),
            filtered: listing.filtered,
        })
    }

    /// The names right beside `prefix` that start like it.
    pub(crate) async fn names_beside(&self, prefix: &Key) -> Result<Vec<String>, Failure> {
        Ok(self.0.names_beside(prefix).await.map_err(Error::from)?)
    }

    /// One key, if it is there.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<ForeignKey>, Failure> {
        let found = self.0.get(key).await.map_err(Error::from)?;
        Ok(found.map(pair))
    }
}

fn pair(listed: Listed) -> ForeignKey {
    let Listed { key, flags, value } = listed;
    ForeignKey { key, flags, value }
}

/// Where the Consul of a cluster is. Fails if its address cannot be used.
pub(crate) fn location(
    session: &Session,
    name: &ClusterName,
    spec: &model::ConsulSpec,
    timeout: Duration,
) -> Result<String, Failure> {
    let variables = session.environment.variables();
    let consul = Consul::connect(name, spec, variables, &patience(timeout));
    Ok(consul.map_err(Error::from)?.location())
}

/// What the Consul of a cluster says of `token`, whatever token the environment names.
pub(crate) async fn recognise(
    session: &Session,
    name: &ClusterName,
    spec: &model::ConsulSpec,
    timeout: Duration,
    token: &AclToken,
) -> Result<Recognised, Failure> {
    let variables = session.environment.variables();
    let without = variables.without(&["CONSUL_HTTP_TOKEN", "CONSUL_HTTP_TOKEN_FILE"]);
    let consul = Consul::connect(name, spec, &without, &patience(timeout)).map_err(Error::from)?;
    let consul = consul.or_token_from(Arc::new(Untried(token.clone())), name);
    Ok(consul.recognises_token().await.map_err(Error::from)?)
}

/// A token that is not kept yet.
#[derive(Debug)]
struct Untried(AclToken);

#[async_trait]
impl KeptTokens for Untried {
    async fn token(&self, _: &ClusterName, _: &str) -> Result<Option<AclToken>, String> {
        Ok(Some(self.0.clone()))
    }
}

/// A cluster as it was described, how long it is waited for, and its target.
type Known = (Cluster, Duration, Arc<dyn Target>);

/// Makes targets from how clusters are described, with what the environment adds.
#[derive(Debug)]
struct Connector {
    environment: target::Variables,
    keyring: Arc<Keyring>,
    /// The targets that there are already, so that connections and what is known of a server serve
    /// every look at it.
    known: Mutex<BTreeMap<ClusterName, Known>>,
}

impl Connector {
    fn new(environment: &Environment) -> Self {
        Self {
            environment: environment.variables().clone(),
            keyring: Arc::new(Keyring::new(environment)),
            known: Mutex::default(),
        }
    }
}

impl Connect for Connector {
    fn connect(
        &self,
        name: &ClusterName,
        cluster: &Cluster,
        timeout: Duration,
    ) -> Result<Arc<dyn Target>, TargetError> {
        // A thread that panicked meanwhile left nothing half done in it.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((described, patience, target)) = known.get(name)
            && described == cluster
            && *patience == timeout
        {
            return Ok(Arc::clone(target));
        }
        let target: Arc<dyn Target> = match &cluster.connection {
            Connection::Consul(consul) => {
                let patience = patience(timeout);
                let consul = Consul::connect(name, consul, &self.environment, &patience)?;
                Arc::new(consul.or_token_from(Arc::clone(&self.keyring) as _, name))
            }
            Connection::Directory(directory) => Arc::new(Directory::new(directory)?),
        };
        let entry = (cluster.clone(), timeout, Arc::clone(&target));
        known.insert(name.clone(), entry);
        Ok(target)
    }
}
