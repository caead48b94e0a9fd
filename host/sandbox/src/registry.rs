//! What a provider of schema registries is called for.

use portolan_contract::{
    Failure, FailureClass, Kind, MAX_SCHEMA, MAX_SUBJECTS, Schema, SchemaType,
};

use crate::acting::{Acting, Grants};
use crate::answer::AnswerProblem;
use crate::bindings::provided::registry as guest;
use crate::refusal::Refusal;
use crate::{Fault, Provider, ProviderError};

impl Provider {
    /// The names of the subjects after the first `skip`: at most `at_most`, and never more than
    /// [`MAX_SUBJECTS`].
    ///
    /// # Errors
    ///
    /// The registry or the provider refuses, or the provider was stopped or gave an answer that
    /// breaks a rule.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn subjects(
        &self,
        grants: &Grants,
        skip: u32,
        at_most: u32,
    ) -> Result<Vec<String>, ProviderError> {
        let at_most = at_most.min(MAX_SUBJECTS);
        let (operation, guest) = self.acting(grants);
        let listing = async {
            let mut acting = Acting::start(&operation, guest).await?;
            let registry = acting.registry(self)?;
            let plan = self.acting_plan(grants);
            let called = registry.call_subjects(&mut acting.store, &plan, skip, at_most);
            let answer = called.await.map_err(|error| acting.stopped(&error))?;
            let names = answer.map_err(|failure| Refusal::Refused(acting.failure(failure)))?;
            match names.len() <= at_most as usize {
                true => Ok(names),
                false => Err(AnswerProblem::TooManySubjects(at_most).into()),
            }
        };
        operation.run(listing).await
    }

    /// Registers a schema under a subject: its number in the registry.
    ///
    /// # Errors
    ///
    /// As [`subjects`](Self::subjects), and the schema is longer than [`MAX_SCHEMA`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn register(
        &self,
        grants: &Grants,
        subject: &str,
        schema: &Schema,
    ) -> Result<u32, ProviderError> {
        if schema.definition.len() > MAX_SCHEMA {
            return Err(ProviderError::Refused(too_long()));
        }
        let (operation, guest) = self.acting(grants);
        let registering = async {
            let mut acting = Acting::start(&operation, guest).await?;
            let registry = acting.registry(self)?;
            let plan = self.acting_plan(grants);
            let schema = to_guest(schema);
            let called = registry.call_register(&mut acting.store, &plan, subject, &schema);
            let answer = called.await.map_err(|error| acting.stopped(&error))?;
            answer.map_err(|failure| Refusal::Refused(acting.failure(failure)))
        };
        operation.run(registering).await
    }

    /// The schema with a number.
    ///
    /// # Errors
    ///
    /// As [`subjects`](Self::subjects).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn schema(&self, grants: &Grants, id: u32) -> Result<Schema, ProviderError> {
        let (operation, guest) = self.acting(grants);
        let getting = async {
            let mut acting = Acting::start(&operation, guest).await?;
            let registry = acting.registry(self)?;
            let plan = self.acting_plan(grants);
            let called = registry.call_get(&mut acting.store, &plan, id).await;
            let answer = called.map_err(|error| acting.stopped(&error))?;
            let schema = answer.map_err(|failure| Refusal::Refused(acting.failure(failure)))?;
            match schema.definition.len() <= MAX_SCHEMA {
                true => Ok(from_guest(schema)),
                false => Err(AnswerProblem::LongSchema.into()),
            }
        };
        operation.run(getting).await
    }
}

impl Acting {
    /// The interface of registries.
    fn registry(&mut self, provider: &Provider) -> Result<guest::Guest, Fault> {
        let Some(registry) = &provider.prepared.actor.registry else {
            return Err(Fault::unlisted(Some(Kind::Registry)));
        };
        let loaded = registry.load(&mut self.store, &self.instance);
        loaded.map_err(|error| self.stopped(&error))
    }
}

fn to_guest(schema: &Schema) -> guest::Schema {
    guest::Schema {
        schema_type: match &schema.schema_type {
            SchemaType::Avro => guest::SchemaType::Avro,
            SchemaType::Json => guest::SchemaType::Json,
            SchemaType::Protobuf => guest::SchemaType::Protobuf,
            SchemaType::Other(name) => guest::SchemaType::Other(name.clone()),
            _ => guest::SchemaType::Other(String::new()),
        },
        definition: schema.definition.clone(),
    }
}

fn from_guest(schema: guest::Schema) -> Schema {
    Schema {
        schema_type: match schema.schema_type {
            guest::SchemaType::Avro => SchemaType::Avro,
            guest::SchemaType::Json => SchemaType::Json,
            guest::SchemaType::Protobuf => SchemaType::Protobuf,
            guest::SchemaType::Other(name) => SchemaType::Other(name),
        },
        definition: schema.definition,
    }
}

fn too_long() -> Failure {
    Failure::new(FailureClass::InvalidUri, "a schema has at most 1 MiB")
        .with_hint("refer to parts of it that are registered by themselves")
}
