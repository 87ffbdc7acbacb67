//! A real PHP that compiles sources, one after another, and says what it made of them.

use std::io::Write as _;
use std::process::Command;

/// What stands for the extension: its classes and functions, and every notice as an error.
const PRELUDE: &str = r#"<?php
namespace Tortoise {
    const LEFT_OUT = "\0left out";
    interface Remote {}
    class PyObject {}
    class PythonException extends \RuntimeException {
        final public function getPythonClass() {}
        final public function getPythonTraceback() {}
        final public function getPythonException() {}
    }
    /** What a PHP parent can ask of an override. */
    class Native {
        public function two($a, $b) {}
        public function many($a = 1, ...$rest) {}
        public static function make($a) {}
        final public function fixed() {}
        final public static function settled() {}
        public function count(): int { return 0; }
        public function nothing($a): void {}
        public function stop(): never { exit; }
        public function fluent(): static { return $this; }
    }
}
namespace Tortoise\Bridge {
    function construct() {}
    function method() {}
}
namespace {
    error_reporting(E_ALL);
    set_error_handler(fn ($level, $text) => throw new ErrorException($text, 0, $level));
    $tried = '';
    register_shutdown_function(function () use (&$tried) {
        if ($error = error_get_last()) {
            echo "\n", $error['message'], "\n", $tried, "\n";
        }
    });
    function show(mixed $value): string {
        return match (true) {
            $value === null => 'null',
            is_bool($value) => $value ? 'true' : 'false',
            is_int($value) => "int $value",
            is_float($value) => 'float ' . (is_nan($value) ? 'nan' : bin2hex(pack('E', $value))),
            is_string($value) => 'text ' . bin2hex($value),
            is_array($value) => '[' . implode(', ', array_map('show', $value)) . ']',
        };
    }
    /** Sources are one line each, so a file of lines holds them. */
    function compile_all(): Generator {
        global $tried;
        foreach (file($GLOBALS['argv'][1], FILE_IGNORE_NEW_LINES) as $tried) {
            $known = count(get_declared_classes());
            eval($tried);
            yield get_declared_classes()[$known];
        }
    }
    try {
        main();
    } catch (Throwable $error) {
        echo "\n", $error->getMessage(), "\n", $tried, "\n";
        exit(255);
    }
"#;

/// Runs `main`, a PHP function that can use what the prelude has, over `sources`. Gives what it printed, or the error
/// and the source that PHP refused.
pub(crate) fn run(main: &str, sources: &[String]) -> Result<String, String> {
    if let Some(source) = sources.iter().find(|source| source.bytes().any(|byte| byte.is_ascii_control())) {
        return Err(format!("a control character stands in the source {source:?}"));
    }
    let mut script = tempfile::NamedTempFile::new().expect("a temporary file");
    write!(script, "{PRELUDE}{main}}}").expect("the script is written");
    let mut lines = tempfile::NamedTempFile::new().expect("a temporary file");
    write!(lines, "{}", sources.join("\n")).expect("the sources are written");
    // `-n`: no php.ini. `argv` has to be there without it.
    let output = Command::new("php")
        .args(["-n", "-d", "register_argc_argv=1", "-d", "display_errors=0"])
        .arg(script.path())
        .arg(lines.path())
        .output()
        .expect("`php` must be in PATH: this test has PHP 8.2 or newer compile what was generated");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(text) } else { Err(format!("{text}{}", String::from_utf8_lossy(&output.stderr))) }
}
