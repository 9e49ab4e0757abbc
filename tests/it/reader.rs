//! Law 1, All or nothing: whoever reads as fast as a Consul answers never sees a mixture.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cfgctl::engine::{Connect, Engine, Milestone, Pace};
use cfgctl::model::{Cause, Cluster, ClusterName, Connection, Content, Origin, ResourceId};
use cfgctl::plan::{ClusterScope, Desired, Permitted, Reach, approve};
use cfgctl::store::{self, Store};
use cfgctl::target::consul::{Consul, Patience};
use cfgctl::target::{Target, TargetError, Variables};
use tokio::sync::watch;

use crate::support::raw::{Raw, parse_tree};
use crate::support::world::{World, whole};

/// Applies by the binary, as people make them.
const BY_HAND: u64 = 25;
/// Applies by the library, as fast as they go.
const BY_MACHINE: u64 = 200;

#[tokio::test]
async fn a_reader_never_sees_a_mixture_of_two_snapshots_nor_an_older_one() {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    let stop = Arc::new(AtomicBool::new(false));
    let addresses = world.addresses();
    let readers = [0, 1].map(|n| reader(&world, addresses[n].clone(), &stop));

    for n in 2..=BY_HAND {
        world.apply(n).expect_code(0);
        if n % 10 == 0 {
            world.user.ok(&["delete", "checkout", "--yes"]);
        }
    }
    world.apply(BY_HAND + 1).expect_code(0);
    let location = world.store().into_os_string().into_string().unwrap();
    let store = store::open(&location, store::Missing::Create)
        .await
        .unwrap();
    for n in 0..BY_MACHINE {
        apply(store.as_ref(), BY_HAND + 2 + n).await;
    }

    stop.store(true, Ordering::SeqCst);
    let last = BY_HAND + 1 + BY_MACHINE;
    let head = world.history().await.last().copied();
    assert_eq!(head.map(|(_, generation)| generation), Some(last));
    for reader in readers {
        let versions = reader.join().unwrap();
        assert_eq!(versions.last().copied(), head.map(|(version, _)| version));
        assert!(versions.len() > 20, "it saw only {versions:?}");
    }
}

/// Reads until it is told to stop, and once more; every version that it saw.
fn reader(world: &World, address: String, stop: &Arc<AtomicBool>) -> JoinHandle<Vec<u64>> {
    let (prefix, stop) = (world.prefix.clone(), Arc::clone(stop));
    std::thread::spawn(move || {
        let mut consul = Raw::to(&address);
        let (mut versions, mut before) = (Vec::new(), Vec::new());
        loop {
            let last_look = stop.load(Ordering::SeqCst);
            let now = consul.tree_text(&prefix);
            // Looking closely at the same again would only make reading slow.
            if now != before
                && let Some((version, _)) = whole(&prefix, &parse_tree(&now))
            {
                let newest = versions.last().copied().unwrap_or(0);
                assert!(version >= newest, "{version} after {newest}");
                if version > newest {
                    versions.push(version);
                }
            }
            before = now;
            if last_look {
                return versions;
            }
        }
    })
}

/// Reaches Consuls as the command line does.
#[derive(Debug)]
struct Direct;

impl Connect for Direct {
    fn connect(
        &self,
        name: &ClusterName,
        cluster: &Cluster,
        _: Duration,
    ) -> Result<Arc<dyn Target>, TargetError> {
        let Connection::Consul(consul) = &cluster.connection else {
            panic!("not a Consul");
        };
        let patience = Patience::default();
        let consul = Consul::connect(name, consul, &Variables::default(), &patience)?;
        Ok(Arc::new(consul))
    }
}

/// The way of one apply, without the command line.
async fn apply(store: &dyn Store, generation: u64) {
    let id = ResourceId::Set("checkout".parse().unwrap());
    let Content::Set(mut set) = store.heads(&store::Which::All).await.unwrap().heads[&id]
        .content
        .clone()
    else {
        panic!("no set");
    };
    let set_mut = std::sync::Arc::make_mut(&mut set);
    set_mut
        .values
        .insert("generation".to_owned(), generation.into());
    let payment = set_mut.values["payment"].as_object_mut().unwrap();
    payment.insert("provider".to_owned(), format!("p-{generation}").into());
    payment.insert("timeoutMs".to_owned(), generation.into());
    let desired = Desired::from([(id, Content::Set(set))]);

    let (_keep, interrupt) = watch::channel(false);
    let engine = Engine {
        store,
        connect: &Direct,
        pace: Pace {
            clusters_at_once: 2,
            timeout: Patience::default().request,
        },
        events: &|_: Milestone| {},
        audit: None,
        interrupt,
    };
    let reach = Reach::Named(BTreeSet::new());
    let survey = engine.survey(&desired, &reach, &ClusterScope::all()).await;
    let survey = survey.unwrap();
    let origin = Origin {
        actor: "ops@laptop".to_owned(),
        at: "2026-11-21T03:00:00Z".parse().unwrap(),
        cause: Cause::Apply,
        message: None,
        consents: BTreeSet::new(),
        planned: None,
    };
    let plan = survey.plan(&desired, &reach, &origin, &BTreeSet::new());
    let approved = approve(Permitted(plan.unwrap())).unwrap();
    let reports = engine.carry_out(&survey, &approved).await.unwrap();
    assert!(
        reports.iter().all(|report| report.outcome.is_settled()),
        "{reports:?}"
    );
}
