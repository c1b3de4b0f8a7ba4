use serde_json::json;

use super::context::{Activity, Sources, context};
use super::*;
use crate::case::fixture::{Linked, acting, object, world};
use crate::case::kind::ObjectKind;
use crate::case::look_up::LookUpKind;
use crate::case::seed;

fn of_the_fixture() -> Value {
    let joins = Linked(world());
    let mut case = object(ObjectKind::Case);
    case.body.insert("case_description".into(), json!("<script>alert(1)</script> ![x](https://example.org/x.png)"));
    let line = |typed, text: &str| Activity {
        at: acting().now,
        user: "administrator".into(),
        text: text.into(),
        typed,
        from_api: true,
    };
    context(&Sources {
        joins: &joins,
        case: &case,
        objects: &|kind| vec![object(kind)],
        activities: &[line(false, "Created case"), line(true, "Called the customer")],
        user: "administrator",
        now: acting().now,
    })
}

fn seeded(name: &str) -> (String, Format) {
    let rows = seed::rows(LookUpKind::ReportTemplate, &acting(), &mut || [0; 16]);
    let row = rows.iter().find(|row| row.name == name).unwrap();
    (row.text("content").to_owned(), Format::parse(row.text("format")).unwrap())
}

fn made(name: &str, safe: bool) -> String {
    let (template, format) = seeded(name);
    check(&template, format).unwrap();
    make(&template, format, &of_the_fixture(), safe).unwrap()
}

#[test]
fn the_templates_that_come_along_show_all_of_a_case() {
    for (name, safe) in [("Investigation", false), ("Investigation (HTML)", false), ("Investigation (HTML)", true)] {
        let document = made(name, safe);
        for part in [
            "Initial Demo",
            "IrisInitialClient",
            "dc01",
            "Windows - DC",
            "203.0.113.7",
            "Log-in",
            "Execution",
            "disk.e01",
            "To do",
            "Seen",
            "# What",
            "Look here",
        ] {
            assert!(document.contains(part), "{name} lacks {part}: {document}");
        }
    }
    for name in ["Activities", "Activities (HTML)"] {
        let document = made(name, false);
        let (typed, recorded) = (document.find("Called the customer"), document.find("Created case"));
        assert!(typed.is_some() && typed < recorded, "{document}");
    }
}

#[test]
fn what_people_wrote_is_no_markup() {
    let html = made("Investigation (HTML)", false);
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
    // In Markdown it is theirs to write, unless a harmless document was asked for.
    assert!(made("Investigation", false).contains("<script>alert(1)</script> ![x]("));
    assert!(made("Investigation", true).contains("&lt;script>alert(1)&lt;/script> !\\[x]("));
    let trusting = "{{ case.description|safe }}";
    let plain = |safe| make(trusting, Format::Html, &of_the_fixture(), safe).unwrap();
    assert!(plain(false).starts_with("<script>") && plain(true).starts_with("&lt;script&gt;"));
}

fn refused(template: &str) -> String {
    let context = json!({"case": {"name": "x"}, "many": vec!["y".repeat(100); 1000]});
    make(template, Format::Markdown, &context, false).unwrap_err().to_string()
}

#[test]
fn a_template_that_cannot_be_carried_out_says_why_and_ends() {
    insta::assert_snapshot!(refused("{% for x in case %}"), @"the template cannot be read: syntax error: unexpected end of input, expected end of block (in template:1)");
    insta::assert_snapshot!(refused("a\n{{ case.name|nofilter }}"), @"the template cannot be carried out: unknown filter: filter nofilter is unknown (in template:2)");
    insta::assert_snapshot!(refused("{% include 'secret' %}"), @"the template cannot be carried out: template not found: tried to include non-existing template 'secret' (in template:1)");
    insta::assert_snapshot!(refused("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}"), @"the template cannot be carried out: invalid operation: recursion limit exceeded (in template:1)");
    let loops = "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}";
    insta::assert_snapshot!(refused(loops), @"the template takes more than 5000000 steps; let it go over fewer things");
    let prints = "{% for a in range(1000) %}{% for b in many %}{{ b }}{% endfor %}{% endfor %}";
    insta::assert_snapshot!(refused(prints), @"the document becomes larger than 32 MiB; let the template print less");
    let large = "x".repeat(MAX_TEMPLATE_BYTES + 1);
    insta::assert_snapshot!(check(&large, Format::Html).unwrap_err(), @"the template cannot be read: it has 1048577 bytes of at most 1048576");
    // A field that is not there prints nothing.
    assert_eq!(make("{{ case.nothing.at.all }}.", Format::Html, &json!({"case": {}}), false).as_deref(), Ok("."));
}

#[test]
fn a_document_has_a_name_that_any_disk_takes() {
    let context = of_the_fixture();
    let name = |form| file_name(form, Format::Markdown, &context);
    assert_eq!(name("report_%case_name%_%date%"), "report_Initial_Demo_2023-11-14.md");
    assert_eq!(name("%code_name% for %customer%"), "case-5-20231114221320_for_IrisInitialClient.md");
    assert_eq!(name("../../etc/passwd"), "etc_passwd.md");
    assert_eq!(name(""), "report.md");
    assert_eq!(name("\u{0}/"), "report.md");
    assert_eq!(file_name(&"é".repeat(500), Format::Html, &context).chars().count(), MAX_NAME + 5);
}
