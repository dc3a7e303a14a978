//! What is known, for how long.

use hinny_core::names::IF_NONE_MATCH;

use super::*;

/// Replaces a file as an editor or a deployment does.
fn replace(site: &Site, path: &str, content: &str) {
    site.write("new", content);
    let root = site.directory.0.join("root");
    fs::rename(root.join("new"), root.join(path)).unwrap();
}

#[test]
fn a_small_file_is_looked_at_once_in_a_while() {
    let mut site = Site::new(|settings| settings.cache_ms = 1000);
    site.write("a.txt", "old");
    assert_eq!((site.get("a.txt").content, site.looks), (b"old".to_vec(), 1));
    replace(&site, "a.txt", "new!");
    site.now_ms += 999;
    assert_eq!((site.get("a.txt").content, site.looks), (b"old".to_vec(), 1));
    site.now_ms += 1;
    assert_eq!((site.get("a.txt").content, site.looks), (b"new!".to_vec(), 2));
    fs::remove_file(site.directory.0.join("root/a.txt")).unwrap();
    assert_eq!(site.status("a.txt"), 200);
    site.now_ms += 1000;
    assert_eq!((site.status("a.txt"), site.looks), (404, 3));
}

#[test]
fn an_unchanged_file_is_not_read_again() {
    let mut site = Site::new(|_| {});
    site.write("a.txt", "same");
    let address = |site: &mut Site| match site.cache.answer(&request("a.txt", &[]), site.now_ms) {
        Lookup::Known(Ok(answer)) => match answer.into_content() {
            FileContent::Whole(bytes) => bytes.as_ptr() as usize,
            content => unreachable!("{content:?}"),
        },
        lookup => unreachable!("{lookup:?}"),
    };
    site.get("a.txt");
    let before = address(&mut site);
    site.now_ms += 1000;
    site.get("a.txt");
    assert_eq!((site.looks, address(&mut site)), (2, before));
    // The same length and time, but another file.
    replace(&site, "a.txt", "Same");
    site.now_ms += 1000;
    assert_eq!(site.get("a.txt").content, b"Same");
}

#[test]
fn while_one_looks_again_others_are_answered_as_before() {
    let mut site = Site::new(|_| {});
    site.write("a.txt", "old");
    site.get("a.txt");
    replace(&site, "a.txt", "new");
    site.now_ms += 1000;
    let Lookup::Unknown(first) = site.cache.answer(&request("a.txt", &[]), site.now_ms) else {
        unreachable!("it is time to look");
    };
    site.now_ms += 99;
    assert_eq!((site.get("a.txt").content, site.looks), (b"old".to_vec(), 1));
    site.now_ms += 1;
    // The first takes too long.
    assert_eq!((site.get("a.txt").content, site.looks), (b"new".to_vec(), 2));
    assert!(site.cache.learn(first.run()).is_ok());
    assert_eq!((site.get("a.txt").content, site.looks), (b"new".to_vec(), 2));
}

#[test]
fn without_a_time_every_request_looks() {
    let mut site = Site::new(|settings| settings.cache_ms = 0);
    site.write("a.txt", "old");
    site.get("a.txt");
    replace(&site, "a.txt", "new");
    assert_eq!((site.get("a.txt").content, site.looks), (b"new".to_vec(), 2));
    assert_eq!((site.status("b"), site.status("b"), site.looks), (404, 404, 4));
}

#[test]
fn what_is_not_there_is_not_looked_for_again() {
    let mut site = Site::new(|_| {});
    site.write("d/index.html", "");
    for _ in 0..10 {
        assert_eq!(site.status("a.txt"), 404);
        assert_eq!(site.status("d"), 301);
    }
    assert_eq!(site.looks, 2);
    site.write("a.txt", "a");
    site.now_ms += 1000;
    assert_eq!(site.status("a.txt"), 200);
    // However much is asked for that is not there, files stay known.
    let looks = site.looks;
    for n in 0..5000 {
        site.status(&format!("no-such-file-{n}"));
    }
    assert_eq!(site.looks, looks + 5000);
    assert_eq!(
        (site.status("a.txt"), site.status("no-such-file-4999"), site.looks),
        (200, 404, looks + 5000)
    );
    site.status("no-such-file-0");
    assert_eq!(site.looks, looks + 5001);
}

#[test]
fn of_a_large_file_only_the_content_is_looked_for() {
    let mut site = Site::new(|_| {});
    site.write("a", noise(70_000));
    let tag = format!("\"{:x}-{LONG_AGO_HEX}\"", 70_000);
    assert_eq!((site.status("a"), site.status("a"), site.looks), (200, 200, 2));
    let mut head = request("a", &[]);
    head.head = true;
    assert_eq!(site.ask(head).status, 200);
    assert_eq!(site.ask(request("a", &[(IF_NONE_MATCH, &tag)])).status, 304);
    assert_eq!(site.looks, 2);
}

#[test]
fn memory_is_limited() {
    let mut site = Site::new(|settings| settings.cache_bytes = 300_000);
    for n in 0..10 {
        site.write(&format!("{n}"), noise(60_000 + n));
    }
    for n in 0..10 {
        assert_eq!(site.get(&format!("{n}")).content.len(), 60_000 + n);
    }
    assert_eq!(site.looks, 10);
    site.get("9");
    assert_eq!(site.looks, 10);
    site.get("0");
    assert_eq!(site.looks, 11);
    let mut site = Site::new(|settings| settings.cache_bytes = 0);
    site.write("a", "a");
    assert_eq!((site.status("a"), site.status("a"), site.looks), (200, 200, 2));
}
