//! The description of what can be asked, which other programs read.
//!
//! It is made once, from the types that are decoded and encoded. Each route has one row in
//! [`operations`]; a test holds that none is missing, and that no row is left over.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::refusal::problem_statuses;
use crate::wire::{EVENTS, JSON, PROBLEM, Problem};

mod operation;
mod operations;
mod views;

use operation::{Answer, Failures, Operation, SCHEMAS};

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    // It is made of text and lists of text.
    let text = serde_json::to_vec(&document_of(&operations::all())).unwrap_or_default();
    Bytes::from(text)
});

/// Answers with the document.
pub(super) async fn document() -> Response {
    ([(CONTENT_TYPE, JSON)], DOCUMENT.clone()).into_response()
}

fn document_of(operations: &[Operation]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = SCHEMAS.into();
    settings.meta_schema = None;
    // What is said twice is said once: nobody is refused for it.
    let lenient = |schema: &mut Schema| {
        schema.remove("uniqueItems");
    };
    settings
        .transforms
        .push(Box::new(RecursiveTransform(lenient)));
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations {
        let written = written(operation, &mut schemas);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = written;
    }
    schemas.subschema_for::<Problem>();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "cfgctl",
            "description": "The configuration of many clusters: declared, compared, delivered.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that `cfgctl serve` prints, or was started with.",
                },
            },
            "parameters": operation::shared_parameters(),
            "headers": operation::headers(),
            "schemas": schemas.take_definitions(true),
        },
    })
}

fn written(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut written = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": operation.parameters(schemas),
        "responses": responses(operation, schemas),
    });
    if let Some((body, example)) = &operation.body {
        written["requestBody"] = json!({
            "required": operation.failures == Failures::Problems,
            "content": {JSON: {"schema": body(schemas), "example": example}},
        });
    }
    if operation.is_open {
        written["security"] = json!([]);
    }
    written
}

fn responses(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut headers = operation::header_names(&["X-Request-Id", "traceparent"]);
    let mut responses = Map::new();
    let mut content = Map::new();
    let mut status = "200";
    match &operation.answer {
        Answer::Text(example) => {
            let schema = json!({"type": "string"});
            content.insert(
                "text/plain".to_owned(),
                json!({"schema": schema, "example": example}),
            );
        }
        Answer::OpenApi => {
            let schema = json!({"type": "object", "required": ["openapi", "paths"]});
            content.insert(JSON.to_owned(), json!({"schema": schema}));
        }
        Answer::Accepted => status = "202",
        Answer::Stream(_) => {}
        Answer::Document { schema, .. } | Answer::View { schema, .. } => {
            content.insert(JSON.to_owned(), json!({"schema": schema(schemas)}));
        }
    }
    if let Some(example) = operation.answer.event() {
        let schema = match &operation.answer {
            // What an event is, a schema of texts does not say.
            Answer::Stream(_) => json!({}),
            _ => json!({"type": "string"}),
        };
        content.insert(
            EVENTS.to_owned(),
            json!({"schema": schema, "example": example}),
        );
    }
    if operation.answer.is_tagged() {
        headers["ETag"] = operation::header("ETag");
        responses.insert(
            "304".to_owned(),
            json!({"description": "What `If-None-Match` names is what there is.", "headers": headers}),
        );
    }
    let mut done = json!({"description": operation.summary, "headers": headers});
    if !content.is_empty() {
        done["content"] = content.into();
    }
    responses.insert(status.to_owned(), done);
    for (status, description) in problem_statuses() {
        if operation.refuses(status) {
            let refused = match operation.failures {
                Failures::Problems => problem(status, description, schemas),
                Failures::Ofrep => failure(status, description, &views::ofrep_failure(schemas)),
                Failures::Spring => failure(status, description, &views::spring_failure(schemas)),
            };
            responses.insert(status.to_string(), refused);
        }
    }
    responses.into()
}

fn problem(status: u16, description: &str, schemas: &mut SchemaGenerator) -> Value {
    let schema = schemas.subschema_for::<Problem>();
    refusal(status, description, PROBLEM, &schema)
}

/// The same as a view has it.
fn failure(status: u16, description: &str, schema: &Schema) -> Value {
    refusal(status, description, JSON, schema)
}

fn refusal(status: u16, description: &str, kind: &str, schema: &Schema) -> Value {
    let mut headers = operation::header_names(&["X-Request-Id", "traceparent"]);
    match status {
        401 => headers["WWW-Authenticate"] = operation::header("WWW-Authenticate"),
        409 | 429 => headers["Retry-After"] = operation::header("Retry-After"),
        _ => {}
    }
    json!({
        "description": description,
        "headers": headers,
        "content": {kind: {"schema": schema}},
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::routes;
    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let operations = operations::all();
        let described = |is_open| {
            let rows = operations.iter().filter(|it| it.is_open == is_open);
            rows.map(|it| (it.method, it.path)).collect::<Vec<_>>()
        };
        for (is_open, table) in [(false, routes::guarded()), (true, routes::open())] {
            let found = described(is_open);
            let set = |rows: &[_]| rows.iter().copied().collect::<BTreeSet<_>>();
            assert_eq!(set(&found), set(table.rows()));
            assert_eq!(found.len(), table.rows().len());
        }
        let ids: BTreeSet<_> = operations.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), operations.len());
    }

    #[test]
    fn the_same_document_is_made_each_time() {
        let made = || document_of(&operations::all());
        assert_eq!(made(), made());
        assert!(!DOCUMENT.is_empty());
    }
}
