//! `kind: Grant`.

use std::collections::BTreeSet;

use super::super::node::{Entry, Kind};
use super::Decoder;
use crate::manifest::Located;
use crate::model::{Grant, Role, Selector, Subject};

/// The fields of `spec`.
pub(super) const GRANT_FIELDS: &[&str] = &["to", "role", "sets", "clusters"];

/// The roles, as they are written.
const ROLES: &[&str] = &["viewer", "operator", "editor", "admin"];

impl Decoder<'_, '_> {
    /// The grant that `spec` describes; nothing if a mistake leaves no telling.
    pub(super) fn grant(&mut self, spec: Option<&Entry>) -> Option<Grant> {
        let spec = spec?;
        let fields =
            self.known_fields(&spec.value, spec.at, "the spec of a grant", GRANT_FIELDS)?;
        let to = self.required(fields, "to");
        let to = to.and_then(|entry| self.subjects(entry));
        let role = self.required(fields, "role");
        let role = role.and_then(|entry| self.role(entry));
        let mut selector = |name: &str| match fields.get(name) {
            Some(entry) => self.selector(entry),
            None => Some(Selector::default()),
        };
        let (sets, clusters) = (selector("sets"), selector("clusters"));
        Some(Grant {
            to: to?,
            role: role?,
            sets: sets?,
            clusters: clusters?,
        })
    }

    fn role(&mut self, entry: &Entry) -> Option<Role> {
        let word = self.one_of(entry, "role", ROLES)?;
        Role::ALL.into_iter().find(|role| role.as_str() == word)
    }

    fn subjects(&mut self, entry: &Entry) -> Option<BTreeSet<Subject>> {
        let nodes = self.list(entry)?;
        if nodes.is_empty() || nodes.len() > Grant::MAX_SUBJECTS {
            let message = format!("a grant is to 1 to {} subjects", Grant::MAX_SUBJECTS);
            self.report("invalid-subject", entry.at, &message);
            return None;
        }
        let mut subjects = Some(BTreeSet::new());
        for node in nodes {
            // `token: ci` is a map, and a slip of the finger.
            if let Kind::Map(entries) = &node.kind
                && let [only] = entries.as_slice()
            {
                let finding = Located::error(
                    "invalid-subject",
                    Some(only.at),
                    "a subject is text, and this is a map",
                );
                let key = super::shown(&only.key);
                self.add(finding.help(format!("write it without the blank: `{key}:NAME`")));
                subjects = None;
                continue;
            }
            let text = self.text_of(node, entry.at);
            match (&mut subjects, text.map(str::parse::<Subject>)) {
                (Some(subjects), Some(Ok(subject))) => _ = subjects.insert(subject),
                (_, Some(Ok(_))) => {}
                (_, found) => {
                    if let Some(Err(error)) = found {
                        self.report("invalid-subject", node.span, &error);
                    }
                    subjects = None;
                }
            }
        }
        subjects
    }
}
