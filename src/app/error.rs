//! What errors of the layers below mean to whoever asked, and what to do next.

use crate::api::{Error, ErrorKind};
use crate::engine::EngineError;
use crate::model::OverrideError;
use crate::plan::{PlanError, SwitchError};
use crate::store::StoreError;
use crate::target::TargetError;

impl From<StoreError> for Error {
    // Every variant is named: a new one does not compile until someone has decided what it means.
    fn from(error: StoreError) -> Self {
        let (kind, hint) = match &error {
            StoreError::HeadsMoved(moved) => {
                let first = moved.first().map(|moved| moved.id.to_string());
                (
                    ErrorKind::Conflict,
                    format!(
                        "someone was faster; see `cfgctl history {}`, then diff and apply again",
                        first.unwrap_or_default()
                    ),
                )
            }
            StoreError::RecordsMoved(_) => (
                ErrorKind::Conflict,
                "someone was faster; look again".to_owned(),
            ),
            StoreError::Full { kind, .. } => (
                ErrorKind::Refused,
                format!("nothing was changed; remove {}s that nobody uses", kind.as_str()),
            ),
            StoreError::Absent { .. } => (
                ErrorKind::Unavailable,
                "name another one with `--store`, `CFGCTL_STORE` or a context".to_owned(),
            ),
            StoreError::Location { .. } => (
                ErrorKind::Invalid,
                "name another one with `--store`, `CFGCTL_STORE` or a context".to_owned(),
            ),
            StoreError::Invalid { .. } | StoreError::InvalidRecord { .. } => (
                ErrorKind::Bug,
                "this is a bug in cfgctl; nothing was changed".to_owned(),
            ),
            StoreError::Exhausted { .. } => (
                ErrorKind::Unavailable,
                "nothing was changed; declare it under another name".to_owned(),
            ),
            StoreError::Newer { .. } => (ErrorKind::Unavailable, "update cfgctl".to_owned()),
            StoreError::Unavailable { .. } => (
                ErrorKind::Unavailable,
                "nothing was changed; try again when the store is back".to_owned(),
            ),
            StoreError::Unknown { .. } => (
                ErrorKind::Unavailable,
                "it may have been committed: `cfgctl history` tells, and the same command again does \
                 it once"
                    .to_owned(),
            ),
            StoreError::Damaged { .. } => (
                ErrorKind::Unavailable,
                "clusters keep what they hold; restore the store from a backup".to_owned(),
            ),
        };
        Self::of(kind, &error).hint(hint)
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Read(source) => Self::from(source).context("could not read the store"),
            EngineError::Commit(source) => Self::from(source).context("nothing was committed"),
            EngineError::Plan(source) => source.into(),
            EngineError::NotRemoved(_) => Self::of(ErrorKind::Unavailable, &error)
                .context("nothing was committed")
                .hint("the same command again goes on from there")
                .hint("`cfgctl apply --resume` brings back what was removed already"),
            EngineError::NotForgotten(source) => Self {
                hints: Vec::new(),
                ..Self::from(source)
                    .context("what the cluster held was removed, and nothing was committed")
            }
            .hint("the same command again finishes it")
            .hint("`cfgctl apply --resume` brings back what was removed"),
            EngineError::Interrupted => Self::of(ErrorKind::Interrupted, &error),
        }
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Render { .. } => Self::of(ErrorKind::Invalid, &error)
                .hint("`cfgctl validate -f` shows where the value stands"),
        }
    }
}

impl From<TargetError> for Error {
    fn from(error: TargetError) -> Self {
        let kind = match &error {
            TargetError::Denied { .. } => ErrorKind::Denied,
            TargetError::Configuration { .. } => ErrorKind::Invalid,
            TargetError::Unreachable { .. }
            | TargetError::Moved { .. }
            | TargetError::Unknown { .. }
            | TargetError::TooLarge { .. }
            | TargetError::Invalid { .. } => ErrorKind::Unavailable,
        };
        Self::of(kind, &error)
    }
}

impl From<SwitchError> for Error {
    fn from(error: SwitchError) -> Self {
        let kind = match error {
            SwitchError::NotDeclared { .. } => ErrorKind::Absent,
            _ => ErrorKind::Invalid,
        };
        let failure = Self::of(kind, &error);
        match error {
            SwitchError::NotDeclared {
                set,
                kind,
                name,
                known,
            } => {
                let meant = crate::manifest::closest(&name, known.iter().map(String::as_str));
                failure.hint(match meant {
                    Some(meant) => format!("did you mean `{set}/{meant}`?"),
                    None => format!("`cfgctl {kind} list {set}` shows what there is"),
                })
            }
            SwitchError::NotBoolean {
                set,
                flag,
                variants,
            } => failure.hint(format!(
                "`cfgctl flag set {set}/{flag} VARIANT`: {}",
                variants.join(", ")
            )),
            SwitchError::NoVariant { variants, .. } => {
                failure.hint(format!("it has {}", variants.join(", ")))
            }
            SwitchError::NoCluster(_) => {
                failure.hint("`cfgctl cluster list` shows the clusters with their labels")
            }
            SwitchError::NotSeparable { .. } => {
                failure.hint("without `--clusters` it is tripped everywhere")
            }
            SwitchError::Over { now, .. } => {
                failure.hint(format!("it is {} now", now.strftime("%Y-%m-%d %H:%M:%SZ")))
            }
            SwitchError::Override {
                error: OverrideError::Elsewhere { .. },
                part,
                kind: "breaker",
            } => failure.hint(format!("`cfgctl breaker show {part}` says where")),
            SwitchError::Override {
                error: OverrideError::Elsewhere { .. },
                part,
                ..
            } => {
                let set = part.split('/').next().unwrap_or_default();
                failure.hint(format!(
                    "`cfgctl flag list {set}` shows what is overridden where"
                ))
            }
            SwitchError::Override { .. } => failure,
        }
    }
}
