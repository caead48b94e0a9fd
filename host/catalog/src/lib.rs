//! The durable catalog of connections, users, privileges, providers and the audit trail
