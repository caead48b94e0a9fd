//! Whose each set of users' files is.

use portolan_secret::RowCode;
use rusqlite::{Row, params};

use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::UserFileSet;
use crate::model::principal::ADMIN;

impl Record for UserFileSet {
    const TABLE: &'static str = "user_file_sets";
    const COLUMNS: &'static str = "name, owner, created, code";
    const KEY: &'static [&'static str] = &["name"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get("name")?,
            owner: row.get("owner")?,
            created: record::time(row, "created")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        format!("set of user files {}", record::shown(row, "name"))
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.text(&self.name)
            .text(&self.owner)
            .integer(self.created.as_microsecond())
    }
}

impl Transaction<'_> {
    pub(super) fn find_user_file_set(
        &self,
        name: &str,
    ) -> Result<Option<UserFileSet>, CatalogError> {
        record::one(
            self.connection,
            &self.keys,
            "SELECT name, owner, created, code FROM user_file_sets WHERE name = ?1",
            [name],
        )
    }

    pub(super) fn write_user_file_set(&mut self, set: &UserFileSet) -> Result<(), CatalogError> {
        let code = self.keys.code_of(set);
        self.run(
            "INSERT OR REPLACE INTO user_file_sets (name, owner, created, code) \
             VALUES (?1, ?2, ?3, ?4)",
            params![set.name, set.owner, set.created.as_microsecond(), code],
        )?;
        Ok(())
    }

    /// Leaves the sets of a user who is dropped to the administrators.
    pub(super) fn leave_user_file_sets(&mut self, owner: &str) -> Result<(), CatalogError> {
        let sets: Vec<UserFileSet> = record::all(
            self.connection,
            &self.keys,
            "SELECT name, owner, created, code FROM user_file_sets WHERE owner = ?1",
            [owner],
        )?;
        for set in sets {
            self.write_user_file_set(&UserFileSet {
                owner: ADMIN.to_owned(),
                ..set
            })?;
        }
        Ok(())
    }
}
