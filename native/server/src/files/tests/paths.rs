//! Which paths are files.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use hinny_core::files::{Coding, Symlinks};
use hinny_core::names;
use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

#[test]
fn no_path_leaves_the_root() {
    let mut site = Site::new(|_| {});
    site.write("a.txt", "a");
    site.write("d/b.txt", "b");
    site.write(".env", "hidden");
    site.write(".well-known/x", "shown");
    site.directory.write("secret.txt", "secret");
    site.directory.write("root2/secret.txt", "secret");
    for (rest, expected) in [
        ("a.txt", "a"),
        ("%61.txt", "a"),
        ("d/b.txt", "b"),
        (".well-known/x", "shown"),
    ] {
        let seen = site.get(rest);
        assert_eq!(
            (seen.status, seen.content.as_slice()),
            (200, expected.as_bytes()),
            "{rest}"
        );
    }
    let secret = site.directory.0.join("secret.txt");
    let looks = site.looks;
    for rest in [
        "../secret.txt",
        "../root2/secret.txt",
        "d/../a.txt",
        "d/../../secret.txt",
        "./a.txt",
        "%2e%2e/secret.txt",
        "%2E%2E/secret.txt",
        ".%2e/secret.txt",
        "..%2fsecret.txt",
        "..%5csecret.txt",
        "..\\secret.txt",
        "%2e%2e%2fsecret.txt",
        "d%2fb.txt",
        "a.txt%00.html",
        "/a.txt",
        "//a.txt",
        "d//b.txt",
        "%",
        ".env",
        "%2eenv",
        secret.to_str().unwrap(),
        secret
            .to_str()
            .unwrap()
            .strip_prefix('/')
            .map(|path| format!("%2f{path}"))
            .unwrap()
            .as_str(),
    ] {
        assert_eq!(site.status(rest), 404, "{rest}");
    }
    // None of them was looked for.
    assert_eq!(site.looks, looks);
    for rest in [
        "%252e%252e/secret.txt",
        "..;/secret.txt",
        "a.txt/",
        "a.txt/b",
        "x",
        "\u{ff0e}\u{ff0e}/secret.txt",
    ] {
        assert_eq!(site.status(rest), 404, "{rest}");
    }
    let long = "x".repeat(300);
    assert_eq!(site.status(&long), 404);
    assert_eq!(site.status(&"y/".repeat(3000)), 404);
    assert_eq!(site.status(&"z".repeat(100_000)), 404);
}

#[test]
fn links_are_followed_as_far_as_the_policy_says() {
    for (policy, inside, outside) in [
        (Symlinks::Inside, 200, 404),
        (Symlinks::Follow, 200, 200),
        (Symlinks::Refuse, 404, 404),
    ] {
        let mut site = Site::new(|settings| settings.symlinks = policy);
        site.write("a.txt", "a");
        site.write("d/b.txt", "b");
        site.directory.write("secret.txt", "secret");
        let root = site.directory.0.join("root");
        for (target, path) in [
            ("a.txt", "root/to-file"),
            ("d", "root/to-directory"),
            ("../a.txt", "root/d/up"),
            ("../secret.txt", "root/out"),
            ("..", "root/above"),
            ("loop", "root/loop"),
            ("loop-b", "root/loop-a"),
            ("loop-a", "root/loop-b"),
            ("nothing", "root/dangling"),
            ("/proc/self/root", "root/magic"),
        ] {
            site.directory.link(target, path);
        }
        site.directory
            .link(site.directory.0.join("secret.txt"), "root/absolute-out");
        site.directory.link(root.join("a.txt"), "root/absolute-in");
        for (rest, expected) in [
            ("to-file", inside),
            ("to-directory/b.txt", inside),
            ("d/up", inside),
            ("to-directory/up", inside),
            ("out", outside),
            ("above/secret.txt", outside),
            ("above/root/a.txt", outside),
            ("absolute-out", outside),
            // It leaves the root on its way.
            ("absolute-in", outside),
            ("loop", 404),
            ("loop-a", 404),
            ("loop/x", 404),
            ("dangling", 404),
            ("magic/etc/no-such-file", 404),
            ("d/b.txt", 200),
        ] {
            assert_eq!(site.status(rest), expected, "{policy:?} {rest}");
        }
    }
}

