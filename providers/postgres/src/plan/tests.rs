use portolan_sdk::testing::{broken_at, pieces, public_options};
use portolan_sdk::{
    Endpoint, FailureClass, Fragment, NamedSecret, PlanEntry, Provider, TlsProfile,
    TlsVerification, print_redacted,
};

use super::*;
use crate::Postgres;

const MANIFEST: &str = include_str!("../../manifest.toml");

fn read(uri: &str) -> UriPieces {
    pieces(uri, &public_options(MANIFEST))
}

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&read(uri))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri, "{uri}");
    assert!(failure.hint.is_some(), "{uri}");
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure.message
}

fn endpoint(host: &str, port: u16, profile: Option<&str>) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port,
        tls_profile: profile.map(str::to_owned),
    })
}

fn setting(name: &str, value: &str) -> PlanEntry {
    PlanEntry::Setting((name.to_owned(), value.to_owned()))
}

fn named(name: &str, number: u32) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments: vec![Fragment::Secret(number)],
    })
}

fn profile(plan: &Plan) -> Option<TlsProfile> {
    plan.entries().iter().find_map(|entry| match entry {
        PlanEntry::Tls(profile) => Some(profile.clone()),
        _ => None,
    })
}

fn places(plan: &Plan) -> Vec<String> {
    let endpoints = plan.entries().iter().filter_map(|entry| match entry {
        PlanEntry::Endpoint(it) => Some(it),
        _ => None,
    });
    endpoints
        .map(|it| {
            let way = it.tls_profile.as_deref().unwrap_or("clear");
            format!("{}:{} {way}", it.host, it.port)
        })
        .collect()
}

