//! An alias of AWS that is moved to another key, over a stand-in.

use portolan::SqlState;
use portolan_servers::{Authority, AwsStandIn};

use super::setting::{key, name, open, plaintext, there_and_back, told, world};
use super::told::{escaped, ways};

const KMS: &str = "kms.eu-central-1.amazonaws.com";
const USER: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn uri(key: &str) -> String {
    let secret = escaped(SECRET);
    format!(
        "aws-kms:///{key}?REGION=eu-central-1&AWS_ACCESS_KEY_ID={USER}&\
         AWS_SECRET_ACCESS_KEY={secret}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_encrypted_through_an_alias_is_decrypted_after_it_was_moved() {
    let authority = Authority::new("of the servers");
    let aws = AwsStandIn::start(&authority, &["eu-central-1"]);
    aws.add_key(USER, SECRET, None);
    aws.allow(USER, &["Encrypt", "Decrypt"]);
    let options = ways(&authority, &[(&format!("{KMS}:443"), aws.address())]);
    let world = world(options, &uri(AwsStandIn::ALIAS)).await;
    name(&world, "by_arn", &uri(AwsStandIn::ARN)).await;
    let by_alias = key(&world).await;
    let before = there_and_back(&by_alias, &[32]).await;
    assert_eq!(before.key, AwsStandIn::ARN);

    aws.move_alias();
    let decrypted = by_alias.decrypt(&before).await.expect("the key that was");
    assert_eq!(decrypted, plaintext(32));
    let after = there_and_back(&by_alias, &[32]).await;
    assert_eq!(after.key, AwsStandIn::ARN_OF_ANOTHER);

    // A connection to the key itself takes nothing of another.
    let by_arn = open(&world.root(), "by_arn").await.expect("opened");
    let decrypted = by_arn.decrypt(&before).await.expect("the same key");
    assert_eq!(decrypted, plaintext(32));
    told(
        by_arn.decrypt(&after).await,
        SqlState::InvalidParameterValue,
        AwsStandIn::ARN_OF_ANOTHER,
        "the key that encrypted",
    );
}
