//! The description of issuers: whose word counts, and for what.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use jiff::SignedDuration;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::model::{API_VERSION, parse_duration};

/// The `kind` of the file.
const KIND: &str = "Logins";
/// The most issuers.
const MAX_ISSUERS: usize = 32;
/// The longest that somebody is known by one login.
const MAX_LASTS: SignedDuration = SignedDuration::from_hours(24);
/// How long a pipeline is known.
const PIPELINE_LASTS: SignedDuration = SignedDuration::from_mins(15);
/// How long a person is.
const PERSON_LASTS: SignedDuration = SignedDuration::from_hours(8);

/// What is taken over of what GitHub and GitLab say of a pipeline, where nothing else is said: what tells
/// repositories apart, what runs in them, and for what.
const PIPELINE_CLAIMS: [&str; 22] = [
    "actor_id",
    "base_ref",
    "ci_config_ref_uri",
    "environment",
    "environment_protected",
    "event_name",
    "head_ref",
    "job_workflow_ref",
    "namespace_id",
    "namespace_path",
    "pipeline_source",
    "project_id",
    "project_path",
    "ref",
    "ref_protected",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "workflow_ref",
];

/// The file that says whose word counts.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssuersFile {
    api_version: String,
    kind: String,
    /// The issuers.
    pub issuers: Vec<IssuerSpec>,
}

impl IssuersFile {
    /// Says what is wrong with it as a whole, if something is.
    pub fn check(&self) -> Result<(), String> {
        if self.api_version != API_VERSION || self.kind != KIND {
            return Err(format!(
                "it must begin with `apiVersion: {API_VERSION}`, `kind: {KIND}`"
            ));
        }
        if self.issuers.is_empty() || self.issuers.len() > MAX_ISSUERS {
            return Err(format!("it names 1 to {MAX_ISSUERS} issuers"));
        }
        let mut seen = BTreeSet::new();
        for spec in &self.issuers {
            if !seen.insert(spec.issuer.as_str()) {
                return Err(format!("`{}` is named twice", spec.issuer));
            }
            if spec.algorithms.is_empty() {
                return Err(format!("`{}` may sign with no algorithm", spec.issuer));
            }
        }
        // Two could each say `ana@example.com` of somebody else.
        let people = self.issuers.iter().filter(|spec| spec.people.is_some());
        if people.count() > 1 {
            return Err(
                "at most one issuer knows `people`: two may call different ones alike".into(),
            );
        }
        Ok(())
    }
}

/// One issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssuerSpec {
    /// What it calls itself in `iss`, and below which its keys are found.
    pub issuer: IssuerUrl,
    /// Whom its JWTs must be for.
    pub audience: Audience,
    /// What it may sign with.
    #[serde(default = "usual")]
    pub algorithms: BTreeSet<Algorithm>,
    /// The authorities, in PEM, that its certificate is checked by; left out: those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long somebody is known by one login.
    #[serde(default)]
    pub lasts: Option<Lasts>,
    /// The claims that are taken over, for grants to ask for.
    #[serde(default)]
    pub claims: Option<BTreeSet<String>>,
    /// How it calls people, if it is for people; left out: it is for pipelines.
    #[serde(default)]
    pub people: Option<PeopleSpec>,
}

/// How an issuer calls people.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeopleSpec {
    /// What it knows `cfgctl login` as, a public client that may use the device flow.
    pub client_id: Audience,
    /// The claim that says what somebody is called: `user:ana@example.com`.
    #[serde(default = "email")]
    pub subject: String,
    /// The claim that says which groups somebody is in.
    #[serde(default = "groups")]
    pub groups: String,
    /// What `cfgctl login` asks for.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
}

fn usual() -> BTreeSet<Algorithm> {
    [Algorithm::Rs256, Algorithm::Es256].into()
}

fn email() -> String {
    "email".to_owned()
}

fn groups() -> String {
    "groups".to_owned()
}

fn scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).into()
}

impl IssuerSpec {
    /// How long somebody is known by one login.
    pub(super) fn lasts(&self) -> SignedDuration {
        match (&self.lasts, &self.people) {
            (Some(Lasts(lasts)), _) => *lasts,
            (None, Some(_)) => PERSON_LASTS,
            (None, None) => PIPELINE_LASTS,
        }
    }

    /// Whether this claim is taken over.
    pub(super) fn takes_over(&self, claim: &str) -> bool {
        match (&self.claims, &self.people) {
            (Some(claims), _) => claims.contains(claim),
            (None, Some(_)) => false,
            (None, None) => PIPELINE_CLAIMS.contains(&claim),
        }
    }
}

/// The address of an issuer, which is compared letter by letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, and the port if it is an unusual one.
    pub(super) fn host(&self) -> String {
        let Ok(url) = Url::parse(&self.0) else {
            return String::new();
        };
        let host = url.host_str().unwrap_or_default();
        match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Where it says where everything is.
    pub(super) fn discovery(&self) -> String {
        let base = self.0.trim_end_matches('/');
        format!("{base}/.well-known/openid-configuration")
    }
}

impl TryFrom<String> for IssuerUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let url = endpoint(&text)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("an issuer is an address without `?` and `#`");
        }
        Ok(Self(text))
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The address of something that is asked: over TLS, or on this machine.
pub(super) fn endpoint(text: &str) -> Result<Url, &'static str> {
    const NONE: &str = "it must be `https://HOST[:PORT][/PATH]`, or `http://` on this machine";
    let url = Url::parse(text).map_err(|_| NONE)?;
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    let has_login = !url.username().is_empty() || url.password().is_some();
    if !is_safe || host.is_empty() || has_login || text.len() > 2048 {
        return Err(NONE);
    }
    Ok(url)
}

/// A name that an issuer knows somebody by whom JWTs are for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Audience(String);

impl Audience {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Audience {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > 512 || !is_plain {
            return Err("it has 1 to 512 printable ASCII characters without blanks");
        }
        Ok(Self(text))
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> Self {
        audience.0
    }
}

/// How long somebody is known by one login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Lasts(SignedDuration);

impl TryFrom<String> for Lasts {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let lasts = parse_duration(&text).filter(|lasts| *lasts <= MAX_LASTS);
        lasts
            .map(Self)
            .ok_or("it is a number and a unit, such as `15m` or `8h`, up to a day")
    }
}

/// What a JWT can be signed with. None of these can be checked with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// RSA, PKCS #1 v1.5.
    Rs256,
    /// The same.
    Rs384,
    /// The same.
    Rs512,
    /// RSA, PSS.
    Ps256,
    /// The same.
    Ps384,
    /// The same.
    Ps512,
    /// ECDSA over P-256.
    Es256,
    /// ECDSA over P-384.
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}
