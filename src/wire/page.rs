//! Pages: parts of what may be a long list.
//!
//! A page is a document like any other with one field more: `next`, the cursor of the page that
//! follows it, if one does. Each page is of the moment at which it is asked for.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;

use super::Names;
use super::document::report_and;
use super::query::ParamError;
use crate::api::report::{
    ClusterItem, Clusters, Envelope, History, Report, ResourceItem, Resources,
};
use crate::model::{ClusterName, ResourceId};

/// The field of the cursor.
const NEXT: &str = "next";

/// What is answered in pages.
pub(crate) trait Paged: Report {
    /// Adds what the next page has.
    fn join(&mut self, more: Self);
}

/// What is cut into pages when it is answered: it is in the order of its names.
pub(crate) trait Cut: Paged {
    /// The `limit` items after the one called `cursor`, and the cursor of the rest.
    fn cut(self, cursor: Option<&str>, limit: usize) -> Result<(Self, Option<String>), ParamError>;
}

#[derive(Serialize)]
struct Page<R> {
    #[serde(flatten)]
    document: Envelope<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One page as bytes.
pub(crate) fn page_document<R: Paged>(
    report: R,
    next: Option<String>,
) -> Result<Vec<u8>, serde_json::Error> {
    let document = Envelope::new(R::KIND, report);
    serde_json::to_vec(&Page { document, next })
}

/// What a page has, and the cursor of the next one; or why it is none.
pub(crate) fn page<R: Paged>(bytes: &[u8]) -> Result<(R, Option<String>), String> {
    let (report, next) = report_and(bytes, Some(NEXT))?;
    match next {
        None => Ok((report, None)),
        Some(serde_json::Value::String(next)) => Ok((report, Some(next))),
        Some(_) => Err(format!("its `{NEXT}` is no text")),
    }
}

fn cut<T, N: Ord + FromStr + Display>(
    items: &mut Vec<T>,
    name: fn(&T) -> &N,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Option<String>, ParamError> {
    if let Some(cursor) = cursor {
        let after: N = cursor.parse().map_err(|_| ParamError::Cursor)?;
        items.retain(|item| *name(item) > after);
    }
    let is_last = items.len() <= limit;
    items.truncate(limit);
    let last = items.last().filter(|_| !is_last);
    Ok(last.map(|last| name(last).to_string()))
}

impl Paged for Names {
    fn join(&mut self, more: Self) {
        self.names.extend(more.names);
    }
}

impl Cut for Names {
    fn cut(
        mut self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<(Self, Option<String>), ParamError> {
        let next = cut(&mut self.names, |name: &ResourceId| name, cursor, limit)?;
        Ok((self, next))
    }
}

impl Paged for Clusters {
    fn join(&mut self, more: Self) {
        self.items.extend(more.items);
    }
}

impl Cut for Clusters {
    fn cut(
        mut self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<(Self, Option<String>), ParamError> {
        let name: fn(&ClusterItem) -> &ClusterName = |item| &item.name;
        let next = cut(&mut self.items, name, cursor, limit)?;
        Ok((self, next))
    }
}

impl Paged for Resources {
    fn join(&mut self, more: Self) {
        self.items.extend(more.items);
        self.overridden.extend(more.overridden);
    }
}

impl Cut for Resources {
    fn cut(
        mut self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<(Self, Option<String>), ParamError> {
        let name: fn(&ResourceItem) -> &ResourceId = |item| &item.name;
        let next = cut(&mut self.items, name, cursor, limit)?;
        // They come in the order of their names, too.
        let sets = self.items.iter().map(|item| &item.name);
        let sets: std::collections::BTreeSet<_> = sets.collect();
        self.overridden
            .retain(|hold| sets.contains(&ResourceId::Set(hold.set.clone())));
        Ok((self, next))
    }
}

impl Paged for History {
    fn join(&mut self, more: Self) {
        self.revisions.extend(more.revisions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Names {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        Names { names }
    }

    #[test]
    fn pages_come_to_the_whole() {
        let all = names(&["cluster/eu", "cluster/us", "a", "b", "c"]);
        for limit in 1..=6 {
            let mut found = names(&[]);
            let mut cursor = None;
            loop {
                let (page, next) = all.clone().cut(cursor.as_deref(), limit).unwrap();
                let bytes = page_document(page, next).unwrap();
                let (page, next) = super::page::<Names>(&bytes).unwrap();
                assert!((1..=limit).contains(&page.names.len()));
                found.join(page);
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, all, "{limit} at a time");
        }
        // What the cursor names may be gone by then.
        let (page, next) = all.clone().cut(Some("set/aa"), 1).unwrap();
        assert_eq!((page, next.as_deref()), (names(&["b"]), Some("set/b")));
        assert_eq!(all.cut(Some("Not A Name"), 1), Err(ParamError::Cursor));
        let odd = br#"{"apiVersion":"cfgctl.dev/v1","kind":"Names","names":[],"next":1}"#;
        assert!(super::page::<Names>(odd).unwrap_err().contains("next"));
    }
}
