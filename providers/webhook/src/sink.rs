//! The messages that are posted, one body after another. Each is acknowledged by its answer, so
//! nothing is ever under way between two calls.

use portolan_sdk::{Acknowledged, Failure, Message, OpenSink};

use crate::payload::Bodies;
use crate::post::{Endpoint, taken};

/// An endpoint that messages are posted to.
#[derive(Debug)]
pub struct Posting {
    endpoint: Box<dyn Endpoint>,
    acknowledged: Acknowledged,
}

impl Posting {
    pub(crate) fn new(endpoint: impl Endpoint + 'static) -> Self {
        Self {
            endpoint: Box::new(endpoint),
            acknowledged: Acknowledged::default(),
        }
    }
}

impl OpenSink for Posting {
    fn emit(&mut self, messages: Vec<Message>) -> Result<u64, Failure> {
        let endpoint = &self.endpoint;
        let bodies = Bodies::of(messages.into_iter());
        self.acknowledged.send(bodies.map(|body| {
            let body = body?;
            taken(endpoint.post(body.json)?)?;
            Ok(body.messages)
        }))
    }

    fn flush(&mut self) -> Result<u64, Failure> {
        self.acknowledged.told()
    }

    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    use portolan_sdk::FailureClass;

    use super::*;

    /// Answers with these statuses, one after another, and counts what is posted.
    #[derive(Debug, Clone)]
    struct Scripted(Rc<RefCell<(VecDeque<u16>, usize)>>);

    impl Endpoint for Scripted {
        fn look(&self) -> Result<u16, Failure> {
            Ok(200)
        }

        fn post(&self, _: Vec<u8>) -> Result<u16, Failure> {
            let mut script = self.0.borrow_mut();
            script.1 += 1;
            let status = script.0.pop_front();
            status.ok_or_else(|| Failure::new(FailureClass::Unreachable, "nothing answers"))
        }
    }

    impl Scripted {
        fn new(statuses: &[u16]) -> Self {
            let statuses = statuses.iter().copied().collect();
            Self(Rc::new(RefCell::new((statuses, 0))))
        }

        fn posted(&self) -> usize {
            self.0.borrow().1
        }
    }

    fn messages(count: usize) -> Vec<Message> {
        let message = Message {
            topic: "t".to_owned(),
            key: None,
            value: b"{}".to_vec(),
            headers: Vec::new(),
            timestamp: 0,
        };
        vec![message; count]
    }

    #[test]
    fn what_the_endpoint_took_is_acknowledged() {
        let endpoint = Scripted::new(&[200, 204, 202]);
        let mut sink = Posting::new(endpoint.clone());
        assert_eq!(sink.emit(messages(3)), Ok(3));
        assert_eq!(sink.emit(messages(1_500)), Ok(1_503));
        assert_eq!(sink.flush(), Ok(1_503));
        assert_eq!(sink.close(), Ok(()));
        assert_eq!(endpoint.posted(), 3);
    }

    #[test]
    fn half_a_batch_is_acknowledged_before_its_failure_is_told() {
        let endpoint = Scripted::new(&[200, 503]);
        let mut sink = Posting::new(endpoint.clone());
        assert_eq!(sink.emit(messages(1_500)), Ok(1_000));
        for again in [sink.flush(), sink.emit(messages(1))] {
            let failure = again.expect_err("it failed");
            assert_eq!(failure.message, "the endpoint answered 503");
        }
        assert_eq!(endpoint.posted(), 2, "nothing is posted after it");
    }

    #[test]
    fn a_batch_of_which_nothing_was_taken_fails_at_once() {
        let mut sink = Posting::new(Scripted::new(&[]));
        let failure = sink.emit(messages(1)).expect_err("nothing answers");
        assert_eq!(failure.class, FailureClass::Unreachable);
    }
}
