//! Says which PHP the extension is built against (`cfg(php84)` and the like), as ext-php-rs does for itself.

use ext_php_rs_build::{ApiVersion, PHPInfo, emit_check_cfg, emit_php_cfg_flags, emit_rerun_if_env_changed, find_php};

fn main() {
    emit_check_cfg();
    emit_rerun_if_env_changed();
    println!("cargo:rerun-if-changed=build.rs");
    let version = find_php()
        .and_then(|php| PHPInfo::get(&php))
        .and_then(|info| info.zend_version())
        .and_then(ApiVersion::try_from)
        .expect("a PHP 8.2 or newer with headers; name its command in the environment variable PHP");
    emit_php_cfg_flags(version);
}
