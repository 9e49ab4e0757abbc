//! `kind: Grant`.

use std::collections::BTreeSet;

use super::super::node::{Entry, Kind, Node};
use super::Decoder;
use crate::manifest::Located;
use crate::model::{AskedClaims, ByClaims, Claims, Grant, Recipient, Role, Selector, Subject};

/// The fields of `spec`.
pub(super) const GRANT_FIELDS: &[&str] = &["to", "role", "sets", "clusters"];

/// The field that makes a recipient of claims instead of a subject.
const CLAIMS: &str = "claims";

/// The roles, as they are written.
const ROLES: &[&str] = &["viewer", "operator", "editor", "admin"];

impl Decoder<'_, '_> {
    /// The grant that `spec` describes; nothing if a mistake leaves no telling.
    pub(super) fn grant(&mut self, spec: Option<&Entry>) -> Option<Grant> {
        let spec = spec?;
        let fields =
            self.known_fields(&spec.value, spec.at, "the spec of a grant", GRANT_FIELDS)?;
        let to = self.required(fields, "to");
        let to = to.and_then(|entry| self.recipients(entry));
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

    fn recipients(&mut self, entry: &Entry) -> Option<BTreeSet<Recipient>> {
        let nodes = self.list(entry)?;
        if nodes.is_empty() || nodes.len() > Grant::MAX_SUBJECTS {
            let message = format!("a grant is to 1 to {} subjects", Grant::MAX_SUBJECTS);
            self.report("invalid-subject", entry.at, &message);
            return None;
        }
        let mut recipients = Some(BTreeSet::new());
        for node in nodes {
            match (&mut recipients, self.recipient(node, entry)) {
                (Some(recipients), Some(recipient)) => _ = recipients.insert(recipient),
                (recipients, None) => *recipients = None,
                (None, Some(_)) => {}
            }
        }
        recipients
    }

    fn recipient(&mut self, node: &Node, entry: &Entry) -> Option<Recipient> {
        if let Kind::Map(entries) = &node.kind
            && let [only] = entries.as_slice()
        {
            if only.key == CLAIMS {
                return self.claims(only).map(Recipient::Claims);
            }
            // `token: ci` is a map, and a slip of the finger.
            let finding = Located::error(
                "invalid-subject",
                Some(only.at),
                "a subject is text, and this is a map",
            );
            let key = super::shown(&only.key);
            self.add(finding.help(format!("write it without the blank: `{key}:NAME`")));
            return None;
        }
        let text = self.text_of(node, entry.at)?;
        match text.parse::<Subject>() {
            Ok(subject) => Some(subject.into()),
            Err(error) => {
                self.report("invalid-subject", node.span, &error);
                None
            }
        }
    }

    /// `claims: {iss: https://gitlab.example.com, project_id: "7"}`
    fn claims(&mut self, entry: &Entry) -> Option<ByClaims> {
        let fields = self.map(&entry.value, entry.at)?;
        let mut claims = Some(Claims::default());
        for field in fields.entries {
            let value = self.text(field);
            match (&mut claims, value) {
                (Some(all), Some(value)) => {
                    if let Err(error) = all.insert(&field.key, value) {
                        self.report("invalid-claims", field.at, &error);
                        claims = None;
                    }
                }
                _ => claims = None,
            }
        }
        match AskedClaims::new(claims?) {
            Ok(claims) => Some(ByClaims { claims }),
            Err(error) => {
                self.report("invalid-claims", entry.at, &error);
                None
            }
        }
    }
}
