//! How long it takes to read statements: one as people write them, and a MiB of each hostile shape.

#![allow(
    missing_docs,
    reason = "criterion's macros write functions without any"
)]

#[path = "../tests/common/shapes.rs"]
mod shapes;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portolan_statement::{mask, parse, parse_script, recognize};

const TYPICAL: &str = "CREATE EXTERNAL CONNECTION IF NOT EXISTS backup AS \
    's3://bucket/path?AUTH=specified&AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE&AWS_REGION=eu-west-1' \
    PARAMETERS (AWS_SECRET_ACCESS_KEY = $1) WITH VALIDATE = 'full', COMMENT = 'nightly'";

fn one_statement(c: &mut Criterion) {
    let mut group = c.benchmark_group("statement");
    group.bench_function("recognize", |b| b.iter(|| recognize(black_box(TYPICAL))));
    group.bench_function("parse", |b| b.iter(|| parse(black_box(TYPICAL))));
    group.bench_function("mask", |b| b.iter(|| mask(black_box(TYPICAL))));
    if let Ok(statement) = parse(TYPICAL) {
        group.bench_function("print masked", |b| {
            b.iter(|| black_box(&statement).to_string())
        });
    }
    group.finish();
}

fn hostile_shapes(c: &mut Criterion) {
    for size in [64 << 10, 1 << 20] {
        let mut group = c.benchmark_group(format!("{} KiB", size >> 10));
        group.sample_size(10);
        for (shape, make) in shapes::ALL {
            let sql = make(size);
            group.throughput(Throughput::Bytes(sql.len() as u64));
            group.bench_function(format!("parse {shape}"), |b| {
                b.iter(|| parse_script(black_box(&sql)).map(|statements| statements.len()));
            });
            group.bench_function(format!("mask {shape}"), |b| {
                b.iter(|| mask(black_box(&sql)))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, one_statement, hostile_shapes);
criterion_main!(benches);
