//! The arguments of `encrypt` and `decrypt`.

use clap::Args;

pub(super) const ENCRYPT_HELP: &str = "Examples:
  pg_dump shop | portolan encrypt external://key | portolan put - external://backups/shop.sql.enc
  portolan encrypt external://key < dump.sql > dump.sql.enc

The content is encrypted with a data key that is made for it alone, and the data key by the key that
the URL names, which never leaves its service. What is written says which key and which version of
it that was. Any size goes through in constant memory. Whoever decrypts needs USAGE on a connection
to the same key.";

pub(super) const DECRYPT_HELP: &str = "Examples:
  portolan cat external://backups/shop.sql.enc | portolan decrypt external://key | psql shop
  portolan decrypt external://key < dump.sql.enc > dump.sql

Reads what portolan encrypt wrote. Nothing is written before it is authenticated; where the input
was changed or cut, what was written until then is the beginning of the content and the status is 1,
so check the status before using it as a whole (bash: set -o pipefail).";

/// `portolan encrypt`.
#[derive(Debug, Args)]
pub(crate) struct EncryptArguments {
    /// The connection to the key: external://NAME
    #[arg(value_name = "URL")]
    pub(crate) url: String,
}

/// `portolan decrypt`.
#[derive(Debug, Args)]
pub(crate) struct DecryptArguments {
    /// The connection to the key that encrypted: external://NAME
    #[arg(value_name = "URL")]
    pub(crate) url: String,
}
