//! JSON that is written as most programs write it: read several times as fast as any YAML.
//!
//! JSON is YAML, so whatever is not plainly the same to both is left to the parser of YAML, which
//! also says what is wrong with it and where.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::limits::{Cost, Limits};

/// Beyond this a key could be longer than YAML reads.
const MAX_BYTES: usize = 64 * 1024;

/// The value in `text`, and what it costs; nothing if the parser of YAML has to look at it, because
/// it is something else, is wrong, or is more than may be read after what was `spent`.
pub(super) fn read(text: &str, limits: Limits, spent: Cost) -> Option<(Value, Cost)> {
    // Escapes, tabs and what lies beyond ASCII have rules of their own there, and so does a colon in
    // another line than its key.
    let is_plain = |byte: u8| matches!(byte, b'\n' | b' '..=b'~') && byte != b'\\';
    let starts_with_colon = |line: &str| line.trim_start().starts_with(':');
    if text.len() > MAX_BYTES
        || !text.starts_with('{')
        || !text.bytes().all(is_plain)
        || text.lines().any(starts_with_colon)
    {
        return None;
    }
    let cost = Cell::new(Cost::default());
    let reader = Reader {
        cost: &cost,
        depth: limits.depth,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = reader.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    let (cost, all) = (cost.get(), spent.plus(cost.get()));
    let is_within = all.nodes <= limits.nodes
        && all.bytes <= limits.bytes
        && cost.nodes <= limits.file_nodes
        && cost.bytes <= limits.file_bytes;
    is_within.then_some((value, cost))
}

/// Reads one value, in which so many maps and lists may lie inside each other.
#[derive(Clone, Copy)]
struct Reader<'c> {
    cost: &'c Cell<Cost>,
    depth: usize,
}

impl Reader<'_> {
    fn spend(self, bytes: usize) {
        self.cost
            .set(self.cost.get().plus(Cost { nodes: 1, bytes }));
    }

    /// What reads what is inside.
    fn inside<E: Error>(self) -> Result<Self, E> {
        self.spend(0);
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom("it is too deep"))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.spend("null".len());
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.spend("false".len());
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.spend(value.to_string().len());
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.spend(value.to_string().len());
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // It may be an integer that does not fit into 64 bits, or `-0`.
        if value.fract() == 0.0 {
            return Err(E::custom("it may be an integer"));
        }
        self.spend(value.to_string().len());
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.spend(value.len());
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.spend(key.len());
            let value = entries.next_value_seed(inside)?;
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a key is there twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{Sources, parse};
    use super::*;

    /// What the parser of YAML makes of a text without any fault, and what it costs.
    fn by_yaml(text: &str) -> Option<(Value, Cost)> {
        let source = Sources::default().add("schema.json".into(), text.to_owned());
        let mut spent = Cost::default();
        let (documents, findings) = parse::documents(source, text, Limits::default(), &mut spent);
        assert_eq!(findings, [], "{text}");
        let [document] = documents.as_slice() else {
            return None;
        };
        Some((document.value()?, spent))
    }

    fn by_json(text: &str) -> Option<(Value, Cost)> {
        read(text, Limits::default(), Cost::default())
    }

    #[test]
    fn what_is_read_as_json_is_what_it_is_as_yaml() {
        for text in [
            "{}",
            r#"{"a": [1, -2, 1.5, true, null, "x # y", {}], "b": {"c": "no"}}"#,
            "{\n  \"a\": {\n    \"b\": [\n      1\n    ]\n  }\n}\n",
            r#"{"type":"object","required":["a"],"properties":{"a":{"minLength":1}}}"#,
        ] {
            let found = by_json(text);
            assert!(found.is_some(), "{text}");
            assert_eq!(
                found.map(|(value, _)| value),
                by_yaml(text).map(|(value, _)| value)
            );
        }
    }

    #[test]
    fn what_may_be_something_else_as_yaml_is_left_to_it() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(64), "]".repeat(64));
        for text in [
            "",
            "a: 1",
            "[1]",
            "{a: 1}",
            "{\"a\": 1, \"a\": 1}",
            "{\"a\": 1}\n---\n{}",
            "{\"a\"\n: 1}",
            "{\"a\":\t1}",
            "{\"a\": \"\\u0041\"}",
            "{\"a\": \"ü\"}",
            "{\"a\": 1e3}",
            "{\"a\": -0}",
            "{\"a\": 18446744073709551616}",
            "{\"a\": 1} # a comment",
            &deep,
        ] {
            assert_eq!(by_json(text), None, "{text}");
        }
        let little = Limits {
            file_nodes: 2,
            ..Limits::default()
        };
        assert_eq!(read("{\"a\": 1}", little, Cost::default()), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ -~]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inside| {
            let list = prop::collection::vec(inside.clone(), 0..5).prop_map(Value::from);
            let map = prop::collection::btree_map("[ -~]{1,8}", inside, 0..5);
            prop_oneof![list, map.prop_map(|map| json!(map))]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_the_same_both_ways(value in any_json(), pretty in any::<bool>()) {
            let value = json!({"a": value});
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            if let Some((found, cost)) = by_json(&text) {
                prop_assert_eq!(&found, &value);
                let (as_yaml, its_cost) = by_yaml(&text).unwrap();
                prop_assert_eq!(found, as_yaml);
                prop_assert_eq!(cost.nodes, its_cost.nodes);
            }
        }
    }
}
