use super::*;

fn hostile() -> String {
    "<script>alert(\"1\")</script>&'".to_owned()
}

#[test]
fn nothing_hostile_survives_in_a_page() {
    let story = Story {
        state: hostile(),
        why: Some(hostile()),
        last_exit: Some(hostile()),
        log: vec![hostile()],
    };
    let page = Page {
        links: vec![(hostile(), hostile())],
        story: Some(story),
        ..Page::new(502, hostile()).say(hostile()).command(hostile())
    };
    let html = page.html();
    assert!(!html.contains("<script>") && !html.contains("alert(\""), "{html}");
    assert_eq!(html.matches("alert(&quot;1&quot;)").count(), 11, "{html}");
}

#[test]
fn only_a_page_that_waits_looks_again() {
    let still = Page::new(502, "x".into());
    assert!(!still.html().contains("reload") && !still.html().contains("refresh"));
    let coming = Page { watch: true, coming: true, ..Page::new(503, "x".into()) };
    assert!(coming.html().contains("location.reload()") && coming.html().contains("refresh"));
    let failed = Page { watch: true, ..Page::new(503, "x".into()) };
    assert!(!failed.html().contains("refresh"));
    for page in [still, coming, failed] {
        let html = page.html();
        assert!(!html.contains("//"), "nothing from elsewhere: {html}");
    }
}
