use super::*;

/// Lines and texts, and the error at the end if there is one. A small buffer makes every border fall somewhere.
fn split(input: &str) -> (Vec<(u64, String)>, Option<String>) {
    let reader = std::io::BufReader::with_capacity(3, input.as_bytes());
    let (mut items, mut found) = (Items::new(reader), Vec::new());
    loop {
        match items.next() {
            Ok(Some(item)) => found.push((item.line, String::from_utf8(item.text).unwrap())),
            Ok(None) => {
                assert_eq!(items.bytes(), input.len() as u64);
                return (found, None);
            }
            Err(e) => {
                assert!(matches!(items.next(), Ok(None)));
                return (found, Some(e.to_string()));
            }
        }
    }
}

#[test]
fn both_forms_give_the_same() {
    let array = "\u{feff} [\n  {\"a\": \"],}\\\"\"},\n\n  {\"b\": [1, {\"c\": 2}]} ,{\"d\": 1.50}\n]\n";
    let want = vec![(2, r#"{"a": "],}\""}"#), (4, r#"{"b": [1, {"c": 2}]}"#), (4, r#"{"d": 1.50}"#)];
    let want: Vec<_> = want.into_iter().map(|(l, t)| (l, t.to_owned())).collect();
    assert_eq!(split(array), (want, None));
    let lines = "{\"a\": 1}\r\n\n  {\"b\": 2}";
    assert_eq!(split(lines), (vec![(1, "{\"a\": 1}".into()), (3, "{\"b\": 2}".into())], None));
    for empty in ["", "\n \n", "[]", " [ ] "] {
        assert_eq!(split(empty), (vec![], None), "{empty:?}");
    }
}

#[test]
fn errors_name_the_line() {
    let errors: Vec<_> = [
        "{\"a\": 1}\n{\"a\": }\n",
        "[{},\n{\"a\":\n x}]",
        "[{},\n",
        "[{}] x",
        "[{},,{}]",
        "[{},]",
        "[1]",
        "{}\n[{}]\n",
        "hello",
    ]
    .map(|input| split(input).1.unwrap_or_else(|| panic!("{input:?} was taken")))
    .into();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    line 2: not JSON: expected value, column 7
    line 3: not JSON: expected value, column 2
    line 2: the array does not end; is the file cut off?
    line 1: there is something behind the end of the array
    line 1: a datapoint is missing here
    line 1: a datapoint is missing here
    line 1: a datapoint is an object such as {"type": …, "id": …, "attr": …, "v": …}
    line 2: a datapoint is an object such as {"type": …, "id": …, "attr": …, "v": …}
    line 1: not JSON: expected value, column 1
    "#);
}
