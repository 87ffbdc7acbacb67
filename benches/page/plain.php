<?php

/** The page without Python: its classes are PHP's. */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    require __DIR__ . '/classes/' . strtr($class, '_', '/') . '.php';
});

require __DIR__ . '/page.php';
