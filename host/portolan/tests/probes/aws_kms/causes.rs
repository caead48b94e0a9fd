//! Each cause of a failure, brought about.

use portolan_servers::AwsStandIn;

use super::{
    BACKUP, EXTERNAL_ID, JUMP, KMS, SECRET, SESSION, Setting, TOKEN, USER, as_roles, fails, told,
    uri, with, with_token,
};
use crate::told::{
    ALL, DECRYPTING, ENCRYPTING, NOT_DECRYPTED, NOT_ENCRYPTED, apart, expect, made, named, nobody,
    ways,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_a_chain_that_is_denied_is_told_with_its_place_by_a_stand_in() {
    let setting = Setting::new();
    let hint = "let the role's trust policy name the one before it, grant that one \
                sts:AssumeRole, and check the role's ARN and external_id";
    let denied = |place: &str, role: &str| {
        format!(
            "{NOT_ENCRYPTED}role {place} of 2, `{role}`: the key before it may not take it on \
             (AccessDenied)"
        )
    };
    // The second role trusts the user itself, not the role before it.
    setting.aws.add_role(JUMP, USER, Some(EXTERNAL_ID));
    setting.aws.add_role(BACKUP, USER, None);
    setting.aws.allow(BACKUP, &["Encrypt", "Decrypt"]);
    fails(
        setting.options(),
        &as_roles(),
        [ENCRYPTING, "28000", &denied("2", BACKUP), hint],
    )
    .await;
    // The first asks for another external id.
    setting.aws.add_role(JUMP, USER, Some("another"));
    fails(
        setting.options(),
        &as_roles(),
        [ENCRYPTING, "28000", &denied("1", JUMP), hint],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_told_by_a_stand_in() {
    let setting = Setting::new();
    fails(
        setting.options(),
        &with(AwsStandIn::ALIAS, USER, "hunter2"),
        [
            ENCRYPTING,
            "28000",
            &format!("{NOT_ENCRYPTED}AWS KMS answered 400 InvalidSignatureException"),
            "Check AWS_SECRET_ACCESS_KEY; in a URI a + is written %2B.",
        ],
    )
    .await;
    let unknown = with(AwsStandIn::ALIAS, "AKIANOBODYKNOWSTHIS1", SECRET);
    // The right key without its token is not known either.
    let incomplete = with(AwsStandIn::ALIAS, SESSION, SECRET);
    for uri in [unknown, incomplete, with_token("hunter2")] {
        fails(
            setting.options(),
            &uri,
            [
                ENCRYPTING,
                "28000",
                &format!("{NOT_ENCRYPTED}AWS KMS answered 400 UnrecognizedClientException"),
                "Check AWS_ACCESS_KEY_ID, and AWS_SESSION_TOKEN of temporary credentials.",
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_ended_is_told_by_a_stand_in() {
    let setting = Setting::new();
    setting.aws.end_sessions();
    fails(
        setting.options(),
        &with_token(TOKEN),
        [
            ENCRYPTING,
            "28000",
            &format!("{NOT_ENCRYPTED}AWS KMS answered 400 ExpiredTokenException"),
            "Give temporary credentials that are still valid.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_for_only_one_of_the_two_is_told_by_a_stand_in() {
    let setting = Setting::new();
    setting.aws.allow(USER, &["Encrypt"]);
    fails(
        setting.options(),
        &uri(),
        [
            DECRYPTING,
            "42501",
            &format!(
                "{NOT_DECRYPTED}AWS KMS answered 400 AccessDeniedException; the content was \
                 encrypted with {}",
                AwsStandIn::ARN
            ),
            "Allow kms:Decrypt on that key, in its policy or in that of the user or role, and not \
             under kms:RequestAlias: it is asked for by its ARN.",
        ],
    )
    .await;
    setting.aws.allow(USER, &["Decrypt"]);
    fails(
        setting.options(),
        &uri(),
        [
            ENCRYPTING,
            "42501",
            &format!("{NOT_ENCRYPTED}AWS KMS answered 400 AccessDeniedException"),
            "Allow kms:Encrypt on this key, in its policy or in that of the user or role.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_disabled_is_told_by_a_stand_in() {
    let setting = Setting::new();
    setting.aws.disable_key();
    fails(
        setting.options(),
        &uri(),
        [
            ENCRYPTING,
            "42501",
            &format!("{NOT_ENCRYPTED}AWS KMS answered 400 DisabledException"),
            "Enable the key.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_region_is_told_by_a_stand_in() {
    let setting = Setting::new();
    let message = format!("{NOT_ENCRYPTED}AWS KMS answered 400 NotFoundException");
    let by_name = "Check the key's name, and REGION: the key may lie in another region.";
    for (key, hint) in [
        (AwsStandIn::KEY, by_name),
        (AwsStandIn::ALIAS, by_name),
        (
            AwsStandIn::ARN,
            "Check REGION: the key's ARN is one of the region eu-central-1.",
        ),
    ] {
        let uri = with(key, USER, SECRET).replace("REGION=eu-central-1", "REGION=us-east-1");
        fails(
            setting.options(),
            &uri,
            [ENCRYPTING, "42704", &message, hint],
        )
        .await;
    }
    let another = AwsStandIn::ARN.replace("1234abcd", "4321dcba");
    fails(
        setting.options(),
        &with(&another, USER, SECRET),
        [
            ENCRYPTING,
            "42704",
            &message,
            "Check the key's ARN: its account has no such key in this region.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_apart_are_told_in_seconds_by_the_date_of_a_stand_in() {
    let setting = Setting::new();
    let roles = {
        setting.aws.add_role(JUMP, USER, Some(EXTERNAL_ID));
        as_roles()
    };
    for (ahead, direction) in [(3600, "behind"), (-3600, "ahead of")] {
        setting.aws.set_clock_ahead(ahead);
        for (uri, whose, hint) in [
            (
                uri(),
                "AWS KMS (InvalidSignatureException)",
                "Set this host's clock, and keep it by NTP.",
            ),
            (
                roles.clone(),
                "the token service (SignatureDoesNotMatch)",
                "set this host's clock, and keep it by NTP",
            ),
        ] {
            let told = told(setting.options(), &uri).await;
            let role = match whose.starts_with("the token") {
                true => format!("role 1 of 2, `{JUMP}`: "),
                false => String::new(),
            };
            let message = format!(
                "failed to create AWS KMS external connection: {NOT_ENCRYPTED}{role}this host's \
                 clock is N s {direction} that of {whose}"
            );
            expect(&apart(&told, 3600), [ENCRYPTING, "28000", &message, hint]);
        }
    }
    // A little is allowed.
    setting.aws.set_clock_ahead(200);
    assert_eq!(made(setting.options(), &uri()).await, ALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_reached_is_told() {
    let setting = Setting::new();
    fails(
        ways(&setting.authority, &[(&format!("{KMS}:443"), nobody())]),
        &uri(),
        [
            "resolve ok, dial failed",
            "08001",
            &format!("{KMS}:443 refused the connection"),
            "check the port, and that the server is running",
        ],
    )
    .await;
    fails(
        named(&[]),
        &uri(),
        [
            "resolve failed",
            "08001",
            &format!("the name {KMS} does not resolve"),
            "check the spelling of the host, and the DNS of this host",
        ],
    )
    .await;
}
