//! A script that makes a new store like one whose key is lost, but for the secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use portolan_catalog::{Connection, ConnectionId, Salvaged};
use portolan_contract::strip_controls;
use portolan_secret::SecretText;
use portolan_statement::{
    AlterConnection, Change, ConnectionOptions, CreateConnection, CreatePrincipal, Grant, Granted,
    Parameter, Privilege, Revoke, Statement, Text, parse,
};

/// Who exists in every store.
const BUILT_IN: [&str; 2] = ["root", "admin"];

/// What a redacted URI shows in the place of a secret.
const REDACTED: &str = "redacted";

/// Longer than any name or URI that a person reads.
const LONGEST_COMMENT: usize = 2048;

/// The statements that make a new store like this one: users and roles, privileges, and each
/// connection with its comment, its owner, and a placeholder for each secret. Comments say which
/// secret each placeholder stands for, and what has to be done by hand.
///
/// Nothing of it was checked, because that takes the key: it is what the file says.
#[must_use]
pub fn rescue_script(salvaged: &Salvaged) -> String {
    let mut script = Script::default();
    for principal in &salvaged.principals {
        if !BUILT_IN.contains(&principal.name.as_str()) {
            script.statement(Statement::CreatePrincipal(CreatePrincipal {
                kind: match principal.kind {
                    portolan_catalog::PrincipalKind::User => {
                        portolan_statement::PrincipalKind::User
                    }
                    portolan_catalog::PrincipalKind::Role => {
                        portolan_statement::PrincipalKind::Role
                    }
                },
                if_not_exists: true,
                name: principal.name.clone(),
            }));
        }
    }
    for membership in &salvaged.memberships {
        if (membership.role.as_str(), membership.member.as_str()) != ("admin", "root") {
            script.statement(Statement::Grant(Grant {
                granted: Granted::Roles(vec![membership.role.clone()]),
                grantees: vec![membership.member.clone()],
                with_option: membership.admin_option,
            }));
        }
    }
    for grant in &salvaged.system_grants {
        script.statement(Statement::Grant(Grant {
            granted: Granted::System(vec![privilege(&grant.privilege.to_string())]),
            grantees: vec![grant.grantee.clone()],
            with_option: grant.grantable,
        }));
    }
    let names: BTreeMap<ConnectionId, &str> = salvaged
        .connections
        .iter()
        .map(|connection| (connection.id, connection.name.as_str()))
        .collect();
    for connection in &salvaged.connections {
        script.connection(connection);
    }
    for grant in &salvaged.connection_grants {
        match names.get(&grant.connection) {
            Some(name) => script.statement(Statement::Grant(Grant {
                granted: Granted::OnConnections {
                    privileges: vec![privilege(&grant.privilege.to_string())],
                    connections: vec![(*name).to_owned()],
                },
                grantees: vec![grant.grantee.clone()],
                with_option: grant.grantable,
            })),
            None => script.remark(&format!(
                "{} had {} on a connection that is not there",
                grant.grantee, grant.privilege
            )),
        }
    }
    // Whoever replays the script is given everything on what it creates.
    let kept: BTreeSet<ConnectionId> = salvaged
        .connection_grants
        .iter()
        .filter(|grant| grant.grantee == "root")
        .map(|grant| grant.connection)
        .collect();
    for connection in &salvaged.connections {
        if !kept.contains(&connection.id) {
            script.statement(Statement::Revoke(Revoke {
                granted: Granted::OnConnections {
                    privileges: vec![Privilege::All],
                    connections: vec![connection.name.clone()],
                },
                grantees: vec!["root".to_owned()],
                only_option: false,
            }));
        }
    }
    for provider in &salvaged.providers {
        script.remark(&format!(
            "provider {} {} was approved (SHA-256 {}); add it before connections that need it: \
             portolan provider add {}",
            provider.name, provider.version, provider.digest, provider.file
        ));
    }
    for set in &salvaged.user_file_sets {
        script.remark(&format!(
            "the set {} of user files belonged to {}",
            set.name, set.owner
        ));
    }
    for name in &salvaged.unreadable {
        script.remark(&format!("could not be read: {name}"));
    }
    script.finish()
}

