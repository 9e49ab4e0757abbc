//! The jobs that the README shows for GitHub Actions and GitLab CI: complete, and every command in
//! them works as written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;
use tempfile::TempDir;

use crate::support::cli::{Cfgctl, Ran};
use crate::support::consul::Consul;
use crate::support::transcript::edit;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// Where the jobs keep the store: a disk that outlives every checkout.
const DISK: &str = "/var/lib/cfgctl";

/// A repository with the shop in `config/`, whose four clusters are real, and the disk of a runner.
struct World {
    user: Cfgctl,
    disk: TempDir,
    consuls: Vec<Consul>,
    variables: BTreeMap<String, String>,
}

impl World {
    async fn new() -> Self {
        let mut consuls = Vec::new();
        for _ in 0..4 {
            consuls.push(Consul::start().await);
        }
        let disk = TempDir::new().unwrap();
        let user = checkout(&consuls);
        Self {
            user,
            consuls,
            disk,
            variables: variables(),
        }
    }

    /// A new runner: nothing is left of what ran before but the disk.
    fn another_runner(&mut self) {
        self.user = checkout(&self.consuls);
    }

    fn store(&self) -> PathBuf {
        self.disk.path().join("store.db")
    }

    /// What the store says about a set, as JSON.
    fn history(&self, set: &str) -> String {
        let store = self.store();
        let store = store.to_str().unwrap();
        self.user
            .ok(&["history", set, "--store", store, "-o", "json"])
    }

    /// What a job sets, where `/var/lib/cfgctl` is our disk.
    fn environment(&self, variables: impl Iterator<Item = (String, String)>) -> Environment {
        let disk = self.disk.path().to_str().unwrap();
        variables
            .map(|(name, value)| (name, value.replace(DISK, disk)))
            .collect()
    }

    /// The one command of a job.
    fn job(&self, jobs: &BTreeMap<String, Job>, name: &str) -> Ran {
        let Job {
            lines, environment, ..
        } = &jobs[name];
        let [line] = lines.as_slice() else {
            panic!("{name} runs {lines:?}");
        };
        self.run(line, environment)
    }

    /// One line of a job, in the shell that runs it.
    fn run(&self, line: &str, environment: &Environment) -> Ran {
        let binary = Path::new(env!("CARGO_BIN_EXE_cfgctl")).parent().unwrap();
        let child = Command::new("bash")
            .args(["-eo", "pipefail", "-c", line])
            .env_clear()
            .env("HOME", self.user.directory())
            .env("PATH", format!("{}:/usr/bin:/bin", binary.display()))
            .envs(environment)
            .current_dir(self.user.directory())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("bash");
        Ran::of(child)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.user.directory().join(name)).unwrap()
    }

    /// Runs the jobs in the order in which they happen, and what happens between them.
    async fn goes_through(&self, jobs: &BTreeMap<String, Job>) -> BTreeMap<&'static str, Ran> {
        let run = |job: &str| self.job(jobs, job);
        let mut ran = BTreeMap::from([
            ("validate", run("validate")),
            ("diff", run("diff")),
            ("apply", run("apply")),
            ("no drift", run("drift")),
        ]);
        ran.insert("no difference", run("diff"));
        self.consuls[1]
            .kv_put("config/checkout/data", "hand: made")
            .await;
        ran.insert("drift", run("drift"));
        self.user.write(
            "config/broken.yaml",
            "apiVersion: cfgctl.dev/v1\nkind: Nothing\n",
        );
        ran.insert("invalid", run("validate"));
        std::fs::remove_file(self.user.directory().join("config/broken.yaml")).unwrap();
        ran
    }
}

/// A fresh checkout, on a machine with nothing else.
fn checkout(consuls: &[Consul]) -> Cfgctl {
    let user = Cfgctl::new();
    for entry in std::fs::read_dir(Path::new(FIXTURES).join("shop")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let mut text = std::fs::read_to_string(entry.path()).unwrap();
        for (port, consul) in [18500, 18510, 18520, 18530].into_iter().zip(consuls) {
            text = text.replace(&format!("http://127.0.0.1:{port}"), &consul.address());
        }
        user.write(&format!("config/{name}"), &text);
    }
    user
}

