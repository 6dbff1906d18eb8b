//! Content ids as AT Protocol makes them: version 1, SHA-256, base 32; records are
//! hashed over their DAG-CBOR form, blobs over their bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const DAG_CBOR: u8 = 0x71;
const RAW: u8 = 0x55;

/// The CID of a record; nothing when it holds what a record may not hold
/// (a fraction, or a link that is no CID).
pub(crate) fn of_record(value: &Value) -> Option<String> {
    let mut bytes = Vec::with_capacity(256);
    encode(value, &mut bytes)?;
    Some(of_bytes(DAG_CBOR, &bytes))
}

/// The CID of a blob.
pub(crate) fn of_blob(bytes: &[u8]) -> String {
    of_bytes(RAW, bytes)
}

fn of_bytes(codec: u8, bytes: &[u8]) -> String {
    let mut cid = vec![1, codec, 0x12, 0x20];
    cid.extend_from_slice(&Sha256::digest(bytes));
    format!("b{}", base32(&cid))
}

fn encode(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(b) => out.push(if *b { 0xf5 } else { 0xf4 }),
        Value::Number(n) => match (n.as_u64(), n.as_i64()) {
            (Some(n), _) => head(0, n, out),
            (None, Some(n)) => head(1, (-1 - n).cast_unsigned(), out),
            (None, None) => return None,
        },
        Value::String(s) => {
            head(3, s.len() as u64, out);
            out.extend_from_slice(s.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len() as u64, out);
            for item in items {
                encode(item, out)?;
            }
        }
        Value::Object(map) => encode_map(map, out)?,
    }
    Some(())
}

fn encode_map(map: &Map<String, Value>, out: &mut Vec<u8>) -> Option<()> {
    if let (1, Some(Value::String(link))) = (map.len(), map.get("$link")) {
        let cid = from_base32(link.strip_prefix('b')?)?;
        // Tag 42, then the CID's bytes behind a zero.
        out.extend_from_slice(&[0xd8, 0x2a]);
        head(2, cid.len() as u64 + 1, out);
        out.push(0);
        out.extend_from_slice(&cid);
        return Some(());
    }
    if let (1, Some(Value::String(text))) = (map.len(), map.get("$bytes")) {
        let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        head(2, bytes.len() as u64, out);
        out.extend_from_slice(&bytes);
        return Some(());
    }
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_by_key(|k| (k.len(), k.as_str()));
    head(5, keys.len() as u64, out);
    for key in keys {
        head(3, key.len() as u64, out);
        out.extend_from_slice(key.as_bytes());
        encode(&map[key], out)?;
    }
    Some(())
}

/// A CBOR head: major type and the shortest form of its number.
fn head(major: u8, n: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = n.to_be_bytes();
    match n {
        0..24 => out.push(major | bytes[7]),
        24..0x100 => out.extend_from_slice(&[major | 0x18, bytes[7]]),
        0x100..0x1_0000 => {
            out.push(major | 0x19);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 0x1a);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 0x1b);
            out.extend_from_slice(&bytes);
        }
    }
}

fn base32(bytes: &[u8]) -> String {
    let (mut buffer, mut bits, mut out) = (0_u32, 0, String::new());
    for byte in bytes {
        buffer = (buffer << 8 | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(buffer >> bits) as usize & 31]));
        }
    }
    if bits > 0 {
        out.push(char::from(ALPHABET[(buffer << (5 - bits)) as usize & 31]));
    }
    out
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut buffer, mut bits, mut out) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        let digit = ALPHABET.iter().position(|a| *a == letter)?;
        buffer = (buffer << 5 | u32::try_from(digit).ok()?) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(buffer >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_empty_map_has_its_well_known_cid() {
        let known = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua";
        assert_eq!(of_record(&json!({})).as_deref(), Some(known));
        assert_eq!(base32(&from_base32(&known[1..]).unwrap()), known[1..]);
    }

    #[test]
    fn keys_are_ordered_by_length_first_and_links_are_tagged() {
        let mut out = Vec::new();
        encode(&json!({ "bb": 1, "c": -1, "aaa": [true, null] }), &mut out).unwrap();
        assert_eq!(hex::encode(out), "a3616320626262016361616182f5f6");
        assert!(of_record(&json!({ "x": 1.5 })).is_none());
        assert!(of_record(&json!({ "ref": { "$link": "not a cid" } })).is_none());
        assert!(of_record(&json!({ "ref": { "$link": of_blob(b"x") } })).is_some());
    }
}
