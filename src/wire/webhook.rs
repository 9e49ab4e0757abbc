//! The webhook of Alertmanager, version 4, and Grafana's, which is the same with more in it:
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.
//!
//! Only what decides is read. Bodies may be made by templates and grow with every version, so a field
//! that is not known is left alone, and of an alert only its status and its labels are needed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::api::report::Unreadable;
use crate::model::{Alert, AlertStatus, Evidence, Fingerprint};

/// The most alerts of one message.
const MAX_ALERTS: usize = 10_000;
/// The most labels of one alert.
const MAX_LABELS: usize = 256;
/// The most bytes of all labels of one alert.
const MAX_LABEL_BYTES: usize = 64 << 10;
/// How much of a summary is read, in characters.
const SUMMARY_CHARS: usize = 500;
/// The annotation in which Grafana says why an alert is in its state, if that was not measured:
/// `NoData`, `Error`, `MissingSeries`, `Paused` …
const STATE_REASON: &str = "grafana_state_reason";
/// The annotations that say what a person should read, the best one first.
const SUMMARIES: [&str; 2] = ["summary", "description"];

/// A message as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct WebhookBody {
    /// The alerts.
    #[schemars(length(max = MAX_ALERTS), with = "Vec<WebhookAlert>")]
    alerts: Vec<Value>,
}

/// One alert of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WebhookAlert {
    /// `firing` or `resolved`.
    status: AlertStatus,
    /// What it is about.
    labels: BTreeMap<String, String>,
    /// What a person should read, in `summary` or `description`.
    #[serde(default)]
    annotations: Option<BTreeMap<String, Value>>,
    /// Since when it fires, RFC 3339.
    #[serde(default, deserialize_with = "time")]
    starts_at: Option<Timestamp>,
    /// Since when it does not, RFC 3339.
    #[serde(default, deserialize_with = "time")]
    ends_at: Option<Timestamp>,
    /// What tells it from others; left out: its labels do.
    #[serde(default)]
    fingerprint: Option<Value>,
}

/// A message as it was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AlertMessage {
    /// Its alerts.
    pub(crate) alerts: Vec<Alert>,
    /// What stands in place of others.
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A body that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message has at most {MAX_ALERTS} alerts")]
pub(crate) struct TooManyAlerts;

impl TryFrom<WebhookBody> for AlertMessage {
    type Error = TooManyAlerts;

    fn try_from(body: WebhookBody) -> Result<Self, TooManyAlerts> {
        if body.alerts.len() > MAX_ALERTS {
            return Err(TooManyAlerts);
        }
        let mut message = Self::default();
        for (index, value) in body.alerts.into_iter().enumerate() {
            // One that cannot be read keeps no other from being heard.
            let read = serde_json::from_value::<WebhookAlert>(value);
            match read.map_err(|error| error.to_string()).and_then(alert) {
                Ok(alert) => message.alerts.push(alert),
                Err(reason) => message.unreadable.push(Unreadable { index, reason }),
            }
        }
        Ok(message)
    }
}

impl WebhookBody {
    /// The message that tells of these.
    pub(crate) fn of(alerts: &[Alert]) -> Self {
        let alerts = alerts.iter().map(|alert| {
            let mut annotations = BTreeMap::new();
            if let Some(summary) = &alert.summary {
                annotations.insert(SUMMARIES[0].to_owned(), Value::from(summary.as_str()));
            }
            if alert.evidence == Evidence::Absent {
                annotations.insert(STATE_REASON.to_owned(), Value::from("NoData"));
            }
            let alert = WebhookAlert {
                status: alert.status,
                labels: alert.labels.clone(),
                annotations: Some(annotations),
                starts_at: alert.starts,
                ends_at: alert.ends,
                fingerprint: Some(Value::from(alert.fingerprint.as_str())),
            };
            serde_json::to_value(alert).unwrap_or_default()
        });
        Self {
            alerts: alerts.collect(),
        }
    }
}

fn alert(read: WebhookAlert) -> Result<Alert, String> {
    let labels = read.labels;
    if labels.len() > MAX_LABELS {
        return Err(format!("an alert has at most {MAX_LABELS} labels"));
    }
    let bytes: usize = labels
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if bytes > MAX_LABEL_BYTES {
        return Err(format!(
            "the labels of an alert have at most {MAX_LABEL_BYTES} bytes"
        ));
    }
    let annotations = read.annotations.unwrap_or_default();
    let annotation = |name: &str| annotations.get(name).and_then(Value::as_str);
    let has_no_data = annotation(STATE_REASON).is_some_and(|reason| !reason.is_empty());
    let mut summaries = SUMMARIES.into_iter().filter_map(annotation);
    let summary = summaries.find(|summary| !summary.trim().is_empty());
    let fingerprint = read.fingerprint.as_ref().and_then(Value::as_str);
    let fingerprint = fingerprint.and_then(|it| it.parse().ok());
    Ok(Alert {
        status: read.status,
        fingerprint: fingerprint.unwrap_or_else(|| Fingerprint::of(&labels)),
        labels,
        starts: read.starts_at,
        ends: read
            .ends_at
            .filter(|_| read.status == AlertStatus::Resolved),
        summary: summary.map(|summary| summary.trim().chars().take(SUMMARY_CHARS).collect()),
        evidence: if has_no_data {
            Evidence::Absent
        } else {
            Evidence::Measured
        },
    })
}

