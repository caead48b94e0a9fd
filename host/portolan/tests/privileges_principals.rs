//! Users and roles: who makes them, drops them, and says who is in which.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use support::{World, rows, run, table};

async fn world() -> World {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER alice",
            "CREATE USER manager",
            "CREATE USER boss",
            "CREATE ROLE readers",
            "CREATE ROLE chiefs",
            "GRANT admin TO chiefs",
            "GRANT chiefs TO boss",
            "GRANT SYSTEM CREATEROLE TO manager",
        ])
        .await;
    world
}

const ONLY_ADMINS: &str = "42501 only users with the admin role are allowed to change root, admin \
                           and their members";

#[tokio::test(flavor = "multi_thread")]
async fn users_are_made_and_dropped_by_holders_of_createrole() {
    table(
        &world().await,
        &[
            (
                "alice",
                "CREATE USER bob",
                "42501 only users with the CREATEROLE system privilege are allowed to CREATE USER",
            ),
            (
                "alice",
                "DROP ROLE readers",
                "42501 only users with the CREATEROLE system privilege are allowed to DROP ROLE",
            ),
            ("manager", "CREATE USER bob", "ok"),
            (
                "manager",
                "CREATE ROLE bob",
                "42710 a role or user named bob already exists",
            ),
            (
                "manager",
                "CREATE USER IF NOT EXISTS bob",
                "ok; role or user bob already exists, skipping",
            ),
            ("root", "CREATE USER public", "42939 role or user public is built in and cannot be created, dropped or taken away"),
            ("root", "DROP USER root", "42939 role or user root is built in and cannot be created, dropped or taken away"),
            ("root", "DROP ROLE admin", "42939 role or user admin is built in and cannot be created, dropped or taken away"),
            ("manager", "DROP USER bob, missing", "42704 role or user missing does not exist"),
            ("manager", "CREATE USER IF NOT EXISTS bob", "ok; role or user bob already exists, skipping"),
            (
                "manager",
                "DROP USER IF EXISTS missing, bob",
                "ok; role or user missing does not exist, skipping",
            ),
            ("manager", "DROP USER bob", "42704 role or user bob does not exist"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn createrole_does_not_reach_root_admin_and_their_members() {
    table(
        &world().await,
        &[
            ("manager", "DROP USER root", ONLY_ADMINS),
            ("manager", "DROP USER boss", ONLY_ADMINS),
            ("manager", "DROP ROLE chiefs", ONLY_ADMINS),
            (
                "manager",
                "GRANT admin TO manager",
                "42501 must have admin option on role \"admin\"",
            ),
            (
                "manager",
                "GRANT chiefs TO manager",
                "42501 must have admin option on role \"chiefs\"",
            ),
            (
                "manager",
                "GRANT root TO manager",
                "42501 must have admin option on role \"root\"",
            ),
            ("manager", "GRANT readers TO boss", ONLY_ADMINS),
            ("manager", "GRANT readers TO alice", "ok"),
            ("manager", "REVOKE readers FROM alice", "ok"),
            ("boss", "GRANT admin TO alice", "ok"),
            ("manager", "DROP USER alice", ONLY_ADMINS),
            ("boss", "REVOKE admin FROM alice", "ok"),
            (
                "boss",
                "REVOKE admin FROM root",
                "42939 role or user admin is built in and cannot be created, dropped or taken away",
            ),
            ("manager", "DROP USER alice", "ok"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_given_by_who_has_the_admin_option() {
    let world = world().await;
    table(
        &world,
        &[
            (
                "alice",
                "GRANT readers TO alice",
                "42501 must have admin option on role \"readers\"",
            ),
            (
                "alice",
                "GRANT missing TO alice",
                "42501 must have admin option on role \"missing\"",
            ),
            (
                "root",
                "GRANT missing TO alice",
                "42704 role or user missing does not exist",
            ),
            ("root", "GRANT readers TO alice", "ok"),
            (
                "alice",
                "GRANT readers TO manager",
                "42501 must have admin option on role \"readers\"",
            ),
            ("root", "GRANT readers TO alice WITH ADMIN OPTION", "ok"),
            // An option that is there stays.
            ("root", "GRANT readers TO alice", "ok"),
            ("alice", "GRANT readers TO manager", "ok"),
            ("alice", "GRANT readers TO boss", "ok"),
            ("root", "REVOKE ADMIN OPTION FOR readers FROM alice", "ok"),
            (
                "alice",
                "REVOKE readers FROM manager",
                "42501 must have admin option on role \"readers\"",
            ),
            (
                "root",
                "REVOKE ADMIN OPTION FOR readers FROM alice",
                "ok; alice was not given the role readers with admin option",
            ),
            ("root", "REVOKE readers FROM alice", "ok"),
            (
                "root",
                "REVOKE readers FROM alice",
                "ok; alice was not given the role readers",
            ),
            (
                "root",
                "GRANT readers TO readers",
                "0LP01 making readers a member of readers would create a cycle",
            ),
            ("root", "GRANT readers TO chiefs", "ok"),
            (
                "root",
                "GRANT chiefs TO readers",
                "0LP01 making readers a member of chiefs would create a cycle",
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_is_nobodys_to_give_and_has_no_roles() {
    let world = world().await;
    for sql in [
        "GRANT public TO alice",
        "REVOKE public FROM alice",
        "GRANT readers TO public",
    ] {
        let error = support::refused(&world.root(), sql).await;
        assert_eq!(error.sqlstate().code(), "42939", "{sql}: {error:?}");
        assert_eq!(
            error.message(),
            "everybody is a member of public, and public is a member of no role"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_roles_are_shown_with_the_roles_that_they_were_given() {
    let world = world().await;
    world
        .run(&[
            "CREATE ROLE \"night, shift\"",
            "GRANT readers, \"night, shift\" TO alice",
            "GRANT readers TO stranger",
        ])
        .await;
    assert_eq!(
        rows(&world.session("alice"), "SHOW USERS").await,
        [
            ["alice", "{\"night, shift\",readers}"],
            ["boss", "{chiefs}"],
            ["manager", "{}"],
            ["root", "{admin}"],
        ]
    );
    assert_eq!(
        rows(&world.root(), "SHOW ROLES").await,
        [
            ["admin", "{}"],
            ["chiefs", "{admin}"],
            ["night, shift", "{}"],
            ["readers", "{}"],
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_dropped_takes_its_memberships_and_grants_along() {
    let world = world().await;
    world
        .run(&[
            "CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/c' WITH VALIDATE = 'none'",
            "GRANT USAGE ON EXTERNAL CONNECTION c TO readers",
            "GRANT SYSTEM EXTERNALCONNECTION TO readers",
            "GRANT readers TO alice",
        ])
        .await;
    run(&world.session("alice"), "SHOW EXTERNAL CONNECTION c").await;
    world
        .run(&["DROP ROLE readers", "CREATE ROLE readers"])
        .await;
    table(
        &world,
        &[(
            "alice",
            "SHOW EXTERNAL CONNECTION c",
            "42501 must have USAGE privilege or be owner of the External Connection \"c\"",
        )],
    )
    .await;
    let show = "SHOW GRANTS ON EXTERNAL CONNECTION c FOR readers";
    assert!(rows(&world.root(), show).await.is_empty());
    let show = "SHOW SYSTEM GRANTS FOR readers";
    assert!(rows(&world.root(), show).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_not_dropped() {
    let world = world().await;
    world
        .run(&[
            "CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/c' WITH VALIDATE = 'none'",
            "ALTER EXTERNAL CONNECTION c OWNER TO alice",
        ])
        .await;
    table(
        &world,
        &[
            (
                "root",
                "DROP USER manager, alice",
                "2BP01 role or user alice cannot be dropped because it owns external connection c",
            ),
            ("manager", "CREATE USER still_here", "ok"),
            ("root", "DROP EXTERNAL CONNECTION c", "ok"),
            ("root", "DROP USER alice", "ok"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grantees_that_the_catalog_does_not_know_are_told_about() {
    let told = |name: &str| {
        format!(
            "ok; there is no user or role named {name} in the catalog; the grant counts for \
             whoever acts under that name"
        )
    };
    let world = world().await;
    world
        .run(&["CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/c' WITH VALIDATE = 'none'"])
        .await;
    let long = "n".repeat(128);
    let too_long = "n".repeat(129);
    table(
        &world,
        &[
            (
                "root",
                "GRANT USAGE ON EXTERNAL CONNECTION c TO alcie",
                &told("alcie"),
            ),
            ("alcie", "SHOW EXTERNAL CONNECTION c", "ok"),
            (
                "root",
                "GRANT USAGE ON EXTERNAL CONNECTION c TO \"Grüße@例\"",
                &told("Grüße@例"),
            ),
            ("Grüße@例", "SHOW EXTERNAL CONNECTION c", "ok"),
            ("root", "GRANT readers TO alcie", &told("alcie")),
            ("root", "GRANT SYSTEM CREATEROLE TO alcie", &told("alcie")),
            (
                "root",
                &format!("GRANT USAGE ON EXTERNAL CONNECTION c TO {long}"),
                &told(&long),
            ),
            (
                "root",
                &format!("GRANT USAGE ON EXTERNAL CONNECTION c TO {too_long}"),
                "42602 the name of a user or role has 129 bytes; the most is 128",
            ),
            (
                "root",
                &format!("CREATE USER {too_long}"),
                "42602 the name of a user or role has 129 bytes; the most is 128",
            ),
            (
                "root",
                "CREATE USER \"a\nb\"",
                "42602 the name of a user or role holds '\\n'",
            ),
            (
                "root",
                "REVOKE DROP ON EXTERNAL CONNECTION c FROM alcie",
                "ok; alcie was granted none of these privileges on c",
            ),
            (
                "root",
                "REVOKE GRANT OPTION FOR USAGE ON EXTERNAL CONNECTION c FROM alcie",
                "ok; alcie was granted none of these privileges on c with grant option",
            ),
            (
                "root",
                "REVOKE SYSTEM EXTERNALCONNECTION FROM alcie",
                "ok; alcie was granted none of these privileges on the system",
            ),
            (
                "root",
                "REVOKE USAGE ON EXTERNAL CONNECTION c FROM alcie",
                "ok",
            ),
            (
                "alcie",
                "SHOW EXTERNAL CONNECTION c",
                "42501 must have USAGE privilege or be owner of the External Connection \"c\"",
            ),
        ],
    )
    .await;
}
