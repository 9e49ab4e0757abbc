//! GitHub: a job asks its runner for a JWT.

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::fetch::{self, FetchError};
use super::spec::endpoint;

/// A JWT for `audience`, from where a runner says (`ACTIONS_ID_TOKEN_REQUEST_URL`), by what it hands out for
/// that (`ACTIONS_ID_TOKEN_REQUEST_TOKEN`).
pub async fn of_github(place: &str, token: &str, audience: &str) -> Result<String, FetchError> {
    let failed = |error: &str| FetchError::Answer(error.to_owned());
    let mut place: Url = endpoint(place).map_err(failed)?;
    place.query_pairs_mut().append_pair("audience", audience);
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value = value.map_err(|_| failed("what it asks to be shown can be in no header"))?;
    value.set_sensitive(true);
    let client = fetch::client(None)?;
    let request = client.get(place).header("authorization", value);
    let (_, answer) = fetch::asked(request, true).await?;
    let jwt = answer.get("value").and_then(Value::as_str);
    jwt.map(str::to_owned)
        .ok_or_else(|| failed("its answer has no `value`"))
}
