use super::super::head::Part;

/// What the header fields of a part say: `name`, then the file's name, then the type.
fn said(fields: &str) -> String {
    match Part::parse(fields.as_bytes(), 7) {
        Err(reason) => format!("{reason:?}"),
        Ok(None) => "nameless".into(),
        Ok(Some(part)) => {
            assert_eq!(7..7 + fields.len(), part.position());
            let texts = [Some(part.name()), part.filename(), part.content_type()];
            let texts =
                texts.map(|text| text.map_or("-".into(), |text| format!("[{}]", String::from_utf8_lossy(text))));
            texts.join(" ") + if part.is_filename_utf8() { " utf-8" } else { "" }
        }
    }
}

fn disposition(value: &str) -> String {
    said(&format!("Content-Disposition: {value}\r\n"))
}

#[test]
fn dispositions() {
    for (value, expected) in [
        ("form-data; name=\"a\"", "[a] - -"),
        ("form-data; name=a", "[a] - -"),
        ("form-data;name=a;filename=b", "[a] [b] -"),
        ("Form-Data ; NAME = \"a\" ; FileName = \" b \"", "[a] [b] -"),
        ("form-data; filename=b; name=a", "[a] [b] -"),
        ("form-data; name=\"a;b=c\"; filename=\"d;e\"", "[a;b=c] [d;e] -"),
        ("form-data; name=a=b", "[a=b] - -"),
        // As browsers write a quote: nobody knows whether the user wrote it so.
        ("form-data; name=\"a%22b\"; filename=\"%0D%0A\"", "[a%22b] [%0D%0A] -"),
        ("form-data; name=\"a\\\"b\"", "[a\\\"b] - -"),
        (
            "form-data; name=\"a\"; filename=\"C:\\dir\\b.txt\"",
            "[a] [C:\\dir\\b.txt] -",
        ),
        ("form-data; name=\"a\"; filename=\"C:\\dir\\\"", "[a] [C:\\dir\\] -"),
        ("form-data; name=\"ü\"; filename=\"日本\"", "[ü] [日本] -"),
        ("form-data; name=\"a\"; filename=\"\"", "[a] [] -"),
        ("form-data; name=\"a\"; filename", "[a] [] -"),
        ("form-data; name=\"a\"; filename=", "[a] [] -"),
        ("form-data; name=a; name=b", "[b] - -"),
        ("form-data; name=\" \"", "[] - -"),
        ("form-data; name=\"\"", "nameless"),
        ("form-data; name", "nameless"),
        ("form-data; name=", "nameless"),
        ("form-data", "nameless"),
        ("", "nameless"),
        ("attachment; name=a; filename=b", "nameless"),
        ("form-data; name=a; filename=\"b", "[a] [\"b] -"),
        ("form-data; name=\"a\"b", "[\"a\"b] - -"),
        ("form-data;;; name=a;", "[a] - -"),
        ("form-data; name=a; filename=\"a\0b\"", "FilenameNul"),
        (
            "form-data; name=a; filename*=UTF-8''%E2%82%AC.txt",
            "[a] [€.txt] - utf-8",
        ),
        ("form-data; name=a; filename*=utf-8'en'x; filename=b", "[a] [x] - utf-8"),
        (
            "form-data; name=a; filename=b; filename*=iso-8859-1''%FC",
            "[a] [ü] - utf-8",
        ),
        ("form-data; name=a; filename=b; filename*=utf-8''%FC", "[a] [b] -"),
        ("form-data; name=a; filename=b; filename*=koi8-r''%FC", "[a] [b] -"),
        ("form-data; name=a; filename=b; filename*=utf-8''%F", "[a] [b] -"),
        ("form-data; name=a; filename=b; filename*=utf-8''%G0", "[a] [b] -"),
        ("form-data; name=a; filename=b; filename*=utf-8'x", "[a] [b] -"),
        ("form-data; name=a; filename*=utf-8''a%00b", "FilenameNul"),
        ("form-data; name=a; filename*=x", "[a] - -"),
    ] {
        assert_eq!(expected, disposition(value), "{value}");
    }
}

#[test]
fn fields_around_the_disposition() {
    for (fields, expected) in [
        ("", "nameless"),
        (
            "content-type: a/b\r\nCONTENT-DISPOSITION:form-data;name=a\r\n",
            "[a] - [a/b]",
        ),
        (
            "Content-Disposition: form-data; name=a\r\nContent-Type:\r\n",
            "[a] - []",
        ),
        (
            "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n",
            "[a] - -",
        ),
        (
            "Content-Type: a/b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: c/d\r\n",
            "[a] - [a/b]",
        ),
        ("no colon\r\nContent-Disposition: form-data; name=a\r\n", "[a] - -"),
        ("Content-Disposition : form-data; name=a\r\n", "[a] - -"),
        (
            "Content-Disposition: form-data;\r\n  \tname=a;\r\n\tfilename=\"b\r\n  c\"\r\nX: y\r\n",
            "[a] [b c] -",
        ),
        ("Content-Disposition:\r\n form-data; name=a\r\n", "[a] - -"),
        ("X-Content-Disposition: form-data; name=a\r\n", "nameless"),
    ] {
        assert_eq!(expected, said(fields), "{fields:?}");
    }
}

#[test]
fn all_fields_of_a_part() {
    let fields = b"A: 1\r\nContent-Disposition: form-data; name=a\r\nB:\r\n 2\r\nA: 3\r\n";
    let part = Part::parse(fields, 0).unwrap().unwrap();
    let all: Vec<(&[u8], &[u8])> = part.fields().collect();
    let expected: [(&[u8], &[u8]); 4] = [
        (b"A", b"1"),
        (b"Content-Disposition", b"form-data; name=a"),
        (b"B", b"2"),
        (b"A", b"3"),
    ];
    assert_eq!(expected, all[..]);
}
