//! There and back, and everything that is refused; no secret is in anything that is printed or kept.

use crate::home::{errors, files};
use crate::keys::{Keys, content, escaped};

const CHUNK: usize = 64 << 10;

#[test]
fn what_is_encrypted_is_decrypted_again_through_files_and_pipes() {
    let keys = Keys::new();
    for length in [0, 5, CHUNK, 3 * (1 << 20) + 7] {
        let content = content(length);
        let envelope = keys.encrypted(&content);
        if length > 4 {
            let shown = envelope.windows(5).any(|part| part == &content[..5]);
            assert!(!shown, "it is encrypted");
        }
        let output = keys.run(&["decrypt", "external://key"], &envelope);
        assert!(output.status.success(), "{}", errors(&output));
        assert!(output.stdout == content, "{length}");
    }
    std::fs::write(keys.home.path("dump"), content(200_000)).expect("written");
    let script = "set -o pipefail; portolan encrypt external://key < dump | portolan put - external://a/dump.enc && \
                  portolan cat external://a/dump.enc | portolan decrypt external://key | cmp - dump";
    let output = shell(&keys, script);
    assert_eq!((output.status.code(), &*errors(&output)), (Some(0), ""));
    // The names of key and service are in the header, as the service has them.
    let stored = std::fs::read(keys.home.objects("a").join("dump.enc")).expect("stored");
    let header = String::from_utf8_lossy(&stored[..200]).into_owned();
    assert!(
        header.contains("aws-kms") && header.contains(keys.moto.arn()),
        "{header}"
    );
}

fn shell(keys: &Keys, script: &str) -> std::process::Output {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_portolan"));
    let folder = program.parent().expect("a folder").display();
    let path = std::env::var("PATH").expect("a path");
    let home = &keys.home;
    #[expect(clippy::disallowed_methods, reason = "the test is about commands")]
    let mut command = std::process::Command::new("bash");
    command
        .args(["-c", script])
        .current_dir(home.path(""))
        .env_clear()
        .env("PATH", format!("{folder}:{path}"))
        .env("HOME", home.path(""))
        .env("PORTOLAN_STORE", home.path("store"));
    command.output().expect("it runs")
}

#[test]
fn what_was_cut_or_changed_gives_its_authentic_beginning_and_says_so() {
    let keys = Keys::new();
    let content = content(2 * CHUNK + 9);
    let envelope = keys.encrypted(&content);
    let start = envelope.len() - content.len() - 3 * 16;
    let second = start + CHUNK + 16;
    let mut changed = envelope.clone();
    changed[second + 5] ^= 1;
    let whole = "DETAIL: 65536 bytes were written: they are the authentic beginning of the content, and \
                 not all of it\n";
    let again = "HINT: fetch the envelope again from where it was stored, as binary; do not use what \
                 was decrypted of this one\n";
    for (what, envelope, written, message) in [
        (
            "cut at a border",
            &envelope[..second],
            0,
            "the envelope ends too early: 0 bytes of its content were whole",
        ),
        (
            "cut at a later border",
            &envelope[..second + CHUNK + 16],
            CHUNK,
            "the envelope ends too early: 65536 bytes of its content were whole",
        ),
        (
            "changed",
            &changed,
            CHUNK,
            "the envelope was changed: after 65536 bytes of its content comes something else",
        ),
        (
            "no content",
            &envelope[..start],
            0,
            "the envelope ends too early: 0 bytes of its content were whole",
        ),
    ] {
        let output = keys.run(&["decrypt", "external://key"], envelope);
        assert_eq!(output.status.code(), Some(1), "{what}");
        assert!(output.stdout == content[..written], "{what}");
        let detail = if written == 0 { "" } else { whole };
        let expected = format!("ERROR: {message}\nSQLSTATE: XX001\n{detail}{again}");
        assert_eq!(errors(&output), expected, "{what}");
    }
}

#[test]
fn a_header_that_was_changed_opens_nothing() {
    let keys = Keys::new();
    let envelope = keys.encrypted(b"content");
    // In the prefix of the nonces, which no service looks at.
    let mut changed = envelope.clone();
    let start = envelope.len() - 7 - 16;
    changed[start - 1] ^= 1;
    let output = keys.run(&["decrypt", "external://key"], &changed);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let told = errors(&output);
    assert!(
        told.starts_with("ERROR: the envelope was changed: after 0 bytes"),
        "{told}"
    );
    // In the name of the provider.
    let mut foreign = envelope.clone();
    foreign[15..22].copy_from_slice(b"gcp-kms");
    let output = keys.run(&["decrypt", "external://key"], &foreign);
    let told = errors(&output);
    assert_eq!(
        told,
        format!(
            "ERROR: the envelope was made with a key of provider gcp-kms, and the connection is one \
             of aws-kms\nSQLSTATE: 22023\nHINT: decrypt it with a connection to the gcp-kms key {}\n",
            keys.moto.arn()
        )
    );
    // In the wrapped data key, which the service refuses.
    let mut unwrapped = envelope;
    unwrapped[start - 10] ^= 1;
    let output = keys.run(&["decrypt", "external://key"], &unwrapped);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let told = errors(&output);
    assert!(told.starts_with("ERROR: AWS KMS answered "), "{told}");
}

#[test]
fn who_may_not_decrypt_or_has_no_usage_is_told_and_no_secret_is_anywhere() {
    let keys = Keys::new();
    let envelope = keys.encrypted(b"the-content-of-this-test");
    let mut wrong = keys.moto.user("all");
    wrong.secret = "wrong+secret/of-20-letters".to_owned();
    keys.create("wrong", &wrong, "");
    keys.home.done(&["sql", "-e", "CREATE USER eve"]);
    let mut all = String::new();
    for (arguments, state, words) in [
        (
            &["decrypt", "external://encrypts"][..],
            "28000",
            "AWS KMS answered",
        ),
        (
            &["encrypt", "external://wrong"],
            "28000",
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            &["decrypt", "external://wrong"],
            "28000",
            "AWS KMS answered 403",
        ),
        (
            &["--user", "eve", "decrypt", "external://key"],
            "42501",
            "does not have USAGE",
        ),
        (
            &["--user", "eve", "encrypt", "external://key"],
            "42501",
            "does not have USAGE",
        ),
        (
            &["decrypt", "external://a"],
            "42809",
            "KMS cannot use object of type STORAGE",
        ),
    ] {
        let output = keys.run(arguments, &envelope);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let told = errors(&output);
        assert!(told.contains(&format!("SQLSTATE: {state}")), "{told}");
        assert!(told.contains(words) && told.contains("HINT: "), "{told}");
        all.push_str(&told);
    }
    all.push_str(
        &keys
            .home
            .done(&["sql", "-e", "SHOW AUDIT", "--format", "json"]),
    );
    let secret = keys.moto.user("all").secret;
    for forbidden in [
        &secret,
        &escaped(&secret),
        "wrong+secret",
        "the-content-of-this-test",
    ] {
        assert!(!all.contains(forbidden), "{all}");
    }
    let store = keys.home.path("store");
    for file in files(&store) {
        let kept = std::fs::read(store.join(&file)).expect("a file");
        for forbidden in [
            secret.as_bytes(),
            b"wrong+secret",
            b"the-content-of-this-test",
        ] {
            let found = kept.windows(forbidden.len()).any(|part| part == forbidden);
            assert!(!found, "{file}");
        }
    }
}
