//! Phase one: the node and the directory, or the reason why not.

use portolan_sdk::{Failure, Kind, Plan, UriPieces, Value, decoded_path, joined, print_redacted};

/// The longest name of a file or directory, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// The plan of a `nodelocal` URI: an object store of the host's own directory. Options are neither
/// read nor refused: they belong to whoever uses the connection.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    if uri.user.is_some() || uri.password.is_some() {
        return Err(
            invalid("a nodelocal URI takes no user and no password", uri)
                .with_hint("Write nodelocal://self/PATH."),
        );
    }
    node(uri)?;
    let Value::Text(path) = &uri.path else {
        return Err(Failure::invalid_uri("local storage needs its path as text"));
    };
    if path.is_empty() {
        return Err(
            Failure::invalid_uri("local storage requested but path not provided").with_hint(
                "Write nodelocal://self/PATH; a lone / after the node is the shared directory itself.",
            ),
        );
    }
    let prefix = decoded_path(path)
        .map_err(|error| invalid(error.message(), uri).with_hint(error.hint()))?;
    file_names(&prefix, uri)?;
    Ok(Plan::new(Kind::Storage)
        .supports(Plan::STORAGE_OPERATIONS)
        .implicit_access("the file system of the server")
        .object_store("nodelocal", &uri.authority, &prefix))
}

/// The node is `self` or a number; every node is this host, so the number itself says nothing.
fn node(uri: &UriPieces) -> Result<(), Failure> {
    let node = uri.authority.as_str();
    if node.is_empty() {
        return Err(invalid(
            "host component of nodelocal URI must be a node ID (use 'self' to specify each node \
             should access its own local filesystem)",
            uri,
        )
        .with_hint("Write nodelocal://self/PATH, or nodelocal://1/PATH."));
    }
    let number = node.bytes().all(|byte| byte.is_ascii_digit()) && node.parse::<i32>().is_ok();
    if number || node == "self" {
        return Ok(());
    }
    Err(
        invalid("host component of nodelocal URI must be a node ID", uri)
            .with_hint("Write self or a whole number, such as 1, without a port."),
    )
}

/// What no file of the host can be called is refused now, and not when the connection is used.
fn file_names(prefix: &str, uri: &UriPieces) -> Result<(), Failure> {
    if prefix.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(invalid("the path holds a control character", uri)
            .with_hint("Write the directory without line breaks, tabs and their escapes."));
    }
    if prefix.split('/').any(|name| name.len() > MAX_NAME_BYTES) {
        return Err(invalid("a name in the path has more than 255 bytes", uri)
            .with_hint("Write / between shorter names; no file system holds a longer one."));
    }
    Ok(())
}

fn invalid(what: &str, uri: &UriPieces) -> Failure {
    Failure::invalid_uri(joined(&[
        "invalid `nodelocal` URI: ",
        what,
        ": ",
        &print_redacted(uri),
    ]))
}

#[cfg(test)]
mod tests {
    use portolan_sdk::testing::pieces;
    use portolan_sdk::{FailureClass, ObjectStore, Operation, PlanEntry, Provider};

    use super::*;
    use crate::Nodelocal;

    fn planned(uri: &str) -> Result<Plan, Failure> {
        plan(&pieces(uri, &["COCKROACH_LOCALITY"]))
    }

    fn store(uri: &str) -> ObjectStore {
        planned(uri)
            .expect("a plan")
            .store()
            .expect("a store")
            .clone()
    }

    fn message(uri: &str) -> String {
        let failure = planned(uri).expect_err(uri);
        assert_eq!(failure.class, FailureClass::InvalidUri);
        failure.message
    }