fn privilege(word: &str) -> Privilege {
    match word {
        "ALL" => Privilege::All,
        word => Privilege::Named(word.to_owned()),
    }
}

#[derive(Default)]
struct Script {
    body: String,
    /// What each placeholder stands for, the first for `$1`.
    secrets: Vec<String>,
}

impl Script {
    /// Adds a statement. One that would not be read back as itself, because the file holds a name that
    /// no statement could have written, is left out and told.
    fn statement(&mut self, statement: Statement) {
        let text = statement.to_sql_with_secrets();
        match parse(text.expose()) {
            Ok(again) if again == statement => {
                let _ = writeln!(self.body, "{};", text.expose());
            }
            _ => self.remark(&format!("left out: {statement}")),
        }
    }

    /// Adds a comment of one line, whatever the file holds.
    fn remark(&mut self, text: &str) {
        let text = strip_controls(text, LONGEST_COMMENT);
        let _ = writeln!(self.body, "-- {}", text.replace(['\n', '\r'], " "));
    }

    fn placeholder(&mut self, what: String) -> Text {
        self.secrets.push(what);
        Text::Placeholder(u32::try_from(self.secrets.len()).unwrap_or(u32::MAX))
    }

    fn connection(&mut self, connection: &Connection) {
        let (uri, parameters) = self.target(connection);
        self.statement(Statement::CreateConnection(CreateConnection {
            if_not_exists: true,
            name: Text::from(connection.name.as_str()),
            uri,
            parameters,
            options: ConnectionOptions {
                validate: Some(Text::from("none")),
                comment: connection.comment.as_deref().map(Text::from),
            },
        }));
        if connection.owner != "root" {
            self.statement(Statement::AlterConnection(AlterConnection {
                if_exists: false,
                name: Text::from(connection.name.as_str()),
                change: Change::Owner(connection.owner.clone()),
            }));
        }
    }

    /// The URI with its secrets as parameters. Where one stands before the query, or a name is there
    /// twice, the whole URI is one.
    fn target(&mut self, connection: &Connection) -> (Text, Vec<Parameter>) {
        let shown = &connection.redacted_uri;
        let (before, query) = shown.split_once('?').unwrap_or((shown, ""));
        let mut kept = Vec::new();
        let mut secret = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((name, REDACTED)) => secret.push(name),
                _ => kept.push(pair),
            }
        }
        let hidden_before = before.split([':', '@', '/']).any(|piece| piece == REDACTED);
        let distinct: BTreeSet<&str> = secret.iter().copied().collect();
        let given_twice = distinct.len() != secret.len()
            || kept.iter().any(|pair| {
                let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
                distinct.contains(name)
            });
        if hidden_before || (given_twice && !secret.is_empty()) {
            let what = format!("the whole URI of {}, shown as {shown}", connection.name);
            return (self.placeholder(what), Vec::new());
        }
        let mut uri = before.to_owned();
        for (place, pair) in kept.iter().enumerate() {
            uri.push(if place == 0 { '?' } else { '&' });
            uri.push_str(pair);
        }
        let parameters = secret
            .into_iter()
            .map(|name| Parameter {
                name: name.to_owned(),
                value: self.placeholder(format!("{name} of {}", connection.name)),
            })
            .collect();
        (Text::Literal(SecretText::new(uri)), parameters)
    }

    fn finish(self) -> String {
        let mut head = Script::default();
        head.remark("Made by portolan store rescue from a store that was read without its key.");
        head.remark("Nothing in it was checked: whoever could write the file could change it. Read it before you");
        head.remark("run it: portolan --store NEW sql -f THIS --param 1=env:NAME …");
        head.remark("No connection is tried out; portolan validate NAME does that afterwards.");
        for (place, what) in self.secrets.iter().enumerate() {
            head.remark(&format!("${} is {what}", place + 1));
        }
        head.body.push('\n');
        head.body.push_str(&self.body);
        head.body
    }
}
