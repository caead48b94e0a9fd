//! The statements over external connections: lexer, parser, syntax tree, printers; no input and
//! output.
//!
//! # Layout
//!
//! * [`Statement`] and the types below it: what was written, as a tree.

mod ast;
pub use ast::{
    AlterConnection, Change, CheckConnection, CommentOnConnection, ConnectionOptions,
    CreateConnection, CreatePrincipal, DropConnection, DropPrincipal, Grant, Granted, Number,
    Parameter, PrincipalKind, Privilege, Revoke, ShowAudit, ShowConnections, ShowCreateConnection,
    ShowGrants, ShowSystemGrants, Statement, StatementKind, Text, Transaction, UnboundPlaceholder,
    ValidateConnection,
};
