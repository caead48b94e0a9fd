//! The names of keys: an id, an alias, or the ARN of either.

use portolan_sdk::{Plan, is_dns_label};

use crate::plan::{CUSTOM_ENDPOINT, KEY, REGION};

/// What an alias begins with.
const ALIAS: &str = "alias/";

/// The parts of an ARN of the service.
struct Arn<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    /// `key/ID` or `alias/NAME`.
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let (partition, rest) = name.strip_prefix("arn:")?.split_once(':')?;
        let (region, rest) = rest.strip_prefix("kms:")?.split_once(':')?;
        let (account, resource) = rest.split_once(':')?;
        let is_number = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
        (is_dns_label(partition) && is_dns_label(region) && is_number).then_some(Self {
            partition,
            region,
            account,
            resource,
        })
    }

    /// Whether it is the ARN of a key itself.
    fn is_of_key(&self) -> bool {
        let in_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let id = self.resource.strip_prefix("key/");
        id.is_some_and(|id| !id.is_empty() && id.bytes().all(in_id))
    }

    /// Whether both are of one account, in one region.
    fn is_beside(&self, other: &Self) -> bool {
        (self.partition, self.region, self.account)
            == (other.partition, other.region, other.account)
    }
}

/// The name to ask for what the key of this ARN encrypted; none where that is not the plan's key.
///
/// A key is asked for by the plan's own name. An alias may have been moved to another key since, so
/// the key that encrypted is asked for in its place: it has to lie where the alias does, and the
/// service knows whether the connection's credentials may use it.
pub(crate) fn to_ask<'a>(plan: &'a Plan, arn: &'a str) -> Option<&'a str> {
    let own = plan.setting(KEY).unwrap_or_default();
    let key = || Arn::of(arn).filter(Arn::is_of_key);
    if own.starts_with(ALIAS) {
        // Another server than Amazon's may call its region as it likes.
        let is_custom = plan.setting(CUSTOM_ENDPOINT).is_some();
        let lies_here = |key: &Arn<'_>| is_custom || plan.setting(REGION) == Some(key.region);
        return key().filter(lies_here).map(|_| arn);
    }
    if let Some(alias) = Arn::of(own).filter(|own| own.resource.starts_with(ALIAS)) {
        return key().filter(|key| key.is_beside(&alias)).map(|_| arn);
    }
    let id = |name: &'_ str| name.rsplit("key/").next().map(str::to_owned);
    let is_same = own == arn || !own.starts_with("arn:") && id(own) == id(arn);
    is_same.then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-central-1:1:key/0a1b";

    fn plan(key: &str) -> Plan {
        let plan = Plan::new(portolan_sdk::Kind::Kms);
        plan.set(REGION, "eu-central-1").set(KEY, key)
    }

    #[test]
    fn a_key_is_known_by_its_arn_and_by_its_id_and_asked_for_by_the_plans_name() {
        for key in [ARN, "0a1b", "key/0a1b"] {
            assert_eq!(to_ask(&plan(key), ARN), Some(key), "{key}");
        }
        for key in [
            "",
            "a1b",
            "arn:aws:kms:us-east-1:1:key/0a1b",
            "arn:aws:kms:eu-central-1:2:key/0a1b",
            "arn:aws:kms:eu-central-1:1:key/0a1b2c",
            "aliases/a",
            "b:alias/a",
        ] {
            assert_eq!(to_ask(&plan(key), ARN), None, "{key}");
        }
        let googles = "projects/p/locations/l/keyRings/r/cryptoKeys/0a1b";
        assert_eq!(to_ask(&plan("0a1b"), googles), None);
    }

    #[test]
    fn what_an_alias_stood_for_is_asked_for_by_its_arn() {
        let multi_region = "arn:aws:kms:eu-central-1:2:key/mrk-0a1b";
        for arn in [ARN, multi_region] {
            assert_eq!(to_ask(&plan("alias/a"), arn), Some(arn));
        }
        let alias = plan("arn:aws:kms:eu-central-1:1:alias/a/b");
        assert_eq!(to_ask(&alias, ARN), Some(ARN));
        for elsewhere in [
            "arn:aws-cn:kms:eu-central-1:1:key/0a1b",
            "arn:aws:kms:us-east-1:1:key/0a1b",
            multi_region,
        ] {
            assert_eq!(to_ask(&alias, elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn an_alias_without_an_account_stood_for_a_key_of_the_plans_region() {
        let elsewhere = "arn:aws:kms:us-east-1:1:key/0a1b";
        assert_eq!(to_ask(&plan("alias/a"), elsewhere), None);
        let custom = plan("alias/a").set(CUSTOM_ENDPOINT, "true");
        assert_eq!(to_ask(&custom, elsewhere), Some(elsewhere));
        // One with an account has a region of its own.
        let custom = plan("arn:aws:kms:eu-central-1:1:alias/a").set(CUSTOM_ENDPOINT, "true");
        assert_eq!(to_ask(&custom, elsewhere), None);
    }

    #[test]
    fn an_alias_stood_for_nothing_but_a_key() {
        for wrong in [
            "",
            "0a1b",
            "alias/a",
            "alias/b",
            "arn:aws:kms:eu-central-1:1:alias/a",
            "arn:aws:kms:eu-central-1:1:alias/b",
            "arn:aws:kms:eu-central-1:1:key/",
            "arn:aws:kms:eu-central-1:1:key/a/b",
            "arn:aws:kms:eu-central-1:1:key/a\"b",
            "arn:aws:kms:eu-central-1:1:key/0a1b ",
            "arn:aws:kms:eu-central-1:1:0a1b",
            "arn:aws:kms:eu-central-1:a:key/0a1b",
            "arn:aws:kms:eu-central-1::key/0a1b",
            "arn:aws:kms::1:key/0a1b",
            "arn:aws:s3:eu-central-1:1:key/0a1b",
            "arn::kms:eu-central-1:1:key/0a1b",
            "urn:aws:kms:eu-central-1:1:key/0a1b",
            "projects/p/locations/l/keyRings/r/cryptoKeys/0a1b",
        ] {
            for alias in ["alias/a", "arn:aws:kms:eu-central-1:1:alias/a"] {
                assert_eq!(to_ask(&plan(alias), wrong), None, "{alias}: {wrong}");
            }
        }
    }
}
