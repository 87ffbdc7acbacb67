//! Where the Python source of a PHP class may stand, and which class names PHP can declare.
//!
//! `Foo_Bar` is looked for in `Foo/Bar.py`, then in `foo/bar.py`; `App\Foo\Bar` in `App/Foo/Bar.py`, then in
//! `app/foo/bar.py`. Underscores divide the last segment only, as in PSR-0. A name that PHP reserves is declared
//! with an underscore behind it (`App\List_`), and found in the file without it (`App/List.py`).

use std::borrow::Cow;
use std::path::PathBuf;

use tortoise_protocol::description::is_identifier;
use tortoise_protocol::limits::MAX_NAME_BYTES;

/// Names that no PHP class may have (PHP 8.2 to 8.5), in lower case and sorted. `_` is deprecated from 8.4 on.
#[rustfmt::skip]
const RESERVED: [&str; 94] = [
    "_", "__class__", "__dir__", "__file__", "__function__", "__halt_compiler", "__line__", "__method__",
    "__namespace__", "__property__", "__trait__", "abstract", "and", "array", "as", "bool", "break", "callable",
    "case", "catch", "class", "clone", "const", "continue", "declare", "default", "die", "do", "echo", "else",
    "elseif", "empty", "enddeclare", "endfor", "endforeach", "endif", "endswitch", "endwhile", "eval", "exit",
    "extends", "false", "final", "finally", "float", "fn", "for", "foreach", "function", "global", "goto", "if",
    "implements", "include", "include_once", "instanceof", "insteadof", "int", "interface", "isset", "iterable",
    "list", "match", "mixed", "namespace", "never", "new", "null", "object", "or", "parent", "print", "private",
    "protected", "public", "readonly", "require", "require_once", "return", "self", "static", "string", "switch",
    "throw", "trait", "true", "try", "unset", "use", "var", "void", "while", "xor", "yield",
];

/// The relative paths in which a class may stand, in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// The path in the spelling of the class name.
    pub(crate) spelled: String,
    /// The path in lower case, if that is another one.
    pub(crate) lowered: Option<String>,
}

impl Candidates {
    /// The paths in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.spelled.as_str()).chain(self.lowered.as_deref())
    }
}

/// The relative paths for `class`, a PHP class name without a leading backslash.
///
/// None for a name that no class of ours can have: one with an empty part (`Foo__Bar`, `Foo\\Bar`), with a part that
/// is no identifier, or of more than [`MAX_NAME_BYTES`]. So a path from here never leaves its root.
pub(crate) fn candidates(class: &str) -> Option<Candidates> {
    if class.len() > MAX_NAME_BYTES {
        return None;
    }
    let class = python_class_name(class);
    let (namespace, last) = class.rsplit_once('\\').map_or((None, &*class), |(names, last)| (Some(names), last));
    let mut spelled = String::with_capacity(class.len() + ".py".len());
    for segment in namespace.into_iter().flat_map(|names| names.split('\\')).chain(last.split('_')) {
        if !is_identifier(segment) {
            return None;
        }
        if !spelled.is_empty() {
            spelled.push('/');
        }
        spelled.push_str(segment);
    }
    spelled.push_str(".py");
    let lowered = spelled.to_ascii_lowercase();
    let lowered = (lowered != spelled).then_some(lowered);
    Some(Candidates { spelled, lowered })
}

/// The file of `class` in the first of `roots` that has one.
///
/// One `stat` for each root and candidate, and nothing else: this runs for every class name that PHP does not know.
pub(crate) fn find(roots: &[PathBuf], class: &str) -> Option<PathBuf> {
    let candidates = candidates(class)?;
    let mut path = PathBuf::new();
    for root in roots {
        for candidate in candidates.iter() {
            path.as_mut_os_string().clear();
            path.push(root);
            path.push(candidate);
            if path.metadata().is_ok_and(|found| found.is_file()) {
                return Some(path);
            }
        }
    }
    None
}

