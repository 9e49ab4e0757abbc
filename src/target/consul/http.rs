//! Requests to a Consul: bounded, timed, repeated, never redirected.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, NoProxy, Proxy, StatusCode};
use tokio::sync::OnceCell;

use super::super::Variables;
use super::address::Address;
use super::alias::Alias;
use super::credentials;
use super::patience::Patience;
use super::room::{Held, Room, STEP};
use super::token::{KeptTokens, Source};
use crate::model::{self, ClusterName};
use crate::traces;

/// What no answer but a listing comes near.
pub(super) const SMALL_ANSWER: usize = 1024 * 1024;
/// Room for the largest transaction of a Consul whose limits were raised, and its neighbours.
pub(super) const LISTING: usize = 64 * 1024 * 1024;
/// The first wait before a request is repeated; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How much of an error's text is passed on.
const TEXT_CHARS: usize = 300;

/// What RFC 3986 leaves unreserved stays readable in a URL.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A connection to one Consul.
pub(super) struct Client {
    http: reqwest::Client,
    /// `http://host:port`, as a person would name it.
    location: String,
    /// What requests are sent to: differs from the location if TLS expects another name.
    base: String,
    /// `ns=…&dc=…` for every request.
    scope: Vec<(&'static str, String)>,
    patience: Patience,
    token: Source,
    /// What a server that ends the connection before it answers may have against us.
    suspicion: Option<&'static str>,
    /// What is sent can be read on its way to another machine.
    in_the_clear: bool,
    /// `CONSUL_NAMESPACE`, of Consul Enterprise.
    pub(super) namespace: Option<String>,
    /// Where answers find room in memory.
    room: Arc<Room>,
    /// What time it was at the server when this client was `born`, by the `Date` of the last answer:
    /// in milliseconds since 1970; [`NO_DATE`] before the first.
    clock: AtomicI64,
    born: Instant,
}

/// No answer came yet that said what time it is.
const NO_DATE: i64 = i64::MIN;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The room that the body takes.
    _held: Held,
}

/// Why there is no answer to go by.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing left this machine.
    Unsent(BoxError),
    /// The request may have been carried out.
    Unanswered(BoxError),
    /// The answer does not end where one should.
    TooLong(usize),
    /// There is a token that cannot be had, and without it nothing is sent.
    NoToken(String),
}

/// How a request ended after all its attempts.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) last: Result<Answer, Failed>,
    /// Whether an attempt before the last may have been carried out.
    pub(super) unsure: bool,
}

impl Answer {
    /// The start of the body as one line of text.
    pub(super) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = |c: &char| !c.is_control();
        words.chars().filter(plain).take(TEXT_CHARS).collect()
    }

    /// Whether the server asks to come again.
    pub(super) fn is_busy(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || self.status.is_server_error()
    }
}

impl Client {
    pub(super) fn new(
        spec: &model::ConsulSpec,
        environment: &Variables,
        patience: Patience,
    ) -> Result<Self, String> {
        let address = Address::find(spec.address.as_deref(), environment)?;
        let token = credentials::token(spec.token.as_ref(), environment)?;
        if spec.tls.is_some() && !address.is_https() {
            return Err("the manifest says how to use https, and the address is http".to_owned());
        }
        let mut headers = HeaderMap::new();
        if let Some(auth) = credentials::basic_auth(environment)? {
            headers.insert(reqwest::header::AUTHORIZATION, auth);
        }
        headers.insert("Accept", HeaderValue::from_static("application/json"));

        // Fails if someone installed one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(patience.connect)
            .timeout(patience.request)
            .default_headers(headers);
        let mut base = address.clone();
        let tls = spec.tls.as_deref().cloned().unwrap_or_default();
        if address.is_https() {
            builder = credentials::tls(builder, &tls, environment)?;
            let name = tls.server_name.as_deref();
            if let Some(name) = name.or_else(|| environment.get("CONSUL_TLS_SERVER_NAME")) {
                base = address
                    .with_host(name)
                    .map_err(|error| format!("the name of the server: {error}"))?;
                builder = builder.dns_resolver(Arc::new(Alias(address.host().to_owned())));
            }
        } else {
            // Saves reading the system's certificates, which nobody will ask for.
            builder = builder.tls_certs_only([]);
        }
        if let Some(proxy) = proxy(&address, environment)? {
            builder = builder.proxy(proxy);
        }
        let namespace = environment.get("CONSUL_NAMESPACE").map(str::to_owned);
        let scope = [("ns", namespace.clone()), ("dc", spec.datacenter.clone())];
        let scope = scope
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Ok(Self {
            http: builder.build().map_err(|error| causes(&error))?,
            location: address.to_string(),
            base: base.to_string(),
            scope: scope.collect(),
            patience,
            suspicion: address
                .is_https()
                .then(|| credentials::suspicion(&tls, environment)),
            token: Source::Known(token),
            in_the_clear: !address.is_https() && !address.is_loopback(),
            namespace,
            room: Room::of_process(),
            clock: AtomicI64::new(NO_DATE),
            born: Instant::now(),
        })
    }

