//! The jobs that the README shows for GitHub Actions and GitLab CI: complete, and every command in
//! them works as written.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use serde_yaml::Value;

use crate::support::cli::{Cfgctl, Ran};
use crate::support::consul::Consul;
use crate::support::oidc::Provider;
use crate::support::server::Server;
use crate::support::transcript::edit;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// Whom JWTs are for, as the jobs say it.
const AUDIENCE: &str = "https://cfgctl.example.com";

/// A repository with the shop in `config/`, whose four clusters are real, and a server that knows the
/// forge.
struct World {
    user: Cfgctl,
    host: Cfgctl,
    server: Server,
    forge: Provider,
    consuls: Vec<Consul>,
    variables: BTreeMap<String, String>,
}

impl World {
    /// Where `issuer` is the forge.
    async fn new(issuer: &str) -> Self {
        let mut consuls = Vec::new();
        for _ in 0..4 {
            consuls.push(Consul::start().await);
        }
        let forge = Provider::start();
        let host = checkout(&consuls).with("CFGCTL_STORE", "store.db");
        for name in ["logins.yaml", "grants.yaml"] {
            let text = std::fs::read_to_string(Path::new(FIXTURES).join("ci").join(name)).unwrap();
            assert!(text.contains(issuer), "{name}");
            host.write(name, &text.replace(issuer, &forge.issuer));
        }
        // Who describes clusters is admin of everything; a pipeline leaves them as they are.
        host.ok(&[
            "apply",
            "-f",
            "config/clusters.yaml",
            "-f",
            "grants.yaml",
            "--yes",
        ]);
        let server = serve(&host);
        let user = checkout(&consuls);
        let mut variables = variables();
        variables.insert("CFGCTL_SERVER".to_owned(), server.address.clone());
        Self {
            user,
            host,
            server,
            forge,
            consuls,
            variables,
        }
    }

    /// A new runner: nothing is left of what ran before.
    fn another_runner(&mut self) {
        self.user = checkout(&self.consuls);
    }

    /// What the store says about a set, as JSON.
    fn history(&self, set: &str) -> String {
        self.host.ok(&["history", set, "-o", "json"])
    }

    /// The commands of a job, one after the other until one fails; the last is the one that it is for.
    fn job(&self, jobs: &BTreeMap<String, Job>, name: &str) -> Ran {
        let job = &jobs[name];
        let mut environment = job.environment.clone();
        match &job.login {
            Some(Login::Github(claims)) => {
                let claims = utf8_percent_encode(&claims.to_string(), NON_ALPHANUMERIC).to_string();
                let place = format!("{}/test/runner?claims={claims}", self.forge.issuer);
                environment.insert("ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(), place);
                let token = "ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned();
                environment.insert(token, "runner".to_owned());
            }
            Some(Login::Gitlab { variable, claims }) => {
                environment.insert(variable.clone(), self.forge.sign(claims));
            }
            None => {}
        }
        let (last, before) = job.lines.split_last().expect("a command");
        for line in before {
            assert_eq!(line.split(' ').nth(1), Some("login"), "{name} runs {line}");
            let ran = self.run(line, &environment);
            if ran.code != Some(0) {
                return ran;
            }
        }
        self.run(last, &environment)
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

fn serve(host: &Cfgctl) -> Server {
    Server::start(host, &["--recover", "--oidc", "logins.yaml"])
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
    login: Option<Login>,
}

/// What the forge says of a job, if it says it to this one.
enum Login {
    /// To whoever asks its runner.
    Github(serde_json::Value),
    /// In a variable.
    Gitlab {
        variable: String,
        claims: serde_json::Value,
    },
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
        let claims = json!({
            "sub": "repo:shop/config:of:no:matter",
            "repository": "shop/config",
            "repository_id": "123456",
            "ref": "refs/heads/main",
            "environment": job["environment"].as_str(),
            "event_name": workflow_event(job),
        });
        let is_told = job["permissions"]["id-token"].as_str() == Some("write");
        let login = is_told.then_some(Login::Github(claims));
        let environment = all;
        (
            name,
            Job {
                lines,
                environment,
                login,
            },
        )
    });
    jobs.collect()
}

/// What a job runs for, as its condition says.
fn workflow_event(job: &Value) -> &str {
    let condition = job["if"].as_str().unwrap();
    condition.split('\'').nth(1).unwrap()
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
            let server = &world.variables["CFGCTL_SERVER"];
            environment.insert(name, value.replace("$CFGCTL_SERVER", server));
        }
        let mut tokens = map(&job["id_tokens"]);
        let login = tokens.next().map(|(variable, token)| Login::Gitlab {
            variable,
            claims: json!({
                "aud": token["aud"].as_str().unwrap(),
                "sub": "project_path:shop/config:of:no:matter",
                "project_path": "shop/config",
                "project_id": "42",
                "environment": job["environment"].as_str(),
                "ref_protected": "true",
            }),
        });
        let lines = list(&job["script"]).into_iter();
        let lines = lines.flat_map(|line| commands(line.as_str().unwrap()));
        let lines = lines.collect();
        (
            name,
            Job {
                lines,
                environment,
                login,
            },
        )
    });
    jobs.collect()
}

