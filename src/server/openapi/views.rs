//! The operations of views, whose documents others have made up.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::operation::{Answer, Failures, Operation, SCHEMAS};
use crate::model::ClusterName;
use crate::wire::Routes;

/// The cluster that is meant, where the path does not say it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes what is read otherwise")]
struct ClusterParam {
    /// The cluster; not needed where the token is for one, or the set goes to one alone.
    cluster: Option<ClusterName>,
}

/// The same of a stream.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes what is read otherwise")]
struct TicketParams {
    /// What stands in the address that an answer in bulk has, instead of a token.
    ticket: Option<String>,
    /// The cluster, where there is no ticket.
    cluster: Option<ClusterName>,
}

/// All of them.
pub(super) fn all() -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, id) in [
        (Routes::OFREP_FLAGS, "ofrepFlags"),
        (Routes::OFREP_SET_FLAGS, "ofrepFlagsOfSet"),
        (Routes::OFREP_CLUSTER_FLAGS, "ofrepFlagsOfSetInCluster"),
    ] {
        let answer = Answer::View {
            schema: ofrep_flags,
            tagged: true,
        };
        all.push(ofrep(path, id, "What all flags are (OFREP)", answer));
    }
    for (path, id) in [
        (Routes::OFREP_FLAG, "ofrepFlag"),
        (Routes::OFREP_SET_FLAG, "ofrepFlagOfSet"),
        (Routes::OFREP_CLUSTER_FLAG, "ofrepFlagOfSetInCluster"),
    ] {
        let answer = Answer::View {
            schema: ofrep_flag,
            tagged: false,
        };
        all.push(ofrep(path, id, "What a flag is (OFREP)", answer));
    }
    let stream = Answer::Stream(
        "event: message\nid: 0a1b2c\ndata: {\"type\":\"refetchEvaluation\",\"etag\":\"0a1b2c\",\"lastModified\":1795400040}\n\n",
    );
    let events = Operation::new(
        "get",
        Routes::OFREP_EVENTS,
        "ofrepEvents",
        "When flags are worth asking for again (OFREP)",
        stream,
    );
    all.push(events.query::<TicketParams>().failing(Failures::Ofrep));
    for (path, id) in [
        (Routes::FLAG_FILE, "flagFile"),
        (Routes::CLUSTER_FLAG_FILE, "flagFileInCluster"),
    ] {
        let answer = Answer::View {
            schema: flag_file,
            tagged: true,
        };
        let file = Operation::new("get", path, id, "The flags as flagd reads them", answer);
        all.push(file.query::<ClusterParam>());
    }
    for (path, id) in [
        (Routes::SPRING, "springEnvironment"),
        (Routes::SPRING_LABEL, "springEnvironmentOfLabel"),
    ] {
        let answer = Answer::View {
            schema: spring_environment,
            tagged: false,
        };
        let summary = "The values as Spring Cloud Config has them; the profile that is called as a cluster says \
            which is meant, a label says nothing";
        let operation = Operation::new("get", path, id, summary, answer).query::<ClusterParam>();
        all.push(operation.failing(Failures::Spring));
    }
    all
}

fn ofrep(path: &'static str, id: &'static str, summary: &'static str, answer: Answer) -> Operation {
    Operation::new("post", path, id, summary, answer)
        .query::<ClusterParam>()
        .body::<OfrepRequest>(json!({"context": {"targetingKey": "user-1", "tier": "beta"}}))
        .failing(Failures::Ofrep)
}

/// What is asked with.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes what is read otherwise")]
struct OfrepRequest {
    /// What is known of whoever asks; 64 KiB and 32 levels at most.
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    context: Option<()>,
}

/// A schema that stands among the others under this name.
fn named(schemas: &mut SchemaGenerator, name: &str, schema: Schema) -> Schema {
    let definitions = schemas.definitions_mut();
    definitions.insert(name.to_owned(), schema.to_value());
    Schema::new_ref(format!("#{SCHEMAS}/{name}"))
}

