use proptest::prelude::*;

use super::*;

fn html(value: &str) -> CustomField {
    CustomField { tab: "VT Report".into(), name: "HTML report".into(), kind: "html".into(), value: json!(value) }
}

#[test]
fn html_keeps_its_looks_and_loses_what_acts() {
    for (given, want) in [
        (
            "<h3>Found</h3><table><tr><td>7/70</td></tr></table>",
            "<h3>Found</h3><table><tbody><tr><td>7/70</td></tr></tbody></table>",
        ),
        ("<b onclick=\"x()\">a</b>", "<b>a</b>"),
        ("a<script>x()</script>b", "ab"),
        ("<style>*{display:none}</style>c", "c"),
        ("<a href=\"javascript:x()\">d</a>", "<a rel=\"noopener noreferrer\">d</a>"),
        (
            "<a href=\"https://example.org/\">e</a>",
            "<a href=\"https://example.org/\" rel=\"noopener noreferrer\">e</a>",
        ),
        ("<a href=\"/manage/users\">f</a>", "<a rel=\"noopener noreferrer\">f</a>"),
        ("<img src=x onerror=alert(1)>", "<img>"),
        ("<iframe src=\"https://example.org\"></iframe>g", "g"),
        ("<form action=\"/x\"><input name=a></form>h", "h"),
        ("<div class=\"overlay\" style=\"position:fixed\">i</div>", "<div>i</div>"),
        ("<svg><script>x()</script></svg>j", "j"),
        ("<math><mtext><table><mglyph><style><img src=x onerror=x()>", ""),
    ] {
        let mut tree = Body::new();
        set(&mut tree, &html(given)).unwrap();
        assert_eq!(tree["VT Report"]["HTML report"]["value"], json!(want), "{given}");
    }
}

#[test]
fn a_field_that_makes_no_sense_is_refused_with_a_reason() {
    let refused = |field: CustomField| set(&mut Body::new(), &field).unwrap_err();
    insta::assert_snapshot!(refused(CustomField { kind: "input_magic".into(), ..html("") }), @r#""input_magic" is no type of a custom field; expected one of input_string, input_textfield, input_checkbox, input_select, input_date, input_datetime, raw, html"#);
    insta::assert_snapshot!(refused(CustomField { value: json!(5), ..html("") }), @"a field of type html is a text, not a number");
    insta::assert_snapshot!(refused(CustomField { tab: " ".into(), ..html("") }), @r#"" " cannot name a tab of custom attributes; 1 to 128 characters without control characters are expected"#);
}

#[test]
fn an_overwritten_field_keeps_what_the_operator_defined() {
    let mut tree = json!({"T": {"f": {"type": "input_select", "mandatory": true, "value": "", "options": ["a"]}}});
    let tree = tree.as_object_mut().unwrap();
    let field = CustomField { tab: "T".into(), name: "f".into(), kind: "input_select".into(), value: json!("a") };
    set(tree, &field).unwrap();
    assert_eq!(tree["T"]["f"], json!({"type": "input_select", "mandatory": true, "value": "a", "options": ["a"]}));
    assert_eq!(check(tree), Ok(()));
    tree["T"]["f"]["type"] = json!("odd");
    assert!(check(tree).unwrap_err().starts_with("T.f: "));
}

proptest! {
    /// Sanitising twice is sanitising once, whatever the text.
    #[test]
    fn what_was_sanitised_stays(text in "[<>a-z/\"'= &;!-]{0,60}") {
        let once = sanitise(&text);
        prop_assert_eq!(sanitise(&once), once);
    }
}
