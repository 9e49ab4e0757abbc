//! Resources become manifests again.

use serde_json::{Map, Value, json};

use crate::model::{
    API_VERSION, Breaker, ClientCertificate, Cluster, ConfigSet, Connection, ConsulSpec, Content,
    Grant, LimitOverrides, Publish, Requirement, Reset, ResourceId, Selector, SpringFormat, Tls,
    TokenSource, Trip,
};

/// The manifest which, when it is loaded, says `content` again under the name of `id`. The schema
/// of a set stands inline. `None` for what is deleted, which no manifest says.
pub fn manifest_of(id: &ResourceId, content: &Content) -> Option<Value> {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(id.name()));
    let (kind, spec) = match content {
        Content::Cluster(cluster) => {
            if !cluster.labels.is_empty() {
                metadata.insert("labels".to_owned(), json!(cluster.labels));
            }
            ("Cluster", cluster_spec(cluster))
        }
        Content::Grant(grant) => ("Grant", Value::Object(grant_spec(grant))),
        Content::Set(set) => {
            if !set.labels.is_empty() {
                metadata.insert("labels".to_owned(), json!(set.labels));
            }
            ("ConfigSet", Value::Object(set_spec(set)))
        }
        Content::Deleted => return None,
    };
    Some(json!({
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }))
}

fn grant_spec(grant: &Grant) -> Map<String, Value> {
    let Grant {
        to,
        role,
        sets,
        clusters,
    } = grant;
    let mut spec = Map::new();
    spec.insert("to".to_owned(), json!(to));
    spec.insert("role".to_owned(), json!(role));
    for (name, chosen) in [("sets", sets), ("clusters", clusters)] {
        if !chosen.is_empty() {
            spec.insert(name.to_owned(), selector(chosen));
        }
    }
    spec
}

fn cluster_spec(cluster: &Cluster) -> Value {
    match &cluster.connection {
        Connection::Consul(consul) => json!({"consul": consul_spec(consul)}),
        Connection::Directory(directory) => {
            json!({"directory": {"path": directory.path.to_string_lossy()}})
        }
    }
}

fn consul_spec(consul: &ConsulSpec) -> Map<String, Value> {
    let ConsulSpec {
        address,
        prefix,
        datacenter,
        token,
        tls,
        limits,
    } = consul;
    let mut spec = Map::new();
    spec.insert("prefix".to_owned(), json!(prefix));
    if let Some(address) = address {
        spec.insert("address".to_owned(), json!(address));
    }
    if let Some(datacenter) = datacenter {
        spec.insert("datacenter".to_owned(), json!(datacenter));
    }
    if let Some(token) = token {
        let token = match token {
            TokenSource::Env(name) => json!({"env": name}),
            TokenSource::File(path) => json!({"file": path.to_string_lossy()}),
        };
        spec.insert("token".to_owned(), token);
    }
    if let Some(tls) = tls {
        spec.insert("tls".to_owned(), Value::Object(tls_spec(tls)));
    }
    if *limits != LimitOverrides::default() {
        spec.insert("limits".to_owned(), json!(limits));
    }
    spec
}

fn tls_spec(tls: &Tls) -> Map<String, Value> {
    let Tls {
        ca_file,
        client,
        server_name,
    } = tls;
    let mut spec = Map::new();
    if let Some(path) = ca_file {
        spec.insert("caFile".to_owned(), json!(path.to_string_lossy()));
    }
    if let Some(ClientCertificate {
        cert_file,
        key_file,
    }) = client
    {
        spec.insert("certFile".to_owned(), json!(cert_file.to_string_lossy()));
        spec.insert("keyFile".to_owned(), json!(key_file.to_string_lossy()));
    }
    if let Some(name) = server_name {
        spec.insert("serverName".to_owned(), json!(name));
    }
    spec
}

