//! Saved plans: a request and a token in a file, shown now, carried out later exactly as it was shown,
//! or not at all.

use serde::{Deserialize, Serialize};

use super::{Basis, Change, PlanToken, Request};
use crate::model::value::Map;
use crate::model::{API_VERSION, Digest};

/// The `kind` of a saved plan.
const KIND: &str = "Plan";
/// The field of its digest.
const DIGEST: &str = "digest";

/// What was asked for, what is consented to, and what that was made from.
///
/// In its file it stands with a digest over all of it. That tells a plan that was edited or cut from
/// the one that was shown; it has no key, so it does not stop somebody who makes a new digest. What
/// is allowed therefore never follows from the file: it is planned anew, the gates judge it anew,
/// and author and time are those of whoever applies it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    api_version: String,
    kind: String,
    /// What was asked for.
    pub request: Request,
    /// What is consented to.
    pub token: PlanToken,
    /// What it was made from.
    pub basis: Basis,
}

/// Why a file is no plan that can be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// Not JSON, or not of this form.
    #[error("it is not a saved plan")]
    Malformed(#[from] serde_json::Error),
    /// Not what was saved.
    #[error("its digest does not match: it was changed after it was saved")]
    Changed,
    /// Taken out.
    #[error("it has no digest: it was changed, or an older cfgctl saved it")]
    NoDigest,
    /// Saved by a cfgctl that wrote no token: what it consents to cannot be told any more.
    #[error("an older cfgctl saved it, which this one cannot carry out: plan it again")]
    Older,
    /// It asks for something that is never saved.
    #[error("it asks for something else than what files declare")]
    NotDeclared,
    /// Written by another version of cfgctl.
    #[error(
        "it is a `{kind}` of format `{api_version}`, this cfgctl reads a `{KIND}` of `{API_VERSION}`"
    )]
    OtherFormat {
        /// The format found.
        api_version: String,
        /// The kind found.
        kind: String,
    },
}

impl SavedPlan {
    /// Puts down what `token` consents to, for later.
    pub fn new(request: Request, token: PlanToken, basis: Basis) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            request,
            token,
            basis,
        }
    }

    /// The plan as it stands in a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut file = serde_json::to_value(self)?;
        file[DIGEST] = self.digest().to_string().into();
        let mut text = serde_json::to_vec_pretty(&file)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a plan that was put down.
    pub fn parse(text: &[u8]) -> Result<Self, SavedPlanError> {
        let mut file: Map = serde_json::from_slice(text)?;
        let field = |name: &str| file.get(name).and_then(|value| value.as_str());
        let (api_version, kind) = (field("apiVersion"), field("kind"));
        if let (Some(api_version), Some(kind)) = (api_version, kind)
            && (api_version != API_VERSION || kind != KIND)
        {
            return Err(SavedPlanError::OtherFormat {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
            });
        }
        let digest = file.remove(DIGEST).ok_or(SavedPlanError::NoDigest)?;
        if file.contains_key("wish") {
            return Err(SavedPlanError::Older);
        }
        let saved: Self = serde_json::from_value(file.into())?;
        if digest.as_str() != Some(&saved.digest().to_string()) {
            return Err(SavedPlanError::Changed);
        }
        if !matches!(saved.request.change, Change::Declare(_)) {
            return Err(SavedPlanError::NotDeclared);
        }
        Ok(saved)
    }

    /// Over everything but the digest itself.
    fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::{Declaration, Pace, Permission, Reach};

    fn saved(change: Change) -> Vec<u8> {
        let request = Request {
            change,
            clusters: crate::model::Selector::default(),
            consents: std::collections::BTreeSet::new(),
            dropped: std::collections::BTreeSet::new(),
            message: None,
            key: None,
            planned: None,
            permission: Permission::Asked,
            pace: Pace {
                clusters_at_once: 1,
                timeout: Duration::from_secs(1),
            },
        };
        let token = PlanToken::of(&"shown");
        SavedPlan::new(request, token, Basis::default())
            .to_bytes()
            .unwrap()
    }

    #[test]
    fn what_is_read_is_what_was_saved() {
        let text = saved(Change::Declare(Declaration::default()));
        let plan = SavedPlan::parse(&text).unwrap();
        assert_eq!(plan.to_bytes().unwrap(), text);
    }

    /// Whoever makes a digest of his own can still only declare, which is judged anew.
    #[test]
    fn a_plan_that_asks_for_anything_but_a_declaration_is_none() {
        let error = SavedPlan::parse(&saved(Change::Reconcile(Reach::All))).unwrap_err();
        assert!(matches!(error, SavedPlanError::NotDeclared), "{error}");
    }
}