    #[test]
    fn a_uri_becomes_a_store_of_the_host() {
        let plan = planned("nodelocal://1/foo/bar%20baz/").expect("a plan");
        assert_eq!(
            plan.into_entries(),
            [
                PlanEntry::Kind(Kind::Storage),
                PlanEntry::Supports(Operation::Backup),
                PlanEntry::Supports(Operation::Restore),
                PlanEntry::Supports(Operation::Import),
                PlanEntry::Supports(Operation::Export),
                PlanEntry::Supports(Operation::Changefeed),
                PlanEntry::ImplicitAccess("the file system of the server".to_owned()),
                PlanEntry::ObjectStore(ObjectStore {
                    backend: "nodelocal".to_owned(),
                    container: "1".to_owned(),
                    prefix: "foo/bar baz".to_owned(),
                }),
            ]
        );
    }

    #[test]
    fn self_and_a_lone_slash_are_enough() {
        assert_eq!(store("nodelocal://self/").container, "self");
        assert_eq!(store("nodelocal://0/").prefix, "");
        assert_eq!(store("nodelocal://0/a//b").prefix, "a/b");
    }

    #[test]
    fn a_node_that_is_no_number_is_refused() {
        assert_eq!(
            message("nodelocal:///foo"),
            "invalid `nodelocal` URI: host component of nodelocal URI must be a node ID (use 'self' \
             to specify each node should access its own local filesystem): nodelocal:///foo"
        );
        for node in [
            "a",
            "Self",
            "1:80",
            "-1",
            "+1",
            "1.5",
            "99999999999",
            "1,2",
            "١",
        ] {
            assert_eq!(
                message(&format!("nodelocal://{node}/foo")),
                format!(
                    "invalid `nodelocal` URI: host component of nodelocal URI must be a node ID: \
                     nodelocal://{node}/foo"
                )
            );
        }
    }

    #[test]
    fn a_missing_path_is_refused() {
        assert_eq!(
            message("nodelocal://1"),
            "local storage requested but path not provided"
        );
    }

    #[test]
    fn a_dot_segment_is_refused_however_it_is_encoded() {
        for path in [
            "..",
            "a/../b",
            "%2e%2E/b",
            "%252e%252e",
            "a%2f..",
            ".",
            "a/%2e",
        ] {
            let message = message(&format!("nodelocal://1/{path}"));
            assert!(message.contains("`.` or `..` segment"), "{message}");
        }
    }

    #[test]
    fn a_name_that_no_file_can_have_is_refused() {
        for path in ["a%0ab", "a%09b", "%1b%5b2J", "a%7f"] {
            let message = message(&format!("nodelocal://1/{path}"));
            assert_eq!(
                message,
                format!(
                    "invalid `nodelocal` URI: the path holds a control character: \
                     nodelocal://1/{path}"
                )
            );
        }
        for path in ["a%00b", "a%5cb", "a%255cb"] {
            let message = message(&format!("nodelocal://1/{path}"));
            assert!(message.contains("a NUL or a backslash"), "{message}");
        }
        let longest = "a".repeat(255);
        assert_eq!(
            store(&format!("nodelocal://1/{longest}/b")).prefix.len(),
            257
        );
        let message = message(&format!("nodelocal://1/b/{longest}a"));
        assert!(message.contains("more than 255 bytes"), "{message}");
    }

    #[test]
    fn a_refusal_shows_no_secret() {
        let uri = "nodelocal://user:hunter2@a/foo?TOKEN=hunter3&COCKROACH_LOCALITY=region%3Dx";
        let failure = planned(uri).expect_err("a user");
        assert_eq!(
            failure.message,
            "invalid `nodelocal` URI: a nodelocal URI takes no user and no password: \
             nodelocal://user:redacted@a/foo?COCKROACH_LOCALITY=region%3Dx&TOKEN=redacted"
        );
    }

    #[test]
    fn options_of_whoever_uses_the_connection_are_kept() {
        let uri = pieces("nodelocal://1/x?file_size=1MB&partition_format=daily", &[]);
        assert!(plan(&uri).is_ok());
        assert_eq!(
            print_redacted(&Nodelocal::redact(uri)),
            "nodelocal://1/x?file_size=redacted&partition_format=redacted"
        );
    }
}
