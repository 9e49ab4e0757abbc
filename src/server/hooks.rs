//! Hooks: what monitoring tells of, and what is asked about it.
//!
//! An answer of success says that everything is committed. A sender repeats what is answered by a status
//! from 500 on, and gives up on others: so those are for what no repetition changes.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;

use super::answer::{Answer, document, read};
use super::condition::Known;
use super::decode::{At, Body, Params};
use super::journal::Asked;
use super::refusal::Refusal;
use super::request::{By, RequestId};
use super::shared::Shared;
use crate::api::report::AlertsTaken;
use crate::api::{AlertTestQuery, AlertsQuery, Error, ErrorKind, PartName};
use crate::model::{BreakerName, ResourceId, SetName};
use crate::traces::Work;
use crate::wire::{AlertMessage, WebhookBody};

/// Takes in a message of Alertmanager or Grafana.
pub(super) async fn take(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    Body(body): Body<WebhookBody>,
) -> Answer {
    let message = AlertMessage::try_from(body).map_err(Refusal::unreadable)?;
    // In a task of its own: a sender that gives up takes nothing with it.
    let here = Work::current();
    let taking = async move {
        let taken = shared.service.take_alerts(&by, &message.alerts).await;
        let asked = Asked::of(&by, id.parts(), "alerts");
        match taken {
            Ok(taken) => {
                let taken = AlertsTaken {
                    unreadable: message.unreadable,
                    ..taken
                };
                for set in concerned(&taken) {
                    shared.upkeep.deliver_soon(set);
                }
                asked.alerts(&taken);
                Ok(taken)
            }
            Err(error) => {
                asked.failed(&error);
                Err(error)
            }
        }
    };
    let taking = tokio::spawn(async move { here.around(taking).await });
    let taken = read(async {
        let taken = taking.await;
        taken.unwrap_or_else(|error| Err(Error::of(ErrorKind::Bug, &error)))
    });
    let taken = taken.await.map_err(|refusal| match refusal.error().kind {
        ErrorKind::Denied | ErrorKind::Bug => refusal,
        // Whatever it is, it may be another time.
        _ => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, refusal.into_error()),
    })?;
    if taken.is_to_be_repeated() {
        return Err(not_taken(&taken));
    }
    document(taken)
}

/// The sets that alerts had to do with: those in which nothing is new may not have arrived everywhere.
fn concerned(taken: &AlertsTaken) -> BTreeSet<SetName> {
    let committed = taken.committed.iter().filter_map(|it| match &it.name {
        ResourceId::Set(set) => Some(set.clone()),
        _ => None,
    });
    let told = taken.alerts.iter().flat_map(|alert| &alert.breakers);
    let told = told.filter_map(|told| told.breaker.parse::<PartName>().ok());
    committed.chain(told.map(|told| told.set)).collect()
}

fn not_taken(taken: &AlertsTaken) -> Refusal {
    let failed = taken.failed.iter();
    let failed = failed.map(|failed| format!("{}: {}", failed.set, failed.reason));
    let told = taken.alerts.iter().flat_map(|alert| &alert.breakers);
    let refused = told.filter(|told| told.effect.is_refused());
    let refused = refused.map(|told| format!("{} {}", told.breaker, told.effect));
    let reasons: Vec<String> = failed.chain(refused).collect();
    let error = Error::new(ErrorKind::Unavailable, reasons.join("; "))
        .context("not everything that the alerts say could be done")
        .hint("what could be done is done; the same message once more does the rest");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error)
}

/// What a message would come to for one breaker.
pub(super) async fn test(
    State(shared): State<Shared>,
    By(by): By,
    At((set, breaker)): At<(SetName, BreakerName)>,
    Body(body): Body<WebhookBody>,
) -> Answer {
    let message = AlertMessage::try_from(body).map_err(Refusal::unreadable)?;
    let query = AlertTestQuery {
        set,
        breaker,
        alerts: message.alerts,
    };
    document(read(shared.service.test_alerts(&by, &query)).await?)
}

/// Which alerts fire.
pub(super) async fn alerts(
    State(shared): State<Shared>,
    By(by): By,
    known: Known,
    Params(query): Params<AlertsQuery>,
) -> Answer {
    known.or_document(read(shared.service.alerts(&by, &query)).await?)
}
