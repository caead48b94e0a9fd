//! What a schema registry keeps.

/// How a schema is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaType {
    /// Apache Avro, in JSON.
    Avro,
    /// JSON Schema.
    Json,
    /// A `.proto` file.
    Protobuf,
    /// A kind by the registry's own name for it.
    Other(String),
}

/// One schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// How it is written.
    pub schema_type: SchemaType,
    /// The text; at most 1 MiB.
    pub definition: String,
}

/// The most bytes of a schema.
pub const MAX_SCHEMA: usize = 1 << 20;

/// The most subjects that a provider names at once.
pub const MAX_SUBJECTS: u32 = 1_000;
