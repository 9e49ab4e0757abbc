//! The harness does what its name says, so that a failing test is never its fault.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use crate::support::consul::{Consul, http, unique_prefix};

#[tokio::test]
async fn a_shared_agent_keeps_keys_and_deletes_them() {
    let consul = Consul::shared().await;
    let prefix = unique_prefix();
    let key = format!("{prefix}/a b/ü%2F?#[0]");
    assert_eq!(consul.kv_get(&key).await, None);
    consul.kv_put(&key, "1").await;
    assert_eq!(consul.kv_get(&key).await.as_deref(), Some(&b"1"[..]));
    assert_eq!(consul.kv_keys(&prefix).await, [key.as_str()]);
    consul.kv_delete(&key).await;
    assert_eq!(consul.kv_keys(&prefix).await, Vec::<String>::new());
}

#[tokio::test]
async fn several_agents_run_side_by_side() {
    let (a, b) = tokio::join!(Consul::start(), Consul::start());
    assert_ne!(a.address(), b.address());
    a.kv_put("k", "a").await;
    assert_eq!(b.kv_get("k").await, None);
}

#[tokio::test]
async fn an_agent_on_disk_keeps_its_data_over_a_kill() {
    let consul = Consul::start_on_disk().await;
    consul.kv_put("k", "v").await;
    let before = consul.kv_entry("k").await;
    consul.kill();
    assert!(http().get(consul.address()).send().await.is_err());
    consul.restart().await;
    assert_eq!(consul.kv_entry("k").await, before);
}

#[tokio::test]
async fn a_paused_agent_does_not_answer_until_it_is_resumed() {
    let consul = Consul::start().await;
    consul.pause();
    let start = Instant::now();
    let answer = http()
        .get(consul.address())
        .timeout(Duration::from_millis(300))
        .send()
        .await;
    assert!(answer.unwrap_err().is_timeout());
    assert!(start.elapsed() >= Duration::from_millis(300));
    consul.resume();
    consul.kv_put("k", "v").await;
}

#[tokio::test]
async fn a_token_may_do_what_its_policy_says_until_it_is_revoked() {
    let consul = Consul::start_with_acl("5c1d5a3e-7b1e-4f0e-9a55-0d3c8b1f2a10").await;
    let token = consul.token(r#"key_prefix "a/" { policy = "read" }"#).await;
    consul.kv_put("a/k", "v").await;
    let get = |secret: String| {
        http()
            .get(format!("{}/v1/kv/a/k", consul.address()))
            .header("X-Consul-Token", secret)
            .send()
    };
    let status = |answer: reqwest::Result<reqwest::Response>| answer.unwrap().status();
    assert_eq!(status(get(token.secret.clone()).await), StatusCode::OK);
    assert_eq!(status(get(String::new()).await), StatusCode::FORBIDDEN);
    consul.revoke(&token).await;
    assert_eq!(status(get(token.secret).await), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_transaction_of_65_operations_is_refused() {
    let consul = Consul::shared().await;
    let operation = json!({"KV": {"Verb": "get-tree", "Key": unique_prefix()}});
    let (status, body) = consul.txn(&json!(vec![operation; 65])).await;
    assert_eq!(
        status,
        StatusCode::PAYLOAD_TOO_LARGE,
        "the limit of this server: {body}"
    );
}