fn warnings(plan: &Plan) -> Vec<&str> {
    let entries = plan.entries().iter();
    entries
        .filter_map(|entry| match entry {
            PlanEntry::Warning(sentence) => Some(sentence.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_user_a_password_and_certificates_are_a_whole_plan() {
    for scheme in ["postgres", "postgresql"] {
        let plan = planned(&format!(
            "{scheme}://re%40pl:hunter2@Db.example:26257/my%20bank?sslmode=verify-full\
             &sslinline=true&sslrootcert=A&sslcert=B&sslkey=C&options=-ccluster%3Da\
             &crdb_route=gateway&application_name=p"
        ));
        assert_eq!(
            plan.expect("a plan").into_entries(),
            [
                PlanEntry::Kind(Kind::Database),
                PlanEntry::Supports(Operation::Replication),
                named("sslrootcert", 1),
                named("sslcert", 2),
                named("sslkey", 3),
                PlanEntry::Tls(TlsProfile {
                    name: "server".to_owned(),
                    certificate_authority: Some("sslrootcert".to_owned()),
                    client_certificate: Some("sslcert".to_owned()),
                    client_key: Some("sslkey".to_owned()),
                    verify: TlsVerification::Full,
                }),
                endpoint("Db.example", 26257, Some("server")),
                setting("sslmode", "verify-full"),
                setting("user", "re@pl"),
                setting("dbname", "my bank"),
                setting("crdb_route", "gateway"),
                setting("options", "-ccluster=a"),
                setting("application_name", "p"),
                named("password", 0),
            ]
        );
    }
}

#[test]
fn each_sslmode_is_an_endpoint_or_two_and_a_check_of_the_certificate() {
    const ROOT: &str = "&sslinline=true&sslrootcert=A";
    for (mode, root, ways, verify, warns) in [
        ("disable", "", &["clear"][..], None, true),
        (
            "allow",
            "",
            &["clear", "server"],
            Some(TlsVerification::None),
            true,
        ),
        (
            "prefer",
            "",
            &["server", "clear"],
            Some(TlsVerification::None),
            true,
        ),
        (
            "prefer",
            ROOT,
            &["server", "clear"],
            Some(TlsVerification::AuthorityOnly),
            true,
        ),
        (
            "require",
            "",
            &["server"],
            Some(TlsVerification::None),
            true,
        ),
        // With authorities to trust it is promoted to verify-ca.
        (
            "require",
            ROOT,
            &["server"],
            Some(TlsVerification::AuthorityOnly),
            false,
        ),
        (
            "verify-ca",
            "",
            &["server"],
            Some(TlsVerification::AuthorityOnly),
            false,
        ),
        (
            "verify-full",
            ROOT,
            &["server"],
            Some(TlsVerification::Full),
            false,
        ),
    ] {
        let uri = format!("postgres://u:hunter2@h/d?sslmode={mode}{root}");
        let plan = planned(&uri).expect("a plan");
        let expected: Vec<_> = ways.iter().map(|way| format!("h:5432 {way}")).collect();
        assert_eq!(places(&plan), expected, "{mode}");
        let profile = profile(&plan);
        assert_eq!(
            profile.as_ref().map(|it| it.verify.clone()),
            verify,
            "{mode}"
        );
        let authority = profile.and_then(|it| it.certificate_authority);
        assert_eq!(authority.is_some(), !root.is_empty(), "{mode}");
        assert_eq!(!warnings(&plan).is_empty(), warns, "{mode}");
    }
    assert_eq!(
        planned("postgres://u:p@h")
            .map(|plan| places(&plan))
            .expect("a plan")
            .len(),
        2
    );
    assert_eq!(
        message("postgres://u@h?sslmode=yes"),
        "invalid sslmode value: \"yes\""
    );
}

#[test]
fn certificates_count_only_where_they_stand_in_the_uri() {
    let plan = planned("postgres://u:p@h/d?sslmode=verify-ca&sslrootcert=hunter2").expect("a plan");
    assert_eq!(profile(&plan).and_then(|it| it.certificate_authority), None);
    assert_eq!(
        warnings(&plan),
        [
            "sslrootcert does not count: this host reads no files. Write sslinline=true, and the PEM itself."
        ]
    );
    for one in ["sslcert", "sslkey"] {
        assert_eq!(
            message(&format!("postgres://u@h?sslinline=true&{one}=hunter2")),
            "both \"sslcert\" and \"sslkey\" are required"
        );
    }
    let broken = |option: &str| {
        let uri = "postgres://u@h?sslinline=true&sslrootcert=A&sslcert=B&sslkey=C";
        plan_of(broken_at(read(uri), option, 3))
    };
    assert_eq!(broken("sslrootcert"), "unable to add CA to cert pool");
    assert_eq!(
        broken("sslcert"),
        "unable to construct x509 key pair: sslcert is not PEM"
    );
    assert_eq!(
        broken("sslkey"),
        "unable to construct x509 key pair: sslkey is not PEM"
    );
    assert_eq!(
        message("postgres://u@h?sslinline=maybe"),
        "cannot parse sslinline as bool"
    );
}

fn plan_of(uri: UriPieces) -> String {
    plan(&uri).expect_err("refused").message
}

#[test]
fn hosts_and_ports_of_options_are_endpoints_as_those_before_the_path() {
    let of = |uri: &str| {
        let plan = planned(&format!("{uri}sslmode=verify-full")).expect(uri);
        places(&plan).join(", ").replace(" server", "")
    };
    for (uri, expected) in [
        ("postgres://u:p@a?", "a:5432"),
        ("postgres://u:p@a:1,b,c:3/d?", "a:1, b:5432, c:3"),
        ("postgres://u:p@[::1]:7/d?", "::1:7"),
        ("postgres:///d?user=u&host=a&", "a:5432"),
        ("postgres:///d?user=u&host=a,::1&port=7&", "a:7, ::1:7"),
        ("postgres://u:p@x:9/d?host=a,b&port=7,8&", "a:7, b:8"),
        ("postgres://u:p@a:1,b/d?port=7,&", "a:7, b:5432"),
        ("postgres://u:p@a:,b:2/d?", "a:5432, b:2"),
    ] {
        assert_eq!(of(uri), expected, "{uri}");
    }
    for (uri, words) in [
        ("postgres:///d?user=u", "the URI names no host"),
        ("postgres://u@/d", "the URI names no host"),
        (
            "postgres://u@%2Frun%2Fpostgresql/d",
            "the URI names a socket in the file system",
        ),
        (
            "postgres:///d?user=u&host=/run/postgresql",
            "host names a socket in the file system",
        ),
        (
            "postgres:///d?user=u&host=@abstract",
            "host names a socket in the file system",
        ),
        ("postgres://u@a,/d", "the URI names no host"),
        (
            "postgres://u@a,b,c?port=1,2",
            "could not match 2 port numbers to 3 hosts",
        ),
        (
            "postgres://u@a?port=0",
            "port has a value that no server can have",
        ),
        (
            "postgres://u@a?port=5432x",
            "port has a value that no server can have",
        ),
        (
            "postgres://u@a..b/d",
            "the URI names no host that DNS can have",
        ),
    ] {
        assert_eq!(message(uri), words, "{uri}");
    }
    let many = vec!["a"; 33].join(",");
    assert_eq!(
        message(&format!("postgres://u@{many}/d")),
        "the URI names more than 32 hosts"
    );
}

#[test]
fn who_connects_and_to_what_is_found_as_libpq_finds_it() {
    let of = |uri: &str| {
        let plan = planned(uri).expect(uri);
        let setting = |name| plan.setting(name).unwrap_or_default().to_owned();
        (setting("user"), setting("dbname"))
    };
    for (uri, user, database) in [
        ("postgres://u@h", "u", "u"),
        ("postgres://u@h/", "u", "u"),
        ("postgres://u@h/d%2Fe", "u", "d/e"),
        ("postgres://u@h/d?user=v&dbname=e", "v", "e"),
        ("postgres://h/d?user=v", "v", "d"),
    ] {
        assert_eq!(of(uri), (user.to_owned(), database.to_owned()), "{uri}");
    }
    assert_eq!(message("postgres://h/d"), "the URI names no user");
    assert_eq!(message("postgres://:hunter2@h/d"), "the URI names no user");
    assert_eq!(
        message("postgres://u%00v@h/d"),
        "the user is none that PostgreSQL can have"
    );
    assert_eq!(
        message("postgres://u@h/%ff"),
        "the database is none that PostgreSQL can have"
    );
}

#[test]
fn who_shows_neither_a_password_nor_a_certificate_trusts_the_network() {
    let is_implicit = |uri: &str| {
        let plan = planned(uri).expect(uri);
        let mut entries = plan.entries().iter();
        entries.any(|entry| matches!(entry, PlanEntry::ImplicitAccess(_)))
    };
    const CLIENT: &str = "sslinline=true&sslcert=B&sslkey=C";
    assert!(is_implicit("postgres://u@h/d"));
    assert!(is_implicit("postgres://u:@h/d"));
    assert!(is_implicit(&format!(
        "postgres://u@h/d?sslmode=disable&{CLIENT}"
    )));
    assert!(!is_implicit("postgres://u:p@h/d"));
    assert!(!is_implicit("postgres://u@h/d?password=p"));
    assert!(!is_implicit(&format!("postgres://u@h/d?{CLIENT}")));
}

#[test]
fn what_needs_a_file_or_a_socket_is_refused_with_what_to_do() {
    for name in [
        "passfile",
        "service",
        "servicefile",
        "sslcrl",
        "sslcrldir",
        "hostaddr",
        "requirepeer",
        "sslpassword",
        "krbsrvname",
        "gsslib",
        "replication",
        "require_auth",
        "sslnegotiation",
    ] {
        assert_eq!(
            message(&format!("postgres://u@h/d?{name}=hunter2")),
            format!("{name} is not supported in the URI of an external connection")
        );
    }
}

#[test]
fn parameters_have_the_values_that_they_can_have() {
    for (given, words) in [
        ("crdb_route=far", "unknown crdb_route value \"far\""),
        (
            "client_encoding=LATIN1",
            "invalid client_encoding value: \"LATIN1\"",
        ),
        (
            "channel_binding=yes",
            "invalid channel_binding value: \"yes\"",
        ),
        (
            "target_session_attrs=fast",
            "invalid target_session_attrs value: \"fast\"",
        ),
        (
            "gssencmode=require",
            "invalid gssencmode value: \"require\"",
        ),
        (
            "connect_timeout=soon",
            "invalid integer value for connection option \"connect_timeout\"",
        ),
        ("options=a%00b", "options has a NUL in it"),
        (
            "SSLMODE=hunter2",
            "unknown PostgreSQL query parameters: SSLMODE",
        ),
        (
            "search_path=hunter2&x=1",
            "unknown PostgreSQL query parameters: search_path, x",
        ),
    ] {
        assert_eq!(message(&format!("postgres://u@h/d?{given}")), words);
    }
    let plan = planned(
        "postgres://u:p@h/d?client_encoding=auto&channel_binding=require&connect_timeout=10\
         &target_session_attrs=read-write&gssencmode=disable&keepalives=1&keepalives_idle=9\
         &tcp_user_timeout=7&sslcompression=0&sslsni=1",
    )
    .expect("a plan");
    for (name, value) in [
        ("channel_binding", Some("require")),
        ("connect_timeout", Some("10")),
        ("target_session_attrs", Some("read-write")),
        ("keepalives", None),
        ("gssencmode", None),
    ] {
        assert_eq!(plan.setting(name), value, "{name}");
    }
}

#[test]
fn what_is_shown_has_the_user_and_no_secret() {
    let uri = read(
        "postgresql://u:hunter2@h:1/d?sslmode=verify-full&sslinline=true&sslkey=hunter2\
         &sslcert=hunter2&password=hunter2&token=hunter2&options=-ccluster%3Da",
    );
    assert_eq!(
        print_redacted(&Postgres::redact(uri)),
        "postgresql://u:redacted@h:1/d?options=-ccluster%3Da&password=redacted&sslcert=redacted\
         &sslinline=true&sslkey=redacted&sslmode=verify-full&token=redacted"
    );
}
