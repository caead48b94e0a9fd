//! Uploads in parts that come to no end, and what is left of them on the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};
use portolan_data::ConfinedUploads;
use portolan_servers::{Authority, Moto};

use super::cloud;
use super::server::*;

const MIB: usize = 1 << 20;

/// Moto, a store of its bucket, and what tells of the uploads there.
struct Setting {
    store: Arc<dyn ObjectStore>,
    uploads: ConfinedUploads,
    _moto: Moto,
}

impl Setting {
    fn start() -> Self {
        let authority = Authority::new("of the server");
        let moto = Moto::start(&authority, &[HOST]);
        let user = moto.user("ships");
        let plan = Planned::default()
            .set("access-key-id", user.id.leak())
            .secret("secret-access-key", &user.secret)
            .plan();
        let way = format!("{HOST}:443");
        let options = cloud::ways(&authority.pem(), &[(&way, moto.address())]);
        let backends = backends(options);
        let uploads = backends.unfinished_uploads(&plan, &Path::default());
        Self {
            store: backends.build(&plan).expect("built"),
            uploads: uploads.expect("built").expect("kept"),
            _moto: moto,
        }
    }

    /// An upload with one part, which the server has.
    async fn begun(&self) -> Box<dyn MultipartUpload> {
        let name = Path::from("large");
        let mut upload = self.store.put_multipart(&name).await.expect("begun");
        upload.put_part("12345".into()).await.expect("a part");
        assert_eq!(self.unfinished().await, ["large"]);
        upload
    }

    /// The uploads that the server lists.
    async fn unfinished(&self) -> Vec<String> {
        let told = self.uploads.list().await.expect("told");
        told.uploads.into_iter().map(|upload| upload.path).collect()
    }

    async fn nothing_is_left(&self) {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.unfinished().await.is_empty() {
            assert!(Instant::now() < end, "{:?}", self.unfinished().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let missing = self.store.head(&Path::from("large")).await;
        assert!(matches!(missing, Err(object_store::Error::NotFound { .. })));
    }
}

#[tokio::test]
async fn no_upload_that_fails_or_is_dropped_is_in_the_list_of_moto_which_knows_no_failing_disk() {
    let setting = Setting::start();

    drop(setting.begun().await);
    setting.nothing_is_left().await;

    let mut upload = setting.begun().await;
    upload.abort().await.expect("given up");
    upload.complete().await.expect_err("it has ended");
    setting.nothing_is_left().await;

    // A part that is not the last has 5 MiB at least.
    let mut upload = setting.begun().await;
    upload.put_part("678".into()).await.expect("a part");
    upload.complete().await.expect_err("too small");
    drop(upload);
    setting.nothing_is_left().await;

    // A future that ends with its caller, as a request of a server does.
    let mut upload = setting.begun().await;
    let sending = async move {
        upload.put_part("678".into()).await.expect("a part");
        std::future::pending::<()>().await;
    };
    let ended = tokio::time::timeout(Duration::from_secs(1), sending).await;
    ended.expect_err("it is dropped half-way");
    setting.nothing_is_left().await;

    // Only where nobody can act any more does it stay: `doctor` names it then.
    std::mem::forget(setting.begun().await);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(setting.unfinished().await, ["large"]);
}

#[tokio::test]
async fn a_complete_upload_is_not_given_up_when_it_is_dropped() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    let name = Path::from("large");
    let mut upload = store.put_multipart(&name).await.expect("begun");
    upload.put_part("12345".into()).await.expect("a part");
    upload.complete().await.expect("completed");
    drop(upload);
    let got = store.get(&name).await.expect("get").bytes().await;
    assert_eq!(got.expect("bytes"), "12345");
    let seen = server.requests();
    assert!(seen.iter().all(|seen| seen.method != Method::DELETE));
}

#[tokio::test]
async fn a_part_that_the_server_refuses_takes_the_others_with_it() {
    let front = Front::answering(|_, request| {
        let query = request.uri.query().unwrap_or_default();
        query
            .contains("partNumber=2")
            .then(|| refusal(403, "AccessDenied", ""))
    });
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    let begun = store.put_multipart(&Path::from("large")).await;
    let mut upload = begun.expect("begun");
    let part = || vec![1; 5 * MIB].into();
    upload.put_part(part()).await.expect("a part");
    upload.put_part(part()).await.expect_err("denied");
    let left = || std::fs::read_dir(server.root.path()).expect("read").count();
    assert!(left() > 1, "a part beside the bucket");
    drop(upload);
    let end = Instant::now() + Duration::from_secs(20);
    while left() > 1 {
        assert!(Instant::now() < end, "a part is left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
