//! Phase one: the set of files and the path in it, or the reason why not.

use percent_encoding::percent_decode_str;
use portolan_sdk::{
    Failure, Kind, Options, PathError, Plan, UriPieces, Value, decoded_path, joined,
};

use crate::set::{self, SetError};

/// The one option, which says nothing to this host.
const LOCALITY: &str = "COCKROACH_LOCALITY";

/// The longest name between two `/`, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// The plan of a `userfile` URI: an object store of the host, whose container is the set of files. An
/// empty one stands for the set of whoever creates the connection, which the host fills in.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let mut options = Options::of(uri);
    options.value(LOCALITY);
    options.refuse_unknown("userfile").map_err(unknown)?;
    if uri.user.is_some() || uri.password.is_some() {
        return Err(
            Failure::invalid_uri("a userfile URI takes no user and no password").with_hint(
                "Write userfile:///PATH for your own files; who uses them is a matter of grants.",
            ),
        );
    }
    let host = percent_decode_str(&uri.authority)
        .decode_utf8()
        .map_err(|_| set_failure(SetError::NoIdentifier))?;
    let set = set::name(&host).map_err(set_failure)?;
    let Value::Text(path) = &uri.path else {
        return Err(Failure::invalid_uri("user files need their path as text"));
    };
    let prefix = normalised(path)?;
    Ok(Plan::new(Kind::Storage)
        .supports(Plan::STORAGE_OPERATIONS)
        .object_store("userfile", &set, &prefix))
}

fn unknown(failure: Failure) -> Failure {
    let miswritten = failure
        .option_name
        .as_deref()
        .is_some_and(|name| name.eq_ignore_ascii_case(LOCALITY));
    failure.with_hint(if miswritten {
        "Did you mean COCKROACH_LOCALITY? Parameters are told apart by their case."
    } else {
        "Write userfile:///PATH without the parameter."
    })
}

/// The decoded path without its leading `/`. It must be what is left of it when dots and slashes that
/// say nothing are taken out, so that one place has one name.
fn normalised(path: &str) -> Result<String, Failure> {
    let decoded = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| path_failure(PathError::NotUtf8))?;
    if decoded.contains(char::is_control) {
        return Err(Failure::invalid_uri("the path holds a control character")
            .with_hint("Write the path without line breaks, tabs and their escapes."));
    }
    let clean = cleaned(&decoded);
    if *decoded != clean && !decoded.is_empty() {
        return Err(Failure::invalid_uri(joined(&[
            "path ",
            &decoded,
            " changes after normalization to ",
            &clean,
            ". userfile upload does not permit such path constructs",
        ]))
        .with_hint(
            "Write the path that it becomes: no `.`, no `..`, no `//`, no `/` at its end.",
        ));
    }
    let prefix = decoded_path(path).map_err(path_failure)?;
    if prefix.split('/').any(|name| name.len() > MAX_NAME_BYTES) {
        return Err(
            Failure::invalid_uri("a name in the path has more than 255 bytes")
                .with_hint("Write / between shorter names."),
        );
    }
    Ok(prefix)
}

/// The shortest path that means the same, as the ancestor's library for paths forms it.
fn cleaned(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    let mut clean = String::with_capacity(path.len() + 1);
    for name in names {
        clean.push('/');
        clean.push_str(name);
    }
    if clean.is_empty() {
        clean.push('/');
    }
    clean
}

fn set_failure(error: SetError) -> Failure {
    let what = match error {
        SetError::NotThree => "the host of a userfile URI is three identifiers: db.schema.prefix",
        SetError::NoIdentifier => "the host of a userfile URI holds what is no identifier",
        SetError::Control => "the host of a userfile URI holds a control character",
        SetError::TooLong => "an identifier in the host of a userfile URI has more than 255 bytes",
    };
    Failure::invalid_uri(what).with_hint(
        "Write userfile:///PATH for your own files, or userfile://db.schema.prefix/PATH with \
         letters, digits and _; other characters stand between %22 and %22.",
    )
}

fn path_failure(error: PathError) -> Failure {
    match error {
        PathError::DotSegment => {
            Failure::invalid_uri("the path becomes `.` or `..` when it is decoded again")
                .with_hint("Write the path that is meant, without escapes of escapes.")
        }
        PathError::Character => Failure::invalid_uri("the path holds a NUL or a backslash")
            .with_hint("Write / between the names of the path."),
        PathError::NotUtf8 => Failure::invalid_uri("the path is not UTF-8 once it is decoded")
            .with_hint("Write the path in UTF-8, percent-encoded where it must be."),
    }
}

#[cfg(test)]
mod tests {
    use portolan_sdk::testing::pieces;
    use portolan_sdk::{FailureClass, ObjectStore, Operation, PlanEntry, Provider, print_redacted};

    use super::*;
    use crate::Userfile;

    fn planned(uri: &str) -> Result<Plan, Failure> {
        plan(&pieces(uri, &["COCKROACH_LOCALITY"]))
    }

    fn store(uri: &str) -> (String, String) {
        let plan = planned(uri).expect(uri);
        let store = plan.store().expect("a store");
        (store.container.clone(), store.prefix.clone())
    }

    fn message(uri: &str) -> String {
        let failure = planned(uri).expect_err(uri);
        assert_eq!(failure.class, FailureClass::InvalidUri);
        assert!(failure.hint.is_some(), "{failure:?}");
        failure.message
    }

