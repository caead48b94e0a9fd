//! 200 sinks, tried out at once in bounded memory. A process of its own, because what is measured is
//! all that the process holds, the cluster included.

#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "kafka/setting.rs"]
mod setting;
#[path = "support/mod.rs"]
mod support;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "probes/told.rs"]
mod told;

use setting::{HOST, cluster, to};
use support::{World, rows, run};

const SINKS: usize = 200;
const MOST_MEBIBYTES: u64 = 512;

/// The most that the process has held so far.
fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().nth(1))
        .expect("a line");
    kibibytes.parse::<u64>().expect("a number") / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sinks_are_tried_out_at_once_in_half_a_gibibyte() {
    let authority = portolan_servers::Authority::new("of the cluster");
    let cluster = cluster(3, 6)
        .tls(&authority.issue(&[HOST]))
        .mechanisms(&["SCRAM-SHA-256"])
        .user("ada", "r1ght-w0rd")
        .start();
    let world = World::with(|builder| builder.egress(to(&authority, &cluster))).await;
    let uri = format!(
        "kafka://{}?topic_name=orders&tls_enabled=true&sasl_enabled=true\
         &sasl_mechanism=SCRAM-SHA-256&sasl_user=ada&sasl_password=r1ght-w0rd",
        cluster.bootstrap()
    );
    for sink in 0..SINKS {
        let sql = format!("CREATE EXTERNAL CONNECTION k{sink} AS '{uri}' WITH VALIDATE = 'none'");
        run(&world.root(), &sql).await;
    }
    let mut probes = Vec::new();
    for sink in 0..SINKS {
        let session = world.root();
        probes.push(tokio::spawn(async move {
            let told = rows(&session, &format!("VALIDATE EXTERNAL CONNECTION k{sink}")).await;
            let failed = told.iter().find(|row| row[1] == "failed");
            assert_eq!(failed, None);
        }));
    }
    for probe in probes {
        probe.await.expect("a probe that goes well");
    }
    assert!(cluster.logins().len() >= SINKS);
    let peak = peak_mebibytes();
    println!("{SINKS} sinks at once: {peak} MiB");
    assert!(peak <= MOST_MEBIBYTES, "{peak} MiB");
}
