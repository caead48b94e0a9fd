//! Whose statement it is, by its leading keywords.

use std::iter::Peekable;

use crate::ast::StatementKind;
use crate::keywords::Keyword as K;
use crate::lexer::{Lexer, TokenKind};

/// What a text is by its leading keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognized {
    /// Which statement.
    pub kind: StatementKind,
    /// Whether the words are about external connections, their providers or their audit, so that no
    /// server has a statement of its own that begins like this. Otherwise it is about users, roles
    /// or transactions, which many servers have themselves.
    pub only_ours: bool,
}

/// Says whether a text is a statement over external connections, by its leading keywords only:
/// without parsing it, and without failing on SQL that is not ours.
///
/// A server that takes both its own SQL and these statements routes with it: what is `None` is its
/// own; what is [`only_ours`](Recognized::only_ours) goes to [`parse`](crate::parse), errors
/// included; the rest (`CREATE USER`, `GRANT role TO user`, `BEGIN`) belongs to whoever manages
/// users and transactions there, usually the server.
///
/// Whatever parses is recognized as what it is. `GRANT` and `REVOKE` tell only behind their
/// privileges what they are about; the text is read as far as that and no further.
///
/// ```
/// use portolan_statement::recognize;
///
/// let ours = |sql| recognize(sql).is_some_and(|it| it.only_ours);
/// assert!(ours("grant usage on external connection backup to ann"));
/// assert!(ours("CREATE EXTERNAL CONNECTION oops"));
/// assert!(!ours("GRANT SELECT ON TABLE t TO ann"));
/// assert!(!ours("CREATE USER ann"));
/// assert!(recognize("SELECT 1").is_none());
/// ```
#[must_use]
pub fn recognize(sql: &str) -> Option<Recognized> {
    let mut lexer = Lexer::new(sql, 0);
    recognize_tokens(std::iter::from_fn(|| Some(lexer.next().kind)))
}

/// As [`recognize`], from tokens; comments among them do not count.
pub(crate) fn recognize_tokens(tokens: impl Iterator<Item = TokenKind>) -> Option<Recognized> {
    use StatementKind as S;
    let mut words = Words::new(tokens);
    let only_ours = |kind| {
        Some(Recognized {
            kind,
            only_ours: true,
        })
    };
    let shared = |kind| {
        Some(Recognized {
            kind,
            only_ours: false,
        })
    };
    match words.next()? {
        K::Create => match words.next()? {
            K::User => shared(S::CreateUser),
            K::Role => shared(S::CreateRole),
            K::External => words.then(K::Connection, S::CreateConnection),
            _ => None,
        },
        K::Drop => match words.next()? {
            K::User => shared(S::DropUser),
            K::Role => shared(S::DropRole),
            K::External => words.then(K::Connection, S::DropConnection),
            _ => None,
        },
        K::Alter => words.external_connection(S::AlterConnection),
        K::Check => words.external_connection(S::CheckConnection),
        K::Validate => words.external_connection(S::ValidateConnection),
        K::Comment => match words.next()? {
            K::On => words.external_connection(S::CommentOnConnection),
            _ => None,
        },
        K::Explain => match words.next()? {
            K::Create => words.external_connection(S::ExplainCreateConnection),
            _ => None,
        },
        K::Show => match words.next()? {
            K::Create => match words.next()? {
                K::All => words.external_connection(S::ShowCreateConnection),
                K::External => words.connection(S::ShowCreateConnection),
                _ => None,
            },
            K::External => words.connection(S::ShowConnections),
            K::Grants => match words.next()? {
                K::On => words.external_connection(S::ShowGrants),
                _ => None,
            },
            K::System => match words.next()? {
                K::Grants => only_ours(S::ShowSystemGrants),
                _ => None,
            },
            K::Users => shared(S::ShowUsers),
            K::Roles => shared(S::ShowRoles),
            K::Providers => only_ours(S::ShowProviders),
            K::Audit => only_ours(S::ShowAudit),
            _ => None,
        },
        K::Grant => words.granted(S::Grant, K::To),
        K::Revoke => words.granted(S::Revoke, K::From),
        K::Begin => shared(S::Begin),
        K::Start => match words.next()? {
            K::Transaction => shared(S::Begin),
            _ => None,
        },
        K::Commit | K::End => shared(S::Commit),
        K::Rollback | K::Abort => shared(S::Rollback),
        _ => None,
    }
}

/// The keywords of a text, one after the other.
struct Words<I: Iterator<Item = TokenKind>> {
    tokens: Peekable<I>,
}

impl<I: Iterator<Item = TokenKind>> Words<I> {
    /// Empty statements before the first word do not count.
    fn new(tokens: I) -> Self {
        let mut tokens = tokens.peekable();
        let skipped = [TokenKind::Symbol(';'), TokenKind::Comment];
        while tokens.next_if(|token| skipped.contains(token)).is_some() {}
        Self { tokens }
    }

    /// The next token that is no comment.
    fn token(&mut self) -> TokenKind {
        let mut tokens = self
            .tokens
            .by_ref()
            .skip_while(|token| *token == TokenKind::Comment);
        tokens.next().unwrap_or(TokenKind::End)
    }

    /// The next token, where it is a keyword.
    fn next(&mut self) -> Option<K> {
        match self.token() {
            TokenKind::Keyword(keyword) => Some(keyword),
            _ => None,
        }
    }

    fn then(&mut self, keyword: K, kind: StatementKind) -> Option<Recognized> {
        (self.next()? == keyword).then_some(Recognized {
            kind,
            only_ours: true,
        })
    }

