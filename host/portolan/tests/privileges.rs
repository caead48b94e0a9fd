//! Who may do what with a connection: each statement, each way of holding a privilege, each refusal
//! in its own words.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use portolan::Principal;
use support::{World, rows, run, table};

/// A catalog with one connection, `c`, of alice, and users who hold one thing each.
async fn world() -> World {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER alice",
            "CREATE USER nobody",
            "CREATE USER creator",
            "CREATE USER explicit",
            "CREATE USER usage",
            "CREATE USER dropper",
            "CREATE USER updater",
            "CREATE USER everything",
            "CREATE USER granter",
            "CREATE USER inheritor",
            "CREATE USER viewer",
            "CREATE USER manager",
            "CREATE USER boss",
            "CREATE ROLE readers",
            "CREATE ROLE outer_readers",
            "GRANT readers TO outer_readers",
            "GRANT outer_readers TO inheritor",
            "GRANT admin TO boss",
            "GRANT SYSTEM EXTERNALCONNECTION, EXTERNALIOIMPLICITACCESS TO alice, creator",
            "GRANT SYSTEM EXTERNALCONNECTION TO explicit",
            "GRANT SYSTEM VIEWCLUSTERMETADATA TO viewer",
            "GRANT SYSTEM CREATEROLE TO manager",
        ])
        .await;
    run(
        &world.session("alice"),
        "CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/c' WITH VALIDATE = 'none'",
    )
    .await;
    world
        .run(&[
            "GRANT USAGE ON EXTERNAL CONNECTION c TO usage, readers",
            "GRANT DROP ON EXTERNAL CONNECTION c TO dropper",
            "GRANT UPDATE ON EXTERNAL CONNECTION c TO updater",
            "GRANT ALL ON EXTERNAL CONNECTION c TO everything",
            "GRANT USAGE ON EXTERNAL CONNECTION c TO granter WITH GRANT OPTION",
        ])
        .await;
    world
}

const NO_CREATE: &str = "42501 only users with the EXTERNALCONNECTION system privilege are allowed to \
                         CREATE EXTERNAL CONNECTION";

