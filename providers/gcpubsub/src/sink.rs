//! The messages that are published, one request after another: so those with the same key stay in
//! order, and nothing is ever under way between two calls.

use portolan_sdk::{Acknowledged, Failure, Message, OpenSink, Plan};

use crate::api::{Api, publish};
use crate::plan::{PROJECT, TABLE_NAME, TOPIC};
use crate::publish::{Form, Publications};

/// A project whose topics take messages.
#[derive(Debug)]
pub struct Publishing {
    api: Box<dyn Api>,
    project: String,
    form: Form,
    acknowledged: Acknowledged,
}

/// What a plan says of messages.
pub(crate) fn form(plan: &Plan) -> Form {
    Form {
        topic: plan.setting(TOPIC).map(str::to_owned),
        table_name: plan.setting(TABLE_NAME) == Some("true"),
    }
}

impl Publishing {
    pub(crate) fn new(plan: &Plan, api: impl Api + 'static) -> Self {
        Self {
            api: Box::new(api),
            project: plan.setting(PROJECT).unwrap_or_default().to_owned(),
            form: form(plan),
            acknowledged: Acknowledged::default(),
        }
    }
}

impl OpenSink for Publishing {
    fn emit(&mut self, messages: Vec<Message>) -> Result<u64, Failure> {
        let (api, project) = (&*self.api, &self.project);
        let publications = Publications::of(&self.form, messages.into_iter());
        self.acknowledged.send(publications.map(|publication| {
            let publication = publication?;
            let count = publication.messages.len();
            publish(api, project, &publication.topic, publication.body(), count)?;
            Ok(count as u64)
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
    use portolan_sdk::Kind;
    use serde_json::json;

    use super::*;
    use crate::api::tests::Scripted;

    fn message(topic: &str) -> Message {
        Message {
            topic: topic.to_owned(),
            key: None,
            value: b"x".to_vec(),
            headers: Vec::new(),
            timestamp: 0,
        }
    }

    #[test]
    fn what_has_an_id_is_acknowledged_and_what_fails_is_told_after_it() {
        let api = Scripted::answering([Ok(json!({"messageIds": ["1", "2"]}))]);
        let plan = Plan::new(Kind::Sink).set("project", "p");
        let mut sink = Publishing::new(&plan, api.clone());
        let messages = ["abc", "abc", "def", "abc"].map(message).to_vec();
        assert_eq!(sink.emit(messages), Ok(2));
        let failure = sink.flush().expect_err("the second request failed");
        assert_eq!(failure.message, "nothing answers");
        let asked = api.asked();
        assert_eq!(asked.len(), 2, "nothing is published after a failure");
        assert_eq!(asked[1].0, "publish POST /v1/projects/p/topics/def:publish");
        assert_eq!(sink.close(), Ok(()));
    }
}
