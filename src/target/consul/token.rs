//! The ACL token: known from the start, or asked for when the first request needs it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use tokio::sync::OnceCell;

use super::credentials::sensitive;
use crate::model::ClusterName;

/// An ACL token. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct AclToken(String);

impl AclToken {
    /// The token in this text, without the white space around it; `None` if there is nothing else.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The token in the clear, for who keeps it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AclToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AclToken")
    }
}

/// Where tokens are kept that neither a manifest nor the environment names.
#[async_trait]
pub trait KeptTokens: fmt::Debug + Send + Sync {
    /// The token for the Consul of `cluster` at `location`; `None` if none is kept. The error says
    /// why one that is kept cannot be had.
    async fn token(
        &self,
        cluster: &ClusterName,
        location: &str,
    ) -> Result<Option<AclToken>, String>;
}

/// What one connection knows of its token.
pub(super) enum Source {
    /// The manifest or the environment says it, or nothing does.
    Known(Option<HeaderValue>),
    /// Someone keeps it, who is asked once.
    Kept {
        tokens: Arc<dyn KeptTokens>,
        cluster: ClusterName,
        /// A failure is remembered too: asking again may mean another dialog on a screen.
        answer: OnceCell<Result<Option<HeaderValue>, String>>,
    },
}

impl Source {
    /// The header to send to the Consul at `location`, if any.
    pub(super) async fn header(&self, location: &str) -> Result<Option<HeaderValue>, String> {
        match self {
            Self::Known(header) => Ok(header.clone()),
            Self::Kept {
                tokens,
                cluster,
                answer,
            } => {
                let ask = async || {
                    let token = tokens.token(cluster, location).await?;
                    let header = token.map(|token| sensitive(token.expose(), "the kept token"));
                    header.transpose()
                };
                answer.get_or_init(ask).await.clone()
            }
        }
    }

    /// Whether a token is sent, as far as is known by now.
    pub(super) fn has_token(&self) -> bool {
        match self {
            Self::Known(header) => header.is_some(),
            Self::Kept { answer, .. } => matches!(answer.get(), Some(Ok(Some(_)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        let token = AclToken::new(" s3cr3t\n").unwrap();
        assert_eq!(token.expose(), "s3cr3t");
        assert_eq!(format!("{token:?}"), "AclToken");
        assert_eq!(AclToken::new(" \n"), None);
    }
}
