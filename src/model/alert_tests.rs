use super::*;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn fires(name: &str) -> Fires {
    Fires {
        since: Some(at(1)),
        told: Some(at(1)),
        name: Some(name.to_owned()),
    }
}

#[test]
fn without_a_fingerprint_the_labels_tell_alerts_apart() {
    let one = Fingerprint::of(&labels(&[("a", "1"), ("b", "2")]));
    assert_eq!(one.as_str().len(), 32);
    assert_eq!(one.as_str().parse(), Ok(one.clone()));
    assert_ne!(one, Fingerprint::of(&labels(&[("a", "1"), ("b", "3")])));
    assert_ne!(one, Fingerprint::of(&labels(&[("a", "1b"), ("", "2")])));
    for bad in ["", "a b", "ä", &"a".repeat(41)] {
        assert_eq!(bad.parse::<Fingerprint>(), Err(FingerprintError));
    }
}

#[test]
fn what_ends_before_an_alert_began_ends_an_older_one() {
    let alert = |starts, ends| Alert {
        status: AlertStatus::Resolved,
        labels: BTreeMap::new(),
        fingerprint: "a".parse().unwrap(),
        starts,
        ends,
        summary: None,
        evidence: Evidence::Measured,
    };
    let (begun, ended) = (Some(at(1)), Some(at(10)));
    assert!(alert(begun, ended).ends_what_fires_since(Some(at(10))));
    assert!(!alert(begun, ended).ends_what_fires_since(Some(at(11))));
    assert!(!alert(begun, None).ends_what_fires_since(Some(at(2))));
    assert!(alert(None, None).ends_what_fires_since(Some(at(2))));
    assert!(alert(begun, ended).ends_what_fires_since(None));
}

#[test]
fn no_more_is_kept_than_a_record_takes() {
    let (breaker, everywhere) = ("pay".parse().unwrap(), Selector::default());
    let mut firing = FiringAlerts::default();
    let fingerprint = |index: usize| format!("{index:016x}").parse::<Fingerprint>().unwrap();
    // With names that no record holds as they are written.
    let long = "\u{1}".repeat(10_000);
    let mut kept = 0;
    while firing.insert(&breaker, &everywhere, &fingerprint(kept), fires(&long)) {
        kept += 1;
        assert!(kept < 100_000);
    }
    let json = serde_json::to_string(&firing).unwrap();
    assert!(json.len() <= FiringAlerts::MAX_BYTES, "{}", json.len());
    assert_eq!(firing.count(&breaker, &everywhere), kept);
    // What is there already can be told of again.
    assert!(firing.insert(&breaker, &everywhere, &fingerprint(0), fires(&long)));
    assert_eq!(serde_json::from_str::<FiringAlerts>(&json).unwrap(), firing);

    let mut unnamed = FiringAlerts::default();
    let group = (0..500).all(|index| {
        let fires = Fires {
            since: Some(at(1)),
            told: None,
            name: None,
        };
        unnamed.insert(&breaker, &everywhere, &fingerprint(index), fires)
    });
    assert!(group, "a group of Alertmanager has hundreds");
    for index in 0..500 {
        unnamed.remove(&breaker, &everywhere, &fingerprint(index));
    }
    assert!(unnamed.is_empty());
}
