//! The host's check of what a provider plans: it asked for pieces, it believes nothing.

use std::collections::HashSet;
use std::fmt;

use portolan_contract::{
    Fragment, MAX_PLAN_ENTRIES, Manifest, Operation, Plan, PlanEntry, QUERY_SECRETS, RuleContext,
    Secrets, UriPieces,
};

use crate::bindings::types as guest;
use crate::convert::{self, UnknownWord};
use crate::words::{MAX_FACT, MAX_MESSAGE, Words};

/// The most pieces of a composed secret.
const MAX_FRAGMENTS: usize = 16;
/// The most bytes of a name: of a setting, a profile, a secret.
const MAX_NAME: usize = 64;

/// What is wrong with a provider's answer. Its text continues the provider's name: "plans no kind".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerProblem {
    /// The plan has more entries than this.
    TooManyEntries(usize),
    /// The plan names no kind.
    NoKind,
    /// The plan names a kind that the manifest does not list.
    Kind(String),
    /// The plan names an operation that the manifest does not list.
    Operation(String),
    /// The plan names an endpoint that no rule of the manifest admits.
    Endpoint {
        /// The host, as planned.
        host: String,
        /// The port, as planned.
        port: u16,
    },
    /// An endpoint, or two profiles, share or miss a name.
    TlsProfile(String),
    /// A profile refers to a secret that the plan does not compose.
    MissingSecret(String),
    /// A composed secret has an empty name, one that is too long, or one that is taken.
    SecretName(String),
    /// A composed secret has more pieces than this.
    TooManyFragments(usize),
    /// The plan names a secret that the URI does not have.
    NoSuchSecret(u32),
    /// The plan names a secret twice.
    SecretTwice(u32),
    /// The plan has more than one object store, or one whose path leads out of it.
    ObjectStore(&'static str),
    /// A secret that the provider was shown stands in clear in this part of its plan.
    SecretInPlan(&'static str),
    /// A secret stands in what a key is called, which is shown and kept.
    SecretInKeyName,
    /// A probe came to its end and told no step.
    NoStep,
    /// A key answered with a ciphertext that breaks a bound; what is wrong with it.
    Ciphertext(&'static str),
    /// A key decrypted to more than it may.
    LongPlaintext,
    /// A sink acknowledged this many messages, of this many that it was given.
    Acknowledged(u64, u64),
    /// A registry named more subjects than this.
    TooManySubjects(u32),
    /// A registry answered a schema that is longer than the contract has it.
    LongSchema,
    /// What it hands out as decrypted did not come from the service.
    ForeignPlaintext,
    /// The redacted URI would show something else than the URI without its secrets.
    Redaction(&'static str),
}

impl AnswerProblem {
    /// The SQLSTATE that a statement ends with when this is why.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::Endpoint { .. } => "42501",
            _ => "08P01",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Endpoint { .. } => {
                "check the host and port of the URI; where they are right, the provider's manifest \
                 needs an [[endpoint]] rule for them"
            }
            Self::SecretInKeyName => {
                "do not use this service if the name came from it: it shows what it was sent to \
                 authenticate; otherwise report it to the provider's author"
            }
            _ => "report it to the provider's author, or use another version of the provider",
        }
    }
}

impl fmt::Display for AnswerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyEntries(most) => write!(f, "plans more than {most} entries"),
            Self::NoKind => f.write_str("plans no kind"),
            Self::NoStep => f.write_str("ended its probe without telling a step"),
            Self::Kind(kind) => {
                write!(f, "plans the kind {kind}, which its manifest does not list")
            }
            Self::Operation(operation) => write!(
                f,
                "plans the operation {operation}, which its manifest does not list"
            ),
            Self::Endpoint { host, port } => write!(
                f,
                "plans the endpoint {host}:{port}, which no rule of its manifest admits"
            ),
            Self::TlsProfile(name) => {
                write!(f, "plans the TLS profile {name:?} not at all or twice")
            }
            Self::MissingSecret(name) => {
                write!(f, "uses the named secret {name:?}, which it does not plan")
            }
            Self::SecretName(name) => write!(
                f,
                "plans a secret under the name {name:?}, which is empty, too long or taken"
            ),
            Self::TooManyFragments(most) => {
                write!(f, "plans a secret of more than {most} pieces")
            }
            Self::NoSuchSecret(number) => {
                write!(f, "plans secret {number}, which the URI does not have")
            }
            Self::SecretTwice(number) => write!(f, "plans secret {number} twice"),
            Self::ObjectStore(what) => write!(f, "plans {what}"),
            Self::SecretInPlan(place) => write!(f, "shows a secret of the URI in {place}"),
            Self::SecretInKeyName => {
                f.write_str("shows a secret of the URI in the name of its key")
            }
            Self::Ciphertext(what) => write!(f, "encrypts to {what}"),
            Self::LongPlaintext => f.write_str("decrypts to more than 4 KiB"),
            Self::Acknowledged(count, given) => write!(
                f,
                "acknowledges {count} messages of {given}, after it acknowledged others before"
            ),
            Self::TooManySubjects(most) => write!(f, "names more than {most} subjects"),
            Self::LongSchema => f.write_str("answers a schema of more than 1 MiB"),
            Self::ForeignPlaintext => {
                f.write_str("decrypts to something that no service has answered")
            }
            Self::Redaction(what) => write!(f, "redacts wrongly: {what}"),
        }
    }
}