fn ofrep_flag(schemas: &mut SchemaGenerator) -> Schema {
    // `DEFAULT` is flagd's, and stands in no document of OFREP.
    let schema = json_schema!({
        "description": "What a flag is. Without a `value` the application takes its own default.",
        "type": "object",
        "properties": {
            "key": {"type": "string"},
            "reason": {"enum": ["STATIC", "TARGETING_MATCH", "DEFAULT", "DISABLED"]},
            "variant": {"type": "string"},
            "value": {"type": ["boolean", "string", "number", "object"]},
            "metadata": {"type": "object"},
        },
        "required": ["key", "reason", "variant"],
    });
    named(schemas, "OfrepFlag", schema)
}

fn ofrep_flags(schemas: &mut SchemaGenerator) -> Schema {
    let (flag, failure) = (ofrep_flag(schemas), ofrep_failure(schemas));
    let schema = json_schema!({
        "description": "What all flags are, and where it is told that they are worth asking for again.",
        "type": "object",
        "properties": {
            "flags": {"type": "array", "items": {"anyOf": [flag, failure]}},
            "metadata": {
                "type": "object",
                "properties": {
                    "flagSetId": {"type": "string"},
                    "cluster": {"type": "string"},
                },
                "required": ["flagSetId", "cluster"],
            },
            "eventStreams": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "type": {"const": "sse"},
                        "endpoint": {
                            "type": "object",
                            "properties": {"requestUri": {"type": "string"}},
                            "required": ["requestUri"],
                        },
                    },
                    "required": ["type", "endpoint"],
                },
            },
        },
        "required": ["flags", "metadata"],
    });
    named(schemas, "OfrepFlags", schema)
}

/// A refusal as OFREP has it.
pub(super) fn ofrep_failure(schemas: &mut SchemaGenerator) -> Schema {
    let schema = json_schema!({
        "description": "Why it cannot be said what a flag is.",
        "type": "object",
        "properties": {
            "key": {"type": "string"},
            "errorCode": {"enum": ["PARSE_ERROR", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"]},
            "errorDetails": {"type": "string"},
        },
        "required": ["errorCode", "errorDetails"],
    });
    named(schemas, "OfrepFailure", schema)
}

/// A refusal as Spring's servers have it.
pub(super) fn spring_failure(schemas: &mut SchemaGenerator) -> Schema {
    let schema = json_schema!({
        "description": "Why there are no values.",
        "type": "object",
        "properties": {
            "timestamp": {"type": "string"},
            "status": {"type": "integer"},
            "error": {"type": ["string", "null"]},
            "message": {"type": "string"},
            "path": {"type": "string"},
        },
        "required": ["timestamp", "status", "message", "path"],
    });
    named(schemas, "SpringFailure", schema)
}

fn spring_environment(schemas: &mut SchemaGenerator) -> Schema {
    let schema = json_schema!({
        "description": "The values as flat properties. Whoever accepts \
            `application/vnd.spring-cloud.config-server.v2+json` gets each as `{value, origin}`.",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "profiles": {"type": "array", "items": {"type": "string"}},
            "label": {"type": ["string", "null"]},
            "version": {"type": "string"},
            "state": {"type": "null"},
            "propertySources": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "source": {"type": "object"}},
                    "required": ["name", "source"],
                },
            },
        },
        "required": ["name", "profiles", "version", "propertySources"],
    });
    named(schemas, "SpringEnvironment", schema)
}

fn flag_file(schemas: &mut SchemaGenerator) -> Schema {
    let schema = json_schema!({
        "description": "What `publish: flagd` writes.",
        "type": "object",
        "properties": {"$schema": {"type": "string"}, "flags": {"type": "object"}},
        "required": ["$schema", "flags"],
    });
    named(schemas, "FlagFile", schema)
}
