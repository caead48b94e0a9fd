//! What a host lends: the key that its variables name, and the tokens of its machine.
//!
//! The metadata server is a function of this file; that Google's answers so is not proved.

use std::time::Duration;

use futures::FutureExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_data::{Backends, Lent};
use portolan_egress::credentials::{GoogleMachine, HostEnvironment};
use portolan_egress::{Egress, EgressOptions, MetadataClient};
use portolan_servers::{HttpServer, answer};

use super::server::*;

const LAST: &str = "last@p.iam.gserviceaccount.com";

fn object() -> Path {
    Path::from("one")
}

/// A machine whose account has this token, for the scope of storage.
fn metadata(token: &str) -> HttpServer {
    let granted =
        format!(r#"{{"access_token":"{token}","expires_in":3599,"token_type":"Bearer"}}"#);
    HttpServer::plain(move |request| {
        let header = |name| request.headers().get(name).map(http::HeaderValue::as_bytes);
        let asked = request.uri().to_string();
        let scope = asked
            .strip_prefix("/computeMetadata/v1/instance/service-accounts/default/token?scopes=");
        let known = [
            "https%3A%2F%2Fwww%2Egoogleapis%2Ecom%2Fauth%2Fdevstorage%2Eread%5Fwrite",
            "https%3A%2F%2Fwww%2Egoogleapis%2Ecom%2Fauth%2Fcloud%2Dplatform",
        ];
        let good = header("host") == Some(b"metadata.google.internal")
            && header("metadata-flavor") == Some(b"Google")
            && scope.is_some_and(|scope| known.contains(&scope));
        let answer = match good {
            true => answer(200, &[], granted.clone()),
            false => answer(403, &[], ""),
        };
        async move { answer }.boxed()
    })
}

fn machine(server: &HttpServer) -> GoogleMachine {
    let port = server.address().port();
    GoogleMachine::new(MetadataClient::on_loopback(port, Duration::from_secs(10)))
}

fn lending(options: EgressOptions, lent: Lent) -> Backends {
    Backends::new(None)
        .with_egress(Egress::new(options))
        .lending(lent)
}

fn environment(file: Option<&str>) -> HostEnvironment {
    HostEnvironment::of(file.map(|file| ("GOOGLE_APPLICATION_CREDENTIALS", file)))
}

#[tokio::test]
async fn the_machines_token_is_asked_for_once_and_lent_with_a_stand_in_for_its_metadata() {
    let setting = Setting::new();
    let token = setting.google.give(ACCOUNT);
    let server = metadata(&token);
    let lent = Lent::default()
        .with_environment(environment(None))
        .with_google_machine(std::sync::Arc::new(machine(&server)));
    let store = lending(setting.options(), lent)
        .build(&Planned::implicit().plan())
        .expect("built");
    store.put(&object(), "content".into()).await.expect("put");
    store.get(&object()).await.expect("get");
    assert_eq!(setting.google.given(), 1, "that of the machine");
}

#[tokio::test]
async fn the_hosts_key_goes_before_its_machine_and_is_shown_to_the_token_service_alone() {
    let setting = Setting::new();
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &setting.key).expect("written");
    let server = metadata("ya29.of-the-machine");
    let lent = Lent::default()
        .with_environment(environment(file.path().to_str()))
        .with_google_machine(std::sync::Arc::new(machine(&server)));
    setting.google.allow(ACCOUNT, LAST);
    let backends = lending(setting.options(), lent);
    for planned in [Planned::implicit(), Planned::implicit().through(&[LAST])] {
        if !planned.roles.is_empty() {
            setting.google.own_bucket(LAST);
        }
        let store = backends.build(&planned.plan()).expect("built");
        store.put(&object(), "content".into()).await.expect("put");
    }
    assert_eq!(setting.google.given(), 3);
}

#[tokio::test]
async fn what_cannot_be_lent_says_why() {
    let setting = Setting::new();
    let other = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(other.path(), r#"{"type":"external_account"}"#).expect("written");
    let refusing = HttpServer::plain(|_| async { answer(404, &[], CHATTER) }.boxed());
    let named = |file| Lent::default().with_environment(environment(file));
    let cases = [
        (
            named(None),
            "this host lends its connections no credentials of Google",
            "give the connection credentials of its own",
        ),
        (
            named(Some("/nowhere")),
            "the file that GOOGLE_APPLICATION_CREDENTIALS names cannot be read",
            "let the user that runs Portolan read the file",
        ),
        (
            named(other.path().to_str()),
            "the credentials of this host: the field `type` of the Google credentials is neither \
             `service_account` nor `authorized_user`",
            "give this host the JSON key of a service account, as Google has issued it",
        ),
        (
            named(None).with_google_machine(std::sync::Arc::new(machine(&refusing))),
            "the metadata service of this machine gives no credentials of Google",
            "attach an identity to the machine, and let it reach its metadata service",
        ),
    ];
    for (lent, message, hint) in cases {
        let store = lending(setting.options(), lent)
            .build(&Planned::implicit().plan())
            .expect("built");
        let error = store.head(&object()).await.expect_err("nothing is lent");
        expect(&failure(&error), "0A000", message, hint);
    }
    assert!(setting.methods().is_empty());
}

#[tokio::test]
async fn a_host_that_lends_nothing_or_may_not_says_so() {
    let setting = Setting::new();
    let plan = Planned::implicit().plan();
    let refused = lending(setting.options(), Lent::default()).build(&plan);
    let error = refused.expect_err("nothing is lent");
    assert_eq!(
        (error.sqlstate().as_str(), error.to_string().as_str()),
        ("0A000", "this host lends its connections no credentials")
    );
    let options = EgressOptions {
        disable_implicit_credentials: true,
        ..setting.options()
    };
    let lent = Lent::default().with_environment(environment(Some("/nowhere")));
    let error = lending(options, lent).build(&plan).expect_err("forbidden");
    assert_eq!(
        (error.sqlstate().as_str(), error.to_string().as_str()),
        (
            "42501",
            "implicit credentials disallowed for gs due to \
             --external-io-disable-implicit-credentials flag"
        )
    );
}
