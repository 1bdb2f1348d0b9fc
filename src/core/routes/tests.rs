use proptest::prelude::*;

use super::*;

fn service(name: &str) -> ServiceRoutes<&'static str> {
    let service = ServiceName::parse(name).expect("a name");
    let target = Box::leak(name.to_owned().into_boxed_str());
    ServiceRoutes { service, domain: None, paths: Vec::new(), target }
}

fn project(name: &str, services: Vec<ServiceRoutes<&'static str>>) -> ProjectRoutes<&'static str> {
    let project = ProjectName::parse(name).expect("a name");
    ProjectRoutes { project, domain: format!("{name}.localhost"), services }
}

fn shop() -> ProjectRoutes<&'static str> {
    let api = ServiceRoutes { paths: vec!["/api".into()], ..service("api") };
    let v2 = ServiceRoutes { paths: vec!["/api/v2/".into()], ..service("v2") };
    let admin = ServiceRoutes { domain: Some("admin.test".into()), ..service("admin_ui") };
    project("shop", vec![api, service("web"), v2, admin, service("mail_box")])
}

fn check(table: &Table<&'static str>, url: &str, expected: &str) {
    let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let host = Authority::parse(authority.as_bytes()).expect("an authority").host;
    let found = match table.find(&host, path.as_bytes()) {
        Found::Target(target) => (*target).to_owned(),
        Found::Dashboard => "(dashboard)".to_owned(),
        Found::NoService(project) => format!("({project})"),
        Found::Nothing => "(nothing)".to_owned(),
    };
    assert_eq!(found, expected, "{url}");
}

#[test]
fn hosts_and_paths_lead_to_services() {
    let blog = project("blog", vec![service("only")]);
    let two = project("two", vec![service("a"), service("b")]);
    let table = Table::build([shop(), blog, two]).expect("no clash");
    for (url, expected) in [
        ("shop.localhost/", "web"),
        ("SHOP.Localhost.:8443/", "web"),
        ("shop.localhost/api", "api"),
        ("shop.localhost/api?q=/api/v2", "api"),
        ("shop.localhost/api/x", "api"),
        ("shop.localhost/apix", "web"),
        ("shop.localhost/%61pi", "web"),
        ("shop.localhost/api/v2", "v2"),
        ("shop.localhost/api/v2/x", "v2"),
        ("shop.localhost/api/v22", "api"),
        ("api.shop.localhost/", "api"),
        ("mail-box.shop.localhost/api", "mail_box"),
        ("web.shop.localhost/api", "web"),
        ("any.thing.shop.localhost/api", "web"),
        ("admin.test/", "admin_ui"),
        ("x.admin.test/", "(nothing)"),
        ("admin-ui.shop.localhost/", "web"),
        ("blog.localhost/", "only"),
        ("only.blog.localhost/", "only"),
        ("two.localhost/", "(two)"),
        ("a.two.localhost/", "a"),
        ("c.two.localhost/", "(two)"),
        ("locald.localhost/", "(dashboard)"),
        ("x.locald.localhost/", "(nothing)"),
        ("localhost/", "(nothing)"),
        ("eshop.localhost/", "(nothing)"),
        ("[::1]:80/", "(nothing)"),
    ] {
        check(&table, url, expected);
    }
}

#[test]
fn clashes_name_both() {
    let clash = |projects: Vec<ProjectRoutes<&'static str>>| {
        Table::build(projects).expect_err("a clash").to_string()
    };
    let other = ProjectRoutes { domain: "shop.localhost".into(), ..project("other", vec![]) };
    assert_eq!(clash(vec![shop(), other]), "cannot give shop.localhost to both shop and other");
    let taken = ServiceRoutes { domain: Some("API.shop.localhost".into()), ..service("x") };
    assert_eq!(
        clash(vec![shop(), project("other", vec![taken])]),
        "cannot give api.shop.localhost to both shop/api and other/x"
    );
    let ours = ServiceRoutes { domain: Some("locald.localhost".into()), ..service("x") };
    assert_eq!(
        clash(vec![project("p", vec![ours])]),
        "cannot give locald.localhost to p/x: it is the dashboard's"
    );
    let a = ServiceRoutes { paths: vec!["/api/".into()], ..service("a") };
    let b = ServiceRoutes { paths: vec!["/api".into()], ..service("b") };
    assert_eq!(
        clash(vec![project("p", vec![a, b])]),
        "cannot give p.localhost/api to both p/a and p/b"
    );
}

#[test]
fn what_is_no_authority_is_refused() {
    for (text, expected) in [
        ("", NotAnAuthority::Empty),
        (".", NotAnAuthority::Empty),
        (":80", NotAnAuthority::Empty),
        ("a@b.localhost", NotAnAuthority::UserInfo),
        ("a.localhost:x", NotAnAuthority::Port),
        ("a.localhost:65536", NotAnAuthority::Port),
        ("a.localhost:000080", NotAnAuthority::Port),
        ("a.localhost:80:80", NotAnAuthority::Port),
        ("[::1", NotAnAuthority::Character),
        ("[::1]x", NotAnAuthority::Port),
        ("a b", NotAnAuthority::Character),
        ("a/b", NotAnAuthority::Character),
        ("::1", NotAnAuthority::Port),
    ] {
        assert_eq!(Authority::parse(text.as_bytes()), Err(expected), "{text}");
    }
    let long = "a".repeat(254);
    assert_eq!(Authority::parse(long.as_bytes()), Err(NotAnAuthority::TooLong));
}

proptest! {
    #[test]
    fn no_bytes_panic(text in prop::collection::vec(any::<u8>(), 0..300), path in ".{0,30}") {
        if let Ok(authority) = Authority::parse(&text) {
            let again = Authority::parse(authority.host.as_bytes()).expect("normal form is an authority");
            prop_assert_eq!(again.host, authority.host);
            let table = Table::build([shop()]).expect("no clash");
            table.find(&authority.host, path.as_bytes());
        }
    }

    #[test]
    fn the_longest_prefix_of_whole_segments_wins(
        prefixes in prop::collection::hash_set("(/[ab]{1,2}){1,3}", 1..6),
        path in "(/[ab]{1,2}){0,4}/?",
    ) {
        let services = prefixes.iter().enumerate().map(|(i, prefix)| ServiceRoutes {
            service: ServiceName::parse(&format!("s{i}")).expect("a name"),
            domain: None, paths: vec![prefix.clone()], target: prefix.clone(),
        });
        let web = ServiceRoutes {
            service: ServiceName::parse("web").expect("a name"),
            domain: None, paths: vec![], target: String::new(),
        };
        let table = Table::build([ProjectRoutes {
            project: ProjectName::parse("p").expect("a name"),
            domain: "p.localhost".into(),
            services: services.chain([web]).collect(),
        }]).expect("no clash");
        let host = HostName::parse(b"p.localhost").expect("a host");
        let whole = format!("{}/", path.trim_end_matches('/'));
        let expected = prefixes.iter()
            .filter(|prefix| whole.starts_with(&format!("{prefix}/")))
            .max_by_key(|prefix| prefix.len()).cloned().unwrap_or_default();
        prop_assert_eq!(table.find(&host, path.as_bytes()), Found::Target(&expected));
    }
}