/// A time, if one is said: what is no time says nothing, and neither does the year 1, which stands for
/// none in what is written in Go.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let said = Option::<Value>::deserialize(deserializer)?;
    let said = said.as_ref().and_then(Value::as_str);
    let said: Option<Timestamp> = said.and_then(|said| said.parse().ok());
    Ok(said.filter(|at| at.as_second() > 0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> AlertMessage {
        let body: WebhookBody = serde_json::from_value(body).unwrap();
        body.try_into().unwrap()
    }

    #[test]
    fn what_alertmanager_sends_is_understood() {
        let message = read(json!({
            "receiver": "cfgctl", "status": "firing", "version": "4", "groupKey": "{}:{}",
            "truncatedAlerts": 0, "externalURL": "http://am:9093",
            "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "routeLabels": {"new": "1"},
            "alerts": [
                {"status": "firing", "labels": {"alertname": "PaymentErrorRate", "cluster": "eu"},
                 "annotations": {"summary": "stripe 5xx"}, "startsAt": "2026-11-27T02:00:00.5Z",
                 "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "0123456789abcdef"},
                {"status": "resolved", "labels": {"alertname": "PaymentErrorRate"},
                 "annotations": {}, "startsAt": "2026-11-27T02:00:00.5Z",
                 "endsAt": "2026-11-27T02:10:00Z", "fingerprint": "fedcba9876543210"},
            ],
        }));
        assert_eq!(message.unreadable, []);
        let [firing, resolved] = &message.alerts[..] else {
            panic!("{message:?}");
        };
        assert_eq!(firing.name(), "PaymentErrorRate");
        assert_eq!(firing.status, AlertStatus::Firing);
        assert_eq!(
            firing.starts,
            Some("2026-11-27T02:00:00.5Z".parse().unwrap())
        );
        assert_eq!(
            (firing.ends, firing.summary.as_deref()),
            (None, Some("stripe 5xx"))
        );
        assert_eq!(firing.fingerprint.as_str(), "0123456789abcdef");
        assert_eq!(resolved.ends, Some("2026-11-27T02:10:00Z".parse().unwrap()));
        let again: AlertMessage = WebhookBody::of(&message.alerts).try_into().unwrap();
        assert_eq!(again, message);
    }

    #[test]
    fn status_and_labels_are_enough_and_one_bad_alert_hides_no_other() {
        let message = read(json!({"alerts": [
            {"status": "firing"},
            {"status": "firing", "labels": {"a": "1"}, "startsAt": "yesterday", "endsAt": 7,
             "fingerprint": "spaces are none", "annotations": null},
            {"status": "pending", "labels": {}},
            {"status": "firing", "labels": {"a": 1}},
            "no alert",
            {"status": "resolved", "labels": {"a": "1"}, "endsAt": "99999-01-01T00:00:00Z",
             "annotations": {"grafana_state_reason": "MissingSeries", "summary": ["no text"]}},
        ]}));
        let bad: Vec<usize> = message.unreadable.iter().map(|it| it.index).collect();
        assert_eq!(bad, [0, 2, 3, 4]);
        let [firing, resolved] = &message.alerts[..] else {
            panic!("{message:?}");
        };
        assert_eq!(
            (firing.starts, firing.ends, &firing.summary),
            (None, None, &None)
        );
        // Without one of its own an alert is known by its labels.
        assert_eq!(firing.fingerprint, resolved.fingerprint);
        assert_eq!((resolved.ends, resolved.evidence), (None, Evidence::Absent));
    }

    #[test]
    fn floods_are_bounded() {
        let labels: BTreeMap<String, String> = (0..=MAX_LABELS)
            .map(|it| (format!("l{it}"), String::new()))
            .collect();
        let long = "x".repeat(MAX_LABEL_BYTES);
        let message = read(json!({"alerts": [
            {"status": "firing", "labels": labels},
            {"status": "firing", "labels": {"a": long}},
        ]}));
        assert_eq!((message.alerts.len(), message.unreadable.len()), (0, 2));
        let body = WebhookBody {
            alerts: vec![Value::Null; MAX_ALERTS + 1],
        };
        assert_eq!(AlertMessage::try_from(body), Err(TooManyAlerts));
    }
}
