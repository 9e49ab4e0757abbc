//! The smallest HTTP client there is: blocking, and one connection for all its requests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use base64::Engine as _;
use serde_json::{Value, json};

/// Keys by name, each with value and mark.
pub(crate) type Tree = BTreeMap<String, (Vec<u8>, u64)>;

/// One connection to one Consul.
#[derive(Debug)]
pub(crate) struct Raw {
    reader: BufReader<TcpStream>,
}

impl Raw {
    /// To `http://host:port`.
    pub(crate) fn to(consul: &str) -> Self {
        let host = consul.trim_start_matches("http://");
        let stream = TcpStream::connect(host).expect("a Consul");
        stream.set_nodelay(true).expect("a socket");
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// Everything below `prefix` as of one moment.
    pub(crate) fn tree(&mut self, prefix: &str) -> Tree {
        parse_tree(&self.tree_text(prefix))
    }

    /// The same as Consul says it, for [`parse_tree`]: most of the time it is the same as before.
    pub(crate) fn tree_text(&mut self, prefix: &str) -> Vec<u8> {
        let operations = json!([{"KV": {"Verb": "get-tree", "Key": prefix}}]);
        let (status, body) = self.send("PUT /v1/txn", &operations.to_string());
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        body
    }

    /// Every key there is.
    pub(crate) fn everything(&mut self) -> Tree {
        let (status, body) = self.send("GET /v1/kv/?recurse", "");
        assert!([200, 404].contains(&status), "{status}");
        let pairs: Vec<Value> = serde_json::from_slice(&body).unwrap_or_default();
        pairs.iter().map(entry).collect()
    }

    fn send(&mut self, what: &str, body: &str) -> (u16, Vec<u8>) {
        let length = body.len();
        let stream = self.reader.get_mut();
        write!(
            stream,
            "{what} HTTP/1.1\r\nHost: consul\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("a connection");
        let status = self.line();
        let status = status.split(' ').nth(1).expect("a status");
        let status = status.parse().expect("a status");
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line().to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().expect("a length"),
                Some(("transfer-encoding", "chunked")) => chunked = true,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let size = usize::from_str_radix(&self.line(), 16).expect("a size");
                body.extend(self.bytes(size));
                self.line();
                if size == 0 {
                    break;
                }
            }
        } else {
            body = self.bytes(length);
        }
        (status, body)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).expect("an answer");
        bytes
    }
}

/// The keys in what [`Raw::tree_text`] says.
pub(crate) fn parse_tree(text: &[u8]) -> Tree {
    let body: Value = serde_json::from_slice(text).expect("JSON");
    let pairs = body["Results"].as_array().into_iter().flatten();
    pairs.map(|result| entry(&result["KV"])).collect()
}

fn entry(pair: &Value) -> (String, (Vec<u8>, u64)) {
    let value = pair["Value"].as_str().unwrap_or_default();
    let value = base64::engine::general_purpose::STANDARD.decode(value);
    let name = pair["Key"].as_str().expect("a key").to_owned();
    let flags = pair["Flags"].as_u64().expect("flags");
    (name, (value.expect("base64"), flags))
}
