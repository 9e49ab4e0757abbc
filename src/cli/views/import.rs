//! What an import makes of each key.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::super::view::{Canvas, View};
use super::table::{printable, table};
use crate::import::{Fate, Layout};
use crate::model::{Key, SetName};

/// What became of every key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) set: Option<SetName>,
    pub(crate) prefix: Key,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layout: Option<Layout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    pub(crate) keys: Vec<KeyItem>,
    pub(crate) notes: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyItem {
    key: String,
    result: KeyResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum KeyResult {
    SameBytes,
    SameValues,
    Ignored,
    NotImported,
}

impl KeyItem {
    fn new(key: &str, fate: &Fate) -> Self {
        let (result, reason) = match fate {
            Fate::SameBytes => (KeyResult::SameBytes, None),
            Fate::SameValues => (KeyResult::SameValues, None),
            Fate::Ignored(reason) => (KeyResult::Ignored, Some((*reason).to_owned())),
            Fate::Refused(reason) => (KeyResult::NotImported, Some(reason.clone())),
        };
        Self {
            key: key.to_owned(),
            result,
            reason,
        }
    }
}

/// What to say of each key.
pub(crate) fn items(keys: &BTreeMap<String, Fate>) -> Vec<KeyItem> {
    let items = keys.iter().map(|(key, fate)| KeyItem::new(key, fate));
    items.collect()
}

impl View for ImportReport {
    const KIND: &'static str = "Import";

    fn table(&self, look: Canvas) -> String {
        let rows = self.keys.iter().map(|item| {
            let result = match item.result {
                KeyResult::SameBytes => "same bytes",
                KeyResult::SameValues => "same values, new text",
                KeyResult::Ignored => "ignored",
                KeyResult::NotImported => "cannot be imported",
            };
            let result = match &item.reason {
                Some(reason) => format!("{result}: {reason}"),
                None => result.to_owned(),
            };
            [printable(&item.key), result]
        });
        let mut text = table(look, ["KEY", "RESULT"], rows);
        for note in &self.notes {
            // Writing to a text cannot fail.
            _ = writeln!(text, "note: {}", printable(note));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        let set = self.set.iter();
        set.map(|set| format!("set/{set}")).collect()
    }
}
