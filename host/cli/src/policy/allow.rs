//! `portolan policy allow`: a rule is written into the configuration, and nothing else of it changes.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use portolan::Rule;
use toml_edit::{Array, DocumentMut, Item, RawString, Table, Value};

use crate::args::PolicyAllowArguments;
use crate::config::Config;
use crate::report::{self, Failure};
use crate::store::Store;
use crate::way_out;

/// Runs the command.
pub(super) async fn run(store: &Store, arguments: &PolicyAllowArguments) -> Result<()> {
    let rule = way_out::rule(&arguments.rule)?;
    store.make_directory()?;
    // A store that is not made yet has no users to ask for, and no trail.
    if store.has_catalog() {
        let session = store.session().await?;
        session.note_policy_rule(&rule).await?;
    }
    // Written where a link leads to, so that the link stays.
    let path = match std::fs::canonicalize(&store.config_path) {
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => store.config_path.clone(),
        Err(error) => return Err(cannot("read", &store.config_path, error)),
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    // Two commands at once must not lose each other's rule.
    let lock = File::open(&directory).map_err(|error| cannot("write", &path, error))?;
    lock.lock().map_err(|error| cannot("write", &path, error))?;
    let (text, permissions) = read(&path)?;
    let Some(changed) = with_rule(&text, &rule)? else {
        report::line(&format!(
            "NOTICE: the rule {rule} is in {} already",
            path.display()
        ));
        return Ok(());
    };
    Config::parse(&changed).map_err(|mistake| {
        let message = format!("the rule would break the configuration: {mistake}");
        Failure::new("F0000", message).hint("correct the line, and allow the rule again")
    })?;
    replace(&directory, &path, &changed, permissions)
        .with_context(|| format!("cannot write the configuration {}", path.display()))?;
    report::line(&format!(
        "NOTICE: wrote the rule {rule} into {}",
        path.display()
    ));
    Ok(())
}

fn cannot(action: &str, path: &Path, error: std::io::Error) -> anyhow::Error {
    let context = format!("cannot {action} the configuration {}", path.display());
    anyhow::Error::new(error).context(context)
}

/// The file's text and who may read it; a missing one is empty, and for its owner alone.
fn read(path: &Path) -> Result<(String, Permissions)> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let metadata = std::fs::metadata(path).map_err(|error| cannot("read", path, error))?;
            Ok((text, metadata.permissions()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok((String::new(), Permissions::from_mode(0o600)))
        }
        Err(error) => Err(cannot("read", path, error)),
    }
}

fn replace(
    directory: &Path,
    path: &Path,
    text: &str,
    permissions: Permissions,
) -> std::io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".portolan.toml-")
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(directory)?.sync_all()
}

/// The text with the rule, or nothing where it is there already.
fn with_rule(text: &str, rule: &Rule) -> Result<Option<String>> {
    let mut document: DocumentMut = text.parse().map_err(|_| unreadable())?;
    if !document.contains_key("egress") {
        let table = table_at_the_end(&mut document);
        document.insert("egress", Item::Table(table));
    }
    let egress = document
        .entry("egress")
        .or_insert(Item::None)
        .as_table_like_mut()
        .ok_or_else(unreadable)?;
    let allow = egress
        .entry("allow")
        .or_insert_with(|| Item::Value(Value::Array(Array::new())))
        .as_array_mut()
        .ok_or_else(unreadable)?;
    let known = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    if allow
        .iter()
        .any(|value| known(value).as_ref() == Some(rule))
    {
        return Ok(None);
    }
    append(allow, Value::from(rule.to_string()));
    Ok(Some(document.to_string()))
}

/// A new table for the end of a document, below what is said there after the last value.
fn table_at_the_end(document: &mut DocumentMut) -> Table {
    let mut table = Table::new();
    let said = document.trailing().as_str().unwrap_or_default();
    if !said.trim().is_empty() {
        let said = said.trim_end_matches('\n');
        table.decor_mut().set_prefix(format!("{said}\n\n"));
        document.set_trailing("");
    }
    table
}

