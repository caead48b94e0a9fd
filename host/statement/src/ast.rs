//! The statements as a tree: what was written, with every default still absent.
//!
//! A text that may hold a secret is a [`SecretText`], so that neither `Debug` nor a forgotten log
//! line can show it. The two printers are in the parent: [`Statement::to_sql_with_secrets`] and
//! `Display`, which masks.

use std::collections::BTreeSet;

use portolan_secret::SecretText;

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `CREATE EXTERNAL CONNECTION …`
    CreateConnection(CreateConnection),
    /// `EXPLAIN CREATE EXTERNAL CONNECTION …`: what it would do, without doing it.
    ExplainCreateConnection(CreateConnection),
    /// `ALTER EXTERNAL CONNECTION …`
    AlterConnection(AlterConnection),
    /// `DROP EXTERNAL CONNECTION …`
    DropConnection(DropConnection),
    /// `SHOW CREATE EXTERNAL CONNECTION …` and `SHOW CREATE ALL EXTERNAL CONNECTIONS`
    ShowCreateConnection(ShowCreateConnection),
    /// `SHOW EXTERNAL CONNECTION …` and `SHOW EXTERNAL CONNECTIONS`
    ShowConnections(ShowConnections),
    /// `CHECK EXTERNAL CONNECTION …`
    CheckConnection(CheckConnection),
    /// `VALIDATE EXTERNAL CONNECTION …`
    ValidateConnection(ValidateConnection),
    /// `COMMENT ON EXTERNAL CONNECTION … IS …`
    CommentOnConnection(CommentOnConnection),
    /// `GRANT …`
    Grant(Grant),
    /// `REVOKE …`
    Revoke(Revoke),
    /// `SHOW GRANTS ON EXTERNAL CONNECTION …`
    ShowGrants(ShowGrants),
    /// `SHOW SYSTEM GRANTS`
    ShowSystemGrants(ShowSystemGrants),
    /// `CREATE USER …` and `CREATE ROLE …`
    CreatePrincipal(CreatePrincipal),
    /// `DROP USER …` and `DROP ROLE …`
    DropPrincipal(DropPrincipal),
    /// `SHOW USERS` and `SHOW ROLES`
    ShowPrincipals(PrincipalKind),
    /// `SHOW PROVIDERS`
    ShowProviders,
    /// `SHOW AUDIT …`
    ShowAudit(ShowAudit),
    /// `BEGIN`, `COMMIT` and `ROLLBACK`
    Transaction(Transaction),
}

/// A text of a statement: written out, or left to a parameter.
///
/// It makes no difference whether the text was written as `'text'`, `e'text'`, `$$text$$` or, where
/// the grammar takes one, as an identifier (folded to lower case unless it was quoted).
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    /// The text itself.
    Literal(SecretText),
    /// `$n`, counted from 1.
    Placeholder(u32),
}

/// A whole number of a statement: written out, or left to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// The number itself.
    Literal(u64),
    /// `$n`, counted from 1.
    Placeholder(u32),
}

/// `CREATE EXTERNAL CONNECTION [IF NOT EXISTS] name AS uri [PARAMETERS (…)] [WITH …]`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateConnection {
    /// Whether an existing connection of that name is left alone without an error.
    pub if_not_exists: bool,
    /// The name of the connection.
    pub name: Text,
    /// The provider's URI.
    pub uri: Text,
    /// Options of the URI as raw values, to be percent-encoded into it.
    pub parameters: Vec<Parameter>,
    /// What follows `WITH`.
    pub options: ConnectionOptions,
}

/// One `NAME = value` of `PARAMETERS (…)` and `SET (…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The option's name, case as written: `[A-Za-z][A-Za-z0-9_.-]{0,63}`.
    pub name: String,
    /// Its raw value, not percent-encoded.
    pub value: Text,
}

/// What `WITH` says about a connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConnectionOptions {
    /// `VALIDATE = 'none' | 'read' | 'full'`, unchecked.
    pub validate: Option<Text>,
    /// `COMMENT = '…'`
    pub comment: Option<Text>,
}

