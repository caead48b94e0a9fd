//! `aws-kms`: stand-ins for AWS KMS, its token service and a machine's metadata service, which verify
//! signatures in full and by a clock of their own. They refuse with the codes of AWS's documentation:
//! that the real services choose these codes is not proved, nor what else their policies can say.

use portolan::EgressOptions;
use portolan_servers::{Authority, AwsStandIn, aws_machine};

use super::support::{World, refused, rows};
use super::told::{
    ALL, DECRYPTING, ENCRYPTING, NOT_DECRYPTED, NOT_ENCRYPTED, apart, escaped, expect, failing,
    made, metadata, named, nobody, ways,
};

const KMS: &str = "kms.eu-central-1.amazonaws.com";
const USER: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE/+token==";
const SESSION: &str = "ASIAIOSFODNN7EXAMPLE";
const JUMP: &str = "arn:aws:iam::123456789012:role/jump";
const BACKUP: &str = "arn:aws:iam::210987654321:role/backup";
const EXTERNAL_ID: &str = "harbour/17";

/// AWS with one key, which a user and a session may use.
struct Setting {
    authority: Authority,
    aws: AwsStandIn,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        let aws = AwsStandIn::start(&authority, &["eu-central-1", "us-east-1"]);
        aws.add_key(USER, SECRET, None);
        aws.add_key(SESSION, SECRET, Some(TOKEN));
        for principal in [USER, SESSION] {
            aws.allow(principal, &["Encrypt", "Decrypt"]);
        }
        Self { authority, aws }
    }

    fn options(&self) -> EgressOptions {
        let services = ["kms", "sts"].into_iter();
        let hosts: Vec<_> = services
            .flat_map(|service| {
                ["eu-central-1", "us-east-1"]
                    .map(|region| format!("{service}.{region}.amazonaws.com:443"))
            })
            .collect();
        let address = self.aws.address();
        let hosts: Vec<_> = hosts.iter().map(|host| (&**host, address)).collect();
        ways(&self.authority, &hosts)
    }
}

fn uri() -> String {
    with(AwsStandIn::ALIAS, USER, SECRET)
}

/// With this key of KMS and this access key.
fn with(key: &str, id: &str, secret: &str) -> String {
    let secret = escaped(secret);
    format!(
        "aws-kms:///{key}?REGION=eu-central-1&AWS_ACCESS_KEY_ID={id}&AWS_SECRET_ACCESS_KEY={secret}"
    )
}

/// With temporary credentials.
fn with_token(token: &str) -> String {
    let uri = with(AwsStandIn::ALIAS, SESSION, SECRET);
    format!("{uri}&AWS_SESSION_TOKEN={}", escaped(token))
}

/// As two roles, one after the other.
fn as_roles() -> String {
    let jump = format!("{JUMP};external_id={EXTERNAL_ID}");
    format!(
        "{}&ASSUME_ROLE={}",
        uri(),
        escaped(&format!("{jump},{BACKUP}"))
    )
}

/// What a failing probe tells, of which nothing is a secret or of the service's own words.
async fn told(options: EgressOptions, uri: &str) -> String {
    let (secret, token) = (escaped(SECRET), escaped(TOKEN));
    let forbidden = [
        SECRET,
        &secret,
        TOKEN,
        &token,
        AwsStandIn::CHATTER,
        "Canonical",
        "hunter2",
        "of+role",
    ];
    failing(options, uri, &forbidden).await
}

