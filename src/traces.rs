//! Traces: which work belongs together, and how long it took, told to a collector (OpenTelemetry).
//!
//! Where nobody names a collector there are no spans, and nothing is done for them. Nothing waits for what
//! is told: spans that do not fit into the queue are lost, and so are those that the collector does not take.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, ContextGuard, KeyValue, Value};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

mod collector;

use collector::Collector;

/// The header that says what a request belongs to, <https://www.w3.org/TR/trace-context/>.
pub const TRACEPARENT: &str = "traceparent";

/// How long a process waits at its end for the collector to take the rest.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Who tells of work, and by what; set once.
static TOLD: OnceLock<(SdkTracerProvider, SdkTracer)> = OnceLock::new();

/// What is known of the collector beside what OpenTelemetry's own variables say.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// Where it is.
    pub endpoint: &'a str,
    /// What this process is called there; `None`: the variables say it.
    pub service: Option<&'static str>,
    /// Whether the process stays, and may try again what the collector did not take.
    pub is_lasting: bool,
}

/// Begins to tell a collector of work. What `OTEL_…` variables say is read by the library; fails with a
/// sentence if they cannot be used.
pub fn begin(telling: Telling<'_>) -> Result<(), String> {
    let retries = if telling.is_lasting {
        RetryPolicy::recommended()
    } else {
        RetryPolicy::disabled()
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new(telling.endpoint)?)
        .with_retry_policy(retries)
        .build()
        .map_err(|error| error.to_string())?;
    let mut resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", VERSION));
    if let Some(service) = telling.service {
        resource = resource.with_service_name(service);
    }
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build();
    let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    // It is begun once.
    _ = TOLD.set((provider, tracer));
    Ok(())
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Sends what is left, within two seconds. Nothing is told after that.
pub fn end() {
    if let Some((provider, _)) = TOLD.get() {
        // What is not sent by then is lost.
        _ = provider.shutdown_with_timeout(LAST_WORDS);
    }
}

/// Whether anybody is told of work.
pub fn are_told() -> bool {
    TOLD.get().is_some()
}

/// Where in a trace some work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The trace, not 0.
    pub trace: u128,
    /// The work, not 0.
    pub span: u64,
    /// What its sender says of the trace, such as whether it is kept.
    pub flags: u8,
}

/// As the header says it: `00-TRACE-SPAN-FLAGS`.
impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, flags } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

/// Some work of a trace, which ends when nobody holds it any more. Without a collector it is nothing.
#[derive(Clone, Debug, Default)]
#[must_use = "it ends at once"]
pub struct Work(Option<Context>);

/// That some work is what this thread does, until it is dropped.
#[derive(Debug)]
#[must_use = "it is over at once"]
pub struct Entered {
    _guard: Option<ContextGuard>,
}

impl Work {
    /// The first work of a new trace.
    pub fn first(name: impl Into<Cow<'static, str>>) -> Self {
        begun(name, SpanKind::Internal, &Context::new())
    }

    /// The work for a request, whose `sender` may be part of a trace.
    pub fn for_request(name: impl Into<Cow<'static, str>>, sender: Option<Whereabouts>) -> Self {
        let above = sender.map_or_else(Context::new, afar);
        begun(name, SpanKind::Server, &above)
    }

    /// The work that is under way here.
    pub fn current() -> Self {
        if !are_told() {
            return Self(None);
        }
        let here = Context::current();
        Self(here.has_active_span().then_some(here))
    }

    /// A part of it, which `name` names.
    pub fn part<N: Into<Cow<'static, str>>>(&self, name: impl FnOnce() -> N) -> Self {
        let above = self.0.as_ref();
        above.map_or(Self(None), |above| begun(name(), SpanKind::Internal, above))
    }

    /// Its place, for whoever does more of it later: that does not keep it from ending.
    pub fn from_afar(&self) -> Self {
        Self(self.whereabouts().map(afar))
    }

    /// `work` as this work. Without a collector, or a trace, as it is.
    pub async fn around<F: Future>(&self, work: F) -> F::Output {
        match &self.0 {
            Some(here) => work.with_context(here.clone()).await,
            None => work.await,
        }
    }

    /// Makes it what this thread does.
    pub fn enter(&self) -> Entered {
        Entered {
            _guard: self.0.clone().map(Context::attach),
        }
    }

    /// Says something of it: no secret, no value, and nothing long.
    pub fn say<V: Into<Value>>(&self, what: &'static str, value: impl FnOnce() -> V) {
        if let Some(here) = &self.0 {
            here.span().set_attribute(KeyValue::new(what, value()));
        }
    }

    /// Says that it failed, in a word.
    pub fn failed(&self, why: &'static str) {
        if let Some(here) = &self.0 {
            here.span().set_status(Status::error(why));
        }
    }

    /// Where it is, if there is any.
    pub fn whereabouts(&self) -> Option<Whereabouts> {
        let here = self.0.as_ref()?.span().span_context().clone();
        here.is_valid().then(|| Whereabouts {
            trace: u128::from_be_bytes(here.trace_id().to_bytes()),
            span: u64::from_be_bytes(here.span_id().to_bytes()),
            flags: here.trace_flags().to_u8(),
        })
    }
}

/// `work` as a part of what is under way here, if that belongs to a trace.
pub async fn part<T, E>(
    name: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let part = Work::current().part(|| name);
    let done = part.around(work).await;
    if done.is_err() {
        part.failed("failed");
    }
    done
}

/// What the work here belongs to, as a request to somebody else says it.
pub fn header() -> Option<String> {
    Work::current()
        .whereabouts()
        .map(|whereabouts| whereabouts.to_string())
}

fn begun(name: impl Into<Cow<'static, str>>, kind: SpanKind, above: &Context) -> Work {
    Work(TOLD.get().map(|(_, tracer)| {
        let span = SpanBuilder::from_name(name).with_kind(kind);
        above.with_span(tracer.build_with_context(span, above))
    }))
}

fn afar(whereabouts: Whereabouts) -> Context {
    let Whereabouts { trace, span, flags } = whereabouts;
    let (trace, span) = (TraceId::from(trace), SpanId::from(span));
    let flags = TraceFlags::new(flags);
    let place = SpanContext::new(trace, span, flags, true, TraceState::default());
    Context::new().with_remote_span_context(place)
}