/// `ALTER EXTERNAL CONNECTION [IF EXISTS] name …`
#[derive(Debug, Clone, PartialEq)]
pub struct AlterConnection {
    /// Whether a missing connection is no error.
    pub if_exists: bool,
    /// The name of the connection.
    pub name: Text,
    /// What is to change.
    pub change: Change,
}

/// What an `ALTER EXTERNAL CONNECTION` changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// `AS uri [PARAMETERS (…)] [WITH …]`: the whole URI is replaced.
    Uri {
        /// The new URI.
        uri: Text,
        /// Options of the new URI as raw values.
        parameters: Vec<Parameter>,
        /// What follows `WITH`.
        options: ConnectionOptions,
    },
    /// `SET (NAME = value, …) [WITH …]`: some options of the stored URI are replaced.
    Set {
        /// The options and their raw values.
        parameters: Vec<Parameter>,
        /// What follows `WITH`.
        options: ConnectionOptions,
    },
    /// `RESET (NAME, …) [WITH …]`: some options of the stored URI are taken out.
    Reset {
        /// The names of the options, case as written.
        names: Vec<String>,
        /// What follows `WITH`.
        options: ConnectionOptions,
    },
    /// `RENAME TO name`
    Rename(Text),
    /// `OWNER TO role`
    Owner(String),
}

/// `DROP EXTERNAL CONNECTION [IF EXISTS] name [, …]`
#[derive(Debug, Clone, PartialEq)]
pub struct DropConnection {
    /// Whether a missing connection is no error.
    pub if_exists: bool,
    /// The names, at least one.
    pub names: Vec<Text>,
}

/// `SHOW CREATE EXTERNAL CONNECTION name` or `SHOW CREATE ALL EXTERNAL CONNECTIONS`
#[derive(Debug, Clone, PartialEq)]
pub struct ShowCreateConnection {
    /// The one to show, or all.
    pub name: Option<Text>,
}

/// `SHOW EXTERNAL CONNECTION name` or `SHOW EXTERNAL CONNECTIONS`, either `[WITH COMMENT]`
#[derive(Debug, Clone, PartialEq)]
pub struct ShowConnections {
    /// The one to show, or all.
    pub name: Option<Text>,
    /// `WITH COMMENT`: one column more.
    pub with_comment: bool,
}

/// `CHECK EXTERNAL CONNECTION target [WITH …]`
#[derive(Debug, Clone, PartialEq)]
pub struct CheckConnection {
    /// A storage URI, usually `external://name[/path]`.
    pub target: Text,
    /// `CONCURRENTLY = n`: how many workers.
    pub concurrently: Option<Number>,
    /// `TRANSFER = '32 MiB'`: how much each worker writes and reads.
    pub transfer: Option<Text>,
    /// `TIME = '10s'`: for how long the workers repeat that.
    pub time: Option<Text>,
}

/// `VALIDATE EXTERNAL CONNECTION name [WITH VALIDATE = …]`
#[derive(Debug, Clone, PartialEq)]
pub struct ValidateConnection {
    /// The name of the connection.
    pub name: Text,
    /// `VALIDATE = 'none' | 'read' | 'full'`, unchecked.
    pub validate: Option<Text>,
}

/// `COMMENT ON EXTERNAL CONNECTION name IS '…' | NULL`
#[derive(Debug, Clone, PartialEq)]
pub struct CommentOnConnection {
    /// The name of the connection.
    pub name: Text,
    /// The comment; none takes it away.
    pub comment: Option<Text>,
}

/// What a GRANT gives and a REVOKE takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// Privileges on connections.
    OnConnections {
        /// The privileges, at least one.
        privileges: Vec<Privilege>,
        /// The names of the connections, at least one.
        connections: Vec<String>,
    },
    /// `SYSTEM` privileges.
    System(Vec<Privilege>),
    /// Membership in roles.
    Roles(Vec<String>),
}

/// The name of a privilege. Whether it exists is not decided here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Privilege {
    /// `ALL [PRIVILEGES]`
    All,
    /// Any other one, in upper case: `USAGE`.
    Named(String),
}

