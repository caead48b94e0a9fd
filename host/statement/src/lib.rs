//! The statements over external connections: lexer, parser, syntax tree, printers; no input and
//! output.
//!
//! # Layout
//!
//! * [`parse`] and [`parse_script`]: text to statements; [`ParseError`] tells what is wrong.
//! * [`Statement`] and the types below it: what was written, as a tree.
//! * [`mask`]: any SQL with every literal hidden.
//! * [`recognize`]: whose statement a text is, by its leading keywords.
//! * [`help`] and [`keywords`]: what a prompt tells and completes.
//!
//! Inside, `lexer`, `literal` and `keywords` know how things are written; `parser` and `printer`
//! are the hands with which each family of statements (`connection`, `check`, `grants`,
//! `principals`, `audit`, `transaction`) reads and prints its own; `statement` says which is whose.

mod ast;
pub use ast::{
    AlterConnection, Change, CheckConnection, CommentOnConnection, ConnectionOptions,
    CreateConnection, CreatePrincipal, DropConnection, DropPrincipal, Grant, Granted, Number,
    Parameter, PrincipalKind, Privilege, Revoke, ShowAudit, ShowConnections, ShowCreateConnection,
    ShowGrants, ShowSystemGrants, Statement, StatementKind, Text, Transaction, UnboundPlaceholder,
    ValidateConnection,
};

mod error;
pub use error::ParseError;

pub mod help;

mod keywords;
pub use keywords::keywords;

mod mask;
pub use mask::mask;

mod recognize;
pub use recognize::{Recognized, recognize};

mod statement;
pub use statement::{parse, parse_script};

#[doc(hidden)]
pub mod fuzzing;

mod audit;
mod check;
mod connection;
mod grants;
mod principals;
mod transaction;

mod lexer;
mod literal;
mod parser;
mod printer;
