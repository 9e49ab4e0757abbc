//! What a person is told who typed nearly the right thing.

use crate::support::cli::Cfgctl;
use crate::support::transcript::bring;

#[test]
fn what_was_meant_is_named() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    user.ok(&["apply", "-f", "fixtures/quickstart", "--yes"]);
    for (command, told) in [
        ("plan -f fixtures/quickstart", "`cfgctl diff -f FILE`"),
        ("describe checkout", "`cfgctl explain SET`"),
        ("edit checkout", "`cfgctl apply -f FILE`"),
        ("get set", "a set is named alone"),
        ("get cluster eu-west", "a cluster is named `cluster/NAME`"),
        ("get clusters", "`cfgctl cluster list`"),
        ("get eu-west", "did you mean `cluster/eu-west`?"),
        ("get flags", "`cfgctl flag list`"),
        (
            "explain checkout timeoutMs",
            "did you mean `payment.timeoutMs`?",
        ),
        (
            "explain checkout timeoutMS",
            "did you mean `payment.timeoutMs`?",
        ),
        (
            "explain checkout express-pay",
            "did you mean `flags.express-pay`?",
        ),
        (
            "flag get checkout/expres-pay",
            "did you mean `checkout/express-pay`?",
        ),
        (
            "breaker show checkout/payment-provder",
            "did you mean `checkout/payment-provider`?",
        ),
        ("cluster policy eu-wst", "did you mean `eu-west`?"),
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let ran = user.run(&words).expect_code(2);
        assert!(ran.stderr.contains(told), "{command}: {}", ran.stderr);
    }
}

#[test]
fn what_cannot_be_read_is_not_to_be_mended() {
    let user = Cfgctl::new();
    let home = user.directory().join("unreadable");
    // Whoever runs the tests may read everything but a directory.
    std::fs::create_dir_all(home.join("cfgctl/config.yaml")).unwrap();
    let user = user.with("XDG_CONFIG_HOME", home.to_str().unwrap());
    let ran = user.run(&["get"]).expect_code(2);
    assert!(ran.stderr.contains("make it readable"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("remove it"), "{}", ran.stderr);
}
