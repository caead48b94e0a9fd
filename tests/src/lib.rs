//! End-to-end tests: statement scripts, hostile guests, the contract, the command line
