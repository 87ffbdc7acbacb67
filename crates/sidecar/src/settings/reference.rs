//! The reference of the settings, docs/configuration.md, made from their table; and their defaults in the help.

use std::fmt::Write;

use clap::{Arg, Args, Command};

use super::values::Values;

/// What stands above the settings.
const BEGINNING: &str = "\
<!-- Made by `tortoise configuration` from the table in crates/sidecar/src/settings/values.rs. Change that, not this. -->

# Configuration of the sidecar

Every setting can stand in the settings file, in the environment, or on the command line. A flag wins over the
environment, the environment over the file. `tortoise doctor` and `tortoise check` say what is wrong with them.

The settings file is [TOML](https://toml.io), and named by `--config FILE` or `TORTOISE_CONFIG`; there is no other place
where it is looked for. A key that is not below is an error, which names the line. Relative paths in it count from its
own folder, those of flags and variables from the current one. An environment variable that begins with `TORTOISE_` and
is not below is warned about in the log.

PHP's own settings (`tortoise.path`, `tortoise.server`, `tortoise.timeout`) stand in the [README](../README.md#use-it). The
private sidecar that PHP starts with `tortoise.server=auto` takes `TORTOISE_*` variables from PHP's environment.

```toml
# /etc/tortoise/tortoise.toml
path = [\"/srv/app/classes\"]
python = \"/srv/app/venv/bin/python\"
preload = [\"numpy\", \"App.Models\"]
max_requests = 1000
max_memory = \"512M\"
slow_log = \"/var/log/tortoise/slow.log\"

[[listen]]
address = \"unix:///run/tortoise/tortoise.sock\"
```

[operations.md](operations.md) says how to run it with these.

";

/// The reference of the settings, as Markdown.
#[must_use]
pub fn reference() -> String {
    let command = Values::augment_args(Command::new("settings"));
    let defaults = defaults();
    let mut text = BEGINNING.to_owned();
    text.push_str("| in the file | environment | flag | default |\n|---|---|---|---|\n");
    // Writing to a String cannot fail.
    for flag in command.get_arguments() {
        let (name, default) = (flag.get_id().as_str(), words(&default_of(flag, &defaults)));
        let _ = writeln!(text, "| [`{name}`](#{name}) | `{}` | `{}` | {default} |", variable(flag), usage(flag));
    }
    for flag in command.get_arguments() {
        let name = flag.get_id();
        let _ = write!(text, "\n## {name}\n\n{}", meaning(flag));
        for word in flag.get_possible_values().iter().filter(|word| !word.is_hide_set()) {
            let help = word.get_help().map(|help| format!(": {help}")).unwrap_or_default();
            let _ = write!(text, "\n- `\"{}\"`{help}", word.get_name());
        }
        if !flag.get_possible_values().is_empty() {
            text.push('\n');
        }
    }
    text
}

/// The command, its help completed with the settings' defaults.
#[must_use]
pub fn with_defaults(command: Command) -> Command {
    let defaults = defaults();
    command.mut_args(|flag| {
        let Some(default) = defaults.get(flag.get_id().as_str()).map(in_file).filter(|text| text != "[]") else {
            return flag;
        };
        let default = format!("[default: {}]", default.trim_matches('"'));
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        let long_help = flag.get_long_help().map(ToString::to_string);
        let flag = flag.help(format!("{help} {default}"));
        match long_help {
            Some(text) => flag.long_help(format!("{text}\n\n{default}")),
            None => flag,
        }
    })
}

/// By their names in the file, as they would stand there.
fn defaults() -> toml::Table {
    // Numbers, texts and lists: there is nothing that TOML could not say.
    toml::Table::try_from(Values::defaults(false)).unwrap_or_default()
}

fn in_file(value: &toml::Value) -> String {
    value.to_string()
}

/// As it would stand in the file, or in words.
fn default_of(flag: &Arg, defaults: &toml::Table) -> Result<String, String> {
    if let Some(default) = defaults.get(flag.get_id().as_str()) {
        return Ok(in_file(default));
    }
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let words =
        help.rsplit_once("[default").map_or("", |(_, words)| words.trim_start_matches(':').trim_matches([' ', ']']));
    Err(words.to_owned())
}

fn words(default: &Result<String, String>) -> String {
    match default {
        Ok(value) => format!("`{value}`"),
        Err(words) => words.clone(),
    }
}

fn variable(flag: &Arg) -> &str {
    flag.get_env().and_then(|name| name.to_str()).unwrap_or_default()
}

fn usage(flag: &Arg) -> String {
    let value = flag.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    format!("--{} {value}", flag.get_long().unwrap_or_default())
}

/// Whole sentences.
fn meaning(flag: &Arg) -> String {
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let first = help.split(" [default").next().unwrap_or_default();
    let long = flag.get_long_help().map(ToString::to_string).unwrap_or_default();
    let rest = long.split_once("\n\n").map_or("", |(_, rest)| rest);
    if rest.is_empty() { format!("{first}.\n") } else { format!("{first}.\n\n{rest}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_the_file_the_environment_and_the_flags() {
        let command = Values::augment_args(Command::new("settings"));
        for flag in command.get_arguments() {
            let name = flag.get_id().as_str();
            assert_eq!(variable(flag), format!("TORTOISE_{}", name.to_uppercase()));
            assert_eq!(flag.get_long(), Some(name.replace('_', "-").as_str()));
        }
    }

    #[test]
    fn the_committed_reference_is_that_of_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let committed = std::fs::read_to_string(path).expect(path);
        assert!(committed == reference(), "run: tortoise configuration > docs/configuration.md");
    }

    #[test]
    fn the_example_is_one() {
        let example = BEGINNING.split("```").nth(1).expect("an example").trim_start_matches("toml");
        let values: Values = toml::from_str(example).expect("settings");
        assert_eq!(values.max_requests, Some(1000));
    }
}
