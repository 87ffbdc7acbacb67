<?php

/**
 * Boots the Kohana of KOHANA_DIR for PHPUnit, or the stand-in beside this file where there is none.
 */

declare(strict_types=1);

if (!extension_loaded('tortoise')) {
    fwrite(STDERR, "The extension is not loaded. Run the tests with 'make test-kohana'.\n");
    exit(1);
}

require dirname(__DIR__) . '/Support/PhpProcess.php';
require dirname(__DIR__) . '/Support/ProcessResult.php';

$kohana = rtrim((string) getenv('KOHANA_DIR'), '/') ?: __DIR__ . '/standin';
if (!is_dir("{$kohana}/system/classes")) {
    fwrite(STDERR, "KOHANA_DIR={$kohana} is no Kohana: it has no folder system/classes.\n");
    exit(1);
}
$kohana = (string) realpath($kohana);

error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
define('EXT', '.php');
define('DOCROOT', sys_get_temp_dir() . '/');
define('APPPATH', "{$kohana}/application/");
define('MODPATH', "{$kohana}/modules/");
define('SYSPATH', "{$kohana}/system/");

if (!function_exists('get_magic_quotes_gpc')) {
    // Kohana up to 3.3.6 asks for it.
    function get_magic_quotes_gpc(): bool
    {
        return false;
    }
}

$isLower = !is_file(SYSPATH . 'classes/Kohana/Core.php');
require SYSPATH . ($isLower ? 'classes/kohana/core.php' : 'classes/Kohana/Core.php');
require SYSPATH . ($isLower ? 'classes/kohana.php' : 'classes/Kohana.php');
spl_autoload_register(['Kohana', 'auto_load']);

// Its unittest module, where PHPUnit of today can load that; else a class with what the tests use of it.
$unittest = MODPATH . 'unittest/classes/Kohana/Unittest/TestCase.php';
if (is_file($unittest) && str_contains((string) file_get_contents($unittest), 'function setUp(): void')) {
    Kohana::modules(['unittest' => MODPATH . 'unittest']);
} else {
    require __DIR__ . '/TestCase.php';
}

fwrite(STDERR, 'Kohana ' . Kohana::VERSION . ' of ' . ($kohana === __DIR__ . '/standin' ? 'tests/kohana/standin' : basename($kohana)) . "\n");
