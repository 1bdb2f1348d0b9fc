//! What the page's scripts reckon, without a page.

use std::{fs, path::Path};

use crate::support::{Home, skip};

#[test]
fn colours_layouts_and_words_are_right() {
    let home = Home::new();
    if home.program("sh").args(["-c", "command -v node"]).run().code() != 0 {
        return skip("there is no node");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("tests/dashboard")).expect("it is there") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("it has one").to_string_lossy().into_owned();
        let tested = name.strip_suffix(".test.mjs").expect("nothing else is there").to_owned();
        let script = root.join(format!("src/dashboard/assets/{tested}.js"));
        // So that Node takes them for modules.
        for (from, name) in [(path, name), (script, format!("{tested}.mjs"))] {
            files.push(home.write(&name, fs::read(&from).expect("it is there")));
        }
    }
    let tests = files.iter().filter(|path| path.to_string_lossy().ends_with(".test.mjs"));
    home.program("node").arg("--test").args(tests).ok().says("# fail 0");
}