/// `GRANT … TO role [, …] [WITH GRANT OPTION | WITH ADMIN OPTION]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What is given.
    pub granted: Granted,
    /// To whom, at least one.
    pub grantees: Vec<String>,
    /// Whether they may pass it on: `WITH GRANT OPTION`, for roles `WITH ADMIN OPTION`.
    pub with_option: bool,
}

/// `REVOKE [GRANT OPTION FOR | ADMIN OPTION FOR] … FROM role [, …]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoke {
    /// What is taken.
    pub granted: Granted,
    /// From whom, at least one.
    pub grantees: Vec<String>,
    /// Whether only the right to pass it on is taken.
    pub only_option: bool,
}

/// `SHOW GRANTS ON EXTERNAL CONNECTION name [, …] [FOR role [, …]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowGrants {
    /// The names of the connections, at least one.
    pub connections: Vec<String>,
    /// Whose grants; none means everybody's.
    pub grantees: Vec<String>,
}

/// `SHOW SYSTEM GRANTS [FOR role [, …]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowSystemGrants {
    /// Whose grants; none means everybody's.
    pub grantees: Vec<String>,
}

/// A user or a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A user, who can open a session.
    User,
    /// A role, which has members.
    Role,
}

/// `CREATE USER | ROLE [IF NOT EXISTS] name`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePrincipal {
    /// Which of the two.
    pub kind: PrincipalKind,
    /// Whether an existing one is left alone without an error.
    pub if_not_exists: bool,
    /// Its name.
    pub name: String,
}

/// `DROP USER | ROLE [IF EXISTS] name [, …]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropPrincipal {
    /// Which of the two.
    pub kind: PrincipalKind,
    /// Whether a missing one is no error.
    pub if_exists: bool,
    /// The names, at least one.
    pub names: Vec<String>,
}

/// `SHOW AUDIT [FOR EXTERNAL CONNECTION name] [SINCE '…']`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShowAudit {
    /// Only what concerns this connection.
    pub connection: Option<Text>,
    /// Only what happened at this time or later, unchecked.
    pub since: Option<Text>,
}

/// A statement about transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// `BEGIN [TRANSACTION | WORK]` and `START TRANSACTION`
    Begin,
    /// `COMMIT [TRANSACTION | WORK]` and `END`
    Commit,
    /// `ROLLBACK [TRANSACTION | WORK]` and `ABORT`
    Rollback,
}

/// Which statement it is, without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    missing_docs,
    reason = "each case is the statement of its name; the tag spells it out"
)]
pub enum StatementKind {
    CreateConnection,
    ExplainCreateConnection,
    AlterConnection,
    DropConnection,
    ShowCreateConnection,
    ShowConnections,
    CheckConnection,
    ValidateConnection,
    CommentOnConnection,
    Grant,
    Revoke,
    ShowGrants,
    ShowSystemGrants,
    CreateUser,
    CreateRole,
    DropUser,
    DropRole,
    ShowUsers,
    ShowRoles,
    ShowProviders,
    ShowAudit,
    Begin,
    Commit,
    Rollback,
}

impl StatementKind {
    /// Every statement, in the order of the help.
    pub const ALL: &[Self] = &[
        Self::CreateConnection,
        Self::ExplainCreateConnection,
        Self::AlterConnection,
        Self::DropConnection,
        Self::ShowCreateConnection,
        Self::ShowConnections,
        Self::CheckConnection,
        Self::ValidateConnection,
        Self::CommentOnConnection,
        Self::Grant,
        Self::Revoke,
        Self::ShowGrants,
        Self::ShowSystemGrants,
        Self::CreateUser,
        Self::CreateRole,
        Self::DropUser,
        Self::DropRole,
        Self::ShowUsers,
        Self::ShowRoles,
        Self::ShowProviders,
        Self::ShowAudit,
        Self::Begin,
        Self::Commit,
        Self::Rollback,
    ];

