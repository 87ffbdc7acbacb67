//! Class names: where their files may stand, and which of them PHP can declare.

use std::borrow::Cow;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

#[path = "../src/naming.rs"]
mod naming;

use naming::{candidates, declarable_class_name, find, may_be_builtin_exception, other_spellings, python_class_name};

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
fn a_built_in_exception_stands_right_below_its_namespace() {
    for name in ["Tortoise\\Python\\KeyError", "tortoise\\PYTHON\\keyerror"] {
        assert!(may_be_builtin_exception(name), "{name}");
    }
    let long = format!("Tortoise\\Python\\{}", "x".repeat(2000));
    for name in [
        "Tortoise\\Python\\json\\KeyError",
        "Tortoise\\Python\\",
        "Tortoise\\Python",
        "Tortoise\\Pythön\\KeyError",
        "Tortoise\\Python\\2",
        "KeyError",
        &long,
    ] {
        assert!(!may_be_builtin_exception(name), "{name}");
    }
}

#[test]
fn a_class_has_all_spellings_of_its_own_file() {
    assert_eq!(other_spellings("Foo_Bar", "/srv/Foo/Bar.py"), ["Foo\\Bar"]);
    assert_eq!(other_spellings("Foo\\Bar", "/srv/foo/bar.py"), ["Foo_Bar"]);
    assert_eq!(other_spellings("App\\Foo_Bar", "/srv/App/Foo/Bar.py"), ["App_Foo_Bar", "App\\Foo\\Bar"]);
    assert_eq!(other_spellings("My_App\\Foo\\Bar", "/srv/My_App/Foo/Bar.py"), ["My_App\\Foo_Bar"]);
    assert!(other_spellings("Bar", "/srv/Bar.py").is_empty());
    // Other classes of the file, and files that only end alike.
    assert!(other_spellings("Foo_Helper", "/srv/Foo/Bar.py").is_empty());
    assert!(other_spellings("Foo\\Bar\\Helper", "/srv/Foo/Bar.py").is_empty());
    assert!(other_spellings("Foo_Bar", "/srv/MyFoo/Bar.py").is_empty());
    assert!(other_spellings("Foo__Bar", "/srv/Foo//Bar.py").is_empty());
    for spelling in other_spellings("App\\Foo_Bar", "/srv/App/Foo/Bar.py") {
        assert_eq!(paths(&spelling), ["App/Foo/Bar.py", "app/foo/bar.py"]);
    }
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

/// The words of the manual's "List of Keywords" and "List of other reserved words", and what is free in spite of them.
const WORDS: &str = "
    __halt_compiler abstract and array as break callable case catch class clone const continue declare default die do
    echo else elseif empty enddeclare endfor endforeach endif endswitch endwhile eval exit extends final finally fn for
    foreach function global goto if implements include include_once instanceof insteadof interface isset list match
    namespace new or print private protected public readonly require require_once return static switch throw trait try
    unset use var while xor yield __CLASS__ __DIR__ __FILE__ __FUNCTION__ __LINE__ __METHOD__ __NAMESPACE__
    __PROPERTY__ __TRAIT__ self parent int float bool string true false null void iterable object mixed never _
    enum resource numeric from boolean integer double binary strict_types yield_ list_";

#[test]
fn php_declares_every_name_that_is_said_to_be_declarable() {
    let mut source = "<?php error_reporting(E_ALL); set_error_handler(fn () => exit(1));".to_owned();
    let mut names = std::collections::HashSet::new();
    for word in WORDS.split_whitespace() {
        for name in [word.to_owned(), format!("a\\{word}"), format!("{word}\\b"), format!("{word}\\a\\b")] {
            let declarable = declarable_class_name(&name).into_owned();
            // `list` becomes what `list_` is already.
            if names.insert(declarable.to_ascii_lowercase()) {
                let (namespace, class) = declarable.rsplit_once('\\').unwrap_or(("", &declarable));
                let namespace = if namespace.is_empty() { String::new() } else { format!("namespace {namespace};") };
                source += &format!("\neval('{namespace}class {class} {{}}');");
            }
        }
    }
    source += "echo 'all';";
    let mut script = tempfile::NamedTempFile::new().unwrap();
    script.write_all(source.as_bytes()).unwrap();
    let output = Command::new("php")
        .args(["-n", "-d", "display_errors=1"])
        .arg(script.path())
        .output()
        .expect("`php` must be in PATH: this test has PHP 8.2 or newer declare the names");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "all");
    println!("PHP declared {} classes", names.len());
}
