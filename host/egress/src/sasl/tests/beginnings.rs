//! What an exchange is begun with.

use portolan_contract::{Endpoint, PlanEntry};

use super::{
    Mechanism, Property, SaslError, authenticator, channel, plan, secret, text, user_and_password,
};
use crate::EgressOptions;

fn refused(mechanism: Mechanism, properties: &[Property]) -> Option<SaslError> {
    let plan = plan(b"pencil", Vec::new());
    let authenticator = authenticator(&plan, EgressOptions::default());
    let begun = authenticator.start(mechanism, properties, None);
    begun.err()
}

#[test]
fn a_mechanism_is_known_by_its_name() {
    for name in [
        "PLAIN",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-512",
        "SCRAM-SHA-512-PLUS",
        "OAUTHBEARER",
        "AWS_MSK_IAM",
        "POSTGRES-MD5",
    ] {
        assert_eq!(name.parse::<Mechanism>().expect(name).to_string(), name);
    }
    for name in ["", "plain", "SCRAM-SHA-1", "GSSAPI", "ANONYMOUS"] {
        assert_eq!(name.parse::<Mechanism>(), Err(SaslError::UnknownMechanism));
    }
}

#[test]
fn properties_are_those_of_the_mechanism_each_once() {
    let [user, password] = user_and_password("u");
    let begun = |properties: &[Property]| refused(Mechanism::Plain, properties);
    assert_eq!(begun(&[user.clone(), password.clone()]), None);
    assert_eq!(
        begun(std::slice::from_ref(&user)),
        Some(SaslError::MissingProperty("password"))
    );
    for more in [
        user.clone(),
        text("realm", "r"),
        secret("token", "password"),
    ] {
        assert_eq!(
            begun(&[user.clone(), password.clone(), more]),
            Some(SaslError::ForeignProperty)
        );
    }
    assert_eq!(
        begun(&[user.clone(), secret("password", "other")]),
        Some(SaslError::NoSuchSecret)
    );
    assert_eq!(
        begun(&[user.clone(), Property::Other]),
        Some(SaslError::PropertyOfLaterContract)
    );
    assert_eq!(
        begun(&[text("user", ""), password.clone()]),
        Some(SaslError::EmptyProperty("user"))
    );
    assert_eq!(
        begun(&[text("user", "a\0b"), password]),
        Some(SaslError::Unwritable)
    );
    assert_eq!(begun(&vec![user; 17]), Some(SaslError::TooManyProperties));
}

#[test]
fn a_password_of_no_text_has_no_nul() {
    let plan = plan(b"a\0b", Vec::new());
    let authenticator = authenticator(&plan, EgressOptions::default());
    let begun = authenticator.start(Mechanism::ScramSha256, &user_and_password("u"), None);
    assert_eq!(begun.err(), Some(SaslError::Unwritable));
}

fn iam(entries: Vec<PlanEntry>, region: &str, options: EgressOptions) -> Option<SaslError> {
    let plan = plan(b"pencil", entries);
    let channel = channel(b"");
    let begun = authenticator(&plan, options).start(
        Mechanism::AwsMskIam,
        &[text("region", region)],
        Some(&channel),
    );
    begun.err()
}

#[test]
fn what_the_host_lends_is_for_plans_that_say_so_and_operators_who_allow_it() {
    let says = || vec![PlanEntry::ImplicitAccess("AWS_MSK_IAM".to_owned())];
    let begun = |entries| iam(entries, "eu-central-1", EgressOptions::default());
    assert_eq!(begun(Vec::new()), Some(SaslError::NotImplicit));
    // This host lends nothing at all.
    assert!(matches!(begun(says()), Some(SaslError::Keys(_))));
    let options = EgressOptions {
        disable_implicit_credentials: true,
        ..EgressOptions::default()
    };
    let refused = iam(says(), "eu-central-1", options);
    assert_eq!(refused, Some(SaslError::Disallowed));
    for region in ["eu.evil", "EU", "-", "a/b", "a@b", &"a".repeat(64)] {
        let refused = iam(says(), region, EgressOptions::default());
        assert_eq!(refused, Some(SaslError::BadRegion), "{region}");
    }
    assert_eq!(
        self::refused(Mechanism::AwsMskIam, &[text("region", "eu-central-1")]),
        Some(SaslError::NoChannel)
    );
}

/// The URL that a provider gives is the URI's own, or nothing is sent.
#[test]
fn a_clients_secret_goes_to_the_token_service_of_the_uri() {
    let url = "https://login.example.com/token";
    let manifest = portolan_contract::Manifest::parse(
        "name = \"p\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nschemes = [\"p\"]\n\
         kinds = [\"sink\"]\noperations = []\n[[option]]\nname = \"sasl_token_url\"\n\
         public = true\ntoken_url = true\nmeaning = \"m\"\nexample = \"e\"\n",
    )
    .expect("a manifest");
    let endpoint = |host: &str, profile: Option<&str>| {
        PlanEntry::Endpoint(Endpoint {
            host: host.to_owned(),
            port: 443,
            tls_profile: profile.map(str::to_owned),
        })
    };
    let begun = |option: &str, given: &str, entry: PlanEntry| {
        let mut plan = (*plan(b"pencil", vec![entry])).clone();
        let options = vec![(option.to_owned(), url.to_owned())];
        plan.context = portolan_contract::RuleContext::of(Vec::new(), options);
        let authenticator = super::Authenticator::new(
            &crate::Egress::new(EgressOptions::default()),
            &std::sync::Arc::new(plan),
            &manifest,
            super::Lent::default(),
        );
        let properties = [
            text("token-url", given),
            text("client-id", "c"),
            secret("client-secret", "password"),
        ];
        let begun = authenticator.start(Mechanism::OauthBearer, &properties, None);
        begun.err()
    };
    let planned = || endpoint("login.example.com", Some("idp"));
    assert_eq!(begun("sasl_token_url", url, planned()), None);
    let other = Some(SaslError::OtherTokenService);
    let elsewhere = "https://evil.example.com/token";
    assert_eq!(begun("sasl_token_url", elsewhere, planned()), other);
    assert_eq!(begun("topic_name", url, planned()), other);
    assert_eq!(
        begun(
            "sasl_token_url",
            url,
            endpoint("evil.example.com", Some("idp"))
        ),
        other
    );
    assert_eq!(
        begun("sasl_token_url", url, endpoint("login.example.com", None)),
        other
    );
}
