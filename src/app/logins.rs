//! Logins: whoever an issuer vouches for gets a token for a short time.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::authorise::Access;
use super::tokens::{item, later, new, noted, text};
use crate::api::report::NewToken;
use crate::api::{Caller, Error, ErrorKind, LogEntry, Noted, Principal, TokenHolder, Via, Vouched};
use crate::engine;
use crate::model::{
    AskedClaims, Claims, ExchangeRecord, Grant, Heads, ISSUER, LoginRecord, Recipient,
    RecordChange, RecordContent, RecordId, Subject, TokenKind, TokenName, TokenRecord,
};
use crate::store::{Store, StoreError, Which};

/// Makes a token for `vouched`, unless what he showed was exchanged before or no grant is to him: half
/// the world can have itself vouched for by an issuer that builds for everybody.
pub(super) async fn exchange(
    store: &dyn Store,
    vouched: &Vouched,
    via: &Via,
    now: Timestamp,
) -> Result<NewToken, Error> {
    let Vouched { login, .. } = vouched;
    // A store that nobody has committed to yet is not made to say who knocked.
    let heads = if store.exists() {
        store.heads(&Which::Grants).await?.heads
    } else {
        Heads::new()
    };
    let access = Access::granted(heads.clone(), &login.subject, &login.identified());
    if access.grants().is_empty() {
        return Err(unmet(login, &heads));
    }
    let shown = RecordId::Exchange(vouched.shown.clone());
    if store.record(&shown).await?.is_some() {
        return Err(shown_before());
    }
    let text = text(TokenKind::Api)?;
    let name: Result<TokenName, _> = format!("login-{}", text.id()).parse();
    let name = name.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
    let holder = TokenHolder::new(&name, text.id().clone(), TokenKind::Api, None);
    let token = TokenRecord {
        name,
        kind: TokenKind::Api,
        cluster: None,
        set: None,
        digest: text.digest(),
        by: login.subject.clone(),
        at: now,
        expires: Some(later(now, vouched.lasts)?),
        message: None,
        login: Some(Arc::new(login.clone())),
    };
    let entry = LogEntry {
        by: Some(Caller {
            principal: Principal::Token(holder.logged_in(token.login.clone())),
            via: Some(via.clone()),
        }),
        what: Noted::Exchanged {
            issuer: vouched.issuer.clone(),
            token: noted(text.id(), &token),
        },
        message: None,
    };
    let audit = serde_json::to_value(&entry);
    let audit = audit.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
    let record = RecordContent::Exchange(ExchangeRecord {
        token: text.id().clone(),
        until: vouched.until,
    });
    let exchanged = RecordChange {
        expected: None,
        content: Some(record),
    };
    let changes = [new(&text, &token), (shown.clone(), exchanged)].into();
    match engine::note(store, changes, None, audit).await {
        Ok(_) => {}
        // Another server was faster, or whoever showed it here at the same moment.
        Err(StoreError::RecordsMoved(moved)) if moved.contains(&shown) => {
            return Err(shown_before());
        }
        Err(error @ StoreError::Full { .. }) => {
            let error = Error::of(ErrorKind::Unavailable, &error);
            return Err(error.hint("too many log in; try again in some minutes"));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(NewToken {
        token: item(text.id(), &token, None, now),
        text,
        replaces: Vec::new(),
        store_made: None,
    })
}

fn shown_before() -> Error {
    let error = "this JWT was exchanged already: each is good for one login";
    Error::new(ErrorKind::Denied, error)
        .hint("get another one from its issuer; `cfgctl login` keeps what it gets for it")
}

/// That no grant is to whoever logged in: what he is, and which claims do not match, as far as that tells
/// him nothing of what is asked of others. What a claim would have to say is not told.
fn unmet(login: &LoginRecord, heads: &Heads) -> Error {
    let LoginRecord {
        subject,
        groups,
        claims,
    } = login;
    let error = Error::new(ErrorKind::Denied, format!("no grant is to {subject}"));
    let Some(issuer) = claims.get(ISSUER).filter(|_| !subject.starts_with("user:")) else {
        let groups: Vec<&str> = groups.iter().map(Subject::as_str).collect();
        let known = match groups.as_slice() {
            [] => "the issuer says nothing of groups".to_owned(),
            groups => format!("nor to {}", groups.join(", ")),
        };
        return because(error, known).hint("an admin adds one of these to a grant");
    };
    let grants = heads.values().filter_map(|head| head.content.grant());
    let asked: Vec<&AskedClaims> = grants
        .flat_map(asked_by)
        .filter(|asked| asked.claims().get(ISSUER) == Some(issuer))
        .collect();
    let his = asked.iter().filter(|asked| asked.are_about(claims));
    let nearest = his.min_by_key(|asked| asked.claims().unmet(claims).count());
    let told = if let Some(nearest) = nearest {
        let unmet = said(nearest.claims().unmet(claims), claims);
        format!("the nearest grant asks for something else: {unmet}")
    } else {
        let names = asked.iter().flat_map(|asked| asked.claims().iter());
        let names = names.map(|(name, _)| name).filter(|name| *name != ISSUER);
        let names: BTreeSet<&str> = names.collect();
        if names.is_empty() {
            format!("no grant asks for claims of {issuer}")
        } else {
            let names = said(names, claims);
            format!("what grants ask for is not what the JWT says: {names}")
        }
    };
    because(error, told).hint("an admin grants something to `claims:` that the JWT has")
}

fn because(mut error: Error, why: String) -> Error {
    error.causes.push(why);
    error
}

fn asked_by(grant: &Grant) -> impl Iterator<Item = &AskedClaims> {
    grant.to.iter().filter_map(|recipient| match recipient {
        Recipient::Claims(by) => Some(&by.claims),
        Recipient::Subject(_) => None,
    })
}

/// What the JWT says of these claims: that is whoever shows it allowed to know.
fn said<'a>(names: impl IntoIterator<Item = &'a str>, claims: &Claims) -> String {
    let said = names.into_iter().map(|name| match claims.get(name) {
        Some(value) => format!("`{name}` is `{}`", value.escape_debug()),
        None => format!("`{name}` is not in the JWT"),
    });
    said.collect::<Vec<_>>().join(", ")
}
