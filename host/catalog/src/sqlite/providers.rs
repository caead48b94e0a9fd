//! Providers that were approved.

use portolan_secret::RowCode;
use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::ApprovedProvider;

const COLUMNS: &str =
    "name, version, digest, file, manifest, allow_public, approved_by, approved, code";

impl Record for ApprovedProvider {
    const TABLE: &'static str = "providers";
    const COLUMNS: &'static str = COLUMNS;
    const KEY: &'static [&'static str] = &["name"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let allow_public: String = row.get("allow_public")?;
        Ok(Self {
            name: row.get("name")?,
            version: row.get("version")?,
            digest: row.get("digest")?,
            file: row.get("file")?,
            manifest: row.get("manifest")?,
            allow_public: serde_json::from_str(&allow_public)
                .map_err(|_| record::unreadable(Type::Text))?,
            approved_by: row.get("approved_by")?,
            approved: record::time(row, "approved")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        format!("provider {}", record::shown(row, "name"))
    }

    fn code(&self, code: RowCode) -> RowCode {
        let code = code
            .text(&self.name)
            .text(&self.version)
            .text(&self.digest)
            .text(&self.file)
            .text(&self.manifest)
            .integer(record::stored(self.allow_public.len() as u64));
        self.allow_public
            .iter()
            .fold(code, |code, option| code.text(option))
            .text(&self.approved_by)
            .integer(self.approved.as_microsecond())
    }
}

impl Transaction<'_> {
    pub(super) fn all_providers(&self) -> Result<Vec<ApprovedProvider>, CatalogError> {
        let sql = format!("SELECT {COLUMNS} FROM providers ORDER BY name");
        record::all(self.connection, &self.keys, &sql, [])
    }

    pub(super) fn find_provider(
        &self,
        name: &str,
    ) -> Result<Option<ApprovedProvider>, CatalogError> {
        let sql = format!("SELECT {COLUMNS} FROM providers WHERE name = ?1");
        record::one(self.connection, &self.keys, &sql, [name])
    }

    pub(super) fn add_provider(&mut self, provider: &ApprovedProvider) -> Result<(), CatalogError> {
        if self.exists("SELECT 1 FROM providers WHERE name = ?1", [&provider.name])? {
            return Err(CatalogError::ProviderExists {
                name: provider.name.clone(),
            });
        }
        let code = self.keys.code_of(provider);
        let allow_public = serde_json::to_string(&provider.allow_public).map_err(|error| {
            CatalogError::Storage {
                reason: error.to_string(),
            }
        })?;
        let sql = format!(
            "INSERT INTO providers ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        );
        self.run(
            &sql,
            params![
                provider.name,
                provider.version,
                provider.digest,
                provider.file,
                provider.manifest,
                allow_public,
                provider.approved_by,
                provider.approved.as_microsecond(),
                code,
            ],
        )?;
        Ok(())
    }

    pub(super) fn remove_provider(&mut self, name: &str) -> Result<bool, CatalogError> {
        Ok(self.run("DELETE FROM providers WHERE name = ?1", [name])? > 0)
    }
}
