//! Phase two: the endpoint is reached, and looked at; at depth `full` it gets an empty payload.

use portolan_sdk::{Depth, Network, Reach, SinkProbe, Stopped};
use portolan_web::SERVER;

use crate::payload::EMPTY;
use crate::post::{Endpoint, taken};

/// The probe of a webhook. Whatever it answers to `HEAD` shows that it is there: many endpoints take
/// nothing but `POST`.
pub(crate) fn probe(
    probe: &mut SinkProbe<'_>,
    network: &dyn Network,
    endpoint: &dyn Endpoint,
) -> Result<(), Stopped> {
    Reach::endpoint(SERVER).run(network, probe.plan, &mut probe.steps)?;
    probe.steps.step("look", |details| {
        let status = endpoint.look()?;
        details.add("status", status.to_string());
        Ok(())
    })?;
    if probe.depth != Depth::Full {
        return Ok(());
    }
    probe.steps.step("post", |details| {
        let status = endpoint.post(EMPTY.to_vec())?;
        details.add("status", status.to_string());
        taken(status)
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use portolan_sdk::testing::{RecordedNetwork, RecordedSteps, pieces, public_options};
    use portolan_sdk::{Failure, FailureClass, Provider, Steps};

    use super::*;
    use crate::Webhook;

    #[derive(Debug)]
    struct Answers {
        look: Result<u16, Failure>,
        post: Result<u16, Failure>,
        posted: RefCell<Vec<Vec<u8>>>,
    }

    impl Endpoint for Answers {
        fn look(&self) -> Result<u16, Failure> {
            self.look.clone()
        }

        fn post(&self, body: Vec<u8>) -> Result<u16, Failure> {
            self.posted.borrow_mut().push(body);
            self.post.clone()
        }
    }

    fn answers(look: u16, post: u16) -> Answers {
        Answers {
            look: Ok(look),
            post: Ok(post),
            posted: RefCell::default(),
        }
    }

    fn run(depth: Depth, endpoint: &Answers) -> RecordedSteps {
        let public = public_options(include_str!("../manifest.toml"));
        let plan = Webhook::plan(&pieces("webhook-https://h/p", &public)).expect("a plan");
        let mut log = RecordedSteps::default();
        let _ = probe(
            &mut SinkProbe {
                plan: &plan,
                topics: &[],
                depth,
                steps: Steps::new(&mut log),
            },
            &RecordedNetwork::default(),
            endpoint,
        );
        log
    }

    const REACHED: [(&str, &str); 3] = [("resolve", "ok"), ("dial", "ok"), ("tls", "ok")];

    #[test]
    fn any_status_counts_as_reached_and_nothing_is_posted() {
        for status in [200, 302, 401, 404, 405, 500] {
            for depth in [Depth::Read, Depth::Other("deep".to_owned())] {
                let endpoint = answers(status, 200);
                let log = run(depth, &endpoint);
                assert_eq!(log.words()[..3], REACHED);
                assert_eq!(log.words()[3..], [("look", "ok")]);
                let status = ("status".to_owned(), status.to_string());
                assert_eq!(log.steps[3].details, [status]);
                assert!(endpoint.posted.borrow().is_empty());
            }
        }
    }

    #[test]
    fn the_full_probe_posts_an_empty_payload_which_has_to_be_taken() {
        let endpoint = answers(405, 204);
        let log = run(Depth::Full, &endpoint);
        assert_eq!(log.words()[3..], [("look", "ok"), ("post", "ok")]);
        assert_eq!(*endpoint.posted.borrow(), [EMPTY]);
        let log = run(Depth::Full, &answers(200, 401));
        assert_eq!(log.words()[3..], [("look", "ok"), ("post", "failed")]);
        let failure = log.failure().expect("refused");
        assert_eq!(failure.class, FailureClass::RefusedCredentials);
    }

    #[test]
    fn no_answer_is_a_failure() {
        let failure = Failure::new(FailureClass::Timeout, "nothing came");
        let endpoint = Answers {
            look: Err(failure.clone()),
            ..answers(200, 200)
        };
        let log = run(Depth::Full, &endpoint);
        assert_eq!(log.words()[3..], [("look", "failed")]);
        assert_eq!(log.failure(), Some(&failure));
    }
}
