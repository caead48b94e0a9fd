//! Nothing is quadratic: texts of hostile shapes, at two sizes.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/shapes.rs"]
mod shapes;

use std::hint::black_box;
use std::time::Duration;

use portolan_statement::{mask, parse, parse_script, recognize};
use rustix::time::{ClockId, clock_gettime};

// A quarter where nothing is optimised; what is quadratic shows there as well.
const SMALL: usize = if cfg!(debug_assertions) {
    16 << 10
} else {
    64 << 10
};
const LARGE: usize = 16 * SMALL;

/// Something that is done with a text: its name, and how.
type Use = (&'static str, fn(&str));

/// Each of them, including all that is said about a text.
const USES: [Use; 5] = [
    ("parse", |sql| match parse(sql) {
        Ok(statement) => drop(black_box(statement)),
        Err(error) => drop(black_box(error)),
    }),
    ("parse_script", |sql| drop(black_box(parse_script(sql)))),
    ("mask", |sql| drop(black_box(mask(sql)))),
    ("recognize", |sql| {
        black_box(recognize(sql));
    }),
    ("print or render", |sql| match parse_script(sql) {
        Ok(statements) => {
            for statement in statements {
                black_box((statement.to_string(), statement.to_sql_with_secrets()));
            }
        }
        Err(error) => drop(black_box(error.render(sql, true))),
    }),
];

/// The time that this thread computes; other work on the machine does not count.
fn time(run: fn(&str), sql: &str) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    let start = now();
    run(sql);
    now().saturating_sub(start)
}

#[test]
fn sixteen_times_the_text_takes_at_most_twenty_times_as_long() {
    let mut failures = Vec::new();
    for (shape, make) in shapes::ALL {
        let (small, large) = (make(SMALL), make(LARGE));
        for (name, run) in USES {
            // Other work only ever adds, by cold caches; so the least of some runs is compared. What
            // is under a millisecond even for the large text is too short to be compared at all.
            let (mut least_small, mut least_large) = (Duration::MAX, Duration::MAX);
            let good = (0..40).any(|_| {
                least_small = least_small.min(time(run, &small));
                least_large = least_large.min(time(run, &large));
                let fast = cfg!(debug_assertions) || least_large < Duration::from_millis(50);
                fast && (least_large < 20 * least_small || least_large < Duration::from_millis(1))
            });
            if !good {
                failures.push(format!(
                    "{name} of {shape}: {least_small:?}, {least_large:?}"
                ));
            } else if !cfg!(debug_assertions) {
                println!("{name} of {shape}: {least_small:?}, {least_large:?}");
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
