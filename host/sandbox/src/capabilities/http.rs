//! `http`: requests to the endpoints of the plan, under the rules of the manifest.

use std::sync::Arc;

use portolan_contract::{
    AskedRequest, Endpoint, Failure, FailureClass, Kind, Manifest, RequestRule, RuleContext,
    is_inside_of_a_string,
};
use portolan_egress::service::{AnswerPart, ServiceAnswer, ServiceRequest};
use portolan_secret::SecretBytes;

use super::asked::{Asked, Taken, broken};
use super::given_away;
use super::network::{Access, Network};
use super::parts::{Opaque, Origin};
use crate::bindings::host::http::{Host, Request, Response};
use crate::bindings::host::parts::Part;
use crate::bindings::types;
use crate::budget::Budget;
use crate::guest::{Guest, Patience};

impl Host for Guest {
    async fn send(
        &mut self,
        request: Request,
    ) -> wasmtime::Result<Result<Response, types::Failure>> {
        let Access {
            network,
            budget,
            patience,
        } = self.network("http@0.1.0#send")?;
        let asked = Asked::take(request, network)?;
        let mut fetched = Vec::new();
        let answered = network.ask(&asked, budget, &patience, &mut fetched).await?;
        if let Some(lent) = &mut self.lent
            && !fetched.is_empty()
        {
            lent.words = lent.words.knowing(&fetched);
        }
        self.answer(answered)
    }
}

impl Network {
    /// Judges a request, sends it once and hands the answer over. What authenticated it and is no
    /// secret of the plan is added to `fetched`.
    async fn ask(
        &mut self,
        asked: &Asked,
        budget: &mut Budget,
        patience: &Patience,
        fetched: &mut Vec<SecretBytes>,
    ) -> wasmtime::Result<Result<Response, Failure>> {
        let endpoint = match self.admitted(asked.endpoint)? {
            Ok(endpoint) => endpoint,
            Err(failure) => return Ok(Err(failure)),
        };
        // Before it is judged: reading a body is work as well.
        budget.count_dial()?;
        let manifest = Arc::clone(&self.manifest);
        let rule = match judge(asked, &endpoint, &manifest, &self.plan.context) {
            Ok(rule) => rule,
            Err(failure) => return Ok(Err(failure)),
        };
        match self.send(asked, rule, &endpoint, patience).await {
            Err(failure) => Ok(Err(failure)),
            Ok(answer) if given_away::found_in(asked, &answer) => {
                Ok(Err(given_away::failure(&endpoint.host)))
            }
            Ok(mut answer) => {
                fetched.append(&mut answer.fetched);
                self.hand_over(answer, budget).map(Ok)
            }
        }
    }

    async fn send(
        &mut self,
        asked: &Asked,
        rule: &RequestRule,
        endpoint: &Endpoint,
        patience: &Patience,
    ) -> Result<ServiceAnswer, Failure> {
        let keep_opaque = asked.kept()?;
        let services = self.services()?;
        let query = asked.query.iter();
        let query: Vec<_> = query
            .filter_map(|(name, value)| match value {
                Taken::Bytes(bytes) => Some((name.clone(), bytes.clone())),
                // No rule lets an opaque part stand there.
                Taken::Secret(_) => None,
            })
            .collect();
        let body: Vec<_> = asked.body.iter().map(Taken::piece).collect();
        let request = ServiceRequest {
            rule,
            endpoint,
            path: &asked.path,
            query: &query,
            headers: &asked.headers,
            body: &body,
            keep_opaque: &keep_opaque,
            most: usize::MAX,
        };
        let sending = async {
            let answered = services.send(&request).await;
            answered.map_err(|error| error.failure())
        };
        patience.wait(sending).await
    }

    fn hand_over(
        &mut self,
        answer: ServiceAnswer,
        budget: &mut Budget,
    ) -> wasmtime::Result<Response> {
        let headers = answer.headers.iter();
        budget.count_response(headers.map(|(name, value)| name.len() + value.len()).sum())?;
        let mut body = Vec::with_capacity(answer.body.len());
        for part in answer.body {
            body.push(match part {
                AnswerPart::Shown(bytes) => {
                    budget.count_response(bytes.len())?;
                    Part::Bytes(bytes)
                }
                AnswerPart::Secret(secret) => {
                    budget.count_opaque(secret.len())?;
                    Part::Secret(self.lend(Opaque::new(secret, Origin::Answer))?)
                }
            });
        }
        Ok(Response {
            status: answer.status,
            headers: answer.headers,
            body,
        })
    }
}

/// The rule that describes a request; before anything of it is signed or sent.
fn judge<'a>(
    asked: &Asked,
    endpoint: &Endpoint,
    manifest: &'a Manifest,
    context: &RuleContext,
) -> Result<&'a RequestRule, Failure> {
    asked.check()?;
    // Whatever a key's service encrypts comes back from it as a plaintext, and is handed out.
    if manifest.kinds.contains(&Kind::Kms) && asked.body.iter().any(Taken::is_of_the_plan) {
        return Err(broken(
            FailureClass::Denied,
            "the service of a key is sent no secret of its connection as content".to_owned(),
        ));
    }
    let mut body = Vec::new();
    let mut opaque = Vec::new();
    for part in &asked.body {
        match part {
            Taken::Bytes(bytes) => body.extend_from_slice(bytes),
            Taken::Secret(_) => opaque.push(body.len()),
        }
    }
    let query = asked.query.iter();
    let query: Vec<_> = query
        .map(|(name, value)| (name.as_str(), matches!(value, Taken::Secret(_))))
        .collect();
    let headers = asked.headers.iter();
    let headers: Vec<_> = headers.map(|(name, _)| name.as_str()).collect();
    let request = AskedRequest {
        rule: &asked.rule,
        endpoint,
        method: &asked.method,
        path: &asked.path,
        query: &query,
        headers: &headers,
        body: &body,
        opaque: &opaque,
    };
    let rule = manifest
        .judge_request(&request, context)
        .map_err(|refusal| refusal.failure())?;
    // What stands between the quotes may not end them.
    let fits = asked.body.iter().all(|part| match part {
        Taken::Bytes(_) => true,
        Taken::Secret(secret) => is_inside_of_a_string(secret.bytes.expose()),
    });
    match fits {
        true => Ok(rule),
        false => Err(broken(
            FailureClass::Protocol,
            "an opaque part of a request's body cannot stand in JSON as it is".to_owned(),
        )),
    }
}
