<?php

/**
 * Measures what the Kohana module adds to the autoload of PHP classes and to the start of a request.
 *
 *     KOHANA_DIR=DIR php -d extension=… tests/kohana/benchmark.php
 *
 * Runs the same script in turn with the module and without it, each time in a PHP of its own, and takes the fastest of
 * each. Ends with status 1 if the autoload of a PHP class costs 2 µs more, or more than that.
 */

declare(strict_types=1);

const CLASSES = 2000;
const ROUNDS = 7;
const LIMIT = 2.0;

if (($argv[1] ?? null) === 'measure') {
    echo json_encode(measure($argv[2], $argv[3] === 'with', $argv[4] === 'caching'));
    exit;
}

$folder = sys_get_temp_dir() . '/tortoise-kohana-' . bin2hex(random_bytes(5));
write_application($folder);
try {
    $costs = 0.0;
    printf("%-28s%12s%12s%12s\n", 'µs', 'without', 'with', 'more');
    foreach (['caching', 'development'] as $mode) {
        $fastest = fastest($folder, $mode);
        foreach (['a PHP class' => 'class', 'a name of no class' => 'miss', 'start of a request' => 'start'] as $title => $key) {
            [$without, $with] = [$fastest['without'][$key], $fastest['with'][$key]];
            printf("%-28s%12.2f%12.2f%12.2f\n", "{$title}, {$mode}", $without, $with, $with - $without);
        }
        $costs = max($costs, $fastest['with']['class'] - $fastest['without']['class']);
    }
} finally {
    exec('rm -rf ' . escapeshellarg($folder));
}
if ($costs >= LIMIT) {
    fwrite(STDERR, sprintf("The autoload of a PHP class costs %.2f µs more: that is not below %.1f µs.\n", $costs, LIMIT));
    exit(1);
}

/**
 * The fastest of all rounds, with the module and without it.
 *
 * @return array<string, array<string, float>>
 */
function fastest(string $folder, string $mode): array
{
    $fastest = [];
    // The first round fills caches.
    for ($round = 0; $round <= ROUNDS; $round++) {
        foreach (['without', 'with'] as $module) {
            $measured = json_decode(run($folder, $module, $mode), true, 8, JSON_THROW_ON_ERROR);
            foreach ($measured as $key => $microseconds) {
                if ($round > 0) {
                    $fastest[$module][$key] = min($fastest[$module][$key] ?? INF, $microseconds);
                }
            }
        }
    }

    return $fastest;
}

function run(string $folder, string $module, string $mode): string
{
    $command = [PHP_BINARY];
    if ($extension = getenv('TORTOISE_EXTENSION')) {
        array_push($command, '-d', "extension={$extension}");
    }
    array_push($command, __FILE__, 'measure', $folder, $module, $mode);
    $process = proc_open($command, [1 => ['pipe', 'w']], $pipes);
    $output = (string) stream_get_contents($pipes[1]);
    proc_close($process);

    return $output;
}

/** An application with Python files, and PHP files for each of the classes. */
function write_application(string $folder): void
{
    foreach (['cache', 'logs', 'classes/Bench', 'classes/bench'] as $name) {
        mkdir("{$folder}/{$name}", 0o700, true);
    }
    for ($number = 0; $number < CLASSES; $number++) {
        $code = "<?php class Bench_C{$number} {}";
        file_put_contents("{$folder}/classes/Bench/C{$number}.php", $code);
        file_put_contents("{$folder}/classes/bench/c{$number}.php", $code);
    }
    for ($number = 0; $number < 100; $number++) {
        file_put_contents("{$folder}/classes/Bench/P{$number}.py", "class Bench_P{$number}: ...\n");
    }
    // What has changed just now is looked at again each time.
    foreach (['/classes/Bench', '/classes/bench', '/classes'] as $name) {
        touch($folder . $name, time() - 3600);
    }
}

/**
 * Boots Kohana and loads all classes.
 *
 * @return array<string, float> microseconds
 */
function measure(string $folder, bool $hasModule, bool $isCaching): array
{
    define('EXT', '.php');
    define('DOCROOT', "{$folder}/");
    define('APPPATH', "{$folder}/");
    $kohana = realpath((string) getenv('KOHANA_DIR') ?: __DIR__ . '/standin');
    define('MODPATH', "{$kohana}/modules/");
    define('SYSPATH', "{$kohana}/system/");
    error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
    if (!function_exists('get_magic_quotes_gpc')) {
        eval('function get_magic_quotes_gpc() { return false; }');
    }
    $isLower = !is_file(SYSPATH . 'classes/Kohana/Core.php');
    require SYSPATH . ($isLower ? 'classes/kohana/core.php' : 'classes/Kohana/Core.php');
    require SYSPATH . ($isLower ? 'classes/kohana.php' : 'classes/Kohana.php');
    spl_autoload_register(['Kohana', 'auto_load']);
    I18n::lang('en-us');
    Kohana::init(['base_url' => '/', 'cache_dir' => "{$folder}/cache", 'caching' => $isCaching, 'profile' => false]);
    Kohana::$log->attach(new Log_File("{$folder}/logs"));
    Kohana::$config->attach(new Config_File());
    $start = hrtime(true);
    Kohana::modules($hasModule ? ['tortoise' => \dirname(__DIR__, 2) . '/kohana-module'] : []);
    $microseconds = ['start' => (hrtime(true) - $start) / 1e3];

    $start = hrtime(true);
    for ($number = 0; $number < CLASSES; $number++) {
        class_exists("Bench_C{$number}");
    }
    $microseconds['class'] = (hrtime(true) - $start) / 1e3 / CLASSES;

    $start = hrtime(true);
    for ($number = 0; $number < CLASSES; $number++) {
        class_exists("Bench_Nothing{$number}");
    }
    $microseconds['miss'] = (hrtime(true) - $start) / 1e3 / CLASSES;

    return $microseconds;
}