impl std::error::Error for AnswerProblem {}

/// What a plan is checked against.
pub(crate) struct Given<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) uri: &'a UriPieces,
    pub(crate) secrets: &'a Secrets,
    pub(crate) words: &'a Words,
    /// Whether the guest was shown secrets of this URI.
    pub(crate) sighted: bool,
}

/// The plan of some entries, or the first thing that is wrong with them.
pub(crate) fn check_plan(
    entries: Vec<guest::PlanEntry>,
    given: &Given<'_>,
) -> Result<Plan, AnswerProblem> {
    if entries.len() > MAX_PLAN_ENTRIES {
        return Err(AnswerProblem::TooManyEntries(MAX_PLAN_ENTRIES));
    }
    let entries = entries
        .into_iter()
        .map(|entry| convert::from_guest_entry(entry).map_err(|word| unlisted(word, given.words)))
        .map(|entry| entry.map(|entry| clean(entry, given.words)))
        .collect::<Result<_, _>>()?;
    let plan = Plan { entries };
    check_words(&plan, given.manifest)?;
    check_endpoints(&plan, given)?;
    check_secrets(&plan, given)?;
    check_stores(&plan)?;
    if given.sighted {
        check_shown(&plan, given.words)?;
    }
    Ok(plan)
}

fn unlisted(word: UnknownWord, words: &Words) -> AnswerProblem {
    match word {
        UnknownWord::Kind(word) => AnswerProblem::Kind(words.line(&word, MAX_NAME)),
        UnknownWord::Operation(word) => AnswerProblem::Operation(words.line(&word, MAX_NAME)),
    }
}

/// Cleans the sentences of a plan, which people read. Its other texts are used as they are.
fn clean(entry: PlanEntry, words: &Words) -> PlanEntry {
    match entry {
        PlanEntry::Warning(text) => PlanEntry::Warning(words.line(&text, MAX_MESSAGE)),
        PlanEntry::ImplicitAccess(text) => PlanEntry::ImplicitAccess(words.line(&text, MAX_FACT)),
        PlanEntry::Other(name, text) => {
            PlanEntry::Other(words.line(&name, MAX_NAME), words.line(&text, MAX_MESSAGE))
        }
        other => other,
    }
}

fn check_words(plan: &Plan, manifest: &Manifest) -> Result<(), AnswerProblem> {
    if plan.kinds().next().is_none() {
        return Err(AnswerProblem::NoKind);
    }
    if let Some(kind) = plan.kinds().find(|kind| !manifest.kinds.contains(kind)) {
        return Err(AnswerProblem::Kind(kind.to_string()));
    }
    // `transfer` comes with an object store and is in no manifest.
    let comes_by_itself =
        |operation: Operation| operation == Operation::Transfer && plan.object_store().is_some();
    let unlisted = plan
        .operations()
        .into_iter()
        .find(|operation| !manifest.operations.contains(operation) && !comes_by_itself(*operation));
    match unlisted {
        Some(operation) => Err(AnswerProblem::Operation(operation.to_string())),
        None => Ok(()),
    }
}

