use portolan_sdk::testing::{broken_at, pieces, public_options};
use portolan_sdk::{
    AssumedRole, Endpoint, FailureClass, Fragment, NamedSecret, PlanEntry, Provider, TlsProfile,
    print_redacted,
};

use super::*;
use crate::Kafka;

const MANIFEST: &str = include_str!("../../manifest.toml");

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&pieces(uri, &public_options(MANIFEST)))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri, "{uri}");
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure.message
}

fn setting(name: &str, value: &str) -> PlanEntry {
    PlanEntry::Setting((name.to_owned(), value.to_owned()))
}

fn secret(name: &str, number: u32) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments: vec![Fragment::Secret(number)],
    })
}

fn endpoint(host: &str, port: u16, profile: Option<&str>) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port,
        tls_profile: profile.map(str::to_owned),
    })
}

fn tls(name: &str, verify: TlsVerification) -> PlanEntry {
    PlanEntry::Tls(TlsProfile {
        name: name.to_owned(),
        certificate_authority: None,
        client_certificate: None,
        client_key: None,
        verify,
    })
}

/// What every plan begins with.
fn sink() -> Vec<PlanEntry> {
    vec![
        PlanEntry::Kind(Kind::Sink),
        PlanEntry::Supports(Operation::Changefeed),
    ]
}

fn warnings(plan: &Plan) -> Vec<&str> {
    let entries = plan.entries().iter();
    let warnings = entries.filter_map(|entry| match entry {
        PlanEntry::Warning(sentence) => Some(sentence.as_str()),
        _ => None,
    });
    warnings.collect()
}

