//! The scripts that install what the tests and the checks of the dependencies need, beside programs
//! that fail as those of a registry or a forge do that cannot be reached.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::cli::{Cfgctl, Ran};
use crate::support::transcript::bring;

/// A copy of the scripts, and programs of our own that are found before those of the system.
struct World(Cfgctl);

impl World {
    fn new(scripts: &[&str]) -> Self {
        let user = Cfgctl::new();
        bring(&user, "tests/installing.sh");
        for script in scripts {
            bring(&user, script);
        }
        Self(user)
    }

    /// A script in the place of a program or of another script.
    fn stands(&self, name: &str, body: &str) {
        let path = self.0.write(name, &format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, script: &str, variables: &[(&str, &str)]) -> Ran {
        let here = self.0.directory();
        let child = Command::new(here.join(script))
            .env_clear()
            .env("HOME", here)
            .env("PATH", format!("{}/bin:/usr/bin:/bin", here.display()))
            .envs(variables.iter().copied())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the script");
        Ran::of(child)
    }

    fn path(&self, name: &str) -> String {
        self.0.directory().join(name).display().to_string()
    }
}

/// `tests/run`, whose installers print a path each.
fn tests_run() -> World {
    let world = World::new(&["tests/run"]);
    for installer in [
        "consul",
        "keyring",
        "python",
        "flagd",
        "monitoring",
        "clients",
        "chromium",
        "oidc",
    ] {
        world.stands(
            &format!("tests/install-{installer}"),
            &format!("echo /{installer}"),
        );
    }
    world.stands(
        "bin/cargo",
        "echo \"$*: ${CONSUL_BIN-none} ${KEYRING_BIN-none} ${CFGCTL_TEST_PYTHON-none} ${CFGCTL_TEST_FLAGD-none}\" \\\n\
         \"${CFGCTL_TEST_MONITORING-none} ${CFGCTL_TEST_CLIENTS-none} ${CHROMIUM_BIN-none} ${CFGCTL_TEST_OIDC-none}\"\n\
         exit \"${CODE-0}\"",
    );
    world
}

#[test]
fn the_tests_find_what_was_installed_and_decide_the_exit_code() {
    let world = tests_run();
    let ran = world.run("tests/run", &[]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (
            Some(0),
            "test --locked: /consul /keyring /python /flagd /monitoring /clients /chromium /oidc\n",
            ""
        )
    );
    let ran = world.run("tests/run", &[("CODE", "101")]);
    assert_eq!(ran.code, Some(101));
}

#[test]
fn what_cannot_be_installed_is_named_and_the_other_tests_run() {
    let world = tests_run();
    world.stands("tests/install-flagd", "echo 'no registry' >&2; exit 1");
    let ran = world.run("tests/run", &[]);
    assert_eq!(
        ran.stdout,
        "test --locked: /consul /keyring /python none /monitoring /clients /chromium /oidc\n"
    );
    assert!(ran.stderr.starts_with("no registry\n"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("tests/run: tests/install-flagd failed"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.code, Some(1), "no run is whole without a judge");
    let ran = world.run("tests/run", &[("CODE", "101")]);
    assert_eq!(ran.code, Some(101));
}

#[test]
fn npm_trusts_the_system_and_the_package_out_of_reach_is_named() {
    let world = World::new(&["tests/install-flagd"]);
    world.stands("bin/node", "test \"$1\" = --version");
    world.stands(
        "bin/npm",
        "case \"$1 $2\" in\n\
         --version*) ;;\n\
         'view semver@'*) exit 1 ;;\n\
         view*) echo 1.0.0 ;;\n\
         *) echo \"npm trusts $NODE_EXTRA_CA_CERTS\" >&2; exit 1 ;;\n\
         esac",
    );
    let authority = world.0.write("authority.pem", "").display().to_string();
    let ran = world.run("tests/install-flagd", &[("SSL_CERT_FILE", &authority)]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    let stderr = ran.stderr;
    assert!(
        stderr.starts_with("tests/install-flagd: installing flagd's own evaluator"),
        "{stderr}"
    );
    assert!(
        stderr.contains(&format!("npm trusts {authority}\n")),
        "{stderr}"
    );
    assert!(
        stderr.contains("tests/install-flagd: out of reach: semver@7.8.6\n"),
        "{stderr}"
    );
}

#[test]
fn pip_trusts_the_system_and_the_package_out_of_reach_is_named() {
    let world = World::new(&["tests/install-python"]);
    world.stands(
        "bin/python3",
        "case \"$*\" in\n\
         *--version) ;;\n\
         *config*) test -n \"$CONFIGURED\" ;;\n\
         *javaproperties*install*|*install*javaproperties*) echo \"pip trusts ${PIP_CERT-its own}\" >&2; exit 1 ;;\n\
         *install*) ;;\n\
         *) exit 1 ;;\n\
         esac",
    );
    let authority = world.0.write("authority.pem", "").display().to_string();
    let ran = world.run("tests/install-python", &[("SSL_CERT_FILE", &authority)]);
    assert_eq!(ran.code, Some(1));
    for line in [
        "tests/install-python: installing readers of what cfgctl publishes".to_owned(),
        format!("pip trusts {authority}\n"),
        "tests/install-python: pip could not install javaproperties==0.8.2".to_owned(),
    ] {
        assert!(ran.stderr.contains(&line), "{}", ran.stderr);
    }
    // What somebody configured for pip stays.
    let ran = world.run(
        "tests/install-python",
        &[("SSL_CERT_FILE", &authority), ("CONFIGURED", "yes")],
    );
    assert!(
        ran.stderr.contains("pip trusts its own\n"),
        "{}",
        ran.stderr
    );
}

const WRK: &str = "echo 'wrk 4.2.0 [epoll]'; exit 1";

/// `tests/install-wrk` where the system's `wrk` does not run, with an apt that has it, or has not.
fn wrk(apt: &str) -> World {
    let world = World::new(&["tests/install-wrk"]);
    world.stands("bin/wrk", "exit 1");
    world.stands(
        "bin/apt-get",
        &format!("echo \"apt $*\" >&2\n{apt}\ncase \"$*\" in\n*--simulate*) echo 'Inst wrk (4.2.0)' ;;\n*download*) : >wrk.deb ;;\nesac"),
    );
    world.stands(
        "bin/dpkg-deb",
        &format!("mkdir -p \"$3/usr/bin\"\nprintf '#!/bin/sh\\n%s\\n' \"{WRK}\" >\"$3/usr/bin/wrk\"\nchmod 755 \"$3/usr/bin/wrk\""),
    );
    world
}

#[test]
fn wrk_is_unpacked_once_and_nothing_is_installed_on_the_system() {
    let world = wrk("");
    let path = world.path("target/tools/wrk/bin/wrk");
    let ran = world.run("tests/install-wrk", &[]);
    assert_eq!(
        (ran.code, ran.stdout),
        (Some(0), format!("{path}\n")),
        "{}",
        ran.stderr
    );
    let state = format!("-o Dir::State={}", world.path("target/tools/wrk/state"));
    let asked = ran.stderr.lines().filter(|line| line.starts_with("apt "));
    assert!(
        asked.clone().all(|line| line.contains(&state)),
        "{}",
        ran.stderr
    );
    assert_eq!(asked.count(), 3, "{}", ran.stderr);
    let said = Command::new(&path).output().unwrap().stdout;
    assert!(said.starts_with(b"wrk 4.2.0"));
    let again = world.run("tests/install-wrk", &[]);
    assert_eq!(
        (again.stdout, again.stderr),
        (format!("{path}\n"), String::new())
    );
}

#[test]
fn a_wrk_that_is_there_is_taken_and_one_that_cannot_be_had_says_what_to_set() {
    let world = wrk("exit 100");
    let ran = world.run("tests/install-wrk", &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    for line in [
        "no package source of this machine's apt has wrk, or none answers",
        "set WRK_BIN to a wrk instead",
    ] {
        let line = format!("tests/install-wrk: {line}\n");
        assert!(ran.stderr.contains(&line), "{}", ran.stderr);
    }
    world.stands("mine", WRK);
    let mine = world.path("mine");
    let ran = world.run("tests/install-wrk", &[("WRK_BIN", &mine)]);
    assert_eq!((ran.code, ran.stdout), (Some(0), format!("{mine}\n")));
    world.stands("mine", "exit 0");
    let ran = world.run("tests/install-wrk", &[("WRK_BIN", &mine)]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    world.stands("bin/wrk", WRK);
    let ran = world.run("tests/install-wrk", &[]);
    assert_eq!(ran.stdout, format!("{}\n", world.path("bin/wrk")));
}

/// `.ci/dependencies` with checkers that say what they were asked, and no forge.
fn dependencies() -> World {
    let world = World::new(&[".ci/dependencies"]);
    world.stands("bin/git", "echo 'fatal: no such host' >&2; exit 128");
    world.stands(
        "tests/install-cargo-tools",
        &format!("echo {}", world.path("tools")),
    );
    world.stands("tools/cargo-deny", "echo \"deny $*\"; exit \"${DENY-0}\"");
    world.stands("tools/cargo-audit", "echo \"$*\"; exit \"${AUDIT-0}\"");
    world
}

#[test]
fn without_the_database_the_checks_say_that_advisories_were_not_checked() {
    let world = dependencies();
    let ran = world.run(".ci/dependencies", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("advisories were NOT checked: ")
            && ran.stdout.contains("(fatal: no such host)"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr
            .contains("deny --locked check licenses bans sources\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("--deny yanked\n"), "{}", ran.stderr);
    for checker in ["DENY", "AUDIT"] {
        let ran = world.run(".ci/dependencies", &[(checker, "1")]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{checker}");
    }
}

#[test]
fn a_copy_of_the_database_is_taken_and_an_empty_one_is_refused() {
    let world = dependencies();
    let advisory = |place: &str| {
        world
            .0
            .write(&format!("{place}/crates/smallvec/RUSTSEC-2018-0003.md"), "");
        world.path(place)
    };
    let checked = |ran: &Ran, database: &str| {
        let asked = format!("audit --no-fetch --db {database} --deny warnings\n");
        assert!(ran.stderr.contains(&asked), "{}", ran.stderr);
        assert!(
            ran.stdout.starts_with("advisories were checked"),
            "{}",
            ran.stdout
        );
    };
    let empty = world.path("empty");
    std::fs::create_dir_all(Path::new(&empty).join("crates")).unwrap();
    let ran = world.run(".ci/dependencies", &[("ADVISORY_DB", &empty)]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));

    // cargo-audit's own, then the one that was named.
    let cargos = advisory(".cargo/advisory-db");
    checked(&world.run(".ci/dependencies", &[]), &cargos);
    let named = advisory("named");
    checked(
        &world.run(".ci/dependencies", &[("ADVISORY_DB", &named)]),
        &named,
    );
    let ran = world.run(
        ".ci/dependencies",
        &[("ADVISORY_DB", &named), ("AUDIT", "1")],
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
}