    /// The same, asking `tokens` for a token if nothing else names one.
    pub(super) fn or_token_from(
        mut self,
        tokens: Arc<dyn KeptTokens>,
        cluster: ClusterName,
    ) -> Self {
        if !self.token.has_token() {
            self.token = Source::Kept {
                tokens,
                cluster,
                answer: OnceCell::new(),
            };
        }
        self
    }

    /// Whether a token travels readable to another machine, as far as is known by now.
    pub(super) fn token_in_the_clear(&self) -> bool {
        self.in_the_clear && self.token.has_token()
    }

    /// What time it is at the server, as far as it has answered: whoever waited for another one since
    /// must not take it for slow.
    pub(super) fn clock(&self) -> Option<Timestamp> {
        match self.clock.load(Ordering::Relaxed) {
            NO_DATE => None,
            at_birth => Timestamp::from_millisecond(at_birth.saturating_add(self.age())).ok(),
        }
    }

    /// How long ago this client was made, in milliseconds.
    fn age(&self) -> i64 {
        i64::try_from(self.born.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Where this Consul is, without anything secret.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// Sends a request until there is an answer that does not ask to come again. `path` comes
    /// after `/v1/`; an answer longer than `limit` bytes is none.
    pub(super) async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&[u8]>,
        limit: usize,
    ) -> Outcome {
        let mut unsure = false;
        let token = match self.token.header(&self.location).await {
            Ok(token) => token,
            Err(reason) => {
                let last = Err(Failed::NoToken(reason));
                return Outcome { last, unsure };
            }
        };
        let mut wait = FIRST_WAIT;
        let mut attempt = 1;
        loop {
            let last = self
                .attempt(method, path, body, limit, token.as_ref())
                .await;
            let maybe_done = match &last {
                Ok(answer) if !answer.is_busy() => return Outcome { last, unsure },
                Err(Failed::TooLong(_) | Failed::NoToken(_)) => return Outcome { last, unsure },
                Err(Failed::Unsent(_)) => false,
                Ok(_) | Err(Failed::Unanswered(_)) => true,
            };
            if attempt >= self.patience.attempts {
                return Outcome { last, unsure };
            }
            unsure |= maybe_done;
            // Half of it is chance, so that many writers do not come back at once.
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        method: &Method,
        path: &str,
        body: Option<&[u8]>,
        limit: usize,
        token: Option<&HeaderValue>,
    ) -> Result<Answer, Failed> {
        let mut url = format!("{}/v1/{path}", self.base);
        for (name, value) in &self.scope {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.extend([name, "=", &encode(value)]);
        }
        let mut request = self.http.request(method.clone(), url);
        if let Some(token) = token {
            request = request.header("X-Consul-Token", token);
        }
        if let Some(traceparent) = traces::header() {
            request = request.header(traces::TRACEPARENT, traceparent);
        }
        if let Some(body) = body {
            // A body whose length is known is sent with Content-Length: chunks slip past the
            // limits of Consul.
            request = request.body(body.to_vec());
        }
        let unanswered = |error| ended(error, self.suspicion);
        let response = request.send().await.map_err(unanswered)?;
        if let Some(date) = date(response.headers()) {
            let at_birth = date.as_millisecond().saturating_sub(self.age());
            self.clock.store(at_birth, Ordering::Relaxed);
        }
        // Its own time limit does not run while it waits for room.
        let read = tokio::time::timeout(self.patience.request, self.read(response, limit));
        read.await.unwrap_or_else(|_| {
            let seconds = self.patience.request.as_secs_f32();
            Err(Failed::Unanswered(
                format!("no whole answer within {seconds} s").into(),
            ))
        })
    }

    /// The rest of an answer, which takes no more memory than there is room for.
    async fn read(&self, mut response: reqwest::Response, limit: usize) -> Result<Answer, Failed> {
        let too_long = |bytes: usize| bytes > limit;
        if response
            .content_length()
            .is_some_and(|bytes| usize::try_from(bytes).map_or(true, too_long))
        {
            return Err(Failed::TooLong(limit));
        }
        let mut held = Arc::clone(&self.room).enter();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            let bytes = body.len() + chunk.len();
            if too_long(bytes) {
                return Err(Failed::TooLong(limit));
            }
            while held.bytes() < bytes {
                held.grow().await;
            }
            if body.capacity() < bytes {
                // No more than there is room for, as growing by itself would be.
                body.reserve_exact((held.bytes() - body.len()).min(STEP).max(chunk.len()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body,
            _held: held,
        })
    }
}

/// The `Date` of an answer; RFC 9110 writes it as mail does.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(date.timestamp())
}

fn failed(error: reqwest::Error) -> Failed {
    ended(error, None)
}

/// Why there is no answer. Who is refused for a certificate learns it in many ways, and often only
/// from a connection that ends: the first request may be on its way before the refusal is.
fn ended(error: reqwest::Error, suspicion: Option<&str>) -> Failed {
    let unsent = error.is_connect() || error.is_builder();
    let timed_out = error.is_timeout();
    // The URL names a key and says nothing that the location does not.
    let error = error.without_url();
    let text = causes(&error);
    let ended_by_it = text.contains("fatal alert") || !(unsent || timed_out);
    let error: BoxError = match suspicion.filter(|_| ended_by_it) {
        Some(suspicion) => format!("{text}; {suspicion}").into(),
        None => error.into(),
    };
    if unsent {
        Failed::Unsent(error)
    } else {
        Failed::Unanswered(error)
    }
}

/// An error and what it comes from, in one line: reqwest says the interesting part last.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The path of a key below `/v1/`, each segment encoded on its own.
pub(super) fn kv_path(key: &str) -> String {
    let segments: Vec<_> = key.split('/').map(encode).collect();
    format!("kv/{}", segments.join("/"))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The proxy of the environment, as every Go program uses it: never towards this machine.
fn proxy(address: &Address, environment: &Variables) -> Result<Option<Proxy>, String> {
    let names = if address.is_https() {
        ["HTTPS_PROXY", "https_proxy"]
    } else {
        ["HTTP_PROXY", "http_proxy"]
    };
    let found = |names: [&str; 2]| names.into_iter().find_map(|name| environment.get(name));
    let Some(url) = found(names).filter(|_| !address.is_loopback()) else {
        return Ok(None);
    };
    // The text may hold a password.
    let proxy = Proxy::all(url).map_err(|_| format!("{} is not the URL of a proxy", names[0]))?;
    let except = found(["NO_PROXY", "no_proxy"]).and_then(NoProxy::from_string);
    Ok(Some(proxy.no_proxy(except)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_segment_by_segment() {
        assert_eq!(
            kv_path("a b/ü%2F/#?&/..c/~"),
            "kv/a%20b/%C3%BC%252F/%23%3F%26/..c/~"
        );
    }

    /// A server whose only answer is this many bytes, in chunks and without an end that is told
    /// before; returns its address.
    fn sick(bytes: usize) -> String {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            _ = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            _ = stream.write_all(head.as_bytes());
            let chunk = [&b"10000\r\n"[..], &vec![b'['; 0x10000], b"\r\n"].concat();
            // Whoever has read enough goes away.
            let all = (0..bytes / 0x10000).try_for_each(|_| stream.write_all(&chunk));
            _ = all.and_then(|()| stream.write_all(b"0\r\n\r\n"));
        });
        format!("http://{address}")
    }

    fn client(address: String, room: &Arc<Room>) -> Client {
        let spec = model::ConsulSpec {
            address: Some(address),
            prefix: "cfgctl".parse().unwrap(),
            datacenter: None,
            token: None,
            tls: None,
            limits: model::LimitOverrides::default(),
        };
        let patience = Patience {
            connect: Duration::from_secs(60),
            request: Duration::from_secs(60),
            attempts: 1,
        };
        let client = Client::new(&spec, &Variables::default(), patience).unwrap();
        Client {
            room: Arc::clone(room),
            ..client
        }
    }

    #[tokio::test]
    async fn the_answers_of_many_sick_servers_share_one_bound() {
        // Each answer is as large as the pool, and there are as many as a run asks at once.
        let (steps, clients) = (4, 8);
        let room = Arc::new(Room::new(steps));
        let mut asked = Vec::new();
        for _ in 0..clients {
            let client = client(sick((steps + 1) * STEP), &room);
            asked.push(async move {
                let outcome = client.send(&Method::GET, "kv/x", None, LISTING).await;
                outcome.last.map(|answer| answer.body.len())
            });
        }
        for read in futures_util::future::join_all(asked).await {
            assert_eq!(read.unwrap(), (steps + 1) * STEP);
        }
        assert!(room.most() > 0);
        assert!(room.most() <= 2 * steps * STEP, "{}", room.most());
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_cut_off_and_its_room_is_free_again() {
        let room = Arc::new(Room::new(2));
        for _ in 0..3 {
            let client = client(sick(16 * STEP), &room);
            let limit = 3 * STEP;
            let outcome = client.send(&Method::GET, "kv/x", None, limit).await;
            assert!(
                matches!(outcome.last, Err(Failed::TooLong(_))),
                "{outcome:?}"
            );
        }
        assert!(room.most() <= 2 * STEP, "{}", room.most());
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let dated = |text: &'static str| {
            let headers = [(reqwest::header::DATE, HeaderValue::from_static(text))];
            date(&headers.into_iter().collect())
        };
        let expected: Timestamp = "2026-11-21T02:14:07Z".parse().unwrap();
        assert_eq!(dated("Sat, 21 Nov 2026 02:14:07 GMT"), Some(expected));
        assert_eq!(dated("yesterday"), None);
        assert_eq!(date(&HeaderMap::new()), None);
    }

    #[test]
    fn a_proxy_is_used_for_its_scheme_and_never_for_this_machine() {
        let environment = [("HTTP_PROXY", "http://proxy:3128")].into_iter().collect();
        let used = |address| {
            let address = super::super::address::parse(address).unwrap();
            proxy(&address, &environment).unwrap().is_some()
        };
        assert!(used("http://10.0.0.1:8500"));
        assert!(!used("https://10.0.0.1:8500"));
        assert!(!used("http://127.0.0.1:8500"));
    }
}
