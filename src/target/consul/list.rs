//! Listings of keys: which sets lie there, and what others wrote that is to be taken over.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Method, StatusCode};

use super::super::TargetError;
use super::connection::Consul;
use super::http::{LISTING, kv_path};
use super::wire::{KvPair, Operation};
use crate::model::{Key, Prefix, SetName};
use crate::target::Target as _;

/// How many questions about permissions are under way at once.
const AT_ONCE: usize = 8;

/// What newer Consuls say when they leave out what the token may not read.
const FILTERED: &str = "X-Consul-Results-Filtered-By-ACLs";

/// Keys below a prefix, as of one moment.
#[derive(Debug)]
pub struct Listing {
    /// The keys, in the order of their names.
    pub keys: Vec<Listed>,
    /// Whether keys are left out because the token may not read them. Before 1.12 it is known only
    /// of tokens that may not read the prefix as a whole.
    pub filtered: bool,
}

/// One key. Its value may be a secret.
pub struct Listed {
    /// Its name, which may break our rules for keys.
    pub key: String,
    /// The number that clients can keep beside the value.
    pub flags: u64,
    /// The value.
    pub value: Vec<u8>,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl From<KvPair> for Listed {
    fn from(pair: KvPair) -> Self {
        Self {
            key: pair.key,
            flags: pair.flags,
            value: pair.value,
        }
    }
}

impl Consul {
    /// The sets of which something lies there, and those of `doubted` that may be hidden.
    pub(super) async fn sets_there(
        &self,
        doubted: &BTreeSet<SetName>,
    ) -> Result<BTreeSet<SetName>, TargetError> {
        let below = self.prefix.below();
        let path = format!("{}?keys&separator=/&consistent", kv_path(below.as_str()));
        let answer = self.read(&Method::GET, &path, None, LISTING).await?;
        let names: Vec<String> = match answer.status {
            StatusCode::OK => self.json(&answer)?,
            StatusCode::NOT_FOUND if answer.headers.contains_key("X-Consul-Index") => Vec::new(),
            _ => return Err(self.refused(&answer)),
        };
        self.check_listed(&below, names.iter().map(String::as_str))?;
        let folder = |name: &String| {
            name.strip_prefix(below.as_str())?
                .strip_suffix('/')?
                .parse()
                .ok()
        };
        let mut sets: BTreeSet<SetName> = names.iter().filter_map(folder).collect();
        // A listing shows a folder if the token may read its name, and newer ones if it may read
        // anything in it.
        let mut keys: BTreeMap<String, &SetName> = BTreeMap::new();
        for set in doubted.difference(&sets) {
            keys.insert(format!("{below}{set}/"), set);
            keys.insert(self.snapshot_key(set), set);
        }
        let names: Vec<&str> = keys.keys().map(String::as_str).collect();
        let parts = names.chunks(self.operations_per_read());
        let questions: Vec<_> = parts
            .map(|part| self.denied_keys(part.to_vec(), |key| Operation::check_index(key, 0)))
            .collect();
        let asked = stream::iter(questions).buffer_unordered(AT_ONCE);
        let hidden: Vec<BTreeSet<&str>> = asked.try_collect().await?;
        let hidden = hidden.iter().flatten();
        let hidden: BTreeSet<SetName> = hidden
            .filter_map(|key| keys.get(*key))
            .map(|set| (*set).clone())
            .collect();
        sets.extend(hidden);
        Ok(sets)
    }

    /// Everything below `prefix`, from the leader. What is hidden looks as if it were not there,
    /// but an empty listing is an error if the token may not read the prefix.
    pub async fn list(&self, prefix: &Key) -> Result<Listing, TargetError> {
        let below = prefix.below();
        let path = format!("{}?recurse&consistent", kv_path(below.as_str()));
        let answer = self.read(&Method::GET, &path, None, LISTING).await?;
        let mut filtered = (answer.headers.get(FILTERED)).is_some_and(|value| value == "true");
        match answer.status {
            StatusCode::OK => {
                let pairs: Vec<KvPair> = self.json(&answer)?;
                self.check_listed(&below, pairs.iter().map(|pair| pair.key.as_str()))?;
                let keys = pairs.into_iter().map(Listed::from).collect();
                filtered |= match self.check_unseen(&[below.as_str()]).await {
                    Err(TargetError::Denied { .. }) => true,
                    other => other.map(|()| false)?,
                };
                Ok(Listing { keys, filtered })
            }
            // Only a Consul that looked says up to when it knows that there is nothing.
            StatusCode::NOT_FOUND if answer.headers.contains_key("X-Consul-Index") => {
                self.check_unseen(&[below.as_str()]).await?;
                Ok(Listing {
                    keys: Vec::new(),
                    filtered,
                })
            }
            _ => Err(self.refused(&answer)),
        }
    }

    /// The names right beside `prefix` that start like it: `config/checkout.yml`, and folders with
    /// a slash at their end. None where they may not be listed.
    pub async fn names_beside(&self, prefix: &Key) -> Result<Vec<String>, TargetError> {
        let path = format!("{}?keys&separator=/&consistent", kv_path(prefix.as_str()));
        let answer = self.read(&Method::GET, &path, None, LISTING).await?;
        match answer.status {
            StatusCode::OK => self.json(&answer),
            _ => Ok(Vec::new()),
        }
    }

    /// One key, from the leader; `None` if there is none.
    pub async fn get(&self, key: &Key) -> Result<Option<Listed>, TargetError> {
        let path = format!("{}?consistent", kv_path(key.as_str()));
        let answer = self.read(&Method::GET, &path, None, LISTING).await?;
        match answer.status {
            StatusCode::OK => {
                let mut pairs: Vec<KvPair> = self.json(&answer)?;
                match pairs.pop() {
                    Some(pair) if pairs.is_empty() && pair.key == key.as_str() => {
                        Ok(Some(pair.into()))
                    }
                    _ => Err(self.invalid(format!("something else for `{key}`"))),
                }
            }
            StatusCode::NOT_FOUND if answer.headers.contains_key("X-Consul-Index") => Ok(None),
            _ => Err(self.refused(&answer)),
        }
    }

    fn check_listed<'a>(
        &self,
        below: &Prefix,
        mut keys: impl Iterator<Item = &'a str>,
    ) -> Result<(), TargetError> {
        match keys.find(|key| !key.starts_with(below.as_str())) {
            Some(key) => Err(self.invalid(format!("key `{key}` for `{below}`"))),
            None => Ok(()),
        }
    }
}
