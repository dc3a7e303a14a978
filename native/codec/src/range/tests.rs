use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A selection as text: `-` whole, `416`, or `first-last` of each range.
fn shown(selection: &Selection) -> String {
    let text = |range: &ByteRange| format!("{}-{}", range.offset, range.end() - 1);
    match selection {
        Selection::Whole => "-".into(),
        Selection::Unsatisfiable => "416".into(),
        Selection::One(range) => text(range),
        Selection::Several(ranges) => ranges.iter().map(text).collect::<Vec<_>>().join(" "),
    }
}

#[test]
fn ranges_of_ten_thousand_bytes() {
    for (field, expected) in [
        // The examples of RFC 9110 §14.1.2.
        ("bytes=0-499", "0-499"),
        ("bytes=500-999", "500-999"),
        ("bytes=-500", "9500-9999"),
        ("bytes=9500-", "9500-9999"),
        ("bytes=0-0,-1", "0-0 9999-9999"),
        ("bytes= 0-0,-1", "0-0 9999-9999"),
        ("bytes=0-999, 4500-5499, -1000", "0-999 4500-5499 9000-9999"),
        ("bytes=500-600,601-999", "500-999"),
        ("bytes=500-700,601-999", "500-999"),
        // Ends beyond the end.
        ("bytes=0-", "0-9999"),
        ("bytes=0-9999", "0-9999"),
        ("bytes=0-10000", "0-9999"),
        ("bytes=9999-99999999999999999999999999", "9999-9999"),
        ("bytes=-10000", "0-9999"),
        ("bytes=-10001", "0-9999"),
        ("bytes=-99999999999999999999999999", "0-9999"),
        // Begins beyond the end.
        ("bytes=10000-", "416"),
        ("bytes=10000-10001,20000-", "416"),
        ("bytes=18446744073709551615-", "416"),
        ("bytes=99999999999999999999999999-", "416"),
        ("bytes=-0", "416"),
        ("bytes=10000-,5-5", "5-5"),
        // The unit and the list.
        ("BYTES=1-2", "1-2"),
        (" bytes=1-2\t", "1-2"),
        ("bytes=,1-2 ,\t, 500-501,", "1-2 500-501"),
        // Order, and what belongs together.
        ("bytes=5000-5001,0-1", "5000-5001 0-1"),
        ("bytes=1-1,81-81", "1-81"),
        ("bytes=1-1,82-82", "1-82"),
        ("bytes=1-1,83-83", "1-1 83-83"),
        ("bytes=0-1,1000-1001,2-1002", "0-1002"),
        ("bytes=5000-5001,0-1,1000-1001,900-5000", "900-5001 0-1"),
        ("bytes=0-,0-,0-,0-", "0-9999"),
        // What is no list of ranges is ignored.
        ("", "-"),
        ("bytes", "-"),
        ("bytes=", "-"),
        ("bytes=,", "-"),
        ("bytes=-", "-"),
        ("bytes=1", "-"),
        ("bytes=2-1", "-"),
        ("bytes=0-1,2-1", "-"),
        ("bytes=0-1;2-3", "-"),
        ("bytes=0-1 2-3", "-"),
        ("bytes=+0-1", "-"),
        ("bytes=0-1x", "-"),
        ("bytes=0--1", "-"),
        ("bytes=--1", "-"),
        ("bytes=0x0-1", "-"),
        ("bytes =0-1", "-"),
        ("bytes:0-1", "-"),
        ("items=0-1", "-"),
        ("0-1", "-"),
        ("bytes=0-1, items=2-3", "-"),
    ] {
        assert_eq!(shown(&select(field.as_bytes(), 10_000)), expected, "{field:?}");
    }
}

#[test]
fn an_empty_representation_is_sent_as_it_is() {
    for field in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=5-"] {
        assert_eq!(select(field.as_bytes(), 0), Selection::Whole, "{field}");
    }
}

#[test]
fn more_ranges_than_are_reasonable_are_ignored() {
    let list = |count: u64| (0..count).map(|n| format!("{}-{0},", n * 1000)).collect::<String>();
    let most = RANGES_MAX as u64;
    let field = format!("bytes={}", list(most));
    assert!(matches!(select(field.as_bytes(), 1 << 40), Selection::Several(ranges) if ranges.len() == RANGES_MAX));
    let field = format!("bytes={}", list(most + 1));
    assert_eq!(select(field.as_bytes(), 1 << 40), Selection::Whole);
    // The many that would be one, which were once an attack.
    let field = format!("bytes=0-,{}", "5-,".repeat(1300));
    assert_eq!(select(field.as_bytes(), 1 << 40), Selection::Whole);
}

#[test]
fn content_ranges() {
    let range = ByteRange {
        offset: 42,
        length: 1192,
    };
    assert_eq!(ContentRange::Of(range, 1234).to_string(), "bytes 42-1233/1234");
    assert_eq!(ContentRange::Unsatisfied(1234).to_string(), "bytes */1234");
}

/// The bytes that a list asks for, one by one.
fn plainly(specs: &[(u64, Option<u64>)], length: u64) -> Vec<bool> {
    (0..length)
        .map(|at| {
            specs
                .iter()
                .any(|(first, last)| *first <= at && last.is_none_or(|last| at <= last))
        })
        .collect()
}

proptest! {
    #[test]
    fn what_is_selected_has_all_that_was_asked_for_once(
        length in 1_u64..600,
        specs in vec((0_u64..700, prop::option::of(0_u64..300)), 1..8),
    ) {
        let specs: Vec<_> = specs.iter().map(|(first, more)| (*first, more.map(|more| first + more))).collect();
        let list: Vec<String> = specs
            .iter()
            .map(|(first, last)| format!("{first}-{}", last.map_or(String::new(), |last| last.to_string())))
            .collect();
        let field = format!("bytes={}", list.join(","));
        let asked = plainly(&specs, length);
        let ranges = match select(field.as_bytes(), length) {
            Selection::Whole => unreachable!("{field} is a list of ranges"),
            Selection::Unsatisfiable => Vec::new(),
            Selection::One(range) => vec![range],
            Selection::Several(ranges) => {
                prop_assert!(ranges.len() > 1);
                ranges
            }
        };
        let mut times = vec![0; usize::try_from(length).unwrap()];
        for range in &ranges {
            prop_assert!(range.length > 0 && range.end() <= length);
            for time in &mut times[usize::try_from(range.offset).unwrap()..usize::try_from(range.end()).unwrap()] {
                *time += 1;
            }
        }
        for (at, time) in times.iter().enumerate() {
            prop_assert!(*time <= 1);
            prop_assert!(*time == 1 || !asked[at]);
        }
        prop_assert_eq!(ranges.is_empty(), !asked.contains(&true));
        // What was not asked for stands in small gaps only.
        let gap = times.iter().zip(&asked).fold((0, 0), |(most, now), (time, asked)| {
            let now = if *time == 1 && !asked { now + 1 } else { 0 };
            (most.max(now), now)
        });
        prop_assert!(gap.0 <= GAP_BYTES);
    }

    #[test]
    fn any_bytes_select_something_within(field in vec(any::<u8>(), 0..60), length in any::<u64>()) {
        let ranges = match select(&field, length) {
            Selection::One(range) => vec![range],
            Selection::Several(ranges) => ranges,
            Selection::Whole | Selection::Unsatisfiable => Vec::new(),
        };
        for range in ranges {
            prop_assert!(range.length > 0 && range.offset < length && range.length <= length - range.offset);
        }
    }
}
