//! Docstrings as PHP docblocks. They are set on the compiled class and never stand in source.

/// The docblock of a docstring and of what PHP's signature cannot say; None if there is nothing to say.
///
/// `keyword_only` are parameters that the signature hides behind its variadic.
pub(super) fn docblock<'a>(
    documentation: Option<&str>,
    keyword_only: impl Iterator<Item = (&'a str, bool)>,
) -> Option<String> {
    let mut text = String::from("/**\n");
    let opening = text.len();
    for line in documentation.unwrap_or_default().trim().lines() {
        push_line(&mut text, line);
    }
    let mut is_first_tag = text.len() > opening;
    for (name, is_required) in keyword_only {
        if std::mem::take(&mut is_first_tag) {
            push_line(&mut text, "");
        }
        let requirement = if is_required { "required, " } else { "" };
        push_line(&mut text, &format!("@param mixed ${name} {requirement}keyword-only: passed by name"));
    }
    if text.len() == opening {
        return None;
    }
    text.push_str(" */");
    Some(text)
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(" *");
    let line = line.trim_end();
    if !line.is_empty() {
        text.push(' ');
        let start = text.len();
        text.extend(line.chars().filter(|&character| character != '\0'));
        // Tools that read a class's docblocks write them back into source.
        if text[start..].contains("*/") {
            let safe = text[start..].replace("*/", "* /");
            text.replace_range(start.., &safe);
        }
    }
    text.push('\n');
}
