//! Amazon MSK: a role that is taken on with what the machine has, and a signature for the broker's
//! name. Stand-ins for the machine's metadata service and for STS, which prove that the host asks as
//! the documents say; the cluster recomputes the signature.

use std::sync::{Arc, Mutex};

use portolan::EgressOptions;
use portolan_servers::{Authority, HttpServer, answer, aws_machine};

use crate::setting::{HOST, LOGGED_IN, cluster, sink, to, uri};
use crate::support::{World, refused, rows, run};
use crate::told::metadata;

const REGION: &str = "eu-central-1";
const ROLE: &str = "arn:aws:iam::123456789012:role/producer";

/// The key that the machine has.
const MACHINE: [&str; 3] = ["ASIAMACHINE", "s3cr3t-of-machine", "machine-token"];

/// A token service that lends one role, and remembers what it was asked.
fn token_service(
    authority: &Authority,
    secret: &'static str,
) -> (HttpServer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let remembered = Arc::clone(&asked);
    let name = format!("sts.{REGION}.amazonaws.com");
    let server = HttpServer::encrypted(authority, &[&name], move |request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let is_right = body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fproducer")
            && body.contains("RoleSessionName=nightly")
            && request.headers().get("authorization").is_some_and(|it| {
                it.to_str()
                    .is_ok_and(|it| it.contains("Credential=ASIAMACHINE/"))
            });
        remembered.lock().expect("a lock").push(body);
        let answer = match is_right {
            true => answer(
                200,
                &[("content-type", "text/xml")],
                format!(
                    "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
                     <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
                     <SessionToken>token/of+role==</SessionToken>\
                     <Expiration>2099-01-01T00:00:00Z</Expiration>\
                     </Credentials></AssumeRoleResult></AssumeRoleResponse>"
                ),
            ),
            false => answer(
                403,
                &[],
                "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
            ),
        };
        Box::pin(async move { answer })
    });
    (server, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_signs_for_each_broker_and_the_wrong_key_is_refused() {
    let authority = Authority::new("of the servers");
    let msk = cluster(2, 4)
        .tls(&authority.issue(&[HOST]))
        .mechanisms(&["AWS_MSK_IAM"])
        .aws_key("ASIAROLE", "s3cr3t-of-role", REGION)
        .aws_session_token("token/of+role==")
        .start();
    let machine = aws_machine(MACHINE);
    let uri = uri(
        &msk,
        &format!(
            "topic_name=orders&tls_enabled=true&sasl_enabled=true&sasl_mechanism=AWS_MSK_IAM\
             &sasl_aws_region={REGION}&sasl_aws_iam_role_arn={ROLE}\
             &sasl_aws_iam_session_name=nightly"
        ),
    );
    let options = |service: &HttpServer| -> EgressOptions {
        let mut options = to(&authority, &msk);
        let name = format!("sts.{REGION}.amazonaws.com:443");
        let address = service.address().to_string();
        options.connect_to.add(&name, &address).expect("a line");
        EgressOptions {
            metadata: metadata(&machine),
            ..options
        }
    };
    let (service, asked) = token_service(&authority, "s3cr3t-of-role");
    let world = World::with(|builder| builder.egress(options(&service)).lend_host_credentials());
    let world = world.await;
    let create = format!("CREATE EXTERNAL CONNECTION k AS '{uri}' WITH VALIDATE = 'full'");
    run(&world.root(), &create).await;
    let told = rows(
        &world.root(),
        "VALIDATE EXTERNAL CONNECTION k WITH VALIDATE = 'full'",
    )
    .await;
    let steps: Vec<_> = told
        .iter()
        .skip(2)
        .map(|row| format!("{} {}", row[0], row[1]))
        .collect();
    assert_eq!(steps.join(", "), LOGGED_IN);
    let sink = sink(&world.root()).await;
    sink.emit(crate::setting::numbered(0..100, 10))
        .await
        .expect("emitted");
    assert_eq!(sink.close().await.expect("closed").acknowledged, 100);
    assert_eq!(msk.messages("orders").len(), 102);
    assert!(!asked.lock().expect("a lock").is_empty());

    // Who may not lend the host's own credentials makes no such connection.
    run(&world.root(), "CREATE USER ana").await;
    run(&world.root(), "GRANT SYSTEM EXTERNALCONNECTION TO ana").await;
    let create = create.replace(" k ", " l ");
    let error = refused(&world.session("ana"), &create).await;
    assert_eq!(error.sqlstate().code(), "42501", "{error:?}");

    let (service, _) = token_service(&authority, "an0ther-secret");
    let world = World::with(|builder| builder.egress(options(&service)).lend_host_credentials());
    let error = refused(&world.await.root(), &create).await;
    assert_eq!(error.sqlstate().code(), "28000", "{error:?}");
    assert!(!format!("{error:?}").contains("an0ther-secret"));
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("sasl_aws_iam_role_arn")),
        "{error:?}"
    );
}
