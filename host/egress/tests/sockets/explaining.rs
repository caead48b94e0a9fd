//! The verdict step by step.

use std::sync::Arc;

use portolan_egress::{Conclusion, Egress, EgressOptions, Judgement};

use crate::server::{HELLO, Server};
use crate::support::{Answer, Names, options, policy};

async fn explained(
    rules: &[&str],
    names: Names,
    (host, port): (&str, u16),
    resolve: bool,
) -> Vec<String> {
    let names = Arc::new(names);
    let egress = Egress::new(EgressOptions {
        policy: policy(rules),
        resolver: Arc::clone(&names) as _,
        ..options()
    });
    let steps = egress.explain(host, port, resolve).await;
    assert!(matches!(steps.last(), Some(Judgement::Conclusion(_))));
    let most = usize::from(resolve);
    assert!(names.asked() <= most, "{} look-ups", names.asked());
    let line = |step: &Judgement| format!("{}: {step}", step.step());
    steps.iter().map(line).collect()
}

#[tokio::test]
async fn each_address_of_a_name_is_told_by_its_class_alone() {
    let names = Names::default().with(
        "mixed.test",
        &["10.1.2.3", "93.184.215.14", "169.254.169.254", "127.0.0.1"],
    );
    let steps = explained(&["127.0.0.0/8:443"], names, ("Mixed.Test.", 443), true).await;
    assert_eq!(
        steps,
        [
            "read: read as mixed.test:443",
            "name: undecided: each address that the name resolves to is judged",
            "address: an address that is private: denied",
            "address: an address that is public: allowed",
            "address: an address that is metadata: denied",
            "address: an address that is loopback: allowed by the rule 127.0.0.0/8:443",
            "conclusion: allowed",
        ]
    );
}

#[tokio::test]
async fn without_a_look_up_the_name_alone_is_judged() {
    let names = Names::default().with("db.test", &["10.1.2.3"]);
    assert_eq!(
        explained(&[], names, ("db.test", 5432), false).await,
        [
            "read: read as db.test:5432",
            "name: undecided: each address that the name resolves to is judged",
            "conclusion: undecided: nothing was looked up",
        ]
    );
    let names = Names::default().with("db.test", &["10.1.2.3"]);
    assert_eq!(
        explained(&["db.test:5432"], names, ("db.test", 5432), true).await,
        [
            "read: read as db.test:5432",
            "name: allowed by the rule db.test:5432",
            "address: an address that is private: allowed by the rule db.test:5432",
            "conclusion: allowed",
        ]
    );
}

#[tokio::test]
async fn denials_and_failed_look_ups_are_the_conclusion_with_their_hint() {
    let text = "the policy denies 127.0.0.1:80, a loopback address";
    assert_eq!(
        explained(&[], Names::default(), ("0x7f.1", 80), true).await,
        [
            "read: read as 127.0.0.1:80".to_owned(),
            format!("name: {text}"),
            format!("conclusion: {text}"),
        ]
    );
    let text = "an endpoint of the connection is neither a DNS name nor an address";
    assert_eq!(
        explained(&[], Names::default(), ("user:hunter2@db.test", 80), true).await,
        [format!("name: {text}"), format!("conclusion: {text}")]
    );
    let names = Names::default().answering("slow.test", Answer::Never);
    let steps = explained(&[], names, ("slow.test", 80), true).await;
    assert_eq!(
        steps.last().map(String::as_str),
        Some("conclusion: the name slow.test could not be looked up within 500 ms")
    );
    let egress = Egress::new(options());
    let steps = egress.explain("10.0.0.1", 443, false).await;
    let hint = "if it is meant, allow it with the rule 10.0.0.1:443 in the host's policy";
    let last = steps.last().expect("a conclusion");
    assert!(last.is_denied());
    assert_eq!(last.hint().as_deref(), Some(hint));
}

#[tokio::test]
async fn nothing_is_dialled_and_connect_to_is_told() {
    let server = Server::answering(HELLO).await;
    let mut options = options();
    options
        .connect_to
        .add("bucket.example:443", &server.address.to_string())
        .expect("a line");
    let egress = Egress::new(options);
    let steps = egress.explain("bucket.example", 443, true).await;
    let shown: Vec<String> = steps.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "read as bucket.example:443",
            "led to an address of the operator's choice, whatever the rules say",
            "allowed",
        ]
    );
    let steps = egress.explain("server.test", server.port(), true).await;
    assert_eq!(
        steps.last(),
        Some(&Judgement::Conclusion(Conclusion::Allowed))
    );
    assert_eq!(server.connections(), 0);
}
