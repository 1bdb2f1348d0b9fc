use proptest::prelude::*;

use super::parse;

/// `NAME=value` of each variable, one a line with its value's debug form; or the error.
fn check(text: &str) -> String {
    match parse(text) {
        Ok(variables) => {
            variables.iter().map(|(n, v)| format!("{n}={v:?}")).collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn plain_values() {
    assert_eq!(check("A=1\nB = two words \n\n  C=\n"), r#"A="1" B="two words" C="""#);
    assert_eq!(check("A=1\r\nB=2\r\n"), r#"A="1" B="2""#);
    assert_eq!(check("\u{feff}A=a=b"), r#"A="a=b""#);
    assert_eq!(check("A=it's $HOME ${X}"), r#"A="it's $HOME ${X}""#);
    assert_eq!(check("export A=1\nexport\tB=2\nexport=3"), r#"A="1" B="2" export="3""#);
    assert_eq!(check(""), "");
}

#[test]
fn comments() {
    assert_eq!(check("# x\n  # y\nA=1 # z\nB=a#b\nC= # empty"), r#"A="1" B="a#b" C="""#);
    assert_eq!(check("A=#fff\nB='x # y' # z"), r##"A="#fff" B="x # y""##);
}

#[test]
fn quotes() {
    assert_eq!(check(r#"A=" x "B"#), "line 1: unexpected text after the closing \"");
    assert_eq!(check(r#"A=" x\t\"y\" \$Z \q""#), r#"A=" x\t\"y\" $Z \\q""#);
    assert_eq!(check(r"A='a\nb'"), r#"A="a\\nb""#);
    assert_eq!(check("A=\"one\r\ntwo\"\nB=2"), r#"A="one\ntwo" B="2""#);
    assert_eq!(check("A=\"one \\\ntwo\""), r#"A="one two""#);
}

#[test]
fn errors_name_the_line() {
    assert_eq!(check("A=1\nB"), "line 2: expected NAME=value, found `B`");
    assert_eq!(check("A='\n\n'\n1B=2"), "line 4: expected NAME=value, found `1B=2`");
    assert_eq!(check("\nA='x\ny"), "line 2: the quote ' is never closed");
    assert_eq!(check("A=\"x\\"), "line 1: the quote \" is never closed");
    assert_eq!(check("A=x\0"), "line 1: the value of `A` contains a NUL byte");
    assert_eq!(check("A=\"\\\n\"\n="), "line 3: expected NAME=value, found `=`");
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "[A=\"'\\\\ #\r\né$\0]{0,30}") {
        let _outcome = parse(&text);
    }

    #[test]
    fn double_quoted_values_come_back(value in "[^\0\r]{0,30}") {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        let read = parse(&format!("X=\"{escaped}\" # comment\nY=1")).unwrap();
        prop_assert_eq!(&read[0].1, &value);
        prop_assert_eq!(read.len(), 2);
    }
}
