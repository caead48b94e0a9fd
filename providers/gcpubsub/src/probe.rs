//! Phase two: the service is reached, and project and topic are looked at; at depth `full` one message
//! is published.

use portolan_sdk::{
    Attempt, Depth, Failure, FailureClass, Message, Network, Plan, Reach, SinkProbe, Steps,
    Stopped, joined,
};

use crate::api::{Api, PUBLISH, look_at_project, look_at_topic, may_publish, publish};
use crate::plan::{PROJECT, SERVICE, TOPIC};
use crate::publish::Publications;
use crate::sink::form;

/// The probe of a project, and of its topic where the connection or whoever asks names one.
pub(crate) fn probe(
    probe: &mut SinkProbe<'_>,
    network: &dyn Network,
    api: &dyn Api,
) -> Result<(), Stopped> {
    Reach::endpoint(SERVICE).run(network, probe.plan, &mut probe.steps)?;
    let plan = probe.plan;
    let project = plan.setting(PROJECT).unwrap_or_default();
    let topics: Vec<&str> = match plan.setting(TOPIC) {
        Some(topic) => vec![topic],
        None => probe.topics.iter().map(String::as_str).collect(),
    };
    if topics.is_empty() {
        look(&mut probe.steps, |_| look_at_project(api, project))?;
        probe.steps.skip("authorise", "no topic is named");
    }
    for topic in &topics {
        look(&mut probe.steps, |details| {
            details.add("topic", *topic);
            look_at_topic(api, project, topic)
        })?;
        authorise(&mut probe.steps, api, project, topic)?;
    }
    if probe.depth != Depth::Full {
        return Ok(());
    }
    match topics.first() {
        Some(topic) => publish_one(&mut probe.steps, api, plan, topic),
        None => {
            probe.steps.skip("publish", "no topic is named");
            Ok(())
        }
    }
}

/// Looks at a project or a topic. Who may only publish may not look, and needs not to.
fn look(
    steps: &mut Steps<'_>,
    look: impl FnOnce(&mut portolan_sdk::Details) -> Result<(), Failure>,
) -> Result<(), Stopped> {
    let looked = steps.attempt("metadata", |details| match look(details) {
        Ok(()) => Ok(Attempt::Done(())),
        Err(failure) if failure.class == FailureClass::Denied => {
            Ok(Attempt::Skipped(failure.message))
        }
        Err(failure) => Err(failure),
    });
    looked.map(drop)
}

/// Asks whether the credentials may publish.
fn authorise(
    steps: &mut Steps<'_>,
    api: &dyn Api,
    project: &str,
    topic: &str,
) -> Result<(), Stopped> {
    steps.step("authorise", |details| {
        details.add("permission", PUBLISH);
        match may_publish(api, project, topic)? {
            true => Ok(()),
            false => Err(Failure::new(
                FailureClass::Denied,
                joined(&["the credentials may not publish to the topic ", topic]),
            )
            .with_hint(
                "Grant the role Pub/Sub Publisher on the topic, and check that there is one of this \
                 name.",
            )),
        }
    })
}

fn publish_one(
    steps: &mut Steps<'_>,
    api: &dyn Api,
    plan: &Plan,
    topic: &str,
) -> Result<(), Stopped> {
    let project = plan.setting(PROJECT).unwrap_or_default();
    let message = Message {
        topic: topic.to_owned(),
        key: None,
        value: b"{\"payload\":[],\"length\":0}".to_vec(),
        headers: Vec::new(),
        timestamp: 0,
    };
    steps.step("publish", |details| {
        let form = form(plan);
        for publication in Publications::of(&form, [message].into_iter()) {
            let publication = publication?;
            let ids = publish(api, project, &publication.topic, publication.body(), 1)?;
            details.add("messages", ids.len().to_string());
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use portolan_sdk::Provider;
    use portolan_sdk::testing::{RecordedNetwork, RecordedSteps, pieces, public_options};
    use serde_json::{Value, json};

    use super::*;
    use crate::GcPubSub;
    use crate::api::tests::Scripted;

    fn run(more: &str, depth: Depth, topics: &[&str], api: &Scripted) -> RecordedSteps {
        let public = public_options(include_str!("../manifest.toml"));
        let uri = format!("gcpubsub://p?region=us-east1&AUTH=implicit{more}");
        let plan = GcPubSub::plan(&pieces(&uri, &public)).expect("a plan");
        let topics: Vec<_> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let mut log = RecordedSteps::default();
        let _ = probe(
            &mut SinkProbe {
                plan: &plan,
                topics: &topics,
                depth,
                steps: Steps::new(&mut log),
            },
            &RecordedNetwork::default(),
            api,
        );
        log
    }

    fn denied() -> Result<Value, Failure> {
        Err(Failure::new(FailureClass::Denied, "Pub/Sub answered 403"))
    }

    fn topic() -> Result<Value, Failure> {
        Ok(json!({"name": "projects/p/topics/orders"}))
    }

    fn granted() -> Result<Value, Failure> {
        Ok(json!({"permissions": [PUBLISH]}))
    }

    #[test]
    fn a_topic_is_looked_at_and_nothing_is_published() {
        let api = Scripted::answering([topic(), granted()]);
        let log = run("&topic_name=orders", Depth::Read, &[], &api);
        assert_eq!(log.words()[3..], [("metadata", "ok"), ("authorise", "ok")]);
        assert_eq!(api.asked().len(), 2);
    }

    #[test]
    fn the_full_probe_publishes_one_message() {
        let api = Scripted::answering([topic(), granted(), Ok(json!({"messageIds": ["1"]}))]);
        let log = run("", Depth::Full, &["orders"], &api);
        assert_eq!(
            log.words()[3..],
            [("metadata", "ok"), ("authorise", "ok"), ("publish", "ok")]
        );
        let (request, body) = api.asked().remove(2);
        assert_eq!(request, "publish POST /v1/projects/p/topics/orders:publish");
        assert_eq!(body["messages"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn who_may_only_publish_need_not_look() {
        let api = Scripted::answering([denied(), granted()]);
        let log = run("&topic_name=orders", Depth::Read, &[], &api);
        assert_eq!(
            log.words()[3..],
            [("metadata", "skipped"), ("authorise", "ok")]
        );
        let api = Scripted::answering([topic(), Ok(json!({}))]);
        let log = run("&topic_name=orders", Depth::Full, &[], &api);
        assert_eq!(
            log.words()[3..],
            [("metadata", "ok"), ("authorise", "failed")]
        );
        assert_eq!(
            log.failure().map(|failure| &failure.class),
            Some(&FailureClass::Denied)
        );
    }

    #[test]
    fn without_a_topic_the_project_is_looked_at() {
        for depth in [Depth::Read, Depth::Full] {
            let api = Scripted::answering([Ok(json!({}))]);
            let log = run("", depth.clone(), &[], &api);
            assert_eq!(
                log.words()[3..5],
                [("metadata", "ok"), ("authorise", "skipped")]
            );
            let more: &[_] = match depth {
                Depth::Full => &[("publish", "skipped")],
                _ => &[],
            };
            assert_eq!(log.words()[5..], *more);
        }
        let missing = Failure::new(FailureClass::NotFound, "Pub/Sub answered 404");
        let log = run("", Depth::Read, &[], &Scripted::answering([Err(missing)]));
        assert_eq!(log.words()[3..], [("metadata", "failed")]);
    }
}
