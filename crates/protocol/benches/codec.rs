//! What writing and reading costs, without anything that is made of it.
//!
//! `cargo bench -p tortoise-protocol`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tortoise_protocol::frame::{HEADER_BYTES, Header, Kind, begin, finish};
use tortoise_protocol::request::MethodName;
use tortoise_protocol::{Reader, Token, Writer};

const ROWS: usize = 1000;
const FLOATS: usize = 100_000;
const KEYS: [&str; 5] = ["id", "name", "price", "tags", "active"];

/// A frame of a call by an index, with an integer and a text.
fn small_call(buffer: &mut Vec<u8>) {
    begin(buffer);
    let mut writer = Writer::new(buffer);
    writer.unsigned(7);
    MethodName::Index(3).write(&mut writer);
    writer.array(2);
    writer.integer(42);
    writer.text("a short text");
    writer.map(0);
    finish(buffer, Header::new(Kind::Call, 9)).expect("small");
}

fn row<'a>(writer: &mut Writer<'a>, number: usize, write_key: impl Fn(&mut Writer<'a>, &str)) {
    let mut key = KEYS.iter();
    let mut next = |writer: &mut Writer<'a>| write_key(writer, key.next().expect("a key for each"));
    next(writer);
    writer.integer(number as i64);
    next(writer);
    writer.text("the name of a row");
    next(writer);
    writer.float(number as f64 * 0.25);
    next(writer);
    writer.array(2);
    writer.text("red");
    writer.text("green");
    next(writer);
    writer.boolean(number.is_multiple_of(2));
}

fn rows(buffer: &mut Vec<u8>, with_same_keys: bool) {
    buffer.clear();
    let mut writer = Writer::new(buffer);
    writer.array(ROWS);
    for number in 0..ROWS {
        if with_same_keys && number > 0 {
            writer.same_keys(KEYS.len() as u8);
            row(&mut writer, number, |_, _| {});
        } else {
            writer.map(KEYS.len());
            row(&mut writer, number, Writer::text);
        }
    }
}

fn floats(buffer: &mut Vec<u8>, values: &[f64]) {
    buffer.clear();
    let mut writer = Writer::new(buffer);
    let places = writer.floats(values.len());
    for (place, value) in places.as_chunks_mut().0.iter_mut().zip(values) {
        *place = value.to_le_bytes();
    }
}

/// Reads every token; the sum of something of each, so that none can be left out.
fn read(bytes: &[u8]) -> u64 {
    let mut reader = Reader::new(bytes);
    let mut sum = 0_u64;
    while reader.position() < bytes.len() {
        sum = sum.wrapping_add(match reader.token().expect("well formed") {
            Token::Text(text) => text.len() as u64,
            Token::Array(count) | Token::Map(count) | Token::SameKeys(count) => count as u64,
            Token::Integer(value) => value as u64,
            Token::Unsigned(value) => value,
            Token::Float(value) => value.to_bits(),
            Token::Boolean(value) => u64::from(value),
            Token::Floats(bytes) => {
                bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).sum::<f64>().to_bits()
            }
            other => panic!("{}", other.describe()),
        });
    }
    sum
}

fn both(criterion: &mut Criterion, name: &str, header: usize, write: impl Fn(&mut Vec<u8>)) {
    let mut buffer = Vec::new();
    write(&mut buffer);
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(buffer.len() as u64));
    group.bench_function("write", |bencher| bencher.iter(|| write(black_box(&mut buffer))));
    group.bench_function("read", |bencher| bencher.iter(|| read(black_box(&buffer[header..]))));
    group.finish();
}

fn codec(criterion: &mut Criterion) {
    let values: Vec<f64> = (0..FLOATS).map(|number| number as f64 * 0.5).collect();
    both(criterion, "small call", HEADER_BYTES, small_call);
    both(criterion, "1,000 rows", 0, |buffer| rows(buffer, false));
    both(criterion, "1,000 rows, same keys", 0, |buffer| rows(buffer, true));
    both(criterion, "100,000 floats", 0, |buffer| floats(buffer, &values));
}

criterion_group!(benches, codec);
criterion_main!(benches);
