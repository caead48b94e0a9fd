//! Servers that tests start. Each is ready when its constructor returns and ends when it is dropped;
//! one that does not start fails its test and says what to install.
//!
//! Ports are chosen by the system, on loopback. Certificates are issued per run, for the names that
//! a product's own hosts have, so that a test leads those names to a server with
//! `[egress.connect_to]`.
//!
//! # Layout
//!
//! Real servers, which `tests/servers/install` brings:
//! * [`Nginx`]: files over HTTP, with WebDAV, TLS, passwords and client certificates.
//! * [`Azurite`]: Microsoft's emulator of Blob storage.
//! * `fake-gcs-server`, an emulator of Cloud Storage: behind [`GoogleStandIn::before_emulator`].
//! * [`Postgres`]: PostgreSQL, with TLS, SCRAM, MD5 and client certificates.
//! * [`Moto`]: an emulator of AWS, as far as its S3, KMS, IAM and STS go.
//!
//! A real server in the test's own process:
//! * [`s3`]: `s3s` with `s3s-fs`, and what may stand before it.
//!
//! Stand-ins, written here, which prove that a client keeps to what is documented, and no more:
//! * [`AwsStandIn`]: KMS of AWS with two keys, and the token service with roles; [`aws_machine`]: what
//!   AWS gives to a machine; [`SigV4StandIn`]: any service, as far as its signatures go.
//! * [`EntraStandIn`]: the token endpoint of Microsoft Entra.
//! * [`GoogleStandIn`]: Google's token endpoint, impersonation, the XML API of Cloud Storage, Cloud
//!   KMS and Pub/Sub.
//! * [`KeyVaultStandIn`]: keys of Azure Key Vault, for the tokens of [`EntraStandIn`].
//! * [`PostgresStandIn`]: whatever a script answers where PostgreSQL is expected.
//! * [`SchemaRegistryStandIn`]: subjects and schemas of Confluent Schema Registry.
//! * [`WebhookStandIn`]: an endpoint for webhooks, whose answers are scripted.
//!
//! And what they are made of:
//! * [`Authority`] issues certificates, [`RsaKey`] signs; [`Child`] is a process; [`HttpServer`]
//!   answers with a function.
//! * [`Relay`] passes on, and counts connections.
//! * [`RawServer`] writes what a script says, byte by byte: for servers that lie.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a server that cannot be started fails its test"
)]

mod authority;
pub use authority::{Authority, Identity};

mod aws;
pub use aws::{
    AwsStandIn, SIGV4_REGION, SigV4StandIn, aws_machine, sigv4_escaped, sigv4_is_skewed,
    sigv4_signature,
};

mod azurite;
pub use azurite::{AZURITE_ACCOUNT, Azurite};

mod child;
pub use child::{Child, installed};

mod clock;

mod entra;
pub use entra::{EntraApplication, EntraStandIn};

mod google;
pub use google::{GoogleStandIn, ServiceAccount};

mod http_server;
pub use http_server::{Answer, HttpServer, answer};

mod key_vault;
pub use key_vault::KeyVaultStandIn;

mod moto;
pub use moto::{Moto, MotoUser};

mod nginx;
pub use nginx::Nginx;

mod postgres;
pub use postgres::Postgres;

mod postgres_stand_in;
pub use postgres_stand_in::PostgresStandIn;

mod raw;
pub use raw::{RawServer, ReadWrite};

mod relay;
pub use relay::Relay;

mod rsa_key;
pub use rsa_key::RsaKey;

pub mod s3;
mod schema_registry;
pub use schema_registry::SchemaRegistryStandIn;

mod webhook;
pub use webhook::{Scripted, WebhookStandIn};