fn set_spec(set: &ConfigSet) -> Map<String, Value> {
    let ConfigSet {
        labels: _,
        clusters,
        schema,
        values,
        layers,
        flags,
        breakers,
        publish,
    } = set;
    let mut spec = Map::new();
    if !clusters.is_empty() {
        spec.insert("clusters".to_owned(), selector(clusters));
    }
    if let Some(schema) = schema {
        spec.insert("schema".to_owned(), schema.clone());
    }
    spec.insert("values".to_owned(), Value::Object(values.clone()));
    if !layers.is_empty() {
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| {
                json!({
                    "name": layer.name,
                    "when": selector(&layer.when),
                    "values": layer.values,
                })
            })
            .collect();
        spec.insert("layers".to_owned(), Value::Array(layers));
    }
    if !flags.is_empty() {
        let flags: Map<String, Value> = (flags.iter())
            .map(|(name, flag)| (name.to_string(), flag.to_manifest()))
            .collect();
        spec.insert("flags".to_owned(), Value::Object(flags));
    }
    if !breakers.is_empty() {
        let breakers: Map<String, Value> = (breakers.iter())
            .map(|(name, breaker)| (name.to_string(), breaker_spec(breaker)))
            .collect();
        spec.insert("breakers".to_owned(), Value::Object(breakers));
    }
    if !publish.is_empty() {
        let publish = publish.iter().map(publish_spec).collect();
        spec.insert("publish".to_owned(), Value::Array(publish));
    }
    spec
}

fn publish_spec(publish: &Publish) -> Value {
    let (kind, mut fields, atomic) = match publish {
        Publish::Spring {
            context,
            format,
            atomic,
        } => {
            let mut fields = Map::from_iter([("context".to_owned(), json!(context))]);
            if *format != SpringFormat::default() {
                fields.insert("format".to_owned(), json!(format));
            }
            ("spring", fields, *atomic)
        }
        Publish::Keys { prefix, atomic } => {
            let fields = Map::from_iter([("prefix".to_owned(), json!(prefix))]);
            ("keys", fields, *atomic)
        }
        Publish::Flagd { key } => {
            let fields = Map::from_iter([("key".to_owned(), json!(key))]);
            ("flagd", fields, true)
        }
    };
    if !atomic {
        fields.insert("atomic".to_owned(), json!(false));
    }
    json!({ kind: fields })
}

fn breaker_spec(breaker: &Breaker) -> Value {
    let Breaker {
        description,
        trip: Trip { values, flags },
        alerts,
        cluster,
        reset,
        min_open,
        max_trips_per_hour,
        separately,
    } = breaker;
    let mut trip = Map::new();
    if !values.is_empty() {
        trip.insert("values".to_owned(), Value::Object(values.clone()));
    }
    if !flags.is_empty() {
        trip.insert("flags".to_owned(), json!(flags));
    }
    let mut spec = Map::new();
    if let Some(description) = description {
        spec.insert("description".to_owned(), json!(description));
    }
    spec.insert("trip".to_owned(), Value::Object(trip));
    if !alerts.is_empty() {
        spec.insert("alerts".to_owned(), json!(alerts));
    }
    if let Some(label) = cluster {
        spec.insert("cluster".to_owned(), json!(label));
    }
    match reset {
        Reset::Manual => {}
        Reset::After(lasts) => {
            spec.insert("reset".to_owned(), json!({"after": format!("{lasts:#}")}));
        }
        Reset::OnResolve => {
            spec.insert("reset".to_owned(), json!("on-resolve"));
        }
    }
    if let Some(least) = min_open {
        spec.insert("minOpen".to_owned(), json!(format!("{least:#}")));
    }
    if let Some(most) = max_trips_per_hour {
        spec.insert("maxTripsPerHour".to_owned(), json!(most));
    }
    if !separately.is_empty() {
        spec.insert("separately".to_owned(), selector(separately));
    }
    Value::Object(spec)
}

/// A map of labels if it says everything, else text.
fn selector(selector: &Selector) -> Value {
    let mut map = Map::new();
    for requirement in selector.requirements() {
        let Requirement::In(key, values) = requirement else {
            return json!(selector.to_string());
        };
        let value = match values.first() {
            Some(only) if values.len() == 1 => json!(only),
            _ => json!(values),
        };
        if map.insert(key.clone(), value).is_some() {
            return json!(selector.to_string());
        }
    }
    Value::Object(map)
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
