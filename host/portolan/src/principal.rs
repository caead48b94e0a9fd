//! Who acts, and on whose behalf.

use std::fmt;

use jiff::Timestamp;

/// Who acts in a session: a name, and the roles that the embedding program vouches for.
///
/// The name needs no row in the catalog, and grants may name principals without one. Vouched roles
/// count in this session only; they are added to those that the catalog knows of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    name: String,
    roles: Vec<String>,
}

impl Principal {
    /// A principal without vouched roles.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            roles: Vec::new(),
        }
    }

    /// The same principal with one more role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The vouched roles, as they were given.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What is known of the request that a session serves; it goes to the audit and to tracing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestContext {
    /// Who asked the principal to act, if somebody else did.
    pub on_behalf_of: Option<String>,
    /// Where the client is, as the embedding program writes it.
    pub client_address: Option<String>,
    /// The embedding program's name for the request.
    pub request_id: Option<String>,
    /// When the answer is of no use any more: a statement that still runs then ends with 57014.
    pub deadline: Option<Timestamp>,
}

impl RequestContext {
    /// The same context with who asked the principal to act.
    #[must_use]
    pub fn on_behalf_of(mut self, name: impl Into<String>) -> Self {
        self.on_behalf_of = Some(name.into());
        self
    }

    /// The same context with where the client is.
    #[must_use]
    pub fn client_address(mut self, address: impl Into<String>) -> Self {
        self.client_address = Some(address.into());
        self
    }

    /// The same context with the embedding program's name for the request.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// The same context with a time after which the answer is of no use.
    #[must_use]
    pub fn deadline(mut self, deadline: Timestamp) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_keeps_its_roles_in_order() {
        let principal = Principal::new("etl").role("writers").role("readers");
        assert_eq!(principal.name(), "etl");
        assert_eq!(principal.roles(), ["writers", "readers"]);
    }
}