/// Adds a value at the end. A list with a value on each line goes on so; what is said beside the
/// last one stays beside it.
fn append(list: &mut Array, mut value: Value) {
    let text = |part: Option<&RawString>| {
        let text = part.and_then(RawString::as_str).unwrap_or_default();
        text.to_owned()
    };
    let closing = text(Some(list.trailing()));
    let comma = list.trailing_comma();
    let Some(last) = list.iter_mut().last().map(Value::decor_mut) else {
        value.decor_mut().set_prefix("");
        list.push_formatted(value);
        return;
    };
    let indent = text(last.prefix());
    let indent = indent.rsplit_once('\n').map_or(" ", |(_, indent)| indent);
    // What stands between the last value, or the comma after it, and the bracket.
    let between = if comma {
        closing
    } else {
        let suffix = text(last.suffix());
        last.set_suffix("");
        suffix
    };
    let (prefix, rest) = match between.rsplit_once('\n') {
        Some((beside, rest)) => (format!("{beside}\n{indent}"), format!("\n{rest}")),
        None => (" ".to_owned(), between),
    };
    value.decor_mut().set_prefix(prefix);
    if comma {
        list.set_trailing(rest);
    } else {
        value.decor_mut().set_suffix(rest);
    }
    list.push_formatted(value);
}

fn unreadable() -> Failure {
    Failure::new(
        "22023",
        "[egress] allow in the configuration is no list of rules",
    )
    .hint("write [egress] and below it allow = [\"minio.internal:9000\"]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().expect("a rule")
    }

    fn added(text: &str) -> Option<String> {
        let changed = with_rule(text, &rule("b:2")).expect("readable");
        if let Some(changed) = &changed {
            let config = Config::parse(changed).expect("a configuration");
            assert!(config.egress.allow.contains(&"b:2".to_owned()), "{changed}");
        }
        changed
    }

    #[test]
    fn comments_order_and_layout_stay() {
        for (before, after) in [
            ("", "[egress]\nallow = [\"b:2\"]\n"),
            (
                "# of the host\n\n# nothing yet",
                "# of the host\n\n# nothing yet\n\n[egress]\nallow = [\"b:2\"]\n",
            ),
            (
                "user = \"etl\"\n\n# more to come\n",
                "user = \"etl\"\n\n# more to come\n\n[egress]\nallow = [\"b:2\"]\n",
            ),
            (
                "# who\nuser = \"etl\"  # acts\n",
                "# who\nuser = \"etl\"  # acts\n\n[egress]\nallow = [\"b:2\"]\n",
            ),
            (
                "[egress] # out\nallow = [ 'a:1' ] # one\n\n[probe]\ntimeout = \"1s\"\n",
                "[egress] # out\nallow = [ 'a:1', \"b:2\" ] # one\n\n[probe]\ntimeout = \"1s\"\n",
            ),
            (
                "[egress]\nallow = [\n  \"a:1\", # first\n  \"c:3\",\n]\n",
                "[egress]\nallow = [\n  \"a:1\", # first\n  \"c:3\",\n  \"b:2\",\n]\n",
            ),
            (
                "[egress]\nallow = [\n  \"a:1\", # first\n]\n",
                "[egress]\nallow = [\n  \"a:1\", # first\n  \"b:2\",\n]\n",
            ),
            (
                "[egress]\nallow = [\n  \"a:1\" # first\n]\n",
                "[egress]\nallow = [\n  \"a:1\", # first\n  \"b:2\"\n]\n",
            ),
            (
                "egress.allow = [\n\t\"a:1\"\n]\n",
                "egress.allow = [\n\t\"a:1\",\n\t\"b:2\"\n]\n",
            ),
            (
                "egress = { allow = [\"a:1\"] }\n",
                "egress = { allow = [\"a:1\", \"b:2\"] }\n",
            ),
            ("egress.allow = []\n", "egress.allow = [\"b:2\"]\n"),
            (
                "[egress.connect_to]\n\"a:1\" = \"127.0.0.1:1\"\n",
                "[egress]\nallow = [\"b:2\"]\n[egress.connect_to]\n\"a:1\" = \"127.0.0.1:1\"\n",
            ),
        ] {
            assert_eq!(added(before).as_deref(), Some(after), "{before}");
        }
    }

    #[test]
    fn a_rule_that_is_there_in_any_spelling_is_not_written_twice() {
        assert_eq!(added("[egress]\nallow = [\"B.:2\"]\n"), None);
        assert_eq!(added("egress.allow = ['b:2']\n"), None);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["egress = 1\n", "[egress]\nallow = \"a\"\n", "[egress\n"] {
            with_rule(text, &rule("b:2")).expect_err(text);
        }
    }
}
