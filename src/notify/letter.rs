//! A letter: what one receiver gets of one happening, as bytes.

use jiff::Timestamp;
use serde_json::json;

use super::receiver::Format;
use crate::api::Happening;

/// What is sent.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) body: Vec<u8>,
    /// The headers beside those that every request has.
    pub(super) headers: Vec<(&'static str, String)>,
}

/// What `happening` is called where events have types.
fn kind(happening: &Happening) -> String {
    format!("dev.cfgctl.{}", happening.kind.as_str())
}

impl Letter {
    /// What says `happening` in this format, from `source`, sent at this time.
    pub(super) fn of(happening: &Happening, format: &Format, source: &str, now: Timestamp) -> Self {
        match format {
            Format::CloudEvents(secret) => {
                let mut event = json!({
                    "specversion": "1.0",
                    "id": happening.id,
                    "source": source,
                    "type": kind(happening),
                    "time": happening.at.to_string(),
                    "datacontenttype": "application/json",
                    "data": {
                        "text": happening.text(),
                        "set": happening.set,
                        "breaker": happening.breaker,
                        "clusters": happening.clusters,
                        "place": happening.place,
                        "version": happening.version,
                        "sequence": happening.sequence,
                        "actor": happening.actor,
                        "reason": happening.reason,
                    },
                });
                let subject = match (&happening.set, &happening.breaker) {
                    (Some(set), Some(breaker)) => Some(format!("{set}/{breaker}")),
                    (Some(set), None) => Some(set.to_string()),
                    (None, _) => None,
                };
                if let Some(subject) = subject {
                    event["subject"] = subject.into();
                }
                let body = event.to_string().into_bytes();
                let sent = now.as_second();
                let signature = secret.signature(&happening.id, sent, &body);
                Self {
                    headers: vec![
                        ("content-type", "application/cloudevents+json".to_owned()),
                        ("webhook-id", happening.id.clone()),
                        ("webhook-timestamp", sent.to_string()),
                        ("webhook-signature", signature),
                    ],
                    body,
                }
            }
            Format::Slack => Self {
                body: json!({"text": escaped(&happening.text())})
                    .to_string()
                    .into_bytes(),
                headers: vec![("content-type", "application/json".to_owned())],
            },
        }
    }
}

/// What Slack takes for text and nothing else:
/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
