//! A set with flags and breakers, in real Consuls.

use serde_json::Value;

use super::world::World;

/// A set `checkout` that can be switched by hand, in the clusters of a [`World`].
#[derive(Debug)]
pub(crate) struct Switched {
    pub(crate) world: World,
}

impl Switched {
    /// Declared and delivered.
    pub(crate) async fn new(clusters: usize) -> Self {
        let switched = Self::in_world(World::shared(clusters).await);
        switched.apply().expect_code(0);
        switched
    }

    /// Declared, and not yet applied.
    pub(crate) fn in_world(world: World) -> Self {
        let switched = Self { world };
        switched.declare("stripe");
        switched
    }

    /// Declares the set with this provider.
    pub(crate) fn declare(&self, provider: &str) {
        self.declare_as(&manifest(&self.world.prefix, provider));
    }

    pub(crate) fn declare_as(&self, text: &str) {
        self.world.user.write("set.yaml", text);
    }

    pub(crate) fn apply(&self) -> super::cli::Ran {
        let files = ["apply", "-f", "clusters.yaml", "-f", "set.yaml", "--yes"];
        self.world.user.run(&files)
    }

    /// What a key below the prefix of the application holds in cluster `n`.
    pub(crate) fn key(&self, n: usize, leaf: &str) -> Option<String> {
        let (bytes, _) = self.world.tree(n).get(&self.world.leaf(leaf))?.clone();
        Some(String::from_utf8(bytes).expect("UTF-8"))
    }

    /// The same in `clusters` clusters.
    pub(crate) fn keys(&self, clusters: usize, leaf: &str) -> Vec<String> {
        let key = |n| self.key(n, leaf).unwrap_or_default();
        (0..clusters).map(key).collect()
    }

    /// The causes of all revisions, oldest first.
    pub(crate) fn causes(&self) -> Vec<Value> {
        let history = self
            .world
            .json(0, &["history", "checkout", "--limit", "1000"]);
        let revisions = history["revisions"].as_array().expect("revisions");
        let cause = |revision: &Value| revision["origin"]["cause"].clone();
        revisions.iter().rev().map(cause).collect()
    }
}

/// The manifest of the set with this provider.
pub(crate) fn manifest(prefix: &str, provider: &str) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {{name: checkout}}
spec:
  values:
    payment: {{provider: {provider}, timeoutMs: 1500}}
  flags:
    express-pay: true
    color:
      state: ENABLED
      variants: {{red: '#f00', blue: '#00f'}}
      defaultVariant: red
  breakers:
    payment-provider:
      description: Stripe is failing; pay through the backup provider
      trip:
        values: {{payment: {{provider: backup}}}}
        flags: {{express-pay: false}}
      alerts: {{alertname: PaymentErrorRate}}
    slow:
      trip: {{values: {{payment: {{timeoutMs: 9000, provider: slow}}}}}}
      separately: number=c0
  publish:
    - keys: {{prefix: {prefix}/app/checkout}}
    - flagd: {{key: {prefix}/flags/checkout}}
"
    )
}
