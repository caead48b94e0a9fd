//! What a host lends: the key that its variables name, and the tokens of its machine.
//!
//! The metadata server is a stand-in; that Google's answers so is not proved.

use std::time::Duration;

use futures::FutureExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_data::{Backends, Lent};
use portolan_egress::credentials::aws::HostEnvironment;
use portolan_egress::{Egress, EgressOptions, MetadataClient};
use portolan_servers::{HttpServer, answer};

use crate::server::*;

const LAST: &str = "last@p.iam.gserviceaccount.com";

fn object() -> Path {
    Path::from("one")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the metadata server of these tests is on loopback"
)]
fn machine(server: &HttpServer) -> MetadataClient {
    MetadataClient::on_loopback(server.address().port(), Duration::from_secs(10))
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
    let server = setting.google.machine(ACCOUNT);
    let lent = Lent::default()
        .with_environment(environment(None))
        .with_metadata(machine(&server));
    let backends = lending(setting.options(), lent);
    let store = backends.build(&Planned::implicit().plan()).expect("built");
    store.put(&object(), "content".into()).await.expect("put");
    store.get(&object()).await.expect("get");
    assert_eq!(setting.google.given(), 1);

    setting.google.revoke_tokens();
    store.get(&object()).await.expect("get");
    assert_eq!(setting.google.given(), 2);

    setting.google.allow(ACCOUNT, LAST);
    setting.google.own_bucket(LAST);
    let chain = Planned::implicit().through(&[LAST]).plan();
    let store = backends.build(&chain).expect("built");
    store.get(&object()).await.expect("get");
    assert_eq!(setting.google.given(), 4);
}

#[tokio::test]
async fn the_hosts_key_goes_before_its_machine_and_is_shown_to_the_token_service_alone() {
    let setting = Setting::new();
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &setting.key).expect("written");
    let server = setting.google.machine("machine@p.iam.gserviceaccount.com");
    let lent = Lent::default()
        .with_environment(environment(file.path().to_str()))
        .with_metadata(machine(&server));
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
            "the file with the identity of this host cannot be read",
            "let the user that runs Portolan read the file that the host's variables name",
        ),
        (
            named(other.path().to_str()),
            "the credentials of this host: the field `type` of the Google credentials is neither \
             `service_account` nor `authorized_user`",
            "give this host the JSON key of a service account, as Google has issued it",
        ),
        (
            named(None).with_metadata(machine(&refusing)),
            "the metadata service of this machine gives no credentials of Google",
            "give the machine an identity, or the connection credentials of its own",
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