    fn connection(&mut self, kind: StatementKind) -> Option<Recognized> {
        matches!(self.next()?, K::Connection | K::Connections).then_some(Recognized {
            kind,
            only_ours: true,
        })
    }

    fn external_connection(&mut self, kind: StatementKind) -> Option<Recognized> {
        match self.next()? {
            K::External => self.connection(kind),
            _ => None,
        }
    }

    /// Reads on behind `GRANT` or `REVOKE` up to the word that tells what it is about. `SYSTEM` is a
    /// role where a comma or the end of the list follows it.
    fn granted(&mut self, kind: StatementKind, end: K) -> Option<Recognized> {
        let mut tokens = 0_usize;
        let mut after_system = false;
        loop {
            let token = self.token();
            match token {
                TokenKind::Keyword(K::On) if tokens > 0 => return self.external_connection(kind),
                TokenKind::Keyword(keyword) if keyword == end => {
                    return Some(Recognized {
                        kind,
                        only_ours: false,
                    });
                }
                TokenKind::Word | TokenKind::Keyword(_) if after_system => {
                    return Some(Recognized {
                        kind,
                        only_ours: true,
                    });
                }
                TokenKind::Word
                | TokenKind::QuotedWord
                | TokenKind::Keyword(_)
                | TokenKind::Symbol(',') => {}
                _ => return None,
            }
            after_system = token == TokenKind::Keyword(K::System);
            tokens += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_over_connections_are_only_ours_also_when_they_do_not_parse() {
        use StatementKind as S;
        for (sql, kind) in [
            (
                " ;; /* a */ create external connection",
                S::CreateConnection,
            ),
            (
                "CREATE EXTERNAL CONNECTION 'a' AS 's3://b",
                S::CreateConnection,
            ),
            (
                "EXPLAIN CREATE EXTERNAL CONNECTION a",
                S::ExplainCreateConnection,
            ),
            ("ALTER EXTERNAL CONNECTION 12 !", S::AlterConnection),
            ("DROP EXTERNAL CONNECTION a", S::DropConnection),
            (
                "SHOW CREATE ALL EXTERNAL CONNECTIONS",
                S::ShowCreateConnection,
            ),
            ("SHOW CREATE EXTERNAL CONNECTION a", S::ShowCreateConnection),
            ("SHOW EXTERNAL CONNECTIONS", S::ShowConnections),
            ("CHECK EXTERNAL CONNECTION a", S::CheckConnection),
            ("VALIDATE EXTERNAL CONNECTION a", S::ValidateConnection),
            (
                "COMMENT ON EXTERNAL CONNECTION a IS",
                S::CommentOnConnection,
            ),
            ("GRANT USAGE, DROP ON EXTERNAL CONNECTION", S::Grant),
            ("GRANT SYSTEM EXTERNALCONNECTION TO a", S::Grant),
            (
                "REVOKE GRANT OPTION FOR ALL ON EXTERNAL CONNECTION a FROM b",
                S::Revoke,
            ),
            (
                "REVOKE GRANT OPTION FOR SYSTEM EXTERNALCONNECTION FROM b",
                S::Revoke,
            ),
            ("SHOW GRANTS ON EXTERNAL CONNECTION a", S::ShowGrants),
            ("SHOW SYSTEM GRANTS", S::ShowSystemGrants),
            ("SHOW PROVIDERS", S::ShowProviders),
            ("SHOW AUDIT", S::ShowAudit),
        ] {
            assert_eq!(
                recognize(sql),
                Some(Recognized {
                    kind,
                    only_ours: true
                }),
                "{sql}"
            );
        }
    }

    #[test]
    fn users_roles_and_transactions_may_be_the_server_s_own() {
        use StatementKind as S;
        for (sql, kind) in [
            ("CREATE USER a WITH PASSWORD 'x'", S::CreateUser),
            ("create role a", S::CreateRole),
            ("DROP USER a", S::DropUser),
            ("DROP ROLE a", S::DropRole),
            ("GRANT a TO b", S::Grant),
            ("GRANT system, a TO b", S::Grant),
            ("GRANT system TO b", S::Grant),
            ("REVOKE ADMIN OPTION FOR a FROM b", S::Revoke),
            ("SHOW USERS", S::ShowUsers),
            ("SHOW ROLES", S::ShowRoles),
            ("BEGIN ISOLATION LEVEL SERIALIZABLE", S::Begin),
            ("START TRANSACTION", S::Begin),
            ("COMMIT", S::Commit),
            ("ROLLBACK TO SAVEPOINT a", S::Rollback),
        ] {
            assert_eq!(
                recognize(sql),
                Some(Recognized {
                    kind,
                    only_ours: false
                }),
                "{sql}"
            );
        }
    }

    #[test]
    fn foreign_sql_is_nobody_s_here_and_fails_nowhere() {
        for sql in [
            "",
            ";;",
            "-- only a comment",
            "SELECT 1",
            "SELECT 'unterminated",
            "CREATE",
            "CREATE TABLE t (a INT)",
            "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 's3://b'",
            "\"CREATE\" EXTERNAL CONNECTION a",
            "DROP TABLE t",
            "ALTER TABLE t",
            "COMMENT ON TABLE t IS 'x'",
            "EXPLAIN SELECT 1",
            "SHOW TABLES",
            "SHOW CREATE TABLE t",
            "SHOW GRANTS",
            "SHOW GRANTS ON TABLE t",
            "GRANT",
            "GRANT SELECT ON TABLE t TO a",
            "GRANT SELECT (a, b) ON t TO c",
            "REVOKE ALL ON SCHEMA s FROM a",
            "START SLAVE",
            "\u{0}\u{1F600}",
        ] {
            assert_eq!(recognize(sql), None, "{sql}");
        }
    }
}
