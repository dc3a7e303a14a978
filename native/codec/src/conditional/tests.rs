use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const TAG: &str = "\"a,b\"";
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const DATE_SECONDS: u64 = 784_111_777;
const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

fn validators(etag: &str) -> Validators<'_> {
    Validators {
        etag: Some(etag.as_bytes()),
        last_modified: Some(DATE_SECONDS),
        is_date_strong: true,
    }
}

/// Fields as `if-match`, `if-unmodified-since`, `if-none-match`, `if-modified-since`, `if-range`; empty for none.
fn conditions<'a>(fields: &[&'a str; 5]) -> Conditions<'a> {
    let [
        if_match,
        if_unmodified_since,
        if_none_match,
        if_modified_since,
        if_range,
    ] = fields.map(|field| Some(field.as_bytes()).filter(|field| !field.is_empty()));
    Conditions {
        if_match,
        if_unmodified_since,
        if_none_match,
        if_modified_since,
        if_range,
    }
}

#[test]
fn precedence_of_the_fields() {
    use Verdict::{NotModified, PreconditionFailed, Proceed, ProceedWhole};
    let other = "\"x\"";
    for (fields, expected) in [
        (["", "", "", "", ""], Proceed),
        // Step 1 and 2.
        ([TAG, "", "", "", ""], Proceed),
        ([other, "", "", "", ""], PreconditionFailed),
        (["", LATER, "", "", ""], Proceed),
        (["", DATE, "", "", ""], Proceed),
        (["", EARLIER, "", "", ""], PreconditionFailed),
        ([TAG, EARLIER, "", "", ""], Proceed),
        ([other, LATER, "", "", ""], PreconditionFailed),
        // Step 3 and 4.
        (["", "", TAG, "", ""], NotModified),
        (["", "", other, "", ""], Proceed),
        (["", "", "", DATE, ""], NotModified),
        (["", "", "", LATER, ""], NotModified),
        (["", "", "", EARLIER, ""], Proceed),
        (["", "", other, LATER, ""], Proceed),
        (["", "", TAG, EARLIER, ""], NotModified),
        // What fails first counts.
        ([other, "", TAG, "", ""], PreconditionFailed),
        (["", EARLIER, TAG, "", ""], PreconditionFailed),
        ([TAG, "", TAG, "", ""], NotModified),
        ([TAG, "", other, "", other], ProceedWhole),
        // Step 5.
        (["", "", "", "", TAG], Proceed),
        (["", "", "", "", other], ProceedWhole),
        (["", "", "", "", DATE], Proceed),
        (["", "", "", "", "Sunday, 06-Nov-94 08:49:37 GMT"], Proceed),
        (["", "", "", "", LATER], ProceedWhole),
        (["", "", "", "", EARLIER], ProceedWhole),
        (["", "", "", "", "nonsense"], ProceedWhole),
        (["", "", TAG, "", other], NotModified),
    ] {
        assert_eq!(evaluate(&conditions(&fields), &validators(TAG)), expected, "{fields:?}");
    }
}

#[test]
fn entity_tags_are_compared_as_their_field_asks() {
    use Verdict::{NotModified, PreconditionFailed, Proceed, ProceedWhole};
    // The examples of RFC 9110 §8.8.3.2: the representation's, the client's; If-Match, If-None-Match, If-Range.
    for (own, sent, strong, weak) in [
        ("W/\"1\"", "W/\"1\"", false, true),
        ("W/\"1\"", "W/\"2\"", false, false),
        ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "W/\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true),
        ("\"1\"", "\"1", false, false),
        ("\"1\"", "1", false, false),
        ("\"1\"", "w/\"1\"", false, false),
        ("\"1\"", "\"1\"x", true, true),
    ] {
        let if_match = evaluate(&conditions(&[sent, "", "", "", ""]), &validators(own));
        assert_eq!(
            if_match,
            if strong { Proceed } else { PreconditionFailed },
            "{own} {sent}"
        );
        let if_none_match = evaluate(&conditions(&["", "", sent, "", ""]), &validators(own));
        assert_eq!(if_none_match, if weak { NotModified } else { Proceed }, "{own} {sent}");
        let if_range = evaluate(&conditions(&["", "", "", "", sent]), &validators(own));
        let is_range = strong && !sent.ends_with('x');
        assert_eq!(if_range, if is_range { Proceed } else { ProceedWhole }, "{own} {sent}");
    }
}

#[test]
fn lists_of_entity_tags() {
    for (tags, expected) in [
        ("*", true),
        (" * ", true),
        ("\"x\", \"a,b\"", true),
        ("\"x\",\"a,b\"", true),
        (", ,W/\"x\" ,\t\"a,b\" ,", true),
        ("\"a\", \"b\"", false),
        ("\"a,b\" x", true),
        ("x, \"a,b\"", false),
        ("\"x\" \"a,b\"", false),
        ("\"x\", *", false),
        ("*, \"a,b\"", false),
        ("\"a,b", false),
        ("\"a b\", \"a,b\"", false),
        (",", false),
    ] {
        let verdict = evaluate(&conditions(&["", "", tags, "", ""]), &validators(TAG));
        assert_eq!(verdict == Verdict::NotModified, expected, "{tags}");
    }
}

