//! `sasl`: authentication exchanges whose answers hold secrets.

use portolan_contract::Failure;
use portolan_egress::Connection;
use portolan_egress::sasl::{self, Exchange, Mechanism};
use portolan_secret::SecretBytes;
use tokio::time::timeout;
use wasmtime::component::Resource;

use super::network::{Access, Network};
use super::parts::{Opaque, Origin};
use crate::Fault;
use crate::bindings::host::parts::Part;
use crate::bindings::host::sasl::{Answer, Host, HostExchange, Property};
use crate::bindings::types;
use crate::budget::Budget;
use crate::guest::Guest;

/// The most exchanges of one operation.
const MAX_EXCHANGES: usize = 64;

impl Host for Guest {
    async fn start(
        &mut self,
        mechanism: String,
        properties: Vec<Property>,
        channel: Option<Resource<Connection>>,
    ) -> wasmtime::Result<Result<Resource<Exchange>, types::Failure>> {
        let Access {
            network, budget, ..
        } = self.network("sasl@0.1.0#start")?;
        let started = network.authenticate(&mechanism, properties, channel.as_ref(), budget)?;
        self.answer(started)
    }
}

impl HostExchange for Guest {
    async fn step(
        &mut self,
        exchange: Resource<Exchange>,
        challenge: Vec<u8>,
    ) -> wasmtime::Result<Result<Answer, types::Failure>> {
        let Access {
            network,
            budget,
            patience,
        } = self.network("sasl@0.1.0#[method]exchange.step")?;
        let exchange = network.table.get_mut(&exchange)?;
        let answered = match timeout(patience.left(), exchange.step(&challenge)).await {
            Ok(answered) => answered.map_err(|error| error.failure()),
            // Nobody knows how far it got.
            Err(_) => {
                let over = patience.over();
                exchange.fail(over.clone());
                Err(over)
            }
        };
        let fetched = exchange.take_fetched();
        let answered = match answered {
            Ok(answer) => Ok(network.hand_over_answer(answer, budget)?),
            Err(failure) => Err(failure),
        };
        if let Some(lent) = &mut self.lent
            && !fetched.is_empty()
        {
            lent.words = lent.words.knowing(&fetched);
        }
        self.answer(answered)
    }

    async fn drop(&mut self, exchange: Resource<Exchange>) -> wasmtime::Result<()> {
        if let Some(network) = self.lent.as_mut().and_then(|lent| lent.network.as_mut()) {
            network.table.delete(exchange)?;
        }
        Ok(())
    }
}

impl Network {
    /// Begins an exchange.
    fn authenticate(
        &mut self,
        mechanism: &str,
        properties: Vec<Property>,
        channel: Option<&Resource<Connection>>,
        budget: &mut Budget,
    ) -> wasmtime::Result<Result<Resource<Exchange>, Failure>> {
        if self.exchanges == MAX_EXCHANGES {
            return Err(Fault::Exchanges(MAX_EXCHANGES).into());
        }
        self.exchanges += 1;
        let channel = match channel {
            None => None,
            Some(connection) => Some(self.table.get(connection)?.channel()),
        };
        let properties: Vec<_> = properties.into_iter().map(given).collect();
        let started = mechanism.parse().and_then(|mechanism| {
            let started = self
                .authenticator()
                .start(mechanism, &properties, channel.as_ref());
            started.map(|exchange| (mechanism, exchange))
        });
        match started {
            Err(error) => Ok(Err(error.failure())),
            Ok((mechanism, exchange)) => {
                // Somebody else has to be asked first.
                if matches!(mechanism, Mechanism::OauthBearer | Mechanism::AwsMskIam) {
                    budget.count_dial()?;
                }
                Ok(Ok(self.table.push(exchange)?))
            }
        }
    }

    fn hand_over_answer(
        &mut self,
        answer: sasl::Answer,
        budget: &mut Budget,
    ) -> wasmtime::Result<Answer> {
        Ok(match answer {
            sasl::Answer::Message(message) => Answer::Message(self.lend_answer(message, budget)?),
            sasl::Answer::Last(message) => Answer::Last(self.lend_answer(message, budget)?),
            sasl::Answer::Done => Answer::Done,
        })
    }

    fn lend_answer(&mut self, message: SecretBytes, budget: &mut Budget) -> wasmtime::Result<Part> {
        budget.count_opaque(message.len())?;
        // It may hold the password as it is.
        Ok(Part::Secret(self.lend(Opaque::new(message, Origin::Plan))?))
    }
}

fn given(property: Property) -> sasl::Property {
    match property {
        Property::Text((name, text)) => sasl::Property::Text(name, text),
        Property::Secret((name, secret)) => sasl::Property::Secret(name, secret),
        Property::Other(_) => sasl::Property::Other,
    }
}
