//! Types and expressions of a PHP class, rewritten so that they mean the same in any other class and namespace.

/// The words of types that are no classes.
const TYPES: [&str; 16] = [
    "int", "float", "string", "bool", "array", "iterable", "callable", "object", "mixed", "void", "never", "null",
    "false", "true", "static", "resource",
];

/// The words of expressions that are no constants.
const WORDS: [&str; 10] = ["new", "null", "true", "false", "and", "or", "xor", "instanceof", "array", "clone"];

/// The words of expressions that stand for code.
const CODE: [&str; 4] = ["function", "fn", "static", "class@anonymous"];

/// The class that declares what is rewritten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declaring<'a> {
    /// Its name.
    pub(crate) class: &'a str,
    /// Its parent's, if it has one.
    pub(crate) parent: Option<&'a str>,
}

impl Declaring<'_> {
    /// A type as reflection shows it, with every class name in full.
    pub(crate) fn full_type(&self, shown: &str) -> String {
        let mut full = String::with_capacity(shown.len() + 8);
        for token in Tokens(shown) {
            match token {
                Token::Name(name) if !TYPES.iter().any(|word| name.eq_ignore_ascii_case(word)) => {
                    self.class(name, &mut full);
                }
                Token::Name(text) | Token::Other(text) => full.push_str(text),
            }
        }
        full
    }

    /// A constant expression as the engine exports it. None if it cannot stand in another place, or not on one line.
    ///
    /// `is_constant` tells whether there is a constant of that name: in a namespace one of the global ones may be meant.
    pub(crate) fn full_expression(&self, exported: &str, is_constant: impl Fn(&str) -> bool) -> Option<String> {
        if exported.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let mut full = String::with_capacity(exported.len() + 8);
        let mut tokens = Tokens(exported);
        while let Some(token) = tokens.next() {
            let (Token::Name(name) | Token::Other(name)) = token;
            let is_member = ["::", "->", "?->", "$"].iter().any(|before| full.ends_with(before));
            if matches!(token, Token::Other(_)) || name.starts_with('\\') || is_member {
                full.push_str(name);
            } else if tokens.0.starts_with("::") {
                self.class(name, &mut full);
            } else if CODE.iter().any(|word| name.eq_ignore_ascii_case(word)) || tokens.0.starts_with('(') {
                return None;
            } else if name.eq_ignore_ascii_case("__CLASS__") {
                self.class("self", &mut full);
                full.push_str("::class");
            } else if tokens.0.starts_with(':') || WORDS.iter().any(|word| name.eq_ignore_ascii_case(word)) {
                full.push_str(name);
            } else {
                let global = name.rsplit('\\').next().unwrap_or(name);
                full.push('\\');
                full.push_str(if is_constant(name) { name } else { global });
            }
        }
        Some(full)
    }

    fn class(&self, name: &str, full: &mut String) {
        let class = match name {
            _ if name.eq_ignore_ascii_case("self") => self.class,
            _ if name.eq_ignore_ascii_case("parent") => self.parent.unwrap_or(name),
            _ => name,
        };
        if !class.starts_with('\\') {
            full.push('\\');
        }
        full.push_str(class);
    }
}

/// The parts of source: names, and what stands between them.
struct Tokens<'a>(&'a str);

enum Token<'a> {
    Name(&'a str),
    Other(&'a str),
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\\' | 0x80..);
        let bytes = self.0.as_bytes();
        let first = *bytes.first()?;
        let length = match first {
            b'\'' => text_length(bytes),
            // A number may have letters: 1.0E+25, 0x1F.
            b'0'..=b'9' => bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'.').count(),
            _ if is_name(&first) => bytes.iter().take_while(|byte| is_name(byte)).count(),
            _ => 1,
        };
        let (token, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(if is_name(&first) && !first.is_ascii_digit() { Token::Name(token) } else { Token::Other(token) })
    }
}

/// The length of a text between single quotes.
fn text_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\'' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}