#[test]
fn dates_have_three_formats_and_what_is_none_is_ignored() {
    for (date, expected) in [
        (DATE, true),
        ("Sunday, 06-Nov-94 08:49:37 GMT", true),
        ("Sun Nov  6 08:49:37 1994", true),
        (" Sun, 06 Nov 1994 08:49:37 GMT ", true),
        ("Sun, 06 Nov 1994 08:49:37", false),
        ("Mon, 06 Nov 1994 08:49:37 GMT", false),
        ("Sun, 06 Nov 1994 24:49:37 GMT", false),
        ("1994-11-06T08:49:37Z", false),
        ("784111777", false),
        ("\u{fc}", false),
        ("0", false),
    ] {
        let verdict = evaluate(&conditions(&["", "", "", date, ""]), &validators(TAG));
        assert_eq!(verdict == Verdict::NotModified, expected, "{date}");
        let verdict = evaluate(&conditions(&["", date, "", "", ""]), &validators(TAG));
        assert_eq!(verdict, Verdict::Proceed, "{date}");
    }
}

#[test]
fn without_a_validator_its_condition_says_nothing() {
    let none = Validators::default();
    for (fields, expected) in [
        ([TAG, "", "", "", ""], Verdict::PreconditionFailed),
        (["*", "", "", "", ""], Verdict::Proceed),
        (["", EARLIER, "", "", ""], Verdict::Proceed),
        (["", "", TAG, "", ""], Verdict::Proceed),
        (["", "", "*", "", ""], Verdict::NotModified),
        (["", "", "", LATER, ""], Verdict::Proceed),
        (["", "", "", "", TAG], Verdict::ProceedWhole),
        (["", "", "", "", DATE], Verdict::ProceedWhole),
        (["", "", "", "", "nonsense"], Verdict::ProceedWhole),
    ] {
        assert_eq!(evaluate(&conditions(&fields), &none), expected, "{fields:?}");
    }
    let weak = Validators {
        is_date_strong: false,
        ..validators(TAG)
    };
    assert_eq!(
        evaluate(&conditions(&["", "", "", "", DATE]), &weak),
        Verdict::ProceedWhole
    );
}

/// The five steps as RFC 9110 §13.2.2 has them; each field holds or not.
fn plainly(holds: [Option<bool>; 5]) -> Verdict {
    let [
        if_match,
        if_unmodified_since,
        if_none_match,
        if_modified_since,
        if_range,
    ] = holds;
    if if_match == Some(false) || if_match.is_none() && if_unmodified_since == Some(false) {
        return Verdict::PreconditionFailed;
    }
    if if_none_match == Some(false) || if_none_match.is_none() && if_modified_since == Some(false) {
        return Verdict::NotModified;
    }
    if if_range == Some(false) {
        Verdict::ProceedWhole
    } else {
        Verdict::Proceed
    }
}

proptest! {
    #[test]
    fn any_fields_are_judged_as_plainly(
        if_match in option::of(select(vec![("\"a,b\"", true), ("*", true), ("W/\"a,b\"", false), ("\"x\"", false)])),
        unmodified in option::of(select(vec![(DATE, true), (LATER, true), (EARLIER, false), ("never", true)])),
        if_none_match in option::of(select(vec![("\"a,b\"", false), ("W/\"a,b\"", false), ("*", false), ("\"x\"", true)])),
        modified in option::of(select(vec![(DATE, false), (LATER, false), (EARLIER, true), ("never", true)])),
        if_range in option::of(select(vec![("\"a,b\"", true), (DATE, true), ("W/\"a,b\"", false), (LATER, false)])),
    ) {
        let all = [if_match, unmodified, if_none_match, modified, if_range];
        let fields = all.map(|field| field.map_or("", |(text, _)| text));
        let holds = all.map(|field| field.map(|(_, holds)| holds));
        prop_assert_eq!(evaluate(&conditions(&fields), &validators(TAG)), plainly(holds));
    }

    #[test]
    fn any_bytes_are_judged(fields in vec(option::of(vec(any::<u8>(), 0..40)), 5), etag in vec(any::<u8>(), 0..8)) {
        let field = |n: usize| fields[n].as_deref();
        let conditions = Conditions {
            if_match: field(0),
            if_unmodified_since: field(1),
            if_none_match: field(2),
            if_modified_since: field(3),
            if_range: field(4),
        };
        let validators = Validators { etag: Some(&etag), last_modified: Some(DATE_SECONDS), is_date_strong: true };
        let _ = evaluate(&conditions, &validators);
    }
}
