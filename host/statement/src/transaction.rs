//! BEGIN, COMMIT and ROLLBACK.

use crate::ast::{StatementKind, Transaction};
use crate::keywords::Keyword as K;
use crate::parser::{Parsed, Parser};

impl Transaction {
    /// Reads a whole statement about transactions, if there is one.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Option<Self>> {
        if p.eat(K::Start) {
            p.this_is(StatementKind::Begin);
            p.expect(K::Transaction)?;
            return Ok(Some(Self::Begin));
        }
        let words = [
            (K::Begin, Self::Begin, StatementKind::Begin),
            (K::Commit, Self::Commit, StatementKind::Commit),
            (K::End, Self::Commit, StatementKind::Commit),
            (K::Rollback, Self::Rollback, StatementKind::Rollback),
            (K::Abort, Self::Rollback, StatementKind::Rollback),
        ];
        for (word, transaction, statement) in words {
            if p.eat(word) {
                p.this_is(statement);
                let _ = p.eat(K::Transaction) || p.eat(K::Work);
                return Ok(Some(transaction));
            }
        }
        Ok(None)
    }
}
