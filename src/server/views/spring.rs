//! Spring Cloud Config: the values of a set in a cluster as flat properties, for clients of Spring's own
//! servers.
//!
//! An application is a set. Its cluster is the profile that is called as one to which the set goes; else
//! what stands elsewhere in the request, else the token's, else the only one. A label is taken and means
//! nothing: what there is, is the head.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::super::answer::{Answer, read};
use super::super::refusal::Refusal;
use super::super::request::By;
use super::super::shared::Shared;
use super::place::{Found, Said, found, places};
use crate::api::{Caller, Error, ErrorKind, ExplainQuery};
use crate::model::value::Path as ValuePath;
use crate::model::{ClusterName, Document, SetName};
use crate::render::spring_properties;
use crate::wire::JSON;

/// What clients accept that read where each value comes from.
const WITH_ORIGINS: &str = "application/vnd.spring-cloud.config-server.v2+json";
/// At most so many profiles are looked at.
const MAX_PROFILES: usize = 32;

/// What stands in the path: application, profiles, perhaps a label.
type Asked = BTreeMap<String, String>;

/// The properties of an application.
pub(super) async fn environment(
    State(shared): State<Shared>,
    By(by): By,
    Path(asked): Path<Asked>,
    mut said: Said,
    headers: HeaderMap,
) -> Answer {
    let part = |name| asked.get(name).map(String::as_str).unwrap_or_default();
    let app = part("app");
    let unknown = |_| Refusal::absent(format!("there is no set `{}`", app.escape_debug()));
    let set: SetName = app.parse().map_err(unknown)?;
    let profiles: Vec<&str> = part("profiles").split(',').take(MAX_PROFILES).collect();
    let goes_to = places(&shared, &set).await?;
    let profile = profiles.iter().find_map(|name| {
        let cluster = name.parse::<ClusterName>().ok();
        Some((*name, cluster.filter(|cluster| goes_to.contains(cluster))?))
    });
    // Whoever names one that he may not read is not given another one.
    if let Some((_, cluster)) = &profile {
        said.in_cluster(cluster)?;
    }
    said.set = Some(set);
    let mut place = found(&shared, &by, &said).await.map_err(with_profile)?;
    let document = document(&mut place)?;
    let origins = if wants_origins(&headers) {
        Some(origins(&shared, &place, &document).await?)
    } else {
        None
    };
    let name = match profile {
        Some((profile, _)) => format!("cfgctl:{app}/application-{profile}"),
        None => format!("cfgctl:{app}/application"),
    };
    let answer = json!({
        "name": app,
        "profiles": profiles,
        "label": asked.get("label"),
        "version": document.version().to_string(),
        "state": null,
        "propertySources": [{"name": name, "source": source(&document, origins.as_ref())}],
    });
    let kind = HeaderValue::from_static(JSON);
    let mut response: Response = answer.to_string().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// How a cluster is named here, beside the other ways.
fn with_profile(refusal: Refusal) -> Refusal {
    let error = refusal.error();
    if error.kind != ErrorKind::Invalid {
        return refusal;
    }
    let error = Error {
        hints: vec![
            "name one of them among the profiles, or use a token that is for one".to_owned(),
        ],
        ..error.clone()
    };
    error.into()
}

fn document(place: &mut Found) -> Result<Document, Error> {
    let told = place.reader.now()?;
    let found = told.found().map_err(Clone::clone)?;
    Document::parse(&found.body).map_err(|error| Error::of(ErrorKind::Bug, &error))
}

fn wants_origins(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.contains(WITH_ORIGINS))
}

/// Where each value comes from, by its path, as `explain` says it. Whoever may read a snapshot may know.
async fn origins(
    shared: &Shared,
    place: &Found,
    document: &Document,
) -> Result<BTreeMap<String, String>, Refusal> {
    let query = ExplainQuery {
        set: place.set.clone(),
        key: None,
        cluster: Some(place.cluster.clone()),
        at: None,
    };
    let found = read(shared.service.explain(&Caller::system(), &query)).await?;
    if found.version != document.version() {
        // What was committed a moment ago explains other values.
        return Ok(BTreeMap::new());
    }
    let values = found.values.into_iter();
    let origins = values.map(|it| (it.key, it.explanation.words()));
    Ok(origins.collect())
}

/// The properties; with their origins where these are wanted.
fn source(document: &Document, origins: Option<&BTreeMap<String, String>>) -> Map<String, Value> {
    let values = document.contents().published();
    let properties = spring_properties(&values).into_iter();
    let properties = properties.map(|property| {
        let value = property.read();
        let value = match origins {
            None => value,
            Some(origins) => json!({
                "value": value,
                "origin": origin(origins, &property.path()),
            }),
        };
        (property.name, value)
    });
    properties.collect()
}

/// The origin of what is at `path`, or that it is an item of.
fn origin<'o>(origins: &'o BTreeMap<String, String>, path: &ValuePath) -> Option<&'o str> {
    let segments = path.segments();
    (1..=segments.len()).rev().find_map(|length| {
        let above: ValuePath = segments[..length].iter().cloned().collect();
        origins.get(&above.to_string()).map(String::as_str)
    })
}
