//! Object stores as sinks: this host's own files, and nginx with WebDAV.

use portolan::{EgressOptions, Message, OpenOptions, Operation, SqlState};
use portolan_servers::{Authority, Nginx};

use super::support::{World, run};
use super::told::ways;
use super::{numbered, sink};

/// The files below a folder, by their paths, with what they hold.
fn files(folder: &std::path::Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .expect("below")
                .display()
                .to_string();
            found.push((name, std::fs::read_to_string(&path).expect("a text")));
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_become_files_that_are_visible_whole() {
    let world = World::new().await;
    run(
        &world.root(),
        "CREATE EXTERNAL CONNECTION feed AS 'nodelocal://self/feed'",
    )
    .await;
    let marker = files(&world.external().join("feed")).len();
    let opened = world
        .root()
        .open("external://feed/below", Operation::Changefeed)
        .await;
    let feed = opened.expect("opened").into_sink().expect("a sink");
    let delivered = feed.emit(numbered(0..3)).await.expect("emitted");
    assert_eq!((delivered.taken, delivered.acknowledged), (3, 0));
    assert_eq!(
        files(&world.external().join("feed")).len(),
        marker,
        "nothing is visible yet"
    );
    assert_eq!(feed.close().await.expect("closed").acknowledged, 3);
    let written = files(&world.external().join("feed/below"));
    let [(name, lines)] = &written[..] else {
        panic!("{written:?}");
    };
    assert!(
        name.contains('/') && name.ends_with("-orders-1.ndjson"),
        "{name}"
    );
    assert_eq!(lines, "{\"number\":0}\n{\"number\":1}\n{\"number\":2}\n");
    let error = feed
        .emit(vec![Message::new("t", "a\nb")])
        .await
        .expect_err("two lines");
    assert_eq!(error.sqlstate(), SqlState::FeatureNotSupported);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_a_uri_lay_the_files_out() {
    let (authority, clients) = (
        Authority::new("of the servers"),
        Authority::new("of clients"),
    );
    let nginx = Nginx::start(&authority, &["files.example"], &clients);
    let options: EgressOptions = ways(&authority, &[("files.example:80", nginx.plain())]);
    let world = World::with(|builder| builder.egress(options)).await;
    run(
        &world.root(),
        "CREATE EXTERNAL CONNECTION feed AS 'http://files.example/feed?file_size=39b\
         &partition_format=flat&topic_prefix=bank_'",
    )
    .await;
    let feed = sink(&world.root(), "feed").await;
    let delivered = feed.emit(numbered(0..7)).await.expect("emitted");
    assert_eq!(
        (delivered.taken, delivered.acknowledged),
        (7, 6),
        "a file is 39 bytes long"
    );
    feed.close().await.expect("closed");
    let written = files(&nginx.files().join("feed"));
    assert_eq!(written.len(), 3);
    for (name, lines) in &written {
        assert!(
            name.ends_with("-bank_orders-1.ndjson") && !name.contains('/'),
            "{name}"
        );
        assert!(lines.ends_with("}\n"), "{lines}");
    }
    let all: String = written.into_iter().map(|(_, lines)| lines).collect();
    let expected: String = (0..7)
        .map(|number| format!("{{\"number\":{number}}}\n"))
        .collect();
    assert_eq!(
        all, expected,
        "the names of files sort as they were written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_loses_nothing_that_is_acknowledged() {
    let (authority, clients) = (
        Authority::new("of the servers"),
        Authority::new("of clients"),
    );
    let mut nginx = Nginx::start(&authority, &["files.example"], &clients);
    let options: EgressOptions = ways(&authority, &[("files.example:80", nginx.plain())]);
    let world = World::with(|builder| builder.egress(options)).await;
    let sql = "CREATE EXTERNAL CONNECTION feed AS 'http://files.example/feed?file_size=20b'";
    run(&world.root(), sql).await;
    let feed = sink(&world.root(), "feed").await;
    feed.emit(numbered(0..4)).await.expect("emitted");
    nginx.kill();
    let error = feed
        .emit(numbered(4..8))
        .await
        .expect_err("nobody is there");
    assert_eq!(error.sqlstate(), SqlState::ConnectionFailure, "{error:?}");
    let delivered = feed.delivered().await;
    assert_eq!((delivered.taken, delivered.acknowledged), (8, 4));
    let written: String = files(&nginx.files().join("feed"))
        .into_iter()
        .map(|(_, lines)| lines)
        .collect();
    for number in 0..4 {
        assert!(written.contains(&format!("{{\"number\":{number}}}\n")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_follows_goes_on_where_the_connection_leads_now() {
    let world = World::new().await;
    run(
        &world.root(),
        "CREATE EXTERNAL CONNECTION feed AS 'nodelocal://self/one'",
    )
    .await;
    let follow = OpenOptions { follow: true };
    let opened = world
        .root()
        .open_with("external://feed", Operation::Changefeed, follow)
        .await;
    let feed = opened.expect("opened").into_sink().expect("a sink");
    feed.emit(numbered(0..1)).await.expect("emitted");
    run(
        &world.root(),
        "ALTER EXTERNAL CONNECTION feed AS 'nodelocal://self/two'",
    )
    .await;
    assert_eq!(feed.flush().await.expect("flushed").acknowledged, 1);
    assert_eq!(feed.version(), 2);
    let is_feed = |(name, _): &(String, String)| name.ends_with(".ndjson");
    assert!(!files(&world.external().join("one")).iter().any(is_feed));
    assert!(files(&world.external().join("two")).iter().any(is_feed));
}