    /// The tag with which a server answers such a statement: `CREATE EXTERNAL CONNECTION`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::CreateConnection => "CREATE EXTERNAL CONNECTION",
            Self::ExplainCreateConnection => "EXPLAIN CREATE EXTERNAL CONNECTION",
            Self::AlterConnection => "ALTER EXTERNAL CONNECTION",
            Self::DropConnection => "DROP EXTERNAL CONNECTION",
            Self::ShowCreateConnection => "SHOW CREATE EXTERNAL CONNECTION",
            Self::ShowConnections => "SHOW EXTERNAL CONNECTIONS",
            Self::CheckConnection => "CHECK EXTERNAL CONNECTION",
            Self::ValidateConnection => "VALIDATE EXTERNAL CONNECTION",
            Self::CommentOnConnection => "COMMENT ON EXTERNAL CONNECTION",
            Self::Grant => "GRANT",
            Self::Revoke => "REVOKE",
            Self::ShowGrants => "SHOW GRANTS",
            Self::ShowSystemGrants => "SHOW SYSTEM GRANTS",
            Self::CreateUser => "CREATE USER",
            Self::CreateRole => "CREATE ROLE",
            Self::DropUser => "DROP USER",
            Self::DropRole => "DROP ROLE",
            Self::ShowUsers => "SHOW USERS",
            Self::ShowRoles => "SHOW ROLES",
            Self::ShowProviders => "SHOW PROVIDERS",
            Self::ShowAudit => "SHOW AUDIT",
            Self::Begin => "BEGIN",
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK",
        }
    }
}

impl Statement {
    /// Which statement it is.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        match self {
            Self::CreateConnection(_) => StatementKind::CreateConnection,
            Self::ExplainCreateConnection(_) => StatementKind::ExplainCreateConnection,
            Self::AlterConnection(_) => StatementKind::AlterConnection,
            Self::DropConnection(_) => StatementKind::DropConnection,
            Self::ShowCreateConnection(_) => StatementKind::ShowCreateConnection,
            Self::ShowConnections(_) => StatementKind::ShowConnections,
            Self::CheckConnection(_) => StatementKind::CheckConnection,
            Self::ValidateConnection(_) => StatementKind::ValidateConnection,
            Self::CommentOnConnection(_) => StatementKind::CommentOnConnection,
            Self::Grant(_) => StatementKind::Grant,
            Self::Revoke(_) => StatementKind::Revoke,
            Self::ShowGrants(_) => StatementKind::ShowGrants,
            Self::ShowSystemGrants(_) => StatementKind::ShowSystemGrants,
            Self::CreatePrincipal(it) => match it.kind {
                PrincipalKind::User => StatementKind::CreateUser,
                PrincipalKind::Role => StatementKind::CreateRole,
            },
            Self::DropPrincipal(it) => match it.kind {
                PrincipalKind::User => StatementKind::DropUser,
                PrincipalKind::Role => StatementKind::DropRole,
            },
            Self::ShowPrincipals(PrincipalKind::User) => StatementKind::ShowUsers,
            Self::ShowPrincipals(PrincipalKind::Role) => StatementKind::ShowRoles,
            Self::ShowProviders => StatementKind::ShowProviders,
            Self::ShowAudit(_) => StatementKind::ShowAudit,
            Self::Transaction(Transaction::Begin) => StatementKind::Begin,
            Self::Transaction(Transaction::Commit) => StatementKind::Commit,
            Self::Transaction(Transaction::Rollback) => StatementKind::Rollback,
        }
    }

    /// The tag with which a server answers it: `CREATE EXTERNAL CONNECTION`.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        self.kind().tag()
    }

    /// The numbers of the placeholders in it, each counted from 1.
    #[must_use]
    pub fn placeholders(&self) -> BTreeSet<u32> {
        let mut found = Found::default();
        match self {
            Self::CreateConnection(it) | Self::ExplainCreateConnection(it) => {
                found.texts([&it.name, &it.uri]);
                found.parameters(&it.parameters);
                found.options(&it.options);
            }
            Self::AlterConnection(it) => {
                found.texts([&it.name]);
                match &it.change {
                    Change::Uri {
                        uri,
                        parameters,
                        options,
                    } => {
                        found.texts([uri]);
                        found.parameters(parameters);
                        found.options(options);
                    }
                    Change::Set {
                        parameters,
                        options,
                    } => {
                        found.parameters(parameters);
                        found.options(options);
                    }
                    Change::Reset { options, .. } => found.options(options),
                    Change::Rename(name) => found.texts([name]),
                    Change::Owner(_) => {}
                }
            }
            Self::DropConnection(it) => found.texts(&it.names),
            Self::ShowCreateConnection(it) => found.texts(&it.name),
            Self::ShowConnections(it) => found.texts(&it.name),
            Self::CheckConnection(it) => {
                found.texts([&it.target]);
                if let Some(Number::Placeholder(number)) = it.concurrently {
                    found.0.insert(number);
                }
                found.texts(&it.transfer);
                found.texts(&it.time);
            }
            Self::ValidateConnection(it) => {
                found.texts([&it.name]);
                found.texts(&it.validate);
            }
            Self::CommentOnConnection(it) => {
                found.texts([&it.name]);
                found.texts(&it.comment);
            }
            Self::ShowAudit(it) => {
                found.texts(&it.connection);
                found.texts(&it.since);
            }
            Self::Grant(_)
            | Self::Revoke(_)
            | Self::ShowGrants(_)
            | Self::ShowSystemGrants(_)
            | Self::CreatePrincipal(_)
            | Self::DropPrincipal(_)
            | Self::ShowPrincipals(_)
            | Self::ShowProviders
            | Self::Transaction(_) => {}
        }
        found.0
    }
}

