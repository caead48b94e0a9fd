//! Statements of every kind, with any text in them.

use portolan_secret::SecretText;
use portolan_statement::{
    AlterConnection, Change, CheckConnection, CommentOnConnection, ConnectionOptions,
    CreateConnection, CreatePrincipal, DropConnection, DropPrincipal, Grant, Granted, Number,
    Parameter, PrincipalKind, Privilege, Revoke, ShowAudit, ShowConnections, ShowCreateConnection,
    ShowGrants, ShowSystemGrants, Statement, Text, Transaction, ValidateConnection,
};
use proptest::collection::{hash_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;

/// Every statement, with texts that may be secrets taken from `secrets`.
pub(crate) fn statement(secrets: BoxedStrategy<String>) -> BoxedStrategy<Statement> {
    let secret = || text(secrets.clone());
    let options = (option::of(text(mode())), option::of(secret()))
        .prop_map(|(validate, comment)| ConnectionOptions { validate, comment })
        .boxed();
    let named = hash_map("[A-Za-z][A-Za-z0-9_.-]{0,20}", secret(), 1..4).prop_map(|map| {
        let pairs = map
            .into_iter()
            .map(|(name, value)| Parameter { name, value });
        pairs.collect::<Vec<_>>()
    });
    let parameters = prop_oneof![Just(Vec::new()), named.clone()].boxed();
    let create = (
        any::<bool>(),
        name(),
        secret(),
        parameters.clone(),
        options.clone(),
    )
        .prop_map(
            |(if_not_exists, name, uri, parameters, options)| CreateConnection {
                if_not_exists,
                name,
                uri,
                parameters,
                options,
            },
        );
    let change = prop_oneof![
        (secret(), parameters, options.clone()).prop_map(|(uri, parameters, options)| {
            Change::Uri {
                uri,
                parameters,
                options,
            }
        }),
        (named, options.clone()).prop_map(|(parameters, options)| Change::Set {
            parameters,
            options
        }),
        (hash_set("[A-Za-z][A-Za-z0-9_.-]{0,20}", 1..4), options).prop_map(|(names, options)| {
            Change::Reset {
                names: names.into_iter().collect(),
                options,
            }
        }),
        name().prop_map(Change::Rename),
        identifier().prop_map(Change::Owner),
    ];
    let check = (
        secret(),
        option::of(number()),
        option::of(secret()),
        option::of(secret()),
    )
        .prop_map(|(target, concurrently, transfer, time)| CheckConnection {
            target,
            concurrently,
            transfer,
            time,
        });
    let grant =
        (granted(), identifiers(), any::<bool>()).prop_map(|(granted, grantees, with_option)| {
            Grant {
                granted,
                grantees,
                with_option,
            }
        });
    let revoke =
        (granted(), identifiers(), any::<bool>()).prop_map(|(granted, grantees, only_option)| {
            Revoke {
                granted,
                grantees,
                only_option,
            }
        });
    let kind = || prop_oneof![Just(PrincipalKind::User), Just(PrincipalKind::Role)];
    prop_oneof![
        create.clone().prop_map(Statement::CreateConnection),
        create.prop_map(Statement::ExplainCreateConnection),
        (any::<bool>(), name(), change).prop_map(|(if_exists, name, change)| {
            Statement::AlterConnection(AlterConnection {
                if_exists,
                name,
                change,
            })
        }),
        (any::<bool>(), vec(name(), 1..4)).prop_map(|(if_exists, names)| {
            Statement::DropConnection(DropConnection { if_exists, names })
        }),
        option::of(name())
            .prop_map(|name| Statement::ShowCreateConnection(ShowCreateConnection { name })),
        (option::of(name()), any::<bool>()).prop_map(|(name, with_comment)| {
            Statement::ShowConnections(ShowConnections { name, with_comment })
        }),
        check.prop_map(Statement::CheckConnection),
        (name(), option::of(text(mode()))).prop_map(|(name, validate)| {
            Statement::ValidateConnection(ValidateConnection { name, validate })
        }),
        (name(), option::of(secret())).prop_map(|(name, comment)| {
            Statement::CommentOnConnection(CommentOnConnection { name, comment })
        }),
        grant.prop_map(Statement::Grant),
        revoke.prop_map(Statement::Revoke),
        (identifiers(), maybe_identifiers()).prop_map(|(connections, grantees)| {
            Statement::ShowGrants(ShowGrants {
                connections,
                grantees,
            })
        }),
        maybe_identifiers()
            .prop_map(|grantees| Statement::ShowSystemGrants(ShowSystemGrants { grantees })),
        (kind(), any::<bool>(), identifier()).prop_map(|(kind, if_not_exists, name)| {
            Statement::CreatePrincipal(CreatePrincipal {
                kind,
                if_not_exists,
                name,
            })
        }),
        (kind(), any::<bool>(), identifiers()).prop_map(|(kind, if_exists, names)| {
            Statement::DropPrincipal(DropPrincipal {
                kind,
                if_exists,
                names,
            })
        }),
        kind().prop_map(Statement::ShowPrincipals),
        Just(Statement::ShowProviders),
        (option::of(name()), option::of(secret())).prop_map(|(connection, since)| {
            Statement::ShowAudit(ShowAudit { connection, since })
        }),
        prop_oneof![
            Just(Transaction::Begin),
            Just(Transaction::Commit),
            Just(Transaction::Rollback)
        ]
        .prop_map(Statement::Transaction),
    ]
    .boxed()
}

/// Any text, rich in what has a meaning to the lexer.
pub(crate) fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        "(?s).{0,20}",
        "['\"\\\\$;/*\n\t\0e -]{0,12}",
        "[ -~]{0,40}",
        Just("2 MiB".to_owned()),
        Just("2026-11-24".to_owned()),
    ]
    .boxed()
}

