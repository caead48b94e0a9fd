//! Objects, there and back.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Attribute, Attributes, ObjectStoreExt, PutOptions};

use crate::server::*;

const MIB: usize = 1 << 20;

async fn names(store: &Store, prefix: Option<&Path>) -> Vec<String> {
    let listed: Vec<_> = store.list(prefix).try_collect().await.expect("listed");
    let names = listed.iter().map(|meta| meta.location.to_string());
    names.collect()
}

#[tokio::test]
async fn what_is_written_is_read_listed_and_deleted_in_an_emulator() {
    let setting = Setting::emulated();
    let store = setting.store(&setting.planned());
    let (one, odd) = (
        Path::from("objects/one"),
        Path::parse("two & 100%+/ü").expect("a path"),
    );
    store.put(&one, "content".into()).await.expect("put");
    store.put(&odd, "other".into()).await.expect("put");
    let got = store.get(&one).await.expect("get");
    assert_eq!(got.meta.size, 7);
    assert_eq!(got.bytes().await.expect("bytes"), "content");
    let range = store.get_range(&one, 3..5).await.expect("a range");
    assert_eq!(range, "te");
    assert_eq!(store.head(&odd).await.expect("head").size, 5);
    assert_eq!(names(&store, None).await, ["objects/one", "two & 100%+/ü"]);
    let level = store.list_with_delimiter(None).await.expect("listed");
    assert!(level.objects.is_empty());
    assert_eq!(
        level.common_prefixes,
        [
            Path::from("objects"),
            Path::parse("two & 100%+").expect("a path")
        ]
    );
    for name in [&one, &odd] {
        store.delete(name).await.expect("deleted");
    }
    assert!(names(&store, None).await.is_empty());
    let requests = setting.google.storage_requests();
    let below = |line: &String| {
        line.contains(" /harbour/in%2Fthe%20harbour%2F")
            || line.contains("prefix=in%2Fthe+harbour%2F")
    };
    assert!(requests.iter().all(below), "{requests:?}");
}

#[tokio::test]
async fn attributes_come_back_as_they_were_given_in_an_emulator() {
    let setting = Setting::emulated();
    let store = setting.store(&setting.planned());
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, "text/plain".into());
    attributes.insert(Attribute::Metadata("origin".into()), "harbour".into());
    let name = Path::from("one");
    let options = PutOptions {
        attributes: attributes.clone(),
        ..PutOptions::default()
    };
    store
        .put_opts(&name, "content".into(), options)
        .await
        .expect("put");
    let got = store.get(&name).await.expect("get");
    assert_eq!(got.attributes, attributes);
}

#[tokio::test]
async fn an_upload_in_parts_becomes_one_object_in_a_stand_in() {
    let setting = Setting::new();
    let store = setting.store(&setting.planned());
    let name = Path::from("large");
    let mut upload = store.put_multipart(&name).await.expect("started");
    let parts = (0..3_u8).map(|number| upload.put_part(vec![number; 5 * MIB].into()));
    let parts: Vec<_> = parts.collect();
    futures::future::try_join_all(parts).await.expect("parts");
    upload.complete().await.expect("completed");
    let got = store.get(&name).await.expect("get").bytes().await;
    let got = got.expect("bytes");
    assert_eq!(got.len(), 15 * MIB);
    for number in 0..3_u8 {
        let at = usize::from(number) * 5 * MIB;
        assert!(got[at..at + 5 * MIB].iter().all(|byte| *byte == number));
    }
    assert_eq!(setting.google.uploads(), 0);
    assert_eq!(
        setting.methods(),
        ["POST", "PUT", "PUT", "PUT", "POST", "GET"]
    );
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_in_a_stand_in() {
    let setting = Setting::new();
    let store = setting.store(&setting.planned());
    let name = Path::from("large");
    let mut upload = store.put_multipart(&name).await.expect("started");
    upload
        .put_part(vec![1; 5 * MIB].into())
        .await
        .expect("a part");
    assert_eq!(setting.google.uploads(), 1);
    upload.abort().await.expect("given up");
    assert_eq!(setting.google.uploads(), 0);
    assert!(names(&store, None).await.is_empty());
}

#[tokio::test]
async fn ten_thousand_objects_are_listed_over_the_pages_of_a_stand_in() {
    let setting = Setting::new();
    let store = setting.store(&setting.planned());
    setting.google.fill("in/the harbour/many", 10_000);
    setting.google.set_page(999);
    let before = setting.methods().len();
    let listed = names(&store, Some(&Path::from("many"))).await;
    assert_eq!(listed.len(), 10_000);
    assert_eq!((&*listed[0], &*listed[9_999]), ("many/00000", "many/09999"));
    assert!(listed.is_sorted());
    assert_eq!(setting.methods().len() - before, 11);
    let level = store.list_with_delimiter(None).await.expect("listed");
    assert_eq!(level.common_prefixes, [Path::from("many")]);
    let offset = Path::from("many/09989");
    let rest: Vec<_> = store
        .list_with_offset(None, &offset)
        .try_collect()
        .await
        .expect("listed");
    assert_eq!(rest.len(), 10);
}

#[tokio::test]
async fn the_project_to_bill_is_named_in_every_request_to_a_stand_in() {
    let setting = Setting::new();
    let name = Path::from("one");
    for (planned, billed) in [
        (setting.planned(), None),
        (
            setting.planned().set("billing-project", "payer-7"),
            Some("payer-7"),
        ),
    ] {
        let store = setting.store(&planned);
        let same = || assert_eq!(setting.google.billed().as_deref(), billed);
        store.put(&name, "content".into()).await.expect("put");
        same();
        store.get(&name).await.expect("get");
        same();
        store.copy(&name, &"two".into()).await.expect("copied");
        same();
        names(&store, None).await;
        same();
        let mut upload = store.put_multipart(&name).await.expect("started");
        same();
        upload.put_part("content".into()).await.expect("a part");
        same();
        upload.complete().await.expect("completed");
        same();
        store.delete(&name).await.expect("deleted");
        same();
    }
}

#[tokio::test]
async fn a_store_shows_no_secret_of_its_plan() {
    let setting = Setting::new();
    let user = setting.google.user();
    for planned in [
        setting.planned(),
        Planned::given(),
        Planned::with(("credentials", &user)),
    ] {
        let store = setting.store(&planned);
        let shown = format!("{store:?} {store}");
        for secret in ["PRIVATE", "ya29", "s3cr3t", "r3fr3sh"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