/// The names that mean the class file `file` if `class` does: `App\Foo\Bar`, `App\Foo_Bar` and `App_Foo_Bar`.
///
/// Without `class` itself, and empty if `class` is another class of its file.
pub(crate) fn other_spellings(class: &str, file: &str) -> Vec<String> {
    let is_own_file = |path: &str| file.strip_suffix(path).is_some_and(|folder| folder.ends_with('/'));
    if !candidates(class).is_some_and(|candidates| candidates.iter().any(is_own_file)) {
        return Vec::new();
    }
    let (namespace, last) = class.rsplit_once('\\').map_or((None, class), |(names, last)| (Some(names), last));
    let parts: Vec<&str> = namespace.into_iter().flat_map(|names| names.split('\\')).chain(last.split('_')).collect();
    // Underscores divide the last segment only: a folder that has one cannot stand in it.
    let first = parts.iter().rposition(|part| part.contains('_')).map_or(0, |place| place + 1);
    (first..parts.len())
        .map(|start| {
            let last = parts[start..].join("_");
            parts[..start].iter().copied().chain([last.as_str()]).collect::<Vec<_>>().join("\\")
        })
        .filter(|spelling| spelling != class)
        .collect()
}

/// Whether `class` may be one of Python's built-in exceptions, as `Tortoise\Python\KeyError`. Which there are, Python knows.
pub(crate) fn may_be_builtin_exception(class: &str) -> bool {
    const NAMESPACE: &str = "Tortoise\\Python\\";
    let is_below = class.get(..NAMESPACE.len()).is_some_and(|names| names.eq_ignore_ascii_case(NAMESPACE));
    is_below && class.len() <= MAX_NAME_BYTES && is_identifier(&class[NAMESPACE.len()..])
}

/// `class` as PHP lets it be declared: with an underscore behind a name that PHP reserves.
pub(crate) fn declarable_class_name(class: &str) -> Cow<'_, str> {
    let (namespace, last) = class.rsplit_once('\\').map_or((None, class), |(names, last)| (Some(names), last));
    // PHP reads `namespace\Foo` as "Foo of the current namespace". All other words may stand in a namespace.
    let refused = namespace.filter(|names| is_refused_namespace(names));
    if refused.is_none() && !is_reserved(last) {
        return Cow::Borrowed(class);
    }
    let mut declarable = String::with_capacity(class.len() + 2);
    if let Some(namespace) = namespace {
        let (first, rest) = namespace.split_at(namespace.find('\\').unwrap_or(namespace.len()));
        declarable.push_str(first);
        declarable.push_str(if refused.is_some() { "_" } else { "" });
        declarable.push_str(rest);
        declarable.push('\\');
    }
    declarable.push_str(last);
    declarable.push_str(if is_reserved(last) { "_" } else { "" });
    Cow::Owned(declarable)
}

/// The name in Python of a class that PHP calls `class`: what [`declarable_class_name`] added is taken away.
pub(crate) fn python_class_name(class: &str) -> Cow<'_, str> {
    let (namespace, last) = class.rsplit_once('\\').map_or((None, class), |(names, last)| (Some(names), last));
    let bare = last.strip_suffix('_').filter(|bare| is_reserved(bare));
    let first = namespace.map(|names| names.split('\\').next().unwrap_or(names));
    let bare_first = first.and_then(|first| first.strip_suffix('_')).filter(|bare| {
        let rest = namespace.and_then(|names| names.get(bare.len() + 1..)).unwrap_or_default();
        bare.eq_ignore_ascii_case("namespace") || rest.is_empty() && bare.eq_ignore_ascii_case("__halt_compiler")
    });
    match (bare, bare_first) {
        (None, None) => Cow::Borrowed(class),
        (Some(_), None) => Cow::Borrowed(&class[..class.len() - 1]),
        (_, Some(bare_first)) => {
            let behind = &class[bare_first.len() + 1..class.len() - usize::from(bare.is_some())];
            Cow::Owned([bare_first, behind].concat())
        }
    }
}

/// Whether no PHP class may have this name.
fn is_reserved(name: &str) -> bool {
    // The longest reserved word decides how much is worth lowering; the table is sorted.
    name.len() <= LONGEST_RESERVED && RESERVED.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

const LONGEST_RESERVED: usize = "__halt_compiler".len();

/// Whether PHP cannot declare this namespace.
fn is_refused_namespace(namespace: &str) -> bool {
    let first = namespace.split('\\').next().unwrap_or(namespace);
    first.eq_ignore_ascii_case("namespace") || namespace.eq_ignore_ascii_case("__halt_compiler")
}
