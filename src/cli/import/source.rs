//! Where the keys of an import come from.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::super::connect::consul;
use super::super::failure::{Exit, Failure};
use super::super::session::Session;
use crate::import::{ForeignKey, MAX_EXPORT_BYTES, is_beside, read_export};
use crate::model::{self, Key, LimitOverrides};

/// The most files beside the prefix that are fetched; an application has a few.
const MAX_BESIDE: usize = 64;

/// The keys, and what else there is to say of them.
pub(super) struct Source {
    pub(super) pairs: Vec<ForeignKey>,
    pub(super) notes: Vec<String>,
}

/// Reads what lies below `prefix` in a Consul, and the files right beside it.
pub(super) async fn from_consul(
    session: &Session,
    address: &str,
    datacenter: Option<&str>,
    timeout: Duration,
    prefix: &Key,
) -> Result<Source, Failure> {
    let spec = model::ConsulSpec {
        address: (!address.is_empty()).then(|| address.to_owned()),
        // Only writes and snapshots need it.
        prefix: prefix.clone(),
        datacenter: datacenter.map(str::to_owned),
        token: None,
        tls: None,
        limits: LimitOverrides::default(),
    };
    let consul = consul(session, &spec, timeout)?;
    let listing = consul.list(prefix).await?;
    let mut notes = Vec::new();
    if listing.filtered {
        notes.push(format!(
            "the token may not read everything below `{prefix}/`: what it may not see is not in the \
             set"
        ));
    }
    let mut pairs = listing.pairs;
    let beside = consul.names_beside(prefix).await?;
    let files = beside.iter().filter(|name| is_beside(prefix, name));
    for name in files.take(MAX_BESIDE) {
        if let Ok(key) = name.parse::<Key>() {
            pairs.extend(consul.get(&key).await?);
        }
    }
    notes.extend(contexts(prefix, beside.iter().map(String::as_str)));
    Ok(Source { pairs, notes })
}

/// Reads an export, whole: what is meant is found in it later.
pub(super) fn from_export(session: &Session, path: &Path, prefix: &Key) -> Result<Source, Failure> {
    let name = if path.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        format!("`{}`", path.display())
    };
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // One byte more than is taken tells what is too long from what fits.
        if path.as_os_str() == "-" {
            let stdin = std::io::stdin().lock();
            stdin.take(MAX_EXPORT_BYTES + 1).read_to_end(&mut bytes)?;
        } else {
            let file = std::fs::File::open(session.environment.directory.join(path))?;
            file.take(MAX_EXPORT_BYTES + 1).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    let unreadable = |error: anyhow::Error| {
        let error = error.context(format!("could not read the export in {name}"));
        Failure::new(Exit::Usage, error)
    };
    let bytes = read().map_err(|error| unreadable(error.into()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_EXPORT_BYTES) {
        let error = anyhow::anyhow!("it is larger than {} MiB", MAX_EXPORT_BYTES >> 20);
        return Err(unreadable(error).hint("`consul kv export PREFIX` writes a part"));
    }
    let pairs = read_export(&bytes).map_err(|error| {
        unreadable(error.into()).hint("write it with `consul kv export PREFIX > FILE`")
    })?;
    let notes = contexts(prefix, pairs.iter().map(|pair| pair.key.as_str()));
    Ok(Source {
        notes: notes.into_iter().collect(),
        pairs,
    })
}

/// Spring reads the contexts of profiles beside that of the application.
fn contexts<'a>(prefix: &Key, keys: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut found: Vec<String> = keys
        .filter_map(|key| {
            let profile = key.strip_prefix(prefix.as_str())?.strip_prefix(',')?;
            let (profile, _) = profile.split_once('/')?;
            Some(format!("`{prefix},{profile}`"))
        })
        .collect();
    found.dedup();
    (!found.is_empty()).then(|| {
        format!(
            "what lies at {} is for profiles of the application: import it as sets of its own",
            found.join(", ")
        )
    })
}
