<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\TestCase;

/** What the calls go through: shared memory, or the socket where the system gives none. */
final class ChannelTest extends TestCase
{
    /** Lengths around a word, a page, a piece and the ring itself, of the texts there and back. */
    private const ECHO = 'foreach ([0, 7, 8, 9, 4096, 32 << 10, (1 << 20) - 80, 1 << 20, (1 << 20) + 1, 5_000_001] as $length) {'
        . ' $text = substr(str_repeat("0123456789abcdef!", intdiv($length, 17) + 1), 0, $length);'
        . ' if ((new Mirror())->show($text) !== $text) { echo "{$length} bytes came back otherwise\n"; } }'
        . ' echo Tortoise\status()["channel"];';

    private const CLASSES = ['Mirror.py' => "class Mirror:\n    def show(self, it):\n        return it\n"];

    public function testCallsGoThroughSharedMemory(): void
    {
        self::assertSame('shared memory', self::php(self::ECHO, classes: self::CLASSES)->cleanOutput());
    }

    public function testBothSidesMayShareOneCore(): void
    {
        $result = self::php(self::ECHO, classes: self::CLASSES, wrapper: ['taskset', '-c', '0']);
        self::assertSame('shared memory', $result->cleanOutput());
    }

    /** A limit on the size of files is one on memory that is shared as a file. */
    public function testTheSocketServesWhereTheSystemGivesNoMemory(): void
    {
        $result = self::php(self::ECHO, classes: self::CLASSES, wrapper: ['prlimit', '--fsize=1000000']);
        self::assertSame('unix socket', $result->cleanOutput());
    }
}