fn check_endpoints(plan: &Plan, given: &Given<'_>) -> Result<(), AnswerProblem> {
    let mut profiles = HashSet::new();
    for entry in &plan.entries {
        if let PlanEntry::Tls(profile) = entry
            && (profile.name.is_empty() || !profiles.insert(profile.name.as_str()))
        {
            let name = given.words.line(&profile.name, MAX_NAME);
            return Err(AnswerProblem::TlsProfile(name));
        }
    }
    // Few plans of storage have an endpoint, and then nothing is asked of the URI.
    let mut context = None;
    for endpoint in plan.endpoints() {
        let context = context.get_or_insert_with(|| RuleContext::new(given.uri));
        if !is_host(&endpoint.host)
            || endpoint.port == 0
            || given.manifest.endpoint_rule(endpoint, context).is_none()
        {
            return Err(AnswerProblem::Endpoint {
                host: given.words.line(&endpoint.host, 253),
                port: endpoint.port,
            });
        }
        if let Some(name) = &endpoint.tls_profile
            && !profiles.contains(name.as_str())
        {
            return Err(AnswerProblem::TlsProfile(given.words.line(name, MAX_NAME)));
        }
    }
    Ok(())
}

/// A DNS name or an address literal: no brackets, no userinfo, no path, nothing invisible.
fn is_host(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':'))
}

fn check_secrets(plan: &Plan, given: &Given<'_>) -> Result<(), AnswerProblem> {
    let mut names = HashSet::new();
    let mut numbers = HashSet::new();
    for entry in &plan.entries {
        let PlanEntry::Secret(secret) = entry else {
            continue;
        };
        let name = secret.name.as_str();
        // A query repeats names, so the parameters of requests may.
        let (own, may_repeat) = match name.strip_prefix(QUERY_SECRETS) {
            Some(parameter) => (parameter, true),
            None => (name, false),
        };
        let is_first = names.insert(name);
        if own.is_empty() || own.len() > MAX_NAME || !(is_first || may_repeat) {
            return Err(AnswerProblem::SecretName(given.words.line(name, MAX_NAME)));
        }
        if secret.fragments.len() > MAX_FRAGMENTS {
            return Err(AnswerProblem::TooManyFragments(MAX_FRAGMENTS));
        }
        for fragment in &secret.fragments {
            let Fragment::Secret(number) = fragment else {
                continue;
            };
            if given.secrets.get(*number).is_none() {
                return Err(AnswerProblem::NoSuchSecret(*number));
            }
            if !numbers.insert(*number) {
                return Err(AnswerProblem::SecretTwice(*number));
            }
        }
    }
    for entry in &plan.entries {
        let PlanEntry::Tls(profile) = entry else {
            continue;
        };
        let uses = [
            &profile.certificate_authority,
            &profile.client_certificate,
            &profile.client_key,
        ];
        let missing = uses
            .into_iter()
            .flatten()
            .find(|name| !names.contains(name.as_str()));
        if let Some(name) = missing {
            return Err(AnswerProblem::MissingSecret(
                given.words.line(name, MAX_NAME),
            ));
        }
    }
    Ok(())
}

fn check_stores(plan: &Plan) -> Result<(), AnswerProblem> {
    let mut stores = plan.entries.iter().filter_map(|entry| match entry {
        PlanEntry::ObjectStore(store) => Some(store),
        _ => None,
    });
    let Some(store) = stores.next() else {
        return Ok(());
    };
    if stores.next().is_some() {
        return Err(AnswerProblem::ObjectStore("more than one object store"));
    }
    let climbs = |segment: &str| matches!(segment, "." | "..");
    if store.prefix.starts_with('/')
        || store.prefix.contains(['\0', '\\'])
        || store.prefix.split('/').any(climbs)
    {
        return Err(AnswerProblem::ObjectStore(
            "an object store whose path may lead out of it",
        ));
    }
    Ok(())
}

/// A guest that saw a secret may not put it where it is shown, dialled or written in clear.
fn check_shown(plan: &Plan, words: &Words) -> Result<(), AnswerProblem> {
    for entry in &plan.entries {
        let (place, texts): (_, Vec<&str>) = match entry {
            PlanEntry::Endpoint(endpoint) => ("an endpoint", vec![&endpoint.host]),
            PlanEntry::Setting(name, value) => ("a setting", vec![name, value]),
            PlanEntry::ObjectStore(store) => (
                "the object store",
                vec![&store.backend, &store.container, &store.prefix],
            ),
            PlanEntry::AssumeRole(role) => (
                "an assumed role",
                vec![&role.role, role.external_id.as_deref().unwrap_or_default()],
            ),
            PlanEntry::Tls(profile) => ("a TLS profile", vec![&profile.name]),
            PlanEntry::Secret(secret) => ("the name of a secret", vec![&secret.name]),
            _ => continue,
        };
        if texts.into_iter().any(|text| words.finds_a_secret(text)) {
            return Err(AnswerProblem::SecretInPlan(place));
        }
    }
    Ok(())
}
