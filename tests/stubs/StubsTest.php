<?php

declare(strict_types=1);

namespace Tortoise\Tests\Stubs;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\TestCase;

/** The stubs for IDEs say what the extension declares, no more and no less. */
final class StubsTest extends TestCase
{
    public function testTheStubsAreTheExtension(): void
    {
        $stubs = \dirname(__DIR__, 2) . '/php/stubs/tortoise.php';
        $stubbed = new PhpProcess([\PHP_BINARY, '-n', __DIR__ . '/dump.php', $stubs], __DIR__, getenv());
        $declared = self::php('require ' . var_export(__DIR__ . '/dump.php', true) . ';');

        self::assertStringContainsString('"Tortoise\\\\PyObject"', $declared->cleanOutput());
        self::assertSame($declared->cleanOutput(), $stubbed->wait()->cleanOutput());
    }
}
