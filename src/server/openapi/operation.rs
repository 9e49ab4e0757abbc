//! An operation: one method of one path, and what is said of it.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::api::report::Report;
use crate::model::{
    API_VERSION, BreakerName, ClusterName, FlagName, GrantName, IdempotencyKey, SetName,
};

/// Where the schemas of types stand.
pub(super) const SCHEMAS: &str = "/components/schemas";

/// Makes a schema.
pub(super) type Make = fn(&mut SchemaGenerator) -> Schema;

/// One method of one path.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// What programs call it.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// Whether everybody may ask.
    pub(super) is_open: bool,
    pub(super) query: Option<Make>,
    /// The body that is sent, with an example.
    pub(super) body: Option<(Make, Value)>,
    pub(super) answer: Answer,
    /// The statuses of refusals that others do not have.
    pub(super) more: &'static [u16],
    pub(super) failures: Failures,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// A line for probes.
    Text(&'static str),
    /// This document.
    OpenApi,
    /// Nothing but that it is heard.
    Accepted,
    /// A document.
    Document { schema: Make, how: How },
    /// What a view answers, which is no document of ours.
    View { schema: Make, tagged: bool },
    /// A stream of events, of which this is one.
    Stream(&'static str),
}

/// How a refusal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failures {
    /// As a problem document.
    Problems,
    /// As OFREP has it.
    Ofrep,
    /// As Spring's servers have it.
    Spring,
}

/// How a document is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Once.
    Plainly,
    /// With a tag, so that it need not be sent again.
    Tagged,
    /// As events too, if whoever asks wants them.
    Streamed,
    /// With a tag, or as events.
    Followed,
}

impl Answer {
    /// What comes as events, if anything does: the first of those that carry a document.
    pub(super) fn event(&self) -> Option<&'static str> {
        match self {
            Self::Document {
                how: How::Streamed, ..
            } => Some("event: report\ndata: {\"apiVersion\":\"cfgctl.dev/v1\"}\n\n"),
            Self::Document {
                how: How::Followed, ..
            } => Some("event: snapshot\nid: 7\ndata: {\"apiVersion\":\"cfgctl.dev/v1\"}\n\n"),
            Self::Stream(example) => Some(example),
            _ => None,
        }
    }

    /// The schema of a document.
    pub(super) fn schema(&self, schemas: &mut SchemaGenerator) -> Schema {
        match self {
            Self::Document { schema, .. } | Self::View { schema, .. } => schema(schemas),
            Self::Text(_) | Self::OpenApi | Self::Accepted | Self::Stream(_) => Schema::default(),
        }
    }

    pub(super) fn is_tagged(&self) -> bool {
        match self {
            Self::Document { how, .. } => matches!(how, How::Tagged | How::Followed),
            Self::View { tagged, .. } => *tagged,
            Self::Text(_) | Self::OpenApi | Self::Accepted | Self::Stream(_) => false,
        }
    }
}

impl Operation {
    /// One that asks for something.
    pub(super) fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        answer: Answer,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            is_open: false,
            query: None,
            body: None,
            answer,
            more: &[],
            failures: Failures::Problems,
        }
    }

    /// The same that is refused so.
    pub(super) fn failing(self, failures: Failures) -> Self {
        Self { failures, ..self }
    }

    /// The same for everybody.
    pub(super) fn open(self) -> Self {
        Self {
            is_open: true,
            ..self
        }
    }

    /// The same with these parameters in the query.
    pub(super) fn query<T: JsonSchema>(self) -> Self {
        Self {
            query: Some(T::json_schema),
            ..self
        }
    }

    /// The same with a body.
    pub(super) fn body<T: JsonSchema>(self, example: Value) -> Self {
        let schema: Make = |schemas| schemas.subschema_for::<T>();
        Self {
            body: Some((schema, example)),
            ..self
        }
    }

    /// The same where these statuses can be answered too.
    pub(super) fn more(self, more: &'static [u16]) -> Self {
        Self { more, ..self }
    }

    /// Whether it may be refused with this status.
    pub(super) fn refuses(&self, status: u16) -> bool {
        if self.is_open {
            let is_ready = matches!(self.answer, Answer::Text("ready\n"));
            return status == 503 && is_ready || self.more.contains(&status);
        }
        match status {
            400 | 401 | 403 | 404 | 429 | 500 | 503 | 504 => true,
            408 | 413 | 415 => self.body.is_some(),
            _ => self.more.contains(&status),
        }
    }

    /// What stands in its path, query and head.
    pub(super) fn parameters(&self, schemas: &mut SchemaGenerator) -> Vec<Value> {
        let segments = self.path.split('/');
        let names = segments.filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'));
        let mut parameters: Vec<_> = names.map(|name| in_path(name, schemas)).collect();
        if let Some(query) = self.query {
            let schema = query(schemas);
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                parameters.push(in_query(name, schema));
            }
        }
        let mut heads = Vec::new();
        if self.answer.is_tagged() {
            heads.push("If-None-Match");
        }
        if self.failures == Failures::Ofrep || self.path.ends_with("/flags.json") {
            heads.push("Flagd-Selector");
        }
        if self.id == "change" {
            heads.extend(["Idempotency-Key", "If-Match"]);
        }
        heads.extend(["X-Request-Id", "traceparent"]);
        let refer = |name| json!({"$ref": format!("#/components/parameters/{name}")});
        parameters.extend(heads.into_iter().map(refer));
        parameters
    }
}

