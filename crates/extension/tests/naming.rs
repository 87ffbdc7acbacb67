//! Class names: where their files may stand, and which of them PHP can declare.

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

#[path = "../src/naming.rs"]
mod naming;

use naming::{candidates, declarable_class_name, find, python_class_name};

fn paths(class: &str) -> Vec<String> {
    candidates(class).expect("a class name").iter().map(str::to_owned).collect()
}

#[test]
fn the_spelled_path_is_tried_before_the_lower_one() {
    assert_eq!(paths("Foo_Bar"), ["Foo/Bar.py", "foo/bar.py"]);
    assert_eq!(paths("App\\Foo\\Bar"), ["App/Foo/Bar.py", "app/foo/bar.py"]);
    assert_eq!(paths("Bar"), ["Bar.py", "bar.py"]);
    assert_eq!(paths("Zähler"), ["Zähler.py", "zähler.py"]);
}

#[test]
fn a_name_in_lower_case_has_one_path() {
    assert_eq!(paths("foo_bar"), ["foo/bar.py"]);
}

#[test]
fn underscores_of_a_namespace_stay() {
    assert_eq!(paths("My_App\\Foo_Bar"), ["My_App/Foo/Bar.py", "my_app/foo/bar.py"]);
}

#[test]
fn a_reserved_name_is_found_without_the_underscore_that_php_needs() {
    assert_eq!(paths("App\\List_"), ["App/List.py", "app/list.py"]);
    assert_eq!(paths("namespace_\\Foo"), ["namespace/Foo.py", "namespace/foo.py"]);
}

#[test]
fn names_that_no_class_has_cost_nothing() {
    let long = "A".repeat(10_000);
    for class in [
        "",
        "_",
        "\\",
        "\\Foo",
        "Foo\\",
        "Foo\\\\Bar",
        "Foo__Bar",
        "_Foo",
        "Foo_",
        "1Foo",
        "Foo_1",
        "..",
        "../Foo",
        "Foo.Bar",
        ".Foo",
        "Foo/Bar",
        "/etc/passwd",
        "Foo\0",
        "Foo Bar",
        "Foo\n",
        "Foo-Bar",
        "class@anonymous",
        &long,
    ] {
        assert_eq!(candidates(class), None, "{class:?}");
    }
}

#[test]
fn the_first_root_with_a_file_wins() {
    let directory = tempfile::tempdir().unwrap();
    let roots: Vec<PathBuf> = ["first", "second", "absent"].map(|name| directory.path().join(name)).into();
    fs::create_dir_all(roots[0].join("foo/bar.py")).unwrap();
    fs::create_dir_all(roots[1].join("Foo")).unwrap();
    assert_eq!(find(&roots, "Foo_Bar"), None, "a folder is no file");
    fs::write(roots[1].join("Foo/Bar.py"), "").unwrap();
    assert_eq!(find(&roots, "Foo_Bar"), Some(roots[1].join("Foo/Bar.py")));
    assert_eq!(find(&roots, "foo_bar"), None, "the file's spelling counts");
    fs::create_dir_all(roots[0].join("Foo")).unwrap();
    fs::write(roots[0].join("Foo/Bar.py"), "").unwrap();
    assert_eq!(find(&roots, "Foo\\Bar"), Some(roots[0].join("Foo/Bar.py")));
    assert_eq!(find(&[], "Foo_Bar"), None);
}

#[test]
fn a_name_that_php_can_declare_stays_as_it_is() {
    for name in ["Foo", "App\\Foo_Bar", "app\\list\\class\\Foo", "Enum", "Listing", "Foo_List", "Zähler"] {
        assert!(matches!(declarable_class_name(name), Cow::Borrowed(same) if same == name), "{name}");
        assert!(matches!(python_class_name(name), Cow::Borrowed(same) if same == name), "{name}");
    }
}

#[test]
fn a_reserved_name_gets_an_underscore_and_loses_it_again() {
    for (name, declarable) in [
        ("List", "List_"),
        ("App\\String", "App\\String_"),
        ("namespace\\Foo", "namespace_\\Foo"),
        ("Namespace\\a\\NULL", "Namespace_\\a\\NULL_"),
        ("__halt_compiler\\Foo", "__halt_compiler_\\Foo"),
        ("__halt_compiler\\a\\yield", "__halt_compiler\\a\\yield_"),
    ] {
        assert_eq!(declarable_class_name(name), declarable);
        assert_eq!(python_class_name(declarable), name);
    }
}
