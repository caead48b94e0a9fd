//! The statements over external connections: lexer, parser, syntax tree, printers; no input and output