    #[test]
    fn a_uri_becomes_a_store_of_the_host_whose_access_is_explicit() {
        let uri = "userfile://defaultdb.public.Files/foo/bar%20baz?COCKROACH_LOCALITY=region%3Dx";
        assert_eq!(
            planned(uri).expect("a plan").into_entries(),
            [
                PlanEntry::Kind(Kind::Storage),
                PlanEntry::Supports(Operation::Backup),
                PlanEntry::Supports(Operation::Restore),
                PlanEntry::Supports(Operation::Import),
                PlanEntry::Supports(Operation::Export),
                PlanEntry::Supports(Operation::Changefeed),
                PlanEntry::ObjectStore(ObjectStore {
                    backend: "userfile".to_owned(),
                    container: "defaultdb.public.files".to_owned(),
                    prefix: "foo/bar baz".to_owned(),
                }),
            ]
        );
    }

    #[test]
    fn without_a_host_the_set_is_left_to_the_host_program() {
        for (uri, prefix) in [
            ("userfile:///a/b", "a/b"),
            ("userfile:///", ""),
            ("userfile://", ""),
            ("userfile:///...a/.b/..c", "...a/.b/..c"),
            ("userfile:///%25", "%"),
        ] {
            assert_eq!(store(uri), (String::new(), prefix.to_owned()), "{uri}");
        }
    }

    #[test]
    fn a_set_is_named_by_three_identifiers_and_quotes_are_escaped() {
        let odd = "userfile://a.b.%22userfiles_ana%40example.com%22/x";
        assert_eq!(store(odd).0, "a.b.\"userfiles_ana@example.com\"");
        assert_eq!(
            message("userfile://files/x"),
            "the host of a userfile URI is three identifiers: db.schema.prefix"
        );
        for host in ["a.b.c:80", "a.b.c-d", "a.b.", "a.b.%ff", "a.b.%22c"] {
            assert_eq!(
                message(&format!("userfile://{host}/x")),
                "the host of a userfile URI holds what is no identifier",
                "{host}"
            );
        }
        assert_eq!(
            message("userfile://a.b.%22c%0ad%22/x"),
            "the host of a userfile URI holds a control character"
        );
        assert_eq!(
            message(&format!("userfile://a.b.{}/x", "c".repeat(256))),
            "an identifier in the host of a userfile URI has more than 255 bytes"
        );
    }

    #[test]
    fn a_path_that_normalization_would_change_is_refused_in_the_ancestors_words() {
        for (path, decoded, clean) in [
            ("/foo/..", "/foo/..", "/"),
            ("/foo/../bar", "/foo/../bar", "/bar"),
            ("/a/./b", "/a/./b", "/a/b"),
            ("/a//b", "/a//b", "/a/b"),
            ("/a/", "/a/", "/a"),
            ("//", "//", "/"),
            ("/../..", "/../..", "/"),
            ("/%2e%2E/b", "/../b", "/b"),
            ("/a%2f..%2fb", "/a/../b", "/b"),
        ] {
            assert_eq!(
                message(&format!("userfile://{path}")),
                format!(
                    "path {decoded} changes after normalization to {clean}. userfile upload does \
                     not permit such path constructs"
                )
            );
        }
    }

    #[test]
    fn what_becomes_dots_or_worse_when_it_is_decoded_again_is_refused() {
        assert_eq!(
            message("userfile:///a/%252e%252e"),
            "the path becomes `.` or `..` when it is decoded again"
        );
        for path in ["a%5cb", "a%255cb", "a%2500b"] {
            assert_eq!(
                message(&format!("userfile:///{path}")),
                "the path holds a NUL or a backslash",
                "{path}"
            );
        }
        for path in ["a%0ab", "a%09b", "%1b%5b2J", "a%00b", "a%c2%9bb"] {
            assert_eq!(
                message(&format!("userfile:///{path}")),
                "the path holds a control character",
                "{path}"
            );
        }
        assert_eq!(
            message("userfile:///a%ff"),
            "the path is not UTF-8 once it is decoded"
        );
    }

    #[test]
    fn a_name_may_have_255_bytes_and_no_more() {
        let longest = "a".repeat(255);
        assert_eq!(store(&format!("userfile:///{longest}/b")).1.len(), 257);
        assert_eq!(
            message(&format!("userfile:///b/{longest}a")),
            "a name in the path has more than 255 bytes"
        );
    }

    #[test]
    fn unknown_parameters_are_named_before_anything_else_is_looked_at() {
        let uri =
            "userfile://u:hunter2@files/a/..?TOKEN=hunter3&COCKROACH_LOCALITY=x&AUTH=implicit";
        let failure = planned(uri).expect_err("unknown");
        assert_eq!(
            failure.message,
            "unknown userfile query parameters: TOKEN, AUTH"
        );
        assert_eq!(failure.option_name.as_deref(), Some("TOKEN"));
        assert!(!format!("{failure:?}").contains("hunter"));
        let failure = planned("userfile:///a?cockroach_locality=x").expect_err("another case");
        let hint = failure.hint.expect("a hint");
        assert!(
            hint.starts_with("Did you mean COCKROACH_LOCALITY?"),
            "{hint}"
        );
    }

    #[test]
    fn a_user_or_a_password_is_refused_before_the_host_and_the_host_before_the_path() {
        for userinfo in ["root", "root:hunter2", ":hunter2"] {
            let message = message(&format!("userfile://{userinfo}@files/a/.."));
            assert_eq!(message, "a userfile URI takes no user and no password");
        }
        assert!(message("userfile://files/a/..").starts_with("the host of"));
    }

    #[test]
    fn what_is_shown_is_what_was_given() {
        let uri = "userfile://a.b.C/x%20y?COCKROACH_LOCALITY=region%3Dx";
        let shown = print_redacted(&Userfile::redact(pieces(uri, &["COCKROACH_LOCALITY"])));
        assert_eq!(shown, uri);
    }
}
