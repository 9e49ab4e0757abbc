//! Who is told what happens: the file that `serve --notify` names, and `cfgctl notifications`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::connect::{Connected, connect};
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::files;
use super::session::Session;
use super::view::{Canvas, View};
use super::views::table::{moment, printable, table};
use crate::api::HappeningKind;
use crate::api::report::{Notifications, ReceiverItem, Report};
use crate::model::{API_VERSION, ReceiverName, Selector};
use crate::notify::{Format, Receiver};

/// The `kind` of the file.
const KIND: &str = "Notifications";
/// Where events say that they come from, if the file does not say it.
const SOURCE: &str = "cfgctl";

/// Lists who is told what happens, how far, and what never arrived
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct NotificationsArgs {}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    api_version: String,
    kind: String,
    source: Option<String>,
    receivers: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    name: ReceiverName,
    #[serde(default)]
    sets: Sets,
    #[serde(default)]
    events: BTreeSet<HappeningKind>,
    webhook: Option<Webhook>,
    slack: Option<Slack>,
    #[serde(default)]
    allow_private: bool,
}

/// A selector as manifests have it: labels, or text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Sets {
    Labels(BTreeMap<String, String>),
    Text(Selector),
}

impl Default for Sets {
    fn default() -> Self {
        Self::Text(Selector::default())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Webhook {
    url: Said,
    secret: Said,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Slack {
    url: Said,
}

/// A text that may be a secret.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    Plainly(String),
    Elsewhere(Hidden),
}

/// Where a secret is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Hidden {
    env: Option<String>,
    file: Option<PathBuf>,
}

/// Whom a server tells what happens, and in whose name.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) source: String,
    pub(super) receivers: Vec<Receiver>,
}

/// Whom the file at `path` names.
pub(super) fn told(environment: &Environment, path: &Path) -> Result<Told, Failure> {
    let broken = |error: anyhow::Error| {
        let what = format!("`{}` does not say who is told what", path.display());
        Failure::new(Exit::Usage, error.context(what))
    };
    let path = environment.directory.join(path);
    let text = files::read_small(&path)?;
    let file: File = serde_yaml::from_slice(&text).map_err(|error| broken(error.into()))?;
    if file.api_version != API_VERSION || file.kind != KIND {
        let error = anyhow::anyhow!("it must say `apiVersion: {API_VERSION}` and `kind: {KIND}`");
        return Err(broken(error));
    }
    let mut receivers: Vec<Receiver> = Vec::new();
    for entry in file.receivers {
        let name = entry.name.clone();
        if receivers.iter().any(|it| it.name == name) {
            return Err(broken(anyhow::anyhow!("two receivers are called `{name}`")));
        }
        let made = receiver(environment, &path, entry);
        let made = made.map_err(|error| broken(error.context(format!("receiver `{name}`"))));
        receivers.push(made?);
    }
    Ok(Told {
        source: file.source.unwrap_or_else(|| SOURCE.to_owned()),
        receivers,
    })
}

fn receiver(environment: &Environment, file: &Path, entry: Entry) -> anyhow::Result<Receiver> {
    let (url, format) = match (entry.webhook, entry.slack) {
        (Some(webhook), None) => {
            let secret = webhook.secret.hidden(environment, file)?;
            let url = match webhook.url {
                Said::Plainly(url) => url,
                Said::Elsewhere(hidden) => hidden.read(environment, file)?,
            };
            (url, Format::CloudEvents(secret.parse()?))
        }
        (None, Some(slack)) => (slack.url.hidden(environment, file)?, Format::Slack),
        _ => anyhow::bail!("it needs one of `webhook` and `slack`"),
    };
    let mut receiver = Receiver::new(entry.name, &url, format)?;
    receiver.sets = match entry.sets {
        Sets::Text(selector) => selector,
        Sets::Labels(labels) => {
            let parts = labels.iter().map(|(key, value)| format!("{key}={value}"));
            parts.collect::<Vec<_>>().join(",").parse()?
        }
    };
    receiver.kinds = entry.events;
    receiver.may_be_private = entry.allow_private;
    receiver.check_address()?;
    Ok(receiver)
}

impl Said {
    /// A text that may not stand in the file itself.
    fn hidden(&self, environment: &Environment, beside: &Path) -> anyhow::Result<String> {
        match self {
            Self::Elsewhere(hidden) => hidden.read(environment, beside),
            Self::Plainly(_) => anyhow::bail!(
                "a secret does not stand in this file: write `{{env: NAME}}` or `{{file: PATH}}` in its place"
            ),
        }
    }
}

impl Hidden {
    fn read(&self, environment: &Environment, beside: &Path) -> anyhow::Result<String> {
        match (&self.env, &self.file) {
            (Some(name), None) => {
                let value = environment.variable(name);
                let value = value.ok_or_else(|| anyhow::anyhow!("`{name}` is not set"))?;
                Ok(value.trim().to_owned())
            }
            (None, Some(path)) => {
                let home = beside.parent().unwrap_or(Path::new("."));
                let path = home.join(path);
                let bytes = files::read_small(&path)
                    .map_err(|failure| anyhow::anyhow!("{}", failure.chain().join(": ")))?;
                let text = String::from_utf8(bytes);
                let text = text.map_err(|_| anyhow::anyhow!("`{}` is no text", path.display()))?;
                Ok(text.trim().to_owned())
            }
            _ => anyhow::bail!("a secret is `{{env: NAME}}` or `{{file: PATH}}`"),
        }
    }
}

pub(super) async fn notifications(
    session: &Session,
    _: &NotificationsArgs,
) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    let found = service.notifications(&by).await?;
    if found.receivers.is_empty() {
        session.looked_in(&service.location());
    }
    session.ui.report(&found)?;
    Ok(Exit::Done)
}

impl View for Notifications {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.receivers.iter().map(|receiver| {
            [
                receiver.name.to_string(),
                receiver.told.to_string(),
                receiver.dead.len().to_string(),
                state(receiver),
            ]
        });
        let mut text = table(
            look,
            ["RECEIVER", "TOLD UP TO", "NEVER ARRIVED", "STATE"],
            rows,
        );
        if text.is_empty() {
            return "nobody was told anything yet\n".to_owned();
        }
        let dead = self.receivers.iter().flat_map(|receiver| {
            receiver.dead.iter().map(|letter| {
                [
                    receiver.name.to_string(),
                    moment(letter.at),
                    printable(&letter.reason),
                    printable(&letter.text),
                ]
            })
        });
        let dead = table(look, ["RECEIVER", "GIVEN UP", "WHY", "WHAT"], dead);
        if !dead.is_empty() {
            text.push('\n');
            text.push_str(&dead);
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.receivers
            .iter()
            .map(|it| it.name.to_string())
            .collect()
    }
}

fn state(receiver: &ReceiverItem) -> String {
    match &receiver.failing {
        None if receiver.dead.is_empty() => "ok".to_owned(),
        None => "some never arrived".to_owned(),
        Some(failing) => {
            let (attempts, reason) = (failing.attempts, printable(&failing.reason));
            format!(
                "failing since {} ({attempts} times): {reason}",
                moment(failing.since)
            )
        }
    }
}
