//! The device flow (RFC 8628): a person says yes in a browser, wherever that runs.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;

use super::fetch::{self, FetchError};
use super::spec::IssuerUrl;

/// How a code is asked for again.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How often, where the issuer does not say.
const INTERVAL: u64 = 5;
/// How much less often when it is too often.
const SLOWER: Duration = Duration::from_secs(5);
/// The least and the most of what it says, in seconds.
const INTERVALS: std::ops::RangeInclusive<u64> = 1..=60;
/// The longest that somebody has, in seconds, and what he has where the issuer does not say.
const MAX_LIFE: u64 = 1800;
/// How many requests in a row may stay without an answer.
const MAX_SILENT: u32 = 5;
/// The longest code or address that a person is to type or read.
const MAX_SHOWN: usize = 500;

/// Why nobody is logged in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The issuer cannot be asked, or answers nonsense.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It does not know the flow, or not for this client.
    #[error("the issuer refuses it: {0}")]
    Refused(String),
    /// Whoever was asked said no.
    #[error("it was denied in the browser")]
    Denied,
    /// Nobody said anything in time.
    #[error("nobody consented in time")]
    Expired,
}

/// A login that a person has to consent to.
#[derive(Debug)]
pub struct Pending {
    client: Client,
    token_endpoint: String,
    client_id: String,
    code: String,
    interval: Duration,
    end: Instant,
    /// What is shown to the person.
    pub device: Device,
}

/// What is shown to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Where to go.
    pub address: String,
    /// The same with the code in it, if there is such an address.
    pub whole_address: Option<String>,
    /// What to type there.
    pub code: String,
}

impl Pending {
    /// Begins a login at `issuer`, as this client, with these scopes.
    pub async fn begin(
        issuer: &IssuerUrl,
        client_id: &str,
        scopes: &[String],
    ) -> Result<Self, DeviceError> {
        let client = fetch::client(None)?;
        let document = fetch::discovered(&client, issuer).await?;
        let token_endpoint = fetch::named(&document, "token_endpoint")?;
        let place = fetch::named(&document, "device_authorization_endpoint")?;
        let scope = scopes.join(" ");
        let body = form(&[("client_id", client_id), ("scope", &scope)])?;
        let (status, answer) = post(&client, &place, body).await?;
        if status != 200 {
            return Err(DeviceError::Refused(reason(&answer, status)));
        }
        let text = |name: &str| {
            let text = answer.get(name).and_then(Value::as_str);
            text.filter(|text| text.len() <= MAX_SHOWN)
                .map(str::to_owned)
        };
        let missing = || FetchError::Answer("its answer lacks what it should have".to_owned());
        let number = |name: &str| answer.get(name).and_then(Value::as_u64);
        let life = number("expires_in").unwrap_or(MAX_LIFE).min(MAX_LIFE);
        let interval = number("interval").unwrap_or(INTERVAL);
        let interval = interval.clamp(*INTERVALS.start(), *INTERVALS.end());
        let code = answer.get("device_code").and_then(Value::as_str);
        let address = text("verification_uri").or_else(|| text("verification_url"));
        Ok(Self {
            device: Device {
                address: address.ok_or_else(missing)?,
                whole_address: text("verification_uri_complete"),
                code: text("user_code").ok_or_else(missing)?,
            },
            code: code.ok_or_else(missing)?.to_owned(),
            client,
            token_endpoint,
            client_id: client_id.to_owned(),
            interval: Duration::from_secs(interval),
            end: Instant::now() + Duration::from_secs(life),
        })
    }

    /// Waits until the person has consented: the JWT that says who it is.
    pub async fn consented(mut self) -> Result<String, DeviceError> {
        let mut silent = 0;
        loop {
            if Instant::now() + self.interval > self.end {
                return Err(DeviceError::Expired);
            }
            tokio::time::sleep(self.interval).await;
            let body = form(&[
                ("grant_type", GRANT),
                ("device_code", &self.code),
                ("client_id", &self.client_id),
            ])?;
            let (status, answer) = match post(&self.client, &self.token_endpoint, body).await {
                Ok(answered) => answered,
                Err(error) if silent >= MAX_SILENT => return Err(error.into()),
                Err(_) => {
                    // RFC 8628, 3.5: less often, too.
                    silent += 1;
                    self.interval = (self.interval * 2).min(Duration::from_secs(60));
                    continue;
                }
            };
            silent = 0;
            if status == 200 {
                let jwt = answer.get("id_token").and_then(Value::as_str);
                return jwt.map(str::to_owned).ok_or_else(|| {
                    let reason = "it answers no ID token; is `openid` among the scopes?";
                    DeviceError::Refused(reason.to_owned())
                });
            }
            match answer.get("error").and_then(Value::as_str) {
                Some("authorization_pending") => {}
                Some("slow_down") => self.interval += SLOWER,
                Some("access_denied") => return Err(DeviceError::Denied),
                Some("expired_token") => return Err(DeviceError::Expired),
                _ => return Err(DeviceError::Refused(reason(&answer, status))),
            }
        }
    }
}

/// What the issuer says is wrong, which is for the developer of a client.
fn reason(answer: &Value, status: u16) -> String {
    let text = |name: &str| {
        let text = answer.get(name).and_then(Value::as_str)?;
        let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
        Some(text)
    };
    match (text("error"), text("error_description")) {
        (Some(error), Some(description)) => format!("{error}: {description}"),
        (Some(error), None) => error,
        _ => format!("it answers {status}"),
    }
}

fn form(fields: &[(&str, &str)]) -> Result<String, FetchError> {
    serde_urlencoded::to_string(fields).map_err(|error| FetchError::Answer(error.to_string()))
}

async fn post(client: &Client, place: &str, body: String) -> Result<(u16, Value), FetchError> {
    let request = client.post(place);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("accept", "application/json");
    fetch::asked(request.body(body), false).await
}