fn codes(ran: &BTreeMap<&'static str, Ran>) -> Vec<(&'static str, i32)> {
    ran.iter()
        .map(|(name, ran)| (*name, ran.code.unwrap()))
        .collect()
}

/// The issuers, as the files of the server and the grants name them.
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const GITLAB: &str = "https://gitlab.com";

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
    let world = World::new(GITHUB).await;
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
        history.contains("/shop/config") && history.contains("commit 0123abc by ada"),
        "{history}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_gitlab_jobs_work_as_written() {
    let world = World::new(GITLAB).await;
    let ran = world.goes_through(&gitlab(&world)).await;
    assert_eq!(codes(&ran), EXPECTED, "{ran:#?}");
    assert!(
        world
            .read("validate.xml")
            .contains("<failure type=\"unknown-value\"")
    );
    assert!(world.read("drift.md").contains("changed by hand"));
    let history = world.history("checkout");
    assert!(
        history.contains("/shop/config") && history.contains("commit 0123abc by ada"),
        "{history}"
    );
}

#[test]
fn no_secret_is_kept_for_the_jobs_and_no_fork_gets_anywhere() {
    let (workflow, pipeline) = (parsed("github.yml"), parsed("gitlab.yml"));
    for (name, is_ours) in [("github.yml", true), ("gitlab.yml", false)] {
        let text = std::fs::read_to_string(Path::new(FIXTURES).join("ci").join(name)).unwrap();
        assert!(!text.contains("secrets."), "{name}");
        assert!(!text.contains("CONSUL_HTTP_TOKEN"), "{name}");
        assert_eq!(text.contains("Secrets:   none"), is_ours, "{name}");
    }
    for name in ["validate", "diff", "apply", "drift"] {
        let logs_in = name != "validate";
        let job = &workflow["jobs"][name];
        assert_eq!(job["runs-on"].as_str(), Some("ubuntu-latest"), "{name}");
        let is_told = job["permissions"]["id-token"].as_str() == Some("write");
        assert_eq!(is_told, logs_in, "{name}");
        let job = &pipeline[name];
        assert!(job["tags"].is_null(), "{name}");
        let audience = &job["id_tokens"]["CFGCTL_OIDC_TOKEN"]["aud"];
        assert_eq!(audience.as_str(), logs_in.then_some(AUDIENCE), "{name}");
    }
    for issuer in list(&parsed("logins.yaml")["issuers"]) {
        assert_eq!(issuer["audience"].as_str(), Some(AUDIENCE));
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
async fn goes_on(issuer: &str, jobs: impl Fn(&World) -> BTreeMap<String, Job>) {
    let mut world = World::new(issuer).await;
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

    // A job that is not of the environment reads, and does no more.
    let mut others = jobs(&world);
    let login = others.remove("drift").unwrap().login;
    others.get_mut("apply").unwrap().login = login;
    edit(
        &world.user,
        "config/search.yaml",
        "maxResults: 5000",
        "maxResults: 4000",
    );
    let ran = world.job(&others, "apply");
    assert_eq!(ran.code, Some(6), "{ran:#?}");

    // The store is not where the server looks for it: there are no grants, so nobody logs in. And whoever
    // is beside it begins no other store, because the clusters know that it did not write them.
    std::fs::remove_file(world.host.directory().join("store.db")).unwrap();
    world.server = serve(&world.host);
    let address = world.server.address.clone();
    world.variables.insert("CFGCTL_SERVER".to_owned(), address);
    world.another_runner();
    for job in ["drift", "apply"] {
        let ran = world.job(&jobs(&world), job);
        assert_eq!(ran.code, Some(6), "{job}: {ran:#?}");
        assert!(ran.stderr.contains("no grant is to"), "{ran:#?}");
    }
    for (line, code) in [("drift", 7), ("apply -R -f config --yes", 5), ("drift", 7)] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = world.host.run(&words);
        assert_eq!(ran.code, Some(code), "{line}: {ran:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_github_job_goes_on_where_the_last_runner_stopped() {
    goes_on(GITHUB, github).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gitlab_job_goes_on_where_the_last_runner_stopped() {
    goes_on(GITLAB, gitlab).await;
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
            "validate" => &[],
            "diff" => &["id-token", "pull-requests"],
            _ => &["id-token"],
        };
        let writes: Vec<&str> = writes.iter().map(|(name, _)| name.as_str()).collect();
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
    for name in ["github.yml", "gitlab.yml", "logins.yaml", "grants.yaml"] {
        let text = std::fs::read_to_string(Path::new(FIXTURES).join("ci").join(name)).unwrap();
        let first = text.lines().next().unwrap();
        if readme.contains(first) {
            assert!(readme.contains(&text), "the README shows another {name}");
        }
    }
}
