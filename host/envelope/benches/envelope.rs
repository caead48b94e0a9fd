//! 1 GiB from memory to memory, on one thread: envelopes against the AEAD crate itself at the same
//! size of chunks, and how much memory an envelope takes.

#![allow(
    missing_docs,
    reason = "Criterion's macros make undocumented functions"
)]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on ends, and its figures are its output"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use criterion::{Criterion, criterion_group, criterion_main};
use portolan_contract::Encrypted;
use portolan_envelope::{CHUNK_BYTES, DataKey, Header, Memory, open, seal};
use portolan_figures::{Figure, Quantity, median_ratio};
use portolan_secret::SecretBytes;

const SIZE: usize = 1 << 30;
const TAG: usize = 16;
const ROUNDS: usize = 7;

/// Counts what is allocated, and the most of it that there was.
struct Counted;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
#[allow(unsafe_code, reason = "an allocator is unsafe")]
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

fn nonce(number: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&(number as u64).to_be_bytes());
    nonce
}

/// The AEAD crate alone: chunks go from one memory to the other, as those of an envelope do, and
/// their tags lie elsewhere.
fn bare(
    cipher: &ChaCha20Poly1305,
    from: &[u8],
    to: &mut [u8],
    tags: &mut [[u8; TAG]],
    seals: bool,
) {
    let chunks = from.chunks(CHUNK_BYTES).zip(to.chunks_mut(CHUNK_BYTES));
    for (number, ((from, to), tag)) in chunks.zip(tags).enumerate() {
        let nonce = nonce(number).into();
        let chunk = InOutBuf::new(from, to).expect("of one length");
        if seals {
            let made = cipher.encrypt_inout_detached(&nonce, &[], chunk);
            *tag = made.expect("encrypted").into();
        } else {
            let opened = cipher.decrypt_inout_detached(&nonce, &[], chunk, &(*tag).into());
            opened.expect("decrypted");
        }
    }
}

/// Runs `work`, and says how long it took and how much more memory it had at its most.
fn measured(work: impl FnOnce()) -> (Duration, usize) {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let began = Instant::now();
    work();
    let took = began.elapsed();
    (took, MOST.load(Ordering::Relaxed) - before)
}

fn envelopes(criterion: &mut Criterion) {
    let key = DataKey::unwrapped(SecretBytes::new([7; 32])).expect("a key");
    let wrapped = Encrypted {
        ciphertext: vec![3; 200],
        key: "a key".to_owned(),
        key_version: None,
    };
    let header = Header::new("bench", wrapped).expect("a header");
    let cipher = ChaCha20Poly1305::new(&[7; 32].into());
    let mut content: Vec<_> = (0..SIZE).map(|at| (at % 251) as u8).collect();
    let mut bare_content = content.clone();
    let mut bare_encrypted = vec![0; SIZE];
    let mut tags = vec![[0; TAG]; SIZE / CHUNK_BYTES];
    let most = header.to_bytes().len() + SIZE + (SIZE / CHUNK_BYTES + 1) * TAG;
    let mut envelope = vec![0; most];
    let mut times: [Vec<Duration>; 4] = Default::default();
    let mut memory = 0;
    // The first round warms everything up.
    for round in 0..=ROUNDS {
        let mut length = 0;
        let mut took = [Duration::ZERO; 2];
        let mut bare_took = [Duration::ZERO; 2];
        let mut all: [&mut dyn FnMut(); 2] = [
            &mut || {
                let (time, more) = measured(|| {
                    let mut output = Memory::new(&mut envelope);
                    seal(&header, &key, &*content, &mut output).expect("sealed");
                    length = output.written();
                });
                (took[0], memory) = (time, memory.max(more));
                let (time, more) = measured(|| {
                    let mut input = &envelope[..length];
                    let read = Header::read(&mut input).expect("a header");
                    let opened = open(&read, &key, input, &mut Memory::new(&mut content));
                    assert_eq!(opened.expect("opened"), SIZE as u64);
                });
                (took[1], memory) = (time, memory.max(more));
            },
            &mut || {
                let began = Instant::now();
                bare(&cipher, &bare_content, &mut bare_encrypted, &mut tags, true);
                bare_took[0] = began.elapsed();
                let began = Instant::now();
                bare(
                    &cipher,
                    &bare_encrypted,
                    &mut bare_content,
                    &mut tags,
                    false,
                );
                bare_took[1] = began.elapsed();
            },
        ];
        if round % 2 == 1 {
            all.reverse();
        }
        for work in all {
            work();
        }
        if round > 0 {
            for (times, took) in times.iter_mut().zip(took.into_iter().chain(bare_took)) {
                times.push(took);
            }
        }
    }
    for (name, place) in [("encrypting", 0), ("decrypting", 1)] {
        let ratio = median_ratio(&times[place], &times[place + 2]);
        let seconds = |times: &[Duration]| {
            let mut times = times.to_vec();
            SIZE as f64 / 1e9 / portolan_figures::median(&mut times).as_secs_f64()
        };
        println!(
            "  {name} 1 GiB: {:.2} GB/s, the AEAD crate alone {:.2} GB/s",
            seconds(&times[place]),
            seconds(&times[place + 2]),
        );
        let figure = Figure::new(
            format!("{name} an envelope of 1 GiB, against the AEAD crate alone"),
            ratio,
            // 0.9 of its speed.
            Quantity::ratio(1.0 / 0.9),
        );
        println!("{figure}");
    }
    let figure = Figure::new(
        "memory of an envelope of 1 GiB",
        Quantity::bytes(memory),
        Quantity::bytes(512 << 10),
    );
    println!("{figure}");
    let mut group = criterion.benchmark_group("envelope");
    group.sample_size(10);
    group.bench_function("1 MiB", |bencher| {
        bencher.iter(|| {
            let mut output = Memory::new(&mut envelope);
            seal(&header, &key, &content[..1 << 20], &mut output).expect("sealed");
        });
    });
    group.finish();
}

criterion_group!(benches, envelopes);
criterion_main!(benches);