/// The placeholders found so far.
#[derive(Default)]
struct Found(BTreeSet<u32>);

impl Found {
    fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a Text>) {
        for text in texts {
            if let Text::Placeholder(number) = text {
                self.0.insert(*number);
            }
        }
    }

    fn parameters(&mut self, parameters: &[Parameter]) {
        self.texts(parameters.iter().map(|parameter| &parameter.value));
    }

    fn options(&mut self, options: &ConnectionOptions) {
        self.texts(&options.validate);
        self.texts(&options.comment);
    }
}

/// A placeholder for which no parameter was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no value was given for placeholder ${0}")]
pub struct UnboundPlaceholder(pub u32);

impl Text {
    /// The text, taken from `parameters` when it is a placeholder (`$1` is the first of them).
    ///
    /// # Errors
    /// When there is no such parameter.
    pub fn resolve<'a>(
        &'a self,
        parameters: &'a [SecretText],
    ) -> Result<&'a SecretText, UnboundPlaceholder> {
        match self {
            Self::Literal(text) => Ok(text),
            Self::Placeholder(number) => usize::try_from(*number)
                .ok()
                .and_then(|number| parameters.get(number.checked_sub(1)?))
                .ok_or(UnboundPlaceholder(*number)),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Literal(SecretText::new(text))
    }
}

impl CreateConnection {
    /// The plainest form, which is also what SHOW CREATE prints: a name and a URI.
    #[must_use]
    pub fn new(name: &str, uri: SecretText) -> Self {
        Self {
            if_not_exists: false,
            name: Text::from(name),
            uri: Text::Literal(uri),
            parameters: Vec::new(),
            options: ConnectionOptions::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_resolves_to_the_parameter_of_its_number() {
        let parameters = [SecretText::new("one"), SecretText::new("two")];
        let second = Text::Placeholder(2);
        assert_eq!(
            second.resolve(&parameters).map(SecretText::expose),
            Ok("two")
        );
        for missing in [0, 3] {
            assert_eq!(
                Text::Placeholder(missing).resolve(&parameters),
                Err(UnboundPlaceholder(missing))
            );
        }
        assert_eq!(
            Text::from("x").resolve(&[]).map(SecretText::expose),
            Ok("x")
        );
    }

    #[test]
    fn debug_shows_no_text() {
        let create = CreateConnection::new("name", SecretText::new("s3://bucket?K=hunter2"));
        assert!(!format!("{create:?}").contains("hunter2"));
    }
}
