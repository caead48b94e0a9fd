//! Which rule describes a request, and in what the nearest one differs from it.

use std::fmt;

use super::RequestRule;
use crate::members::{self, Filled};
use crate::{Endpoint, Failure, FailureClass, Manifest, RuleContext};

/// A request as a provider asks for it, as far as rules judge it.
#[derive(Debug, Clone, Copy)]
pub struct AskedRequest<'a> {
    /// The name of the rule.
    pub rule: &'a str,
    /// Where it goes.
    pub endpoint: &'a Endpoint,
    /// The method.
    pub method: &'a str,
    /// The path's decoded segments.
    pub path: &'a [String],
    /// The names of the query's parameters, and whether the value is an opaque part.
    pub query: &'a [(&'a str, bool)],
    /// The names of the headers.
    pub headers: &'a [&'a str],
    /// The body's bytes without its opaque parts.
    pub body: &'a [u8],
    /// Where in these bytes opaque parts stand, in ascending order.
    pub opaque: &'a [usize],
}

/// In what a request differs from a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// Its name is another one.
    Name,
    /// It goes to a host that the rule's pattern does not match.
    Host,
    /// It has another method.
    Method,
    /// Its path does not match the rule's.
    Path,
    /// A parameter of its query is not one that the rule lets a provider send, or is opaque.
    Query,
    /// One of its headers is not one that the rule lets a provider send.
    Headers,
    /// Its body has opaque parts where the rule has none, or none where it has them.
    Body,
}

/// A request that no rule describes.
///
/// Nothing of what the provider wrote stands in its text: only what the manifest and the plan say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRefusal {
    host: String,
    port: u16,
    /// The rule that was asked for, where the manifest has it.
    asked: Option<String>,
    nearest: Option<Box<(RequestRule, Vec<Difference>)>>,
}

impl Manifest {
    /// The rule that describes a request.
    ///
    /// # Errors
    ///
    /// No rule does; the error names the nearest one and the fields that differ.
    pub fn judge_request(
        &self,
        asked: &AskedRequest<'_>,
        context: &RuleContext,
    ) -> Result<&RequestRule, RequestRefusal> {
        // Only a rule of its name can describe it; the others are read where none does.
        let mut named = self.requests.iter().filter(|rule| rule.name == asked.rule);
        if let Some(rule) = named.find(|rule| rule.differences(asked, context).is_empty()) {
            return Ok(rule);
        }
        let mut nearest: Option<(&RequestRule, Vec<Difference>)> = None;
        for rule in &self.requests {
            let differences = rule.differences(asked, context);
            // Of two that are as near, the one that was asked for is meant.
            let nearer = nearest.as_ref().is_none_or(|(_, least)| {
                differences.len() < least.len()
                    || (differences.len() == least.len() && rule.name == asked.rule)
            });
            if nearer {
                nearest = Some((rule, differences));
            }
        }
        Err(RequestRefusal {
            host: asked.endpoint.host.clone(),
            port: asked.endpoint.port,
            asked: self.request_rule(asked.rule).map(|rule| rule.name.clone()),
            nearest: nearest.map(|(rule, differences)| Box::new((rule.clone(), differences))),
        })
    }
}

impl RequestRule {
    fn differences(&self, asked: &AskedRequest<'_>, context: &RuleContext) -> Vec<Difference> {
        let may_ask = |(name, opaque): &(&str, bool)| {
            !opaque && self.allow_query.iter().any(|allowed| allowed == name)
        };
        let may_send = |name: &&str| self.allow_headers.iter().any(|allowed| allowed == name);
        let fields = [
            (Difference::Name, self.name == asked.rule),
            (
                Difference::Host,
                self.host
                    .iter()
                    .any(|host| host.matches(&asked.endpoint.host, context)),
            ),
            (Difference::Method, self.method == asked.method),
            (Difference::Path, self.path.matches(asked.path)),
            (Difference::Query, asked.query.iter().all(may_ask)),
            (Difference::Headers, asked.headers.iter().all(may_send)),
            (Difference::Body, self.takes_body(asked)),
        ];
        let differing = fields.into_iter().filter(|(_, same)| !same);
        differing.map(|(field, _)| field).collect()
    }

    /// Whether opaque parts stand in the body where the rule has them, and nowhere else.
    fn takes_body(&self, asked: &AskedRequest<'_>) -> bool {
        if self.opaque_body.is_empty() {
            return asked.opaque.is_empty();
        }
        let pointers: Vec<_> = self.opaque_body.iter().collect();
        members::filled(asked.body, asked.opaque, &pointers) == Filled::Rightly
    }
}

impl RequestRefusal {
    /// The nearest rule's name and in what the request differs from it; nothing where the manifest
    /// has no rule.
    #[must_use]
    pub fn nearest(&self) -> Option<(&str, &[Difference])> {
        let (rule, differences) = self.nearest.as_deref()?;
        Some((&rule.name, differences))
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(FailureClass::Denied, self.to_string()).with_hint(
            "report it to the provider's author, or use a version of the provider whose manifest \
             has a rule for it",
        )
    }
}

impl fmt::Display for RequestRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.asked {
            Some(name) => write!(f, "the request {name}")?,
            None => f.write_str("a request")?,
        }
        write!(f, " to {}:{} is not sent: ", self.host, self.port)?;
        let Some((rule, differences)) = self.nearest.as_deref() else {
            return f.write_str("the provider's manifest has no rule for any request");
        };
        match &self.asked {
            Some(name) if *name == rule.name => write!(f, "it differs from its rule in ")?,
            _ => write!(
                f,
                "no rule of the provider's manifest describes it; from the nearest, {}, it differs in ",
                rule.name
            )?,
        }
        for (place, difference) in differences.iter().enumerate() {
            let before = match place {
                0 => "",
                place if place + 1 == differences.len() => ", and ",
                _ => ", ",
            };
            write!(f, "{before}{}", Told(*difference, rule))?;
        }
        Ok(())
    }
}

impl std::error::Error for RequestRefusal {}

/// A difference in the words of the rule.
struct Told<'a>(Difference, &'a RequestRule);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(difference, rule) = self;
        match difference {
            Difference::Name => f.write_str("its name"),
            Difference::Host => write!(f, "its host (the rule's is {})", rule.hosts()),
            Difference::Method => write!(f, "its method (the rule's is {})", rule.method),
            Difference::Path => write!(f, "its path (the rule's is {})", rule.path),
            Difference::Query => match rule.allow_query.as_slice() {
                [] => f.write_str("its query (the rule lets a provider send none)"),
                allowed => write!(
                    f,
                    "its query (the rule lets a provider send {}, in clear)",
                    allowed.join(", ")
                ),
            },
            Difference::Headers => match rule.allow_headers.as_slice() {
                [] => f.write_str("its headers (the rule lets a provider send none)"),
                allowed => write!(
                    f,
                    "its headers (the rule lets a provider send {})",
                    allowed.join(", ")
                ),
            },
            Difference::Body => match rule.opaque_body.as_slice() {
                [] => f.write_str("its body (the rule lets no opaque part stand there)"),
                pointers => {
                    let pointers: Vec<_> = pointers.iter().map(|one| one.as_str()).collect();
                    write!(
                        f,
                        "its body (the rule's is JSON whose opaque parts are {} and no others)",
                        pointers.join(", ")
                    )
                }
            },
        }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
