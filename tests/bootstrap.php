<?php

/**
 * Finds the classes of tests/Support, and says what to do when there is no extension to test.
 */

declare(strict_types=1);

if (!extension_loaded('tortoise')) {
    fwrite(STDERR, "The extension is not loaded. Run the tests with 'make test-integration'.\n");
    exit(1);
}

spl_autoload_register(static function (string $class): void {
    $prefix = 'Tortoise\\Tests\\Support\\';
    if (str_starts_with($class, $prefix)) {
        require __DIR__ . '/Support/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
    }
});