fn in_path(name: &str, schemas: &mut SchemaGenerator) -> Value {
    let version = json!({"type": "string", "pattern": "^(head|[1-9][0-9]{0,18})$"});
    let (schema, example) = match name {
        "set" | "app" => (schemas.subschema_for::<SetName>().to_value(), "checkout"),
        "cluster" => (schemas.subschema_for::<ClusterName>().to_value(), "eu-west"),
        "grant" => (schemas.subschema_for::<GrantName>().to_value(), "payments"),
        "flag" => (
            schemas.subschema_for::<FlagName>().to_value(),
            "express-pay",
        ),
        "profiles" => (json!({"type": "string", "minLength": 1}), "prod,eu-west"),
        "label" => (json!({"type": "string", "minLength": 1}), "main"),
        "key" => (json!({"type": "string", "minLength": 1}), "express-pay"),
        "breaker" => (
            schemas.subschema_for::<BreakerName>().to_value(),
            "payment-provider",
        ),
        "version" => (version, "head"),
        _ => (json!({"type": "string", "minLength": 1}), "5f0c1d"),
    };
    json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example})
}

/// What is left out is not sent, so that nothing in a query is null.
fn in_query(name: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    let description = schema["description"].take();
    if let Some(schema) = schema.as_object_mut() {
        schema.retain(|key, _| key != "description" && key != "default");
        if let Some(Value::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(|kind| kind != "null");
            if let [kind] = &kinds[..] {
                let kind = kind.clone();
                schema.insert("type".to_owned(), kind);
            }
        }
        if let Some(Value::Array(mut kinds)) = schema.remove("anyOf") {
            kinds.retain(|kind| kind["type"] != "null");
            for kind in kinds {
                schema.extend(kind.as_object().cloned().unwrap_or_default());
            }
        }
    }
    json!({"name": name, "in": "query", "description": description, "schema": schema})
}

/// What stands in the head of several requests.
pub(super) fn shared_parameters() -> Value {
    let mut parameters = Map::new();
    let key = SchemaGenerator::default().root_schema_for::<IdempotencyKey>();
    let key = json!({
        "type": "string",
        "pattern": key.get("pattern"),
        "minLength": key.get("minLength"),
        "maxLength": key.get("maxLength"),
    });
    let text = json!({"type": "string"});
    for (name, description, schema, example) in [
        (
            "Idempotency-Key",
            "What a change is known by: with the same key it is made once. Needed, unless the body has it.",
            key,
            "5f0c1d9e-apply",
        ),
        (
            "If-Match",
            "What is consented to: the token of a plan in quotes, or `*`. Needed, unless the body says it.",
            json!({"type": "string", "pattern": "^(\\*|\"sha256:[0-9a-f]{64}\")$"}),
            "*",
        ),
        (
            "If-None-Match",
            "The tag of what is known already.",
            text.clone(),
            "\"0a1b2c\"",
        ),
        (
            "Flagd-Selector",
            "Which flags are meant, in flagd's words: of this set, perhaps in this cluster.",
            json!({"type": "string", "pattern": "^flagSetId=[^,=]+(,cluster=[^,=]+)?$"}),
            "flagSetId=checkout,cluster=eu-west",
        ),
        (
            "X-Request-Id",
            "What the request is called in answers and logs.",
            text.clone(),
            "r-1",
        ),
        (
            "traceparent",
            "What the request belongs to, as W3C Trace Context has it.",
            text,
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ] {
        let parameter = json!({
            "name": name,
            "in": "header",
            "description": description,
            "schema": schema,
            "example": example,
        });
        parameters.insert(name.to_owned(), parameter);
    }
    parameters.into()
}

/// What stands in the head of several answers.
pub(super) fn headers() -> Value {
    let text = json!({"type": "string"});
    json!({
        "ETag": {"description": "The tag of the answer.", "schema": text},
        "Retry-After": {
            "description": "After how many seconds it may be asked again.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "WWW-Authenticate": {"description": "`Bearer`.", "schema": text},
        "X-Request-Id": {"description": "What the request is called.", "schema": text},
        "traceparent": {"description": "What the request belongs to.", "schema": text},
    })
}

pub(super) fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

pub(super) fn header_names(names: &[&str]) -> Value {
    let headers = names.iter().map(|name| ((*name).to_owned(), header(name)));
    Value::Object(headers.collect())
}

/// A document of a report: what it is called, and the fields of the report beside that.
pub(super) fn document<R: Report + JsonSchema>(how: How) -> Answer {
    let schema: Make = |schemas| named::<R>(schemas, None);
    Answer::Document { schema, how }
}

/// The same in pages.
pub(super) fn page<R: Report + JsonSchema>() -> Answer {
    let schema: Make = |schemas| {
        let next = json!({"type": "string", "description": "The cursor of the next page."});
        named::<R>(schemas, Some(next))
    };
    let how = How::Tagged;
    Answer::Document { schema, how }
}

fn named<R: Report + JsonSchema>(schemas: &mut SchemaGenerator, next: Option<Value>) -> Schema {
    let name = format!("{}Document", R::KIND);
    let mut schema = R::json_schema(schemas);
    let properties = schema.ensure_object().entry("properties");
    if let Some(properties) = properties.or_insert_with(|| json!({})).as_object_mut() {
        properties.insert("apiVersion".to_owned(), json!({"const": API_VERSION}));
        properties.insert("kind".to_owned(), json!({"const": R::KIND}));
        if let Some(next) = next {
            properties.insert("next".to_owned(), next);
        }
    }
    let required = schema.ensure_object().entry("required");
    if let Some(required) = required.or_insert_with(|| json!([])).as_array_mut() {
        required.extend([json!("apiVersion"), json!("kind")]);
    }
    let definitions = schemas.definitions_mut();
    definitions.insert(name.clone(), schema.to_value());
    Schema::new_ref(format!("#{SCHEMAS}/{name}"))
}