/// A text that is no word and may stand everywhere.
fn text(texts: BoxedStrategy<String>) -> BoxedStrategy<Text> {
    prop_oneof![
        4 => texts.prop_map(|text| Text::Literal(SecretText::new(text))),
        1 => (1_u32..=65535).prop_map(Text::Placeholder),
    ]
    .boxed()
}

fn mode() -> BoxedStrategy<String> {
    prop_oneof![Just("none"), Just("READ"), Just("full")]
        .prop_map(str::to_owned)
        .boxed()
}

fn number() -> BoxedStrategy<Number> {
    prop_oneof![
        any::<u64>().prop_map(Number::Literal),
        (1_u32..=65535).prop_map(Number::Placeholder)
    ]
    .boxed()
}

/// The name of a connection. It is shown, so no secret is put here.
fn name() -> BoxedStrategy<Text> {
    text(prop_oneof!["[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", any_text()].boxed())
}

/// An identifier: often a keyword, sometimes any text.
fn identifier() -> BoxedStrategy<String> {
    let keyword = proptest::sample::select(portolan_statement::keywords());
    prop_oneof![
        "[a-z_][a-z0-9_]{0,12}",
        keyword.prop_map(str::to_lowercase),
        any_text(),
    ]
    .boxed()
}

fn identifiers() -> BoxedStrategy<Vec<String>> {
    vec(identifier(), 1..4).boxed()
}

fn maybe_identifiers() -> BoxedStrategy<Vec<String>> {
    vec(identifier(), 0..3).boxed()
}

fn privileges() -> BoxedStrategy<Vec<Privilege>> {
    let one = prop_oneof![
        Just(Privilege::All),
        "[A-Z_]{1,12}"
            .prop_filter("these words end a list of privileges", |word| {
                !["ALL", "ON", "TO", "FROM", "FOR", "WITH", "AS"].contains(&word.as_str())
            })
            .prop_map(Privilege::Named),
        proptest::sample::select(vec!["SELECT", "CREATE", "DROP", "UPDATE", "SYSTEM"])
            .prop_map(|word| Privilege::Named(word.to_owned())),
    ];
    vec(one, 1..4).boxed()
}

fn granted() -> BoxedStrategy<Granted> {
    prop_oneof![
        (privileges(), identifiers()).prop_map(|(privileges, connections)| {
            Granted::OnConnections {
                privileges,
                connections,
            }
        }),
        privileges().prop_map(Granted::System),
        identifiers().prop_map(Granted::Roles),
    ]
    .boxed()
}