#[test]
fn what_is_no_regular_file_is_not_there_and_nobody_waits_for_it() {
    let mut site = Site::new(|_| {});
    let root = site.directory.0.join("root");
    mknodat(CWD, root.join("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _listener = UnixListener::bind(root.join("socket")).unwrap();
    site.directory.link("fifo", "root/to-fifo");
    for rest in ["fifo", "socket", "to-fifo", "fifo/"] {
        assert_eq!(site.status(rest), 404, "{rest}");
    }
    let mut site = Site::new(|settings| settings.symlinks = Symlinks::Follow);
    site.directory.link("/dev/zero", "root/device");
    assert_eq!(site.status("device"), 404);
}

#[test]
fn what_may_not_be_read_is_not_there() {
    let mut site = Site::new(|_| {});
    site.write("a.txt", "a");
    site.write("d/b.txt", "b");
    let root = site.directory.0.join("root");
    for path in ["a.txt", "d"] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o000)).unwrap();
    }
    // The superuser may read everything.
    let is_root = fs::File::open(root.join("a.txt")).is_ok();
    let expected = if is_root { 200 } else { 404 };
    assert_eq!((site.status("a.txt"), site.status("d/b.txt")), (expected, expected));
    fs::set_permissions(root.join("d"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_directory_is_answered_with_its_index() {
    let mut site = Site::new(|settings| settings.index = vec![b"a.html".to_vec(), b"b.html".to_vec()]);
    site.write("a.html", "top");
    site.write("d/b.html", "second");
    site.write("d/c/x", "");
    fs::create_dir_all(site.directory.0.join("root/e/a.html")).unwrap();
    site.write("e/b.html", "not the directory");
    assert_eq!(site.get("").content, b"top");
    assert_eq!(site.get("d/").content, b"second");
    assert_eq!(site.get("e/").content, b"not the directory");
    assert_eq!(site.status("d/c/"), 404);
    assert_eq!(site.status("a.html/"), 404);
    let moved = site.get("d");
    assert_eq!((moved.status, moved.fields.as_str()), (301, "location: /files/d/\n"));
    let mut with_query = request("d", &[]);
    with_query.query = Some(b"q=1".into());
    assert_eq!(site.ask(with_query).fields, "location: /files/d/?q=1\n");
    // A client would take the target for another host's.
    for path in ["//example.com", "/\\example.com", "example.com"] {
        let mut elsewhere = request("d", &[]);
        elsewhere.path = path.as_bytes().into();
        assert_eq!(site.ask(elsewhere).status, 404, "{path}");
    }
    let mut site = Site::new(|settings| settings.index.clear());
    site.write("d/index.html", "");
    assert_eq!((site.status("d"), site.status("d/"), site.status("")), (404, 404, 404));
}

#[test]
fn one_file_can_be_all_there_is() {
    let directory = Directory::new();
    directory.write("a.txt", "a");
    directory.write("a.txt.gz", "A");
    let settings = |path: &str| {
        let mut settings = FilesSettings::new(directory.0.join(path));
        settings.single = true;
        settings.precompressed = vec![Coding::Gzip];
        settings
    };
    let mut cache = FileCache::new(Arc::new(Files::new(settings("a.txt")).unwrap()));
    let mut ask = |request: FileRequest<'_>| match cache.answer(&request, 0) {
        Lookup::Known(outcome) => seen(outcome),
        Lookup::Unknown(look) => seen(cache.learn(look.run())),
    };
    assert_eq!(ask(request("", &[])).content, b"a");
    assert_eq!(ask(request("", &[(names::ACCEPT_ENCODING, "gzip")])).content, b"A");
    assert_eq!(ask(request("a.txt", &[])).status, 404);
    let error = |settings| Files::new(settings).err().map(|error| error.0);
    let name = directory.0.display();
    assert_eq!(
        error(settings("")),
        Some(format!(":file {name}/ is not a regular file"))
    );
    assert_eq!(
        error(settings("x")),
        Some(format!(":files :root {name}/x does not exist"))
    );
    let settings = FilesSettings::new(directory.0.join("a.txt"));
    assert_eq!(
        error(settings),
        Some(format!(":files :root {name}/a.txt is not a directory"))
    );
}

#[test]
fn a_root_may_be_a_link_that_is_replaced() {
    let directory = Directory::new();
    directory.write("1/a.txt", "one");
    directory.write("2/a.txt", "two");
    directory.link("1", "current");
    let mut settings = FilesSettings::new(directory.0.join("current"));
    settings.cache_ms = 0;
    let mut cache = FileCache::new(Arc::new(Files::new(settings).unwrap()));
    let mut content = || match cache.answer(&request("a.txt", &[]), 0) {
        Lookup::Known(outcome) => seen(outcome),
        Lookup::Unknown(look) => seen(cache.learn(look.run())),
    };
    assert_eq!(content().content, b"one");
    directory.link("2", "next");
    fs::rename(directory.0.join("next"), directory.0.join("current")).unwrap();
    assert_eq!(content().content, b"two");
    fs::remove_file(directory.0.join("current")).unwrap();
    assert_eq!(content().status, 404);
}

proptest! {
    #[test]
    fn any_path_is_a_file_below_the_root_or_none(
        segments in prop::collection::vec(
            prop::sample::select(vec![
                "..", "%2e%2e", ".", "", "a", "d", "in", "out", "up", "secret", "root", "%2f", "..%2f", "%5c", "a%00",
                "%2E.", "d%2fa", "~", "etc", "proc", "self",
            ]),
            0..7,
        ),
        policy in prop::sample::select(vec![Symlinks::Inside, Symlinks::Refuse]),
    ) {
        thread_local! {
            static DIRECTORY: Directory = {
                let directory = Directory::new();
                for path in ["root/a", "root/d/a", "root/d/d/a"] {
                    directory.write(path, "below");
                }
                directory.write("secret", "secret");
                directory.write("root2/a", "secret");
                directory.link("d", "root/in");
                directory.link("../secret", "root/out");
                directory.link("..", "root/up");
                directory.link("../../..", "root/d/up");
                directory.link("..", "root/d/d/up");
                directory
            };
        }
        let root = DIRECTORY.with(|directory| directory.0.join("root"));
        let mut settings = FilesSettings::new(root);
        settings.symlinks = policy;
        let mut cache = FileCache::new(Arc::new(Files::new(settings).unwrap()));
        let rest = segments.join("/");
        let seen = match cache.answer(&request(&rest, &[]), 0) {
            Lookup::Known(outcome) => seen(outcome),
            Lookup::Unknown(look) => seen(cache.learn(look.run())),
        };
        match seen.status {
            200 => prop_assert_eq!(seen.content, b"below"),
            // A request that has no path of its own is not redirected.
            status => prop_assert_eq!(status, 404),
        }
    }
}
