//! A store of the command line whose key lies in a slot of AWS KMS, with moto as the service.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use portolan_servers::{Authority, Moto};

const KMS: &str = "kms.eu-central-1.amazonaws.com";

fn portolan(home: &Path, arguments: &[&str]) -> Output {
    #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
    Command::new(env!("CARGO_BIN_EXE_portolan"))
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("PORTOLAN_STORE", home.join("store"))
        .output()
        .expect("runs")
}

/// What a command prints, on both ways, and whether it was done.
fn said(output: &Output) -> (bool, String) {
    let mut text = String::from_utf8(output.stdout.clone()).expect("is text");
    text.push_str(&String::from_utf8(output.stderr.clone()).expect("is text"));
    (output.status.success(), text)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        let _ = write!(escaped, "%{byte:02X}");
    }
    escaped
}

#[test]
fn a_store_lives_with_its_service_and_outlives_it_with_another_slot() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let authority = Authority::new("tests");
    let moto = Moto::start(&authority, &[KMS]);
    let user = moto.user("all");
    let secret = escaped(&user.secret);
    let store = home.join("store");
    std::fs::create_dir(&store).expect("a folder");
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o700)).expect("chmod");
    std::fs::write(home.join("ca.pem"), authority.pem()).expect("written");
    let config = format!(
        "[master_key]\nkms = \"aws-kms:///{}?REGION={}&AWS_ACCESS_KEY_ID={}&AWS_SECRET_ACCESS_KEY={secret}\"\n\
         [egress.connect_to]\n\"{KMS}:443\" = \"{}\"\n[tls]\nextra_ca = \"{}\"\n",
        Moto::ALIAS,
        Moto::REGION,
        user.id,
        moto.address(),
        home.join("ca.pem").display(),
    );
    let file = store.join("portolan.toml");
    std::fs::write(&file, config).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("chmod");

    let create = "CREATE EXTERNAL CONNECTION a AS 'nodelocal://self/a?TOKEN=swordfish'";
    let mut all = String::new();
    let mut run = |arguments: &[&str]| {
        let (done, text) = said(&portolan(home, arguments));
        all.push_str(&text);
        (done, text)
    };
    let (done, text) = run(&["sql", "-e", create]);
    assert!(done, "{text}");
    assert!(!store.join("master.key").exists());
    let show = ["sql", "-e", "SHOW CREATE EXTERNAL CONNECTION a"];
    let (done, text) = run(&show);
    assert!(done && text.contains("swordfish"), "{text}");
    let (_, text) = run(&["key", "list", "--format", "csv"]);
    assert!(text.contains("1,kms,aws-kms,"), "{text}");

    // The configuration is what is lost: it is told, and no key file is asked for or made.
    let configured = std::fs::read_to_string(&file).expect("read");
    let elsewhere = "[master_key]\nkms = \"gcp-kms:///projects/p/locations/l/keyRings/r/cryptoKeys/k?AUTH=implicit\"\n";
    for other in ["", elsewhere] {
        std::fs::write(&file, other).expect("written");
        let (done, text) = run(&show);
        assert!(!done, "{text}");
        assert_eq!(
            text,
            "ERROR: key slot 1 (kms) of the store cannot be opened: a key management service unwraps \
             its key, and the configuration names none that does\nSQLSTATE: F0000\nHINT: Name the key \
             that the store was made with: kms below [master_key] in portolan.toml.\n"
        );
        assert!(!store.join("master.key").exists());
    }
    std::fs::write(&file, configured).expect("written");
    assert!(text.contains("AWS_SECRET_ACCESS_KEY=redacted"), "{text}");
    let (done, text) = run(&["key", "add", "--key-file", "spare.key"]);
    assert!(done, "{text}");
    let (done, text) = run(&["key", "rotate"]);
    assert!(done, "{text}");
    let (done, text) = run(&["key", "add", "--kms", "--label", "second"]);
    assert!(done && text.contains("added key slot 3 (kms)"), "{text}");
    let (done, text) = run(&["key", "remove", "3", "--yes"]);
    assert!(done, "{text}");

    drop(moto);
    let (done, text) = run(&show);
    assert!(!done);
    assert!(
        text.starts_with("ERROR: key slot 1 (kms) of the store cannot be opened: "),
        "{text}"
    );
    assert!(text.contains("SQLSTATE: 08001"), "{text}");
    assert!(
        text.contains("Or open it with key slot 2 (key-file): see --unlock."),
        "{text}"
    );
    for quiet in [
        &["key", "--help"][..],
        &["completions", "bash"],
        &["store", "rescue"],
    ] {
        let (done, text) = run(quiet);
        assert!(done, "{text}");
    }
    let mut otherwise = vec!["--unlock", "key-file=spare.key"];
    otherwise.extend(show);
    let (done, text) = run(&otherwise);
    assert!(done && text.contains("swordfish"), "{text}");
    let (done, text) = run(&[
        "--unlock",
        "key-file=spare.key",
        "key",
        "remove",
        "1",
        "--yes",
    ]);
    assert!(done, "{text}");
    // Without a slot of the service, the store is opened with its key file.
    let (done, text) = run(&show);
    assert!(!done && text.contains("master.key is missing"), "{text}");
    assert!(!store.join("master.key").exists(), "no key is ever made");
    std::fs::rename(home.join("spare.key"), store.join("master.key")).expect("moved");
    let (done, text) = run(&show);
    assert!(done && text.contains("swordfish"), "{text}");

    assert!(
        !all.contains(&user.secret) && !all.contains(&secret),
        "{all}"
    );
    for entry in std::fs::read_dir(&store).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_file() && path != file {
            let bytes = std::fs::read(&path).expect("reads");
            for hidden in [user.secret.as_bytes(), secret.as_bytes(), b"swordfish"] {
                let found = bytes.windows(hidden.len()).any(|window| window == hidden);
                assert!(!found, "{}", path.display());
            }
        }
    }
}
