//! `/openapi.json`: what the API says of itself, judged by programs that are not ours.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::cli::Cfgctl;
use crate::support::python::python;
use crate::support::server::Server;
use crate::support::transcript::bring;

const FILES: &str = "fixtures/quickstart";
/// What everybody who works with the API sees in a review.
const GOLDEN: &str = "tests/golden/openapi.json";

fn document(server: &Server) -> Value {
    let (status, text) = server.ask("GET /openapi.json", "", "");
    assert_eq!(status, 200, "{text}");
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[test]
fn the_document_is_as_it_was_reviewed() {
    let found = document(&Server::start(&Cfgctl::new(), &[]));
    let found = serde_json::to_string_pretty(&found).unwrap() + "\n";
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|it| it == "always") {
        std::fs::write(&golden, &found).unwrap();
    }
    let reviewed = std::fs::read_to_string(&golden).unwrap_or_default();
    if let Some((line, (was, is))) = (1..)
        .zip(reviewed.lines().zip(found.lines()))
        .find(|(_, (was, is))| was != is)
    {
        panic!(
            "{GOLDEN}:{line} says\n{was}\nand the server\n{is}\nwith INSTA_UPDATE=always it is written anew"
        );
    }
    assert_eq!(
        reviewed.len(),
        found.len(),
        "INSTA_UPDATE=always writes {GOLDEN} anew"
    );
}

#[test]
fn others_understand_the_document_and_examples_are_what_they_stand_for() {
    let document = document(&Server::start(&Cfgctl::new(), &[]));
    let user = Cfgctl::new();
    let file = user.write("openapi.json", &document.to_string());
    let program = "import json, sys\n\
                   from openapi_spec_validator import OpenAPIV31SpecValidator, validate\n\
                   validate(json.load(open(sys.argv[1])), cls=OpenAPIV31SpecValidator)\n";
    let ran = python().args(["-c", program]).arg(&file).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let mut examples = 0;
    let mut compare = |part: &Value, place: &str| {
        let Some(example) = part.get("example") else {
            return;
        };
        let mut schema = part["schema"].clone();
        schema["components"] = document["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(example)
            .map(|it| it.to_string())
            .collect();
        assert!(errors.is_empty(), "{place}: {errors:?}");
        examples += 1;
    };
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let place = format!("{method} {path}");
            for parameter in operation["parameters"].as_array().unwrap() {
                compare(parameter, &place);
            }
            let body = &operation["requestBody"]["content"];
            let responses = operation["responses"].as_object().unwrap().values();
            let contents = responses.map(|it| &it["content"]).chain([body]);
            for media in contents
                .filter_map(Value::as_object)
                .flat_map(|it| it.values())
            {
                compare(media, &place);
            }
        }
    }
    for (name, parameter) in document["components"]["parameters"].as_object().unwrap() {
        compare(parameter, name);
    }
    assert!(examples > 20, "{examples}");
}

#[test]
fn what_the_server_answers_is_what_it_says_of_its_answers() {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    bring(&user, FILES);
    user.ok(&["apply", "-f", FILES, "--yes"]);
    let server = Server::start(&user, &["--rate-limit", "1000000"]);
    let document = document(&server);
    for path in [
        "/v1/names",
        "/v1/resources",
        "/v1/status",
        "/v1/drift",
        "/v1/flags",
        "/v1/breakers",
        "/v1/clusters",
        "/v1/clusters/{cluster}",
        "/v1/clusters/{cluster}/policy",
        "/v1/clusters/{cluster}/revisions",
        "/v1/clusters/{cluster}/revisions/{version}",
        "/v1/sets/{set}/revisions",
        "/v1/sets/{set}/revisions/{version}",
        "/v1/sets/{set}/explanation",
        "/v1/sets/{set}/breakers/{breaker}",
        "/v1/sets/{set}/breakers/{breaker}/events",
        "/v1/sets/none/explanation",
    ] {
        let asked = path
            .replace("{cluster}", "eu-west")
            .replace("{set}", "checkout")
            .replace("{version}", "1")
            .replace("{breaker}", "payment-provider");
        let (status, text) = server.ask_known(&format!("GET {asked}"), "", "");
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let described = &document["paths"][path.replace("none", "{set}")]["get"]["responses"];
        let content = described[status.to_string()]["content"].as_object();
        let content = content.unwrap_or_else(|| panic!("{asked}: {status}"));
        let kind = ["application/json", "application/problem+json"];
        let media = kind.iter().find_map(|kind| content.get(*kind)).unwrap();
        let mut schema = media["schema"].clone();
        schema["components"] = document["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&body)
            .map(|it| it.to_string())
            .collect();
        assert!(errors.is_empty(), "{asked}: {errors:?}\n{body}");
        // It is no schema that takes everything.
        assert!(!validator.is_valid(&json!({})), "{asked}");
    }
}

#[test]
fn whatever_a_fuzzer_asks_for_is_answered_as_the_document_says() {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    bring(&user, FILES);
    user.ok(&["apply", "-f", FILES, "--yes"]);
    let server = Server::start(&user, &["--rate-limit", "1000000"]);
    let header = format!("Authorization: Bearer {}", server.token);
    let url = format!("{}/openapi.json", server.address);
    let ran = python()
        .current_dir(user.directory())
        .args(["-m", "schemathesis.cli", "run", &url, "--header", &header])
        // No schema says all that makes a request valid, and what is read is read generously.
        .args([
            "--exclude-checks",
            "positive_data_acceptance,negative_data_rejection",
        ])
        .args(["--phases", "examples,coverage,fuzzing"])
        // Threads of one interpreter get into each other's way when they parse Python (3.11).
        .args(["--max-examples", "8", "--seed", "7", "--workers", "1"])
        .args(["--generation-database", "none", "--no-color"])
        // Checks of clusters go where a fuzzer says.
        .args(["--exclude-operation-id", "checkClusters"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let more = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{more}");
    // It has asked for something.
    assert!(said.contains("passed"), "{said}");
    // Whatever was asked for, the server answers as before.
    let (status, text) = server.ask_known("GET /v1/names", "", "");
    assert_eq!(status, 200, "{text}");
}
