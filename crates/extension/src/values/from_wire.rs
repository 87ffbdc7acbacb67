//! MessagePack → zval.

use ext_php_rs::ffi::{_Bucket, zend_hash_index_update, zend_hash_next_index_insert, zend_hash_update};
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use tortoise_protocol::{Depth, Reader, Token};

use crate::engine::{SMALL_BYTES, check_room};
use crate::error::BridgeError;
use crate::link::Reply;
use crate::proxy;

/// The value that a session answered with.
///
/// # Errors
/// [`BridgeError`], also of classes that had to be declared for objects in it.
pub(crate) fn read_reply(reply: &Reply) -> Result<Zval, BridgeError> {
    let mut reader = Reader::new(&reply.payload);
    reply.judge(read_value(&mut reader, Depth::ROOT, reply.generation).and_then(|value| {
        reader.end()?;
        Ok(value)
    }))
}

/// Reads one value, and what it contains.
fn read_value(reader: &mut Reader<'_>, depth: Depth, generation: u32) -> Result<Zval, BridgeError> {
    let mut value = Zval::new();
    match reader.token()? {
        Token::Nil => value.set_null(),
        Token::Boolean(boolean) => value.set_bool(boolean),
        Token::Integer(integer) => value.set_long(integer),
        Token::Unsigned(number) => {
            return Err(BridgeError::Conversion(format!("the integer {number} does not fit in PHP's 64 bits")));
        }
        Token::Float(float) => value.set_double(float),
        Token::Text(bytes) | Token::Binary(bytes) => {
            if bytes.len() > SMALL_BYTES {
                check_room(bytes.len())?;
            }
            value.set_zend_string(ZendStr::new(bytes, false));
        }
        Token::Array(count) => value.set_hashtable(read_list(reader, count, depth.enter()?, generation)?),
        Token::Map(count) => value.set_hashtable(read_map(reader, count, depth.enter()?, generation)?),
        Token::Object(reference) => return proxy::receive(reference, generation),
        other => {
            let what = other.describe();
            return Err(BridgeError::Connection(format!("the session sent {what} where a value was due")));
        }
    }
    Ok(value)
}

type Table = ext_php_rs::boxed::ZBox<ZendHashTable>;

fn read_list(reader: &mut Reader<'_>, count: usize, depth: Depth, generation: u32) -> Result<Table, BridgeError> {
    check_room(count * size_of::<Zval>())?;
    let mut table = ZendHashTable::with_capacity(capacity(count));
    for _ in 0..count {
        let mut element = read_value(reader, depth, generation)?;
        // SAFETY: the table is ours and the element whole; the table takes the element over, so it is not dropped here.
        unsafe { zend_hash_next_index_insert(&raw mut *table, &raw mut element) };
        std::mem::forget(element);
    }
    Ok(table)
}

fn read_map(reader: &mut Reader<'_>, count: usize, depth: Depth, generation: u32) -> Result<Table, BridgeError> {
    check_room(count * size_of::<_Bucket>())?;
    let mut table = ZendHashTable::with_capacity(capacity(count));
    for _ in 0..count {
        let key = reader.token()?;
        let mut element = read_value(reader, depth, generation)?;
        match key {
            Token::Integer(index) => insert_index(&mut table, index, &mut element),
            Token::Text(name) => match canonical_integer(name) {
                Some(index) => insert_index(&mut table, index, &mut element),
                None => {
                    let mut name = ZendStr::new(name, false);
                    // SAFETY: as above; the table takes a count of the key of its own.
                    unsafe { zend_hash_update(&raw mut *table, name.as_mut_ptr(), &raw mut element) };
                }
            },
            other => {
                return Err(BridgeError::Connection(format!("the session sent {} as a key", other.describe())));
            }
        }
        std::mem::forget(element);
    }
    Ok(table)
}

fn insert_index(table: &mut ZendHashTable, index: i64, element: &mut Zval) {
    // SAFETY: the table is ours and the element whole; the caller forgets the element.
    unsafe { zend_hash_index_update(&raw mut *table, index as u64, &raw mut *element) };
}

/// The integer that PHP makes of a text key: decimal, without a sign or zeros in front that the integer would not have.
fn canonical_integer(name: &[u8]) -> Option<i64> {
    let digits = name.strip_prefix(b"-").unwrap_or(name);
    let may_be = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.len() <= 19 && name != b"-0";
    if !may_be {
        return None;
    }
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// Room to make at once. A count stands for at least so many bytes that have arrived, so it cannot lie much.
fn capacity(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).min(1 << 24)
}
