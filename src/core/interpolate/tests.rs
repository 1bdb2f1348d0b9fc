use proptest::prelude::*;

use super::*;

fn render(text: &str, foreign: Foreign) -> String {
    match Template::parse(text, foreign) {
        Ok(template) => template
            .render::<()>(|reference| Ok(format!("<{}>", &reference.to_string()[2..])))
            .unwrap(),
        Err(errors) => {
            let wrong = &errors[0];
            let help = wrong.help.as_deref().unwrap_or_default();
            format!("{} @ {} ({help})", wrong.message, &text[wrong.range.clone()])
        }
    }
}

fn env(text: &str) -> String {
    render(text, Foreign::Refused)
}

fn shell(text: &str) -> String {
    render(text, Foreign::Kept)
}

#[test]
fn references_are_filled() {
    assert_eq!(env("a${services.db.url}b"), "a<services.db.url}>b");
    assert_eq!(env("${services.my-db_2.public_url}"), "<services.my-db_2.public_url}>");
    assert_eq!(env("${project.dir}/x"), "<project.dir}>/x");
    assert_eq!(env("${env.HOME}${env.X:-a b:-c}"), "<env.HOME}><env.X:-a b:-c}>");
    assert_eq!(env("${env.X:-}"), "<env.X:-}>");
}

#[test]
fn a_doubled_dollar_is_one() {
    assert_eq!(env("$$5 and $${services.db.url}"), "$5 and ${services.db.url}");
    assert_eq!(shell("echo $$$$ $${env.X}"), "echo $$ ${env.X}");
}

#[test]
fn a_plain_variable_is_left_alone() {
    assert_eq!(env("$PORT costs 5$"), "$PORT costs 5$");
    assert_eq!(shell("serve --port $PORT"), "serve --port $PORT");
}

#[test]
fn a_command_keeps_what_is_the_shells() {
    let text = "echo ${PORT:-80} ${x%.*} ${a[@]} ${#x} ${unclosed";
    assert_eq!(shell(text), text);
    assert_eq!(shell("${X:-${services.db.port}}"), "${X:-<services.db.port}>}");
    assert_eq!(shell("${env} ${services}"), "${env} ${services}");
}

#[test]
fn errors_show_where_and_what_was_meant() {
    assert_eq!(
        env("x ${servces.db.url}"),
        "unknown reference `${servces.db.url}` @ ${servces.db.url} (did you mean `${services.db.url}`?)"
    );
    assert!(env("${HOME}").contains("write `${env.HOME}`"));
    assert!(env("${services.db.prot}").contains("did you mean `port`?"));
    assert!(shell("${services.db.prot}").contains("did you mean `port`?"));
    assert!(env("${services.db}").contains("names no field"));
    assert!(env("${project.nme}").contains("did you mean `name`?"));
    assert!(env("${env.A-b}").contains("`${env.NAME:-default}`"));
    assert!(env("${env.A:-${env.B}}").contains("a default cannot contain"));
    assert!(env("a ${x").starts_with("`${` without `}` @ ${x"));
    assert!(env("${}").contains("unknown reference"));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "[a-z${}.:é-]{0,30}") {
        for foreign in [Foreign::Kept, Foreign::Refused] {
            if let Err(errors) = Template::parse(&text, foreign) {
                for error in errors {
                    prop_assert!(text.get(error.range).is_some());
                }
            }
        }
    }

    #[test]
    fn text_with_its_dollars_doubled_comes_back(text in ".{0,40}") {
        prop_assert_eq!(env(&text.replace('$', "$$")), text);
    }

    #[test]
    fn references_come_back_as_they_were_written(
        name in "[a-z0-9][a-z0-9_-]{0,9}",
        variable in "[A-Z_][A-Z0-9_]{0,9}",
        default in "[^}$]{0,9}",
    ) {
        let text = format!("${{services.{name}.port}}|${{env.{variable}:-{default}}}");
        let template = Template::parse(&text, Foreign::Refused).unwrap();
        let written = template.render::<()>(|reference| Ok(reference.to_string())).unwrap();
        prop_assert_eq!(&written, &text);
        let holes: Vec<_> = template.holes().map(|hole| &text[hole.range.clone()]).collect();
        prop_assert_eq!(holes.join("|"), text);
    }
}