#[test]
fn several_brokers_with_tls_a_client_certificate_and_scram_are_a_whole_plan() {
    let plan = planned(
        "kafka://a.example:9093,[2001:db8::1]:9094,b.example?topic_prefix=bar_&topic_name=orders\
         &tls_enabled=true&ca_cert=x&client_cert=y&client_key=z&sasl_enabled=true\
         &sasl_mechanism=SCRAM-SHA-512&sasl_user=ada&sasl_password=hunter2",
    );
    let mut expected = sink();
    expected.extend([
        secret("certificate-authority", 0),
        secret("client-certificate", 1),
        secret("client-key", 2),
        PlanEntry::Tls(TlsProfile {
            name: "server".to_owned(),
            certificate_authority: Some("certificate-authority".to_owned()),
            client_certificate: Some("client-certificate".to_owned()),
            client_key: Some("client-key".to_owned()),
            verify: TlsVerification::Full,
        }),
        endpoint("a.example", 9093, Some("server")),
        endpoint("2001:db8::1", 9094, Some("server")),
        endpoint("b.example", 9092, Some("server")),
        setting("brokers", "3"),
        setting("sasl-mechanism", "SCRAM-SHA-512"),
        setting("user", "ada"),
        secret("password", 3),
        setting("topic-name", "orders"),
        setting("topic-prefix", "bar_"),
        setting("scheme", "kafka"),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn the_least_is_a_broker_in_plain_text() {
    let mut expected = sink();
    expected.extend([
        endpoint("a.example", 9092, None),
        setting("brokers", "1"),
        setting("scheme", "kafka"),
    ]);
    for uri in [
        "kafka://a.example",
        "kafka://a.example:9092/",
        "kafka://a.example?tls_enabled=false&sasl_enabled=false&topic_prefix=&sasl_user=",
    ] {
        assert_eq!(planned(uri).expect(uri).into_entries(), expected, "{uri}");
    }
}

#[test]
fn a_token_is_asked_for_where_the_uri_says_and_over_tls() {
    let plan = planned(
        "kafka://a:9092?tls_enabled=true&sasl_enabled=true&sasl_mechanism=OAUTHBEARER\
         &sasl_client_id=me&sasl_client_secret=aHVudGVyMg&sasl_grant_type=client_credentials\
         &sasl_token_url=https%3A%2F%2Flogin.example%3A8443%2Ftoken&sasl_scopes=a&sasl_scopes=b",
    );
    let mut expected = sink();
    expected.extend([
        tls("server", TlsVerification::Full),
        endpoint("a", 9092, Some("server")),
        setting("brokers", "1"),
        setting("sasl-mechanism", "OAUTHBEARER"),
        setting("client-id", "me"),
        setting("token-url", "https://login.example:8443/token"),
        secret("client-secret", 0),
        tls("token-service", TlsVerification::Full),
        endpoint("login.example", 8443, Some("token-service")),
        setting("grant-type", "client_credentials"),
        setting("scope", "a b"),
        setting("scheme", "kafka"),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn a_role_of_aws_is_taken_on_with_the_servers_own_credentials() {
    let plan = planned(
        "kafka://b-1.msk.example:9098?tls_enabled=true&sasl_enabled=true\
         &sasl_mechanism=AWS_MSK_IAM&sasl_aws_region=eu-central-1\
         &sasl_aws_iam_role_arn=arn:aws:iam::123456789012:role/p&sasl_aws_iam_session_name=me",
    );
    let mut expected = sink();
    expected.extend([
        tls("server", TlsVerification::Full),
        endpoint("b-1.msk.example", 9098, Some("server")),
        setting("brokers", "1"),
        PlanEntry::ImplicitAccess("the AWS credentials of the server".to_owned()),
        setting("sasl-mechanism", "AWS_MSK_IAM"),
        setting("region", "eu-central-1"),
        setting("session-name", "me"),
        PlanEntry::AssumeRole(AssumedRole {
            role: "arn:aws:iam::123456789012:role/p".to_owned(),
            external_id: None,
        }),
        setting("scheme", "kafka"),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn a_key_of_confluent_cloud_is_a_user_of_plain_over_tls() {
    let mut expected = sink();
    expected.extend([
        tls("server", TlsVerification::Full),
        endpoint("pkc.confluent.example", 9092, Some("server")),
        setting("brokers", "1"),
        setting("sasl-mechanism", "PLAIN"),
        setting("user", "ABC"),
        secret("password", 0),
        setting("topic-prefix", "bar_"),
        setting("scheme", "confluent-cloud"),
    ]);
    for beside in [
        "",
        "&tls_enabled=true&sasl_enabled=true&sasl_handshake=true&sasl_mechanism=PLAIN",
    ] {
        let uri = format!(
            "confluent-cloud://pkc.confluent.example?api_key=ABC&api_secret=x&topic_prefix=bar_{beside}"
        );
        assert_eq!(planned(&uri).expect(&uri).into_entries(), expected);
    }
}

#[test]
fn the_host_puts_the_connection_string_of_event_hubs_together() {
    let plan = planned(
        "azure-event-hub://ns.servicebus.windows.net?shared_access_key_name=send\
         &shared_access_key=x&insecure_tls_skip_verify=true",
    );
    let plan = plan.expect("a plan");
    assert_eq!(warnings(&plan).len(), 1);
    let mut expected = sink();
    expected.extend([
        tls("server", TlsVerification::None),
        endpoint("ns.servicebus.windows.net", 9093, Some("server")),
        setting("brokers", "1"),
        PlanEntry::Warning(warnings(&plan)[0].to_owned()),
        setting("sasl-mechanism", "PLAIN"),
        setting("user", "$ConnectionString"),
        PlanEntry::Secret(NamedSecret {
            name: "password".to_owned(),
            fragments: vec![
                Fragment::Text(
                    "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;\
                     SharedAccessKey="
                        .to_owned(),
                ),
                Fragment::Secret(0),
            ],
        }),
        setting("scheme", "azure-event-hub"),
    ]);
    assert_eq!(plan.into_entries(), expected);
}

#[test]
fn errors_come_in_the_order_that_users_know() {
    for (uri, expected) in [
        (
            "kafka://?topic_name=&schema_topic=x",
            "topic_name must not be empty",
        ),
        (
            "kafka://?schema_topic=x&tls_enabled=maybe",
            "schema_topic is not yet supported",
        ),
        (
            "kafka://?tls_enabled=maybe&sasl_enabled=maybe",
            "cannot parse tls_enabled as bool",
        ),
        (
            "kafka://?sasl_handshake=true&sasl_mechanism=nonsense",
            "sasl_enabled must be enabled to configure SASL handshake behavior",
        ),
        (
            "kafka://?sasl_mechanism=nonsense&sasl_user=a",
            "sasl_enabled must be enabled to configure SASL mechanism",
        ),
        (
            "kafka://?sasl_enabled=true&sasl_mechanism=GSSAPI",
            "param sasl_mechanism must be one of SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, \
             AWS_MSK_IAM, or PLAIN",
        ),
        (
            "kafka://?sasl_user=a&ca_cert=x",
            "sasl_enabled must be enabled if sasl_user is provided",
        ),
        (
            "kafka://?sasl_password=hunter2",
            "sasl_enabled must be enabled if sasl_password is provided",
        ),
        (
            "kafka://?sasl_enabled=true",
            "sasl_user must be provided when SASL is enabled using mechanism PLAIN",
        ),
        (
            "kafka://?sasl_enabled=true&sasl_user=a&sasl_mechanism=SCRAM-SHA-256",
            "sasl_password must be provided when SASL is enabled using mechanism SCRAM-SHA-256",
        ),
        (
            "kafka://?sasl_enabled=true&sasl_mechanism=OAUTHBEARER&sasl_client_id=a&sasl_token_url=b",
            "sasl_client_secret must be provided when SASL is enabled using mechanism OAUTHBEARER",
        ),
        (
            "kafka://?sasl_enabled=true&sasl_mechanism=AWS_MSK_IAM&sasl_aws_region=x",
            "sasl_aws_iam_role_arn must be provided when SASL is enabled using mechanism AWS_MSK_IAM",
        ),
        (
            "kafka://?sasl_enabled=true&sasl_user=a&sasl_password=hunter2&sasl_client_id=x",
            "sasl_client_id is only a valid parameter for sasl_mechanism=OAUTHBEARER",
        ),
        (
            "kafka://?sasl_enabled=true&sasl_user=a&sasl_password=hunter2&sasl_aws_region=x",
            "sasl_aws_region is only a valid parameter for sasl_mechanism=AWS_MSK_IAM",
        ),
        (
            "kafka://?ca_cert=x&bad=y",
            "ca_cert requires tls_enabled=true",
        ),
        (
            "kafka://?client_cert=x",
            "client_cert requires tls_enabled=true",
        ),
        (
            "kafka://?tls_enabled=true&client_cert=x&bad=y",
            "client_cert requires client_key to be set",
        ),
        (
            "kafka://?tls_enabled=true&client_key=x",
            "client_key requires client_cert to be set",
        ),
        (
            "kafka://?SASL_PASSWORD=hunter2&bad=y",
            "unknown kafka sink query parameters: SASL_PASSWORD, bad",
        ),
        (
            "kafka://hunter2@a",
            "the kafka URI holds a user or a password before its host",
        ),
        ("kafka://a/orders", "the URI of a Kafka sink has no path"),
        ("kafka://", "the kafka URI names no host"),
        ("kafka://a,,b", "the kafka URI names no host"),
        (
            "kafka://a:0",
            "the kafka URI has a port that no server can have",
        ),
        (
            "kafka://a?topic_name=a%2Fb",
            "topic_name holds a character that no topic can have",
        ),
        (
            "kafka://a?topic_prefix=a+b",
            "topic_prefix holds a character that no topic can have",
        ),
        (
            "kafka://a?topic_name=..",
            "topic_name is not the name of a topic",
        ),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
}

#[test]
fn the_clouds_take_few_options() {
    for (uri, expected) in [
        (
            "confluent-cloud://a",
            "scheme confluent-cloud requires parameter api_key",
        ),
        (
            "confluent-cloud://a?api_key=b&api_secret=",
            "scheme confluent-cloud requires parameter api_secret",
        ),
        (
            "azure-event-hub://a?shared_access_key=hunter2",
            "scheme azure-event-hub requires parameter shared_access_key_name",
        ),
        (
            "azure-event-hub://a?shared_access_key_name=b",
            "scheme azure-event-hub requires parameter shared_access_key",
        ),
        (
            "confluent-cloud://a?api_key=b&api_secret=hunter2&tls_enabled=false",
            "unsupported value false for parameter tls_enabled, please use true instead",
        ),
        (
            "confluent-cloud://a?api_key=b&api_secret=hunter2&sasl_mechanism=SCRAM-SHA-256",
            "unsupported value SCRAM-SHA-256 for parameter sasl_mechanism, please use PLAIN instead",
        ),
        (
            "confluent-cloud://a?api_key=b&api_secret=hunter2&ca_cert=x&sasl_user=y&ca_cert=z",
            "invalid query parameters [ca_cert sasl_user] for scheme confluent-cloud",
        ),
        (
            "azure-event-hub://a?shared_access_key_name=b%3Bc&shared_access_key=hunter2",
            "shared_access_key_name is not the name of a policy",
        ),
        (
            "azure-event-hub://a,b?shared_access_key_name=b&shared_access_key=hunter2",
            "the azure-event-hub URI names several hosts",
        ),
        (
            "confluent-cloud://a,b?api_key=b&api_secret=hunter2",
            "the confluent-cloud URI names several hosts",
        ),
        (
            "azure-event-hub://a?topic_name=&shared_access_key_name=b",
            "topic_name must not be empty",
        ),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
}

#[test]
fn what_is_no_base64_tells_where_it_breaks() {
    let public = public_options(MANIFEST);
    for option in ["ca_cert", "client_cert", "client_key"] {
        let uri = pieces(&format!("kafka://a?{option}=x"), &public);
        let failure = plan(&broken_at(uri, option, 6)).expect_err(option);
        assert_eq!(
            failure.message,
            format!("param {option} must be base 64 encoded: illegal base64 data at input byte 6")
        );
    }
    let uri = pieces(
        "kafka://a?sasl_enabled=true&sasl_mechanism=OAUTHBEARER&sasl_client_id=a\
         &sasl_client_secret=x&sasl_token_url=https%3A%2F%2Fh",
        &public,
    );
    let failure = plan(&broken_at(uri, "sasl_client_secret", 3)).expect_err("broken");
    assert_eq!(
        failure.message,
        "decoding client secret: illegal base64 data at input byte 3"
    );
}

#[test]
fn a_token_url_is_one_of_https() {
    for (url, problem) in [
        ("login", "it is no URL"),
        ("http%3A%2F%2Fh", "it is no URL of https"),
        ("file%3A%2F%2F%2Fetc", "it is no URL of https"),
        ("https%3A%2F%2Fa%40h", "it holds a user or a fragment"),
        (
            "https%3A%2F%2Fh%3A0",
            "it has a port that no server can have",
        ),
    ] {
        let uri = format!(
            "kafka://a?sasl_enabled=true&sasl_mechanism=OAUTHBEARER&sasl_client_id=a\
             &sasl_client_secret=x&sasl_token_url={url}"
        );
        let told = message(&uri);
        assert_eq!(
            told.strip_prefix("malformed token url: "),
            Some(problem),
            "{told}"
        );
    }
}

#[test]
fn a_password_in_clear_is_warned_of() {
    let scram =
        "kafka://a?sasl_enabled=true&sasl_user=a&sasl_password=b&sasl_mechanism=SCRAM-SHA-256";
    let plain = "kafka://a?sasl_enabled=true&sasl_user=a&sasl_password=b";
    let warning = |uri: &str| warnings(&planned(uri).expect("a plan")).join("");
    assert!(warning(plain).starts_with("The password goes to the brokers unencrypted"));
    assert!(warning(scram).starts_with("Messages go to the brokers unencrypted"));
    assert_eq!(warning(&format!("{plain}&tls_enabled=true")), "");
}

#[test]
fn a_proxy_without_a_handshake_is_a_setting() {
    let uri = "kafka://a?sasl_enabled=true&sasl_user=a&sasl_password=b&sasl_handshake=false";
    let plan = planned(uri).expect("a plan");
    assert_eq!(plan.setting("sasl-handshake"), Some("false"));
}

#[test]
fn what_is_shown_is_what_users_know() {
    for (uri, shown) in [
        (
            "kafka://broker.address.com:9092?topic_prefix=bar_&tls_enabled=true&ca_cert=Zm9v\
             &sasl_enabled=true&sasl_user=fake_user&sasl_password=fake_password\
             &sasl_mechanism=SCRAM-SHA-256",
            "kafka://broker.address.com:9092?ca_cert=redacted&sasl_enabled=true\
             &sasl_mechanism=SCRAM-SHA-256&sasl_password=redacted&sasl_user=fake_user\
             &tls_enabled=true&topic_prefix=bar_",
        ),
        (
            "kafka://a?sasl_client_secret=x&client_cert=y&client_key=z&Sasl_Password=q&sasl_scopes=s",
            "kafka://a?Sasl_Password=redacted&client_cert=redacted&client_key=redacted\
             &sasl_client_secret=redacted&sasl_scopes=s",
        ),
        (
            "confluent-cloud://a:9092?api_key=k&api_secret=s",
            "confluent-cloud://a:9092?api_key=k&api_secret=redacted",
        ),
        (
            "azure-event-hub://a:9093?shared_access_key_name=n&shared_access_key=s",
            "azure-event-hub://a:9093?shared_access_key=redacted&shared_access_key_name=n",
        ),
    ] {
        let pieces = pieces(uri, &public_options(MANIFEST));
        assert_eq!(print_redacted(&Kafka::redact(pieces)), shown);
    }
}
