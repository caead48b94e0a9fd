//! Names, and lists of them.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan_contract::FailureClass;
use portolan_data::failure_of;

use super::{names, raw, store};

#[tokio::test]
async fn names_with_odd_characters_are_names() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(directory.path());
    let mut odd = vec![
        "%2e%2e",
        "a b",
        "a%2Fb",
        "a'b",
        "a\"b",
        "a*?[b]",
        "a+b&c=d",
        "ÿ",
        "日本",
        "🐙",
        "~",
        "_%",
        "a",
        "a/b",
        "a/b/c",
        "a!b",
        "...",
        "-rf",
        "$(x)",
        "a;DROP TABLE files",
    ];
    for name in &odd {
        let path = Path::parse(name).expect(name);
        store.put(&path, name.to_string().into()).await.expect(name);
    }
    odd.sort_unstable();
    assert_eq!(names(&store).await, odd);
    for name in &odd {
        let path = Path::parse(name).expect(name);
        let read = store.get(&path).await.expect(name).bytes().await;
        assert_eq!(read.expect(name), name.as_bytes());
        let shifted: Vec<_> = store
            .list_with_offset(None, &path)
            .map_ok(|meta| meta.location.to_string())
            .try_collect()
            .await
            .expect("list");
        let after: Vec<_> = odd.iter().filter(|other| *other > name).collect();
        assert!(shifted.iter().eq(after), "after {name}");
    }
    let result = store.list_with_delimiter(None).await.expect("list");
    assert_eq!(result.common_prefixes, [Path::from("a")]);
    assert_eq!(result.objects.len(), odd.len() - 2);
    let too_long = Path::parse("x".repeat(1025)).expect("a path");
    let error = store.put(&too_long, "".into()).await.expect_err("too long");
    assert_eq!(failure_of(&error).class, FailureClass::InvalidUri);
}

#[tokio::test]
async fn ten_thousand_files_are_listed_over_ten_pages_whole_and_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(directory.path());
    store
        .put(&Path::from("x"), "content".into())
        .await
        .expect("put");
    // Many rows at once, each a file with the content of the first: to put them one by one would have
    // the disk write 10,000 times.
    raw(directory.path())
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
             INSERT INTO files
             SELECT set_name, printf('d%02d/f%04d', i % 50, i), content, size, modified, i + 10, NULL
             FROM n, (SELECT * FROM files WHERE path = 'x');
             UPDATE contents SET files = 10001",
        )
        .expect("fills");
    let all = names(&store).await;
    assert_eq!(all.len(), 10_001);
    assert!(all.is_sorted());
    let mut once = all.clone();
    once.dedup();
    assert_eq!(once.len(), all.len());
    assert_eq!(
        (&*all[0], &*all[9_999], &*all[10_000]),
        ("d00/f0000", "d49/f9999", "x")
    );
    let result = store.list_with_delimiter(None).await.expect("list");
    assert_eq!(result.common_prefixes.len(), 50);
    assert_eq!(result.objects.len(), 1);
    let listed = store.list(Some(&Path::from("d07")));
    let below: Vec<_> = listed.try_collect().await.expect("list");
    assert_eq!(below.len(), 200);
    assert!(below.iter().all(|meta| meta.size == 7));
    let listed = store.list_with_offset(None, &Path::from(&*all[8_999]));
    let rest: Vec<_> = listed.try_collect().await.expect("list");
    let rest: Vec<_> = rest.iter().map(|meta| meta.location.as_ref()).collect();
    assert_eq!(rest, all[9_000..]);
    let last = store.get(&Path::from(&*all[9_999])).await.expect("get");
    assert_eq!(last.bytes().await.expect("bytes"), "content");
}