#[tokio::test(flavor = "multi_thread")]
async fn creating_needs_the_system_privilege_and_implicit_access_another() {
    let create = "CREATE EXTERNAL CONNECTION x AS 'nodelocal://1/x' WITH VALIDATE = 'none'";
    let implicit = "42501 only users with the admin role or the EXTERNALIOIMPLICITACCESS system \
                    privilege are allowed to access the specified nodelocal URI";
    table(
        &world().await,
        &[
            ("nobody", create, NO_CREATE),
            ("everything", create, NO_CREATE),
            ("manager", create, NO_CREATE),
            // Nothing is said about the URI, or about whether the name is taken.
            (
                "nobody",
                "CREATE EXTERNAL CONNECTION c AS 'nonsense'",
                NO_CREATE,
            ),
            ("explicit", create, implicit),
            ("creator", create, "ok"),
            ("creator", "DROP EXTERNAL CONNECTION x", "ok"),
            ("boss", create, "ok"),
            ("root", "DROP EXTERNAL CONNECTION x", "ok"),
            ("root", create, "ok"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn altering_renaming_and_commenting_need_update() {
    let alter = "ALTER EXTERNAL CONNECTION c AS 'nodelocal://1/d' WITH VALIDATE = 'none'";
    let comment = "COMMENT ON EXTERNAL CONNECTION c IS 'of the night'";
    let rename = "ALTER EXTERNAL CONNECTION c RENAME TO c";
    let refusal = |who: &str, name: &str| {
        format!("42501 user {who} does not have UPDATE privilege on external_connection {name}")
    };
    table(
        &world().await,
        &[
            ("nobody", alter, &refusal("nobody", "c")),
            ("usage", comment, &refusal("usage", "c")),
            ("dropper", rename, &refusal("dropper", "c")),
            ("inheritor", comment, &refusal("inheritor", "c")),
            // A missing name is refused in the same words, also with IF EXISTS.
            (
                "nobody",
                "COMMENT ON EXTERNAL CONNECTION missing IS 'x'",
                &refusal("nobody", "missing"),
            ),
            (
                "nobody",
                "ALTER EXTERNAL CONNECTION IF EXISTS missing AS 'nodelocal://1/d'",
                &refusal("nobody", "missing"),
            ),
            (
                "root",
                "COMMENT ON EXTERNAL CONNECTION missing IS 'x'",
                "42704 external connection with name missing does not exist",
            ),
            ("updater", comment, "ok"),
            ("everything", comment, "ok"),
            ("alice", comment, "ok"),
            ("boss", "COMMENT ON EXTERNAL CONNECTION c IS NULL", "ok"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_needs_drop_and_only_an_administrator_learns_that_there_is_nothing() {
    let refusal = |who: &str, name: &str| {
        format!("42501 user {who} does not have DROP privilege on external_connection {name}")
    };
    table(
        &world().await,
        &[
            (
                "nobody",
                "DROP EXTERNAL CONNECTION c",
                &refusal("nobody", "c"),
            ),
            (
                "updater",
                "DROP EXTERNAL CONNECTION c",
                &refusal("updater", "c"),
            ),
            (
                "usage",
                "DROP EXTERNAL CONNECTION missing",
                &refusal("usage", "missing"),
            ),
            (
                "usage",
                "DROP EXTERNAL CONNECTION IF EXISTS missing",
                &refusal("usage", "missing"),
            ),
            (
                "dropper",
                "DROP EXTERNAL CONNECTION c, missing",
                &refusal("dropper", "missing"),
            ),
            // All or none: it is still there.
            ("usage", "SHOW EXTERNAL CONNECTION c", "ok"),
            (
                "root",
                "DROP EXTERNAL CONNECTION missing",
                "ok; external connection with name missing does not exist, skipping",
            ),
            ("dropper", "DROP EXTERNAL CONNECTION c, c", "ok"),
            (
                "root",
                "SHOW EXTERNAL CONNECTION c",
                "42704 external connection with name c does not exist",
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn showing_needs_usage_and_the_list_holds_what_may_be_shown() {
    let world = world().await;
    let refusal = |name: &str| {
        format!("42501 must have USAGE privilege or be owner of the External Connection \"{name}\"")
    };
    table(
        &world,
        &[
            ("nobody", "SHOW EXTERNAL CONNECTION c", &refusal("c")),
            (
                "nobody",
                "SHOW EXTERNAL CONNECTION missing",
                &refusal("missing"),
            ),
            ("dropper", "SHOW EXTERNAL CONNECTION c", &refusal("c")),
            ("usage", "SHOW EXTERNAL CONNECTION c", "ok"),
            ("inheritor", "SHOW EXTERNAL CONNECTION c", "ok"),
            ("alice", "SHOW EXTERNAL CONNECTION c", "ok"),
            ("boss", "SHOW EXTERNAL CONNECTION c", "ok"),
        ],
    )
    .await;
    for (who, sees) in [
        ("nobody", false),
        ("dropper", false),
        ("viewer", false),
        ("usage", true),
        ("inheritor", true),
        ("everything", true),
        ("boss", true),
    ] {
        let shown = rows(&world.session(who), "SHOW EXTERNAL CONNECTIONS").await;
        let expected: &[[&str; 3]] = match sees {
            true => &[["c", "nodelocal://1/c", "STORAGE"]],
            false => &[],
        };
        assert_eq!(shown, expected, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_shown_to_owners_and_holders_of_viewclustermetadata() {
    let one = "SHOW CREATE EXTERNAL CONNECTION c";
    let all = "SHOW CREATE ALL EXTERNAL CONNECTIONS";
    let refusal = |name: &str| {
        format!(
            "42501 must have VIEWCLUSTERMETADATA privilege or be owner of the External Connection \
             \"{name}\""
        )
    };
    let no_all = "42501 must have VIEWCLUSTERMETADATA privilege to run `SHOW CREATE ALL EXTERNAL \
                  CONNECTIONS`";
    table(
        &world().await,
        &[
            ("nobody", one, &refusal("c")),
            ("everything", one, &refusal("c")),
            (
                "usage",
                "SHOW CREATE EXTERNAL CONNECTION missing",
                &refusal("missing"),
            ),
            ("alice", one, "ok"),
            ("viewer", one, "ok"),
            ("boss", one, "ok"),
            (
                "viewer",
                "SHOW CREATE EXTERNAL CONNECTION missing",
                "42704 external connection with name missing does not exist",
            ),
            ("alice", all, no_all),
            ("nobody", all, no_all),
            ("viewer", all, "ok"),
            ("root", all, "ok"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn granting_needs_the_grant_option_of_each_privilege() {
    let no_option = |who: &str, what: &str| {
        format!("42501 user {who} missing WITH GRANT OPTION privilege on one or more of {what}")
    };
    let to_nobody = "GRANT USAGE ON EXTERNAL CONNECTION c TO nobody";
    table(
        &world().await,
        &[
            ("usage", to_nobody, &no_option("usage", "USAGE")),
            ("everything", to_nobody, &no_option("everything", "USAGE")),
            (
                "nobody",
                "GRANT ALL ON EXTERNAL CONNECTION c TO nobody",
                &no_option("nobody", "USAGE, DROP, UPDATE"),
            ),
            (
                "granter",
                "GRANT USAGE, DROP ON EXTERNAL CONNECTION c TO nobody",
                &no_option("granter", "USAGE, DROP"),
            ),
            // A missing name is refused in the same words.
            (
                "nobody",
                "GRANT USAGE ON EXTERNAL CONNECTION missing TO nobody",
                &no_option("nobody", "USAGE"),
            ),
            (
                "nobody",
                "REVOKE USAGE ON EXTERNAL CONNECTION c FROM usage",
                &no_option("nobody", "USAGE"),
            ),
            (
                "root",
                "GRANT USAGE ON EXTERNAL CONNECTION missing TO nobody",
                "42704 failed to resolve External Connection: external connection with name \
                 missing does not exist",
            ),
            (
                "root",
                "GRANT SELECT ON EXTERNAL CONNECTION c TO nobody",
                "0LP01 invalid privilege type SELECT for external_connection",
            ),
            (
                "root",
                "GRANT SYSTEM USAGE TO nobody",
                "0LP01 invalid privilege type USAGE for system",
            ),
            ("granter", to_nobody, "ok"),
            ("nobody", "SHOW EXTERNAL CONNECTION c", "ok"),
            (
                "granter",
                "REVOKE USAGE ON EXTERNAL CONNECTION c FROM nobody",
                "ok",
            ),
            (
                "alice",
                "GRANT ALL ON EXTERNAL CONNECTION c TO nobody",
                "ok",
            ),
            ("nobody", "COMMENT ON EXTERNAL CONNECTION c IS 'x'", "ok"),
            (
                "viewer",
                "GRANT SYSTEM VIEWCLUSTERMETADATA TO nobody",
                &no_option("viewer", "VIEWCLUSTERMETADATA"),
            ),
            (
                "nobody",
                "GRANT SYSTEM ALL TO nobody",
                &no_option(
                    "nobody",
                    "EXTERNALCONNECTION, VIEWCLUSTERMETADATA, EXTERNALIOIMPLICITACCESS, CREATEROLE",
                ),
            ),
            (
                "root",
                "GRANT SYSTEM EXTERNALCONNECTION TO nobody WITH GRANT OPTION",
                "ok",
            ),
            ("nobody", "GRANT SYSTEM EXTERNALCONNECTION TO usage", "ok"),
            (
                "root",
                "REVOKE GRANT OPTION FOR SYSTEM EXTERNALCONNECTION FROM nobody",
                "ok",
            ),
            (
                "nobody",
                "GRANT SYSTEM EXTERNALCONNECTION TO usage",
                &no_option("nobody", "EXTERNALCONNECTION"),
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_privilege_taken_from_a_holder_of_all_leaves_the_others() {
    let world = world().await;
    world
        .run(&["REVOKE USAGE ON EXTERNAL CONNECTION c FROM everything"])
        .await;
    assert_eq!(
        rows(
            &world.root(),
            "SHOW GRANTS ON EXTERNAL CONNECTION c FOR everything"
        )
        .await,
        [
            ["c", "everything", "DROP", "false"],
            ["c", "everything", "UPDATE", "false"]
        ]
    );
    table(
        &world,
        &[
            (
                "everything",
                "SHOW EXTERNAL CONNECTION c",
                "42501 must have USAGE privilege or be owner of the External Connection \"c\"",
            ),
            ("everything", "DROP EXTERNAL CONNECTION c", "ok"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_granted_to_public_everybody_has() {
    let world = world().await;
    table(
        &world,
        &[
            (
                "alice",
                "GRANT USAGE ON EXTERNAL CONNECTION c TO public",
                "ok",
            ),
            ("nobody", "SHOW EXTERNAL CONNECTION c", "ok"),
            ("stranger", "SHOW EXTERNAL CONNECTION c", "ok"),
            (
                "alice",
                "REVOKE USAGE ON EXTERNAL CONNECTION c FROM public",
                "ok",
            ),
            (
                "nobody",
                "SHOW EXTERNAL CONNECTION c",
                "42501 must have USAGE privilege or be owner of the External Connection \"c\"",
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_keep_everything_and_may_give_ownership_to_their_roles() {
    let world = world().await;
    table(
        &world,
        &[
            (
                "root",
                "REVOKE ALL ON EXTERNAL CONNECTION c FROM alice",
                "ok; alice owns c and keeps every privilege on it",
            ),
            ("alice", "GRANT USAGE ON EXTERNAL CONNECTION c TO nobody", "ok"),
            ("root", "GRANT readers TO alice", "ok"),
            ("alice", "ALTER EXTERNAL CONNECTION c OWNER TO readers", "ok"),
            ("inheritor", "SHOW CREATE EXTERNAL CONNECTION c", "ok"),
            ("inheritor", "GRANT DROP ON EXTERNAL CONNECTION c TO usage", "ok"),
            (
                "root",
                "DROP ROLE readers",
                "2BP01 role or user readers cannot be dropped because it owns external connection c",
            ),
            ("root", "ALTER EXTERNAL CONNECTION c OWNER TO root", "ok"),
            ("root", "DROP ROLE readers", "ok"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_the_embedding_program_vouches_for_count_in_their_session_only() {
    let world = world().await;
    let vouched = world
        .host
        .session(Principal::new("guest@example.com").role("readers"));
    run(&vouched, "SHOW EXTERNAL CONNECTION c").await;
    table(
        &world,
        &[(
            "guest@example.com",
            "SHOW EXTERNAL CONNECTION c",
            "42501 must have USAGE privilege or be owner of the External Connection \"c\"",
        )],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_shown_to_whoever_may_do_anything_with_the_connection() {
    let world = world().await;
    let show = "SHOW GRANTS ON EXTERNAL CONNECTION c";
    let refusal = "42501 must have USAGE privilege or be owner of the External Connection \"c\"";
    table(
        &world,
        &[
            ("nobody", show, refusal),
            ("viewer", show, refusal),
            ("dropper", show, "ok"),
            ("inheritor", show, "ok"),
            (
                "nobody",
                "SHOW GRANTS ON EXTERNAL CONNECTION missing",
                "42501 must have USAGE privilege or be owner of the External Connection \"missing\"",
            ),
            (
                "root",
                "SHOW GRANTS ON EXTERNAL CONNECTION missing",
                "42704 external connection with name missing does not exist",
            ),
        ],
    )
    .await;
    assert_eq!(
        rows(&world.session("alice"), show).await,
        [
            ["c", "alice", "ALL", "true"],
            ["c", "dropper", "DROP", "false"],
            ["c", "everything", "ALL", "false"],
            ["c", "granter", "USAGE", "true"],
            ["c", "readers", "USAGE", "false"],
            ["c", "updater", "UPDATE", "false"],
            ["c", "usage", "USAGE", "false"],
        ]
    );
    assert_eq!(
        rows(
            &world.root(),
            "SHOW GRANTS ON EXTERNAL CONNECTION c, c FOR usage, granter"
        )
        .await,
        [
            ["c", "granter", "USAGE", "true"],
            ["c", "usage", "USAGE", "false"]
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn system_grants_are_shown_whole_to_who_manages_and_their_own_to_others() {
    let world = world().await;
    let show = "SHOW SYSTEM GRANTS";
    let all = [
        ["alice", "EXTERNALCONNECTION", "false"],
        ["alice", "EXTERNALIOIMPLICITACCESS", "false"],
        ["creator", "EXTERNALCONNECTION", "false"],
        ["creator", "EXTERNALIOIMPLICITACCESS", "false"],
        ["explicit", "EXTERNALCONNECTION", "false"],
        ["manager", "CREATEROLE", "false"],
        ["viewer", "VIEWCLUSTERMETADATA", "false"],
    ];
    for who in ["root", "viewer", "manager"] {
        assert_eq!(rows(&world.session(who), show).await, all, "{who}");
    }
    assert_eq!(rows(&world.session("explicit"), show).await, all[4..5]);
    assert!(rows(&world.session("nobody"), show).await.is_empty());
    assert_eq!(
        rows(&world.root(), "SHOW SYSTEM GRANTS FOR manager, viewer").await,
        all[5..]
    );
}
