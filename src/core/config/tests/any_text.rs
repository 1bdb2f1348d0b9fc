use proptest::prelude::*;

use super::{good::FULL, parse, source};
use crate::core::{
    config::{global::parse_global, parse_procfile},
    diagnostic::{Diagnostic, Diagnostics},
    plan::Plan,
};

/// Every place that errors point at is in the text, and they can be told.
fn check(text: &str, list: Vec<Diagnostic>) {
    assert!(!list.is_empty());
    for wrong in &list {
        assert!(!wrong.labels.is_empty() && !wrong.message.is_empty());
        for label in &wrong.labels {
            assert!(text.get(label.range.clone()).is_some(), "{wrong:?}");
        }
    }
    let _told = Diagnostics { source: source(text), list }.to_string();
}

fn check_all(text: &str) {
    match parse(text) {
        Ok(config) => assert_eq!(Plan::of(&config).order().len(), Plan::of(&config).services.len()),
        Err(found) => check(text, found),
    }
    if let Err(found) = parse_procfile(&source(text), "x") {
        check(text, found);
    }
    if let Err(found) = parse_global(text) {
        check(text, found);
    }
}

/// Lines that mean something, in any order and combination.
fn line() -> impl Strategy<Value = String> {
    let values = prop_oneof![
        Just("'x'".to_owned()),
        Just("['a', 'b']".to_owned()),
        Just("true".to_owned()),
        Just("{ a = '${services.a.port}', type = 'http', service = 'b' }".to_owned()),
        Just("\"\"\"\n${env.X} é\"\"\"".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f32>().prop_map(|n| n.to_string()),
        "\"[a-z${}.:]{0,12}\"",
    ];
    let keys: Vec<_> =
        FULL.lines().filter_map(|line| Some(line.split_once('=')?.0.trim())).collect();
    let headers =
        prop::sample::select(vec!["project", "services.a", "services.b", "services", "x"]);
    prop_oneof![
        1 => headers.prop_map(|header| format!("[{header}]")),
        4 => (prop::sample::select(keys), values).prop_map(|(key, value)| format!("{key} = {value}")),
    ]
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_all(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_toml(lines in prop::collection::vec(line(), 0..12)) {
        check_all(&lines.join("\n"));
    }

    #[test]
    fn a_good_file_with_something_replaced(
        place in any::<prop::sample::Index>(),
        length in 0..40_usize,
        with in "[a-z0-9'\"${}\\[\\]=.\n é]{0,6}",
    ) {
        let start = place.index(FULL.len());
        let end = (start + length).min(FULL.len());
        check_all(&format!("{}{with}{}", &FULL[..start], &FULL[end..]));
    }
}
