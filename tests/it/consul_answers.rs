//! Answers that lie, come late or not at all, from a server that only pretends to be a Consul.

use cfgctl::model::{self, Oversize};
use cfgctl::target::consul::Consul;
use cfgctl::target::{Target, TargetError, Variables};
use serde_json::json;
use std::collections::BTreeMap;
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::consul_target::{PATIENCE, blind, connect, reason, spec};
use crate::support::delivery::{place, unique_set};

/// A server that gives one answer to everything.
async fn always(answer: ResponseTemplate) -> (MockServer, Consul) {
    let server = MockServer::start().await;
    Mock::given(path_regex("^/v1/"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let target = connect(&server.uri());
    (server, target)
}

async fn ask(target: &Consul) -> (TargetError, TargetError) {
    let set = unique_set();
    let read = target
        .observe(&place(&set, "app"))
        .await
        .expect_err("a refusal");
    let written = target.write(&blind(&set, "app")).await;
    let written = written.expect_err("a refusal");
    (read, written)
}

#[tokio::test]
async fn an_error_of_the_server_leaves_a_write_unknown() {
    for status in [429, 500, 502, 503] {
        let (_server, target) = always(ResponseTemplate::new(status)).await;
        let (read, written) = ask(&target).await;
        assert!(
            matches!(read, TargetError::Unreachable { .. }),
            "{status}: {read:?}"
        );
        assert!(
            matches!(written, TargetError::Unknown { .. }),
            "{status}: {written:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer = ResponseTemplate::new(301).insert_header("Location", "/v1/kv/elsewhere");
    let (server, target) = always(answer).await;
    let (read, written) = ask(&target).await;
    assert!(matches!(read, TargetError::Invalid { .. }), "{read:?}");
    assert!(
        matches!(written, TargetError::Invalid { .. }),
        "{written:?}"
    );
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_404_of_a_proxy_is_not_absence() {
    let page = "<html>no such host</html>";
    for answer in [
        ResponseTemplate::new(404),
        ResponseTemplate::new(404).set_body_raw(page, "text/html"),
        ResponseTemplate::new(200).set_body_raw(page, "text/html"),
        ResponseTemplate::new(200).set_body_string("[]"),
        ResponseTemplate::new(200)
            .set_body_string("[{\"Key\":\"other\",\"Flags\":0,\"ModifyIndex\":1}]"),
        ResponseTemplate::new(200).set_body_string("[{"),
    ] {
        let (_server, target) = always(answer).await;
        let (read, written) = ask(&target).await;
        assert!(matches!(read, TargetError::Invalid { .. }), "{read:?}");
        let refused = matches!(
            written,
            TargetError::Invalid { .. } | TargetError::Unknown { .. }
        );
        assert!(refused, "{written:?}");
    }
}

#[tokio::test]
async fn a_success_that_does_not_name_our_keys_is_none() {
    for body in [
        "{}",
        "true",
        "{\"Results\":[],\"Errors\":null}",
        "{\"Results\":null}",
    ] {
        let (_server, target) = always(ResponseTemplate::new(200).set_body_string(body)).await;
        let error = target
            .write(&blind(&unique_set(), "app"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, TargetError::Unknown { .. }),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let body = vec![b' '; 2 * 1024 * 1024];
    let (_server, target) = always(ResponseTemplate::new(200).set_body_bytes(body)).await;
    let error = target.health(&BTreeMap::new()).await.unwrap_err();
    assert!(reason(error).contains("more than"));
}

#[tokio::test]
async fn a_413_names_the_limit_it_knows() {
    for (text, expected) in [
        (
            "Transaction contains too many operations (65 > 64)",
            Some(Oversize::Operations {
                needed: 2,
                limit: 64,
            }),
        ),
        (
            "Request body(600059 bytes) too large, max size: 524288 bytes. See …",
            Some(Oversize::Request {
                bytes: 600_059,
                limit: 524_288,
            }),
        ),
        ("<html>413 Request Entity Too Large</html>", None),
    ] {
        let (_server, target) = always(ResponseTemplate::new(413).set_body_string(text)).await;
        match (
            target
                .write(&blind(&unique_set(), "app"))
                .await
                .unwrap_err(),
            expected,
        ) {
            (TargetError::TooLarge { reasons, .. }, Some(expected)) => {
                assert_eq!(reasons, [expected]);
            }
            (TargetError::Invalid { .. }, None) => {}
            (error, _) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_to_come_again_is_asked_again() {
    let server = MockServer::start().await;
    let txn = || Mock::given(method("PUT")).and(path("/v1/txn"));
    let busy = ResponseTemplate::new(429);
    txn()
        .respond_with(busy)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let set = unique_set();
    let target = connect(&server.uri());
    let result = |key: &str| json!({"KV": {"Key": key, "Flags": 0, "ModifyIndex": 1}});
    let results = [result(&target.snapshot_key(&set)), result("app/a")];
    let done = json!({"Results": results, "Errors": null});
    txn()
        .respond_with(ResponseTemplate::new(200).set_body_json(done))
        .mount(&server)
        .await;
    target.write(&blind(&set, "app")).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn a_conflict_after_an_attempt_without_answer_may_be_our_own() {
    let conflict = json!({"Results": null, "Errors": [{"OpIndex": 1, "What": "index is stale"}]});
    let conflict = ResponseTemplate::new(409).set_body_json(conflict);
    let (_server, target) = always(conflict.clone()).await;
    let error = target
        .write(&blind(&unique_set(), "app"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, TargetError::Moved { keys, .. } if *keys == ["app/a"]),
        "{error:?}"
    );

    let server = MockServer::start().await;
    let txn = || Mock::given(path("/v1/txn"));
    txn()
        .respond_with(ResponseTemplate::new(500))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    txn().respond_with(conflict).mount(&server).await;
    let error = connect(&server.uri())
        .write(&blind(&unique_set(), "app"))
        .await
        .unwrap_err();
    assert!(matches!(error, TargetError::Unknown { .. }), "{error:?}");
}

#[tokio::test]
async fn every_request_carries_token_datacenter_and_namespace() {
    let server = MockServer::start().await;
    let variables = [
        ("CONSUL_NAMESPACE", "team a"),
        ("CONSUL_HTTP_TOKEN", "secret"),
        ("CONSUL_HTTP_AUTH", "u:p"),
    ];
    let environment: Variables = variables.into_iter().collect();
    let spec = model::ConsulSpec {
        datacenter: Some("dc1".to_owned()),
        ..spec(&server.uri(), "cfgctl")
    };
    let target = Consul::connect(&"eu".parse().unwrap(), &spec, &environment, &PATIENCE).unwrap();
    let (read, written) = ask(&target).await;
    assert!(!format!("{target:?} {read:?} {written:?} {read} {written}").contains("secret"));
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        let query = request.url.query().unwrap();
        assert!(query.ends_with("ns=team%20a&dc=dc1"), "{query}");
        assert_eq!(request.headers["x-consul-token"], "secret");
        assert_eq!(request.headers["authorization"], "Basic dTpw");
    }
    let body: serde_json::Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(body[0]["KV"]["Namespace"], "team a");
}

#[tokio::test]
async fn a_listing_is_believed_only_if_a_consul_may_have_made_it() {
    let elsewhere = json!([{"Key": "appx/a", "Value": null, "Flags": 0, "ModifyIndex": 1}]);
    for (answer, unreachable) in [
        (ResponseTemplate::new(404), false),
        (ResponseTemplate::new(301), false),
        (ResponseTemplate::new(200).set_body_string("<html>"), false),
        (ResponseTemplate::new(200).set_body_json(elsewhere), false),
        (ResponseTemplate::new(500), true),
    ] {
        let (_server, target) = always(answer).await;
        let error = target.list(&"app".parse().unwrap()).await.unwrap_err();
        match error {
            TargetError::Invalid { .. } => assert!(!unreachable, "{error:?}"),
            TargetError::Unreachable { .. } => assert!(unreachable, "{error:?}"),
            other => panic!("{other:?}"),
        }
    }
    let (_server, target) = always(ResponseTemplate::new(403)).await;
    let error = target.list(&"app".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, TargetError::Denied { .. }), "{error:?}");
}
