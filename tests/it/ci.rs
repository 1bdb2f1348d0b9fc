//! `up --ci` and `up --junit`: plain lines, and a report that any parser of XML understands.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Home, Project, svc};

const READ: &str = r"
import json, sys, xml.etree.ElementTree as E
suite, = E.parse(sys.argv[1]).getroot().findall('testsuite')
def one(case):
    text = lambda name: (lambda it: None if it is None else [it.get('message'), it.text])(case.find(name))
    return dict(name=case.get('name'), suite=case.get('classname'), time=float(case.get('time')),
                failure=text('failure'), error=text('error'), skipped=text('skipped'), out=text('system-out'))
print(json.dumps(dict(suite.attrib, cases=[one(case) for case in suite.findall('testcase')])))
";

/// A report, read by somebody else's parser.
fn report(home: &Home, project: &Project<'_>, file: &str) -> Value {
    home.program("python3").args(["-c", READ, file]).within(project.dir()).ok().json()
}

#[track_caller]
fn counts(report: &Value, tests: &str, failures: &str, errors: &str, skipped: &str) {
    let told = ["tests", "failures", "errors", "skipped"].map(|key| report[key].as_str());
    assert_eq!(told, [tests, failures, errors, skipped].map(Some), "{report:#}");
}

fn case<'a>(report: &'a Value, name: &str) -> &'a Value {
    let cases = report["cases"].as_array().expect("a list");
    cases.iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("{name}: {report:#}"))
}

#[test]
fn a_success_is_a_case_for_each_service() {
    let home = Home::new();
    let web = svc(["sleep=200", "listen", "forever"]);
    let seed = "[services.seed]\ntype = \"task\"\ncommand = \"true\"\n";
    let project = home.project("shop", &format!("[services.web]\n{web}\n{seed}"));
    let up = project.locald(["up", "--ci"]).ok().says("web: healthy").says("shop is up");
    assert!(!up.stdout.contains('\x1b'), "{up}");
    let report = report(&home, &project, "locald-junit.xml");
    counts(&report, "2", "0", "0", "0");
    assert_eq!(
        (&report["name"], &case(&report, "seed")["suite"]),
        (&"shop".into(), &"shop".into())
    );
    let took = case(&report, "web")["time"].as_f64().expect("a number");
    assert!((0.2..60.0).contains(&took), "{took}");
    let left: Vec<_> = std::fs::read_dir(project.dir()).expect("it is there").collect();
    assert_eq!(left.len(), 2, "nothing but the report is left: {left:?}");
}

#[test]
fn a_failure_is_told_with_its_tail_whatever_that_is() {
    let home = Home::new();
    let bad = "max_restarts = 0\ntty = false\n\
               command = 'printf \"<a> & ]]> \\033[31mred\\033[0m \\001\\007\\377 end\\n\"; exit 3'\n";
    let slow = "type = \"worker\"\ncommand = \"sleep 1000\"\nhealth_check = \"false\"\n";
    let project = home.project(
        "shop",
        &format!("[services.web]\n{bad}[services.slow]\n{slow}[services.api]\n{slow}depends_on = [\"web\"]\n"),
    );
    project.locald(["up", "--junit", "report.xml"]).fails(1);
    let report = report(&home, &project, "report.xml");
    counts(&report, "3", "2", "0", "1");
    let web = case(&report, "web");
    assert!(
        web["failure"][0].as_str().is_some_and(|why| why.contains("exited with code 3")),
        "{web}"
    );
    assert_eq!(web["out"][1], "<a> & ]]> red \u{fffd}\u{fffd}\u{fffd} end");
    let api = &case(&report, "api")["failure"][0];
    assert!(api.as_str().is_some_and(|why| why.contains("waits for web")), "{api}");
    assert!(case(&report, "slow")["skipped"].is_array(), "{report:#}");
}

#[test]
fn what_is_late_has_failed_and_shows_what_it_wrote_last() {
    let home = Home::new();
    let slow = "type = \"worker\"\ncommand = \"echo still thinking; sleep 1000\"\nhealth_check = \"false\"\n";
    let project = home.project("shop", &format!("[services.web]\n{slow}"));
    let up = project.locald(["up", "--ci", "--timeout", "1s"]).fails(5);
    up.complains("  | still thinking");
    let report = report(&home, &project, "locald-junit.xml");
    counts(&report, "1", "1", "0", "0");
    let web = case(&report, "web");
    assert!(web["failure"][0].as_str().is_some_and(|why| why.contains("starting")), "{web}");
    assert_eq!(web["out"][1], "still thinking");
}

#[test]
fn what_cannot_be_tried_is_an_error() {
    let home = Home::new();
    let project = home.project("shop", "[services.web]\ncomand = \"x\"\n");
    project.locald(["up", "--ci"]).fails(4);
    let wrong = report(&home, &project, "locald-junit.xml");
    counts(&wrong, "1", "0", "1", "0");
    let error = &case(&wrong, "configuration")["error"];
    assert!(error[1].as_str().is_some_and(|text| text.contains("comand")), "{error}");
    // The next one takes its place, also if that has nothing but a name to say.
    project.write("locald.toml", "[project]\nname = \"shop\"\n[services.web]\ncommand = \"x\"\n");
    project.locald(["up", "nope", "--ci"]).fails(2);
    let wrong = report(&home, &project, "locald-junit.xml");
    assert!(
        case(&wrong, "up")["error"][0].as_str().is_some_and(|it| it.contains("`nope`")),
        "{wrong:#}"
    );
}

#[test]
fn who_interrupts_gets_a_report_too() {
    let home = Home::new();
    let slow = "type = \"worker\"\ncommand = \"sleep 1000\"\nhealth_check = \"false\"\n";
    let project = home.project("shop", &format!("[services.web]\n{slow}"));
    let up = project.locald(["up", "--ci"]).start();
    crate::support::eventually("it is on its way", || {
        let status = project.locald(["status", "--json"]).run();
        status.stdout.contains("\"starting\"").then_some(())
    });
    up.signal(Signal::SIGINT);
    up.end().exits(130);
    counts(&report(&home, &project, "locald-junit.xml"), "2", "0", "1", "1");
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let home = Home::new();
    let project = home.project("shop", "[services.t]\ntype = \"task\"\ncommand = \"true\"\n");
    project
        .locald(["up", "--junit", "no/such/folder.xml"])
        .fails(1)
        .complains("cannot write the report");
}
