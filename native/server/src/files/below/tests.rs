//! The kernel's way and the one step by step: they open the same.

use std::fs;
use std::io::Read;

use super::*;
use crate::files::tests::Directory;

/// The content of a file that was opened, or that it is missing.
fn content(opened: Result<File>) -> Option<String> {
    match opened {
        Ok(mut file) if file.metadata().unwrap().is_dir() => {
            assert!(file.read(&mut [0]).is_err());
            Some("directory".into())
        }
        Ok(mut file) => {
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap();
            Some(content)
        }
        Err(error) if is_missing(error) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn both_ways_open_the_same() {
    let directory = Directory::new();
    directory.write("root/a", "a");
    directory.write("root/d/b", "b");
    directory.write("root/d/e/c", "c");
    directory.write("secret", "secret");
    let chain = |n: usize| format!("root/chain{n}");
    directory.link("a", &chain(0));
    for n in 1..=LINKS_MAX {
        directory.link(format!("chain{}", n - 1), &chain(n));
    }
    for (target, path) in [
        ("d", "root/to-d"),
        ("d/", "root/to-d-slash"),
        ("./d/./e/../b", "root/winding"),
        ("d/e/../../a", "root/back"),
        ("../../a", "root/d/e/up"),
        ("../../../secret", "root/d/e/out"),
        ("../root/a", "root/around"),
        ("d/e/../../../root/a", "root/far-around"),
        ("..", "root/d/parent"),
        ("..", "root/above"),
        (".", "root/self"),
        ("to-d/e/up", "root/two"),
        ("/", "root/slash"),
        ("loop", "root/loop"),
        ("gone", "root/dangling"),
        ("a/", "root/file-as-directory"),
    ] {
        directory.link(target, path);
    }
    let inside = Root::open(&directory.0.join("root"), Symlinks::Inside).unwrap();
    let refuse = Root::open(&directory.0.join("root"), Symlinks::Refuse).unwrap();
    for (path, with_links, without) in [
        ("a", Some("a"), Some("a")),
        ("d", Some("directory"), Some("directory")),
        ("d/e/c", Some("c"), Some("c")),
        ("d/x", None, None),
        ("a/x", None, None),
        ("to-d", Some("directory"), None),
        ("to-d/b", Some("b"), None),
        ("to-d-slash", Some("directory"), None),
        ("to-d-slash/b", Some("b"), None),
        ("winding", Some("b"), None),
        ("back", Some("a"), None),
        ("d/e/up", Some("a"), None),
        ("to-d/e/up", Some("a"), None),
        ("two", Some("a"), None),
        ("d/parent", Some("directory"), None),
        ("d/parent/a", Some("a"), None),
        ("self/self/a", Some("a"), None),
        ("d/e/out", None, None),
        ("around", None, None),
        ("far-around", None, None),
        ("above", None, None),
        ("above/secret", None, None),
        ("above/root/a", None, None),
        ("slash", None, None),
        ("loop", None, None),
        ("loop/a", None, None),
        ("dangling", None, None),
        ("file-as-directory", None, None),
        ("chain39", Some("a"), None),
        ("chain40", None, None),
    ] {
        for (root, expected) in [(&inside, with_links), (&refuse, without)] {
            let rule = root.symlinks;
            assert_eq!(
                content(root.file(path.as_bytes())).as_deref(),
                expected,
                "{rule:?} {path}"
            );
            assert_eq!(
                content(root.walk(path.as_bytes())).as_deref(),
                expected,
                "{rule:?} {path}, step by step"
            );
        }
    }
}

#[test]
fn a_root_that_was_moved_is_still_the_root() {
    let directory = Directory::new();
    directory.write("root/d/a", "a");
    let root = Root::open(&directory.0.join("root"), Symlinks::Inside).unwrap();
    fs::rename(directory.0.join("root"), directory.0.join("moved")).unwrap();
    assert_eq!(content(root.file(b"d/a")).as_deref(), Some("a"));
    assert_eq!(content(root.walk(b"d/a")).as_deref(), Some("a"));
    assert!(Root::open(&directory.0.join("root"), Symlinks::Inside).is_err());
}

#[test]
fn only_what_is_about_the_path_is_missing() {
    for error in [
        Errno::NOENT,
        Errno::ACCESS,
        Errno::LOOP,
        Errno::XDEV,
        Errno::NXIO,
        Errno::NAMETOOLONG,
    ] {
        assert!(is_missing(error), "{error}");
    }
    for error in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO, Errno::STALE] {
        assert!(!is_missing(error), "{error}");
    }
}
