//! One role after the other.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_contract::AssumedRole;

use super::{AwsCredentialError, AwsKeys, AwsSource, CachedKeys, TokenService};

/// The keys of the last of these roles, each of which is taken on with the key of the one before;
/// the first with that of `first`. The key of each link is kept and renewed by itself.
#[must_use]
pub fn role_chain(
    first: Arc<dyn AwsSource>,
    roles: &[AssumedRole],
    service: &TokenService,
) -> CachedKeys {
    let mut keys = CachedKeys::new(first);
    for (place, role) in roles.iter().enumerate() {
        keys = CachedKeys::new(Arc::new(Link {
            before: keys,
            role: role.clone(),
            number: place + 1,
            of: roles.len(),
            service: service.clone(),
        }));
    }
    keys
}

/// One role, and what it is taken on with.
#[derive(Debug)]
struct Link {
    before: CachedKeys,
    role: AssumedRole,
    number: usize,
    of: usize,
    service: TokenService,
}

#[async_trait]
impl AwsSource for Link {
    async fn fetch(&self) -> Result<AwsKeys, AwsCredentialError> {
        let before = self.before.get().await?;
        let assumed = self.service.assume_role(&before, &self.role).await;
        assumed.map_err(|failed| {
            failed.into_error(|refusal, code| AwsCredentialError::RoleRefused {
                number: self.number,
                of: self.of,
                role: self.role.role.clone(),
                refusal,
                code,
            })
        })
    }

    fn forget(&self) -> bool {
        self.before.forget()
    }
}