/// Compares a failure: its steps, its SQLSTATE, its message and its hint.
async fn fails(options: EgressOptions, uri: &str, [steps, state, message, hint]: [&str; 4]) {
    let message = format!("failed to create AWS KMS external connection: {message}");
    expect(&told(options, uri).await, [steps, state, &message, hint]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_tried_out_by_each_name_with_a_user_and_a_session_over_a_stand_in() {
    let setting = Setting::new();
    let names = [AwsStandIn::KEY, AwsStandIn::ALIAS, AwsStandIn::ARN];
    let mut uris = names.map(|key| with(key, USER, SECRET)).to_vec();
    uris.push(with_token(TOKEN));
    for uri in uris {
        assert_eq!(made(setting.options(), &uri).await, ALL, "{uri}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_names_the_key_and_no_secret_is_shown_over_a_stand_in() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let create = format!("CREATE EXTERNAL CONNECTION c AS '{}'", with_token(TOKEN));
    world.run(&[&create]).await;
    let root = world.root();
    let steps = rows(&root, "VALIDATE EXTERNAL CONNECTION c").await;
    let encrypted = &steps[5];
    assert_eq!((&*encrypted[0], &*encrypted[1]), ("encrypt", "ok"));
    assert_eq!(encrypted[3], format!("key: {}", AwsStandIn::ARN));
    let shown = rows(&root, "SHOW EXTERNAL CONNECTION c").await;
    let shown = format!("{shown:?}{steps:?}");
    assert!(shown.contains("AWS_SECRET_ACCESS_KEY=redacted"), "{shown}");
    assert!(shown.contains("AWS_SESSION_TOKEN=redacted"), "{shown}");
    for secret in [SECRET, TOKEN] {
        assert!(!shown.contains(secret) && !shown.contains(&escaped(secret)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_role_of_a_chain_uses_the_key_over_a_stand_in() {
    let setting = Setting::new();
    setting.aws.add_role(JUMP, USER, Some(EXTERNAL_ID));
    setting.aws.add_role(BACKUP, JUMP, None);
    setting.aws.allow(USER, &[]);
    setting.aws.allow(BACKUP, &["Encrypt", "Decrypt"]);
    assert_eq!(made(setting.options(), &as_roles()).await, ALL);
    // One for each of the two roles and of the two probes.
    assert_eq!(setting.aws.given(), 4);
}

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
async fn the_machines_key_is_lent_where_the_host_lends_over_stand_ins() {
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ] {
        let variable = std::env::var_os(name);
        assert!(
            variable.is_none(),
            "unset {name}: this is a machine without"
        );
    }
    let setting = Setting::new();
    let machine = aws_machine([SESSION, SECRET, TOKEN]);
    let options = EgressOptions {
        metadata: metadata(&machine),
        ..setting.options()
    };
    let uri = format!(
        "aws-kms:///{}?AUTH=implicit&REGION=eu-central-1",
        AwsStandIn::ALIAS
    );
    let create = format!("CREATE EXTERNAL CONNECTION c AS '{uri}'");
    let lending = World::with(|builder| builder.egress(options.clone()).lend_host_credentials());
    let lending = lending.await;
    lending.run(&[&create]).await;
    let steps = rows(&lending.root(), "VALIDATE EXTERNAL CONNECTION c").await;
    let last = steps.last().expect("a step");
    assert_eq!((&*last[0], &*last[1]), ("compare", "ok"));

    // What the machine has may take on roles as well.
    setting.aws.add_role(BACKUP, SESSION, None);
    setting.aws.allow(BACKUP, &["Encrypt", "Decrypt"]);
    setting.aws.allow(SESSION, &[]);
    let as_role = format!("CREATE EXTERNAL CONNECTION r AS '{uri}&ASSUME_ROLE={BACKUP}'");
    lending.run(&[&as_role]).await;

    let world = World::with(|builder| builder.egress(options)).await;
    let error = refused(&world.root(), &create).await;
    assert_eq!(
        (error.sqlstate().to_string(), error.hint()),
        (
            "0A000".to_owned(),
            Some(
                "give the connection AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set up what \
                 this host lends"
            )
        )
    );
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
            &format!("{NOT_DECRYPTED}AWS KMS answered 400 AccessDeniedException"),
            "Allow kms:Decrypt on this key, in its policy or in that of the user or role.",
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