/// What the forge knows.
fn variables() -> BTreeMap<String, String> {
    [
        ("CONSUL_HTTP_TOKEN", ""),
        ("CONSUL_HTTP_TOKEN_READ_ONLY", ""),
        ("CFGCTL_URL", "https://downloads.example.com/cfgctl"),
        ("CFGCTL_SHA256", "0"),
        ("CFGCTL_IMAGE", "cfgctl"),
        ("GITLAB_COMMENT_TOKEN", "secret"),
        ("GITLAB_USER_LOGIN", "ada"),
        ("CI_COMMIT_SHA", "0123abc"),
        ("GITHUB_STEP_SUMMARY", "summary.md"),
        ("github.token", "secret"),
        ("github.actor", "ada"),
        ("github.sha", "0123abc"),
        ("github.event.pull_request.number", "7"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

type Environment = BTreeMap<String, String>;

/// The commands of one job, and what the pipeline sets for them.
struct Job {
    lines: Vec<String>,
    environment: Environment,
}

fn parsed(name: &str) -> Value {
    let text = std::fs::read_to_string(Path::new(FIXTURES).join("ci").join(name)).unwrap();
    let mut value: Value = serde_yaml::from_str(&text).unwrap();
    value.apply_merge().unwrap();
    value
}

fn map(value: &Value) -> impl Iterator<Item = (String, &Value)> {
    let pairs = value.as_mapping().into_iter().flatten();
    pairs.map(|(key, value)| (key.as_str().unwrap_or("on").to_owned(), value))
}

fn list(value: &Value) -> Vec<&Value> {
    value
        .as_sequence()
        .map_or(Vec::new(), |list| list.iter().collect())
}

/// The lines that run cfgctl.
fn commands(script: &str) -> impl Iterator<Item = String> {
    let lines = script.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with("cfgctl "))
        .map(str::to_owned)
}

/// `${{ secrets.X }}` and its like, as GitHub puts them in.
fn expanded(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").expect("an end");
        let name = expression.trim();
        let name = name
            .strip_prefix("secrets.")
            .or_else(|| name.strip_prefix("vars."))
            .unwrap_or(name);
        out.push_str(before);
        out.push_str(
            variables
                .get(name)
                .unwrap_or_else(|| panic!("what is {name}?")),
        );
        rest = after;
    }
    out + rest
}

fn github(world: &World) -> BTreeMap<String, Job> {
    let workflow = parsed("github.yml");
    let environment = |of: &Value| -> Vec<(String, String)> {
        map(&of["env"])
            .map(|(name, value)| (name, expanded(value.as_str().unwrap(), &world.variables)))
            .collect()
    };
    let jobs = map(&workflow["jobs"]).map(|(name, job)| {
        let mut all = BTreeMap::from_iter(environment(&workflow));
        all.extend(environment(job));
        let summary = "GITHUB_STEP_SUMMARY".to_owned();
        all.insert(summary.clone(), world.variables[&summary].clone());
        let mut lines = Vec::new();
        for step in list(&job["steps"]) {
            // A step that says something wrong about its own variables fails here.
            _ = environment(step);
            let found: Vec<_> = commands(step["run"].as_str().unwrap_or_default()).collect();
            assert!(found.is_empty() || step["env"].is_null(), "{name}");
            lines.extend(found);
        }
        let environment = world.environment(all.into_iter());
        (name, Job { lines, environment })
    });
    jobs.collect()
}

fn gitlab(world: &World) -> BTreeMap<String, Job> {
    let pipeline = parsed("gitlab.yml");
    let jobs = map(&pipeline).filter(|(_, job)| !job["script"].is_null());
    let jobs = jobs.map(|(name, job)| {
        // GitLab sets every CI/CD variable for every job.
        let mut environment = world.variables.clone();
        environment.retain(|name, _| !name.contains('.'));
        for (name, value) in map(&pipeline["variables"]).chain(map(&job["variables"])) {
            let value = value.as_str().unwrap();
            let user = &world.variables["GITLAB_USER_LOGIN"];
            environment.insert(name, value.replace("$GITLAB_USER_LOGIN", user));
        }
        let environment = world.environment(environment.into_iter());
        let lines = list(&job["script"]).into_iter();
        let lines = lines.flat_map(|line| commands(line.as_str().unwrap()));
        let lines = lines.collect();
        (name, Job { lines, environment })
    });
    jobs.collect()
}

fn codes(ran: &BTreeMap<&'static str, Ran>) -> Vec<(&'static str, i32)> {
    ran.iter()
        .map(|(name, ran)| (*name, ran.code.unwrap()))
        .collect()
}

const EXPECTED: [(&str, i32); 7] = [
    ("apply", 0),
    ("diff", 0),
    ("drift", 1),
    ("invalid", 2),
    ("no difference", 0),
    ("no drift", 0),
    ("validate", 0),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_github_jobs_work_as_written() {
    let world = World::new().await;
    let ran = world.goes_through(&github(&world)).await;
    assert_eq!(codes(&ran), EXPECTED, "{ran:#?}");
    assert!(
        ran["invalid"]
            .stdout
            .starts_with("::error file=config/broken.yaml,line=2,col=")
    );
    assert!(ran["drift"].stdout.contains("changed by hand"));
    assert!(world.read("summary.md").contains("changed by hand"));
    assert!(
        world
            .read("diff.md")
            .contains("**cfgctl diff**: no differences")
    );
    let history = world.history("checkout");
    assert!(
        history.contains("github:ada") && history.contains("commit 0123abc"),
        "{history}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_gitlab_jobs_work_as_written() {
    let world = World::new().await;
    let ran = world.goes_through(&gitlab(&world)).await;
    assert_eq!(codes(&ran), EXPECTED, "{ran:#?}");
    assert!(
        world
            .read("validate.xml")
            .contains("<failure type=\"unknown-value\"")
    );
    assert!(world.read("drift.md").contains("changed by hand"));
    let history = world.history("checkout");
    assert!(history.contains("gitlab:ada"), "{history}");
}

/// Every job whose commands ask the store.
const WITH_THE_STORE: [&str; 3] = ["diff", "apply", "drift"];

#[test]
fn the_store_outlives_a_runner_and_no_fork_gets_there() {
    let (workflow, pipeline) = (parsed("github.yml"), parsed("gitlab.yml"));
    let store = format!("{DISK}/store.db");
    for variables in [&workflow["env"], &pipeline["variables"]] {
        assert_eq!(variables["CFGCTL_STORE"].as_str(), Some(store.as_str()));
    }
    for name in ["validate", "diff", "apply", "drift"] {
        let kept = WITH_THE_STORE.contains(&name);
        let runs_on = list(&workflow["jobs"][name]["runs-on"]);
        let ours = runs_on.iter().any(|label| label.as_str() == Some("cfgctl"));
        assert_eq!(ours, kept, "{name}");
        let tags = list(&pipeline[name]["tags"]);
        let ours = tags.iter().any(|tag| tag.as_str() == Some("cfgctl"));
        assert_eq!(ours, kept, "{name}");
    }
    let condition = workflow["jobs"]["diff"]["if"].as_str().unwrap();
    assert!(
        condition.contains("github.event.pull_request.head.repo.full_name == github.repository"),
        "{condition}"
    );
    let [rule] = list(&pipeline["diff"]["rules"])[..] else {
        panic!("one rule");
    };
    let condition = rule["if"].as_str().unwrap();
    assert!(
        condition.contains("$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID"),
        "{condition}"
    );
}

/// The same job on three runners that know nothing of each other, the last one with a change.
async fn goes_on(jobs: impl Fn(&World) -> BTreeMap<String, Job>) {
    let mut world = World::new().await;
    let apply = |world: &World| {
        let ran = world.job(&jobs(world), "apply");
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        ran.stdout + &ran.stderr
    };
    let created = apply(&world);
    assert!(created.contains("created (new → 1)"), "{created}");
    let first = world.history("checkout");

    world.another_runner();
    let again = apply(&world);
    assert!(again.contains("unchanged"), "{again}");
    assert!(!again.contains("created"), "{again}");
    assert_eq!(world.history("checkout"), first);

    world.another_runner();
    edit(
        &world.user,
        "config/search.yaml",
        "maxResults: 10000",
        "maxResults: 5000",
    );
    let changed = apply(&world);
    assert!(changed.contains("set/search changed (1 → 2)"), "{changed}");
    assert_eq!(world.history("checkout"), first);
    let drift = world.job(&jobs(&world), "drift");
    assert_eq!(drift.code, Some(0), "{drift:#?}");

    // The disk is not mounted: the nightly job fails, and the clusters know that this is not the
    // store which wrote them. Neither begins a store, so the nightly job goes on to fail.
    std::fs::remove_file(world.store()).unwrap();
    world.another_runner();
    for (job, code) in [("drift", 7), ("apply", 5), ("drift", 7)] {
        let ran = world.job(&jobs(&world), job);
        assert_eq!(ran.code, Some(code), "{job}: {ran:#?}");
        if job == "drift" {
            let store = world.store().display().to_string();
            assert!(ran.stderr.contains(&store), "{ran:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_github_job_goes_on_where_the_last_runner_stopped() {
    goes_on(github).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gitlab_job_goes_on_where_the_last_runner_stopped() {
    goes_on(gitlab).await;
}

#[test]
fn the_jobs_ask_for_no_more_than_they_need() {
    let workflow = parsed("github.yml");
    let permissions = |of: &Value| -> Vec<(String, String)> {
        map(&of["permissions"])
            .map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
            .collect()
    };
    assert!(workflow["permissions"].is_mapping() && permissions(&workflow).is_empty());
    for (name, job) in map(&workflow["jobs"]) {
        let writes: Vec<_> = permissions(job)
            .into_iter()
            .filter(|(_, access)| access == "write")
            .collect();
        let expected: &[_] = match name.as_str() {
            "diff" => &[("pull-requests".to_owned(), "write".to_owned())],
            _ => &[],
        };
        assert_eq!(writes, expected, "{name}");
        // What others wrote reaches a shell through variables only.
        for step in list(&job["steps"]) {
            let run = step["run"].as_str().unwrap_or_default();
            assert!(!run.contains("${{"), "{name}: {run}");
        }
    }
    assert!(!workflow["jobs"]["apply"]["concurrency"].is_null());
}

#[test]
fn the_readme_shows_the_jobs_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    // Until there is a README, the files are what counts.
    let Ok(readme) = std::fs::read_to_string(path) else {
        return;
    };
    for name in ["github.yml", "gitlab.yml"] {
        let text = std::fs::read_to_string(Path::new(FIXTURES).join("ci").join(name)).unwrap();
        let first = text.lines().next().unwrap();
        if readme.contains(first) {
            assert!(readme.contains(&text), "the README shows another {name}");
        }
    }
}
