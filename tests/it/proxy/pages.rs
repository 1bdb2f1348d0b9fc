//! What is said in place of a service that cannot answer.

use super::{shop, web};
use crate::support::{Front, Home, svc};

#[test]
fn a_failed_service_is_explained_to_people_and_programs() {
    let home = Home::new();
    let dying = svc(["print=<script>alert(1)</script> & more", "exit=3"]);
    let services = web("web", "") + &format!("[services.api]\n{dying}\nrestart = \"never\"\n");
    let project = home.project("shop", &services);
    project.locald(["up"]).fails(1);
    let front = Front::of(&home);
    let answer = front.get("api.shop.localhost", "/");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.field("content-type"), ["application/problem+json"]);
    let problem = answer.json();
    assert_eq!((&problem["project"], &problem["service"]), (&"shop".into(), &"api".into()));
    assert_eq!((&problem["status"], &problem["state"]), (&503.into(), &"failed".into()));
    assert_eq!(problem["last_exit"], "exited with code 3");
    assert_eq!(problem["log"][0], "<script>alert(1)</script> & more");
    let page = front.visit("api.shop.localhost", "/");
    assert_eq!(page.status, 503);
    assert!(page.field("content-type")[0].starts_with("text/html"), "{}", page.head);
    let text = &page.body;
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"), "{text}");
    assert!(!text.contains("<script>alert(1)"), "{text}");
    assert!(text.contains("failed") && text.contains("exited with code 3"), "{text}");
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
}

#[test]
fn a_service_that_hangs_up_is_a_bad_gateway() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let answer = front.get("shop.localhost", "/hangup");
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["service"], "web");
    let page = front.visit("shop.localhost", "/hangup");
    assert_eq!(page.status, 502);
    assert!(page.body.contains("shop/web"), "{}", page.body);
}

#[test]
fn a_name_with_markup_does_no_harm() {
    let home = Home::new();
    let _shop = shop(&home);
    let page = Front::of(&home).visit("\"><script>alert(1)</script>.localhost", "/");
    assert!((400..500).contains(&page.status), "{page:?}");
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
}

#[test]
fn a_project_without_anything_to_serve_says_so() {
    let home = Home::new();
    let worker = svc(["forever"]);
    home.project("jobs", &format!("[services.one]\ntype = \"worker\"\n{worker}\n")).up();
    let answer = Front::of(&home).get("jobs.localhost", "/");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["project"], "jobs");
}
