//! What a host and its providers agree on, as native types.
//!
//! The contract itself is written in WIT; this crate is its mirror on the native side, so that the
//! catalog can store a plan, the policy can judge an endpoint and the library can show a step
//! without knowing the sandbox. It does no input and output.
//!
//! # Layout
//!
//! * [`Manifest`]: what a provider says of itself before any of its code runs.
//! * [`find_members`]: the places of strings in a JSON document.
//! * [`Kind`] and [`Operation`]: what a connection is and what it may be used for.
//! * [`UriPieces`]: a URI as a provider sees it, with numbers where secrets stand.
//! * [`split`], [`print_redacted`], [`edit`]: a URI taken apart, shown and changed; [`Secrets`] are
//!   what its numbers stand for.
//! * [`Plan`]: what a connection becomes.
//! * [`StoredPlan`]: a plan as it lies in the store.
//! * [`ConnectionName`], [`ExternalUrl`] and [`SubPath`]: how programs refer to a connection.
//! * [`Message`]: what a sink takes. [`Schema`]: what a registry keeps.
//! * [`Encrypted`]: what a key makes of a plaintext.
//! * [`Failure`] and [`Step`]: what went wrong, and what a probe tells.
//! * [`strip_controls`]: text of others, made safe to print.

mod manifest;
pub use manifest::{
    AskedRequest, Authentication, AuthorityHost, CONTRACT_VERSION, Difference, EMBEDDED_PUBLIC,
    EndpointRule, Format, HostPattern, InvalidPointer, JsonPointer, MANIFEST_SCHEMA,
    MAX_MANIFEST_BYTES, Manifest, ManifestError, OptionRule, PartEncoding, PathPattern,
    RequestRefusal, RequestRule, Reveal, RuleContext, SignatureAlgorithm, UnknownOptions, Validate,
    Version, Visibility, looks_like_a_credential,
};

mod members;
pub use members::{DocumentError, Member, find_members, is_inside_of_a_string, unescaped};

mod kind;
pub use kind::{Kind, Operation, UnknownWord};

mod pieces;
pub use pieces::{FormatVerdict, OptionPair, SecretNumber, SecretReference, UriPieces, Value};

mod plan;
pub use plan::{
    AssumedRole, Endpoint, Fragment, MAX_PLAN_ENTRIES, NamedSecret, ObjectStorePlan, Plan,
    PlanEntry, QUERY_SECRETS, TlsProfile, TlsVerification,
};

mod message;
pub use message::{MAX_BATCH_BYTES, MAX_BATCH_MESSAGES, Message};

mod schema;
pub use schema::{MAX_SCHEMA, MAX_SUBJECTS, Schema, SchemaType};
mod encrypted;
pub use encrypted::{Encrypted, MAX_CIPHERTEXT, MAX_KEY_NAME, MAX_PLAINTEXT};

mod failure;
pub use failure::{Failure, FailureClass};

mod step;
pub use step::{Depth, Outcome, Step};

mod name;
pub use name::{ConnectionName, InvalidName};

mod sub_path;
pub use sub_path::{SubPath, SubPathError};

mod external;
pub use external::{ExternalUrl, ExternalUrlError};

mod stored;
pub use stored::{PLAN_FORMAT, StoredPlan, StoredPlanError};

mod text;
pub use text::strip_controls;

mod uri;
pub use uri::{
    MAX_URI_BYTES, MAX_URI_OPTIONS, SecretPlace, SecretValue, Secrets, SplitUri, TargetChange,
    UriError, changes_target, edit, print_redacted, scheme_of, split, with_lower_case_scheme,
};

#[doc(hidden)]
pub mod fuzzing;
