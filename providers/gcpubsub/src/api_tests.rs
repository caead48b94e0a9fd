use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use serde_json::json;

use super::*;

/// Answers in turn, and keeps what was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scripted(Rc<RefCell<Script>>);

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Result<Value, Failure>>,
    asked: Vec<(String, Value)>,
}

impl Scripted {
    pub(crate) fn answering(answers: impl IntoIterator<Item = Result<Value, Failure>>) -> Self {
        Self(Rc::new(RefCell::new(Script {
            answers: answers.into_iter().collect(),
            asked: Vec::new(),
        })))
    }

    /// `rule METHOD /path` of each request, and its body.
    pub(crate) fn asked(&self) -> Vec<(String, Value)> {
        self.0.borrow().asked.clone()
    }
}

impl Api for Scripted {
    fn send(
        &self,
        rule: &str,
        method: &str,
        path: Vec<String>,
        body: Vec<u8>,
    ) -> Result<Value, Failure> {
        let mut script = self.0.borrow_mut();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        script
            .asked
            .push((format!("{rule} {method} /{}", path.join("/")), body));
        let answer = script.answers.pop_front();
        answer.unwrap_or_else(|| Err(Failure::new(FailureClass::Unreachable, "nothing answers")))
    }
}

#[test]
fn each_request_has_the_path_of_its_rule() {
    let api = Scripted::answering([
        Ok(json!({"name": "projects/p/topics/t"})),
        Ok(json!({})),
        Ok(json!({"permissions": [PUBLISH]})),
        Ok(json!({"messageIds": ["1"]})),
    ]);
    assert_eq!(look_at_topic(&api, "p", "t"), Ok(()));
    assert_eq!(look_at_project(&api, "p"), Ok(()));
    assert_eq!(may_publish(&api, "p", "t"), Ok(true));
    assert_eq!(
        publish(&api, "p", "t", b"{}".to_vec(), 1),
        Ok(vec!["1".to_owned()])
    );
    let asked: Vec<_> = api
        .asked()
        .into_iter()
        .map(|(request, _)| request)
        .collect();
    assert_eq!(
        asked,
        [
            "topic GET /v1/projects/p/topics/t",
            "topics GET /v1/projects/p/topics",
            "permissions POST /v1/projects/p/topics/t:testIamPermissions",
            "publish POST /v1/projects/p/topics/t:publish",
        ]
    );
    assert_eq!(api.asked()[2].1, json!({"permissions": [PUBLISH]}));
}

#[test]
fn what_is_no_answer_of_the_service_is_not_believed() {
    let api = Scripted::answering([Ok(json!({})), Ok(json!({"permissions": [1]}))]);
    let failure = look_at_topic(&api, "p", "t").expect_err("no topic");
    assert_eq!(failure.class, FailureClass::Protocol);
    assert_eq!(may_publish(&api, "p", "t"), Ok(false));
    for ids in [
        json!({}),
        json!({"messageIds": ["1"]}),
        json!({"messageIds": ["1", 2]}),
    ] {
        let api = Scripted::answering([Ok(ids)]);
        let failure = publish(&api, "p", "t", Vec::new(), 2).expect_err("not all");
        assert_eq!(failure.class, FailureClass::Protocol);
    }
}
